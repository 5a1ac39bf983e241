"""Fields of the interface that several rooms use, with refusals a person can act on."""

import base64
import binascii
import unicodedata
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate

from postern.vocabulary import Purpose


class Base64Url(fields.Field[bytes]):
    """Exactly `length` bytes, as base64url without padding (RFC 4648, section 5)."""

    def __init__(self, length: int, **kwargs: Any) -> None:
        characters = -(-length * 8 // 6)
        shape: dict[str, Any] = {"type": "string", "format": "base64url"}
        shape |= {"minLength": characters, "maxLength": characters}
        super().__init__(metadata=shape | kwargs.pop("metadata", {}), **kwargs)
        self.length = length

    def _serialize(self, value: bytes | None, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else to_base64url(value)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> bytes:
        decoded = from_base64url(value) if isinstance(value, str) else None
        if decoded is None or len(decoded) != self.length:
            raise ValidationError(f"Write {self.length} bytes as base64url without padding.")
        return decoded


def to_base64url(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def from_base64url(text: str) -> bytes | None:
    """The bytes, or None when `text` is not the one canonical base64url form without padding."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if to_base64url(raw) == text else None


def plain_text(text: str) -> None:
    """Refuse control characters and lone surrogates: neither PostgreSQL nor the log takes them."""
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
        raise ValidationError("Leave out control characters and broken ones.")


def purpose() -> fields.Field[Any]:
    """The required purpose of processing."""
    return fields.Enum(
        Purpose, by_value=True, required=True, metadata={"description": "Why this is asked."}
    )


def case_reference() -> fields.Field[Any]:
    """The required reference of the case; it enters only the erasable part of the audit log."""
    return fields.String(
        required=True,
        validate=[
            validate.Length(min=1, max=128),
            validate.Regexp(r"\S", error="Write the reference of the case."),
            plain_text,
        ],
        metadata={"description": "Reference of the case file, 1 to 128 characters."},
    )

"""Fields of the interface that several rooms use, with refusals a person can act on."""

import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from marshmallow import ValidationError, fields, validate

from postern.base64url import from_base64url, to_base64url
from postern.vocabulary import INDICATOR_KINDS, Kind, Purpose


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


class IndicatorKind(fields.Enum[Any]):
    """A kind of indicator; a pattern is none, and is refused like any other word."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(_IndicatorKind, by_value=True, **kwargs)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Kind:
        return Kind(super()._deserialize(value, attr, data, **kwargs).value)


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


_IndicatorKind = StrEnum("_IndicatorKind", {each.name: each.value for each in INDICATOR_KINDS})  # type: ignore[misc]

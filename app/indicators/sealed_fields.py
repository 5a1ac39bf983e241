"""Sealed parts of reports on the wire: envelopes in base64url, and how they are listed."""

from collections.abc import Mapping
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from postern.base64url import from_base64url, to_base64url
from postern.vocabulary import SealedPart

LARGEST_TEXT = 65_536  # bytes of the envelope of a value or a note
LARGEST_ATTACHMENT = 10_100_000  # bytes of the envelope of a file
MOST_ATTACHMENTS = 10  # of one report

_CHARACTERS = -(-LARGEST_TEXT * 4 // 3)


class SealedText(fields.Field[bytes]):
    """The envelope of a value or a note, as base64url without padding."""

    def __init__(self, description: str) -> None:
        super().__init__(
            load_default=None,
            allow_none=True,
            metadata={
                "type": "string",
                "format": "base64url",
                "maxLength": _CHARACTERS,
                "description": description,
            },
        )

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> bytes:
        is_short = type(value) is str and len(value) <= _CHARACTERS
        content = from_base64url(value) if is_short else None
        if content is None or len(content) > LARGEST_TEXT:
            raise ValidationError(
                f"It is not up to {LARGEST_TEXT} bytes as base64url without padding.\n"
                "Send the envelope as it was sealed; put what is larger into an attachment."
            )
        return content


class SealedSchema(Schema):
    """What only the owner opens, sealed on premises to its own published keys."""

    class Meta:
        unknown = RAISE

    value = SealedText("The clear value; not of an induction point, whose place is in clear.")
    note = SealedText("What the submitter wrote of it in free text.")


class AttachmentArgumentsSchema(Schema):
    class Meta:
        unknown = RAISE

    number = fields.Integer(
        required=True,
        validate=validate.Range(min=1, max=MOST_ATTACHMENTS),
        metadata={"description": f"Place of the file in the report, 1 to {MOST_ATTACHMENTS}."},
    )


class AttachedSchema(Schema):
    id = fields.UUID()
    number = fields.Integer()
    size = fields.Integer(metadata={"description": "Bytes of the envelope."})


class _Bytes(fields.Field[bytes]):
    """Bytes as base64url without padding, on the way out."""

    def _serialize(self, value: bytes | None, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else to_base64url(value)


def _bytes(description: str) -> fields.Field[Any]:
    return _Bytes(
        metadata={"type": "string", "format": "base64url", "description": description},
    )


class EnvelopeSchema(Schema):
    """What is known of an envelope without opening it: the context in which it opens."""

    id = fields.UUID()
    part = fields.Enum(SealedPart, by_value=True)
    number = fields.Integer(metadata={"description": "Of an attachment, from 1; else 0."})
    indicator = fields.UUID(
        allow_none=True,
        metadata={"description": "Null for an attachment: it belongs to the whole report."},
    )
    kind = fields.String(metadata={"description": "Kind of the indicator; `report` for a file."})
    epoch = fields.Integer()
    token = _bytes("16 bytes: the token of the first element sent; zeros where there is none.")
    record = fields.String(metadata={"description": "The record in the context; opaque."})
    size = fields.Integer(metadata={"description": "Bytes of the envelope."})
    digest = _bytes("SHA-256 of the envelope.")


class EnvelopesSchema(Schema):
    envelopes = fields.List(
        fields.Nested(EnvelopeSchema),
        metadata={"description": "By indicator in the order of the report, then the attachments."},
    )

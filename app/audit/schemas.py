"""Fields of the reading interface; the page of the access log reads its filters with them too."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate

from app.audit.catalogue import CATALOGUE, Operation
from app.audit.entry import Outcome
from app.audit.reading import DEFAULT_PAGE, LARGEST_PAGE, Filters
from app.fields import plain_text
from postern.vocabulary import Purpose

_DAY_LENGTH = len("YYYY-MM-DD")


@dataclass(frozen=True)
class Asked:
    """A question to the log: filters, cursor and size of the page."""

    filters: Filters
    cursor: str | None
    limit: int


class PeriodEnd(fields.Field[datetime]):
    """A moment, or a day, of which `is_end` takes the end instead of the beginning."""

    def __init__(self, *, is_end: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.is_end = is_end

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        try:
            if len(value) == _DAY_LENGTH:
                midnight = datetime.fromisoformat(value).replace(tzinfo=UTC)
                return midnight + timedelta(days=1) if self.is_end else midnight
            return _aware(datetime.fromisoformat(value)).astimezone(UTC)
        except (OverflowError, TypeError, ValueError):
            raise ValidationError(
                "Write a day (YYYY-MM-DD) or a moment with its time zone (YYYY-MM-DDThh:mm:ssZ)."
            ) from None


class AuditQuerySchema(Schema):
    """Loads to `Asked`."""

    class Meta:
        unknown = RAISE

    act = fields.String(
        validate=validate.OneOf(sorted(CATALOGUE), error="Use an act of docs/audit-acts.md."),
        metadata={"description": "Only entries of this act."},
    )
    operation = fields.Enum(
        Operation,
        by_value=True,
        metadata={
            "description": "Only acts of this operation of Directive (EU) 2016/680, Art. 25."
        },
    )
    actor = fields.String(
        validate=[validate.Length(min=1, max=64), plain_text],
        metadata={"description": "Only acts of this person (pseudonym), or of `console`."},
    )
    case = fields.String(
        validate=[validate.Length(min=1, max=128), plain_text],
        metadata={"description": "Only acts for this case reference."},
    )
    purpose = fields.Enum(
        Purpose, by_value=True, metadata={"description": "Only acts for this purpose."}
    )
    outcome = fields.Enum(
        Outcome, by_value=True, metadata={"description": "Only acts that ended so."}
    )
    since = PeriodEnd(
        is_end=False,
        data_key="from",
        metadata={
            "type": "string",
            "description": "Day (its beginning, UTC) or moment with its time zone; included.",
        },
    )
    until = PeriodEnd(
        is_end=True,
        data_key="to",
        metadata={
            "type": "string",
            "description": "Day (its end, UTC) or moment with its time zone; not included.",
        },
    )
    cursor = fields.String(
        load_default=None,
        validate=validate.Length(max=64),
        metadata={"description": "`next` of the page before."},
    )
    limit = fields.Integer(
        load_default=DEFAULT_PAGE,
        validate=validate.Range(min=1, max=LARGEST_PAGE),
        metadata={"description": "Entries on the page."},
    )

    @post_load
    def gather(self, given: dict[str, Any], **_: Any) -> Asked:
        """Split what was asked into filters, cursor and limit."""
        cursor, limit = given.pop("cursor"), given.pop("limit")
        return Asked(Filters(**given), cursor, limit)


class RecordSchema(Schema):
    """The clear part of an entry: nothing in it names a person."""

    v = fields.Integer(metadata={"description": "Version of the format, 1."})
    id = fields.String(metadata={"description": "Random identifier, 16 bytes."})
    t = fields.Integer(metadata={"description": "Milliseconds since 1970, UTC."})
    act = fields.String(metadata={"description": "What was done."})
    org = fields.String(metadata={"description": "Code of the acting organisation."})
    aud = fields.List(
        fields.String(), metadata={"description": "Codes of those who may read the entry."}
    )
    out = fields.Enum(Outcome, by_value=True, metadata={"description": "How it ended."})
    basis = fields.String(metadata={"description": "Legal basis, empty where none is needed."})
    purpose = fields.String(metadata={"description": "Purpose, empty where none is needed."})
    obj = fields.String(metadata={"description": "Type of the objects."})
    n = fields.Integer(metadata={"description": "How many results or objects."})
    rh = fields.String(metadata={"description": "SHA-256 of the canonical list of results."})
    f = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata={"description": "For each detail its name and the digest of its disclosure."},
    )


class AuditEntrySchema(Schema):
    """One entry."""

    record = fields.Nested(
        RecordSchema, metadata={"description": "As it was hashed, byte for byte."}
    )
    details = fields.Dict(
        keys=fields.String(),
        metadata={"description": "The details that were not erased, opened."},
    )
    disclosures = fields.List(
        fields.String(), metadata={"description": "The same details as their salted openings."}
    )
    leaf = fields.String(metadata={"description": "The leaf that fixes the record, base64url."})
    intact = fields.Boolean(
        metadata={"description": "Whether leaf, record and disclosures fit one another."}
    )


class AuditPageSchema(Schema):
    """A page of the log, newest first."""

    entries = fields.List(fields.Nested(AuditEntrySchema))
    next = fields.String(
        allow_none=True, metadata={"description": "Cursor of the next page; null after the last."}
    )


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return moment

"""Fields of the reading interface; the page of the access log reads its filters with them too."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from marshmallow import (
    RAISE,
    Schema,
    ValidationError,
    fields,
    post_load,
    validate,
    validates_schema,
)
from sqlalchemy.orm import Session

from app.audit.catalogue import CATALOGUE, Operation
from app.audit.entry import Outcome
from app.audit.reading import DEFAULT_PAGE, LARGEST_PAGE, Filters
from app.audit.wording import wording
from app.audit.words import MOST_WORDS, understand
from app.fields import plain_text
from postern.vocabulary import LegalBasis, Purpose

_DAY_LENGTH = len("YYYY-MM-DD")


@dataclass(frozen=True)
class Asked:
    """A question to the log: filters, words, cursor and size of the page."""

    filters: Filters
    words: str | None
    cursor: str | None
    limit: int

    def understood(self, session: Session) -> Filters:
        """The filters, with what the words mean in the reader's language."""
        if not self.words:
            return self.filters
        told = wording()
        meant = understand(self.words, told, told.organisations(session))
        return replace(self.filters, words=meant)


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


def _few_words(text: str) -> None:
    plain_text(text)
    if len(text.split()) > MOST_WORDS:
        raise ValidationError(f"Give at most {MOST_WORDS} words.")


_identifier = validate.Regexp(
    r"[A-Za-z0-9][A-Za-z0-9._/-]{0,127}\Z", error="Give the id of an object, as an entry shows it."
)
_code = validate.Regexp(
    r"[a-z0-9][a-z0-9-]{0,63}\Z", error="Give the code of an organisation, such as post-be."
)


class FilterSchema(Schema):
    """The filters of every question to the log."""

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
    object = fields.String(
        validate=_identifier,
        metadata={
            "description": "Only entries that name this object: an indicator, report, lookup, "
            "account, or version of a policy, by its id."
        },
    )
    purpose = fields.Enum(
        Purpose, by_value=True, metadata={"description": "Only acts for this purpose."}
    )
    basis = fields.Enum(
        LegalBasis, by_value=True, metadata={"description": "Only acts on this legal basis."}
    )
    outcome = fields.Enum(
        Outcome, by_value=True, metadata={"description": "Only acts that ended so."}
    )
    organisation = fields.String(
        validate=_code, metadata={"description": "Only acts of this organisation, by its code."}
    )
    words = fields.String(
        data_key="q",
        validate=[validate.Length(min=1, max=200), _few_words],
        metadata={
            "description": "Only entries that fit each of these words: of an act and its meaning, "
            "an operation, purpose, legal basis, outcome, type of object, acting organisation or "
            "refusal, as codes or in the reader's language, from their beginning. Names and case "
            "references are not searched."
        },
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


def _limit() -> fields.Integer:
    return fields.Integer(
        load_default=DEFAULT_PAGE,
        validate=validate.Range(min=1, max=LARGEST_PAGE),
        metadata={"description": "Entries on the page."},
    )


class AuditQuerySchema(FilterSchema):
    """Loads to `Asked`."""

    limit = _limit()

    @post_load
    def gather(self, given: dict[str, Any], **_: Any) -> Asked:
        """Split what was asked into filters, words, cursor and limit."""
        return asked(given)


class TimelineQuerySchema(Schema):
    """Whose timeline: a person's, an object's or a case's. Loads to `Asked`."""

    class Meta:
        unknown = RAISE

    person = fields.UUID(
        metadata={"description": "Pseudonym of a person: what they did, and what was done to them."}
    )
    object = fields.String(
        validate=_identifier,
        metadata={"description": "Id of an indicator, report, lookup or other object."},
    )
    case = fields.String(
        validate=[validate.Length(min=1, max=128), plain_text],
        metadata={"description": "Reference of a case."},
    )
    cursor = fields.String(
        load_default=None,
        validate=validate.Length(max=64),
        metadata={"description": "`next` of the page before."},
    )
    limit = _limit()

    @validates_schema
    def demand_one(self, given: Mapping[str, Any], **_: Any) -> None:
        """ValidationError unless exactly one thing is named."""
        if len({"person", "object", "case"} & given.keys()) != 1:
            raise ValidationError("Give one of person, object and case.", "person")

    @post_load
    def gather(self, given: dict[str, Any], **_: Any) -> Asked:
        """Split what was asked into filters, cursor and limit."""
        if "person" in given:
            given["person"] = str(given["person"])
        return asked(given)


def asked(given: dict[str, Any]) -> Asked:
    """The question of loaded fields; those that are no filter are taken out of `given`."""
    words, cursor, limit = (given.pop(name, None) for name in ("words", "cursor", "limit"))
    return Asked(Filters(**given), words, cursor, limit or DEFAULT_PAGE)


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


class TagKeySchema(Schema):
    """A key by which an organisation recognises its leaves."""

    epoch = fields.Integer(metadata={"description": "From 1; leaves bear tags of the newest."})
    key = fields.String(metadata={"description": "32 bytes, base64url."})


class TagKeysSchema(Schema):
    """All tag keys of the caller's organisation."""

    organisation = fields.String(metadata={"description": "Its code."})
    keys = fields.List(fields.Nested(TagKeySchema))


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
    place = fields.Integer(
        allow_none=True,
        metadata={"description": "Index in the tree, from 0; null while the entry waits."},
    )
    intact = fields.Boolean(
        metadata={"description": "Whether leaf, record and disclosures fit one another."}
    )


class TimelineSchema(Schema):
    """A page of a timeline, oldest first."""

    entries = fields.List(fields.Nested(AuditEntrySchema))
    next = fields.String(
        allow_none=True, metadata={"description": "Cursor of the next page; null after the last."}
    )


class AuditPageSchema(Schema):
    """A page of the log, newest first."""

    entries = fields.List(fields.Nested(AuditEntrySchema))
    unknown_words = fields.List(
        fields.String(),
        metadata={
            "description": "Words of `q` that fit no code: there are no entries as long as there "
            "is one."
        },
    )
    next = fields.String(
        allow_none=True, metadata={"description": "Cursor of the next page; null after the last."}
    )


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return moment

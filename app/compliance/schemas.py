"""What reviews and signals look like on the wire. Persons are the pseudonyms of the audit log."""

from typing import Any

from marshmallow import RAISE, Schema, fields, post_load, validate

from app.audit.catalogue import CATALOGUE, Operation
from app.audit.entry import Outcome
from app.compliance.models import Signal, Verdict
from app.compliance.reviews import LARGEST_SAMPLE, Kinds, Round
from app.compliance.rounds import Judged
from app.compliance.sealing import LONGEST_NOTE, LONGEST_TITLE
from app.compliance.signal_words import reason
from app.fields import Base64Url
from postern.vocabulary import Purpose


def _verdicts(one: Round) -> dict[str, int]:
    return {verdict.value: one.counts.get(verdict, 0) for verdict in Verdict}


def _record_id(one: Judged) -> str | None:
    return str(one.entry.fields["id"]) if one.entry else None


def _verdict() -> fields.Field[Any]:
    return fields.Enum(
        Verdict,
        by_value=True,
        required=True,
        metadata={"description": "In order, a mistake, a breach, or unclear."},
    )


class KindsSchema(Schema):
    """From which entries is drawn; what is left out is not asked for."""

    class Meta:
        unknown = RAISE

    act = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.OneOf(sorted(CATALOGUE), error="Use an act of docs/audit-acts.md."),
        metadata={"description": "Only entries of this act."},
    )
    operation = fields.Enum(
        Operation,
        by_value=True,
        load_default=None,
        allow_none=True,
        metadata={"description": "Only acts of this operation of Directive (EU) 2016/680."},
    )
    purpose = fields.Enum(
        Purpose,
        by_value=True,
        load_default=None,
        allow_none=True,
        metadata={"description": "Only acts for this purpose."},
    )
    outcome = fields.Enum(
        Outcome,
        by_value=True,
        load_default=None,
        allow_none=True,
        metadata={"description": "Only acts that ended so."},
    )


class ReviewOrderSchema(KindsSchema):
    """A review to be ordered."""

    title = fields.String(
        required=True,
        validate=validate.Length(min=1, max=LONGEST_TITLE),
        metadata={"description": "What is reviewed and why; sealed when stored."},
    )
    sample = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(min=1, max=LARGEST_SAMPLE),
        metadata={"description": "How many entries are drawn each month."},
    )

    @post_load
    def gather(self, given: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Put the four filters into one."""
        title, sample = given.pop("title"), given.pop("sample")
        return {"title": title, "sample": sample, "kinds": Kinds(**given)}


class RoundSchema(Schema):
    """One month of a review."""

    id = fields.UUID(required=True, metadata={"description": "By which it is read."})
    review = fields.UUID(required=True, metadata={"description": "Of which review it is."})
    month = fields.Function(
        lambda one: one.month.isoformat()[:7],
        required=True,
        metadata={"type": "string", "description": "Year and month, YYYY-MM."},
    )
    population = fields.Integer(
        required=True, metadata={"description": "Entries of the month that could be drawn."}
    )
    drawn = fields.Integer(required=True, metadata={"description": "Entries that were drawn."})
    waiting = fields.Integer(
        required=True, metadata={"description": "Of these, not judged by anybody yet."}
    )
    verdicts = fields.Function(
        _verdicts,
        required=True,
        metadata={
            "type": "object",
            "additionalProperties": {"type": "integer"},
            "description": "How many entries were judged so, by verdict.",
        },
    )
    size = fields.Integer(
        required=True,
        metadata={"description": "Of the first checkpoint signed after the month's end."},
    )
    seed = Base64Url(
        32,
        required=True,
        metadata={"description": "Root of that checkpoint; the sample follows from it."},
    )
    drawn_at = fields.AwareDateTime(
        format="iso", required=True, metadata={"description": "When the sample was drawn."}
    )
    closed_at = fields.AwareDateTime(
        format="iso",
        required=True,
        allow_none=True,
        metadata={"description": "When the last entry was judged; null before."},
    )


class ReviewSchema(Schema):
    """A review and its rounds."""

    id = fields.UUID(required=True, metadata={"description": "By which it is read."})
    title = fields.String(required=True, metadata={"description": "What is reviewed and why."})
    filters = fields.Function(
        lambda one: one.kinds.told(),
        required=True,
        metadata={
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "From which entries is drawn: act, operation, purpose, outcome.",
        },
    )
    sample = fields.Integer(required=True, metadata={"description": "Entries drawn each month."})
    created_by = fields.UUID(required=True, metadata={"description": "Who ordered it."})
    created_at = fields.AwareDateTime(
        format="iso", required=True, metadata={"description": "When it was ordered."}
    )
    ended_at = fields.AwareDateTime(
        format="iso",
        required=True,
        allow_none=True,
        metadata={"description": "When it was ended; null while it runs."},
    )
    next_draw = fields.Date(
        required=True,
        allow_none=True,
        metadata={"description": "Day from which the present month is drawn; null once ended."},
    )
    rounds = fields.List(
        fields.Nested(RoundSchema), required=True, metadata={"description": "Newest first."}
    )


class ReviewsSchema(Schema):
    """The reviews of the caller's organisation."""

    reviews = fields.List(
        fields.Nested(ReviewSchema),
        required=True,
        metadata={"description": "Running ones first, then the newest."},
    )


class FindingSchema(Schema):
    """One drawn entry and what was found of it."""

    place = fields.Integer(
        required=True, metadata={"description": "In the order of drawing, from 1."}
    )
    record = fields.Function(
        _record_id,
        required=True,
        metadata={
            "type": ["string", "null"],
            "description": "Id of the entry's record; null when it has left for an archive.",
        },
    )
    t = fields.Integer(
        attribute="at",
        required=True,
        metadata={"description": "When the act was done, milliseconds since 1970."},
    )
    act = fields.Function(
        lambda one: one.entry.fields["act"] if one.entry else None,
        required=True,
        metadata={"type": ["string", "null"], "description": "What was done."},
    )
    verdict = fields.Enum(
        Verdict,
        by_value=True,
        required=True,
        allow_none=True,
        metadata={"description": "What was found; null before."},
    )
    note = fields.String(required=True, metadata={"description": "The note, or empty."})
    judged_by = fields.UUID(
        required=True, allow_none=True, metadata={"description": "Who judged it."}
    )
    judged_at = fields.AwareDateTime(
        format="iso", required=True, allow_none=True, metadata={"description": "When."}
    )
    own = fields.Boolean(
        attribute="is_own",
        required=True,
        metadata={"description": "Whether the caller did the act, and so may not judge it."},
    )


class SampleSchema(Schema):
    """A round with its drawn entries."""

    round = fields.Nested(RoundSchema, required=True)
    title = fields.String(required=True, metadata={"description": "That of the review."})
    findings = fields.List(
        fields.Nested(FindingSchema),
        required=True,
        metadata={"description": "In the order of drawing."},
    )


class JudgementSchema(Schema):
    """What was found of one drawn entry."""

    class Meta:
        unknown = RAISE

    place = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(min=1, max=LARGEST_SAMPLE),
        metadata={"description": "Which entry of the sample."},
    )
    verdict = _verdict()
    note = fields.String(
        load_default="",
        validate=validate.Length(max=LONGEST_NOTE),
        metadata={
            "description": "What you found; needed unless the entry is in order. Sealed when "
            "stored."
        },
    )


class SignalsArgumentsSchema(Schema):
    """Which signals to list."""

    class Meta:
        unknown = RAISE

    open = fields.Boolean(
        load_default=None,
        metadata={"description": "Only those that wait for somebody, or only closed ones."},
    )
    mine = fields.Boolean(
        load_default=False,
        metadata={"description": "Only those that are the caller's to close."},
    )
    before = fields.UUID(load_default=None, metadata={"description": "`next` of the page before."})


class SignalSummarySchema(Schema):
    """A signal: something in the log that a person must look at."""

    id = fields.UUID(required=True, metadata={"description": "By which it is read."})
    signal = fields.Enum(
        Signal, by_value=True, required=True, metadata={"description": "Which rule saw it."}
    )
    reason = fields.Function(
        lambda one: reason(one.signal, one.facts),
        required=True,
        metadata={
            "type": "string",
            "description": "What was seen and what is usual, in the caller's language.",
        },
    )
    facts = fields.Dict(
        keys=fields.String(),
        required=True,
        metadata={"description": "The figures of the reason; docs/reviews.md tells each."},
    )
    person = fields.UUID(
        required=True,
        allow_none=True,
        metadata={"description": "Whose acts; null: nobody's alone."},
    )
    since = fields.AwareDateTime(
        format="iso", required=True, metadata={"description": "First moment that it is about."}
    )
    until = fields.AwareDateTime(
        format="iso", required=True, metadata={"description": "Last moment that it is about."}
    )
    found_at = fields.AwareDateTime(
        format="iso", required=True, metadata={"description": "When it was found."}
    )
    assigned_to = fields.UUID(
        required=True,
        allow_none=True,
        metadata={"description": "Who is to close it; null: any officer."},
    )
    due_on = fields.Date(
        required=True, allow_none=True, metadata={"description": "By which day, if one was set."}
    )
    verdict = fields.Enum(
        Verdict,
        by_value=True,
        required=True,
        allow_none=True,
        metadata={"description": "What a person found; null while it waits."},
    )
    note = fields.String(required=True, metadata={"description": "Their note, or empty."})
    closed_by = fields.UUID(
        required=True, allow_none=True, metadata={"description": "Who closed it."}
    )
    closed_at = fields.AwareDateTime(
        format="iso", required=True, allow_none=True, metadata={"description": "When."}
    )
    own = fields.Boolean(
        attribute="is_own",
        required=True,
        metadata={"description": "Whether it is about the caller, who then may not close it."},
    )


class SignalSchema(SignalSummarySchema):
    """A signal with the entries that show it."""

    entries = fields.Function(
        lambda one: [entry.fields["id"] for entry in one.entries],
        required=True,
        metadata={
            "type": "array",
            "items": {"type": "string"},
            "description": "Ids of records that show it, oldest first, at most fifty.",
        },
    )


class SignalsSchema(Schema):
    """A page of signals."""

    signals = fields.List(
        fields.Nested(SignalSummarySchema),
        required=True,
        metadata={"description": "Newest first."},
    )
    next = fields.UUID(
        required=True,
        allow_none=True,
        metadata={"description": "Send as `before` for the next page; null on the last."},
    )


class AssignmentSchema(Schema):
    """Who is to close a signal, and by when."""

    class Meta:
        unknown = RAISE

    to = fields.UUID(
        required=True,
        allow_none=True,
        metadata={"description": "A compliance officer of your organisation; null: any of them."},
    )
    due_on = fields.Date(
        load_default=None,
        allow_none=True,
        metadata={"description": "From today to at most a year away; null: no day."},
    )


class ClosingSchema(Schema):
    """What a person found of a signal."""

    class Meta:
        unknown = RAISE

    verdict = _verdict()
    note = fields.String(
        required=True,
        validate=validate.Length(min=1, max=LONGEST_NOTE),
        metadata={"description": "What you found; sealed when stored."},
    )

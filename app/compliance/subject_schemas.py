"""What subject requests look like on the wire. Persons of the platform are pseudonyms."""

from typing import Any

from marshmallow import RAISE, Schema, fields, validate

from app.compliance.sealing import LONGEST_NOTE
from app.fields import IndicatorKind, case_reference
from app.indicators.amend_schemas import LegalHoldSchema
from app.indicators.models import ReportStatus
from app.indicators.schemas import PageArgumentsSchema
from app.indicators.shared_schemas import OwnerSchema
from app.lookups.schemas import MOST_QUERIES, QuerySchema
from postern.vocabulary import (
    Band,
    PartyRole,
    RecallKind,
    RecallReason,
    RequestState,
    SubjectRequestState,
    SubjectRight,
    Way,
)


def _moment(description: str, *, allow_none: bool = False) -> fields.Field[Any]:
    return fields.AwareDateTime(
        format="iso", allow_none=allow_none, metadata={"description": description}
    )


class SubjectOpeningSchema(Schema):
    """A request of a person, as it came in."""

    class Meta:
        unknown = RAISE

    right = fields.Enum(
        SubjectRight, by_value=True, required=True, metadata={"description": "What is asked for."}
    )
    case = case_reference()
    note = fields.String(
        load_default="",
        validate=validate.Length(max=LONGEST_NOTE),
        metadata={"description": "For your own file; sealed when stored. Name no person."},
    )


class SubjectsArgumentsSchema(PageArgumentsSchema):
    """Which requests, how many, and from where."""

    state = fields.Enum(
        SubjectRequestState,
        by_value=True,
        load_default=None,
        metadata={"description": "Only those that stand so."},
    )


class SubjectRequestSchema(Schema):
    """A subject request of your organisation."""

    id = fields.UUID()
    right = fields.Enum(SubjectRight, by_value=True)
    state = fields.Enum(SubjectRequestState, by_value=True)
    note = fields.String()
    answer = fields.String(metadata={"description": "The note of its closing; empty before."})
    opened_at = _moment("When it was opened.")
    opened_by = fields.UUID()
    due_on = fields.Date(metadata={"description": "One month after it was opened."})
    searched_at = _moment("When it was last searched for.", allow_none=True)
    holdings = fields.Integer(
        allow_none=True, metadata={"description": "Indicators that the last search found."}
    )
    recipients = fields.Integer(
        allow_none=True, metadata={"description": "Organisations that got something of them."}
    )
    closed_at = _moment("When it was closed.", allow_none=True)
    closed_by = fields.UUID(allow_none=True)


class SubjectRequestsSchema(Schema):
    requests = fields.List(
        fields.Nested(SubjectRequestSchema), metadata={"description": "Newest first."}
    )
    next = fields.UUID(
        allow_none=True, metadata={"description": "Cursor of the next page; null on the last."}
    )


class SubjectSearchSchema(Schema):
    """Tokens of the person's values, made on premises."""

    class Meta:
        unknown = RAISE

    queries = fields.List(
        fields.Nested(QuerySchema),
        required=True,
        validate=validate.Length(min=1, max=MOST_QUERIES),
    )


class SubjectRecipientSchema(Schema):
    """An organisation that got something of a holding."""

    organisation = fields.Nested(OwnerSchema)
    ways = fields.List(fields.Enum(Way, by_value=True))
    level = fields.Integer(
        metadata={"description": "The most it got: 2 metadata, 3 on request, 4 in clear."}
    )
    first_at = _moment("When it first got something.")
    last_at = _moment("When it last got something.")


class SubjectRecallSchema(Schema):
    """That recipients were called upon to erase or correct what they got."""

    id = fields.UUID()
    kind = fields.Enum(RecallKind, by_value=True)
    reason = fields.Enum(RecallReason, by_value=True)
    made_at = _moment("When they were called upon.")
    completed_at = _moment("When all had done it; null while some have not.", allow_none=True)


class SubjectDisclosureSchema(Schema):
    """That another organisation asked for the clear text."""

    id = fields.UUID()
    requester = fields.Nested(OwnerSchema)
    state = fields.Enum(RequestState, by_value=True)
    made_at = _moment("When it asked.")


class SubjectHoldingSchema(Schema):
    """One of your organisation's own indicators that a query matches."""

    query = fields.String(metadata={"description": "Id of the query, as sent."})
    indicator = fields.UUID()
    report = fields.UUID()
    kind = IndicatorKind()
    role = fields.Enum(PartyRole, by_value=True)
    status = fields.Enum(ReportStatus, by_value=True, metadata={"description": "Of its report."})
    expires_on = fields.Date()
    restricted = fields.Boolean(
        metadata={"description": "Whether a legal hold keeps it beyond its time."}
    )
    band = fields.Enum(Band, by_value=True)
    recipients = fields.List(fields.Nested(SubjectRecipientSchema))
    recalls = fields.List(fields.Nested(SubjectRecallSchema))
    holds = fields.List(fields.Nested(LegalHoldSchema))
    requests = fields.List(fields.Nested(SubjectDisclosureSchema))


class SubjectAnswerSchema(Schema):
    request = fields.UUID()
    searched_at = _moment("When it was searched for.")
    holdings = fields.List(
        fields.Nested(SubjectHoldingSchema), metadata={"description": "Query by query."}
    )


class SubjectClosingSchema(Schema):
    """How a request ends."""

    class Meta:
        unknown = RAISE

    state = fields.Enum(
        SubjectRequestState,
        by_value=True,
        required=True,
        metadata={"description": "`answered` or `refused`."},
    )
    note = fields.String(
        required=True,
        validate=validate.Length(min=1, max=LONGEST_NOTE),
        metadata={"description": "What the person was told; sealed when stored. Name no person."},
    )

"""Recalls over HTTP: those that reached one's organisation, and its own."""

from typing import Any
from uuid import UUID

from flask_smorest import Blueprint
from marshmallow import RAISE, Schema, fields, validate

from app.audit.guard import audited, caller, transaction
from app.disclosures import recall_answers, recall_own
from app.disclosures.recall_answers import Received, ReceivedPage
from app.disclosures.recall_own import Own, OwnPage
from app.indicators.schemas import PageArgumentsSchema
from app.indicators.shared_schemas import OwnerSchema
from postern.vocabulary import (
    AcknowledgementState,
    RecallKind,
    RecallReason,
    Rectification,
    Role,
    Scope,
    Way,
)

blueprint = Blueprint(
    "recalls",
    __name__,
    url_prefix="/api/v1/recalls",
    description="What an owner withdrew or corrected, and what recipients did with what they got.",
)

ANSWERERS = (Role.ANALYST, Role.SUBMITTER, Role.COMPLIANCE)
OWNERS = (Role.SUBMITTER, Role.COMPLIANCE)

_OPEN, _COMPLETED = "open", "completed"
_ANSWERS = (AcknowledgementState.ACKNOWLEDGED, AcknowledgementState.COMPLETED)


class ReceivedArgumentsSchema(PageArgumentsSchema):
    """Which, how many and from where."""

    state = fields.Enum(
        AcknowledgementState,
        by_value=True,
        load_default=None,
        metadata={"description": "How far your organisation is with them; all when left out."},
    )


class OwnArgumentsSchema(PageArgumentsSchema):
    """Which, how many and from where."""

    state = fields.String(
        load_default=None,
        validate=validate.OneOf([_OPEN, _COMPLETED]),
        metadata={"description": "Whether somebody must still answer; all when left out."},
    )


class RecallAnswerSchema(Schema):
    """How far your organisation is."""

    class Meta:
        unknown = RAISE

    state = fields.Enum(
        AcknowledgementState,
        by_value=True,
        required=True,
        validate=validate.OneOf(_ANSWERS),
        metadata={"description": "`acknowledged`: it is being worked on."},
    )
    done = fields.Enum(
        Rectification,
        by_value=True,
        load_default=None,
        metadata={"description": "What was done with it, in all your systems; when completed."},
    )


class RecallSchema(Schema):
    """What both sides are told."""

    id = fields.UUID()
    indicator = fields.UUID()
    kind = fields.Enum(RecallKind, by_value=True)
    reason = fields.Enum(RecallReason, by_value=True)
    made_at = fields.AwareDateTime(format="iso")
    due_at = fields.AwareDateTime(format="iso")
    overdue = fields.Boolean(attribute="is_overdue")
    completed_at = fields.AwareDateTime(format="iso", allow_none=True)


class ReceivedRecallSchema(RecallSchema):
    """A recall that reached your organisation."""

    owner = fields.Nested(OwnerSchema)
    changed = fields.List(
        fields.String(), metadata={"description": "Fields that a correction is about."}
    )
    changes = fields.Dict(
        keys=fields.String(),
        values=fields.Raw(allow_none=True),
        allow_none=True,
        metadata={
            "description": "Their new words; null if no policy lets you see the indicator any more."
        },
    )
    ways = fields.List(fields.Enum(Way, by_value=True))
    state = fields.Enum(AcknowledgementState, by_value=True)
    done = fields.Enum(Rectification, by_value=True, allow_none=True)
    acknowledged_at = fields.AwareDateTime(format="iso", allow_none=True)


class ReceivedRecallsSchema(Schema):
    recalls = fields.List(
        fields.Nested(ReceivedRecallSchema), metadata={"description": "Newest first."}
    )
    next = fields.UUID(
        allow_none=True, metadata={"description": "Cursor of the next page; null on the last."}
    )


class RecipientStateSchema(Schema):
    """How far one recipient is."""

    organisation = fields.Nested(OwnerSchema)
    suspended = fields.Boolean(
        attribute="is_suspended",
        metadata={"description": "It cannot sign in now and must answer all the same."},
    )
    ways = fields.List(fields.Enum(Way, by_value=True))
    state = fields.Enum(AcknowledgementState, by_value=True)
    done = fields.Enum(Rectification, by_value=True, allow_none=True)
    acknowledged_at = fields.AwareDateTime(format="iso", allow_none=True)
    completed_at = fields.AwareDateTime(format="iso", allow_none=True)


class OwnRecallSchema(RecallSchema):
    """A recall of your own; recipients of which your policy does not let you know are left out."""

    changes = fields.Dict(keys=fields.String(), values=fields.Raw(allow_none=True))
    completed = fields.Integer(metadata={"description": "Recipients that completed it."})
    recipients = fields.List(fields.Nested(RecipientStateSchema))


class OwnRecallsSchema(Schema):
    recalls = fields.List(fields.Nested(OwnRecallSchema), metadata={"description": "Newest first."})
    next = fields.UUID(
        allow_none=True, metadata={"description": "Cursor of the next page; null on the last."}
    )


@blueprint.get("/received")
@audited("recall.list", roles=ANSWERERS, scope=Scope.RECALLS_WRITE)
@blueprint.arguments(ReceivedArgumentsSchema, location="query", unknown=None)
@blueprint.response(200, ReceivedRecallsSchema)
def list_received(asked: dict[str, Any]) -> ReceivedPage:
    """List the recalls that reached your organisation

    Newest first, in pages: what its owner withdrew or corrected of what your organisation got, by
    whatever way.
    """
    state = asked["state"]
    states = list(AcknowledgementState) if state is None else [state]
    return recall_answers.received(transaction(), caller(), states, asked["limit"], asked["cursor"])


@blueprint.post("/received/<uuid:recall_id>")
@audited("recall.answer", roles=ANSWERERS, scope=Scope.RECALLS_WRITE)
@blueprint.arguments(RecallAnswerSchema)
@blueprint.response(200, ReceivedRecallSchema)
def answer(asked: dict[str, Any], recall_id: UUID) -> Received:
    """Answer a recall

    Acknowledge it, or complete it with what was done with everything that your organisation got
    of the indicator. The same answer again is safe. The owner learns what your organisation did,
    not who.
    """
    return recall_answers.answer(
        transaction(), caller(), recall_id, state=asked["state"], done=asked["done"]
    )


@blueprint.get("/own")
@audited("recall.list", roles=OWNERS, scope=Scope.RECALLS_WRITE)
@blueprint.arguments(OwnArgumentsSchema, location="query", unknown=None)
@blueprint.response(200, OwnRecallsSchema)
def list_own(asked: dict[str, Any]) -> OwnPage:
    """List your organisation's own recalls

    Newest first, in pages, each with its recipients and how far they are.
    """
    is_open = None if asked["state"] is None else asked["state"] == _OPEN
    return recall_own.own(
        transaction(), caller(), is_open=is_open, limit=asked["limit"], cursor=asked["cursor"]
    )


@blueprint.get("/own/<uuid:recall_id>")
@audited("recall.read", roles=OWNERS, scope=Scope.RECALLS_WRITE)
@blueprint.response(200, OwnRecallSchema)
def read_own(recall_id: UUID) -> Own:
    """Read one of your organisation's own recalls

    Another organisation's recall is answered like one that does not exist.
    """
    return recall_own.read(transaction(), caller(), recall_id)

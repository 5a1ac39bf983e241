"""The ledger over HTTP: who got what of one's own indicators."""

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from app.audit.guard import audited, caller, transaction
from app.disclosures import ledger_reading
from app.disclosures.ledger_reading import CLEAR_WORD, Filters, LedgerPage
from app.fields import IndicatorKind
from app.indicators.schemas import PageArgumentsSchema
from app.indicators.shared_schemas import OwnerSchema
from app.sharing.engine import CHAIN
from postern.vocabulary import Role, Scope, Way

blueprint = Blueprint(
    "ledger",
    __name__,
    url_prefix="/api/v1/ledger",
    description="Which organisations got what of your indicators, and by which way.",
)

READERS = (Role.SUBMITTER, Role.COMPLIANCE)


class LedgerArgumentsSchema(PageArgumentsSchema):
    """Which of them, how much and from where; the filters are combined."""

    indicator = fields.UUID(load_default=None, metadata={"description": "One of your own."})
    report = fields.UUID(load_default=None, metadata={"description": "One of your own."})
    recipient = fields.String(
        load_default=None,
        validate=validate.Length(min=1, max=64),
        metadata={"description": "Code of the organisation that got something."},
    )


class WayGivenSchema(Schema):
    way = fields.Enum(Way, by_value=True)
    level = fields.String(
        validate=validate.OneOf([*(level.value for level in CHAIN[1:]), CLEAR_WORD]),
        metadata={"description": "The highest that was given; `clear`: parts were released."},
    )
    times = fields.Integer(metadata={"description": "Answers, lists and files that held it."})
    first_at = fields.AwareDateTime(format="iso")
    last_at = fields.AwareDateTime(format="iso")


class RecipientSchema(Schema):
    organisation = fields.Nested(OwnerSchema)
    ways = fields.List(fields.Nested(WayGivenSchema))


class GivenIndicatorSchema(Schema):
    """One of your own indicators; of what ended, kind and report stay for a year."""

    indicator = fields.UUID()
    kind = IndicatorKind(allow_none=True)
    report = fields.UUID(allow_none=True)
    ended_at = fields.AwareDateTime(
        format="iso", allow_none=True, metadata={"description": "null while it stands."}
    )
    recipients = fields.List(fields.Nested(RecipientSchema))


class LedgerSchema(Schema):
    indicators = fields.List(
        fields.Nested(GivenIndicatorSchema), metadata={"description": "Newest first."}
    )
    next = fields.UUID(
        allow_none=True, metadata={"description": "Cursor of the next page; null on the last."}
    )


@blueprint.get("")
@audited("ledger.read", roles=READERS, scope=Scope.RECALLS_WRITE)
@blueprint.arguments(LedgerArgumentsSchema, location="query", unknown=None)
@blueprint.response(200, LedgerSchema)
def read(asked: dict[str, Any]) -> LedgerPage:
    """Read who got what of your indicators

    Newest indicators first, in pages, each with the organisations that got something of it and by
    which ways. Where your policy does not let you be told of a reader, it is not listed. What is
    not your own is answered like what nobody got.
    """
    limit, cursor = asked.pop("limit"), asked.pop("cursor")
    return ledger_reading.read(transaction(), caller(), Filters(**asked), limit, cursor)

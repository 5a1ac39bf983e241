"""The key by which an organisation's own people recognise what its exchange tokens are about."""

from flask_smorest import Blueprint
from marshmallow import Schema, fields

from app.audit.guard import audited, caller, transaction
from app.audit.service import append
from app.exchange.rendering import key_of
from app.fields import Base64Url
from postern.vocabulary import Role, Scope

blueprint = Blueprint(
    "exchange",
    __name__,
    url_prefix="/api/v1/exchange",
    description="What other organisations share, as STIX: how its tokens are recognised.",
)

_KEY_LENGTH = 32  # bytes


class ExchangeKeySchema(Schema):
    organisation = fields.String(metadata={"description": "Whose key it is: its code."})
    key = Base64Url(
        _KEY_LENGTH,
        metadata={"description": "Keys the exchange tokens that this organisation is given."},
    )


@blueprint.get("/key")
@audited("exchange.key", roles=[Role.ANALYST], scope=Scope.EXCHANGE_READ)
@blueprint.response(200, ExchangeKeySchema)
def show_key() -> dict[str, str | bytes]:
    """Read your organisation's exchange key

    With it and an evaluated value its own people compute, on their premises, which of the objects
    they received are about that value. Evaluating is bounded by quota and logged, as ever.
    """
    code = caller().organisation
    append(transaction(), caller(), "exchange.key", object_type="exchange-key", objects=[code])
    return {"organisation": code, "key": key_of(code)}

"""Over HTTP: the change stream of a collection, and the addresses that are told of changes."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response
from flask_smorest import Blueprint
from marshmallow import RAISE, Schema, ValidationError, fields, validate

from app.audit.guard import audited, caller, transaction
from app.exchange import changes, news
from app.exchange.news import News, NewsState
from app.fields import plain_text
from app.jobs.addresses import LONGEST
from app.jobs.schemas import SecretOrderSchema
from postern.vocabulary import Role, Scope

blueprint = Blueprint(
    "exchange_changes",
    __name__,
    url_prefix="/api/v1/exchange/collections",
    description="What changed in a collection, and who is told that it did.",
)

_KEEPERS = [Role.ADMINISTRATOR]
_NEWS = "/<uuid:collection_id>/news"
_DIGITS, _LARGEST = 16, 2**53 - 1  # microseconds until the year 2255; what the log can hold


class Cursor(fields.Field[int]):
    """A place in the log of a collection, as `next` tells it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            metadata={"type": "string", "pattern": f"^[0-9]{{1,{_DIGITS}}}$"}
            | kwargs.pop("metadata", {}),
            **kwargs,
        )

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> int:
        text = value if isinstance(value, str) else ""
        is_number = text.isascii() and text.isdigit() and len(text) <= _DIGITS
        if not is_number or int(text) > _LARGEST:
            raise ValidationError(
                "It is not a cursor.\nUse `next` of the page before, or leave it out."
            )
        return int(text)


class ChangesArgumentsSchema(Schema):
    """From where, and how much."""

    class Meta:
        unknown = RAISE

    after = Cursor(
        load_default=changes.BEGINNING,
        metadata={
            "default": str(changes.BEGINNING),
            "description": "`next` of the page before; without it, from the beginning.",
        },
    )
    limit = fields.Integer(
        load_default=100,
        validate=validate.Range(min=1, max=changes.MOST),
        metadata={"description": "Changes of the page."},
    )


class CollectionChangeSchema(Schema):
    change = fields.String(
        validate=validate.OneOf(["created", "changed", "revoked"]),
        metadata={"description": "`revoked`: erase what you have of it."},
    )
    id = fields.String(metadata={"description": "STIX id of the object."})
    type = fields.String()
    added = fields.String(metadata={"description": "When it came into the collection's log."})
    version = fields.String(metadata={"description": "Its version: `modified`, else `created`."})
    owner = fields.String(
        allow_none=True, metadata={"description": "Code of its owner; null of what is common."}
    )
    object = fields.Dict(metadata={"description": "The object, STIX 2.1."})


class CollectionChangesSchema(Schema):
    changes = fields.List(
        fields.Nested(CollectionChangeSchema), metadata={"description": "Oldest first."}
    )
    next = fields.String(metadata={"description": "Always there: where the next question begins."})
    more = fields.Boolean(metadata={"description": "There is more already."})


class NewsOrderSchema(Schema):
    """An address to be told."""

    class Meta:
        unknown = RAISE

    address = fields.String(
        required=True,
        validate=[validate.Length(min=3, max=LONGEST), plain_text],
        metadata={"description": "The https address of a receiver."},
    )


class NewsSchema(Schema):
    id = fields.UUID()
    address = fields.String(metadata={"description": "Masked; the whole is never shown again."})
    made_at = fields.AwareDateTime(format="iso")
    state = fields.Enum(
        NewsState,
        by_value=True,
        metadata={
            "description": "`sent`: it was told of everything; `gone`: the receiver wants no more."
        },
    )
    cursor = fields.String(metadata={"description": "How far it was told."})
    tries = fields.Integer(metadata={"description": "Of the last message."})
    tried_at = fields.AwareDateTime(format="iso", allow_none=True)
    sent_at = fields.AwareDateTime(format="iso", allow_none=True)
    error = fields.String(
        allow_none=True, metadata={"description": "Name of the last error, null for none."}
    )
    former_until = fields.AwareDateTime(
        format="iso",
        allow_none=True,
        metadata={"description": "The secret before this one signs too until then; else null."},
    )


class NewNewsSchema(NewsSchema):
    secret = fields.String(
        metadata={"description": "What its messages are signed with. Shown this once."}
    )


class AllNewsSchema(Schema):
    news = fields.List(fields.Nested(NewsSchema), metadata={"description": "Oldest first."})


@blueprint.get("/<uuid:collection_id>/changes")
@audited("exchange.serve", roles=[Role.ANALYST], scope=Scope.EXCHANGE_READ)
@blueprint.arguments(ChangesArgumentsSchema, location="query", unknown=None)
@blueprint.response(200, CollectionChangesSchema)
def read_changes(asked: dict[str, int], collection_id: UUID) -> Response:
    """Read what changed in a collection

    What was created, changed or revoked after the cursor, oldest first, each object once in its
    last version. Ask again with `next`: nothing is missed, however much is added meanwhile. Each
    page is logged, and each owner learns which of its indicators you got.
    """
    written = changes.page(transaction(), caller(), collection_id, asked["after"], asked["limit"])
    return Response(written, content_type="application/json")


@blueprint.get(_NEWS)
@audited("exchange.news-list", roles=_KEEPERS)
@blueprint.response(200, AllNewsSchema)
def list_news(collection_id: UUID) -> dict[str, list[News]]:
    """List the addresses that a collection tells

    With how far each was told, and what became of the last message.
    """
    return {"news": news.list_news(transaction(), caller(), collection_id)}


@blueprint.post(_NEWS)
@audited("exchange.news-add", roles=_KEEPERS)
@blueprint.arguments(NewsOrderSchema)
@blueprint.response(201, NewNewsSchema)
def add_news(asked: dict[str, str], collection_id: UUID) -> News:
    """Have an address told that a collection changed

    It gets the id of the collection and a cursor, signed by Standard Webhooks, and no content: what
    changed is read from the change stream. The secret is in this answer and in no other.
    """
    return news.add(transaction(), caller(), collection_id, asked["address"])


@blueprint.delete(f"{_NEWS}/<uuid:news_id>")
@audited("exchange.news-remove", roles=_KEEPERS)
@blueprint.response(204)
def remove_news(collection_id: UUID, news_id: UUID) -> None:
    """Tell an address nothing more

    It is forgotten at once, with its secret.
    """
    news.remove(transaction(), caller(), collection_id, news_id)


@blueprint.post(f"{_NEWS}/<uuid:news_id>/secret")
@audited("exchange.news-rotate", roles=_KEEPERS)
@blueprint.arguments(SecretOrderSchema)
@blueprint.response(200, NewNewsSchema)
def rotate_news_secret(asked: dict[str, int], collection_id: UUID, news_id: UUID) -> News:
    """Replace the secret of an address

    For `overlap_hours` each message carries two signatures, one under each secret. The new secret
    is in this answer and in no other.
    """
    hours = asked["overlap_hours"]
    return news.rotate(transaction(), caller(), collection_id, news_id, hours)


@blueprint.post(f"{_NEWS}/<uuid:news_id>/again")
@audited("exchange.news-again", roles=_KEEPERS)
@blueprint.response(202)
def tell_again(collection_id: UUID, news_id: UUID) -> None:
    """Tell an address now how far its collection is

    To try it out, and after it was given up or its receiver wanted no more.
    """
    news.again(transaction(), caller(), collection_id, news_id)

"""Over HTTP, for instances of MISP: collections as feeds, and the public templates and schemas.

A feed is what MISP reads from any address: `manifest.json`, a file for each event, `hashes.csv`.
docs/misp.md says how it is connected.
"""

import json
from uuid import UUID

from flask import Blueprint, Flask, Response

from app.audit.guard import audited, caller, public, transaction
from app.audit.parts import answer_in_parts
from app.errors import NotFoundError
from app.exchange import misp_feed
from postern.misp.templates import TEMPLATE_NAMES, index, taxonomy_text, template_text
from postern.stix.schema import schema_names, schema_text
from postern.vocabulary import Role, Scope

blueprint = Blueprint("misp", __name__)

_JSON = "application/json"
_CSV = "text/csv; charset=utf-8"
_SCHEMA = "application/schema+json"
_FOR_A_DAY = "public, max-age=86400"
_COLLECTION = "/misp/<uuid:collection_id>"


def install(app: Flask) -> None:
    """Answer below `/misp/` and `/stix/`; called by the room's `start`."""
    app.register_blueprint(blueprint)


@blueprint.get(f"{_COLLECTION}/manifest.json")
@audited("exchange.manifest", roles=[Role.ANALYST], scope=Scope.EXCHANGE_READ)
def show_manifest(collection_id: UUID) -> Response:
    """The events of a collection: one for each owner and day"""
    return _own(
        Response(misp_feed.manifest(transaction(), caller(), collection_id), content_type=_JSON)
    )


@blueprint.get(f"{_COLLECTION}/<uuid:event_id>.json")
@audited("exchange.serve", roles=[Role.ANALYST], scope=Scope.EXCHANGE_READ)
def show_event(collection_id: UUID, event_id: UUID) -> Response:
    """One event, with all its objects

    Each part of a long one is made, and logged, when those before it have gone out.
    """
    parts = misp_feed.EventParts(collection_id, event_id)
    return _own(
        answer_in_parts(
            parts.first(transaction(), caller()),
            lambda: parts.following(transaction(), caller()),
            _JSON,
        )
    )


@blueprint.get(f"{_COLLECTION}/hashes.csv")
@audited("exchange.serve", roles=[Role.ANALYST], scope=Scope.EXCHANGE_READ)
def show_hashes(collection_id: UUID) -> Response:
    """The hashes of what can match, for an instance that only looks whether it knows something"""
    parts = misp_feed.HashParts(collection_id)
    return _own(
        answer_in_parts(
            parts.make(transaction(), caller()),
            lambda: parts.make(transaction(), caller()),
            _CSV,
        )
    )


@blueprint.get("/misp/templates/index.json")
@public
def list_templates() -> Response:
    """The object templates that there are"""
    return _published(json.dumps(index()), _JSON)


@blueprint.get("/misp/templates/<string:name>/definition.json")
@public
def show_template(name: str) -> Response:
    """The definition of one object template"""
    if name not in TEMPLATE_NAMES:
        raise NotFoundError
    return _published(template_text(name), _JSON)


@blueprint.get("/misp/taxonomies/postern/machinetag.json")
@public
def show_taxonomy() -> Response:
    """The taxonomy of the tags that events bear"""
    return _published(taxonomy_text(), _JSON)


@blueprint.get("/stix/<string:name>.json")
@public
def show_schema(name: str) -> Response:
    """The JSON schema of one extension of STIX"""
    if name not in schema_names():
        raise NotFoundError
    return _published(schema_text(name), _SCHEMA)


def _own(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _published(text: str, content_type: str) -> Response:
    answer = Response(text, content_type=content_type)
    answer.headers["Cache-Control"] = _FOR_A_DAY
    return answer

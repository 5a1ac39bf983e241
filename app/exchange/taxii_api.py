"""TAXII 2.1 over HTTP (OASIS Standard, 10 June 2021): discovery, collections and their objects.

Bodies of objects are the stored texts, joined. docs/taxii.md lists what the standard demands and
the test of each demand.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, Response, request

from app.audit.guard import audited, caller, transaction
from app.audit.service import append
from app.errors import NotFoundError
from app.exchange import (
    adding,
    collections,
    cursors,
    deleting,
    serving,
    sightings,
    statuses,
    taxii_errors,
    taxii_schemas,
)
from app.exchange.negotiation import MEDIA_TYPE, STIX_MEDIA_TYPE, is_accepted, is_taxii
from app.exchange.taxii_bodies import read_envelope
from app.exchange.taxii_schemas import Asked, stix_ids, version_written, written
from app.exchange.views import Collection, Filters, Row, Served
from app.indicators.hooks import Hooks
from app.jobs.service import duty, in_batches
from app.problems import shape_errors
from app.runtime import Runtime, runtime
from postern.vocabulary import Role, Scope

PREFIX = "/taxii2/"
ROOT = "/taxii2/exchange/"
"""The one API root."""

blueprint = Blueprint("taxii", __name__)

_EITHER = (Role.ANALYST, Role.SUBMITTER)
_COLLECTION = f"{ROOT}collections/<uuid:collection_id>/"
_OBJECT = f"{_COLLECTION}objects/<string:object_id>/"
_NOTHING = "{}"


def install(app: Flask, of: Runtime) -> None:
    """Answer below `/taxii2/`; called by the room's `start`."""
    app.register_blueprint(blueprint)
    shape_errors(app, PREFIX, taxii_errors.answer)
    of.part(Hooks).ending.append(sightings.forget)
    duty(
        of,
        "exchange.sweep",
        statuses.EVERY,
        lambda session: (
            in_batches(lambda: statuses.sweep(session), statuses.SWEPT)
            + in_batches(lambda: sightings.sweep(session), sightings.SWEPT)
        ),
    )


@blueprint.before_request
def negotiate() -> None:
    """Refuse who does not take TAXII 2.1, before anything is done."""
    if not is_accepted(request.headers.get("Accept")):
        raise taxii_errors.NotAcceptableError


@blueprint.get(PREFIX)
@audited("exchange.discover", roles=_EITHER, any_scope=True)
def discover() -> Response:
    """Server discovery (4.1)

    The one API root, and under `x_postern` whose collections it shows to this caller.
    """
    append(transaction(), caller(), "exchange.discover", object_type="platform", count=1)
    settings = runtime().settings.platform
    return _json(
        {
            "title": settings.name,
            "description": "Pseudonymised indicators of drug smuggling by post.",
            "default": f"{settings.origin}{ROOT}",
            "api_roots": [f"{settings.origin}{ROOT}"],
            "x_postern": {"organisation": caller().organisation, "exact_cursor": True},
        }
    )


@blueprint.get(ROOT)
@audited("exchange.discover", roles=_EITHER, any_scope=True)
def show_root() -> Response:
    """API root (4.2)"""
    append(transaction(), caller(), "exchange.discover", object_type="platform", count=1)
    settings = runtime().settings
    return _json(
        {
            "title": settings.platform.name,
            "description": "Collections that your organisation opened.",
            "versions": [MEDIA_TYPE],
            "max_content_length": settings.limit.body_bytes,
        }
    )


@blueprint.get(f"{ROOT}status/<uuid:status_id>/")
@audited("exchange.status", roles=_EITHER, any_scope=True)
def show_status(status_id: UUID) -> Response:
    """What became of an envelope (4.3)"""
    return _answer(statuses.read(transaction(), caller(), status_id).text)


@blueprint.get(f"{ROOT}collections/")
@audited("exchange.list", roles=_EITHER, any_scope=True)
def list_collections() -> Response:
    """Collections of one's organisation (5.1)"""
    found = [_resource(each) for each in collections.list_collections(transaction(), caller())]
    return _json({"collections": found} if found else {})


@blueprint.get(_COLLECTION)
@audited("exchange.read", roles=_EITHER, any_scope=True)
def show_collection(collection_id: UUID) -> Response:
    """One collection (5.2)"""
    found = collections.read_collection(transaction(), caller(), collection_id)
    if found.ended_at is not None:
        raise NotFoundError
    return _json(_resource(found))


@blueprint.get(f"{_COLLECTION}manifest/")
@audited("exchange.manifest", roles=[Role.ANALYST], scope=Scope.EXCHANGE_READ)
def show_manifest(collection_id: UUID) -> Response:
    """Manifest: which versions of which objects there are (5.3)"""
    return _listed("manifest", collection_id)


@blueprint.get(f"{_COLLECTION}objects/")
@audited("exchange.serve", roles=[Role.ANALYST], scope=Scope.EXCHANGE_READ)
def show_objects(collection_id: UUID) -> Response:
    """Objects of a collection (5.4)"""
    return _listed("objects", collection_id)


@blueprint.post(f"{_COLLECTION}objects/")
@audited("exchange.add", roles=[Role.SUBMITTER], scope=Scope.EXCHANGE_WRITE)
def add_objects(collection_id: UUID) -> Response:
    """Add objects (5.5)"""
    if not is_taxii(request.headers.get("Content-Type")) or request.content_encoding:
        raise taxii_errors.NotTaxiiError
    objects = read_envelope(request.get_data(cache=False))
    status = adding.add(transaction(), caller(), collection_id, objects)
    return _answer(status.text, 202)


@blueprint.get(_OBJECT)
@audited("exchange.serve", roles=[Role.ANALYST], scope=Scope.EXCHANGE_READ)
def show_object(collection_id: UUID, object_id: str) -> Response:
    """One object in the versions asked for, by default the last (5.6)"""
    asked = taxii_schemas.read(request.args, filters=taxii_schemas.OF_ONE)
    question = ("object", str(collection_id), object_id, *asked.question)
    named = _named(collection_id, object_id)
    session, place = transaction(), _place(asked, question)
    served = serving.page(
        session, caller(), collection_id, _filters(asked, named), asked.limit, after=place
    )
    if not served.rows:
        # Without any version of it, or with none that was asked for: 404, or an empty envelope.
        serving.versions(session, caller(), collection_id, named, Filters(), limit=1)
    return _paged("objects", served.texts, served, question)


@blueprint.delete(_OBJECT)
@audited("exchange.delete", roles=[Role.SUBMITTER], scope=Scope.EXCHANGE_WRITE)
def delete_object(collection_id: UUID, object_id: str) -> Response:
    """Delete an object of one's own: its indicator is withdrawn and called back (5.7)"""
    asked = taxii_schemas.read(request.args, filters=taxii_schemas.OF_DELETION)
    given = asked.versions if "match[version]" in request.args else frozenset({taxii_schemas.ALL})
    deleting.delete(
        transaction(), caller(), collection_id, object_id, given, is_spoken=asked.is_spoken
    )
    return Response(status=200, content_type=MEDIA_TYPE)


@blueprint.get(f"{_OBJECT}versions/")
@audited("exchange.versions", roles=[Role.ANALYST], scope=Scope.EXCHANGE_READ)
def show_versions(collection_id: UUID, object_id: str) -> Response:
    """Which versions of an object there are (5.8)"""
    asked = taxii_schemas.read(request.args, filters=taxii_schemas.OF_VERSIONS)
    question = ("versions", str(collection_id), object_id, *asked.question)
    served = serving.versions(
        transaction(),
        caller(),
        collection_id,
        _named(collection_id, object_id),
        _filters(asked),
        limit=asked.limit,
        after=_place(asked, question),
    )
    versions = [f'"{version_written(each.version)}"' for each in served.rows]
    return _paged("versions", versions, served, question)


def _listed(what: str, collection_id: UUID) -> Response:
    """A page of the collection: whole `objects`, or what a `manifest` says of them."""
    asked = taxii_schemas.read(request.args, filters=taxii_schemas.OF_OBJECTS)
    question = (what, str(collection_id), *asked.question)
    with_text = what == "objects"
    served = serving.page(
        transaction(),
        caller(),
        collection_id,
        _filters(asked),
        asked.limit,
        after=_place(asked, question),
        with_text=with_text,
    )
    texts = served.texts if with_text else [_record(each) for each in served.rows]
    return _paged("objects", texts, served, question)


def _named(collection_id: UUID, object_id: str) -> str:
    """The id that the address names; NotFoundError for what can be none, as for one not there."""
    if not stix_ids(frozenset({object_id})):
        collections.find(transaction(), caller().member[0], collection_id)
        raise NotFoundError
    return object_id


def _filters(asked: Asked, named: str | None = None) -> Filters:
    ids = _values(asked.ids) if named is None else (named,)
    return Filters(
        added_after=asked.added_after,
        ids=ids,
        types=_values(asked.types),
        versions=tuple(asked.versions),
        spec_versions=() if asked.is_spoken else ("none",),
    )


def _values(given: frozenset[str] | None) -> tuple[str, ...]:
    """Values of a filter; where none can match, one that matches nothing."""
    if given is None:
        return ()
    return tuple(sorted(given)) or ("",)


def _place(asked: Asked, question: Sequence[str]) -> int | None:
    return None if asked.next is None else cursors.read(asked.next, question)


def _resource(collection: Collection) -> dict[str, Any]:
    found = {
        "id": str(collection.id),
        "title": collection.title,
        "description": collection.description,
        "can_read": collection.can_read,
        "can_write": collection.can_write,
        "media_types": [STIX_MEDIA_TYPE],
    }
    return {name: value for name, value in found.items() if value != ""}


def _record(row: Row) -> str:
    return (
        f'{{"id":"{row.id}","date_added":"{written(row.added)}",'
        f'"version":"{version_written(row.version)}","media_type":"{STIX_MEDIA_TYPE}"}}'
    )


def _paged(name: str, items: Iterable[str], served: Served, question: Sequence[str]) -> Response:
    """A page of texts that are JSON already, with its place in the headers; `{}` when empty."""
    if not served.rows:
        return _answer(_NOTHING)
    head = '{"more":false,'
    if served.next is not None:
        head = f'{{"more":true,"next":"{cursors.written(served.next, question)}",'
    answer = _answer(f'{head}"{name}":[{",".join(items)}]}}')
    if served.first_added is not None and served.last_added is not None:
        answer.headers["X-TAXII-Date-Added-First"] = written(served.first_added)
        answer.headers["X-TAXII-Date-Added-Last"] = written(served.last_added)
    return answer


def _json(resource: Mapping[str, Any]) -> Response:
    return _answer(json.dumps(resource))


def _answer(text: str, status: int = 200) -> Response:
    answer = Response(text, status, content_type=MEDIA_TYPE)
    answer.headers["Cache-Control"] = "no-store"
    return answer

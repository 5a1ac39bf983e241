"""Reading the organisation's own part of the audit log."""

import json
from typing import Any

from flask import Response
from flask_smorest import Blueprint

from app.audit import proofs, reading
from app.audit.export import written
from app.audit.guard import audited, caller, transaction
from app.audit.log_api import blueprint as log_blueprint
from app.audit.log_api import witness_blueprint
from app.audit.schemas import (
    Asked,
    AuditPageSchema,
    AuditQuerySchema,
    TagKeysSchema,
    TimelineQuerySchema,
    TimelineSchema,
)
from postern.base64url import to_base64url
from postern.vocabulary import Role, Scope

blueprint = Blueprint(
    "audit",
    __name__,
    url_prefix="/api/v1",
    description="Who did what, when, why and for which case: what concerns your organisation.",
)


blueprints = (blueprint, log_blueprint, witness_blueprint)


_PROOF = {"content": {"text/plain": {"schema": {"type": "string"}}}}
_OFFICER = (Role.COMPLIANCE,)


@blueprint.get("/audit")
@audited("audit.read", roles=_OFFICER, scope=Scope.AUDIT_READ)
@blueprint.arguments(AuditQuerySchema, location="query", unknown=None)
@blueprint.response(200, AuditPageSchema)
def read(asked: Asked) -> Response:
    """Read the audit log

    The entries that name your organisation as acting or as concerned, newest first. The filters
    are combined. Reading is an act of its own and is logged with the filters used. Each record
    stands in the answer byte for byte as it was hashed.
    """
    filters = asked.understood(transaction())
    page = reading.read(transaction(), caller(), filters, asked.cursor, asked.limit)
    unknown = list(filters.words.unknown) if filters.words else []
    return _page(page, unknown_words=unknown)


@blueprint.get("/audit/timeline")
@audited("audit.timeline", roles=_OFFICER, scope=Scope.AUDIT_READ)
@blueprint.arguments(TimelineQuerySchema, location="query", unknown=None)
@blueprint.response(200, TimelineSchema)
def timeline(asked: Asked) -> Response:
    """Read a timeline

    All that your organisation may see of one person, one object or one case, oldest first. Name
    exactly one. Logged as an act of its own.
    """
    page = reading.timeline(transaction(), caller(), asked.filters, asked.cursor, asked.limit)
    return _page(page)


@blueprint.get("/audit/proofs/<int(max=9223372036854775807):place>")
@audited("audit.prove", roles=_OFFICER, scope=Scope.AUDIT_READ)
@blueprint.doc(responses={"200": {"description": "A proof file.", **_PROOF}})
def prove(place: int) -> Response:
    """Prove an entry

    A proof file (C2SP tlog-proof) that the entry at this place of the tree stands in the log,
    against the newest checkpoint that meets the quorum, or the newest of all where that does not
    cover it yet. 404 for what does not name your organisation.
    """
    proof = proofs.prove(transaction(), caller(), place)
    return Response(proof, content_type="text/plain; charset=utf-8")


@blueprint.get("/audit/tag-keys")
@audited("audit.tag-keys", roles=_OFFICER, scope=Scope.AUDIT_READ)
@blueprint.response(200, TagKeysSchema)
def tag_keys() -> dict[str, Any]:
    """The keys by which your leaves are found

    With them a mirror finds every leaf that concerns your organisation, and thereby sees whether
    the platform shows you all of them. Keep them to yourself.
    """
    found = proofs.read_tag_keys(transaction(), caller())
    return {
        "organisation": caller().organisation,
        "keys": [{"epoch": each.epoch, "key": to_base64url(each.key)} for each in found],
    }


def written_page(page: reading.Page, **beside: Any) -> bytes:
    """The body, with each record as its stored bytes."""
    entries = b",".join(map(written, page.entries))
    rest = json.dumps({"next": page.next, **beside}).encode()
    return b'{"entries":[' + entries + b"]," + rest[1:]


def _page(page: reading.Page, **beside: Any) -> Response:
    return Response(written_page(page, **beside), mimetype="application/json")

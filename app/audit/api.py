"""Reading the organisation's own part of the audit log."""

import json

from flask import Response
from flask_smorest import Blueprint

from app.audit import reading
from app.audit.guard import audited, caller, transaction
from app.audit.schemas import Asked, AuditPageSchema, AuditQuerySchema
from postern.base64url import to_base64url
from postern.vocabulary import Role, Scope

blueprint = Blueprint(
    "audit",
    __name__,
    url_prefix="/api/v1",
    description="Who did what, when, why and for which case: what concerns your organisation.",
)


@blueprint.get("/audit")
@audited("audit.read", roles=[Role.COMPLIANCE], scope=Scope.AUDIT_READ)
@blueprint.arguments(AuditQuerySchema, location="query", unknown=None)
@blueprint.response(200, AuditPageSchema)
def read(asked: Asked) -> Response:
    """Read the audit log

    The entries that name your organisation as acting or as concerned, newest first. The filters
    are combined. Reading is an act of its own and is logged with the filters used. Each record
    stands in the answer byte for byte as it was hashed.
    """
    page = reading.read(transaction(), caller(), asked.filters, asked.cursor, asked.limit)
    return Response(written(page), mimetype="application/json")


def written(page: reading.Page) -> bytes:
    """The body, with each record as its stored bytes: re-serialised it could not be hashed."""
    entries = b",".join(_written_entry(entry) for entry in page.entries)
    return b'{"entries":[' + entries + b'],"next":' + json.dumps(page.next).encode() + b"}"


def _written_entry(entry: reading.ReadEntry) -> bytes:
    beside = {
        "details": dict(entry.details),
        "disclosures": entry.disclosures,
        "leaf": to_base64url(entry.leaf),
        "intact": entry.is_intact,
    }
    return b'{"record":' + entry.record + b"," + json.dumps(beside).encode()[1:]

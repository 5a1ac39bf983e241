"""Over HTTP: the sealed parts of an organisation's own reports."""

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from flask import Response, g, request
from flask_smorest import Blueprint
from werkzeug.exceptions import RequestEntityTooLarge

from app.access import current_caller
from app.audit.guard import audited, caller, transaction
from app.errors import TooLargeError
from app.indicators import envelopes
from app.indicators.envelopes import StoredEnvelope
from app.indicators.sealed_fields import (
    LARGEST_ATTACHMENT,
    AttachedSchema,
    AttachmentArgumentsSchema,
    EnvelopesSchema,
)
from postern.vocabulary import Role, Scope

P = ParamSpec("P")
R = TypeVar("R")

OCTETS = "application/octet-stream"

blueprint = Blueprint(
    "envelopes",
    __name__,
    url_prefix="/api/v1/reports",
    description="Sealed content of your own reports, which only your own keys open.",
)

_READERS = [Role.SUBMITTER, Role.APPROVER, Role.ANALYST, Role.COMPLIANCE]


def _received(view: Callable[P, R]) -> Callable[P, R]:
    """Take the body in before the transaction begins: a slow sender must not hold it open.

    It is read from members only, and never more of it than an attachment may have.
    """

    @functools.wraps(view)
    def receiving(*args: P.args, **kwargs: P.kwargs) -> R:
        request.max_content_length = LARGEST_ATTACHMENT
        g.attachment = None
        if current_caller() is not None:
            try:
                g.attachment = request.get_data(cache=False)
            except RequestEntityTooLarge:
                g.attachment = None
        return view(*args, **kwargs)

    return receiving


@blueprint.post("/<uuid:report_id>/attachments")
@_received
@audited("envelope.attach", roles=[Role.SUBMITTER], scope=Scope.REPORTS_WRITE)
@blueprint.arguments(AttachmentArgumentsSchema, location="query", unknown=None)
@blueprint.response(201, AttachedSchema)
@blueprint.alt_response(
    200, schema=AttachedSchema, description="The same envelope stands there already."
)
@blueprint.doc(
    requestBody={
        "required": True,
        "description": f"One envelope of up to {LARGEST_ATTACHMENT:,} bytes.",
        "content": {OCTETS: {"schema": {"type": "string", "format": "binary"}}},
    }
)
def attach(asked: dict[str, Any], report_id: UUID) -> tuple[StoredEnvelope, int]:
    """Attach a sealed file to a report

    A photo of a label or an X-ray image, sealed on your own premises to your own published keys:
    one envelope as the body, up to ten to a report. The same envelope again changes nothing.
    """
    raw = g.pop("attachment")
    if raw is None:
        raise TooLargeError(
            f"A sealed file has up to {LARGEST_ATTACHMENT:,} bytes.",
            remedy="Reduce it, a picture by its resolution, or attach it in parts.",
        )
    stored, is_new = envelopes.attach(transaction(), caller(), report_id, asked["number"], raw)
    return stored, 201 if is_new else 200


@blueprint.get("/<uuid:report_id>/envelopes")
@audited("envelope.list", roles=_READERS, scope=Scope.REPORTS_READ)
@blueprint.response(200, EnvelopesSchema)
def list_envelopes(report_id: UUID) -> dict[str, Any]:
    """List the sealed parts of a report

    With the context in which each opens: its record, kind, epoch and token.
    """
    return {"envelopes": envelopes.list_own(transaction(), caller(), report_id)}


@blueprint.get("/<uuid:report_id>/envelopes/<uuid:envelope_id>")
@audited("envelope.read", roles=_READERS, scope=Scope.REPORTS_READ)
@blueprint.response(
    200,
    {"type": "string", "format": "binary"},
    content_type=OCTETS,
    description="The envelope.",
)
def read_envelope(report_id: UUID, envelope_id: UUID) -> Response:
    """Fetch a sealed part of a report

    Your own keys open it, on your own premises.
    """
    raw = envelopes.read_own(transaction(), caller(), report_id, envelope_id)
    return Response(raw, content_type=OCTETS)

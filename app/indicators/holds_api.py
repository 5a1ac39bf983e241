"""Legal holds over HTTP: place one on a report of one's own, list them, release one."""

from typing import Any
from uuid import UUID

from flask_smorest import Blueprint

from app.audit.guard import audited, caller, transaction
from app.indicators import holds
from app.indicators.amend_schemas import LegalHoldOrderSchema, LegalHoldSchema, LegalHoldsSchema
from app.indicators.schemas import PageArgumentsSchema
from postern.vocabulary import Role, Scope

blueprint = Blueprint(
    "holds",
    __name__,
    url_prefix="/api/v1",
    description="What of your organisation's own must be kept beyond its time, restricted.",
)

_OFFICER = (Role.COMPLIANCE,)


@blueprint.post("/reports/<uuid:report_id>/holds")
@audited("hold.place", roles=_OFFICER, scope=Scope.SUBJECTS_WRITE)
@blueprint.arguments(LegalHoldOrderSchema)
@blueprint.response(201, LegalHoldSchema)
def place(asked: dict[str, Any], report_id: UUID) -> holds.Hold:
    """Place a legal hold on a report

    While the hold stands, what of the report is over or withdrawn is not erased but restricted:
    no lookup finds it, nobody else is told of it, and its sealed content stays for your
    organisation alone.
    """
    return holds.place(transaction(), caller(), report_id, **asked)


@blueprint.get("/holds")
@audited("hold.list", roles=_OFFICER, scope=Scope.SUBJECTS_WRITE)
@blueprint.arguments(PageArgumentsSchema, location="query", unknown=None)
@blueprint.response(200, LegalHoldsSchema)
def list_holds(asked: dict[str, Any]) -> holds.Page:
    """List the legal holds of your organisation

    Newest first, in pages, those that have ended too.
    """
    return holds.list_holds(transaction(), caller(), asked["limit"], asked["cursor"])


@blueprint.delete("/holds/<uuid:hold_id>")
@audited("hold.release", roles=_OFFICER, scope=Scope.SUBJECTS_WRITE)
@blueprint.response(200, LegalHoldSchema)
def release(hold_id: UUID) -> holds.Hold:
    """Release a legal hold

    What it alone has kept beyond its time is erased by the next sweep.
    """
    return holds.release(transaction(), caller(), hold_id)

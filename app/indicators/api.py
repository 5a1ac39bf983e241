"""Reports over HTTP: submit, list, read, withdraw."""

from typing import Any
from uuid import UUID

from flask_smorest import Blueprint

from app.audit.guard import audited, caller, transaction
from app.indicators import service
from app.indicators.own import OwnReport, Page
from app.indicators.schemas import (
    OwnReportSchema,
    OwnReportsSchema,
    PageArgumentsSchema,
    ReportResultsSchema,
    ReportsSchema,
    WithdrawnSchema,
    WithdrawSchema,
)
from postern.vocabulary import Role, Scope

blueprint = Blueprint(
    "reports",
    __name__,
    url_prefix="/api/v1/reports",
    description="Suspicious shipments and their indicators, pseudonymised by their owner.",
)

_READERS = [Role.SUBMITTER, Role.ANALYST, Role.APPROVER, Role.COMPLIANCE]


@blueprint.post("")
@audited("report.submit", roles=[Role.SUBMITTER], scope=Scope.REPORTS_WRITE)
@blueprint.arguments(ReportsSchema)
@blueprint.response(200, ReportResultsSchema)
def submit(asked: dict[str, Any]) -> service.Submission:
    """Submit reports

    Each report is accepted, recognised as already there, or rejected with its faults; a wrong one
    does not hold the others up. Sending the same report under the same client key again is safe.
    """
    return service.submit(transaction(), caller(), asked["reports"])


@blueprint.get("")
@audited("report.list", roles=_READERS, scope=Scope.REPORTS_READ)
@blueprint.arguments(PageArgumentsSchema, location="query", unknown=None)
@blueprint.response(200, OwnReportsSchema)
def list_own(asked: dict[str, Any]) -> Page:
    """List your organisation's reports

    Newest first, in pages. Withdrawn reports are listed without what they told.
    """
    return service.list_own(transaction(), caller(), asked["limit"], asked["cursor"])


@blueprint.get("/<uuid:report_id>")
@audited("report.read", roles=_READERS, scope=Scope.REPORTS_READ)
@blueprint.response(200, OwnReportSchema)
def read_own(report_id: UUID) -> OwnReport:
    """Read one of your organisation's reports

    Another organisation's report is answered like one that does not exist.
    """
    return service.read_own(transaction(), caller(), report_id)


@blueprint.post("/<uuid:report_id>/withdraw")
@audited("report.withdraw", roles=[Role.SUBMITTER], scope=Scope.REPORTS_WRITE)
@blueprint.arguments(WithdrawSchema)
@blueprint.response(200, WithdrawnSchema)
def withdraw(asked: dict[str, Any], report_id: UUID) -> service.Withdrawal:
    """Withdraw one of your organisation's reports

    Its indicators, their tokens and sealed elements are erased at once, and what the report told
    of the shipment too. Its client key stays taken.
    """
    return service.withdraw(transaction(), caller(), report_id, asked["reason"])

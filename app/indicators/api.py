"""Over HTTP: an organisation's own reports, and the indicators that others share with it."""

from typing import Any
from uuid import UUID

from flask import Response
from flask_smorest import Blueprint

from app.audit.guard import audited, caller, transaction
from app.clock import now
from app.indicators import (
    amending,
    envelopes_api,
    export,
    exporting,
    holds_api,
    service,
    shared,
)
from app.indicators.amend_schemas import (
    AmendIndicatorSchema,
    AmendmentSchema,
    AmendReportSchema,
)
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
from app.indicators.shared_rows import SharedIndicator
from app.indicators.shared_schemas import (
    BesideSchema,
    ExportArgumentsSchema,
    FiltersSchema,
    Form,
    GroundsSchema,
    ListArgumentsSchema,
    OnwardArgumentsSchema,
    OnwardSchema,
    SharedCountsSchema,
    SharedIndicatorSchema,
    SharedIndicatorsSchema,
)
from app.indicators.telling import Grounds
from app.sharing import explanation
from app.sharing.simulation_schemas import ExplainedSchema
from postern.vocabulary import Role, Scope

blueprint = Blueprint(
    "reports",
    __name__,
    url_prefix="/api/v1/reports",
    description="Suspicious shipments and their indicators, pseudonymised by their owner.",
)

indicators = Blueprint(
    "indicators",
    __name__,
    url_prefix="/api/v1/indicators",
    description="What other organisations share with yours, as far as their policies let you see.",
)

blueprints = (blueprint, indicators, envelopes_api.blueprint, holds_api.blueprint)

_FILE_DESCRIPTION = (
    "The file; where `limit` was given, the header `Postern-Next` is the cursor of the next one, if"
    " any."
)

_READERS = [Role.SUBMITTER, Role.ANALYST, Role.APPROVER, Role.COMPLIANCE]

_AUDIENCE_READERS = [Role.SUBMITTER, Role.APPROVER, Role.COMPLIANCE, Role.POLICY_OWNER]


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

    Its indicators, their tokens and sealed content are erased at once, and what the report told
    of the shipment too; what a legal hold keeps is restricted until the hold ends. Whoever got
    something of it is called upon to erase that. Its client key stays taken.
    """
    return service.withdraw(transaction(), caller(), report_id, asked["reason"], asked["recall"])


@blueprint.patch("/<uuid:report_id>")
@audited("report.amend", roles=[Role.SUBMITTER], scope=Scope.REPORTS_WRITE)
@blueprint.arguments(AmendReportSchema)
@blueprint.response(200, AmendmentSchema)
def amend(asked: dict[str, Any], report_id: UUID) -> amending.Amendment:
    """Amend one of your organisation's reports

    Its barrier step and what it tells of the shipment. Whoever got something of its indicators is
    called upon to correct it. What the policies let others see follows with their next request.
    """
    correction = amending.Correction(reason=asked.pop("reason"), fields=asked)
    return amending.amend_report(transaction(), caller(), report_id, correction)


@blueprint.patch("/<uuid:report_id>/indicators/<uuid:indicator_id>")
@audited("indicator.amend", roles=[Role.SUBMITTER], scope=Scope.REPORTS_WRITE)
@blueprint.arguments(AmendIndicatorSchema)
@blueprint.response(200, AmendmentSchema)
def amend_indicator(
    asked: dict[str, Any], report_id: UUID, indicator_id: UUID
) -> amending.Amendment:
    """Amend one of your organisation's indicators

    Grades, markings and days. What it is an indicator of cannot be amended: withdraw the report
    and send it anew. Whoever got something of it is called upon to correct it.
    """
    correction = amending.Correction(reason=asked.pop("reason"), fields=asked)
    return amending.amend_indicator(transaction(), caller(), report_id, indicator_id, correction)


@indicators.get("")
@audited("indicator.list", roles=[Role.ANALYST], scope=Scope.INDICATORS_READ)
@indicators.arguments(ListArgumentsSchema, location="query", unknown=None)
@indicators.response(200, SharedIndicatorsSchema)
def list_shared(asked: dict[str, Any]) -> shared.Page:
    """List what other organisations share

    Newest first, in pages: what their policies let you have in bulk for this purpose and on this
    legal basis. What a policy only answers to a lookup is not listed. Each owner learns which of
    its indicators you got, unless its policy says otherwise.
    """
    limit, cursor = asked.pop("limit"), asked.pop("cursor")
    grounds = _grounds(asked)
    return shared.list_shared(
        transaction(), caller(), grounds, wanted=asked, limit=limit, cursor=cursor
    )


@indicators.get("/counts")
@audited("indicator.count", roles=[Role.ANALYST], scope=Scope.INDICATORS_READ)
@indicators.arguments(FiltersSchema, location="query", unknown=None)
@indicators.response(200, SharedCountsSchema)
def count_shared(asked: dict[str, Any]) -> shared.Counts:
    """Count what other organisations share

    Exactly what the list holds under the same filters, by owner, kind and barrier step. What is
    not listed is not counted.
    """
    grounds = _grounds(asked)
    return shared.count_shared(transaction(), caller(), grounds, wanted=asked)


@indicators.get("/export")
@audited("indicator.export", roles=[Role.ANALYST], scope=Scope.INDICATORS_READ)
@indicators.arguments(ExportArgumentsSchema, location="query", unknown=None)
@indicators.response(
    200, {"type": "string"}, content_type="text/csv", description=_FILE_DESCRIPTION
)
@indicators.alt_response(
    200,
    schema={"type": "string"},
    content_type="application/x-ndjson",
    description=_FILE_DESCRIPTION,
)
@indicators.alt_response(
    200,
    schema={"type": "string", "format": "binary"},
    content_type=export.CONTENT_TYPES[Form.XLSX],
    description=_FILE_DESCRIPTION,
)
def export_shared(asked: dict[str, Any]) -> Response:
    """Take what other organisations share away as a file

    The same as the list, however long: as CSV or XLSX for people, or as NDJSON for programs, one
    object a line as in the list. It leaves in parts of up to 2,000 indicators, each logged before
    it leaves; each owner learns that its indicators left as a file.
    """
    form: Form = asked.pop("format")
    limit, cursor = asked.pop("limit"), asked.pop("cursor")
    file = exporting.File(_grounds(asked), asked, form, cursor)
    return exporting.short(file, limit) if limit is not None else exporting.whole(file)


@indicators.get("/<uuid:indicator_id>")
@audited("indicator.read", roles=[Role.ANALYST], scope=Scope.INDICATORS_READ)
@indicators.arguments(GroundsSchema, location="query", unknown=None)
@indicators.response(200, SharedIndicatorSchema)
def read_shared(asked: dict[str, Any], indicator_id: UUID) -> SharedIndicator:
    """Read one indicator

    One of another organisation that its policy lets you see at `metadata` or above, or one of
    your own. What you may not see is answered like what does not exist.
    """
    return shared.read_shared(transaction(), caller(), _grounds(asked), indicator_id)


@indicators.get("/<uuid:indicator_id>/beside")
@audited("indicator.list", roles=[Role.ANALYST], scope=Scope.INDICATORS_READ)
@indicators.arguments(GroundsSchema, location="query", unknown=None)
@indicators.response(200, BesideSchema)
def list_beside(asked: dict[str, Any], indicator_id: UUID) -> dict[str, list[SharedIndicator]]:
    """List what else its report names

    The other indicators of the same report, of an indicator that you see at `metadata` or above:
    those that their owner's policy lets you have in bulk, for this purpose and on this legal basis.
    The owner learns it as of any list.
    """
    found = shared.beside(transaction(), caller(), _grounds(asked), indicator_id)
    return {"indicators": found}


@indicators.get("/<uuid:indicator_id>/audience")
@audited("policy.explain", roles=_AUDIENCE_READERS)
@indicators.response(200, ExplainedSchema)
def audience(indicator_id: UUID) -> explanation.Explained:
    """Read who can see one of your own indicators

    Which organisations, how far, for which purposes and by which rules: now, as it grows older,
    and under the version of your policy that waits for its time, if one does.
    """
    return explanation.audience(transaction(), caller(), indicator_id, now())


@indicators.get("/<uuid:indicator_id>/onward")
@audited("indicator.onward", roles=[Role.ANALYST], scope=Scope.INDICATORS_READ)
@indicators.arguments(OnwardArgumentsSchema, location="query", unknown=None)
@indicators.response(200, OnwardSchema)
def may_pass_on(asked: dict[str, Any], indicator_id: UUID) -> shared.Onward:
    """Ask whether an indicator may be passed on

    Whether the owner's policy lets you give what you see of it to the organisation `to`. Of a
    denial no reason is told.
    """
    to = asked.pop("to")
    return shared.may_pass_on(transaction(), caller(), _grounds(asked), indicator_id, to)


def _grounds(asked: dict[str, Any]) -> Grounds:
    """Why this is asked, taken out of the arguments."""
    return Grounds(asked.pop("purpose"), asked.pop("legal_basis"), asked.pop("case"))

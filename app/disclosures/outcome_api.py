"""Outcomes over HTTP: tell one, read what became of one's reports, and how reliable they are."""

from typing import Any

from flask_smorest import Blueprint

from app.audit.guard import audited, caller, transaction
from app.disclosures import outcome_reading, outcomes, reliability
from app.disclosures.outcome_reading import Became, OutcomePage
from app.disclosures.outcome_schemas import (
    BecameSchema,
    OutcomeArgumentsSchema,
    OutcomesSchema,
    OutcomeToldSchema,
    ReliabilitySchema,
    TellSchema,
)
from app.disclosures.outcomes import OutcomeTold, Told
from app.disclosures.reliability import Reliability
from app.indicators.schemas import PageArgumentsSchema
from postern.vocabulary import Role, Scope

blueprint = Blueprint(
    "outcomes",
    __name__,
    url_prefix="/api/v1/outcomes",
    description="What became of indicators: located, held, examined, found or not.",
)

TELLERS = (Role.ANALYST, Role.SUBMITTER)
READERS = (Role.ANALYST, Role.SUBMITTER, Role.COMPLIANCE)


@blueprint.post("")
@audited("outcome.tell", roles=TELLERS, scope=Scope.OUTCOMES_WRITE)
@blueprint.arguments(TellSchema)
@blueprint.response(201, OutcomeToldSchema)
def tell(asked: dict[str, Any]) -> OutcomeTold:
    """Tell what became of an indicator

    Of one that your organisation was given, or of its own. Its owner learns it at once, with the
    name of your organisation. A later outcome of yours on the same indicator replaces this one.
    """
    indicator, request, case = (asked.pop(name) for name in ("indicator", "request", "case"))
    return outcomes.tell(
        transaction(),
        caller(),
        indicator=indicator,
        case=case,
        told=Told(**asked),
        request=request,
    )


@blueprint.get("")
@audited("outcome.list", roles=READERS, scope=Scope.OUTCOMES_WRITE)
@blueprint.arguments(OutcomeArgumentsSchema, location="query", unknown=None)
@blueprint.response(200, OutcomesSchema)
def list_own(asked: dict[str, Any]) -> OutcomePage:
    """List what became of your indicators

    Newest first, in pages, outcomes that were replaced too. What is not your own is answered like
    what nobody told of.
    """
    return outcome_reading.on_own(transaction(), caller(), **asked)


@blueprint.get("/told")
@audited("outcome.list", roles=READERS, scope=Scope.OUTCOMES_WRITE)
@blueprint.arguments(PageArgumentsSchema, location="query", unknown=None)
@blueprint.response(200, OutcomesSchema)
def list_told(asked: dict[str, Any]) -> OutcomePage:
    """List what your organisation told

    Newest first, in pages.
    """
    return outcome_reading.told(transaction(), caller(), asked["limit"], asked["cursor"])


@blueprint.get("/reports")
@audited("outcome.list", roles=READERS, scope=Scope.OUTCOMES_WRITE)
@blueprint.arguments(PageArgumentsSchema, location="query", unknown=None)
@blueprint.response(200, BecameSchema)
def list_reports(asked: dict[str, Any]) -> Became:
    """List what became of your reports

    Your reports of which something was told, newest first, in pages: counts and the latest
    outcome of each, and the counts of all.
    """
    return outcome_reading.became(transaction(), caller(), asked["limit"], asked["cursor"])


@blueprint.get("/reliability")
@audited("outcome.count", roles=READERS, scope=Scope.OUTCOMES_WRITE)
@blueprint.response(200, ReliabilitySchema)
def read_reliability() -> Reliability:
    """Read how reliable indicators turned out

    By source grade, how they were learned, kind and barrier step: counts of outcomes, with small
    ones hidden. Of your own indicators, of what you told, and by sector of what others told of
    indicators that you were given.
    """
    return reliability.read(transaction(), caller())

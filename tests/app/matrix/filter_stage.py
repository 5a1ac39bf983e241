"""Screening filters of the stage: one that is given out, an older one, and one that is over."""

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.access import CONSOLE, Caller
from app.indicators.telling import Grounds
from app.patterns import filters, screening_quota
from app.patterns.filter_models import FilterIssue, FilterState
from postern.vocabulary import EvaluationKind, LegalBasis, Purpose
from tests.app.matrix.compliance_stage import Made
from tests.app.matrix.expectations import Named, State
from tests.app.sharing.ground import NOON

OLDER = 1
"""Number of the filter since which there are changes."""

_WHY = Grounds(Purpose.CRIMINAL_INVESTIGATION, LegalBasis.CRIMINAL_PROCEDURE, "PV-2024-17")


def make_filters(session: Session, caller: Caller) -> Made:
    """An older one, one that is over, and the newest; something is agreed for screening."""
    screening_quota.allow(
        session,
        CONSOLE,
        caller.organisation,
        EvaluationKind.PHONE,
        elements=10,
        ends_on=NOON.date(),
        reason="trial",
    )
    filters.make(session, caller, _WHY)
    made: Made = {
        (Named.FILTER, state): filters.make(session, caller, _WHY).id
        for state in (State.CLOSED, State.LIVE)
    }
    session.execute(
        update(FilterIssue)
        .where(FilterIssue.public_id == made[Named.FILTER, State.CLOSED])
        .values(state=FilterState.EXPIRED)
    )
    return made

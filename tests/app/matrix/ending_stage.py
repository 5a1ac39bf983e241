"""Legal holds and subject requests of the stage: one that stands and one that is done, each."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access import Caller
from app.compliance import breaches, subject_requests
from app.compliance.breach_models import BreachStep, Risk
from app.indicators import holds
from app.indicators.models import Indicator, Report
from postern.vocabulary import HoldReason, SubjectRequestState, SubjectRight
from tests.app.matrix.compliance_stage import Made
from tests.app.matrix.expectations import Named, State
from tests.app.sharing.ground import NOON

LAST_DAY = NOON.date() + timedelta(days=60)


def make_endings(session: Session, caller: Caller) -> Made:
    """On a report of the caller's organisation that lives for long."""
    organisation_id, _ = caller.member
    report = session.scalars(
        select(Report.public_id)
        .join(Indicator, Indicator.report_id == Report.id)
        .where(Report.organisation_id == organisation_id, Indicator.expires_on > LAST_DAY)
        .order_by(Report.id)
        .limit(1)
    ).one()
    made: Made = {}
    for state in (State.LIVE, State.CLOSED):
        why = HoldReason.PROCEEDINGS
        placed = holds.place(session, caller, report, reason=why, until=LAST_DAY, case="K-1")
        made[Named.HOLD, state] = placed.id
        asked = subject_requests.open_request(
            session, caller, right=SubjectRight.ACCESS, case="K-2", note=""
        )
        made[Named.SUBJECT, state] = asked.id
        made[Named.BREACH, state] = _breach(session, caller, state)
    holds.release(session, caller, made[Named.HOLD, State.CLOSED])
    subject_requests.close(
        session,
        caller,
        made[Named.SUBJECT, State.CLOSED],
        state=SubjectRequestState.ANSWERED,
        note="All was told",
    )
    return made


def _breach(session: Session, caller: Caller, state: State) -> UUID:
    aware_at = NOON - timedelta(hours=1)
    breach = breaches.open_breach(session, caller, title="A breach", aware_at=aware_at)
    if state is State.CLOSED:
        for step, risk in ((BreachStep.RISK, Risk.UNLIKELY), (BreachStep.CLOSED, None)):
            breaches.add_note(session, caller, breach.id, step=step, text="Sealed", risk=risk)
    return breach.id

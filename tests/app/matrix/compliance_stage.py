"""Reviews, rounds and signals of the stage: one that waits and one that is done, of two members."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.models import AuditEntry
from app.compliance.drawing import month_of
from app.compliance.models import Anomaly, Finding, Review, ReviewRound, Signal, Verdict
from app.compliance.reviews import Kinds, end, order
from app.public_ids import new_public_id
from tests.app.matrix.expectations import Named, State
from tests.app.sharing.ground import NOON

Made = dict[tuple[Named, State], UUID]

_BEFORE = NOON - timedelta(days=30)


def make_tasks(session: Session, caller: Caller) -> Made:
    """One of each, ordered by `caller`, who did none of the acts that are judged."""
    made: Made = {}
    for state in (State.LIVE, State.CLOSED):
        review = order(session, caller, title="A review", kinds=Kinds(act="lookup.ask"), sample=2)
        made[Named.REVIEW, state] = review.id
        made[Named.ROUND, state] = _round(session, caller, review.id, state)
        made[Named.SIGNAL, state] = _signal(session, caller, state)
    end(session, caller, made[Named.REVIEW, State.CLOSED])
    return made


def _round(session: Session, caller: Caller, review_id: UUID, state: State) -> UUID:
    review = session.scalars(select(Review).where(Review.public_id == review_id)).one()
    entry = session.scalars(
        select(AuditEntry).where(AuditEntry.act == "organisation.create").limit(1)
    ).one()
    row = ReviewRound(
        public_id=new_public_id(NOON),
        review_id=review.id,
        month=month_of(_BEFORE),
        size=1,
        seed=bytes(32),
        population=2,
        drawn_at=_BEFORE,
        closed_at=NOON if state is State.CLOSED else None,
    )
    session.add(row)
    session.flush()
    is_closed = state is State.CLOSED
    for place in (1, 2):
        session.add(
            Finding(
                round_id=row.id,
                place=place,
                eid=entry.eid,
                t=entry.t,
                verdict=Verdict.IN_ORDER if is_closed else None,
                judged_by=caller.person if is_closed else None,
                judged_at=NOON if is_closed else None,
            )
        )
    session.flush()
    return row.public_id


def _signal(session: Session, caller: Caller, state: State) -> UUID:
    is_closed = state is State.CLOSED
    row = Anomaly(
        public_id=new_public_id(NOON),
        organisation_id=caller.member[0],
        signal=Signal.REFUSALS,
        key=state.value,
        person=None,
        since=_BEFORE,
        until=NOON,
        facts={"refused": 20, "what": "tokens", "limit": 20},
        entries=[],
        found_at=NOON,
        verdict=Verdict.IN_ORDER if is_closed else None,
        closed_by=caller.person if is_closed else None,
        closed_at=NOON if is_closed else None,
    )
    session.add(row)
    session.flush()
    return row.public_id

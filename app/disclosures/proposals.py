"""What becomes of a proposal that never takes effect: it is void, and its envelopes are erased."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.disclosures.models import Decision, Delivery, DisclosureRequest
from postern.vocabulary import DecisionState


def drop(session: Session, request: DisclosureRequest, at: datetime) -> None:
    """Make what was proposed on this request void, since it ends before the second judged."""
    proposed = session.scalars(
        select(Decision).where(
            Decision.request_id == request.id, Decision.state == DecisionState.PROPOSED
        )
    )
    for decision in proposed:
        decision.state, decision.judged_at = DecisionState.VOID, at
        erase(session, decision, at)


def erase(session: Session, decision: Decision, at: datetime) -> list[int]:
    """Erase the envelopes of a decision; returns the inner keys of those that were still there."""
    erased = session.execute(
        update(Delivery)
        .where(Delivery.decision_id == decision.id, Delivery.erased_at.is_(None))
        .values(sealed=None, erased_at=at)
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    )
    return [row[0] for row in erased]

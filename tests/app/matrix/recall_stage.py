"""Recalls for the matrix: those that reached an organisation, and its own; open and completed."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access import Caller
from app.clock import now
from app.disclosures import recall_answers, recalls
from app.disclosures.models import Recall
from app.indicators.hooks import Ending
from app.indicators.ledger import METADATA, Gift, note_given
from app.public_ids import new_public_id
from postern.vocabulary import AcknowledgementState, RecallReason, Rectification, Way
from tests.app.matrix.expectations import Named, State

Made = dict[tuple[Named, State], UUID]


def make_recalls(session: Session, caller: Caller, other: Caller) -> Made:
    """Of things that the one gave the other, and that are gone."""
    made = {}
    for named, owner, recipient in (
        (Named.RECEIVED_RECALL, other, caller),
        (Named.OWN_RECALL, caller, other),
    ):
        for state in (State.LIVE, State.CLOSED):
            recall = _recalled(session, owner, recipient)
            if state is State.CLOSED:
                recall_answers.answer(
                    session,
                    recipient,
                    recall,
                    state=AcknowledgementState.COMPLETED,
                    done=Rectification.NOT_KEPT,
                )
            made[named, state] = recall
    return made


def _recalled(session: Session, owner: Caller, recipient: Caller) -> UUID:
    owner_id, at = owner.member[0], now()
    indicator = new_public_id(at)
    note_given(session, recipient.member[0], Way.LIST, [Gift(indicator, owner_id, METADATA)], at)
    ending = Ending(owner_id, at, [indicator], RecallReason.WRONG_DATA)
    recalls.on_ending(session, owner, ending)
    return session.scalars(select(Recall.public_id).where(Recall.indicator == indicator)).one()

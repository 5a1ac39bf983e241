"""Disclosure requests for the matrix: asked by an organisation and received by it, with a delivery.

The rows are written as the verbs write them; the verbs themselves are tested in
tests/app/disclosures.
"""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.disclosures.models import Decision, Delivery, DisclosureRequest
from app.indicators.models import Indicator
from app.public_ids import new_public_id
from app.sharing.service import profile_id
from postern.vocabulary import (
    Answer,
    DecisionReason,
    DecisionState,
    LegalBasis,
    Purpose,
    RequestedAction,
    RequestState,
    Role,
    SealedPart,
    Urgency,
)
from tests.app.matrix.expectations import Named, State

Made = dict[tuple[Named, State], UUID]

_STATES = {State.LIVE: RequestState.OPEN, State.CLOSED: RequestState.WITHDRAWN}


def make_requests(
    session: Session, caller: Caller, other: Caller, *, own: UUID, others: UUID
) -> Made:
    """Open and withdrawn ones of both sides about one's `own` indicator and one of `others`.

    Of a third that was released there is a delivery that can be fetched and one that is erased.
    """
    made: Made = {}
    for state, stands in _STATES.items():
        made[Named.ASKED, state] = _request(session, caller, others, stands).public_id
        made[Named.RECEIVED, state] = _request(session, other, own, stands).public_id
    released = _request(session, caller, others, RequestState.RELEASED)
    made[Named.DELIVERY, State.NEVER] = released.public_id
    for number, state in enumerate(_STATES, 1):
        delivery = _delivery(session, released, number, is_erased=state is State.CLOSED)
        made[Named.DELIVERY, state] = delivery.public_id
    return made


def _request(
    session: Session, asker: Caller, indicator: UUID, state: RequestState
) -> DisclosureRequest:
    row = session.scalars(select(Indicator).where(Indicator.public_id == indicator)).one()
    at, (organisation_id, person_id) = clock.now(), asker.member
    purpose, basis = Purpose.CRIMINAL_INVESTIGATION, LegalBasis.CRIMINAL_PROCEDURE
    made = DisclosureRequest(
        public_id=new_public_id(at),
        requester_id=organisation_id,
        person_id=person_id,
        owner_id=row.organisation_id,
        indicator=indicator,
        indicator_id=row.id,
        kind=row.kind,
        role=row.role,
        lookup=new_public_id(at),
        profile_id=profile_id(session, organisation_id, Role.ANALYST, purpose, basis),
        purpose=purpose,
        legal_basis=basis,
        case_tag=bytes(16),
        urgency=Urgency.NORMAL,
        asked=[SealedPart.ATTACHMENT.value],
        action=RequestedAction.NONE,
        state=state,
        made_at=at,
        due_at=at + timedelta(days=7),
        lapses_at=at + timedelta(days=21),
        allowed_seconds=7 * 86_400,
        wakes_at=None,
        questioned_at=None,
        reminders=0,
        escalated_at=None,
        closed_at=None if state is RequestState.OPEN else at,
    )
    session.add(made)
    session.flush()
    return made


def _delivery(
    session: Session, request: DisclosureRequest, number: int, *, is_erased: bool
) -> Delivery:
    at = clock.now()
    decision = Decision(
        public_id=new_public_id(at),
        request_id=request.id,
        person_id=request.person_id,
        answer=Answer.ALL,
        reason=DecisionReason.NECESSARY,
        state=DecisionState.EFFECTIVE,
        made_at=at,
        second_id=None,
        judged_at=None,
        review_due_at=None,
        reminders=0,
    )
    session.add(decision)
    session.flush()
    made = Delivery(
        public_id=new_public_id(at),
        request_id=request.id,
        decision_id=decision.id,
        part=SealedPart.ATTACHMENT,
        number=number,
        kind="report",
        epoch=0,
        token=bytes(16),
        record="LIVE",
        size=6,
        digest=bytes(32),
        sealed=None if is_erased else b"sealed",
        made_at=at,
        available_at=at,
        expires_at=at + timedelta(days=30),
        fetched_at=at,
        received_at=None,
        receipt=None,
        receipt_kid=None,
        check=None,
        erased_at=at if is_erased else None,
    )
    session.add(made)
    session.flush()
    return made

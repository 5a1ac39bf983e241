"""The verbs of deliveries: fetch one, prove that it was opened, and erase what is over.

An envelope leaves only while its request stands released by a decision that has effect, before the
delivery's time is over, and while the indicator is there. The entry of the log is durable before
the bytes leave.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session, defer

from app import clock
from app.access import CONSOLE, Caller
from app.disclosures import clocks, storage, telling
from app.disclosures.messages import wrong
from app.disclosures.models import (
    Decision,
    Delivery,
    DisclosureMessage,
    DisclosureRequest,
)
from app.disclosures.shown import ShownRequest, is_available, shown
from app.disclosures.telling import OFFICERS, Sides
from app.disclosures.transitions import Act, after, may
from app.errors import ConflictError, NotFoundError, PosternError
from app.jobs import notifications
from app.organisations import keys
from postern.delivery_receipt import Receipt, verify
from postern.vocabulary import DecisionState, Role, SealedPart, TokenCheck

BATCH = 100
"""Requests whose deliveries one call of `expire` erases."""


class DeliveryGoneError(PosternError):
    """The delivery was there and is not any more, or is not there yet."""

    status = 410
    code = "delivery-gone"
    title = "The delivery cannot be fetched any more"
    remedy = "Read the request: it tells when the delivery ended. Ask anew if you still need it."


class ReceiptGivenError(ConflictError):
    """Another receipt stands for the delivery."""

    code = "receipt-given"
    title = "Another receipt of this delivery was given already"
    remedy = "Read the request: the receipt stands there with what was found."


@dataclass(frozen=True, slots=True)
class Proof:
    """A receipt as it came in: signature (64 bytes), the key's name (16 bytes), the finding."""

    signature: bytes
    kid: bytes
    check: TokenCheck


def fetch(session: Session, caller: Caller, request_id: UUID, delivery_id: UUID) -> bytes:
    """The sealed bytes of a delivery of one's own request.

    NotFoundError for any other, DeliveryGoneError when it is erased, over or called back,
    SuspendedError.
    """
    request, delivery = _delivery(session, caller, request_id, delivery_id, with_bytes=True)
    at = clock.now()
    between = telling.sides(session, request)
    between.require_active()
    decision = session.get_one(Decision, delivery.decision_id)
    is_there = (
        decision.state is DecisionState.EFFECTIVE
        and is_available(request, delivery, at)
        and storage.is_live(session, request.indicator_id, at)
    )
    if not is_there or delivery.sealed is None:
        raise DeliveryGoneError
    clocks.closed(request, after(request.state, Act.FETCH), at)
    if delivery.fetched_at is None:
        delivery.fetched_at = at
    details = {"delivery": str(delivery.public_id), "part": delivery.part.value}
    telling.tell_both(session, caller, "disclosure.fetch", request, between, details=details)
    return delivery.sealed


def receive(
    session: Session, caller: Caller, request_id: UUID, delivery_id: UUID, proof: Proof
) -> ShownRequest:
    """Take the receipt of a delivery that was fetched; the same again changes nothing.

    A value that gives another token than the one it was found by is told to the owner and to the
    officers of both. Raises NotFoundError, DeliveryGoneError for what was never fetched,
    InvalidRequestError for a signature that does not hold, ReceiptGivenError.
    """
    request, delivery = _delivery(session, caller, request_id, delivery_id, with_bytes=False)
    at = clock.now()
    if delivery.fetched_at is None:
        raise DeliveryGoneError("The delivery was never fetched, so it cannot have been opened.")
    _check(session, request, delivery, proof)
    between = telling.sides(session, request)
    if delivery.received_at is not None:
        if delivery.check is not proof.check:
            raise ReceiptGivenError
        telling.tell_own(session, caller, "disclosure.receipt", request, details={"again": True})
        return shown(session, [request], at, to_owner=False, whole=True)[0]
    delivery.received_at, delivery.check = at, proof.check
    delivery.receipt, delivery.receipt_kid = proof.signature, proof.kid
    session.flush()
    open_still = session.scalars(
        select(Delivery.id).where(
            Delivery.decision_id == delivery.decision_id, Delivery.received_at.is_(None)
        )
    ).first()
    is_last = open_still is None and may(request.state, Act.RECEIVE)
    state = after(request.state, Act.RECEIVE if is_last else Act.RECEIPT)
    clocks.closed(request, state, at)
    details = {
        "delivery": str(delivery.public_id),
        "part": delivery.part.value,
        "check": proof.check.value,
    }
    telling.tell_both(session, caller, "disclosure.receipt", request, between, details=details)
    if proof.check is TokenCheck.DIFFERS:
        _tell_of_difference(session, request, between)
    session.flush()
    return shown(session, [request], at, to_owner=False, whole=True)[0]


def erase_for(session: Session, indicator: UUID, at: datetime, caller: Caller = CONSOLE) -> int:
    """Erase every delivery of an indicator that is called back; returns how many.

    The requests that were given something stand as recalled. Safe to repeat.
    """
    requests = session.scalars(
        select(DisclosureRequest)
        .where(DisclosureRequest.indicator == indicator)
        .order_by(DisclosureRequest.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    return sum(
        erase(session, caller, request, Act.RECALL, at)
        for request in requests
        if may(request.state, Act.RECALL)
    )


def expire(session: Session) -> int:
    """Erase the deliveries whose time is over, with the messages of their requests.

    At most BATCH requests; returns how many.
    """
    at = clock.now()
    due = session.scalars(
        select(Delivery.request_id)
        .where(Delivery.expires_at <= at, Delivery.erased_at.is_(None))
        .where(Delivery.available_at.is_not(None))
        .distinct()
        .limit(BATCH)
    ).all()
    requests = session.scalars(
        select(DisclosureRequest)
        .where(DisclosureRequest.id.in_(due))
        .order_by(DisclosureRequest.id)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    for request in requests:
        erase(session, CONSOLE, request, Act.EXPIRE, at)
    return len(requests)


def erase(
    session: Session, caller: Caller, request: DisclosureRequest, act: Act, at: datetime
) -> int:
    """Erase what was given on a request, and what was written; returns how many deliveries.

    The log of both sides says so.
    """
    erased = session.execute(
        update(Delivery)
        .where(Delivery.request_id == request.id, Delivery.erased_at.is_(None))
        .values(sealed=None, erased_at=at)
        .returning(Delivery.public_id)
        .execution_options(synchronize_session=False)
    ).all()
    erase_messages(session, [request.id])
    if may(request.state, act):
        clocks.closed(request, after(request.state, act), at)
    between = telling.sides(session, request)
    details = {"deliveries": [str(row[0]) for row in erased], "state": request.state.value}
    telling.tell_both(session, caller, "disclosure.erase", request, between, details=details)
    session.flush()
    return len(erased)


def erase_messages(session: Session, request_ids: Sequence[int]) -> None:
    """Erase what was written on these requests; that it was written stays."""
    session.execute(
        update(DisclosureMessage)
        .where(DisclosureMessage.request_id.in_(request_ids), DisclosureMessage.sealed.is_not(None))
        .values(sealed=None)
        .execution_options(synchronize_session=False)
    )


def _delivery(
    session: Session, caller: Caller, request_id: UUID, delivery_id: UUID, *, with_bytes: bool
) -> tuple[DisclosureRequest, Delivery]:
    """A delivery of one's own request that took effect once; NotFoundError for any other."""
    request = storage.locked(session, request_id, storage.asked_by(caller.member[0]))
    if request is None:
        raise NotFoundError
    wanted = (
        select(Delivery)
        .join(Decision, Decision.id == Delivery.decision_id)
        .where(
            Delivery.request_id == request.id,
            Delivery.public_id == delivery_id,
            Delivery.available_at.is_not(None),
            Decision.state.in_((DecisionState.EFFECTIVE, DecisionState.REJECTED)),
        )
        .execution_options(populate_existing=True)
    )
    if not with_bytes:
        wanted = wanted.options(defer(Delivery.sealed))
    delivery = session.scalar(wanted)
    if delivery is None:
        raise NotFoundError
    return request, delivery


def _check(session: Session, request: DisclosureRequest, delivery: Delivery, proof: Proof) -> None:
    receipt = Receipt(
        str(request.public_id), str(delivery.public_id), bytes(delivery.digest), proof.check
    )
    signers = keys.signers(session, request.requester_id)
    if not verify(receipt, proof.signature, proof.kid, signers):
        raise wrong(
            "signature",
            "It does not hold for this delivery and finding with a key that you published.",
        )
    if delivery.part is not SealedPart.VALUE and proof.check is not TokenCheck.NOT_CHECKED:
        raise wrong("check", "Only a value gives a token: write not_checked.")


def _tell_of_difference(session: Session, request: DisclosureRequest, between: Sides) -> None:
    """The value is not the one that was submitted: somebody erred, or plants values."""
    facts = {
        "organisation": between.requester.code,
        "owner": between.owner.code,
        "indicator": str(request.indicator),
    }
    telling.notify(session, request.owner_id, OFFICERS, "disclosure.differs", request, facts)
    telling.notify(session, request.requester_id, OFFICERS, "disclosure.differs", request, facts)
    # Submitters do not read requests; what they can do is withdraw the report.
    address = f"/policy/audience?indicator={request.indicator}"
    notifications.notify(
        session, request.owner_id, Role.SUBMITTER, "disclosure.differs", facts, address
    )

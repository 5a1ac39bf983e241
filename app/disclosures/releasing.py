"""Letting sealed parts go to a requester: what must hold at that moment, and the rows of it.

A part that is handed in is checked as far as an envelope can be without a key: its place is the
stored one with this request, requester and approver in it; it is sealed to exactly the requester's
present keys; the owner signed it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.disclosures import messages, rules, storage
from app.disclosures.models import Decision, Delivery, DisclosureRequest
from app.disclosures.telling import Sides
from app.disclosures.transitions import RequestStateError
from app.errors import ConflictError, InvalidRequestError
from app.indicators.envelopes import StoredEnvelope
from app.indicators.ledger import CLEAR, Gift, note_given
from app.indicators.sealed_parts import context_part
from app.organisations.envelope_checks import expected_for, misfit
from app.public_ids import new_public_ids
from app.sharing.visibility import METADATA, REQUEST
from postern.envelope import Context, Resealing
from postern.vocabulary import RequestState, Urgency, Way


class NotSharedNowError(ConflictError):
    """The owner's policy let the requester ask once, and does not any more."""

    code = "disclosure-not-shared"
    title = "Your sharing policy does not let this organisation ask for it any more"
    remedy = "Give nothing, or change the policy first; it is asked at the moment of release."


class KeysChangedError(ConflictError):
    """Keys were rotated since the proposal, which was sealed to the earlier ones."""

    code = "disclosure-keys-changed"
    title = "Keys were changed since this was proposed, and it is sealed with the earlier ones"
    remedy = "Do not agree: the proposal is erased, and the request can be decided again."


@dataclass(frozen=True, slots=True)
class HandedIn:
    """A stored envelope by its id, and its content sealed again for the requester."""

    envelope: UUID
    sealed: bytes


def require_live(session: Session, request: DisclosureRequest, at: datetime) -> None:
    """Return when the indicator is there and its time is not over. RequestStateError."""
    if not storage.is_live(session, request.indicator_id, at):
        raise RequestStateError("The indicator has ended.", state=RequestState.ENDED.value)


def require_shared(
    session: Session, request: DisclosureRequest, between: Sides, at: datetime
) -> None:
    """Return when the policies let the requester ask for it now.

    Raises SuspendedError, RequestStateError where the indicator has ended, NotSharedNowError. For
    a threat to life metadata suffices, as it did for asking.
    """
    between.require_active()
    require_live(session, request, at)
    least = METADATA if request.urgency is Urgency.LIFE else REQUEST
    indicator_id = request.indicator_id or 0
    if not storage.is_visible(session, request.profile_id, indicator_id, at, least):
        raise NotSharedNowError


def store(
    session: Session,
    request: DisclosureRequest,
    between: Sides,
    decision: Decision,
    chosen: Sequence[tuple[StoredEnvelope | None, HandedIn]],
    *,
    at: datetime,
) -> None:
    """Store what an approver handed in; nobody can fetch it yet.

    `chosen` pairs each part with the stored envelope that it names, None for one that is not asked
    for or not held. InvalidRequestError names every part that is refused.
    """
    keys = messages.usable(session, request, between, at)
    wanted = expected_for(keys.owner, keys.requester)
    resealing = _resealing(request, between)
    errors: list[dict[str, Any]] = []
    for place, (held, part) in enumerate(chosen):
        if held is None:
            reason = "It is no sealed part that is asked for and held."
            errors.append({"field": f"json.parts.{place}.envelope", "reason": reason})
            continue
        refused = misfit(part.sealed, held.context(between.owner.code, resealing), wanted)
        if refused is not None:
            told = {"reason": refused.reason, "remedy": refused.remedy}
            errors.append({"field": f"json.parts.{place}.sealed", **told})
    if errors:
        raise InvalidRequestError(errors=errors)
    expires_at = _expiry(session, request, between, at)
    ids = new_public_ids(len(chosen), at)
    for public_id, (held, part) in zip(ids, chosen, strict=True):
        if held is not None:
            session.add(
                Delivery(
                    public_id=public_id,
                    request_id=request.id,
                    decision_id=decision.id,
                    part=held.part,
                    number=held.number,
                    kind=held.kind,
                    epoch=held.epoch,
                    token=held.token,
                    record=held.record,
                    size=len(part.sealed),
                    digest=hashlib.sha256(part.sealed).digest(),
                    sealed=part.sealed,
                    made_at=at,
                    available_at=None,
                    expires_at=expires_at,
                    fetched_at=None,
                    received_at=None,
                    receipt=None,
                    receipt_kid=None,
                    check=None,
                    erased_at=None,
                )
            )
    session.flush()


def make_available(
    session: Session,
    request: DisclosureRequest,
    between: Sides,
    decision: Decision,
    at: datetime,
) -> None:
    """Let the requester fetch what was decided, from now on; the ledger notes it.

    KeysChangedError where it is sealed with keys that are not the present ones any more.
    """
    keys = messages.usable(session, request, between, at)
    wanted = expected_for(keys.owner, keys.requester)
    expires_at = _expiry(session, request, between, at)
    given = session.scalars(
        select(Delivery).where(Delivery.decision_id == decision.id, Delivery.erased_at.is_(None))
    ).all()
    for delivery in given:
        context = _context(delivery, request, between)
        if delivery.sealed is None or misfit(delivery.sealed, context, wanted) is not None:
            raise KeysChangedError
        delivery.available_at, delivery.expires_at = at, expires_at
    gift = Gift(request.indicator, request.owner_id, CLEAR)
    note_given(session, request.requester_id, Way.DISCLOSURE, [gift], at)


def _context(delivery: Delivery, request: DisclosureRequest, between: Sides) -> Context:
    return Context(
        between.owner.code,
        delivery.kind,
        delivery.epoch,
        delivery.token,
        delivery.record,
        context_part(delivery.part, delivery.number),
        _resealing(request, between),
    )


def _resealing(request: DisclosureRequest, between: Sides) -> Resealing:
    return Resealing(str(request.public_id), between.requester.code, between.owner.code)


def _expiry(session: Session, request: DisclosureRequest, between: Sides, at: datetime) -> datetime:
    """When the delivery ends: by the owner's rules, and never later than the indicator."""
    own = rules.held(session, request.owner_id)
    lives = rules.lives(own, between.requester, between.owner)
    last = storage.last_day(session, request.indicator_id or 0)
    return min(at + lives, datetime.combine(last, time(), UTC))

"""A request as each side reads it: REQ of docs/disclosures.md.

The requester learns neither a proposal within the owner, nor the owner's people; the owner learns
neither the lookup nor the requester's people.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.models import PersonAccount
from app.disclosures import storage
from app.disclosures.models import Decision, Delivery, DisclosureMessage, DisclosureRequest
from app.disclosures.transitions import GIVEN, shown_to_requester
from app.indicators.envelopes import StoredEnvelope
from app.organisations.service import Member, directory
from postern.vocabulary import (
    Answer,
    DecisionReason,
    DecisionState,
    Kind,
    LegalBasis,
    MessageKind,
    PartyRole,
    Purpose,
    RequestedAction,
    RequestState,
    SealedPart,
    TokenCheck,
    Urgency,
)

Row = TypeVar("Row", DisclosureMessage, Decision, Delivery)


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """A sealed message; `sealed` is None in a list, and once it is erased."""

    id: UUID
    kind: MessageKind
    organisation: str
    record: str
    at: datetime
    sealed: bytes | None


@dataclass(frozen=True, slots=True)
class ShownDecision:
    """What was decided; the persons are pseudonyms of the log, for the owner alone."""

    id: UUID
    answer: Answer
    reason: DecisionReason
    state: DecisionState
    made_at: datetime
    judged_at: datetime | None
    review_due_at: datetime | None
    person: UUID | None
    second: UUID | None


@dataclass(frozen=True, slots=True)
class ShownDelivery:
    """A part that was released, without its bytes; `available`: it can be fetched now."""

    id: UUID
    part: SealedPart
    number: int
    kind: str
    epoch: int
    token: bytes
    record: str
    size: int
    digest: bytes
    available: bool
    expires_at: datetime
    fetched_at: datetime | None
    received_at: datetime | None
    check: TokenCheck | None
    erased: bool


@dataclass(frozen=True, slots=True)
class ShownRequest:
    """A request with all that one side may know of it; `lookup` is None for the owner."""

    id: UUID
    state: RequestState
    requester: Member
    owner: Member
    indicator: UUID
    kind: Kind
    role: PartyRole
    lookup: UUID | None
    purpose: Purpose
    legal_basis: LegalBasis
    urgency: Urgency
    asked: Sequence[str]
    action: RequestedAction
    made_at: datetime
    due_at: datetime
    lapses_at: datetime
    questioned_at: datetime | None
    escalated_at: datetime | None
    closed_at: datetime | None
    messages: Sequence[ShownMessage]
    decision: ShownDecision | None
    deliveries: Sequence[ShownDelivery]
    envelopes: Sequence[StoredEnvelope] = ()


def shown(
    session: Session,
    requests: Sequence[DisclosureRequest],
    at: datetime,
    *,
    to_owner: bool,
    whole: bool = False,
) -> list[ShownRequest]:
    """The requests in order, for the owner or for the requester; `whole` with sealed messages."""
    ids = [request.id for request in requests]
    members = directory(session)
    messages = _by_request(storage.messages_of(session, ids, with_bytes=whole))
    decisions = _by_request(storage.decisions_of(session, ids))
    deliveries = _by_request(storage.deliveries_of(session, ids))
    people = _pseudonyms(session, decisions) if to_owner else {}
    found = []
    for request in requests:
        decision = _decision(decisions.get(request.id, ()), to_owner=to_owner)
        given = deliveries.get(request.id, ())
        found.append(
            ShownRequest(
                id=request.public_id,
                state=request.state if to_owner else shown_to_requester(request.state),
                requester=members[request.requester_id],
                owner=members[request.owner_id],
                indicator=request.indicator,
                kind=request.kind,
                role=request.role,
                lookup=None if to_owner else request.lookup,
                purpose=request.purpose,
                legal_basis=request.legal_basis,
                urgency=request.urgency,
                asked=request.asked,
                action=request.action,
                made_at=request.made_at,
                due_at=request.due_at,
                lapses_at=request.lapses_at,
                questioned_at=request.questioned_at,
                escalated_at=request.escalated_at,
                closed_at=request.closed_at,
                messages=[
                    ShownMessage(
                        id=each.public_id,
                        kind=each.kind,
                        organisation=members[each.organisation_id].code,
                        record=each.record,
                        at=each.made_at,
                        sealed=each.sealed if whole else None,
                    )
                    for each in messages.get(request.id, ())
                    if to_owner or _is_told(each, decision)
                ],
                decision=_shown_decision(decision, people) if decision else None,
                deliveries=[
                    _shown_delivery(each, request, at)
                    for each in given
                    if decision is not None and each.decision_id == decision.id
                ],
            )
        )
    return found


def is_available(request: DisclosureRequest, delivery: Delivery, at: datetime) -> bool:
    """Whether the delivery may leave now, as far as the request and it tell."""
    return (
        request.state in GIVEN
        and request.indicator_id is not None
        and delivery.available_at is not None
        and delivery.available_at <= at < delivery.expires_at
        and delivery.erased_at is None
    )


def _is_told(message: DisclosureMessage, decision: Decision | None) -> bool:
    """Whether the requester knows of a message: a reason comes with the decision it belongs to."""
    if message.kind is not MessageKind.REASON:
        return True
    return decision is not None and message.made_at >= decision.made_at


def _decision(decisions: Sequence[Decision], *, to_owner: bool) -> Decision | None:
    """The newest; for the requester the newest that ever had an effect."""
    known = [each for each in decisions if to_owner or had_effect(each)]
    return known[-1] if known else None


def had_effect(decision: Decision) -> bool:
    """Whether the decision took effect; one by break-glass did before it was looked at again."""
    return decision.state is DecisionState.EFFECTIVE or decision.review_due_at is not None


def _shown_decision(decision: Decision, people: Mapping[int, UUID]) -> ShownDecision:
    return ShownDecision(
        id=decision.public_id,
        answer=decision.answer,
        reason=decision.reason,
        state=decision.state,
        made_at=decision.made_at,
        judged_at=decision.judged_at,
        review_due_at=decision.review_due_at,
        person=people.get(decision.person_id),
        second=people.get(decision.second_id) if decision.second_id else None,
    )


def _shown_delivery(delivery: Delivery, request: DisclosureRequest, at: datetime) -> ShownDelivery:
    return ShownDelivery(
        id=delivery.public_id,
        part=delivery.part,
        number=delivery.number,
        kind=delivery.kind,
        epoch=delivery.epoch,
        token=delivery.token,
        record=delivery.record,
        size=delivery.size,
        digest=delivery.digest,
        available=is_available(request, delivery, at),
        expires_at=delivery.expires_at,
        fetched_at=delivery.fetched_at,
        received_at=delivery.received_at,
        check=delivery.check,
        erased=delivery.erased_at is not None,
    )


def _pseudonyms(
    session: Session, decisions: Mapping[int, Sequence[Decision]]
) -> Mapping[int, UUID]:
    ids = {
        person_id
        for several in decisions.values()
        for each in several
        for person_id in (each.person_id, each.second_id)
        if person_id is not None
    }
    rows = session.execute(
        select(PersonAccount.id, PersonAccount.public_id).where(PersonAccount.id.in_(sorted(ids)))
    )
    return {row[0]: row[1] for row in rows}


def _by_request(rows: Iterable[Row]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    for row in rows:
        found.setdefault(row.request_id, []).append(row)
    return found

"""The verbs of an owner: read what is asked, ask back, decide, and judge what another decided.

Nothing is opened here: an approver opens on the owner's premises and hands in each part sealed
again, to the requester's present keys and for this request alone. Where a second person is needed,
nothing leaves before that person agrees. The policy is asked again at the moment of release.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.disclosures import clocks, messages, proposals, releasing, rules, storage, telling
from app.disclosures.messages import Sent, wrong
from app.disclosures.models import Decision, DisclosureRequest
from app.disclosures.releasing import HandedIn
from app.disclosures.requests import Page
from app.disclosures.shown import ShownRequest, shown
from app.disclosures.storage import Wanted
from app.disclosures.telling import ANALYSTS, APPROVERS, DECIDERS, OFFICERS, Sides
from app.disclosures.transitions import WAITING, Act, RequestStateError, after, may
from app.errors import ConflictError, NotAllowedError, NotFoundError
from app.indicators import envelopes
from app.indicators.envelopes import StoredEnvelope
from app.public_ids import new_public_id
from app.runtime import runtime
from postern.vocabulary import (
    Answer,
    DecisionReason,
    DecisionState,
    MessageKind,
    SealedPart,
    Urgency,
)

GIVING = frozenset(
    {
        DecisionReason.NECESSARY,
        DecisionReason.PARTLY_NECESSARY,
        DecisionReason.LIFE_AT_RISK,
        DecisionReason.OTHER,
    }
)
"""Reasons to give all or part."""

KEEPING = frozenset(DecisionReason) - {
    DecisionReason.NECESSARY,
    DecisionReason.PARTLY_NECESSARY,
    DecisionReason.LIFE_AT_RISK,
}
"""Reasons to give nothing."""


class SamePersonError(NotAllowedError):
    """Who decided cannot be the second person who judges it."""

    code = "disclosure-same-person"
    title = "You made this decision yourself, so another person must judge it"
    remedy = "Ask another approver of your organisation."


class DecisionJudgedError(ConflictError):
    """The decision named is not the one that waits for a second person."""

    code = "disclosure-judged"
    title = "This decision does not wait for a second person"
    remedy = "Read the request again: it was judged, or another decision took its place."


@dataclass(frozen=True, slots=True)
class _Matter:
    """A request that the owner holds in its hands: locked, with both sides, at one moment."""

    session: Session
    caller: Caller
    request: DisclosureRequest
    between: Sides
    at: datetime


@dataclass(frozen=True, slots=True)
class Ruling:
    """What an approver decides; `parts` are the contents sealed again, none for nothing."""

    answer: Answer
    reason: DecisionReason
    parts: Sequence[HandedIn] = ()
    message: Sent | None = None

    @property
    def gives(self) -> bool:
        """Whether anything is given."""
        return self.answer is not Answer.NOTHING


def list_received(
    session: Session,
    caller: Caller,
    *,
    wanted: Wanted,
    limit: int,
    cursor: UUID | None = None,
) -> Page:
    """What others asked of the organisation, newest first; without sealed messages."""
    side = storage.received_by(caller.member[0])
    rows, following = storage.page(session, side, wanted, limit, cursor)
    telling.tell_listed(session, caller, "received", rows)
    return Page(shown(session, rows, clock.now(), to_owner=True), following)


def read_received(session: Session, caller: Caller, request_id: UUID) -> ShownRequest:
    """One request to the organisation, with messages and the sealed parts that are asked for.

    NotFoundError for any other.
    """
    request = storage.found(session, request_id, storage.received_by(caller.member[0]))
    if request is None:
        raise NotFoundError
    telling.tell_own(session, caller, "disclosure.read", request)
    (found,) = shown(session, [request], clock.now(), to_owner=True, whole=True)
    return replace(found, envelopes=_asked_parts(session, request))


def coarse(session: Session, caller: Caller, request_id: UUID) -> Mapping[str, Any] | None:
    """What the organisation's own record tells beside its sealed parts, by column.

    None once the indicator is gone. For the page that `read_received` is logged for.
    """
    request = storage.found(session, request_id, storage.received_by(caller.member[0]))
    return None if request is None else storage.coarse(session, request.indicator_id)


def read_envelope(session: Session, caller: Caller, request_id: UUID, envelope: UUID) -> bytes:
    """A sealed part that is asked for, to be opened on premises while somebody is to judge.

    NotFoundError for any other, RequestStateError when it does not wait any more.
    """
    request = storage.found(session, request_id, storage.received_by(caller.member[0]))
    if request is None:
        raise NotFoundError
    if not _is_to_be_judged(session, request):
        raise RequestStateError(state=request.state.value)
    found = {each.id: each for each in _asked_parts(session, request)}.get(envelope)
    held = envelopes.read(session, envelope) if found else None
    if found is None or held is None:
        raise NotFoundError
    details = {"envelope": str(envelope), "part": found.part.value}
    telling.tell_own(session, caller, "disclosure.open", request, details=details)
    return held[1]


def question(session: Session, caller: Caller, request_id: UUID, message: Sent) -> ShownRequest:
    """Ask the requester back; the clock stands still until it answers, unless a life is at risk.

    NotFoundError, RequestStateError, InvalidRequestError.
    """
    matter = _matter(session, caller, request_id)
    request, between, at = matter.request, matter.between, matter.at
    state = after(request.state, Act.QUESTION)
    messages.add(session, request, between, message, MessageKind.QUESTION, by_owner=True, at=at)
    clocks.question(request, at, runtime().settings.disclosure)
    clocks.closed(request, state, at)
    facts = {"organisation": between.owner.code}
    telling.notify(session, request.requester_id, ANALYSTS, "disclosure.questioned", request, facts)
    telling.tell_both(session, caller, "disclosure.question", request, between)
    return _shown(matter)


def decide(session: Session, caller: Caller, request_id: UUID, ruling: Ruling) -> ShownRequest:
    """Give all, part or nothing. What is given may need a second person, who then judges it.

    Raises NotFoundError, RequestStateError (somebody decided already), InvalidRequestError for a
    part that was not sealed as it must be, NotSharedNowError, SuspendedError,
    KeysNotPublishedError.
    """
    matter = _matter(session, caller, request_id)
    _check(matter.request, ruling)
    decision = Decision(
        public_id=new_public_id(matter.at),
        request_id=matter.request.id,
        person_id=caller.member[1],
        answer=ruling.answer,
        reason=ruling.reason,
        state=DecisionState.EFFECTIVE,
        made_at=matter.at,
        second_id=None,
        judged_at=None,
        review_due_at=None,
        reminders=0,
    )
    if ruling.gives:
        _give(matter, decision, ruling)
    else:
        state = after(matter.request.state, Act.REFUSE)
        session.add(decision)
        _say(matter, ruling)
        clocks.closed(matter.request, state, matter.at)
        _tell_refused(matter, decision)
    return _shown(matter)


def judge(
    session: Session, caller: Caller, request_id: UUID, decision_id: UUID, *, agrees: bool
) -> ShownRequest:
    """Agree, as the second person, with what another approver decided, or do not.

    A proposal takes effect or is erased; of a release by break-glass, which has left already, what
    is not fetched is erased. Raises NotFoundError, DecisionJudgedError, SamePersonError and what
    `decide` raises of a release.
    """
    matter = _matter(session, caller, request_id)
    decision = session.scalar(
        select(Decision).where(
            Decision.request_id == matter.request.id, Decision.public_id == decision_id
        )
    )
    if decision is None:
        raise NotFoundError
    is_proposal = decision.state is DecisionState.PROPOSED
    if not is_proposal and (decision.review_due_at is None or decision.judged_at is not None):
        raise DecisionJudgedError
    if decision.person_id == caller.member[1]:
        raise SamePersonError
    decision.second_id, decision.judged_at = caller.member[1], matter.at
    if not is_proposal:
        _review(matter, decision, agrees=agrees)
    elif agrees:
        _confirm(matter, decision)
    else:
        _reject(matter, decision)
    return _shown(matter)


def _matter(session: Session, caller: Caller, request_id: UUID) -> _Matter:
    request = storage.locked(session, request_id, storage.received_by(caller.member[0]))
    if request is None:
        raise NotFoundError
    return _Matter(session, caller, request, telling.sides(session, request), clock.now())


def _asked_parts(session: Session, request: DisclosureRequest) -> list[StoredEnvelope]:
    """What lies here of what is asked, while somebody is to judge and the indicator is there."""
    if request.indicator_id is None or not _is_to_be_judged(session, request):
        return []
    asked = [SealedPart(part) for part in request.asked]
    return envelopes.of_indicator(session, request.indicator_id, asked)


def _is_to_be_judged(session: Session, request: DisclosureRequest) -> bool:
    """Whether it waits for a decision, or a release by break-glass for its second person."""
    if request.state in WAITING:
        return True
    pending = select(Decision.id).where(
        Decision.request_id == request.id,
        Decision.review_due_at.is_not(None),
        Decision.judged_at.is_(None),
    )
    return session.execute(pending).first() is not None


def _check(request: DisclosureRequest, ruling: Ruling) -> None:
    if ruling.reason not in (GIVING if ruling.gives else KEEPING):
        raise wrong("reason", "This reason does not fit the answer.")
    if ruling.reason is DecisionReason.LIFE_AT_RISK and request.urgency is not Urgency.LIFE:
        raise wrong("reason", "The requester told of no imminent threat to life.")
    if ruling.reason is DecisionReason.OTHER and ruling.message is None:
        raise wrong("message", "Another reason is told in a sealed message.")
    if ruling.parts and not ruling.gives:
        raise wrong("parts", "Nothing is given, so no part is handed in.")
    if not ruling.parts and ruling.gives:
        raise wrong("parts", "Hand in each part that is given, sealed for the requester.")
    if len({part.envelope for part in ruling.parts}) != len(ruling.parts):
        raise wrong("parts", "A part is handed in twice.")


def _give(matter: _Matter, decision: Decision, ruling: Ruling) -> None:
    """Release at once, or propose where a second person is needed."""
    session, request, at = matter.session, matter.request, matter.at
    is_break_glass = ruling.reason is DecisionReason.LIFE_AT_RISK
    held = {each.id: each for each in _asked_parts(session, request)}
    chosen = [(held.get(part.envelope), part) for part in ruling.parts]
    parts = [each.part for each, _ in chosen if each is not None]
    is_proposal = not is_break_glass and rules.needs_second(
        rules.held(session, request.owner_id),
        request,
        parts,
        requester=matter.between.requester,
        owner=matter.between.owner,
    )
    state = after(request.state, Act.PROPOSE if is_proposal else Act.RELEASE)
    if is_break_glass:
        matter.between.require_active()
        releasing.require_live(session, request, at)
    else:
        releasing.require_shared(session, request, matter.between, at)
    decision.state = DecisionState.PROPOSED if is_proposal else DecisionState.EFFECTIVE
    decision.review_due_at = at + clocks.REVIEW_WITHIN if is_break_glass else None
    session.add(decision)
    session.flush()
    releasing.store(session, request, matter.between, decision, chosen, at=at)
    if ruling.answer is Answer.ALL and held.keys() - {part.envelope for part in ruling.parts}:
        raise wrong("parts", "All was decided, and a part that is asked for and held is missing.")
    _say(matter, ruling)
    clocks.go_on(request, at, runtime().settings.disclosure)
    clocks.closed(request, state, at)
    if is_proposal:
        _tell_proposed(matter, decision)
        return
    releasing.make_available(session, request, matter.between, decision, at)
    details = {"answer": decision.answer.value, "reason": decision.reason.value}
    telling.tell_own(session, matter.caller, "disclosure.decide", request, details=details)
    _tell_released(matter, decision)
    if is_break_glass:
        _tell_of_glass(matter)


def _say(matter: _Matter, ruling: Ruling) -> None:
    if ruling.message is not None:
        messages.add(
            matter.session,
            matter.request,
            matter.between,
            ruling.message,
            MessageKind.REASON,
            by_owner=True,
            at=matter.at,
        )


def _confirm(matter: _Matter, decision: Decision) -> None:
    """The second person agrees: what was proposed takes effect, if everything still allows it."""
    session, request, between, at = matter.session, matter.request, matter.between, matter.at
    state = after(request.state, Act.CONFIRM)
    releasing.require_shared(session, request, between, at)
    releasing.make_available(session, request, between, decision, at)
    decision.state = DecisionState.EFFECTIVE
    clocks.closed(request, state, at)
    details = {"decision": str(decision.public_id), "agrees": True}
    telling.tell_own(session, matter.caller, "disclosure.confirm", request, details=details)
    _tell_released(matter, decision)


def _reject(matter: _Matter, decision: Decision) -> None:
    """The second person does not agree: the envelopes are erased, the request is open again."""
    session, request, at = matter.session, matter.request, matter.at
    state = after(request.state, Act.REJECT)
    decision.state = DecisionState.REJECTED
    proposals.erase(session, decision, at)
    clocks.closed(request, state, at)
    details = {"decision": str(decision.public_id), "agrees": False}
    telling.tell_own(session, matter.caller, "disclosure.confirm", request, details=details)
    facts = {"organisation": matter.between.requester.code}
    telling.notify(session, request.owner_id, APPROVERS, "disclosure.rejected", request, facts)


def _review(matter: _Matter, decision: Decision, *, agrees: bool) -> None:
    """What the second person finds of a release by break-glass."""
    session, request, between = matter.session, matter.request, matter.between
    details: dict[str, Any] = {"decision": str(decision.public_id), "agrees": agrees}
    if not agrees:
        decision.state = DecisionState.REJECTED
        details["erased"] = len(proposals.erase(session, decision, matter.at))
        if may(request.state, Act.REVOKE):
            clocks.closed(request, after(request.state, Act.REVOKE), matter.at)
        facts = {"organisation": between.requester.code, "owner": between.owner.code}
        told = (*ANALYSTS, *OFFICERS)
        telling.notify(session, request.owner_id, DECIDERS, "disclosure.revoked", request, facts)
        telling.notify(session, request.requester_id, told, "disclosure.revoked", request, facts)
    telling.tell_both(
        session, matter.caller, "disclosure.review", request, between, details=details
    )


def _tell_proposed(matter: _Matter, decision: Decision) -> None:
    """To the owner's side alone: what is not decided is none of the requester's business."""
    session, request = matter.session, matter.request
    details = {
        "answer": decision.answer.value,
        "reason": decision.reason.value,
        "state": decision.state.value,
    }
    telling.tell_own(session, matter.caller, "disclosure.decide", request, details=details)
    facts = {
        "organisation": matter.between.requester.code,
        "urgency": request.urgency.value,
    }
    telling.notify(session, request.owner_id, APPROVERS, "disclosure.proposed", request, facts)


def _tell_refused(matter: _Matter, decision: Decision) -> None:
    session, request, between = matter.session, matter.request, matter.between
    details = {"answer": decision.answer.value, "reason": decision.reason.value}
    telling.tell_both(
        session, matter.caller, "disclosure.decide", request, between, details=details
    )
    facts = {"organisation": between.owner.code, "reason": decision.reason.value}
    telling.notify(session, request.requester_id, ANALYSTS, "disclosure.refused", request, facts)


def _tell_released(matter: _Matter, decision: Decision) -> None:
    """An entry that is a disclosure, for both sides, and a notice to who asked."""
    session, request, between = matter.session, matter.request, matter.between
    deliveries = storage.deliveries_of(session, [request.id])
    given = [each for each in deliveries if each.decision_id == decision.id]
    details = {
        "requester": between.requester.code,
        "answer": decision.answer.value,
        "reason": decision.reason.value,
        "parts": [each.part.value for each in given],
        "break_glass": decision.review_due_at is not None,
    }
    telling.tell_both(
        session, matter.caller, "disclosure.release", request, between, details=details
    )
    facts = {"organisation": between.owner.code, "answer": decision.answer.value}
    telling.notify(session, request.requester_id, ANALYSTS, "disclosure.released", request, facts)


def _tell_of_glass(matter: _Matter) -> None:
    """The officers of both sides at once, as with Art. 22(2) of Regulation (EU) 2016/794."""
    session, request, between = matter.session, matter.request, matter.between
    facts = {"organisation": between.requester.code, "owner": between.owner.code}
    telling.notify(session, request.owner_id, DECIDERS, "disclosure.glass", request, facts)
    telling.notify(session, request.requester_id, OFFICERS, "disclosure.glass", request, facts)


def _shown(matter: _Matter) -> ShownRequest:
    matter.session.flush()
    (found,) = shown(matter.session, [matter.request], matter.at, to_owner=True, whole=True)
    return replace(found, envelopes=_asked_parts(matter.session, matter.request))

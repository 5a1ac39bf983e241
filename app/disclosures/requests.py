"""The verbs of a requester: ask, answer a question, withdraw, and read one's own requests.

Asking names one indicator that one's own lookup found and that the policies let one ask for now;
whatever else is named is answered like what does not exist. Nothing is asked in bulk.
"""

import hmac
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.disclosures import asymmetry, clocks, messages, proposals, storage, telling
from app.disclosures.asymmetry import Asking
from app.disclosures.messages import Sent, wrong
from app.disclosures.models import DisclosureRequest
from app.disclosures.shown import ShownRequest, shown
from app.disclosures.storage import FoundHit, Wanted
from app.disclosures.telling import APPROVERS, Sides
from app.disclosures.transitions import Act, after, shown_to_requester
from app.errors import ConflictError, InvalidRequestError, NotFoundError, QuotaSpentError
from app.indicators import envelopes
from app.public_ids import new_public_id
from app.runtime import runtime
from app.sharing.visibility import METADATA, REQUEST
from postern.vocabulary import (
    MessageKind,
    RequestedAction,
    RequestState,
    SealedPart,
    Urgency,
)

_WINDOW = timedelta(days=1)
_TAG_SIZE = 16  # bytes


class RequestOpenError(ConflictError):
    """The organisation asked for the same indicator already; `request` is its own request."""

    code = "disclosure-open"
    title = "Your organisation has an open request on this indicator already"
    remedy = "Read that request, named in request; ask again when it is decided."


class CaseRequestsSpentError(QuotaSpentError):
    """As many requests of one case went to one owner as may go there in a day."""

    code = "disclosure-case-requests"
    title = "Too many requests of this case went to this organisation within a day"
    remedy = "Ask for what is most needed first; what is asked in bulk is not given."


class CaseTags:
    """Recognises requests of one case without keeping the case; one for the process."""

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, b"postern/disclosure-case/v1", "sha256")

    def tag(self, organisation_id: int, case: str) -> bytes:
        """16 bytes; the same case of another organisation has another tag."""
        written = " ".join(unicodedata.normalize("NFKC", case).casefold().split())
        named = organisation_id.to_bytes(8, "big") + written.encode()
        return hmac.digest(self._key, named, "sha256")[:_TAG_SIZE]


@dataclass(frozen=True, slots=True)
class Page:
    """Requests, newest first; `next` is the cursor of the following page, None on the last."""

    requests: list[ShownRequest]
    next: UUID | None


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of an owner, beside the indicator."""

    case: str
    urgency: Urgency
    asked: Sequence[SealedPart]
    action: RequestedAction
    message: Sent | None


def ask(
    session: Session, caller: Caller, *, lookup: UUID, indicator: UUID, question: Question
) -> ShownRequest:
    """Ask the owner of an indicator for parts of it.

    NotFoundError unless one's own lookup found it and the policies let its profile request it now;
    for a threat to life metadata suffices, and a message must say why. Raises InvalidRequestError
    for what the sectors' rules forbid, RequestOpenError, CaseRequestsSpentError,
    KeysNotPublishedError and SuspendedError.
    """
    organisation_id, person_id = caller.member
    at = clock.now()
    storage.hold_asking(session, organisation_id)
    hit = storage.hit(session, organisation_id, lookup, indicator, at.date())
    least = METADATA if question.urgency is Urgency.LIFE else REQUEST
    if hit is None:
        raise NotFoundError
    if hit.owner_id == organisation_id:
        raise wrong("indicator", "It is your organisation's own: nobody has to be asked.")
    if not storage.is_visible(session, hit.profile_id, hit.indicator_id, at, least):
        raise NotFoundError
    opened = storage.open_request(session, organisation_id, indicator)
    if opened is not None:
        raise RequestOpenError(request=str(opened))
    tag = runtime().part(CaseTags).tag(organisation_id, question.case)
    _check_bulk(session, organisation_id, hit.owner_id, tag, at)
    held = envelopes.of_indicator(session, hit.indicator_id, question.asked)
    settings = runtime().settings.disclosure
    begun = clocks.begun(question.urgency, at, settings, is_held=bool(held))
    request = DisclosureRequest(
        public_id=new_public_id(at),
        requester_id=organisation_id,
        person_id=person_id,
        owner_id=hit.owner_id,
        indicator=indicator,
        indicator_id=hit.indicator_id,
        kind=hit.kind,
        role=hit.role,
        lookup=lookup,
        profile_id=hit.profile_id,
        purpose=hit.purpose,
        legal_basis=hit.legal_basis,
        case_tag=tag,
        urgency=question.urgency,
        asked=[part.value for part in SealedPart if part in question.asked],
        action=question.action,
        state=RequestState.OPEN,
        made_at=at,
        due_at=begun.due_at,
        lapses_at=begun.lapses_at,
        allowed_seconds=int(begun.allowed.total_seconds()),
        wakes_at=None,
        questioned_at=None,
        reminders=0,
        escalated_at=None,
        closed_at=None,
    )
    request.wakes_at = clocks.next_wake(request, at)
    between = telling.sides(session, request)
    between.require_active()
    _check_rules(hit, between, question)
    # What could never be delivered is not asked for.
    messages.entries(session, organisation_id, between.requester, at)
    session.add(request)
    session.flush()
    if question.message is not None:
        messages.add(
            session, request, between, question.message, MessageKind.ASK, by_owner=False, at=at
        )
    _tell_asked(session, caller, request, between, question.case)
    session.flush()
    return shown(session, [request], at, to_owner=False, whole=True)[0]


def answer(session: Session, caller: Caller, request_id: UUID, message: Sent) -> ShownRequest:
    """Answer the owner's question; its clock goes on. NotFoundError, RequestStateError."""
    request, at = _own(session, caller, request_id), clock.now()
    state = after(request.state, Act.ANSWER)
    between = telling.sides(session, request)
    messages.add(session, request, between, message, MessageKind.ANSWER, by_owner=False, at=at)
    clocks.go_on(request, at, runtime().settings.disclosure)
    clocks.closed(request, state, at)
    facts = {"organisation": between.requester.code, "urgency": request.urgency.value}
    telling.notify(session, request.owner_id, APPROVERS, "disclosure.answered", request, facts)
    telling.tell_both(session, caller, "disclosure.answer", request, between)
    session.flush()
    return shown(session, [request], at, to_owner=False, whole=True)[0]


def withdraw(session: Session, caller: Caller, request_id: UUID) -> ShownRequest:
    """Withdraw a request that is not decided; what was proposed is erased.

    NotFoundError, RequestStateError.
    """
    request, at = _own(session, caller, request_id), clock.now()
    state = after(request.state, Act.WITHDRAW)
    proposals.drop(session, request, at)
    clocks.closed(request, state, at)
    between = telling.sides(session, request)
    facts = {"organisation": between.requester.code}
    telling.notify(session, request.owner_id, APPROVERS, "disclosure.withdrawn", request, facts)
    telling.tell_both(session, caller, "disclosure.withdraw", request, between)
    session.flush()
    return shown(session, [request], at, to_owner=False, whole=True)[0]


def list_asked(
    session: Session,
    caller: Caller,
    *,
    wanted: Wanted,
    limit: int,
    cursor: UUID | None = None,
) -> Page:
    """What the organisation asked of others, newest first; without sealed messages.

    The wanted states are as the requester knows them.
    """
    side = storage.asked_by(caller.member[0])
    if wanted.states is not None:
        known = [each for each in RequestState if shown_to_requester(each) in wanted.states]
        wanted = replace(wanted, states=known)
    rows, following = storage.page(session, side, wanted, limit, cursor)
    telling.tell_listed(session, caller, "asked", rows)
    return Page(shown(session, rows, clock.now(), to_owner=False), following)


def read_asked(session: Session, caller: Caller, request_id: UUID) -> ShownRequest:
    """One request of the organisation, with its messages; NotFoundError for any other."""
    organisation_id, _ = caller.member
    request = storage.found(session, request_id, storage.asked_by(organisation_id))
    if request is None:
        raise NotFoundError
    telling.tell_own(session, caller, "disclosure.read", request)
    return shown(session, [request], clock.now(), to_owner=False, whole=True)[0]


def _own(session: Session, caller: Caller, request_id: UUID) -> DisclosureRequest:
    request = storage.locked(session, request_id, storage.asked_by(caller.member[0]))
    if request is None:
        raise NotFoundError
    return request


def _check_rules(hit: FoundHit, between: Sides, question: Question) -> None:
    asking = Asking(
        between.requester.sector,
        between.owner.sector,
        hit.purpose,
        hit.legal_basis,
        question.action,
    )
    errors = [
        {"field": f"json.{field}", "reason": reason} for field, reason in asymmetry.faults(asking)
    ]
    if question.urgency is Urgency.LIFE and question.message is None:
        reason = "A threat to life needs a sealed message that says what it is."
        errors.append({"field": "json.message", "reason": reason})
    if errors:
        raise InvalidRequestError(errors=errors)


def _check_bulk(
    session: Session, organisation_id: int, owner_id: int, tag: bytes, at: datetime
) -> None:
    most = runtime().settings.disclosure.case_requests
    earlier = storage.asked_since(session, organisation_id, owner_id, tag, at - _WINDOW)
    if len(earlier) >= most:
        again = earlier[-most] + _WINDOW
        seconds = max(1, int((again - at).total_seconds()) + 1)
        raise CaseRequestsSpentError(
            f"{most} requests of this case went to this organisation within a day.",
            headers={"Retry-After": str(seconds)},
            resets_at=again.isoformat(timespec="seconds"),
        )


def _tell_asked(
    session: Session, caller: Caller, request: DisclosureRequest, between: Sides, case: str
) -> None:
    if request.urgency is Urgency.LIFE:
        telling.tell_of_life(session, request, between)
    else:
        facts = {
            "organisation": between.requester.code,
            "urgency": request.urgency.value,
            "kind": request.kind.value,
        }
        telling.notify(session, request.owner_id, APPROVERS, "disclosure.asked", request, facts)
    details = {
        "owner": between.owner.code,
        "urgency": request.urgency.value,
        "asked": request.asked,
        "action": request.action.value,
    }
    telling.tell_both(
        session, caller, "disclosure.ask", request, between, case=case, details=details
    )

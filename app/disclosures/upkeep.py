"""What time does to requests: clocks, lapses, reviews that are due, and erasure.

The duties take locked rows in batches, so that several processes never do the same twice. What they
do stands in the log of both sides as the platform's own act.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from app import clock
from app.access import CONSOLE, Caller
from app.audit.service import append
from app.disclosures import clocks, deliveries, proposals, telling
from app.disclosures.models import Decision, DisclosureMessage, DisclosureRequest
from app.disclosures.telling import ANALYSTS, APPROVERS, DECIDERS
from app.disclosures.transitions import GIVEN, WAITING, Act, after
from app.indicators.hooks import Ending
from app.organisations.service import directory
from app.runtime import runtime
from postern.vocabulary import RequestState, Urgency

BATCH = 100
"""Requests that one call of a duty looks at."""

_REVIEW_REMINDERS = (clocks.REVIEW_WITHIN / 2, timedelta(0))  # before the review is due


def tick(session: Session) -> int:
    """Let the clocks of up to BATCH requests do what is due; returns how many were looked at."""
    at = clock.now()
    requests = session.scalars(
        select(DisclosureRequest)
        .where(
            or_(
                DisclosureRequest.wakes_at <= at,
                # Its indicator ended while it was being asked.
                DisclosureRequest.indicator_id.is_(None) & DisclosureRequest.wakes_at.is_not(None),
            )
        )
        .order_by(DisclosureRequest.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    for request in requests:
        _tick(session, request)
    session.flush()
    return len(requests)


def review(session: Session) -> int:
    """Remind of releases by break-glass that no second person has looked at; returns how many."""
    at = clock.now()
    soon = at + _REVIEW_REMINDERS[0]
    decisions = session.scalars(
        select(Decision)
        .where(
            Decision.review_due_at <= soon,
            Decision.judged_at.is_(None),
            Decision.reminders < len(_REVIEW_REMINDERS),
        )
        .order_by(Decision.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    reminded = 0
    for decision in decisions:
        due_at = decision.review_due_at or at
        passed = sum(due_at - before <= at for before in _REVIEW_REMINDERS)
        if passed <= decision.reminders:
            continue
        decision.reminders = passed
        request = session.get_one(DisclosureRequest, decision.request_id)
        between = telling.sides(session, request)
        facts = {"organisation": between.requester.code, "overdue": due_at <= at}
        telling.notify(session, request.owner_id, DECIDERS, "disclosure.review", request, facts)
        reminded += 1
    return reminded


def end_for(session: Session, caller: Caller, ending: Ending) -> None:
    """End what waits for indicators that end, and what was given where their time is over.

    What was given and is called back is erased by the recall itself.
    """
    requests = session.scalars(
        select(DisclosureRequest)
        .where(
            DisclosureRequest.indicator.in_(ending.indicators),
            DisclosureRequest.state.in_(WAITING | GIVEN),
        )
        .order_by(DisclosureRequest.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    for request in requests:
        if request.state in WAITING:
            _end(session, caller, request)
        elif ending.recalled is None:
            deliveries.erase(session, caller, request, Act.EXPIRE, ending.at)
    session.flush()


def erase_written(session: Session) -> int:
    """Erase the messages of requests that ended without a delivery; returns how many requests."""
    days = runtime().settings.disclosure.delivery_days
    before = clock.now() - timedelta(days=days)
    ended = (RequestState.REFUSED, RequestState.WITHDRAWN, RequestState.LAPSED, RequestState.ENDED)
    requests = session.scalars(
        select(DisclosureRequest)
        .where(
            DisclosureRequest.state.in_(ended),
            DisclosureRequest.closed_at <= before,
            DisclosureRequest.id.in_(
                select(DisclosureMessage.request_id).where(DisclosureMessage.sealed.is_not(None))
            ),
        )
        .order_by(DisclosureRequest.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    deliveries.erase_messages(session, [request.id for request in requests])
    for request in requests:
        between = telling.sides(session, request)
        details = {"messages": True, "state": request.state.value}
        telling.tell_both(session, CONSOLE, "disclosure.erase", request, between, details=details)
    return len(requests)


def forget(session: Session) -> int:
    """Erase the records of requests that ended long ago; returns how many. The log keeps its own.

    They are kept as long as the lookups from which they come.
    """
    days = runtime().settings.retention.lookup_days
    before = clock.now() - timedelta(days=days)
    requests = session.scalars(
        select(DisclosureRequest)
        .where(DisclosureRequest.closed_at <= before, DisclosureRequest.wakes_at.is_(None))
        .order_by(DisclosureRequest.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    members = directory(session)
    told: dict[tuple[str, str], list[str]] = {}
    for request in requests:
        codes = sorted((members[request.requester_id].code, members[request.owner_id].code))
        told.setdefault((codes[0], codes[1]), []).append(str(request.public_id))
    for audience, ids in sorted(told.items()):
        append(
            session,
            CONSOLE,
            "disclosure.forget",
            audience=audience,
            object_type="disclosure_request",
            objects=ids,
        )
    gone = [request.id for request in requests]
    session.execute(delete(DisclosureRequest).where(DisclosureRequest.id.in_(gone)))
    return len(gone)


def _tick(session: Session, request: DisclosureRequest) -> None:
    at = clock.now()
    if request.state not in WAITING:
        request.wakes_at = None
        return
    if request.indicator_id is None:
        _end(session, CONSOLE, request)
        return
    if at >= request.lapses_at:
        _lapse(session, request)
        return
    if not clocks.stands_still(request):
        _remind(session, request)
    if request.urgency is Urgency.LIFE and request.escalated_at != at:
        telling.tell_of_life(session, request, telling.sides(session, request))
    request.wakes_at = clocks.next_wake(request, at)


def _remind(session: Session, request: DisclosureRequest) -> None:
    """Tell who decides that half of the time is over, then most of it, then all."""
    at = clock.now()
    between = telling.sides(session, request)
    facts: dict[str, Any] = {
        "organisation": between.requester.code,
        "urgency": request.urgency.value,
    }
    if at >= request.due_at and request.escalated_at is None:
        request.escalated_at, request.reminders = at, len(clocks.REMINDERS)
        own = {"organisation": between.owner.code, "urgency": request.urgency.value}
        telling.notify(session, request.owner_id, DECIDERS, "disclosure.overdue", request, facts)
        telling.notify(session, request.requester_id, ANALYSTS, "disclosure.late", request, own)
        telling.tell_both(session, CONSOLE, "disclosure.overdue", request, between)
        return
    passed = clocks.passed_reminders(request, at)
    if passed > request.reminders:
        request.reminders = passed
        if request.urgency is not Urgency.LIFE:
            facts |= {"percent": int(100 * clocks.REMINDERS[passed - 1])}
            telling.notify(session, request.owner_id, APPROVERS, "disclosure.due", request, facts)


def _lapse(session: Session, request: DisclosureRequest) -> None:
    _close(session, CONSOLE, request, Act.LAPSE, "disclosure.lapse")
    between = telling.sides(session, request)
    facts = {"organisation": between.requester.code, "owner": between.owner.code}
    telling.notify(session, request.owner_id, DECIDERS, "disclosure.lapsed", request, facts)
    telling.notify(session, request.requester_id, ANALYSTS, "disclosure.lapsed", request, facts)


def _end(session: Session, caller: Caller, request: DisclosureRequest) -> None:
    _close(session, caller, request, Act.END, "disclosure.end")
    between = telling.sides(session, request)
    facts = {"organisation": between.requester.code, "owner": between.owner.code}
    telling.notify(session, request.owner_id, APPROVERS, "disclosure.ended", request, facts)
    telling.notify(session, request.requester_id, ANALYSTS, "disclosure.ended", request, facts)


def _close(
    session: Session, caller: Caller, request: DisclosureRequest, act: Act, told: str
) -> None:
    at = clock.now()
    state = after(request.state, act)
    proposals.drop(session, request, at)
    clocks.closed(request, state, at)
    telling.tell_both(session, caller, told, request, telling.sides(session, request))

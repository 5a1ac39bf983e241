"""The clocks of a disclosure request; those of Directive (EU) 2023/977, Art. 5(1), by default.

Urgent with content that lies sealed at the platform ("direct access"): hours. Urgent otherwise:
days. Everything else: a week. An imminent threat to life: minutes. A clock stands still while a
question waits for the requester, except where a life is at risk. Due and lapse only ever move on.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.config import DisclosureSettings
from app.disclosures.models import DisclosureRequest
from app.disclosures.transitions import WAITING
from postern.vocabulary import RequestState, Urgency

REMINDERS = (0.5, 0.8)
"""Parts of the time after which the approvers are reminded."""

LIFE_AGAIN = timedelta(minutes=15)
"""How often everybody is told again of a threat to life that nobody decided on."""

LIFE_LAPSES = timedelta(days=1)
"""After the clock of a threat to life; an imminent one is over by then, and can be asked anew."""

REVIEW_WITHIN = timedelta(hours=24)
"""In which a second person looks at a release by break-glass."""


@dataclass(frozen=True, slots=True)
class Clock:
    """When a request is due, when it lapses undecided, and how long the owner has."""

    due_at: datetime
    lapses_at: datetime
    allowed: timedelta


def begun(urgency: Urgency, at: datetime, settings: DisclosureSettings, *, is_held: bool) -> Clock:
    """The clock of a request made at `at`; `is_held`: a part of what is asked lies here sealed."""
    if urgency is Urgency.LIFE:
        allowed = timedelta(minutes=settings.life_minutes)
    elif urgency is Urgency.NORMAL:
        allowed = timedelta(days=settings.normal_days)
    elif is_held:
        allowed = timedelta(hours=settings.urgent_direct_hours)
    else:
        allowed = timedelta(days=settings.urgent_days)
    due_at = at + allowed
    return Clock(due_at, due_at + _grace(urgency, settings), allowed)


def question(request: DisclosureRequest, at: datetime, settings: DisclosureSettings) -> None:
    """Let the clock stand still from `at` on; a question that is not answered lapses too."""
    request.questioned_at = at
    grace = _grace(request.urgency, settings)
    request.lapses_at = max(request.lapses_at, at + grace)


def go_on(request: DisclosureRequest, at: datetime, settings: DisclosureSettings) -> None:
    """Let the clock go on at `at` with what was left of it."""
    if request.questioned_at is not None and stands_still(request):
        request.due_at += at - request.questioned_at
        grace = _grace(request.urgency, settings)
        request.lapses_at = max(request.lapses_at, request.due_at + grace)
    request.questioned_at = None


def stands_still(request: DisclosureRequest) -> bool:
    """Whether the owner's time is not counted now: a question waits, and no life is at risk."""
    return request.questioned_at is not None and request.urgency is not Urgency.LIFE


def passed_reminders(request: DisclosureRequest, at: datetime) -> int:
    """How many moments of reminding are over."""
    return sum(_reminder(request, part) <= at for part in REMINDERS)


def next_wake(request: DisclosureRequest, at: datetime) -> datetime | None:
    """When the clock does something next, as seen at `at`; None when it is over."""
    if request.state not in WAITING:
        return None
    moments = [request.lapses_at]
    if request.urgency is Urgency.LIFE:
        moments.append(at + LIFE_AGAIN)
    if not stands_still(request) and request.escalated_at is None:
        moments.append(request.due_at)
        if request.urgency is not Urgency.LIFE:
            moments += [_reminder(request, part) for part in REMINDERS[request.reminders :]]
    return min(moments)


def closed(request: DisclosureRequest, state: RequestState, at: datetime) -> None:
    """Put a request in a state and stop its clock where that state is the end of waiting."""
    if request.state in WAITING and state not in WAITING:
        request.closed_at = at
        request.questioned_at = None
    request.state = state
    request.wakes_at = next_wake(request, at)


def _reminder(request: DisclosureRequest, part: float) -> datetime:
    left = timedelta(seconds=request.allowed_seconds) * (1 - part)
    return request.due_at - left


def _grace(urgency: Urgency, settings: DisclosureSettings) -> timedelta:
    lapse = timedelta(days=settings.lapse_days)
    return min(lapse, LIFE_LAPSES) if urgency is Urgency.LIFE else lapse

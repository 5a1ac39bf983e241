"""What is due for erasure and not erased yet, of everything that ends: how much, and since when.

The conditions are those by which duties erase; a row that a legal hold keeps is not due. Counting
ends at MOST, so that a large backlog does not make the reading slow.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from app import clock, row_security
from app.accounts.models import WebSession
from app.audit.models import AuditErasure, ErasureState
from app.compliance import breaches, subject_requests
from app.compliance.breach_models import Breach
from app.compliance.models import SubjectRequest
from app.disclosures.models import Delivery
from app.indicators.models import Indicator
from app.jobs import draining, notifications
from app.jobs.models import JobState, Notification, Outbox
from app.lookups.budget_models import ValueSeen
from app.lookups.models import Lookup, Watch

MOST = 1_000_000

PATIENCE = timedelta(hours=26)
"""For how long something may be due: duties that erase come round once a day or oftener."""


@dataclass(frozen=True)
class Backlog:
    """`since` is when the oldest of them was due, None where nothing is."""

    count: int
    since: datetime | None

    def lag(self, at: datetime) -> timedelta:
        """For how long the oldest has been due."""
        return timedelta() if self.since is None else max(at - self.since, timedelta())


@dataclass(frozen=True)
class _Ending:
    """Rows that are over: since `due` (a day, a moment or milliseconds) and `kept` after it."""

    due: ColumnElement[Any]
    condition: ColumnElement[bool]
    kept: timedelta = timedelta()


SEEN_BY_ALL = frozenset({"indicators", "jobs", "log-details"})
"""Kinds whose rows a request may count whoever asks; of others it sees its organisation's alone."""


def read(session: Session) -> Mapping[str, Backlog]:
    """The backlog of each kind of rows, by a name of a closed set.

    Within a request on PostgreSQL those kinds only of which all rows are seen there.
    """
    is_bound = row_security.is_asked_for(session)
    return {
        name: _backlog(session, each)
        for name, each in _endings(clock.now()).items()
        if name in SEEN_BY_ALL or not is_bound
    }


def _endings(at: datetime) -> Mapping[str, _Ending]:
    today = at.astimezone(UTC).date()
    return {
        "indicators": _Ending(
            _column(Indicator.expires_on),
            and_(Indicator.expires_on <= today, Indicator.restricted_at.is_(None)),
        ),
        "lookups": _Ending(_column(Lookup.expires_on), Lookup.expires_on <= today),
        "watches": _Ending(
            _column(Watch.expires_on), and_(Watch.ended_at.is_(None), Watch.expires_on <= today)
        ),
        "deliveries": _Ending(
            _column(Delivery.expires_at),
            and_(
                Delivery.expires_at <= at,
                Delivery.erased_at.is_(None),
                Delivery.available_at.is_not(None),
            ),
        ),
        "notifications": _kept(Notification.made_at, at, notifications.KEPT),
        "sessions": _kept(WebSession.expires_at, at, timedelta()),
        "values": _Ending(
            _column(ValueSeen.day), ValueSeen.day < today - timedelta(days=1), timedelta(days=2)
        ),
        "subject-requests": _kept(SubjectRequest.closed_at, at, subject_requests.KEPT),
        "breaches": _kept(Breach.closed_at, at, breaches.KEPT),
        "jobs": _Ending(
            _column(Outbox.ended_at),
            or_(
                and_(
                    Outbox.state == JobState.DONE,
                    Outbox.ended_at < at - draining.KEPT_DONE,
                ),
                and_(
                    Outbox.state == JobState.DEAD,
                    Outbox.ended_at < at - draining.KEPT_DEAD,
                ),
            ),
            draining.KEPT_DONE,
        ),
        "log-details": _Ending(
            _column(AuditErasure.asked_at), AuditErasure.state == ErasureState.WAITING
        ),
    }


def _kept(column: Any, at: datetime, kept: timedelta) -> _Ending:
    return _Ending(_column(column), column < at - kept, kept)


def _column(column: Any) -> ColumnElement[Any]:
    found: ColumnElement[Any] = column
    return found


def _backlog(session: Session, ending: _Ending) -> Backlog:
    rows = select(ending.due.label("due")).where(ending.condition).limit(MOST).subquery()
    count, since = session.execute(select(func.count(rows.c.due), func.min(rows.c.due))).one()
    return Backlog(count, None if since is None else _moment(since) + ending.kept)


def _moment(due: date | datetime | int) -> datetime:
    if isinstance(due, int):
        return clock.moment(due)
    return due if isinstance(due, datetime) else datetime.combine(due, time(), UTC)

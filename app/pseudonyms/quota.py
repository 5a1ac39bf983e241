"""The brake on guessing: evaluations are counted before they are made, and the count is durable.

Blinding hides what is asked, so a member could test a whole register of addresses; only the number
of evaluations stops that. A counter that cannot be written refuses the request: the write is part
of the same transaction as the audit entry, before any element leaves.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from app.clock import now
from app.config import QuotaSettings
from app.errors import QuotaSpentError
from app.pseudonyms.models import EvaluationAllowance, EvaluationBudget, Window
from postern.vocabulary import EvaluationKind

WHOLE_ORGANISATION = 0
"""The person id under which an organisation's total is counted."""


@dataclass(frozen=True)
class Remaining:
    """Evaluations left in the tightest window, and when that window begins again."""

    left: int
    resets_at: datetime


@dataclass(frozen=True)
class Used:
    """How much of one window is used; `person_id` 0 is the whole organisation."""

    person_id: int
    kind: EvaluationKind
    window: Window
    begins: datetime
    ends: datetime
    used: int
    limit: int

    @property
    def left(self) -> int:
        """Evaluations that are left until the window ends."""
        return max(0, self.limit - self.used)


def spend(
    session: Session,
    quota: QuotaSettings,
    *,
    organisation_id: int,
    person_id: int,
    kind: EvaluationKind,
    elements: int,
) -> Remaining:
    """Count `elements` against every window of organisation and person.

    A `person_id` of WHOLE_ORGANISATION counts for the organisation alone.
    QuotaSpentError, with Retry-After, when one of them would be exceeded; the caller's transaction
    then undoes the count, so a refused request costs nothing.
    """
    moment = now()
    tightest = None
    for window, limit in _limits(session, quota, organisation_id, kind).items():
        begins, ends = span(window, moment)
        most_of = {person_id: _share(quota, limit)} | {WHOLE_ORGANISATION: limit}
        for counted, most in sorted(most_of.items()):
            key = {
                "organisation_id": organisation_id,
                "person_id": counted,
                "kind": kind,
                "window": window,
                "window_start": begins,
            }
            used = _add(session, key, elements)
            if used > most:
                raise _spent(window, ends, moment)
            if tightest is None or most - used < tightest.left:
                tightest = Remaining(most - used, ends)
    if tightest is None:
        raise LookupError("no quota is configured")
    return tightest


def remaining(
    session: Session,
    quota: QuotaSettings,
    *,
    organisation_id: int,
    person_id: int,
    kind: EvaluationKind,
) -> Remaining:
    """What is left without counting anything; for pages."""
    moment = now()
    found: list[Remaining] = []
    for window, limit in _limits(session, quota, organisation_id, kind).items():
        begins, ends = span(window, moment)
        person_limit = _share(quota, limit)
        for counted, most in ((WHOLE_ORGANISATION, limit), (person_id, person_limit)):
            key = (organisation_id, counted, kind, window, begins)
            row = session.get(EvaluationBudget, key)
            found.append(Remaining(max(0, most - (row.used if row else 0)), ends))
    return min(found, key=lambda each: each.left)


def standings(session: Session, quota: QuotaSettings, organisation_id: int) -> list[Used]:
    """Every window that is open now: the organisation's, used or not, and those of its people.

    By kind, then the organisation before its people, then from the shortest window.
    """
    moment, found = now(), []
    rows = session.scalars(
        select(EvaluationBudget).where(
            EvaluationBudget.organisation_id == organisation_id,
            EvaluationBudget.window_start >= span(Window.MONTH, moment)[0],
        )
    ).all()
    used = {(row.person_id, row.kind, row.window, row.window_start): row.used for row in rows}
    persons = sorted({row.person_id for row in rows} - {WHOLE_ORGANISATION})
    for kind in EvaluationKind:
        limits = _limits(session, quota, organisation_id, kind)
        for person_id in (WHOLE_ORGANISATION, *persons):
            for window, limit in limits.items():
                begins, ends = span(window, moment)
                counted = used.get((person_id, kind, window, begins))
                if counted is None and person_id != WHOLE_ORGANISATION:
                    continue
                most = limit if person_id == WHOLE_ORGANISATION else _share(quota, limit)
                found.append(Used(person_id, kind, window, begins, ends, counted or 0, most))
    return found


def used_above(
    session: Session, quota: QuotaSettings, organisation_id: int, percent: int, since: datetime
) -> list[Used]:
    """The windows that end after `since` of which more than `percent` was used."""
    rows = session.scalars(
        select(EvaluationBudget).where(
            EvaluationBudget.organisation_id == organisation_id,
            # No window is longer than a month.
            EvaluationBudget.window_start > since - timedelta(days=31),
        )
    ).all()
    limits = {
        kind: _limits(session, quota, organisation_id, kind) for kind in {row.kind for row in rows}
    }
    found = []
    for row in rows:
        limit = limits[row.kind][row.window]
        if row.person_id != WHOLE_ORGANISATION:
            limit = _share(quota, limit)
        begins, ends = span(row.window, row.window_start)
        if ends > since and row.used * 100 > limit * percent:
            found.append(Used(row.person_id, row.kind, row.window, begins, ends, row.used, limit))
    return found


def _share(quota: QuotaSettings, limit: int) -> int:
    """The most that one person may use of an organisation's limit."""
    return limit * quota.person_percent // 100


def _limits(
    session: Session, quota: QuotaSettings, organisation_id: int, kind: EvaluationKind
) -> dict[Window, int]:
    limits = {Window.HOUR: quota.hour, Window.DAY: quota.day, Window.MONTH: quota.month}
    own = select(EvaluationAllowance).where(
        EvaluationAllowance.organisation_id == organisation_id, EvaluationAllowance.kind == kind
    )
    return limits | {each.window: each.elements for each in session.scalars(own)}


def span(window: Window, moment: datetime) -> tuple[datetime, datetime]:
    """When the hour, the day or the month (UTC) of a moment begins, and ends."""
    hour = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    if window is Window.HOUR:
        return hour, hour + timedelta(hours=1)
    day = hour.replace(hour=0)
    if window is Window.DAY:
        return day, day + timedelta(days=1)
    month = day.replace(day=1)
    return month, (month + timedelta(days=32)).replace(day=1)


def _add(session: Session, key: Mapping[str, Any], elements: int) -> int:
    """Add to the counter and return its new value; the row stays locked until the commit."""
    postgresql = session.get_bind().dialect.name == "postgresql"
    insert = postgresql_insert if postgresql else sqlite_insert
    statement = insert(EvaluationBudget).values(**key, used=elements)
    counted = statement.on_conflict_do_update(
        index_elements=list(key),
        set_={"used": EvaluationBudget.used + elements},
    ).returning(EvaluationBudget.used)
    return int(session.execute(counted).scalar_one())


def _spent(window: Window, ends: datetime, moment: datetime) -> QuotaSpentError:
    seconds = max(1, int((ends - moment).total_seconds()) + 1)
    return QuotaSpentError(
        f"The evaluations of this {window.value} are spent.",
        headers={"Retry-After": str(seconds)},
        window=window.value,
        resets_at=ends.isoformat(timespec="seconds"),
    )

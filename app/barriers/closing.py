"""Counting reports once a week, as they stand when the last week is over.

What the board tells must not change at the moment at which a report comes or goes: each one could
be watched (docs/barrier-methods.md). So nothing is counted while reports are told, changed or
withdrawn; they are counted by the duty after Monday 0:00 UTC. Who may see what, who takes part, and
what has ended by then is asked when somebody reads.

A closing counts the intakes (stat_models) that are new, and those of which something has changed
(noting.py); the others stand as they are. It may take several runs: until it is done the one before
is read. What ends is no longer counted from the Monday before on, though the counting be late.
"""

import secrets
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists, func, insert, or_, select, update
from sqlalchemy.orm import Session

from app.barriers import counting
from app.barriers.methods.disclosure_control import Grain, closed_week, first_day
from app.barriers.stat_models import (
    StatCell,
    StatChange,
    StatClosing,
    StatIntake,
    StatPoint,
    StatShape,
    StatSignal,
)
from app.database import among_pairs
from app.indicators.models import Report, ReportStatus

PERIODS = 13
"""Fours of weeks that are counted, and that the board tells."""

AT_ONCE = 100_000
"""Reports of one run, about. 400,000 with a million indicators took 21 s on PostgreSQL."""

COUNTS = StatCell, StatPoint, StatSignal
_MARK_BITS = 62
_KEYS_AT_ONCE = 400  # of one statement
_Intake = tuple[int, int]  # organisation, day


def close(session: Session, at: datetime, most: int = AT_ONCE) -> int:
    """Count some reports for the closing of the last week that is over; returns how many.

    0 if all of them are counted. Reports are counted again whose intake has changed.
    """
    week = closed_week(at.date())
    newest = _newest(session)
    if newest is None or newest.week < week:
        _begin(session, week, at, newest)
    elif newest.done_at is not None:
        return 0
    return _go_on(session, week, at, most)


def recount(session: Session, at: datetime) -> int:
    """Count all reports of the last week that is over anew, at once; returns how many."""
    for model in (StatIntake, StatShape, StatChange, StatClosing):
        session.execute(delete(model))
    week = closed_week(at.date())
    _begin(session, week, at, None)
    _go_on(session, week, at, None)
    return session.scalars(select(StatClosing.reports)).one()


def newest_closing(session: Session) -> int | None:
    """The number of the week as of whose end reports are counted; None before the first time."""
    return session.scalar(
        select(func.max(StatClosing.week)).where(StatClosing.done_at.is_not(None))
    )


def last_period(week: int) -> int:
    """The number of the last four of weeks that is over with this week."""
    return (week + 1) // Grain.FOUR_WEEKS - 1


def oldest_week(week: int) -> int:
    """The first week that the closing of a week tells; none is before week 0."""
    return max(0, (last_period(week) + 1 - PERIODS) * Grain.FOUR_WEEKS)


def _newest(session: Session) -> StatClosing | None:
    # Whoever closes waits here for another one who does.
    return session.scalar(
        select(StatClosing).order_by(StatClosing.week.desc()).limit(1).with_for_update()
    )


def _begin(session: Session, week: int, at: datetime, newest: StatClosing | None) -> None:
    """Note which intakes are to be counted: new ones, and those that have changed."""
    if newest is not None and newest.done_at is None:
        # It was not done in its week: what it has counted is of this closing now.
        session.execute(
            update(StatIntake).where(StatIntake.since == newest.week).values(since=week)
        )
        session.execute(
            update(StatIntake).where(StatIntake.until == newest.week).values(until=week)
        )
        newest.week = week
        newest.closed_at = at
    else:
        mark = secrets.randbits(_MARK_BITS)
        session.add(StatClosing(week=week, closed_at=at, mark=mark, reports=0))
    session.flush()
    changed = set(_taken(session))
    # The last day that was counted is counted again: what was being stored then was not seen.
    since = None if newest is None else _last_told(session)
    pending = {
        intake: reports
        for intake, reports in _stored(session, week).items()
        if since is None or intake in changed or intake[1] >= since
    }
    _set_aside(session, week, {*pending, *changed})
    rows = [
        {
            "organisation_id": organisation_id,
            "day": told,
            "since": week,
            "reports": reports,
        }
        for (organisation_id, told), reports in sorted(pending.items(), key=_in_time)
    ]
    if rows:
        session.execute(insert(StatIntake), rows)


def _in_time(pending: tuple[_Intake, int]) -> tuple[int, int]:
    (organisation_id, day), _ = pending
    return day, organisation_id


def _taken(session: Session) -> Iterable[_Intake]:
    """The intakes of which something was changed; each is told once."""
    taken = delete(StatChange).returning(StatChange.organisation_id, StatChange.day)
    return [(organisation_id, day) for organisation_id, day in session.execute(taken)]


def _last_told(session: Session) -> int | None:
    """The last day of which an intake was counted; None if none was."""
    return session.scalar(select(func.max(StatIntake.day)))


def _stored(session: Session, week: int) -> dict[_Intake, int]:
    """How many reports of each intake stand at the end of the week."""
    told = counting.told_day(session).label("told")
    ends = counting.number_of_day(first_day(week + 1))
    rows = session.execute(
        select(Report.organisation_id, told, func.count())
        .where(Report.status == ReportStatus.ACTIVE)
        .group_by(Report.organisation_id, told)
    )
    return {(owner, day): reports for owner, day, reports in rows if day < ends}


def _set_aside(session: Session, week: int, intakes: Iterable[_Intake]) -> None:
    """Those that were counted before are read until this closing is done, and no longer."""
    keys = (StatIntake.organisation_id, StatIntake.day)
    chosen = sorted(intakes)
    for start in range(0, len(chosen), _KEYS_AT_ONCE):
        here = among_pairs(keys, chosen[start : start + _KEYS_AT_ONCE])
        session.execute(delete(StatIntake).where(here, StatIntake.since == week))
        session.execute(
            update(StatIntake)
            .where(here, StatIntake.since < week, StatIntake.until.is_(None))
            .values(until=week)
        )


def _go_on(session: Session, week: int, at: datetime, most: int | None) -> int:
    """Count intakes of up to about `most` reports; the last run makes the closing the one read."""
    waits = (StatIntake.since == week) & StatIntake.counted_at.is_(None)
    pending = session.execute(
        select(StatIntake.id, StatIntake.reports).where(waits).order_by(StatIntake.id)
    ).all()
    chosen: list[int] = []
    reports = 0
    for intake_id, size in pending:
        if most is not None and reports >= most:
            break
        chosen.append(intake_id)
        reports += size
    counted = 0
    if chosen:
        here = StatIntake.id.between(chosen[0], chosen[-1])
        counting.count(session, waits & here, week, oldest_week(week))
        counted = _counted(session, waits & here)
        session.execute(update(StatIntake).where(waits & here).values(counted_at=at))
    if len(chosen) == len(pending):
        _finish(session, week, at)
    return counted


def _counted(session: Session, which: ColumnElement[bool]) -> int:
    summed = select(func.coalesce(func.sum(StatCell.count), 0))
    return int(
        session.scalars(
            summed.where(StatCell.intake_id.in_(select(StatIntake.id).where(which)))
        ).one()
    )


def _finish(session: Session, week: int, at: datetime) -> None:
    """Let the closing be the one that is read, and erase what nobody is told any more."""
    session.execute(delete(StatIntake).where(StatIntake.until <= week))
    session.execute(delete(StatClosing).where(StatClosing.week < week))
    oldest = oldest_week(week)
    for model in COUNTS:
        last, ends = model.week + StatShape.shift, model.week + StatShape.ends
        is_over = or_(last < oldest, ends <= week + 1)
        over = exists().where(StatShape.id == model.shape_id, is_over)
        session.execute(delete(model).where(over))
    is_old = StatIntake.day < counting.number_of_day(first_day(oldest))
    counted = [~exists().where(each.intake_id == StatIntake.id) for each in COUNTS]
    session.execute(delete(StatIntake).where(is_old, *counted))
    used = [~exists().where(each.shape_id == StatShape.id) for each in COUNTS]
    session.execute(delete(StatShape).where(*used))
    total = select(func.coalesce(func.sum(StatCell.count), 0)).scalar_subquery()
    session.execute(update(StatClosing).values(done_at=at, reports=total))

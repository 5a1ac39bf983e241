"""Counting reports once a week, as they stand when the last week is over.

What the board tells must not change at the moment at which a report comes or goes: each one could
be watched (docs/barrier-methods.md). So nothing is counted while reports are told, changed or
withdrawn, which costs them nothing; they are counted as a whole, set-based, by the first run of the
duty after Monday 0:00 UTC. Who may see what, and who takes part, is asked when somebody reads.

A report is counted if it was there at the closing and one of its indicators lives through the week
that begins. What ends is no longer counted from the Monday before on, though the counting be late.
"""

import secrets
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Date,
    Select,
    String,
    Subquery,
    and_,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    type_coerce,
    update,
)
from sqlalchemy.orm import Session

from app.barriers.methods.disclosure_control import Grain, closed_week, first_day
from app.barriers.models import StepTag, StepTagSignal
from app.barriers.planning import large_joins
from app.barriers.stat_models import (
    StatCell,
    StatClosing,
    StatFace,
    StatMember,
    StatPoint,
    StatSet,
    StatSignal,
)
from app.indicators.models import Indicator, Report, ReportStatus

PERIODS = 13
"""Fours of weeks that are counted, and that the board tells."""

_TABLES = StatCell, StatPoint, StatSignal, StatMember, StatSet, StatFace, StatClosing
_MARK_BITS = 55  # a sum of the marks of a hundred faces fits in 63 bits
_EPOCH = date(1970, 1, 1)
_DAYS = 7


def close(session: Session, at: datetime) -> int:
    """Count the reports of the last week that is over; returns how many, 0 if that was done."""
    newest = newest_closing(session)
    if newest is not None and newest >= closed_week(at.date()):
        return 0
    return recount(session, at)


def recount(session: Session, at: datetime) -> int:
    """Count the reports of the last week that is over, also if that was done; returns how many."""
    for model in _TABLES:
        session.execute(delete(model))
    week = closed_week(at.date())
    session.execute(insert(StatClosing).values(week=week, closed_at=at, reports=0))
    with large_joins(session):
        _count(session, week)
    counted = session.scalars(select(func.coalesce(func.sum(StatCell.count), 0))).one()
    session.execute(update(StatClosing).values(reports=counted))
    return int(counted)


def newest_closing(session: Session) -> int | None:
    """The number of the week as of whose end reports are counted; None before the first time."""
    return session.scalar(select(func.max(StatClosing.week)))


def last_period(week: int) -> int:
    """The number of the last four of weeks that is over with this week."""
    return (week + 1) // Grain.FOUR_WEEKS - 1


def _count(session: Session, week: int) -> None:
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    seen = _seen(week, is_sqlite=is_sqlite).cte("seen")
    _store_faces(session, week, seen)
    reports = _faces(week, seen, seen.c.report_id)
    _store_sets(session, week, reports)
    _count_cells(session, week, reports)
    _count_signals(session, week, reports)
    named = select(seen).where(seen.c.code.is_not(None)).cte("named")
    points = _faces(week, named, _point_of(named))
    _store_sets(session, week, points)
    _count_points(session, week, named, points)


def _seen(week: int, *, is_sqlite: bool) -> Select[Any]:
    """What is known of each indicator that is counted."""
    begins = first_day(week + 1)
    # No report can be of a time before week 0; and weeks are counted from there by division.
    oldest = first_day(max(0, (last_period(week) + 1 - PERIODS) * Grain.FOUR_WEEKS))
    return (
        select(
            Indicator.report_id,
            Indicator.organisation_id,
            Indicator.share_class_id,
            ((Indicator.seen_day - _number(first_day(0))) // _DAYS).label("week"),
            _monday(Indicator.expires_on, is_sqlite=is_sqlite).label("ends"),
            Indicator.place["country"].as_string().label("country"),
            Indicator.place["operator"].as_string().label("operator"),
            Indicator.place["code"].as_string().label("code"),
        )
        .join(Report, Report.id == Indicator.report_id)
        .where(
            Report.status == ReportStatus.ACTIVE,
            Report.created_at < datetime.combine(begins, time(), UTC),
            Indicator.restricted_at.is_(None),
            Indicator.seen_day.between(_number(oldest), _number(begins) - 1),
            Indicator.expires_on >= begins + timedelta(weeks=1),
        )
    )


def _store_faces(session: Session, week: int, seen: CTE) -> None:
    found = session.execute(
        select(seen.c.organisation_id, seen.c.share_class_id, seen.c.week, seen.c.ends).distinct()
    ).all()
    rows = [
        {**each._mapping, "closing": week, "mark": secrets.randbits(_MARK_BITS)} for each in found
    ]
    if rows:
        session.execute(insert(StatFace), rows)


def _faces(week: int, seen: CTE, unit: ColumnElement[Any]) -> CTE:
    """The faces of each unit, which is a report, or an induction point of a report."""
    return (
        select(
            unit.label("unit"),
            StatFace.organisation_id,
            StatFace.id.label("face_id"),
            StatFace.mark,
        )
        .select_from(seen)
        .join(
            StatFace,
            and_(
                StatFace.closing == week,
                StatFace.share_class_id == seen.c.share_class_id,
                StatFace.week == seen.c.week,
                StatFace.ends == seen.c.ends,
            ),
        )
        .distinct()
        .cte("faces")
    )


def _marked(faces: CTE) -> Subquery:
    """The mark of each unit's set."""
    mark = cast(func.sum(faces.c.mark), BigInteger)
    return (
        select(faces.c.unit, faces.c.organisation_id, mark.label("mark"))
        .group_by(faces.c.unit, faces.c.organisation_id)
        .subquery()
    )


def _store_sets(session: Session, week: int, faces: CTE) -> None:
    marked = _marked(faces)
    known = exists().where(StatSet.closing == week, StatSet.mark == marked.c.mark)
    new = select(literal(week), marked.c.organisation_id, marked.c.mark).where(~known).distinct()
    session.execute(insert(StatSet).from_select(["closing", "organisation_id", "mark"], new))
    one = (
        select(marked.c.mark, func.min(marked.c.unit).label("unit"))
        .group_by(marked.c.mark)
        .subquery()
    )
    members = (
        select(StatSet.id, faces.c.face_id)
        .join(one, one.c.mark == StatSet.mark)
        .join(faces, faces.c.unit == one.c.unit)
        .where(StatSet.closing == week, ~exists().where(StatMember.set_id == StatSet.id))
    )
    session.execute(insert(StatMember).from_select(["set_id", "face_id"], members))


def _count_cells(session: Session, week: int, faces: CTE) -> None:
    marked = _marked(faces)
    told = [
        func.coalesce(Report.barrier_step, 0).label("step"),
        _text(Report.origin_country, "origin"),
        _text(Report.destination_country, "destination"),
        _text(Report.substance, "substance"),
        _text(Report.concealment, "concealment"),
    ]
    of_report = (
        select(StatSet.id.label("set_id"), *told, Report.key)
        .select_from(marked)
        .join(StatSet, _is_set(week, marked))
        .join(Report, Report.id == marked.c.unit)
        .subquery()
    )
    names = ("set_id", "step", "origin", "destination", "substance", "concealment")
    _insert_counts(session, StatCell, of_report, names)


def _count_signals(session: Session, week: int, faces: CTE) -> None:
    marked = _marked(faces)
    last = (
        select(func.max(StepTag.id))
        .where(StepTag.report_id.is_not(None))
        .group_by(StepTag.report_id)
    )
    of_report = (
        select(
            StatSet.id.label("set_id"),
            func.coalesce(Report.barrier_step, 0).label("step"),
            StepTagSignal.signal,
            Report.key,
        )
        .select_from(marked)
        .join(StatSet, _is_set(week, marked))
        .join(Report, Report.id == marked.c.unit)
        .join(StepTag, StepTag.report_id == Report.id)
        .join(StepTagSignal, StepTagSignal.tag_id == StepTag.id)
        .where(StepTag.id.in_(last))
        .subquery()
    )
    _insert_counts(session, StatSignal, of_report, ("set_id", "step", "signal"))


def _count_points(session: Session, week: int, named: CTE, faces: CTE) -> None:
    marked = _marked(faces)
    of_report = (
        select(
            StatSet.id.label("set_id"),
            named.c.country,
            named.c.operator,
            named.c.code,
            Report.id,
            Report.key,
        )
        .select_from(marked)
        .join(StatSet, _is_set(week, marked))
        .join(named, _point_of(named) == marked.c.unit)
        .join(Report, Report.id == named.c.report_id)
        .distinct()
        .subquery()
    )
    _insert_counts(session, StatPoint, of_report, ("set_id", "country", "operator", "code"))


def _insert_counts(session: Session, model: Any, of_report: Subquery, names: Any) -> None:
    columns = [of_report.c[name] for name in names]
    sums = select(*columns, func.count(), cast(func.sum(of_report.c.key), BigInteger))
    session.execute(insert(model).from_select([*names, "count", "keys"], sums.group_by(*columns)))


def _is_set(week: int, marked: Subquery) -> ColumnElement[bool]:
    return and_(StatSet.closing == week, StatSet.mark == marked.c.mark)


def _point_of(named: CTE) -> ColumnElement[str]:
    """A report and one of its induction points as one text; no name of a point has a bar."""
    parts = (named.c.country, named.c.operator, named.c.code)
    text: ColumnElement[str] = cast(named.c.report_id, String)
    for part in parts:
        text = text + "|" + part
    return text


def _text(column: Any, name: str) -> ColumnElement[str]:
    return func.coalesce(type_coerce(column, String), "").label(name)


def _monday(day: Any, *, is_sqlite: bool) -> ColumnElement[date]:
    """The Monday of a day's week."""
    if is_sqlite:
        return type_coerce(func.date(day, "-6 days", "weekday 1"), Date)
    return cast(func.date_trunc("week", day), Date)


def _number(day: date) -> int:
    return (day - _EPOCH).days

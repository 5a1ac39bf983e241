"""Counting the reports of intakes, set-based: cells, induction points and signals by shape.

A report is counted if it stands, and one of its indicators lives through the week that begins.
What lasts no longer than that can never be told again, and is left out.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    DateTime,
    Integer,
    Select,
    String,
    Subquery,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session, aliased

from app.barriers.methods.disclosure_control import first_day
from app.barriers.models import StepTag, StepTagSignal
from app.barriers.planning import large_joins
from app.barriers.shapes import BETWEEN, WITHIN
from app.barriers.stat_models import (
    StatCell,
    StatIntake,
    StatPoint,
    StatSeen,
    StatShape,
    StatSignal,
)
from app.indicators.models import Indicator, Report, ReportStatus

_EPOCH = date(1970, 1, 1)
_DAYS = 7
_REPORT = ("report_id",)
_POINT = (*_REPORT, "country", "operator", "code")


def count(session: Session, which: ColumnElement[bool], week: int, oldest: int) -> None:
    """Count the reports of the intakes `which` as of the end of a week, back to `oldest`."""
    _look(session, which, week, oldest)
    with large_joins(session):
        of_reports = _shaped(session, select(StatSeen).subquery(), _REPORT)
        _store_shapes(session, of_reports)
        _count_cells(session, of_reports)
        _count_signals(session, of_reports)
        is_named = [getattr(StatSeen, name).is_not(None) for name in _POINT[1:]]
        of_points = _shaped(session, select(StatSeen).where(*is_named).subquery(), _POINT)
        _store_shapes(session, of_points)
        _count_points(session, of_points)
    session.execute(delete(StatSeen))


def told_day(session: Session) -> ColumnElement[int]:
    """The day on which a report was told, since 1970."""
    if _is_sqlite(session):
        return _days(session, func.date(Report.created_at), _EPOCH)
    return _days(session, cast(func.timezone("UTC", Report.created_at), Date), _EPOCH)


def number_of_day(day: date) -> int:
    """The days since 1970."""
    return (day - _EPOCH).days


def _days(session: Session, on: Any, since: date) -> ColumnElement[int]:
    if _is_sqlite(session):
        return cast(func.julianday(on) - func.julianday(since.isoformat()), Integer)
    return type_coerce(on - literal(since, Date), Integer)


def _look(session: Session, which: ColumnElement[bool], week: int, oldest: int) -> None:
    """Keep what is known of each indicator that is counted, until it is."""
    begins = first_day(week + 1)
    seen = {
        "intake_id": StatIntake.id,
        "report_id": Indicator.report_id,
        "organisation_id": Indicator.organisation_id,
        "share_class_id": Indicator.share_class_id,
        "week": (Indicator.seen_day - number_of_day(first_day(0))) // _DAYS,
        "ends": _days(session, Indicator.expires_on, first_day(0)) // _DAYS,
        "country": Indicator.place["country"].as_string(),
        "operator": Indicator.place["operator"].as_string(),
        "code": Indicator.place["code"].as_string(),
    }
    statement = (
        select(*seen.values())
        .select_from(StatIntake)
        .join(Report, _is_of_intake(session))
        .join(Indicator, Indicator.report_id == Report.id)
        .where(
            which,
            Report.status == ReportStatus.ACTIVE,
            Indicator.restricted_at.is_(None),
            Indicator.seen_day >= number_of_day(first_day(oldest)),
            Indicator.expires_on >= begins + timedelta(weeks=1),
        )
    )
    session.execute(insert(StatSeen).from_select([*seen], statement))


def _is_of_intake(session: Session) -> ColumnElement[bool]:
    """That a report was told by the organisation of an intake, on its day."""
    is_of_it = (StatIntake.organisation_id == Report.organisation_id) & (
        StatIntake.day == told_day(session)
    )
    # By moments too: of a few intakes, reports are found by their index.
    if _is_sqlite(session):
        told = type_coerce(Report.created_at, String)
        begins = func.date(_EPOCH.isoformat(), cast(StatIntake.day, String) + " days")
        return is_of_it & (told >= begins) & (told < func.date(begins, "1 day"))
    day = literal(_EPOCH, Date).op("+")(StatIntake.day)
    begins = func.timezone("UTC", cast(day, DateTime))
    ends = func.timezone("UTC", cast(day.op("+")(1), DateTime))
    return is_of_it & (Report.created_at >= begins) & (Report.created_at < ends)


def _shaped(session: Session, seen: Subquery, unit: Sequence[str]) -> Subquery:
    """Each unit with its first week and the faces of its shape.

    A unit is a report, or an induction point of a report.
    """
    first = func.min(seen.c.week).over(partition_by=[seen.c[name] for name in unit])
    placed = select(seen, first.label("begins")).subquery()
    shift, ends = placed.c.week - placed.c.begins, placed.c.ends - placed.c.begins
    share_class = cast(placed.c.share_class_id, String)
    face = share_class + WITHIN + cast(shift, String) + WITHIN + cast(ends, String)
    names = (*unit, "intake_id", "organisation_id", "begins")
    columns = [placed.c[name] for name in names]
    # In order, so that a shape is written in one way; what is not would only be counted apart.
    faces = (
        select(*columns, face.label("face"), shift.label("shift"), ends.label("ends"))
        .distinct()
        .order_by(*columns, "face")
        .subquery()
    )
    written: Any = faces.c.face
    if _is_sqlite(session):
        joined = func.group_concat(written, BETWEEN)
    else:
        joined = func.string_agg(written, aggregate_order_by(literal(BETWEEN), written))
    kept = [faces.c[name] for name in names]
    of_shape = (
        joined.label("faces"),
        func.max(faces.c.shift).label("shift"),
        func.max(faces.c.ends).label("ends"),
    )
    return select(*kept, *of_shape).group_by(*kept).subquery()


def _store_shapes(session: Session, shaped: Subquery) -> None:
    known = select(StatShape.faces, StatShape.organisation_id).subquery()
    names = ("organisation_id", "faces", "shift", "ends")
    new = (
        select(*(shaped.c[name] for name in names))
        .join(
            known,
            (known.c.faces == shaped.c.faces)
            & (known.c.organisation_id == shaped.c.organisation_id),
            isouter=True,
        )
        .where(known.c.faces.is_(None))
        .distinct()
    )
    session.execute(insert(StatShape).from_select([*names], new))


def _count_cells(session: Session, shaped: Subquery) -> None:
    of_report = (
        select(
            *_of_shape(shaped),
            func.coalesce(Report.barrier_step, 0).label("step"),
            _text(Report.origin_country, "origin"),
            _text(Report.destination_country, "destination"),
            _text(Report.substance, "substance"),
            _text(Report.concealment, "concealment"),
            Report.key,
        )
        .select_from(shaped)
        .join(StatShape, _is_shape(shaped))
        .join(Report, Report.id == shaped.c.report_id)
        .subquery()
    )
    _insert_counts(
        session, StatCell, of_report, ("step", "origin", "destination", "substance", "concealment")
    )


def _count_signals(session: Session, shaped: Subquery) -> None:
    later = aliased(StepTag)
    is_last = ~exists().where(later.report_id == StepTag.report_id, later.id > StepTag.id)
    of_report = (
        select(
            *_of_shape(shaped),
            func.coalesce(Report.barrier_step, 0).label("step"),
            StepTagSignal.signal,
            Report.key,
        )
        .select_from(shaped)
        .join(StatShape, _is_shape(shaped))
        .join(Report, Report.id == shaped.c.report_id)
        .join(StepTag, StepTag.report_id == Report.id)
        .join(StepTagSignal, StepTagSignal.tag_id == StepTag.id)
        .where(is_last)
        .subquery()
    )
    _insert_counts(session, StatSignal, of_report, ("step", "signal"))


def _count_points(session: Session, shaped: Subquery) -> None:
    of_report = (
        select(*_of_shape(shaped), shaped.c.country, shaped.c.operator, shaped.c.code, Report.key)
        .select_from(shaped)
        .join(StatShape, _is_shape(shaped))
        .join(Report, Report.id == shaped.c.report_id)
        .subquery()
    )
    _insert_counts(session, StatPoint, of_report, ("country", "operator", "code"))


def _of_shape(shaped: Subquery) -> Sequence[ColumnElement[Any]]:
    return (shaped.c.intake_id, StatShape.id.label("shape_id"), shaped.c.begins.label("week"))


def _is_shape(shaped: Subquery) -> ColumnElement[bool]:
    return (StatShape.faces == shaped.c.faces) & (
        StatShape.organisation_id == shaped.c.organisation_id
    )


def _insert_counts(session: Session, model: Any, of_report: Subquery, names: Sequence[str]) -> None:
    named = ("intake_id", "shape_id", "week", *names)
    columns = [of_report.c[name] for name in named]
    sums: Select[Any] = select(
        *columns, func.count(), cast(func.sum(of_report.c.key), BigInteger)
    ).group_by(*columns)
    session.execute(insert(model).from_select([*named, "count", "keys"], sums))


def _text(column: Any, name: str) -> ColumnElement[str]:
    return func.coalesce(type_coerce(column, String), "").label(name)


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"

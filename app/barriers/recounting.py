"""Whether what stands counted is what counting again gives: closings count only what has changed.

Each intake is counted again beside what stands, and compared; nothing of that is read by anybody. A
difference is told, in the log and to whoever runs the platform, and mended by the next closing on a
Monday, as every other change: what the board tells does not change at another moment.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

import structlog
from sqlalchemy import ColumnElement, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from app.access import CONSOLE
from app.audit.service import append
from app.barriers import counting, shapes
from app.barriers.closing import COUNTS, oldest_week
from app.barriers.stat_models import StatChange, StatClosing, StatIntake, StatShape
from app.organisations.service import directory

log = structlog.get_logger(__name__)

AT_ONCE = 20_000
"""Reports of one call, about."""

_MOST = 2_000  # intakes of one call

_ASIDE = -1  # the closing of what is counted to compare: no closing has the number

_Row = tuple[object, ...]
_Counts = Counter[_Row]


@dataclass(frozen=True, slots=True)
class Difference:
    """An intake whose counts are not those of its reports: how many reports and how many stand."""

    organisation_id: int
    day: date
    stored: int
    counted: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many intakes were compared, and what differed."""

    compared: int
    differences: Sequence[Difference]


def compare(session: Session, at: datetime, most: int = AT_ONCE) -> Comparison:
    """Compare intakes that were not since the last closing, of up to about `most` reports.

    Those that are to be counted anyway are left out; while a closing is under way, all are.
    """
    closing = session.scalar(select(StatClosing).order_by(StatClosing.week.desc()).limit(1))
    if closing is None or closing.done_at is None:
        return Comparison(0, ())
    chosen = _chosen(session, closing, most)
    oldest = oldest_week(closing.week)
    if chosen:
        _set_beside(session, chosen)
        counting.count(session, StatIntake.since == _ASIDE, closing.week, oldest)
    # Asked again: what has changed while it was counted differs rightly.
    changed = _changed(session)
    compared = [each for each in chosen if (each.organisation_id, each.day) not in changed]
    stood = _counts(session, StatIntake.id.in_([each.id for each in compared]), closing.week)
    again = _counts(session, StatIntake.since == _ASIDE, closing.week)
    found = []
    for each in compared:
        key = each.organisation_id, each.day
        if stood[key] != again[key]:
            day = date(1970, 1, 1) + timedelta(days=each.day)
            counts = _reports(stood[key]), _reports(again[key])
            found.append(Difference(each.organisation_id, day, *counts))
    session.execute(delete(StatIntake).where(StatIntake.since == _ASIDE))
    session.execute(
        update(StatIntake)
        .where(StatIntake.id.in_([each.id for each in compared]))
        .values(compared_at=at)
    )
    for difference in found:
        _tell(session, difference)
    return Comparison(len(compared), tuple(found))


def _chosen(session: Session, closing: StatClosing, most: int) -> list[StatIntake]:
    changed = _changed(session)
    rows = session.scalars(
        select(StatIntake)
        .where(
            or_(StatIntake.compared_at.is_(None), StatIntake.compared_at < closing.closed_at),
        )
        .order_by(StatIntake.id)
    )
    chosen: list[StatIntake] = []
    reports = 0
    for each in rows:
        if (each.organisation_id, each.day) in changed:
            continue
        if reports >= most or len(chosen) == _MOST:
            break
        chosen.append(each)
        reports += each.reports
    return chosen


def _changed(session: Session) -> set[tuple[int, int]]:
    rows = session.execute(select(StatChange.organisation_id, StatChange.day).distinct())
    return {(organisation_id, day) for organisation_id, day in rows}


def _set_beside(session: Session, intakes: Sequence[StatIntake]) -> None:
    """The same intakes once more, which nobody reads."""
    rows = [
        {
            "organisation_id": each.organisation_id,
            "day": each.day,
            "since": _ASIDE,
            "until": _ASIDE,
            "reports": each.reports,
        }
        for each in intakes
    ]
    session.execute(insert(StatIntake), rows)


def _counts(
    session: Session, which: ColumnElement[bool], week: int
) -> defaultdict[tuple[int, int], _Counts]:
    """All counts of each intake, by what can still be seen of their shapes."""
    oldest = oldest_week(week)
    found: defaultdict[tuple[int, int], _Counts] = defaultdict(Counter)
    for model in COUNTS:
        names = [each.name for each in model.__table__.columns if each.name not in _KEPT]
        columns = [getattr(model, name) for name in names]
        rows = session.execute(
            select(
                StatIntake.organisation_id,
                StatIntake.day,
                StatShape.faces,
                model.week,
                model.count,
                model.keys,
                *columns,
            )
            .join(StatIntake, StatIntake.id == model.intake_id)
            .join(StatShape, StatShape.id == model.shape_id)
            .where(which)
        )
        for owner, day, faces, begins, count, keys, *named in rows:
            seen = _lasting(faces, begins, oldest, week + 1)
            if seen:
                what = (model.__tablename__, seen, *named)
                found[owner, day][*what, "count"] += count
                found[owner, day][*what, "keys"] += keys
    return found


@lru_cache(maxsize=4096)
def _lasting(written: str, begins: int, oldest: int, until: int) -> _Row:
    """The week in which something is seen first, and the faces that last, from then on."""
    faces = shapes.lasting(shapes.read(written), begins, oldest, until)
    if not faces:
        return ()
    first = min(each.shift for each in faces)
    return (
        begins + first,
        *sorted((each.share_class, each.shift - first, each.ends - first) for each in faces),
    )


def _reports(counts: _Counts) -> int:
    return sum(
        number
        for what, number in counts.items()
        if what[0] == COUNTS[0].__tablename__ and what[-1] == "count"
    )


def _tell(session: Session, difference: Difference) -> None:
    day = counting.number_of_day(difference.day)
    session.add(StatChange(organisation_id=difference.organisation_id, day=day))
    code = directory(session)[difference.organisation_id].code
    told = {
        "day": difference.day.isoformat(),
        "stored": difference.stored,
        "counted": difference.counted,
    }
    log.error("counts of the board differ from the reports", organisation=code, **told)
    append(
        session,
        CONSOLE,
        "barrier.recount",
        audience=[code],
        object_type="barrier-counts",
        objects=[f"{code}/{told['day']}"],
        count=1,
        details=told,
    )


_KEPT = frozenset({"id", "intake_id", "shape_id", "week", "count", "keys"})

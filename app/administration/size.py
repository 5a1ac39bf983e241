"""How large the platform is and how it grows, told cheaply: nothing here reads a whole large table.

What all organisations hold together is nobody's to count exactly: with few members the whole less
one's own is another's. Administrators of the organisation that runs the platform are told the
figures as they are; those of other members one digit of them as noted when the last month ended,
and nothing of small ones. Told live, a digit would turn while one's own reports drive it, and so
count what is another's.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import (
    Integer,
    Table,
    delete,
    func,
    literal,
    literal_column,
    select,
    table,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.administration.models import SizeNote
from app.audit.service import append
from app.database import Base
from app.indicators import service as indicators
from app.indicators.own import Figures
from app.runtime import runtime

COUNTED = 10_000
"""Rows up to which a table is counted; beyond it, its size is estimated."""

SMALLEST = 1_000
"""Rows below which an administrator of another member is told no more than that."""

SMALLEST_BYTES = 10_000_000

MONTHS = 24
_DAILY = 62  # days of which every note is kept; of earlier months, the last of each
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).date()
_BASE = "base"  # the room of what belongs to none


@dataclass(frozen=True)
class Measured:
    """A number as it may be told: `precision` is "exact", "about", "over" or "under"."""

    value: int
    precision: str


@dataclass(frozen=True)
class RoomSize:
    """The tables of one room; `size` in bytes with indexes, None where it cannot be told."""

    room: str
    rows: Measured
    size: Measured | None


@dataclass(frozen=True)
class MonthSize:
    """The newest note of a month; `grown` are the rows since the month before, None at first."""

    month: date
    rows: Measured
    size: Measured | None
    grown: Measured | None


@dataclass(frozen=True)
class Size:
    """All rooms, the largest first; `own` are figures of the caller's organisation, exact."""

    rooms: Sequence[RoomSize]
    total: Measured  # bytes of the database
    months: Sequence[MonthSize]
    own: Figures | None
    is_exact: bool


@dataclass(frozen=True)
class _Counted:
    rows: int
    is_estimate: bool
    is_least: bool  # there are more
    size: int | None  # bytes


def read(session: Session, caller: Caller) -> Size:
    """The size as the caller may know it; the reading is logged."""
    operator = runtime().settings.audit.operator
    is_exact = bool(operator) and caller.organisation == operator
    append(session, caller, "platform.size", object_type="platform")
    own = indicators.figures(session, caller.member[0])
    return _told(session, own, is_exact=is_exact)


def measure(session: Session) -> Size:
    """The same with all figures, for the console."""
    return _told(session, None, is_exact=True)


def note(session: Session) -> int:
    """Note today's size of every room, and forget days that nobody needs; returns how many.

    A duty. Safe to repeat: the later note of a day stands.
    """
    today = clock.day(clock.now())
    measured = _by_room(session)
    make = postgresql_insert if _is_postgresql(session) else sqlite_insert
    for room, found in measured.items():
        values = {"day": today, "room": room, "rows": found.rows, "bytes": found.size or 0}
        statement = make(SizeNote).values(values)
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["day", "room"],
                set_={"rows": found.rows, "bytes": found.size or 0},
            )
        )
    return _forget(session, today)


def rooms_of_tables() -> Mapping[str, str]:
    """The room to which each table belongs, by the table's name."""
    found = {}
    for mapper in Base.registry.mappers:
        if isinstance(mapper.local_table, Table):
            found[mapper.local_table.name] = mapper.class_.__module__.split(".")[1]
    return {name: found.get(name, _BASE) for name in Base.metadata.tables}


def coarse(value: int, smallest: int) -> Measured:
    """One digit of a number, and of a small one only that it is small."""
    if value < smallest:
        return Measured(smallest, "under")
    unit = 10 ** (len(str(value)) - 1)
    return Measured(round(value / unit) * unit, "about")


def _told(session: Session, own: Figures | None, *, is_exact: bool) -> Size:
    by_room = _by_room(session) if is_exact else _noted_by_room(session)
    rooms = [
        RoomSize(room, _rows(found, is_exact=is_exact), _size(found.size, is_exact=is_exact))
        for room, found in by_room.items()
    ]
    rooms.sort(key=lambda each: (-(each.size.value if each.size else 0), -each.rows.value))
    noted = sum(found.size or 0 for found in by_room.values())
    total = _database_bytes(session) if is_exact else noted
    return Size(
        rooms=rooms,
        total=_size(total, is_exact=is_exact) or Measured(total, "exact"),
        months=_months(session, is_exact=is_exact),
        own=own,
        is_exact=is_exact,
    )


def _rows(found: _Counted, *, is_exact: bool) -> Measured:
    if not is_exact:
        return coarse(found.rows, SMALLEST)
    if found.is_least:
        return Measured(found.rows, "over")
    return Measured(found.rows, "about" if found.is_estimate else "exact")


def _size(size: int | None, *, is_exact: bool) -> Measured | None:
    if size is None:
        return None
    return Measured(size, "exact") if is_exact else coarse(size, SMALLEST_BYTES)


def _by_room(session: Session) -> dict[str, _Counted]:
    rooms = rooms_of_tables()
    parts: dict[str, list[_Counted]] = defaultdict(list)
    for name, found in _tables(session, rooms).items():
        parts[rooms[name]].append(found)
    return {room: _sum(found) for room, found in sorted(parts.items())}


def _noted_by_room(session: Session) -> dict[str, _Counted]:
    """What was noted of each room when the last month ended that has a note; else nothing."""
    ended = select(func.max(SizeNote.day)).where(SizeNote.day < _first_of_month())
    noted = select(SizeNote).where(SizeNote.day == ended.scalar_subquery())
    found = {each.room: (each.rows, each.bytes) for each in session.scalars(noted)}
    return {
        room: _Counted(rows, is_estimate=False, is_least=False, size=size or None)
        for room in sorted({*rooms_of_tables().values()})
        for rows, size in [found.get(room, (0, 0))]
    }


def _first_of_month() -> int:
    return clock.day(clock.now().replace(day=1))


def _sum(parts: Iterable[_Counted]) -> _Counted:
    parts = list(parts)
    sizes = [each.size for each in parts if each.size is not None]
    return _Counted(
        rows=sum(each.rows for each in parts),
        is_estimate=any(each.is_estimate for each in parts),
        is_least=any(each.is_least for each in parts),
        size=sum(sizes) if sizes else None,
    )


def _tables(session: Session, names: Iterable[str]) -> dict[str, _Counted]:
    if not _is_postgresql(session):
        return {name: _sqlite_table(session, name) for name in names}
    known = {
        row.name: (int(row.estimate), int(row.unseen), int(row.size))
        for row in session.execute(_POSTGRESQL_TABLES)
    }
    return {name: _postgresql_table(session, name, *known[name]) for name in names if name in known}


_POSTGRESQL_TABLES = text(
    """
    SELECT coalesce(parent.relname, part.relname) AS name,
           sum(greatest(part.reltuples, 0)) AS estimate,
           count(*) FILTER (WHERE part.reltuples < 0) AS unseen,
           sum(pg_total_relation_size(part.oid)) AS size
    FROM pg_class part
    LEFT JOIN pg_inherits ON inhrelid = part.oid
    LEFT JOIN pg_class parent ON parent.oid = inhparent
    WHERE part.relkind = 'r' AND part.relnamespace = 'public'::regnamespace
    GROUP BY 1
    """
)
"""What the server itself believes: no table is read. `unseen` parts it has never looked at."""


def _postgresql_table(
    session: Session, name: str, estimate: int, unseen: int, size: int
) -> _Counted:
    if not unseen and estimate > COUNTED:
        return _Counted(estimate, is_estimate=True, is_least=False, size=size)
    counted = _count(session, name)
    is_least = counted > COUNTED
    return _Counted(max(counted, estimate), is_estimate=is_least, is_least=is_least, size=size)


def _sqlite_table(session: Session, name: str) -> _Counted:
    """Counted while it is small; else the newest row's number, of which some may be gone."""
    counted = _count(session, name)
    if counted <= COUNTED:
        return _Counted(counted, is_estimate=False, is_least=False, size=None)
    if not _has_numbers(name):
        return _Counted(COUNTED, is_estimate=True, is_least=True, size=None)
    newest = select(func.max(literal_column("rowid", Integer))).select_from(table(name))
    highest = session.execute(newest).scalar_one()
    return _Counted(int(highest), is_estimate=True, is_least=False, size=None)


def _count(session: Session, name: str) -> int:
    """The rows, or one more than COUNTED."""
    some = select(literal(1).label("one")).select_from(table(name)).limit(COUNTED + 1).subquery()
    return session.execute(select(func.count()).select_from(some)).scalar_one()


def _has_numbers(name: str) -> bool:
    """Whether SQLite numbers the rows of the table by itself."""
    options = Base.metadata.tables[name].dialect_options["sqlite"]
    return bool(options["with_rowid"])


def _database_bytes(session: Session) -> int:
    if _is_postgresql(session):
        size = text("SELECT pg_database_size(current_database())")
        return int(session.execute(size).scalar_one())
    pages = session.execute(text("PRAGMA page_count")).scalar_one()
    length = session.execute(text("PRAGMA page_size")).scalar_one()
    return int(pages) * int(length)


def _months(session: Session, *, is_exact: bool) -> list[MonthSize]:
    """The newest note of each of the last months, the newest month first."""
    noted = session.execute(
        select(
            SizeNote.day.label("day"),
            func.sum(SizeNote.rows).label("rows"),
            func.sum(SizeNote.bytes).label("size"),
        )
        .where(SizeNote.day < _first_of_month() if not is_exact else true())
        .group_by(SizeNote.day)
        .order_by(SizeNote.day)
    )
    newest = {_day(row.day).replace(day=1): (int(row.rows), int(row.size)) for row in noted}
    found: list[MonthSize] = []
    before: int | None = None
    for month, (rows, size) in newest.items():
        grown = None if before is None else max(0, rows - before)
        found.append(
            MonthSize(
                month=month,
                rows=_plain(rows, is_exact=is_exact),
                size=_size(size, is_exact=is_exact) if size else None,
                grown=None if grown is None else _plain(grown, is_exact=is_exact),
            )
        )
        before = rows
    return found[: -MONTHS - 1 : -1]


def _plain(rows: int, *, is_exact: bool) -> Measured:
    return Measured(rows, "exact") if is_exact else coarse(rows, SMALLEST)


def _forget(session: Session, today: int) -> int:
    """Of months that ended long ago only the last noted day stays."""
    old = sorted(set(session.scalars(select(SizeNote.day).where(SizeNote.day < today - _DAILY))))
    last = {_day(day).replace(day=1): day for day in old}
    gone = [day for day in old if last[_day(day).replace(day=1)] != day]
    if gone:
        session.execute(delete(SizeNote).where(SizeNote.day.in_(gone)))
    return len(gone)


def _day(number: int) -> date:
    return _EPOCH + timedelta(days=number)


def _is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"

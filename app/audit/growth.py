"""How large the log is, how fast it grows, and for how long the disk will do. No personal data."""

import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import BigInteger, func, literal_column, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.archives import all_archives, border
from app.audit.models import AuditCheckpoint, AuditQueue, AuditState
from app.audit.service import append
from app.clock import milliseconds, now
from app.config import Settings

DAYS = 30
"""Days of which the growth is told."""

_DAY = 86_400_000  # milliseconds


@dataclass(frozen=True)
class TableSize:
    """Bytes of a table with its indexes; `months` by partition, newest first, on PostgreSQL."""

    name: str
    size: int
    months: Sequence[tuple[str, int]] = ()


@dataclass(frozen=True)
class Growth:
    """The log as it stands; bytes unless said otherwise."""

    entries: int  # that have a place
    live: int  # of those, in the database
    waiting: int  # for a place
    tables: Sequence[TableSize]
    days: Mapping[date, int]  # entries placed on each of the last days, oldest first
    archives: int
    archived: int  # entries in them
    archive_bytes: int
    database_free: int | None  # None when the database's disk cannot be seen from here
    archive_free: int
    at: datetime

    @property
    def database_bytes(self) -> int:
        """Of all tables of the log."""
        return sum(table.size for table in self.tables)

    @property
    def entry_bytes(self) -> float:
        """Of one live entry; 0 while there is none."""
        return self.database_bytes / self.live if self.live else 0.0

    @property
    def archived_entry_bytes(self) -> float:
        """Of one archived entry; 0 while there is none."""
        return self.archive_bytes / self.archived if self.archived else 0.0

    @property
    def entries_a_day(self) -> float:
        """Over the days that are told, from the first with an entry on."""
        counts = list(self.days.values())
        while counts and not counts[0]:
            counts.pop(0)
        return sum(counts) / len(counts) if counts else 0.0

    @property
    def bytes_a_day(self) -> float:
        """By which the database grows while nothing is archived."""
        return self.entries_a_day * self.entry_bytes

    @property
    def full_on(self) -> date | None:
        """The day on which the database's disk is full at this pace; None when none is in sight."""
        if self.database_free is None or not self.bytes_a_day:
            return None
        left = self.database_free / self.bytes_a_day
        return (self.at + timedelta(days=left)).date() if left < _FAR else None


_FAR = 36_500  # days: beyond it, a date says nothing


def read(session: Session, caller: Caller, settings: Settings) -> Growth:
    """The size and growth of the log; the reading is logged."""
    append(session, caller, "log.growth", object_type="audit-log")
    return measure(session, settings)


def measure(session: Session, settings: Settings) -> Growth:
    """The same, for who logs it otherwise."""
    entries = session.execute(select(AuditState.size)).scalar_one()
    archives = all_archives(session)
    directory = Path(settings.audit.archive)
    return Growth(
        entries=entries,
        live=entries - border(session),
        waiting=session.execute(select(func.count()).select_from(AuditQueue)).scalar_one(),
        tables=_tables(session),
        days=_days(session, now()),
        archives=len(archives),
        archived=sum(archive.count for archive in archives),
        archive_bytes=sum(archive.length for archive in archives),
        database_free=_database_free(session),
        archive_free=_free(directory),
        at=now(),
    )


def _tables(session: Session) -> list[TableSize]:
    if session.get_bind().dialect.name == "sqlite":
        return _sqlite_tables(session)
    sizes: dict[str, int] = defaultdict(int)
    months: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for table, part, size in session.execute(_PARTS):
        sizes[table] += size
        if part != table:
            months[table].append((part.removeprefix(f"{table}_"), size))
    return [
        TableSize(name, size, sorted(months[name], reverse=True))
        for name, size in sorted(sizes.items())
    ]


_PARTS = text(
    """
    SELECT coalesce(parent.relname, part.relname), part.relname, pg_total_relation_size(part.oid)
    FROM pg_class part
    LEFT JOIN pg_inherits ON inhrelid = part.oid
    LEFT JOIN pg_class parent ON parent.oid = inhparent
    WHERE part.relkind = 'r' AND part.relnamespace = 'public'::regnamespace
      AND part.relname LIKE 'audit\\_%'
    """
)


def _sqlite_tables(session: Session) -> list[TableSize]:
    """By table where SQLite was built to tell, else the file as a whole."""
    try:
        with session.begin_nested():
            rows = session.execute(_PAGES).all()
    except OperationalError:
        pages = session.execute(text("PRAGMA page_count")).scalar_one()
        length = session.execute(text("PRAGMA page_size")).scalar_one()
        return [TableSize("database", pages * length)]
    return [TableSize(name, size) for name, size in rows]


_PAGES = text(
    "SELECT s.tbl_name, sum(d.pgsize) FROM dbstat d JOIN sqlite_master s ON s.name = d.name"
    " WHERE s.tbl_name LIKE 'audit\\_%' ESCAPE '\\' GROUP BY s.tbl_name"
    " ORDER BY s.tbl_name"
)


def _days(session: Session, at: datetime) -> dict[date, int]:
    """Entries placed on each day, by the sizes of the checkpoints."""
    since = milliseconds(at) // _DAY - DAYS + 1
    day = literal_column(f"t / {_DAY}", BigInteger)  # bound, PostgreSQL would see two expressions
    by_day = session.execute(
        select(day, func.max(AuditCheckpoint.size))
        .where(AuditCheckpoint.t >= since * _DAY)
        .group_by(day)
    )
    sizes = {int(day): size for day, size in by_day}
    earlier = select(func.max(AuditCheckpoint.size)).where(AuditCheckpoint.t < since * _DAY)
    before = session.execute(earlier).scalar_one() or 0
    days = {}
    for number in range(since, since + DAYS):
        size = sizes.get(number, before)
        days[datetime.fromtimestamp(number * _DAY / 1000, UTC).date()] = size - before
        before = size
    return days


def _database_free(session: Session) -> int | None:
    engine = session.get_bind().engine
    if engine.dialect.name == "sqlite":
        return _free(Path(engine.url.database or ".").parent)
    if (engine.url.host or "/").startswith("/"):
        # Told only to roles that may read all settings; a server elsewhere has another disk.
        place = session.scalar(text("SELECT setting FROM pg_settings WHERE name = :n"), _PLACE)
        if place and Path(place).exists():
            return _free(Path(place))
    return None


_PLACE = {"n": "data_directory"}


def _free(directory: Path) -> int:
    """Free bytes of the disk on which a directory lies, or will."""
    while not directory.exists() and directory != directory.parent:
        directory = directory.parent
    return shutil.disk_usage(directory).free

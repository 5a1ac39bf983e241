"""Months of the log: PostgreSQL keeps one partition of each, made ahead and dropped as a whole.

Partitions belong to the owner of the tables, so both are done by functions of the database that
run as the owner and refuse everything else. SQLite has no partitions.
"""

from datetime import UTC, datetime

from sqlalchemy import Connection, delete, func, select, text
from sqlalchemy.orm import Session

from app.audit.models import (
    AuditArchive,
    AuditAudience,
    AuditDetail,
    AuditEntry,
    AuditObject,
    AuditSeq,
)
from app.clock import milliseconds, now

AHEAD = 3
"""Months for which there are partitions beyond the present one."""

_TABLES = (AuditEntry, AuditDetail, AuditAudience, AuditObject)


def number_of(moment: datetime) -> int:
    """The number of a moment's month in UTC: year * 12 + month - 1."""
    there = moment.astimezone(UTC)
    return there.year * 12 + there.month - 1


def number_at(milliseconds: int) -> int:
    """The same of milliseconds since 1970."""
    return number_of(datetime.fromtimestamp(milliseconds / 1000, UTC))


def first_day(number: int) -> datetime:
    """The beginning of a month, in UTC."""
    return datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)


def beginning(number: int) -> int:
    """The beginning of a month in milliseconds since 1970."""
    return int(first_day(number).timestamp()) * 1000


def make_ahead(session: Session, at: datetime, ahead: int = AHEAD) -> int:
    """Make the partitions that are missing for the month of `at` and the next; returns how many.

    Rows that fell into the partition for what is left move into their month.
    """
    if _is_sqlite(session):
        return 0
    months = {"first": number_of(at), "count": ahead + 1}
    made: int = session.execute(_MAKE, months).scalar_one()
    return made


def leave(session: Session, number: int) -> int | None:
    """Remove a month whose entries all stand in archives; returns how many entries went.

    None when one of them does not, or still waits for its place, or the month has not ended: then
    nothing is removed.
    """
    if not _is_sqlite(session):
        gone: int | None = session.execute(_LEAVE, {"month": number}).scalar_one()
        return gone
    if beginning(number + 1) > milliseconds(now()) or _has_unarchived(session, number):
        return None
    return _delete(session.connection(), number)


def oldest(session: Session) -> int | None:
    """The number of the oldest month of which entries are live; None when there are none."""
    found = session.scalar(select(func.min(AuditEntry.t)))
    return None if found is None else number_at(found)


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


_MAKE = text("SELECT audit_make_months(:first, :count)")
_LEAVE = text("SELECT audit_leave_month(:month)")


def _has_unarchived(session: Session, number: int) -> bool:
    end = func.coalesce(func.max(AuditArchive.first + AuditArchive.count), 0)
    border = session.execute(select(end)).scalar_one()
    left = (
        select(AuditEntry.eid)
        .outerjoin(AuditSeq, AuditSeq.eid == AuditEntry.eid)
        .where(
            AuditEntry.t >= beginning(number),
            AuditEntry.t < beginning(number + 1),
            AuditSeq.idx.is_(None) | (AuditSeq.idx >= border),
        )
        .limit(1)
    )
    return session.execute(left).first() is not None


def _delete(connection: Connection, number: int) -> int:
    """Delete the month's rows with the triggers that refuse it lifted, in this transaction."""
    triggers = connection.execute(_REFUSING).all()
    for trigger in triggers:
        connection.exec_driver_sql(f"DROP TRIGGER {trigger.name}")
    gone = 0
    for table in (*_TABLES, AuditSeq):
        period = (table.t >= beginning(number)) & (table.t < beginning(number + 1))
        count = connection.execute(delete(table).where(period)).rowcount
        gone = count if table is AuditEntry else gone
    for trigger in triggers:
        connection.exec_driver_sql(trigger.sql)
    return gone


_REFUSING = text(
    "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
    " AND name IN ('audit_entry_no_delete', 'audit_audience_no_delete', 'audit_seq_no_delete')"
)

"""Filling the log to a size: entries made by `append`, stored in bulk, placed by the sequencer.

The indexes stay while rows come, and the sequencer takes small steps, so that tables and indexes
have the bytes that they would have grown to.
"""

import multiprocessing
import os
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any

from sqlalchemy import select, text

from app.audit import months
from app.audit.models import (
    AuditAudience,
    AuditDetail,
    AuditEntry,
    AuditObject,
    AuditOrgKey,
    AuditQueue,
)
from app.audit.sequencer import Sequencer
from app.clock import now
from app.database import Database
from bench.audit_acts import acts, rows_of

CHUNK = 2000  # entries of one bulk load
STEP = 1000  # entries of one checkpoint
_SPAN = timedelta(days=20)  # over which the acts are spread; they end before this month begins

_TABLES = {
    table.__tablename__: tuple(table.__table__.columns.keys())
    for table in (AuditEntry, AuditDetail, AuditQueue, AuditAudience, AuditObject)
}
Rows = dict[str, list[tuple[Any, ...]]]


@dataclass(frozen=True)
class _Chunk:
    first: int  # number of its first entry
    moments: Sequence[datetime]
    tag_keys: Mapping[str, bytes]


def fill(database: Database, log: Sequencer, size: int) -> float:
    """Bring the log to `size` entries; returns how many a second the sequencer placed."""
    with database.reading() as session:
        keys = {code: bytes(key) for code, key in session.execute(_TAG_KEYS)}
        last = session.execute(text("SELECT coalesce(max(eid), 0) FROM audit_entry")).scalar_one()
        present = session.execute(text("SELECT count(*) FROM audit_entry")).scalar_one()
    with database.transaction() as session:
        months.make_ahead(session, now() - 2 * _SPAN)
    seconds = 0.0
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        for rows in pool.imap(_made, _chunks(last + 1, size - present, keys)):
            _load(database, rows)
            start = perf_counter()
            while log.step(most=STEP).taken:
                pass
            seconds += perf_counter() - start
    _settle(database)
    return (size - present) / seconds if seconds else 0.0


def _chunks(first: int, count: int, keys: Mapping[str, bytes]) -> Iterator[_Chunk]:
    since = months.first_day(months.number_of(now())) - _SPAN
    pause = _SPAN / max(count, 1)
    for start in range(0, count, CHUNK):
        numbers = range(start, min(start + CHUNK, count))
        yield _Chunk(first + start, [since + number * pause for number in numbers], keys)


def _made(chunk: _Chunk) -> Rows:
    """The rows of a chunk; runs in a process of its own."""
    draw = random.Random(chunk.first)  # noqa: S311 - variety, not secrecy
    rows: Rows = {name: [] for name in _TABLES}
    made = rows_of(acts(draw, chunk.moments[0]), chunk.moments, chunk.tag_keys)
    for eid, values in enumerate(made, chunk.first):
        row = {**values, "eid": eid}
        for table in ("audit_entry", "audit_detail", "audit_queue"):
            rows[table].append(_columns(table, row))
        for org in row["audience"]:
            rows["audit_audience"].append(_columns("audit_audience", {**row, "org": org}))
        for about in row["objects"]:
            rows["audit_object"].append(_columns("audit_object", {**row, "about": about}))
    return rows


def _columns(table: str, row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _TABLES[table])


def _load(database: Database, rows: Rows) -> None:
    with database.transaction() as session:
        driver: Any = session.connection().connection.driver_connection
        for table, columns in _TABLES.items():
            names = ", ".join(columns)
            if database.is_sqlite:
                marks = ", ".join("?" * len(columns))
                driver.executemany(
                    f"INSERT INTO {table} ({names}) VALUES ({marks})",  # noqa: S608 - our own names
                    rows[table],
                )
                continue
            with driver.cursor().copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows[table]:
                    copy.write_row(row)
        if not database.is_sqlite:
            session.execute(
                text("SELECT setval('audit_entry_eid_seq', (SELECT max(eid) FROM audit_entry))")
            )


def _settle(database: Database) -> None:
    """What a server does by itself over time: remove what is dead, and write what is pending."""
    with database.engine.connect() as connection:
        if database.is_sqlite:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.exec_driver_sql("BEGIN")
            return
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.exec_driver_sql("VACUUM ANALYZE")
        connection.exec_driver_sql("CHECKPOINT")


_TAG_KEYS = select(AuditOrgKey.org, AuditOrgKey.key).order_by(AuditOrgKey.epoch)

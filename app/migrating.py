"""Running migrations on a database that is in use: short waits for locks, tries, and who holds one.

On PostgreSQL each migration is a transaction of its own, so that an upgrade that was broken off
goes on where it ended. A statement that waits for a lock lets everybody else wait behind it;
therefore it waits LOCK_TIMEOUT at most, gives way, and is tried again. SQLite has one writer, and
there an upgrade is one transaction.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from app.errors import StartRefusedError

LOCK_TIMEOUT = 3.0  # seconds
TRIES = 10
PAUSE = 2.0  # seconds between two tries

_ONE_AT_A_TIME = 0x506F737465726E  # a key of pg_advisory_lock
_HOLDERS = text(
    "SELECT pid, coalesce(usename, '?') AS role, coalesce(application_name, '') AS application,"
    " state, CAST(extract(epoch FROM now() - xact_start) AS integer) AS seconds"
    " FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND xact_start IS NOT NULL AND backend_type = 'client backend'"
    " AND pid IN (SELECT pid FROM pg_locks JOIN pg_class ON pg_class.oid = relation"
    " WHERE granted AND relnamespace = 'public'::regnamespace) ORDER BY xact_start LIMIT 5"
)


class LockNotHadError(StartRefusedError):
    """A migration did not get its locks; nothing of it was done."""


@dataclass(frozen=True)
class LockPatience:
    """How long a statement waits for a lock, how often a migration is tried, how long between."""

    lock_timeout: float = LOCK_TIMEOUT
    tries: int = TRIES
    pause: float = PAUSE


def guard(connection: Connection, patience: LockPatience) -> None:
    """Let statements of this session wait for locks no longer than that."""
    if connection.dialect.name != "postgresql":
        return
    milliseconds = round(patience.lock_timeout * 1000)
    connection.exec_driver_sql(f"SET lock_timeout = {milliseconds}")
    if connection.in_transaction():
        connection.commit()


def with_patience(
    connection: Connection,
    patience: LockPatience,
    run: Callable[[], None],
    told: Callable[[str], None],
) -> None:
    """Call `run`, which goes on where it ended, until it got its locks; on PostgreSQL.

    `told` hears of each try that was in vain. LockNotHadError names who holds the locks.
    """
    taken = connection.scalar(
        text("SELECT pg_try_advisory_lock(:key)").bindparams(key=_ONE_AT_A_TIME)
    )
    connection.commit()
    if not taken:
        raise LockNotHadError(
            "Another upgrade of this database is running. Wait until it has ended."
        )
    try:
        _try(connection, patience, run, told)
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)").bindparams(key=_ONE_AT_A_TIME))
        connection.commit()


def _try(
    connection: Connection,
    patience: LockPatience,
    run: Callable[[], None],
    told: Callable[[str], None],
) -> None:
    for count in range(1, patience.tries + 1):
        guard(connection, patience)
        try:
            run()
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != "55P03":
                raise
        else:
            return
        connection.rollback()
        holders = _holders(connection)
        if count < patience.tries:
            told(f"Try {count} of {patience.tries} got no lock. {holders}")
            time.sleep(patience.pause)
    raise LockNotHadError(
        f"A migration got no lock in {patience.tries} tries of {patience.lock_timeout:g} seconds,"
        f" and nothing of it was done. {holders} Wait until they have ended or end them, then run"
        " the upgrade again: it goes on where it ended."
    )


def _holders(connection: Connection) -> str:
    """Who holds locks on tables: processes, roles and states, never what they ask."""
    rows = connection.execute(_HOLDERS).all()
    connection.rollback()
    if not rows:
        return "Whoever held it has ended since."
    named = "; ".join(
        f"process {row.pid} of role {row.role}"
        + (f" ({row.application})" if row.application else "")
        + f", {row.state}, since {row.seconds} s"
        for row in rows
    )
    return f"Locks on tables are held by: {named}."

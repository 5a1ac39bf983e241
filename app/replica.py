"""Expensive reading on a standby of PostgreSQL, and never of a state that is older than the act.

Every act writes to the primary: its entry in the log at least. What it only reads may come from a
replica as long as that has everything that was committed before: a policy that was narrowed, a
withdrawal, a recall. So `read_fresh` asks the primary, within the transaction of the act and after
all that the reading depends on, how far its write-ahead log is durable. A commit is durable before
anybody sees it, so the replica, once it has replayed as far, shows at least what the primary
showed. Each statement that follows there takes its own snapshot, later still. Where the replica is
not there yet, is no standby of this very server any more, or fails in whatever way, the primary is
read instead: a replica can be lost at any time, and nobody gets an error for it.

Three things it must not be asked for: what the transaction itself wrote (`keep_to_primary`), locks,
and anything else that writes.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from time import monotonic, sleep
from typing import Any, TypeVar, cast

import structlog
from sqlalchemy import Connection, Dialect, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from app import row_security
from app.database_failures import is_lost
from app.errors import StartRefusedError
from app.patient_connection import Patience, PatientConnection, connect
from app.write_behind import driver, drivers_errors

log = structlog.get_logger(__name__)

T = TypeVar("T")

WAIT_SECONDS = 0.05
"""For how long a reading waits until the replica has replayed what it must show."""

REST_SECONDS = 5.0
"""For how long a replica that is of no use is left alone."""

HURRY_SECONDS = 1.0
"""For how long one that was waited for in vain is not waited for."""

_REPLICA, _HAS_WRITTEN = "replica", "keep_to_primary"  # keys of Session.info
_CONNECT_SECONDS = 2  # a replica may take less time than the primary: there is another server
_CHECK_SECONDS = 1.0  # that the question whether it is fresh may take
_LOOK_SECONDS = 1.0  # that `look` waits
_PAGE = 8192  # bytes of the write-ahead log that are flushed together
_POOL_SECONDS = 0.1
_PAUSES = 0.0005, 0.008  # seconds, between the first two looks and between the last
_CONFLICTS = frozenset({"40001", "40P01"})  # SQLSTATE: replay cancelled the statement


class Outcome(StrEnum):
    """Where a reading went, and why it did not go to the replica."""

    REPLICA = "replica"
    OWN_WRITES = "own-writes"  # the transaction wrote what it reads
    BEHIND = "behind"
    CANCELLED = "cancelled"  # replay needed what the statement held
    BUSY = "busy"  # all connections to it are in use
    DOWN = "down"
    PROMOTED = "promoted"  # it is no standby (any more)
    FOREIGN = "foreign"  # of another server, history or database
    ASYNCHRONOUS = "asynchronous"  # commits are seen before they are durable
    FAILED = "failed"  # any other error there


_USELESS = frozenset({Outcome.DOWN, Outcome.PROMOTED, Outcome.FOREIGN, Outcome.ASYNCHRONOUS})

_REMEDIES = {
    Outcome.PROMOTED: "database.replica_url leads to a server that is no standby. Let it lead to a"
    " standby of the server of database.url, or leave it empty.",
    Outcome.FOREIGN: "database.replica_url leads to a standby of another server, of another history"
    " of this one, or to another database. Make the standby anew from the server of database.url"
    " with pg_basebackup and name the same database, or leave it empty.",
    Outcome.ASYNCHRONOUS: "synchronous_commit is off, on the server of database.url or for a role"
    " or database there, so a replica could lack what is committed. Set it to on, or leave"
    " database.replica_url empty.",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """Which server this is, and how far its log is durable, or replayed, in bytes."""

    position: int
    cluster: int
    timeline: int
    database: str

    def follows(self, primary: "Mark") -> bool:
        """Whether both have one history, of one database."""
        return (self.cluster, self.timeline, self.database) == (
            primary.cluster,
            primary.timeline,
            primary.database,
        )


class Replica:
    """A standby that is read where it is fresh; `watchers` learn where each reading went."""

    def __init__(self, url: Any, pool_size: int, patience: Patience | None) -> None:
        self.watchers: list[Callable[[Outcome], object]] = []
        self.wait_seconds = WAIT_SECONDS
        self._rests_until = self._hurries_until = 0.0
        self._found = Outcome.REPLICA
        self.engine = create_engine(
            url, pool_size=pool_size, pool_timeout=_POOL_SECONDS, hide_parameters=True
        )
        if patience is not None:
            quickly = min(patience.connect, _CONNECT_SECONDS)
            patience = dataclasses.replace(patience, connect=quickly)

        def patient(
            _dialect: Dialect, _record: object, given: tuple[Any, ...], named: dict[str, Any]
        ) -> PatientConnection:
            return connect(given, named, patience)

        event.listen(self.engine, "do_connect", patient)

    def read(self, session: Session, reading: Callable[[Session], T]) -> T:
        """What `reading` finds there, or in `session`, the transaction on the primary."""
        outcome = self._avoided(session)
        if outcome is None:
            try:
                found = self._read(session, reading)
            except _UnfitError as unfit:
                outcome = unfit.outcome
                self._note(outcome)
            else:
                self._note(Outcome.REPLICA)
                self._tell(Outcome.REPLICA)
                return found
        self._tell(outcome)
        return reading(session)

    def look(self, session: Session) -> Outcome:
        """Whether it could be read now; `session` is a transaction on the primary."""
        try:
            self._read(session, lambda _: None, _LOOK_SECONDS)
        except _UnfitError as unfit:
            return unfit.outcome
        return Outcome.REPLICA

    def demand_fit(self, session: Session) -> None:
        """StartRefusedError when it answers and is of no use; one that is down may come back."""
        outcome = self.look(session)
        if session.scalar(text(_ASYNCHRONOUS_FOR_SOME)):
            outcome = Outcome.ASYNCHRONOUS
        if outcome in _REMEDIES:
            raise StartRefusedError(_REMEDIES[outcome])
        if outcome is not Outcome.REPLICA:
            log.warning("the replica is not read", outcome=outcome.value)
        self.dispose()  # a process that forks must not share connections

    def dispose(self) -> None:
        """Close pooled connections."""
        self.engine.dispose()

    def _avoided(self, session: Session) -> Outcome | None:
        if session.info.get(_HAS_WRITTEN):
            return Outcome.OWN_WRITES
        return self._found if monotonic() < self._rests_until else None

    def _read(
        self, session: Session, reading: Callable[[Session], T], wait: float | None = None
    ) -> T:
        primary = _mark_of_primary(session)
        settings = row_security.settings_of(session)
        if wait is None:
            wait = 0.0 if self._is_futile(primary) else self.wait_seconds
        try:
            with Session(self.engine, expire_on_commit=False) as there, there.begin():
                self._demand_fresh(there.connection(), primary, settings, wait)
                return reading(there)
        except PoolTimeoutError:
            raise _UnfitError(Outcome.BUSY) from None
        except DBAPIError as error:
            raise _UnfitError(_outcome_of(error)) from error

    def _is_futile(self, primary: Mark) -> bool:
        """Whether waiting would be in vain.

        Where the log ends with a page, that is as a rule in the midst of a record of a transaction
        that goes on: maybe of this one, which would wait for itself.
        """
        return monotonic() < self._hurries_until or primary.position % _PAGE == 0

    def _demand_fresh(
        self, connection: Connection, primary: Mark, settings: list[str], wait: float
    ) -> None:
        """Begin a transaction there that sees at least what is durable on the primary."""
        # Not REPEATABLE READ: its only snapshot would be that of the question, and so too old.
        begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY"
        asked = "; ".join((begin, *settings, _WHERE_IS_IT))
        until = monotonic() + wait
        pause, longest = _PAUSES
        on = cast("PatientConnection", driver(connection))
        with drivers_errors(connection):
            while True:
                there = _mark_of_replica(on, asked)
                if there is None:
                    raise _UnfitError(Outcome.PROMOTED)
                if not there.follows(primary):
                    raise _UnfitError(Outcome.FOREIGN)
                if there.position >= primary.position:
                    return
                if monotonic() + pause > until:
                    if wait:
                        self._hurries_until = monotonic() + HURRY_SECONDS
                    raise _UnfitError(Outcome.BEHIND)
                sleep(pause)
                pause, asked = min(2 * pause, longest), _WHERE_IS_IT

    def _note(self, outcome: Outcome) -> None:
        """Remember what a reading found, for those that follow."""
        if outcome is Outcome.REPLICA:
            if self._found is not outcome:
                log.info("the replica is read again")
            self._found, self._rests_until = outcome, 0.0
        elif outcome in _USELESS:
            self._rests_until = monotonic() + REST_SECONDS
            if self._found is not outcome:
                log.warning("the replica is not read", outcome=outcome.value)
            self._found = outcome

    def _tell(self, outcome: Outcome) -> None:
        for each in self.watchers:
            each(outcome)


class _UnfitError(Exception):
    """The replica cannot serve this reading."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.value)
        self.outcome = outcome


def read_fresh(session: Session, reading: Callable[[Session], T]) -> T:
    """What `reading` finds in a session that sees all that was committed before this moment.

    It is called with a session on the replica or with `session` itself, at times first with the one
    and then with the other: so it must change nothing, lock nothing, and hand back values alone.
    """
    replica: Replica | None = session.info.get(_REPLICA)
    return reading(session) if replica is None else replica.read(session, reading)


def keep_to_primary(session: Session) -> None:
    """Say that the transaction writes what `read_fresh` would read: no replica can have it."""
    session.info[_HAS_WRITTEN] = True


def described(replica: Replica | None) -> dict[str, Any]:
    """The `info` of a session whose readings may go to the replica."""
    return {} if replica is None else {_REPLICA: replica}


def _mark_of_primary(session: Session) -> Mark:
    connection = session.connection()
    with drivers_errors(connection):
        row = driver(connection).execute(_WHERE_IS_PRIMARY).fetchone()
    if row is None or row[-1] == "off":
        raise _UnfitError(Outcome.ASYNCHRONOUS)
    return Mark(*row[:-1])


def _mark_of_replica(on: PatientConnection, asked: str) -> Mark | None:
    """Where a standby stands, None for a server that is none."""
    told = on.exchange(asked.encode(), within=_CHECK_SECONDS)[-1]
    is_standby, position, *identity = (told.get_value(0, place) or b"" for place in range(5))
    if is_standby != b"t":
        return None
    cluster, timeline, database = identity
    return Mark(int(position or 0), int(cluster), int(timeline), database.decode())


def _outcome_of(error: DBAPIError) -> Outcome:
    if getattr(error.orig, "sqlstate", None) in _CONFLICTS:
        return Outcome.CANCELLED
    return Outcome.DOWN if is_lost(error) else Outcome.FAILED


# What is flushed, not what is written: a standby is sent no more. A server that waits for its disk
# at commit shows nobody a transaction before its end is flushed.
_WHERE_IS_PRIMARY = """
    SELECT pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::bigint, system_identifier,
      ('x' || left(pg_walfile_name(pg_current_wal_flush_lsn()), 8))::bit(32)::int,
      current_database()::text, current_setting('synchronous_commit')
    FROM pg_control_system()
    """

# The timeline of the last checkpoint is known late, that of the least recovery point sooner.
_WHERE_IS_IT = """
    SELECT pg_is_in_recovery(), pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint,
      system_identifier, greatest(timeline_id, min_recovery_end_timeline), current_database()
    FROM pg_control_system(), pg_control_checkpoint(), pg_control_recovery()
    """

_ASYNCHRONOUS_FOR_SOME = r"""
    SELECT EXISTS (
      SELECT 1 FROM pg_db_role_setting s, unnest(s.setconfig) AS told
      WHERE told ~* '^synchronous_commit=(off?|f|fa|fal|fals|false|no?|0)$'
        AND s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())))
    """

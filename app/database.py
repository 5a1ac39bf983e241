"""The database: one declarative base, column types, and the only way to begin a transaction.

Every act of the platform, a read too, appends to the audit log, so every transaction writes. SQLite
has one writer: transactions queue on a side file by `flock` instead of polling, which starves
(measured in docs/audit.md), and begin IMMEDIATE so that a later write cannot fail on a stale read.
"""

import fcntl
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import structlog
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Enum,
    Integer,
    MetaData,
    TypeDecorator,
    any_,
    column,
    create_engine,
    event,
    literal,
    make_url,
    select,
    text,
    tuple_,
)
from sqlalchemy import (
    values as written_rows,
)
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Session

from app import row_security, write_behind
from app.database_failures import lost_commit
from app.patient_connection import Patience, PatientConnection, connect
from app.replica import Replica, described

log = structlog.get_logger(__name__)

BigInt = BigInteger().with_variant(Integer, "sqlite")
"""64-bit key; SQLite only numbers rows by itself for a column called INTEGER."""


class Base(DeclarativeBase):
    """Base of all tables; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Moment(TypeDecorator[datetime]):
    """An aware moment, stored in UTC; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def word(kind: type[Any], length: int = 32) -> Enum:
    """A column for a StrEnum, stored by value; the closed list is checked on the way in and out."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=False,
        length=length,
        values_callable=lambda members: [member.value for member in members],
    )


class Database:
    """An engine and the transactions on it; without `patience` it waits as long as it takes.

    Where there is a replica, `app.replica.read_fresh` may read there within a transaction.
    """

    def __init__(
        self,
        url: str,
        pool_size: int = 5,
        patience: Patience | None = None,
        replica_url: str = "",
    ) -> None:
        self.url = make_url(url)
        self.pool_size = pool_size
        self._is_unattended = False
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            path = Path(self.url.database or "")
            path.parent.mkdir(parents=True, exist_ok=True)
            self._queue: Path | None = path.with_name(path.name + ".queue")
        else:
            self._queue = None
        # hide_parameters: an error of the database must not carry values into a log line.
        waits = {} if patience is None else {"pool_timeout": patience.wait}
        self.engine: Engine = create_engine(
            self.url, pool_size=pool_size, hide_parameters=True, **waits
        )
        if self.is_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        else:

            def patient(
                _dialect: Dialect, _record: object, given: tuple[Any, ...], named: dict[str, Any]
            ) -> PatientConnection:
                return connect(given, named, patience, is_unattended=self._is_unattended)

            event.listen(self.engine, "do_connect", patient)
            event.listen(self.engine, "begin", row_security.begin)
            write_behind.install(self.engine)
        self.replica = Replica(replica_url, pool_size, patience) if replica_url else None
        self._reading = self.engine.execution_options(postern_reading=True)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session whose work is durable when the block ends, and undone when it raises.

        CommitLostError when the connection broke while it was being made durable.
        """
        is_ending = False
        try:
            with (
                self._turn(),
                Session(
                    self.engine, expire_on_commit=False, info=described(self.replica)
                ) as session,
                session.begin(),
            ):
                yield session
                session.flush()
                is_ending = True
        except DBAPIError as error:
            if is_ending and (lost := lost_commit(error)):
                raise lost from error
            raise

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one state and writes nothing; only for what needs no audit entry.

        That is: who is calling, keys and settings that are public, readiness, and tests.
        """
        with Session(self._reading, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def glance(self) -> Iterator[Connection]:
        """A connection for one `Prepared` statement, without a transaction around it.

        On PostgreSQL that is one round trip instead of three.
        """
        with self._reading.connect() as connection:
            if self.is_sqlite:
                yield connection
                return
            on = write_behind.driver(connection)
            on.autocommit = True
            try:
                yield connection
            finally:
                if not on.closed:
                    on.autocommit = False

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with nullcontext() if self._queue is None else self._queue.open("ab") as file:
            if file is not None:
                fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def is_reachable(self) -> bool:
        """Whether a trivial statement succeeds; for readiness checks."""
        with self.reading() as session:
            return bool(session.execute(text("SELECT 1")).scalar_one())

    def work_unattended(self) -> None:
        """From now on wait for no answer longer than `patience.work`: nobody is there to end it."""
        self._is_unattended = True
        self.engine.dispose()  # connections that are open wait for ever

    def demand_replica(self) -> None:
        """StartRefusedError when the replica answers and is none of this server."""
        if self.replica is None:
            return
        try:
            with self.reading() as session:
                self.replica.demand_fit(session)
        except SQLAlchemyError as error:  # of the primary: each request says so
            log.warning("the replica was not examined", exc_info=error)

    def dispose(self) -> None:
        """Close pooled connections."""
        self.engine.dispose()
        if self.replica is not None:
            self.replica.dispose()


def among(session: Session, column: Any, values: Iterable[Any]) -> ColumnElement[bool]:
    """Whether a column has one of the values, of which SQLite takes 32,766.

    On PostgreSQL they are one array, so that the statement is the same for any number of them: it
    is neither written anew nor planned anew.
    """
    wanted = list(values)
    if session.get_bind().dialect.name != "postgresql":
        return cast("ColumnElement[bool]", column.in_(wanted))
    return cast("ColumnElement[bool]", column == any_(literal(wanted, ARRAY(column.type))))


def among_pairs(
    columns: tuple[InstrumentedAttribute[Any], ...], rows: Iterable[tuple[Any, ...]]
) -> ColumnElement[bool]:
    """Whether the columns together are one of the rows, by an index that begins with them.

    The rows are selected from: of a bare list SQLite uses no index, and reads the whole table.
    """
    named = (column(each.key, each.type) for each in columns)
    given = written_rows(*named, name="given").data(list(rows)).cte()
    return tuple_(*columns).in_(select(given))


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy's "begin" event emits BEGIN itself
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",  # NORMAL may lose the last commits at power loss: an unlogged read
        "foreign_keys=ON",
        "secure_delete=ON",
        "recursive_triggers=ON",  # else REPLACE would pass the triggers that protect the log
        "busy_timeout=10000",
        "cache_size=-65536",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    reading = connection.get_execution_options().get("postern_reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

"""What the database and the machine fail at is told as 503, and never as a defect or a hang."""

import errno
import os
import signal
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import psycopg
import pytest
from flask import Flask
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError, OperationalError, PendingRollbackError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.database import Database
from app.database_failures import CommitLostError, refusal_of
from app.errors import OutcomeUnknownError, UnavailableError
from app.patient_connection import Patience
from app.write_behind import driver
from postern.vocabulary import Role, Scope
from tests.app.people import bearer, make_organisation, make_person, runtime_of

SHORT = Patience(connect=2, wait=1, answer=1, work=1)


def _of_sqlite(code: int) -> sqlite3.OperationalError:
    made = sqlite3.OperationalError("it failed")
    made.sqlite_errorcode = code
    return made


def _wrapped(error: Exception) -> DBAPIError:
    return OperationalError(None, None, error)


@pytest.mark.parametrize(
    "error",
    [
        _wrapped(psycopg.OperationalError("the connection is lost")),
        _wrapped(psycopg.errors.AdminShutdown()),
        _wrapped(psycopg.errors.DiskFull()),
        _wrapped(psycopg.errors.LockNotAvailable()),
        _wrapped(psycopg.errors.TooManyConnections()),
        _wrapped(psycopg.errors.DeadlockDetected()),
        _wrapped(psycopg.errors.ReadOnlySqlTransaction()),
        _wrapped(_of_sqlite(sqlite3.SQLITE_BUSY)),
        _wrapped(_of_sqlite(sqlite3.SQLITE_FULL)),
        _wrapped(_of_sqlite(sqlite3.SQLITE_IOERR | 1 << 8)),
        psycopg.OperationalError("the connection is lost"),
        PoolTimeoutError(),
        PendingRollbackError(),
        OSError(errno.ENOSPC, "no space"),
    ],
    ids=lambda error: type(getattr(error, "orig", None) or error).__name__,
)
def test_a_failure_of_the_server_is_refused_and_may_be_tried_again(error: Exception) -> None:
    refusal = refusal_of(error)
    assert isinstance(refusal, UnavailableError)
    assert int(refusal.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    "error",
    [
        ProgrammingError(None, None, psycopg.errors.UndefinedTable()),
        _wrapped(_of_sqlite(sqlite3.SQLITE_ERROR)),
        OSError(errno.ENOENT, "no file"),
        ValueError(),
    ],
    ids=lambda error: type(getattr(error, "orig", None) or error).__name__,
)
def test_a_defect_is_none(error: Exception) -> None:
    assert refusal_of(error) is None


def test_a_lost_commit_is_told_apart() -> None:
    refusal = refusal_of(CommitLostError(None, None, psycopg.OperationalError()))
    assert isinstance(refusal, OutcomeUnknownError)
    assert "nothing was changed" not in refusal.told_remedy


@contextmanager
def _patient(database: Database, pool_size: int = 1) -> Iterator[Database]:
    url = database.url.render_as_string(hide_password=False)
    opened = Database(url, pool_size, SHORT)
    try:
        yield opened
    finally:
        opened.dispose()


on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@on_postgresql
def test_a_connection_that_breaks_during_the_commit_leaves_an_unknown_outcome(
    database: Database,
) -> None:
    with pytest.raises(CommitLostError):
        _break(database, before_commit=False)


@on_postgresql
def test_a_connection_that_breaks_before_the_commit_leaves_none(database: Database) -> None:
    with pytest.raises(DBAPIError) as raised:
        _break(database, before_commit=True)
    assert not isinstance(raised.value, CommitLostError)
    assert isinstance(refusal_of(raised.value), UnavailableError)


def _break(database: Database, *, before_commit: bool) -> None:
    """Lose the connection in a transaction that has written something."""
    with _patient(database) as opened, opened.transaction() as held:
        held.execute(text("CREATE TABLE lost (n int)"))
        driver(held.connection()).pgconn.finish()
        if before_commit:
            held.execute(text("SELECT 1"))


@on_postgresql
def test_a_server_that_is_silent_is_not_waited_for_within_a_request(
    app: Flask, database: Database
) -> None:
    with app.test_request_context(), _patient(database) as opened:
        with pytest.raises(DBAPIError) as raised, opened.transaction() as held:
            held.execute(text("SELECT pg_sleep(60)"))
        assert isinstance(refusal_of(raised.value), UnavailableError)
        with opened.reading() as again:
            assert again.scalar(text("SELECT 1")) == 1


@on_postgresql
def test_a_stopped_server_is_not_waited_for_without_end_by_who_works_unattended(
    database: Database,
) -> None:
    with _patient(database) as opened:
        opened.work_unattended()
        with pytest.raises(DBAPIError) as raised:
            _ask_a_stopped_server(opened)
        assert isinstance(refusal_of(raised.value), UnavailableError)
        with opened.reading() as again:
            assert again.scalar(text("SELECT 1")) == 1


def _ask_a_stopped_server(opened: Database) -> None:
    with opened.transaction() as held:
        process = held.scalar(text("SELECT pg_backend_pid()"))
        assert process is not None
        os.kill(process, signal.SIGSTOP)
        try:
            held.execute(text("SELECT 1"))
        finally:
            os.kill(process, signal.SIGCONT)


@on_postgresql
@pytest.mark.parametrize("command", ["jobs run --once", "audit run --once"])
def test_the_commands_that_run_for_ever_work_unattended(app: Flask, command: str) -> None:
    make_organisation(runtime_of(app).database)
    ran = app.test_cli_runner().invoke(args=command.split())
    assert ran.exit_code == 0, ran.output
    database = runtime_of(app).database
    with database.reading() as session:
        bound = driver(session.connection()).work_seconds
    assert bound == runtime_of(app).settings.database.work_seconds


@on_postgresql
def test_a_server_that_takes_connections_and_says_nothing_is_given_up(database: Database) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host, port = silent.getsockname()
        url = make_url("postgresql+psycopg://nobody@/none").set(host=host, port=port)
        opened = Database(url.render_as_string(), 1, SHORT)
        with pytest.raises(DBAPIError) as raised:
            opened.is_reachable()
    assert isinstance(refusal_of(raised.value), UnavailableError)


@on_postgresql
def test_a_lock_that_is_not_given_is_refused(app: Flask, database: Database) -> None:
    lock = text("LOCK TABLE organisation IN ACCESS EXCLUSIVE MODE")
    with (
        app.test_request_context(),
        database.transaction() as held,
        _patient(database) as opened,
    ):
        held.execute(lock)
        with pytest.raises(DBAPIError) as raised, opened.transaction() as waiting:
            waiting.execute(lock)
    assert isinstance(refusal_of(raised.value), UnavailableError)


def test_a_request_for_which_no_connection_is_free_is_refused_and_not_kept(app: Flask) -> None:
    runtime = runtime_of(app)
    make_organisation(runtime.database)
    headers = bearer(app, make_person(app, "post-be", Role), Scope)
    url = runtime.database.url.render_as_string(hide_password=False)
    runtime.database.dispose()
    runtime.database = Database(url, 1, SHORT)
    with ExitStack() as held:
        for _ in range(11):  # the pool and its overflow
            held.enter_context(runtime.database.engine.connect())
        answer = app.test_client().get("/api/v1/reports", headers=headers)
    assert answer.status_code == 503
    assert answer.get_json()["code"] == "unavailable"
    assert int(answer.headers["Retry-After"]) > 0
    assert app.test_client().get("/api/v1/reports", headers=headers).status_code == 200


@on_postgresql
def test_after_all_sessions_were_ended_one_request_at_most_is_refused(
    app: Flask, database: Database
) -> None:
    make_organisation(database)
    headers = bearer(app, make_person(app, "post-be", Role), Scope)
    _at_once(4, lambda: app.test_client().get("/api/v1/reports", headers=headers))
    with database.engine.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    answers = [
        app.test_client().get("/api/v1/reports", headers=headers).status_code for _ in range(4)
    ]
    assert answers in ([200] * 4, [503, 200, 200, 200])


def _at_once(count: int, do: Callable[[], object]) -> None:
    threads = [threading.Thread(target=do) for _ in range(count)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

"""Statements of which nothing is read: sent with the transaction's next one, or with its COMMIT.

Every act ends by appending to the log and committing. On PostgreSQL both then take one exchange
with the server instead of two or more, and what was appended is as durable as ever when the commit
returns. Nothing changes but when the statements are sent: they keep their place before whatever is
executed after them, and one that fails raises there, or at the commit, which then commits nothing.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

_WAITING = "write_behind"  # key of Connection.info
_MOST = 100  # statements that wait: a long transaction must not keep all of its own in memory


def install(engine: Engine) -> None:
    """Let transactions on `engine`, which is PostgreSQL's, send what waits."""
    event.listen(engine, "begin", _forget)
    event.listen(engine, "before_cursor_execute", _send_before)
    event.listen(engine, "commit", _send_and_commit)
    event.listen(engine, "rollback", _forget)
    event.listen(engine, "rollback_savepoint", _forget)


def send_later(session: Session, statement: str, parameters: Mapping[str, Any]) -> None:
    """Have a statement of psycopg sent within this transaction; what it returns is not read."""
    connection = session.connection()
    waiting = connection.info.setdefault(_WAITING, [])
    waiting.append((statement, parameters))
    if len(waiting) >= _MOST:
        _send(connection)


def driver(connection: Connection) -> "psycopg.Connection[Any]":
    """The driver's connection, for COPY; what waits has been sent."""
    _send(connection)
    return _driver(connection)


@contextmanager
def drivers_errors(connection: Connection) -> Iterator[None]:
    """Raise errors of the driver as SQLAlchemy's of their kind, like those of any statement.

    With a connection that broke, all that wait in the pool are made anew, as SQLAlchemy does.
    """
    try:
        yield
    except psycopg.Error as error:
        is_lost = not connection.invalidated and _driver(connection).closed
        raised = DBAPIError.instance(
            None,
            None,
            error,
            psycopg.Error,
            hide_parameters=True,
            connection_invalidated=is_lost,
            dialect=connection.dialect,
        )
        if is_lost:
            connection.invalidate(error)
            connection.engine.dispose()
        raise raised from error


def _driver(connection: Connection) -> "psycopg.Connection[Any]":
    return cast("psycopg.Connection[Any]", connection.connection.driver_connection)


def _send_before(connection: Connection, *_: object) -> None:
    _send(connection)


def _send_and_commit(connection: Connection) -> None:
    _send(connection, commit=True)


def _forget(connection: Connection, *_: object) -> None:
    if not connection.invalidated:  # else its `info` went with it
        connection.info.pop(_WAITING, None)


def _send(connection: Connection, *, commit: bool = False) -> None:
    """Send what waits, and the COMMIT too: SQLAlchemy's own then finds nothing left to commit."""
    waiting = connection.info.pop(_WAITING, None)
    if not waiting:
        return
    on = _driver(connection)
    with drivers_errors(connection), on.pipeline():
        for statement, parameters in waiting:
            on.execute(statement, parameters)
        if commit:
            on.commit()

"""Connections to PostgreSQL that are not waited for without end.

A server that is stopped, a disk that hangs or a network that swallows packets answers nothing, and
libpq would wait for ever. Here connecting and each exchange with the server, waiting for a lock
included, has its bound: a short one within a request, which is then refused with 503
(`app/database_failures.py`), and a long one in processes that work unattended, which try again. The
connection is closed then, and the transaction undone by the server.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import psycopg
from flask import has_request_context
from psycopg import generators
from psycopg.abc import PQGen
from psycopg.errors import _WaitTimeout, error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

from app.config import DatabaseSettings

T = TypeVar("T")

_FAILED = (ExecStatus.FATAL_ERROR, ExecStatus.BAD_RESPONSE)

_KEEPALIVE = {
    "keepalives": 1,
    "keepalives_idle": 10,  # seconds
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,  # milliseconds that what was sent may stay unacknowledged
}
_IDLE_IN_TRANSACTION = 1800  # seconds after which the server frees what a stalled process holds
_GONE_CLIENT = 10  # seconds between two looks of the server at whether its client is still there


@dataclass(frozen=True)
class Patience:
    """Seconds: to connect, for a free connection of the pool, for an answer within a request, and
    for one to a process that works unattended."""

    connect: int
    wait: int
    answer: int
    work: int | None = None  # as long as it takes

    @classmethod
    def told(cls, database: DatabaseSettings) -> Self:
        """As the settings tell it."""
        return cls(
            database.connect_seconds,
            database.wait_seconds,
            database.answer_seconds,
            database.work_seconds,
        )

    @property
    def arguments(self) -> dict[str, Any]:
        """What `connect` takes, settings of the session included."""
        told = {
            "idle_in_transaction_session_timeout": _IDLE_IN_TRANSACTION * 1000,
            "client_connection_check_interval": _GONE_CLIENT * 1000,
        }
        options = " ".join(f"-c {name}={value}" for name, value in told.items())
        return {"connect_timeout": self.connect, "options": options, **_KEEPALIVE}


class PatientConnection(psycopg.Connection[Any]):
    """Waits for an answer within a request no longer than `answer_seconds`, and elsewhere no longer
    than `work_seconds`; without them for ever."""

    answer_seconds: float | None = None
    work_seconds: float | None = None

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Wait for the server; OperationalError, the connection being closed, when it is late."""
        bound = self.answer_seconds if has_request_context() else self.work_seconds
        if timeout is not None or bound is None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, bound)
        except _WaitTimeout:
            self.pgconn.finish()
            raise psycopg.OperationalError(
                f"the database did not answer within {bound:.0f} seconds"
            ) from None

    def exchange(self, statements: bytes, within: float | None = None) -> list[PGresult]:
        """Send statements without parameters in one round trip; what each of them answered.

        psycopg.Error when one fails, or when they take more than `within` seconds: then the
        connection is closed.
        """
        if self.closed:
            raise psycopg.OperationalError("the connection is closed")
        self.pgconn.send_query(statements)
        try:
            results: list[PGresult] = self.wait(generators.execute(self.pgconn), timeout=within)
        except _WaitTimeout:
            self.pgconn.finish()
            raise psycopg.OperationalError(f"no answer within {within} seconds") from None
        for result in results:
            if result.status in _FAILED:
                raise error_from_result(result)
        return results


def connect(
    positional: tuple[Any, ...],
    named: Mapping[str, Any],
    patience: Patience | None,
    *,
    is_unattended: bool = False,
) -> PatientConnection:
    """Open a connection with these arguments; those of the address go before the bounds.

    Only where it `is_unattended` the bound of work holds.
    """
    if patience is None:
        return PatientConnection.connect(*positional, **named)
    arguments = {**patience.arguments, **named}
    if "options" in named:
        arguments["options"] = f"{patience.arguments['options']} {named['options']}"
    made = PatientConnection.connect(*positional, **arguments)
    made.answer_seconds = patience.answer
    made.work_seconds = patience.work if is_unattended else None
    return made

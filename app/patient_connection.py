"""Connections to PostgreSQL that are not waited for without end.

A server that is stopped, a disk that hangs or a network that swallows packets answers nothing, and
libpq would wait for ever. Here connecting and, within a request, each exchange with the server,
waiting for a lock included, has its bound: then the connection is closed, the transaction undone by
the server, and the request refused with 503 (`app/database_failures.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg
from flask import has_request_context
from psycopg import generators
from psycopg.abc import PQGen
from psycopg.errors import _WaitTimeout, error_from_result
from psycopg.pq import ExecStatus

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
    """Seconds: to connect, for a free connection of the pool, and for an answer to a request."""

    connect: int
    wait: int
    answer: int

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
    """Waits for an answer within a request no longer than `answer_seconds`, elsewhere for ever."""

    answer_seconds: float | None = None

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Wait for the server; OperationalError, the connection being closed, when it is late."""
        if timeout is not None or self.answer_seconds is None or not has_request_context():
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.answer_seconds)
        except _WaitTimeout:
            self.pgconn.finish()
            raise psycopg.OperationalError(
                f"the database did not answer within {self.answer_seconds:.0f} seconds"
            ) from None

    def exchange(self, statements: bytes) -> None:
        """Send statements without parameters in one round trip; psycopg.Error when one fails."""
        if self.closed:
            raise psycopg.OperationalError("the connection is closed")
        self.pgconn.send_query(statements)
        for result in self.wait(generators.execute(self.pgconn)):
            if result.status in _FAILED:
                raise error_from_result(result)


def connect(
    positional: tuple[Any, ...], named: Mapping[str, Any], patience: Patience | None
) -> PatientConnection:
    """Open a connection with these arguments; those of the address go before the bounds."""
    if patience is None:
        return PatientConnection.connect(*positional, **named)
    arguments = {**patience.arguments, **named}
    if "options" in named:
        arguments["options"] = f"{patience.arguments['options']} {named['options']}"
    made = PatientConnection.connect(*positional, **arguments)
    made.answer_seconds = patience.answer
    return made

"""Failures of the database and of the machine that no request can cause, told as refusals.

A server that restarts, connections that are all in use, a full disk, a lock that is not given: the
caller gets 503 with the seconds after which to try again, and never a 500.
"""

import errno
import sqlite3

import psycopg
from sqlalchemy.exc import DBAPIError, OperationalError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.errors import OutcomeUnknownError, PosternError, UnavailableError

_AGAIN_AFTER = {"Retry-After": "2"}  # seconds

_READ_ONLY = "25006"  # SQLSTATE: a server that is no primary any more
_OF_THE_MACHINE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EIO})
_SQLITE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    }
)
_PRIMARY = 0xFF  # of an extended result code of SQLite


class CommitLostError(OperationalError):
    """The connection was lost during a commit: the transaction is durable as a whole, or undone."""


def lost_commit(error: DBAPIError) -> CommitLostError | None:
    """What an error of a commit is when nobody can know whether the server carried it out."""
    if not is_lost(error):
        return None
    return CommitLostError(None, None, error.orig or error, True, True)


def is_lost(error: DBAPIError) -> bool:
    """Whether the connection went with the error."""
    if error.connection_invalidated:
        return True
    # Of a server's refusal psycopg knows the code; without one the connection broke.
    return isinstance(error.orig, psycopg.OperationalError) and (
        error.orig.sqlstate is None or error.orig.sqlstate.startswith("57P")
    )


def refusal_of(error: BaseException) -> PosternError | None:
    """The refusal that a failure is told as, None when it is a defect or a refusal already."""
    if isinstance(error, CommitLostError):
        return OutcomeUnknownError(headers=_AGAIN_AFTER)
    if isinstance(error, PoolTimeoutError):
        return UnavailableError("All connections to the database are in use.", headers=_AGAIN_AFTER)
    if isinstance(error, OSError) and error.errno in _OF_THE_MACHINE:
        return UnavailableError("The machine has no room left.", headers=_AGAIN_AFTER)
    is_failure = isinstance(error, PendingRollbackError) or (
        isinstance(error, DBAPIError) and (error.connection_invalidated or _is_servers(error.orig))
    )
    if is_failure or _is_servers(error):
        return UnavailableError("The database does not answer.", headers=_AGAIN_AFTER)
    return None


def _is_servers(error: BaseException | None) -> bool:
    """Whether the driver tells of the server's state and not of a statement."""
    if isinstance(error, psycopg.Error):
        return isinstance(error, psycopg.OperationalError) or error.sqlstate == _READ_ONLY
    if isinstance(error, sqlite3.OperationalError):
        return getattr(error, "sqlite_errorcode", 0) & _PRIMARY in _SQLITE
    return False

"""Which revision the schema of the database has, and whether this version can serve with it.

An upgrade expands the schema first, while processes of the former version go on with it, and
contracts it releases later. What a schema still serves stands beside its revision, in
`alembic_version.serves`: the oldest revision for which a version may have been made.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from app.database import Database
from app.errors import UnavailableError

BEFORE = "0019"
"""The oldest revision that schemas serve which no migration has contracted yet."""

NOTED_SINCE = "0020"
"""The revision since which a schema says what it serves."""

RESTORING = "restore_in_progress"
"""A table that stands in a database until `python -m app restore` has done all of its work."""

_MIGRATIONS = Path(__file__).parents[1] / "migrations"
_ABSENT = ("UndefinedTable", "no such table")


class SchemaState(StrEnum):
    """How a schema stands to what this version needs."""

    NEWEST = "newest"
    NEWER = "newer"  # of a later version, expanded only: this version serves with it
    OLD = "old"
    TOO_NEW = "too-new"  # contracted since: what this version uses is gone
    RESTORING = "restoring"  # from a backup: what ended since has not been ended again
    UNSEEN = "unseen"  # the database role may not read it


@dataclass(frozen=True)
class Schema:
    """What was found; `present` is "none" where there is no schema."""

    state: SchemaState
    present: str

    @property
    def fits(self) -> bool:
        """Whether this version serves with it; one that cannot be seen is taken to fit."""
        return self.state not in (SchemaState.OLD, SchemaState.TOO_NEW, SchemaState.RESTORING)

    @property
    def fault(self) -> str:
        """What does not fit, in one sentence; empty when all does."""
        told = f"The schema of the database is {self.present}"
        if self.state is SchemaState.OLD:
            return f"{told}, and this version of the platform needs {needed()}."
        if self.state is SchemaState.TOO_NEW:
            return f"{told}, which is of a later version and serves this one ({needed()}) no more."
        if self.state is SchemaState.RESTORING:
            return "The database is being restored, or a restore was broken off."
        return ""

    @property
    def remedy(self) -> str:
        if self.state is SchemaState.TOO_NEW:
            return "Start the later version of the platform."
        if self.state is SchemaState.RESTORING:
            return "Wait for python -m app restore; after one that was broken off, begin it again."
        return "Make a backup, then run as the owner of the tables: python -m app upgrade"


class SchemaMisfitError(UnavailableError):
    code = "schema-misfit"
    title = "The database has another schema than this version of the platform needs"
    remedy = "Tell the platform's administrator; what to do stands in the log of the service."


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(_MIGRATIONS))


@cache
def needed() -> str:
    """The revision of the schema that this version of the platform needs."""
    return _scripts().get_current_head() or ""


@cache
def known() -> frozenset[str]:
    """All revisions of which this version knows."""
    return frozenset(each.revision for each in _scripts().walk_revisions())


def read(connection: Connection) -> Schema:
    """The schema of the database; SQLAlchemyError when the database does not answer."""
    try:
        with connection.begin_nested():
            asked = connection.execute(text("SELECT version_num FROM alembic_version"))
            present = asked.scalar() or "none"
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        is_absent = any(each in f"{type(error.orig).__name__} {error.orig}" for each in _ABSENT)
        return Schema(SchemaState.OLD if is_absent else SchemaState.UNSEEN, "none")
    if _is_restoring(connection):
        return Schema(SchemaState.RESTORING, present)
    if present == needed():
        return Schema(SchemaState.NEWEST, present)
    if present == "none" or present in known():
        return Schema(SchemaState.OLD, present)
    serves = connection.execute(text("SELECT serves FROM alembic_version")).scalar()
    return Schema(SchemaState.NEWER if serves in known() else SchemaState.TOO_NEW, present)


def _is_restoring(connection: Connection) -> bool:
    """Whether a restore has not ended; on SQLite its file has no name yet that anybody opens."""
    if connection.dialect.name != "postgresql":
        return False
    found = connection.execute(text(f"SELECT to_regclass('public.{RESTORING}')")).scalar()
    return found is not None


def look(database: Database) -> Schema:
    """`read`, in a transaction of its own that writes nothing."""
    with database.reading() as session:
        return read(session.connection())


def note_serves(connection: Connection, head: str, scripts: Iterable[Script]) -> None:
    """Write beside the revision `head` what it serves; `scripts` are those applied, newest first.

    A migration that takes something away says by `contracts` since which revision no version uses
    it any more.
    """
    applied = list(scripts)
    if NOTED_SINCE not in {each.revision for each in applied}:
        return
    told = (getattr(each.module, "contracts", None) for each in applied)
    serves = next((each for each in told if each), BEFORE)
    connection.execute(
        text("UPDATE alembic_version SET serves = :serves WHERE version_num = :head"),
        {"serves": serves, "head": head},
    )

"""One consistent state of the database on its way out, and its way back into an empty one.

PostgreSQL: `pg_dump` in the snapshot of a transaction in which tables are counted and the newest
checkpoint is read. SQLite: a copy by its online backup, in which both are done.
"""

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from psycopg.conninfo import make_conninfo
from sqlalchemy import URL, Connection, text

from app.backup.parts import private
from app.config import Settings
from app.database import Database
from app.errors import StartRefusedError
from app.schema_version import RESTORING

_COPY = ".backup-"


@dataclass(frozen=True)
class Snapshot:
    """What is true of the state that `read` gives."""

    backend: str
    server: str  # version of the database's program
    schema: str  # Alembic revision
    counts: dict[str, int]
    checkpoint: dict[str, Any] | None
    archives: list[str]
    role_policies: list[str]  # policies that belong to roles of this server
    read: Callable[[int], bytes]


@contextmanager
def snapshot(settings: Settings) -> Iterator[Snapshot]:
    """The present state; StartRefusedError when the role does not see all of it."""
    database = Database(settings.database.url)
    try:
        with _sqlite(database) if database.is_sqlite else _postgresql(database, settings) as found:
            yield found
    finally:
        database.dispose()


def program(settings: Settings, name: str) -> str:
    """Path of one of PostgreSQL's programs; StartRefusedError when it is not there."""
    found = shutil.which(name, path=settings.backup.programs or None)
    if found is None:
        raise StartRefusedError(
            f"{name} is not found. Install PostgreSQL's client programs, of the server's version"
            " or newer, and name their directory in backup.programs."
        )
    return found


def tables(connection: Connection) -> list[str]:
    """Names of the ordinary and partitioned tables; of a partitioned one the whole alone."""
    if connection.dialect.name == "sqlite":
        statement = (
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
    else:
        statement = (
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relkind IN ('r', 'p') AND NOT relispartition"
        )
    return sorted(name for name in connection.scalars(text(statement)) if name != RESTORING)


def counts(connection: Connection) -> dict[str, int]:
    """Rows of each table."""
    return {
        name: connection.scalar(text(f'SELECT count(*) FROM "{name}"')) or 0  # noqa: S608 - a name
        for name in tables(connection)
    }


def load_sqlite(blocks: Iterator[bytes], path: Path) -> None:
    """Write a database's file, durably."""
    with private(path) as file:
        for block in blocks:
            file.write(block)
        file.flush()
        os.fsync(file.fileno())


def load_postgresql(
    settings: Settings,
    dump: Callable[[], Any],
    url: URL,
    without: list[str],
) -> None:
    """Restore a dump, which `dump` opens anew each time, in one transaction.

    Policies of roles are left out (`TABLE POLICY` in `without`), since this server may not have
    the roles: `python -m app grants` makes them again. StartRefusedError tells what failed.
    """
    restore = program(settings, "pg_restore")
    with tempfile.NamedTemporaryFile("w+", suffix=".list") as wanted:
        listed = _fed([restore, "--list"], dump, {})
        left_out = {f"POLICY public {each}" for each in without}
        for line in listed.splitlines(keepends=True):
            if not any(f" {each} " in line for each in left_out):
                wanted.write(line)
        wanted.flush()
        arguments = ["--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error"]
        target, environment = _address(url)
        _fed([restore, *arguments, "-L", wanted.name, f"--dbname={target}"], dump, environment)


def _fed(command: list[str], dump: Callable[[], Any], environment: dict[str, str]) -> str:
    """Feed a dump to a program, which may take the beginning only; what it printed."""
    with tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as complaint:
        with subprocess.Popen(  # noqa: S603 - PostgreSQL's own programs
            command,
            stdin=subprocess.PIPE,
            stdout=told,
            stderr=complaint,
            env=os.environ | environment,
        ) as running:
            sink = cast("IO[bytes]", running.stdin)
            with suppress(BrokenPipeError), dump() as blocks:
                for block in blocks:
                    sink.write(block)
            with suppress(BrokenPipeError):
                sink.close()
        if running.returncode:
            raise _failed(command[0], complaint)
        told.seek(0)
        return told.read().decode()


@contextmanager
def _postgresql(database: Database, settings: Settings) -> Iterator[Snapshot]:
    with database.engine.connect().execution_options(
        isolation_level="REPEATABLE READ", postgresql_readonly=True
    ) as connection:
        _demand_owner(connection)
        name = connection.scalar(text("SELECT pg_export_snapshot()"))
        target, environment = _address(database.url)
        command = [
            program(settings, "pg_dump"),
            *("--format=custom", "--compress=1", "--no-owner", "--no-privileges"),
            *(f"--exclude-table={RESTORING}", f"--snapshot={name}", f"--dbname={target}"),
        ]
        with (
            tempfile.TemporaryFile() as complaint,
            subprocess.Popen(  # noqa: S603 - PostgreSQL's own programs
                command,
                stdout=subprocess.PIPE,
                stderr=complaint,
                env=os.environ | environment,
            ) as dumping,
        ):
            source = cast("IO[bytes]", dumping.stdout)

            def read(size: int) -> bytes:
                block = source.read(size)
                if not block and dumping.wait():
                    raise _failed(command[0], complaint)
                return block

            try:
                yield _described(connection, read, _role_policies(connection))
            finally:
                if dumping.poll() is None:
                    dumping.kill()


def _demand_owner(connection: Connection) -> None:
    hidden = connection.scalars(
        text(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relkind IN ('r', 'p') AND (row_security_active(oid)"
            " OR NOT has_table_privilege(oid, 'SELECT')) ORDER BY relname"
        )
    ).all()
    if hidden:
        raise StartRefusedError(
            f"This database role does not see all rows ({', '.join(hidden[:3])} ...). Back up as"
            " the owner of the tables: name that role in database.url of the settings for backups."
        )


def _role_policies(connection: Connection) -> list[str]:
    rows = connection.execute(
        text(
            "SELECT tablename, policyname FROM pg_policies WHERE schemaname = 'public'"
            " AND roles <> '{public}' ORDER BY 1, 2"
        )
    )
    return [f"{table} {policy}" for table, policy in rows]


@contextmanager
def _sqlite(database: Database) -> Iterator[Snapshot]:
    path = Path(database.url.database or "")
    if not path.is_file():
        raise StartRefusedError(f"There is no database {path}.")
    for left in path.parent.glob(f"{path.name}{_COPY}*"):
        left.unlink()  # of a run that was killed
    copy = path.with_name(f"{path.name}{_COPY}{os.getpid()}")
    try:
        os.close(os.open(copy, os.O_CREAT | os.O_WRONLY, 0o600))
        _copy_sqlite(path, copy)
        opened = Database(f"sqlite:///{copy}")
        try:
            with opened.engine.connect() as connection, copy.open("rb") as file:
                yield _described(connection, file.read, [])
        finally:
            opened.dispose()
    finally:
        for each in path.parent.glob(f"{copy.name}*"):
            each.unlink(missing_ok=True)


def _copy_sqlite(path: Path, copy: Path) -> None:
    source, target = sqlite3.connect(path), sqlite3.connect(copy)
    try:
        source.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as error:
        raise StartRefusedError(
            f"{path.name} cannot be copied beside itself ({error}). Make room there."
        ) from None
    finally:
        target.close()
        source.close()


def _described(
    connection: Connection, read: Callable[[int], bytes], role_policies: list[str]
) -> Snapshot:
    is_sqlite = connection.dialect.name == "sqlite"
    version = "SELECT sqlite_version()" if is_sqlite else "SHOW server_version"
    newest = connection.execute(
        text("SELECT size, note FROM audit_checkpoint ORDER BY size DESC LIMIT 1")
    ).first()
    return Snapshot(
        backend=connection.dialect.name,
        server=str(connection.scalar(text(version))),
        schema=str(connection.scalar(text("SELECT version_num FROM alembic_version"))),
        counts=counts(connection),
        checkpoint=None
        if newest is None
        else {"size": newest.size, "note": bytes(newest.note).decode()},
        archives=list(connection.scalars(text("SELECT name FROM audit_archive ORDER BY first"))),
        role_policies=role_policies,
        read=read,
    )


def _address(url: URL) -> tuple[str, dict[str, str]]:
    """How PostgreSQL's programs reach a database, the password apart: not for all to read."""
    told: dict[str, Any] = {
        "host": url.host,
        "port": url.port,
        "user": url.username,
        "dbname": url.database,
        **url.query,
    }
    target = make_conninfo(**{key: value for key, value in told.items() if value})
    return target, {"PGPASSWORD": str(url.password)} if url.password else {}


def _failed(command: str, complaint: IO[bytes]) -> StartRefusedError:
    complaint.seek(0)
    words = complaint.read(2000).decode(errors="replace").strip()
    return StartRefusedError(f"{Path(command).name} failed: {words}")

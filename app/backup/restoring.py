"""Bringing a backup back: into an empty database to be served, or into a scratch one to be checked.

Nobody serves a database before all of it is done: on PostgreSQL a table says so from the first
moment (`app/schema_version.py`) and no role but the owner has a right to anything; on SQLite the
file gets its name at the end.
"""

import dataclasses
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import URL, make_url, text
from sqlalchemy.exc import DBAPIError

from app import create_app
from app.access import CONSOLE
from app.audit import adopting, tree
from app.audit.archives import all_archives
from app.audit.high_water import Head, HighWater, StoredMismatchError
from app.audit.keys import signing_keys
from app.audit.sequencer import check_leaves, check_tiles, demand_edge, demand_signature
from app.audit.service import append
from app.backup import journal, parts, replaying, snapshots
from app.backup.encryption import BackupDamagedError, Identities
from app.backup.making import told_now, write_status
from app.backup.replaying import Replayed
from app.config import Settings
from app.database import Database
from app.errors import StartRefusedError
from app.schema_version import RESTORING
from app.secret_files import LOG_KEY
from app.secret_files import read as read_secrets
from postern.private_files import sync_directory
from postern.tlog.hashing import EMPTY_ROOT
from postern.tlog.notes import VerifierKey
from postern.tlog.tiles import root

Tell = Callable[[str], None]

_SCRATCH = "postern_verify_"


@dataclass
class Restored:
    """What a restore did."""

    made_at: str
    head: Head
    sessions: int
    adopted: int
    expired: int
    replayed: Replayed
    covered: dict[str, Any] | None
    mismatch: str = ""


def restore(
    settings: Settings, path: Path, by: Identities, into: str, tell: Tell, *, journaled: bool = True
) -> Restored:
    """Restore a backup and end again what had ended since; StartRefusedError says why not.

    Without `journaled` nothing of the time after the backup is ended again, for whoever has no
    journal: what was erased then comes back.
    """
    settings = dataclasses.replace(
        settings, database=dataclasses.replace(settings.database, url=into or settings.database.url)
    )
    read_secrets(Path(settings.secrets.directory))
    keys = _keys(settings)
    if journaled and not settings.backup.journal:
        raise StartRefusedError(
            "backup.journal is empty, so what was erased or revoked after the backup would come"
            " back. Name the journal's directory, or restore with --without-journal."
        )
    tell(f"Reading all of {path.name} ...")
    manifest = parts.read_manifest(path, by)
    _demand_same_kind(settings, manifest)
    tell(f"Every part is as it was written, at {manifest['made_at']}. Restoring ...")
    if journaled:
        for _ in journal.batches(settings, by, _signed_size(manifest)):
            pass  # before anything is written, that no file is missing or damaged
    with _into(settings, path, by, manifest) as working:
        _upgrade(working)
        _restore_files(settings, path, by)
        database = Database(working.database.url)
        try:
            sessions = _end_access(database)
            tell("Verifying the log ...")
            _verify_log(database, keys, manifest)
            ends: list[replaying.End] = []
            before = _size(database)
            if journaled:
                tell("Taking back the log's entries, and ending again what had ended ...")
                ends = _adopt(settings, database, by, keys)
        finally:
            database.dispose()
        done = _replay(working, ends, before, manifest, sessions)
    if journaled:
        done.covered = journal.covered(settings)
    done.mismatch = _high_water(settings, done.head)
    return done


def replay(settings: Settings, by: Identities, tell: Tell) -> Restored:
    """End again what had ended, in a database that was recovered to a moment before it.

    For point-in-time recovery, before any service starts; as `restore` from there on.
    """
    read_secrets(Path(settings.secrets.directory))
    keys = _keys(settings)
    database = Database(settings.database.url)
    try:
        for _ in journal.batches(settings, by, _size(database)):
            pass
        _mark(database)
        _upgrade(settings)
        sessions = _end_access(database)
        tell("Verifying the log ...")
        _verify_log(database, keys)
        before = _size(database)
        ends = _adopt(settings, database, by, keys)
        done = _replay(settings, ends, before, {"made_at": "the moment of recovery"}, sessions)
        _unmark(database)
    finally:
        database.dispose()
    done.covered = journal.covered(settings)
    done.mismatch = _high_water(settings, done.head)
    return done


def verify(settings: Settings, path: Path, by: Identities, tell: Tell) -> dict[str, Any]:
    """Restore a backup beside the database, check all of it, and remove it; the manifest.

    StartRefusedError, or StoredMismatchError of the log, says what is not right.
    """
    tell(f"Reading all of {path.name} ...")
    manifest = parts.read_manifest(path, by)
    _demand_same_kind(settings, manifest)
    tell("Every part is as it was written. Restoring into a scratch database ...")
    with _scratch(settings, manifest, path, by) as url:
        database = Database(url)
        try:
            with database.reading() as session:
                found = snapshots.counts(session.connection())
                _demand_counts(found, manifest["counts"])
                _demand_archives(session, manifest)
            tell("Every row is there. Verifying the log ...")
            _verify_log(database, _keys(settings), manifest)
        finally:
            database.dispose()
    write_status(settings, verified_at=told_now())
    return manifest


def _keys(settings: Settings) -> list[VerifierKey]:
    """The public keys of the log, of the secrets; none where this user may not read them."""
    directory = Path(settings.secrets.directory)
    if not os.access(directory / f"{LOG_KEY}.key", os.R_OK):
        return []
    return [key.verifier for key in signing_keys(directory, settings.audit.name)]


def _demand_same_kind(settings: Settings, manifest: dict[str, Any]) -> None:
    wanted = make_url(settings.database.url).get_backend_name()
    if manifest["backend"] != wanted:
        raise StartRefusedError(
            f"The backup is of {manifest['backend']}, and the database is of {wanted}. Name one of"
            " the same kind."
        )


def _demand_counts(found: dict[str, int], wanted: dict[str, int]) -> None:
    wrong = sorted(
        name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name)
    )
    if wrong:
        raise BackupDamagedError(f"Rows are missing or too many in: {', '.join(wrong)}.")


def _demand_archives(session: Any, manifest: dict[str, Any]) -> None:
    """Each sealed month of the log is in the backup, with the SHA-256 that the log notes."""
    for archive in all_archives(session):
        part = manifest["parts"].get(f"{parts.ARCHIVE}{archive.name}", {})
        if part.get("sha256") != bytes(archive.sha256).hex():
            raise BackupDamagedError(f"The archive {archive.name} is not the one that was sealed.")


@contextmanager
def _into(
    settings: Settings, path: Path, by: Identities, manifest: dict[str, Any]
) -> Iterator[Settings]:
    """Settings on the restored database, which others serve when the block has ended well."""
    url = make_url(settings.database.url)
    if url.get_backend_name() == "sqlite":
        with _into_file(settings, Path(url.database or ""), path, by) as working:
            yield working
        return
    database = Database(settings.database.url)
    try:
        _demand_empty(database)
        _mark(database)
        snapshots.load_postgresql(
            settings, lambda: parts.database_of(path, by), url, manifest["role_policies"]
        )
        yield settings
        _unmark(database)
    finally:
        database.dispose()


def _mark(database: Database) -> None:
    """From now on nobody serves the database."""
    if not database.is_sqlite:
        with database.engine.begin() as connection:
            connection.execute(text(f"CREATE TABLE IF NOT EXISTS {RESTORING} (note text)"))


def _unmark(database: Database) -> None:
    if not database.is_sqlite:
        with database.engine.begin() as connection:
            connection.execute(text(f"DROP TABLE {RESTORING}"))
            connection.execute(text("ANALYZE"))


@contextmanager
def _into_file(settings: Settings, target: Path, path: Path, by: Identities) -> Iterator[Settings]:
    if target.exists() and target.stat().st_size:
        found = Database(settings.database.url)
        try:
            _demand_empty(found)
        finally:
            found.dispose()
    draft = target.with_name(f"{target.name}.restoring")
    for left in target.parent.glob(f"{draft.name}*"):
        left.unlink()  # of a run that was killed
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with parts.database_of(path, by) as blocks:
            snapshots.load_sqlite(blocks, draft)
        url = f"sqlite:///{draft}"
        yield dataclasses.replace(
            settings, database=dataclasses.replace(settings.database, url=url)
        )
        _settle(draft)
        for side in ("-wal", "-shm"):
            target.with_name(target.name + side).unlink(missing_ok=True)
        draft.replace(target)
        sync_directory(target.parent)
    except OSError as error:
        raise StartRefusedError(
            f"{target.parent} cannot be written ({error.strerror or error}). Make room, and begin"
            " again."
        ) from None
    finally:
        for left in target.parent.glob(f"{draft.name}*"):
            left.unlink()


def _settle(draft: Path) -> None:
    """Bring what stands in the write-ahead log into the file itself."""
    database = Database(f"sqlite:///{draft}")
    connection = database.engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()
        database.dispose()
    with draft.open("rb") as file:
        os.fsync(file.fileno())


def _demand_empty(database: Database) -> None:
    try:
        with database.engine.connect() as connection:
            found = snapshots.tables(connection)
    except DBAPIError as error:
        raise StartRefusedError(
            f"The database cannot be reached ({type(error.orig).__name__}). Create it empty, owned"
            " by the role of database.url."
        ) from None
    if found:
        raise StartRefusedError(
            f"The database is not empty: it has {len(found)} tables. Restore into a new one; what"
            " is there may be what you need to find out what happened."
        )


@contextmanager
def _scratch(
    settings: Settings, manifest: dict[str, Any], path: Path, by: Identities
) -> Iterator[str]:
    """The address of the backup's database beside the real one; gone at the end."""
    url = make_url(settings.database.url)
    if manifest["backend"] == "sqlite":
        folder = Path(url.database or "").parent
        for left in folder.glob(f".{_SCRATCH}*"):
            shutil.rmtree(left)
        place = folder / f".{_SCRATCH}{secrets.token_hex(4)}"
        place.mkdir(mode=0o700)
        try:
            with parts.database_of(path, by) as blocks:
                snapshots.load_sqlite(blocks, place / "database")
            yield f"sqlite:///{place / 'database'}"
        finally:
            shutil.rmtree(place)
        return
    name = f"{_SCRATCH}{secrets.token_hex(4)}"
    try:
        _administer(url, f"CREATE DATABASE {name}")
    except psycopg.errors.InsufficientPrivilege:
        raise StartRefusedError(
            "The owner may not create a scratch database. As a superuser:"
            f" ALTER ROLE {url.username} CREATEDB"
        ) from None
    try:
        scratch = url.set(database=name)
        snapshots.load_postgresql(
            settings, lambda: parts.database_of(path, by), scratch, manifest["role_policies"]
        )
        yield scratch.render_as_string(hide_password=False)
    finally:
        _administer(url, f"DROP DATABASE {name} WITH (FORCE)")


def _administer(url: URL, statement: str) -> None:
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(statement.encode())


def _upgrade(settings: Settings) -> None:
    import_module("app.__main__").migrate(settings)  # it has the command that calls this


def _restore_files(settings: Settings, path: Path, by: Identities) -> None:
    """Sealed months of the log that are not on the disk; the high-water file if there is none."""
    archive, high_water = Path(settings.audit.archive), Path(settings.audit.high_water)

    def wanted(name: str) -> Path | None:
        if name.startswith(parts.ARCHIVE):
            target = archive / Path(name).name
        elif name == parts.HIGH_WATER:
            target = high_water
        else:
            return None
        return None if target.exists() else target

    parts.files_of(path, by, wanted)


def _end_access(database: Database) -> int:
    with database.transaction() as session:
        return replaying.end_access(session)


def _verify_log(
    database: Database, keys: list[VerifierKey], manifest: dict[str, Any] | None = None
) -> Head:
    """Every leaf, every tile, and the signature; with a manifest also that it is that tree."""
    with database.reading() as session:
        found = tree.head(session)
        signed = (manifest or {}).get("checkpoint")
        if manifest is not None and found.size != _signed_size(manifest):
            raise StoredMismatchError(
                f"The log has {found.size} entries, and the manifest says otherwise."
            )
        if not found.size:
            return found
        note = demand_signature(session, keys or tree.log_keys(session), found)
        if signed and note != signed["note"].encode():
            raise StoredMismatchError("The newest checkpoint is not that of the manifest.")
        demand_edge(tree.reader(session), found)
        check_tiles(session, found.size)
        first = sum(each.count for each in all_archives(session))  # their files: by their SHA-256
        check_leaves(session, found.size, first)
    return found


def _adopt(
    settings: Settings, database: Database, by: Identities, keys: list[VerifierKey]
) -> list[replaying.End]:
    """Take back the log's entries of the journal; the endings among them, in order."""
    ends: list[replaying.End] = []
    for batch in journal.batches(settings, by, _size(database)):
        with database.transaction() as session:
            adopting.adopt(session, batch.copies, batch.note, keys or tree.log_keys(session))
        ends += batch.ends
    return ends


def _replay(
    settings: Settings,
    ends: list[replaying.End],
    before: int,
    manifest: dict[str, Any],
    sessions: int,
) -> Restored:
    app = create_app(settings)
    runtime = app.extensions["postern"]
    replayed = Replayed()
    try:
        with app.app_context():
            replaying.replay(runtime, ends, replayed)
            expired = replaying.expire(runtime)
            replaying.erase_details(runtime, ends)
            with runtime.database.transaction() as session:
                found = tree.head(session)
                append(
                    session,
                    CONSOLE,
                    "platform.restore",
                    object_type="platform",
                    details={
                        "backup": manifest["made_at"],
                        "from": before,
                        "to": found.size,
                        "replayed": dict(replayed.done),
                    },
                )
    finally:
        runtime.database.dispose()
    return Restored(
        made_at=manifest["made_at"],
        head=found,
        sessions=sessions,
        adopted=found.size - before,
        expired=expired,
        replayed=replayed,
        covered=None,
    )


def _signed_size(manifest: dict[str, Any]) -> int:
    checkpoint = manifest["checkpoint"]
    return checkpoint["size"] if checkpoint else 0


def _size(database: Database) -> int:
    with database.reading() as session:
        return tree.head(session).size


def _high_water(settings: Settings, found: Head) -> str:
    """What the file that notices old databases says to this one; empty when it agrees."""
    database = Database(settings.database.url)
    try:
        with database.reading() as session:
            read = tree.reader(session)
            HighWater(Path(settings.audit.high_water)).check(
                found, lambda at: root(read, at) if at else EMPTY_ROOT
            )
    except StoredMismatchError as mismatch:
        return str(mismatch)
    finally:
        database.dispose()
    return ""

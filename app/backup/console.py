"""`python -m app backup | journal | restore`: see docs/backup.md."""

import signal
import threading
from pathlib import Path

import click
import structlog
from sqlalchemy.exc import DBAPIError

from app.audit.high_water import StoredMismatchError
from app.backup import encryption, journal, making, restoring
from app.config import load
from app.database import Database
from app.errors import StartRefusedError
from app.patient_connection import Patience

log = structlog.get_logger(__name__)

_DIRECTORY = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_KEY_FILE = click.option(
    "--identity",
    type=_FILE,
    required=True,
    help="File with a secret key of age, as age-keygen writes it.",
)


class _Backup(click.Group):
    """A group in which `backup DIRECTORY` is `backup make DIRECTORY`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, "--help"}:
            args = ["make", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Backup)
def backup() -> None:
    """Back up the platform: `backup DIRECTORY`; run it as the owner of the tables."""


@backup.command()
@click.argument("directory", type=_DIRECTORY)
@click.option("--to", default="", help="Public keys of age, instead of backup.recipients.")
@click.option(
    "--with-secrets",
    is_flag=True,
    help="Also write the secrets, into a file of their own, to backup.secret_recipients.",
)
def make(directory: Path, to: str, with_secrets: bool) -> None:
    """Write one consistent, encrypted backup into DIRECTORY.

    Writes the journal of endings first, where backup.journal names its directory.
    """
    settings = load()
    if with_secrets:
        click.echo(f"Secrets: {making.make_secrets(settings, directory).path}")
    if settings.backup.journal and settings.backup.recipients:
        _write_journal()
    made = making.make(settings, directory, to)
    journal.note_backup(settings, made.path.name, made.size)
    click.echo(f"Backup: {made.path} ({made.bytes} bytes)")


@backup.command("list")
@click.argument("directory", type=_DIRECTORY)
def list_(directory: Path) -> None:
    """List the backups in DIRECTORY, newest first."""
    for each in making.made_in(directory):
        click.echo(f"{each.at:%Y-%m-%d %H:%M:%S}Z  {each.bytes:>14}  {each.path.name}")


@backup.command()
@click.argument("file", type=_FILE)
@_KEY_FILE
def verify(file: Path, identity: Path) -> None:
    """Restore FILE into a scratch database, check every row and the whole log, and remove it."""
    try:
        found = restoring.verify(load(), file, encryption.identities(identity), click.echo)
    except StoredMismatchError as mismatch:
        raise StartRefusedError(f"The log in this backup does not verify: {mismatch}") from None
    size = found["checkpoint"]["size"] if found["checkpoint"] else 0
    rows = sum(found["counts"].values())
    click.echo(f"The backup is whole: {rows} rows, a log of {size} entries that verifies.")


@backup.command()
@click.argument("directory", type=_DIRECTORY)
@click.option("--keep", type=click.IntRange(1), default=14, show_default=True, help="Days.")
@click.option("--weeks", type=click.IntRange(0), default=8, show_default=True, help="Weeks.")
@click.option(
    "--journal",
    "with_journal",
    is_flag=True,
    help="Also remove files of the journal that none of the backups kept in DIRECTORY needs.",
)
def prune(directory: Path, keep: int, weeks: int, *, with_journal: bool) -> None:
    """Keep the newest backup of each of the last days and weeks that have one; remove the rest."""
    gone = making.prune(directory, keep, weeks)
    for path in gone:
        click.echo(f"Removed: {path.name}")
    kept = making.made_in(directory)
    click.echo(f"{len(gone)} removed, {len(kept)} kept")
    if with_journal:
        files = journal.prune(load(), [each.path.name for each in kept])
        click.echo(f"{len(files)} files of the journal removed")


@click.command("journal")
@click.option("--every", type=click.IntRange(1), help="Go on, each so many seconds, until SIGTERM.")
def journal_(every: int | None) -> None:
    """Write what ended since the last time into backup.journal, for a restore to end it again."""
    if every is None:
        click.echo(f"{_write_journal()} entries of the log written")
        return
    patience = Patience.told(load().database)
    ended = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: ended.set())
    while not ended.is_set():
        try:
            _write_journal(patience)
        except DBAPIError as failure:  # a server that restarts: try again
            log.warning("journal not written", error=type(failure.orig).__name__)
        ended.wait(every)


@click.command()
@click.argument("file", type=_FILE)
@_KEY_FILE
@click.option("--into", default="", help="Address of an empty database, instead of database.url.")
@click.option(
    "--without-journal",
    is_flag=True,
    help="End nothing again: what was erased after the backup comes back.",
)
def restore(file: Path, identity: Path, into: str, without_journal: bool) -> None:
    """Restore FILE into an empty database, and end again what had ended since.

    All sessions end. The services must not run meanwhile.
    """
    settings = load()
    try:
        done = restoring.restore(
            settings,
            file,
            encryption.identities(identity),
            into,
            click.echo,
            journaled=not without_journal,
        )
    except StoredMismatchError as mismatch:
        raise StartRefusedError(f"The restored log does not verify: {mismatch}") from None
    _tell(done)


@click.command()
@_KEY_FILE
def replay(identity: Path) -> None:
    """After point-in-time recovery: verify the log, and end again what had ended since.

    All sessions end. The services must not run meanwhile.
    """
    try:
        done = restoring.replay(load(), encryption.identities(identity), click.echo)
    except StoredMismatchError as mismatch:
        raise StartRefusedError(f"The recovered log does not verify: {mismatch}") from None
    _tell(done)


def _tell(done: restoring.Restored) -> None:
    click.echo(
        f"Restored as of {done.made_at}: the log verifies, {done.head.size} entries,"
        f" {done.adopted} of them from the journal. {done.sessions} sessions ended,"
        f" {done.expired} indicators were over."
    )
    for act, count in sorted(done.replayed.done.items()):
        click.echo(f"  done again: {act} ({count})")
    for end in done.replayed.told:
        named = ", ".join(map(str, end.get("objects", ()))) or "-"
        click.echo(f"  DO THIS AGAIN: {end['act']} of {end['org']}: {named}")
    if done.covered:
        click.echo(f"The journal says everything up to {done.covered['at']}.")
    _tell_log(done)
    click.echo(
        "On PostgreSQL give each role its rights again: python -m app grants ROLE --for WORK"
    )


def _tell_log(done: restoring.Restored) -> None:
    if not done.mismatch:
        click.echo("The log goes on where it was: start the services.")
        return
    click.echo(
        f"The log cannot go on yet: {done.mismatch}\n"
        "  1. Look for what is newer: another backup, files of the journal, the WAL.\n"
        "  2. If there is none: tell members and witnesses that the log goes back to"
        f" {done.head.size} entries, and compare the newest checkpoint with theirs.\n"
        "  3. Then: flask --app wsgi audit adopt\n"
        "     Their witnesses raise an alarm (rollback) until each of them accepts it."
    )


def _write_journal(patience: Patience | None = None) -> int:
    """How many entries; with `patience` it waits for no answer without end."""
    settings = load()
    database = Database(settings.database.url, patience=patience)
    if patience is not None:
        database.work_unattended()
    try:
        return journal.write(settings, database)
    finally:
        database.dispose()


commands = (backup, journal_, restore, replay)

"""Making backups, listing them, and removing those that a keep rule no longer wants."""

import fcntl
import json
import platform as machine
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from app.backup import parts
from app.backup.encryption import recipients
from app.backup.snapshots import Snapshot, snapshot
from app.clock import now
from app.config import Settings
from app.errors import StartRefusedError

FORMAT = 1
SECRETS = ".secrets"

_STAMP = "%Y%m%dT%H%M%S%fZ"
_NAME = re.compile(r"postern-(\d{8}T\d{12}Z)\.(backup|secrets)")
_README = """A backup of Postern. Restore it with: python -m app restore FILE --identity KEYFILE
By hand: age --decrypt --identity KEYFILE FILE | tar --extract; then the pieces in database/, one
after the other in the order of their names, are a dump for pg_restore, or an SQLite database.
manifest.json has the SHA-256 of each part.
"""


@dataclass(frozen=True)
class Made:
    """A backup in its directory."""

    path: Path
    at: datetime
    bytes: int
    size: int = 0  # entries of its log, where it was just made


def make(settings: Settings, directory: Path, to: str = "") -> Made:
    """Write one backup into `directory`, encrypted to `to` or else to `backup.recipients`.

    StartRefusedError without a recipient, under a role that does not see all, on a full disk.
    """
    wanted = recipients(to or settings.backup.recipients)
    if not wanted:
        raise StartRefusedError(
            "No recipient is named. Write a public key of age into backup.recipients, or give --to."
        )
    _demand_apart(settings, to or settings.backup.recipients)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    sweep(directory)
    at = now()
    path = directory / f"postern-{at.astimezone(UTC).strftime(_STAMP)}{parts.SUFFIX}"
    high_water = _content(Path(settings.audit.high_water))  # before the snapshot: never above it
    archive = Path(settings.audit.archive)
    with (
        _no_archiving(archive) as released,
        snapshot(settings) as state,
        parts.writing(path, wanted) as out,
    ):
        out.small("README", _README.encode())
        for name in state.archives:
            _add_archive(out, archive / name)
        released()
        out.pieces(parts.DATABASE, state.read)
        if high_water is not None:
            out.small(parts.HIGH_WATER, high_water)
        out.small("settings.json", json.dumps(_settings(settings)).encode())
        out.small(parts.MANIFEST, json.dumps(_manifest(settings, state, out, at)).encode())
    size = state.checkpoint["size"] if state.checkpoint else 0
    made = Made(path, at, path.stat().st_size, size)
    write_status(settings, at=_told(at), bytes=made.bytes)
    return made


def make_secrets(settings: Settings, directory: Path, to: str = "") -> Made:
    """Write the secret files into a file of their own, to recipients of their own."""
    told = to or settings.backup.secret_recipients
    wanted = recipients(told)
    if not wanted:
        raise StartRefusedError(
            "No recipient of secrets is named. Write a public key of age, of another pair than that"
            " of backups, into backup.secret_recipients."
        )
    _demand_apart(settings, settings.backup.recipients, told)
    source = Path(settings.secrets.directory)
    found = sorted(source.glob("*.key"))
    if not found:
        raise StartRefusedError(f"There are no secrets in {source}. Run: python -m app secrets")
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    at = now()
    path = directory / f"postern-{at.astimezone(UTC).strftime(_STAMP)}{SECRETS}"
    with parts.writing(path, wanted) as out:
        for each in found:
            out.file(each.name, each)
        document = {"v": FORMAT, "made_at": _told(at), "parts": out.noted}
        out.small(parts.MANIFEST, json.dumps(document).encode())
    return Made(path, at, path.stat().st_size)


def made_in(directory: Path, suffix: str = parts.SUFFIX) -> list[Made]:
    """The backups in a directory, newest first; StartRefusedError when there is no directory."""
    if not directory.is_dir():
        raise StartRefusedError(f"There is no directory {directory}.")
    found = []
    for path in directory.glob(f"postern-*{suffix}"):
        if told := _NAME.fullmatch(path.name):
            at = datetime.strptime(told[1], _STAMP).replace(tzinfo=UTC)
            found.append(Made(path, at, path.stat().st_size))
    return sorted(found, key=lambda each: each.at, reverse=True)


def prune(directory: Path, days: int, weeks: int) -> list[Path]:
    """Keep the newest backup of each of the newest `days` days and `weeks` weeks that have one.

    Returns what was removed. The newest backup always stays.
    """
    found = made_in(directory)
    kept = {each.path for each in found[:1]}
    for count, period in ((days, _day), (weeks, _week)):
        newest: dict[object, Path] = {}
        for each in found:
            newest.setdefault(period(each.at), each.path)
        kept.update(list(newest.values())[:count])
    gone = [each.path for each in found if each.path not in kept]
    for path in gone:
        path.unlink()
    return gone


def sweep(directory: Path) -> None:
    """Remove what runs that were killed have left, unless one of them is still writing."""
    stale = (now() - timedelta(hours=12)).timestamp()
    for path in directory.glob(".postern-*.partial"):
        if path.stat().st_mtime < stale:
            path.unlink(missing_ok=True)


def write_status(settings: Settings, **told: Any) -> None:
    """Change the file that monitoring reads: {"at", "verified_at", "bytes"}; nothing without one.

    Moments are written as RFC 3339, in UTC.
    """
    if not settings.backup.status:
        return
    path = Path(settings.backup.status)
    known: dict[str, Any] = {"at": None, "verified_at": None, "bytes": None}
    content = _content(path)
    if content is not None:
        known |= json.loads(content)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(json.dumps(known | told) + "\n", encoding="utf-8")
    draft.replace(path)


def product_version() -> str:
    """Of the platform that runs."""
    try:
        return version("postern")
    except PackageNotFoundError:
        return "unknown"


def _manifest(
    settings: Settings, state: Snapshot, out: parts.Writer, at: datetime
) -> dict[str, Any]:
    return {
        "v": FORMAT,
        "made_at": _told(at),
        "platform": product_version(),
        "python": machine.python_version(),
        "log": settings.audit.name,
        "backend": state.backend,
        "server": state.server,
        "schema": state.schema,
        "checkpoint": state.checkpoint,
        "counts": state.counts,
        "role_policies": state.role_policies,
        "parts": dict(out.noted),
    }


def _settings(settings: Settings) -> list[str]:
    """Names of the settings, never a value: one may hold a password."""
    return [
        f"{section.name}.{item.name}"
        for section in fields(settings)
        for item in fields(getattr(settings, section.name))
    ]


def _add_archive(out: parts.Writer, path: Path) -> None:
    try:
        out.file(f"{parts.ARCHIVE}{path.name}", path)
    except FileNotFoundError:
        raise StartRefusedError(
            f"The archive {path} is missing. Restore it from an earlier backup first."
        ) from None


@contextmanager
def _no_archiving(archive: Path) -> Iterator[Any]:
    """Until it is released, nobody makes an archive anew or removes one: see app/audit/archive."""
    archive.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (archive / "turn").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield lambda: fcntl.flock(file, fcntl.LOCK_UN)


def _demand_apart(settings: Settings, backups: str, secrets: str = "") -> None:
    both = set(backups.split()) & set((secrets or settings.backup.secret_recipients).split())
    if both:
        raise StartRefusedError(
            "A recipient of backups is one of secrets too: whoever stole both files and that key"
            " would have tokens and the evaluation key. Use another pair for"
            " backup.secret_recipients."
        )


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _told(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def told_now() -> str:
    """The present moment as it is written into files."""
    return _told(now())


def _day(at: datetime) -> object:
    return at.date()


def _week(at: datetime) -> object:
    return at.isocalendar()[:2]

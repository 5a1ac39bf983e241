"""The journal of endings: what a restore needs of the time after its backup, kept outside of it.

Each file has the log's entries of some consecutive places (record and leaf, no details, so nothing
about a person), the checkpoint that signs them, and the endings among them by ids. A file is
written once, durably, encrypted as backups are, and names the digest of the one before.
"""

import gzip
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.audit.adopting import Copied
from app.audit.models import AuditCheckpoint, AuditDetail, AuditEntry, AuditSeq
from app.audit.tree import head
from app.backup.encryption import (
    BackupDamagedError,
    Identities,
    decrypted,
    encrypted,
    recipients,
)
from app.backup.ends import end_of
from app.backup.making import told_now
from app.config import Settings
from app.database import Database
from app.errors import StartRefusedError
from postern.audit.record import open_disclosures
from postern.private_files import write_private, write_private_octets

_SUFFIX = ".journal"
_NAME = re.compile(r"(\d{12})-(\d{12})\.journal")
_STATE = "state.json"
_BACKUPS = "backups.json"
_MOST = 20_000
"""Places of one file."""


@dataclass(frozen=True)
class Batch:
    """What one file says: entries from `first` on, and the endings among them, in order."""

    first: int
    copies: list[Copied]
    note: bytes
    ends: list[dict[str, Any]]


def write(settings: Settings, database: Database) -> int:
    """Write what has been given a place since the last time; returns how many entries.

    The first time nothing older than now is written: begin before the first backup.
    StartRefusedError without a directory or a recipient.
    """
    folder, to = _folder(settings), recipients(settings.backup.recipients)
    if not to:
        raise StartRefusedError(
            "The journal is encrypted as backups are: name a public key in backup.recipients."
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    written = 0
    while True:
        with database.reading() as session:
            size = head(session).size
            state = _state(folder, size)
            first = state["next"]
            if first >= size:
                _write_state(folder, state | {"at": told_now()})
                return written
            # A file ends where a signed tree does.
            last, note = _end(session, first, size)
            header = {
                "v": 1,
                "log": settings.audit.name,
                "first": first,
                "note": note.decode(),
                "before": state["digest"],
            }
            document = _document(session, header, last)
        content = encrypted(gzip.compress(document), to)
        write_private_octets(folder / f"{first:012}-{last - 1:012}{_SUFFIX}", content)
        digest = hashlib.sha256(content).hexdigest()
        _write_state(folder, {"next": last, "digest": digest, "at": told_now()})
        written += last - first


def batches(settings: Settings, by: Identities, size: int) -> Iterator[Batch]:
    """The files that go on behind a log of `size` entries, in order.

    BackupDamagedError when one is missing, damaged, or not the successor of the one before.
    """
    folder = _folder(settings)
    wanted = [path for path in _files(folder) if _last(path) >= size]
    if wanted and _first(wanted[0]) > size:
        raise BackupDamagedError(
            f"The journal begins with the place {_first(wanted[0])}, and the backup ends with"
            f" {size}. Bring the missing files into {folder}, or take a newer backup."
        )
    digest = None
    for path in wanted:
        content = gzip.decompress(decrypted(path, by))
        header, *lines = [json.loads(line) for line in content.splitlines()]
        if digest is not None and header["before"] != digest:
            raise BackupDamagedError(f"A file of the journal is missing before {path.name}.")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        yield Batch(
            first=header["first"],
            copies=[_copy(line) for line in lines],
            note=header["note"].encode(),
            ends=[line["end"] for line in lines if "end" in line],
        )


def note_backup(settings: Settings, name: str, size: int) -> None:
    """Keep beside the journal how many entries the log of a backup has; nothing without one.

    A backup says so itself, but only to whoever has the key.
    """
    if not settings.backup.journal:
        return
    folder = _folder(settings)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(folder / _BACKUPS, json.dumps(_sizes(folder) | {name: size}))


def prune(settings: Settings, backups: Sequence[str]) -> list[Path]:
    """Remove the files that none of these backups needs; returns them.

    A backup needs every entry from the size of its own log on; one that was made before sizes were
    noted may need all. Without a backup nothing is removed.
    """
    folder = _folder(settings)
    sizes = _sizes(folder)
    needed = min((sizes.get(each, 0) for each in backups), default=0)
    gone = [path for path in _files(folder) if _last(path) < needed]
    for path in gone:
        path.unlink()
    return gone


def covered(settings: Settings) -> dict[str, Any] | None:
    """Up to which place and moment the journal says everything; None when there is none."""
    if not settings.backup.journal:
        return None
    path = Path(settings.backup.journal) / _STATE
    if not path.exists():
        return None
    state: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return state


def _folder(settings: Settings) -> Path:
    if not settings.backup.journal:
        raise StartRefusedError("backup.journal is empty. Write the path of a directory.")
    return Path(settings.backup.journal)


def _files(folder: Path) -> list[Path]:
    """In the order of their entries."""
    return sorted(path for path in folder.glob(f"*{_SUFFIX}") if _NAME.fullmatch(path.name))


def _sizes(folder: Path) -> dict[str, int]:
    """How many entries the log of each backup has that was made, by its file's name."""
    path = folder / _BACKUPS
    found: dict[str, int] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return found


def _end(session: Session, first: int, size: int) -> tuple[int, bytes]:
    """Where the next file ends, and its note: the newest signed tree, or one not too far away."""
    notes = select(AuditCheckpoint.size, AuditCheckpoint.note).order_by(AuditCheckpoint.size)
    if size - first <= _MOST:
        found = session.execute(notes.where(AuditCheckpoint.size == size)).one()
    else:
        found = session.execute(notes.where(AuditCheckpoint.size > first + _MOST).limit(1)).one()
    return found.size, bytes(found.note)


def _document(session: Session, header: dict[str, Any], last: int) -> bytes:
    first = header["first"]
    lines = [json.dumps(header)]
    for row in session.execute(_PLACED, {"first": first, "last": last}):
        line: dict[str, Any] = {
            "i": row.idx,
            "e": row.eid,
            "t": row.at,
            "r": bytes(row.rec).decode(),
            "l": bytes(row.leaf).decode(),
        }
        end = end_of(session, json.loads(row.rec), open_disclosures(row.disc or ""))
        lines.append(json.dumps(line if end is None else line | {"end": end}))
    if len(lines) - 1 != last - first:
        raise StartRefusedError(
            f"Entries of the places {first} to {last - 1} have left the database before the journal"
            " had them. Take a backup, remove state.json in backup.journal, and begin it anew."
        )
    return "\n".join(lines).encode()


def _copy(line: dict[str, Any]) -> Copied:
    return Copied(line["i"], line["e"], line["t"], line["r"].encode(), line["l"].encode())


def _state(folder: Path, size: int) -> dict[str, Any]:
    path = folder / _STATE
    if path.exists():
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return found
    return {"next": size, "digest": None, "at": told_now()}


def _write_state(folder: Path, state: dict[str, Any]) -> None:
    write_private(folder / _STATE, json.dumps(state))


def _first(path: Path) -> int:
    return int(path.name[:12])


def _last(path: Path) -> int:
    return int(path.name[13:25])


_PLACED = (
    select(
        AuditSeq.idx,
        AuditSeq.eid,
        AuditSeq.t.label("at"),
        AuditEntry.rec,
        AuditEntry.leaf,
        AuditDetail.disc,
    )
    .join(AuditEntry, (AuditEntry.eid == AuditSeq.eid) & (AuditEntry.t == AuditSeq.t))
    .outerjoin(AuditDetail, (AuditDetail.eid == AuditSeq.eid) & (AuditDetail.t == AuditSeq.t))
    .where(AuditSeq.idx >= bindparam("first"), AuditSeq.idx < bindparam("last"))
    .order_by(AuditSeq.idx)
)

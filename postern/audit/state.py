"""What a verifier remembers between two verifications: one small file.

The keys that were confirmed, the last checkpoint that verified, and how far the own entries were
read. It is what a log cannot talk its way around, so keep it where the operator cannot write.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from postern.audit.trust import AuditError, Trust, published
from postern.base64url import from_base64url, to_base64url
from postern.private_files import write_private
from postern.tlog.checkpoint import Checkpoint
from postern.tlog.notes import Note

FILE = "state.json"

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Seen:
    """The last checkpoint that verified: its note, and when it was fetched, in seconds."""

    note: bytes
    at: int

    @property
    def checkpoint(self) -> Checkpoint:
        """The checkpoint in the note; it was verified when it was seen."""
        return Checkpoint.parse(Note.parse(self.note).text)


@dataclass(frozen=True, slots=True)
class State:
    """The memory of one verifier of one log. Nothing is remembered of a log that did not verify.

    `cosigned` is the newest checkpoint that the quorum vouched for. `entries_from` is the time, in
    milliseconds, from which own entries must be read again, and `entries_offset` where that is in
    their file; None: from the first. `scanned` is the
    number of leaves that were looked through for own tags.
    """

    trust: Trust | None = None
    organisation: str | None = None
    tag_keys: tuple[bytes, ...] = ()
    last: Seen | None = None
    cosigned: bytes | None = None
    entries_from: int | None = None
    entries_offset: int = 0
    scanned: int = 0
    reading: Mapping[str, Any] = field(default_factory=dict)  # an unfinished reading of entries


def load_state(path: Path) -> State:
    """The state in a file, an empty one when there is no file; raises AuditError."""
    try:
        return _read(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return State()
    except (ValueError, KeyError, TypeError, AttributeError):
        raise AuditError(
            f"The state file {path} is damaged or of another version. Restore it from a backup; "
            "without it, what was seen before cannot be compared with what is shown now."
        ) from None


def save_state(path: Path, state: State) -> None:
    """Put the state into its file, private, whole or not at all. Raises OSError."""
    last = state.last
    told = {
        "version": _VERSION,
        "trust": state.trust.as_json() if state.trust else None,
        "organisation": state.organisation,
        "tag_keys": [to_base64url(key) for key in state.tag_keys],
        "last": {"note": last.note.decode(), "at": last.at} if last else None,
        "cosigned": state.cosigned.decode() if state.cosigned else None,
        "entries_from": state.entries_from,
        "entries_offset": state.entries_offset,
        "scanned": state.scanned,
        "reading": dict(state.reading),
    }
    write_private(path, json.dumps(told, indent=1) + "\n")


def _read(told: Mapping[str, Any]) -> State:
    if told["version"] != _VERSION:
        raise ValueError("another version")
    last = told["last"]
    seen = Seen(last["note"].encode(), int(last["at"])) if last else None
    if seen:
        _ = seen.checkpoint  # a NoteError is a ValueError
    return State(
        trust=published(told["trust"]) if told["trust"] else None,
        organisation=told["organisation"],
        tag_keys=tuple(_bytes(key) for key in told["tag_keys"]),
        last=seen,
        cosigned=told["cosigned"].encode() if told["cosigned"] else None,
        entries_from=told["entries_from"],
        entries_offset=int(told["entries_offset"]),
        scanned=int(told["scanned"]),
        reading=dict(told["reading"]),
    )


def _bytes(text: str) -> bytes:
    raw = from_base64url(text)
    if raw is None:
        raise ValueError("no base64url")
    return raw

"""A verifier's own copy of a log: the tree, the own entries, what was seen when, and evidence.

checkpoint, tile/...   the log, as C2SP tlog-tiles lays it out
state.json             what was confirmed and seen (`postern.audit.state`)
entries.jsonl          the own entries, with their details: personal data
history.jsonl          cosigned checkpoints, by which the times of entries are judged
last-report.json       the last verification
evidence/              signed notes that contradict one another
"""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from postern.audit.entry_checks import SeenAt
from postern.audit.log_checks import Contradiction
from postern.audit.state import FILE, State, load_state, save_state
from postern.audit.tree_files import TreeFiles
from postern.private_files import PRIVATE, write_private
from postern.tlog.notes import Note

ENTRIES = "entries.jsonl"
HISTORY = "history.jsonl"
EVIDENCE = "evidence"
REPORT = "last-report.json"

_PRIVATE_DIRECTORY = 0o700
_UNFINISHED = ".part"
_PIECE = 2**20  # bytes


class Mirror:
    """One directory of one verifier of one log. `state_file` may be kept elsewhere."""

    def __init__(self, directory: Path, state_file: Path | None = None) -> None:
        self.directory = directory
        self.state_file = state_file or directory / FILE
        self.state = load_state(self.state_file)
        self.tree = TreeFiles(directory, self._held_size())

    def save(self, state: State) -> None:
        """Remember. Raises OSError."""
        self._make()
        save_state(self.state_file, state)
        self.state = state

    def entry_lines(self) -> Iterator[bytes]:
        """The lines of the own entries, oldest first."""
        return _lines(self.directory / ENTRIES)

    def begin_entries(self, length: int) -> None:
        """Start the file of entries anew beside the present one, with so many of its bytes."""
        self._make()
        with _private(self._part, os.O_TRUNC) as file:
            if length:
                with (self.directory / ENTRIES).open("rb") as present:
                    while length and (piece := present.read(min(length, _PIECE))):
                        file.write(piece)
                        length -= len(piece)

    def add_entries(self, lines: Iterable[bytes]) -> int:
        """Append lines to the new file of entries and return its length; durable."""
        with _private(self._part, os.O_APPEND) as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
            return os.fstat(file.fileno()).st_size

    def cut_entries(self, length: int) -> bool:
        """Go on with a new file that was begun before, at a length; False when it is not there."""
        try:
            if self._part.stat().st_size < length:
                return False
            os.truncate(self._part, length)
        except FileNotFoundError:
            return False
        return True

    def new_entry_lines(self, offset: int) -> Iterator[bytes]:
        """The lines of the new file of entries from an offset on."""
        return _lines(self._part, offset)

    def finish_entries(self) -> None:
        """Put the new file in the place of the present one."""
        self._part.replace(self.directory / ENTRIES)

    def history(self) -> list[SeenAt]:
        """The cosigned checkpoints that were verified, smallest first."""
        return [seen for line in _lines(self.directory / HISTORY) if (seen := _seen_at(line))]

    def add_history(self, seen: Iterable[SeenAt]) -> None:
        """Remember more of them, in order of size; those that are known are left out."""
        held = self.history()
        last = held[-1].size if held else 0
        lines = [
            json.dumps({"size": one.size, "first": one.first, "quorum": one.quorum})
            for one in seen
            if one.size > last
        ]
        if lines:
            self._make()
            with _private(self.directory / HISTORY, os.O_APPEND) as file:
                file.write("".join(f"{line}\n" for line in lines).encode())

    def keep_evidence(self, found: Contradiction, at: int) -> Path:
        """Both notes and the reason in a directory of their own; returns it. Raises OSError."""
        self._make()
        number = 1
        while True:
            place = self.directory / EVIDENCE / f"{at}-{number}"
            if not place.exists():
                break
            if (place / "served").read_bytes() == found.served:
                return place
            number += 1
        write_private(place / "held", found.held.decode())
        write_private(place / "served", found.served.decode())
        write_private(place / "reason.txt", f"{found.reason}\n")
        return place

    def keep_report(self, written: str) -> None:
        """Remember the report of the last verification, in JSON. Raises OSError."""
        self._make()
        write_private(self.directory / REPORT, written)

    def report(self) -> str | None:
        """The report of the last verification; None before the first."""
        try:
            return (self.directory / REPORT).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    @property
    def _part(self) -> Path:
        return self.directory / f"{ENTRIES}{_UNFINISHED}"

    def _held_size(self) -> int:
        """The size of the tree on disk; 0 when it is not the one that the state speaks of."""
        seen, note = self.state.last, self.tree_note()
        if seen is None or note is None or Note.parse(note).text != Note.parse(seen.note).text:
            return 0
        return seen.checkpoint.size

    def tree_note(self) -> bytes | None:
        """The note beside the tiles; None where no tree is kept."""
        return TreeFiles(self.directory).checkpoint()

    def _make(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True, mode=_PRIVATE_DIRECTORY)


@contextmanager
def _private(path: Path, mode: int) -> Iterator[BinaryIO]:
    """A file for its owner alone, to write at its end or anew."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | mode, PRIVATE)
    with os.fdopen(descriptor, "wb") as file:
        yield file


def _seen_at(line: bytes) -> SeenAt | None:
    try:
        told = json.loads(line)
        return SeenAt(told["size"], told["first"], told["quorum"])
    except (ValueError, KeyError, TypeError):
        return None  # two lines in one, after a crash: one bound less


def _lines(path: Path, offset: int = 0) -> Iterator[bytes]:
    """Whole lines; one that was cut off while it was written is none."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        file.seek(offset)
        for line in file:
            if line.endswith(b"\n"):
                yield line

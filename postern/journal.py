"""The journal of a run: what became of each row, so that a run that was cut off goes on.

Append-only JSON lines, mode 0600, made durable after each batch. It holds row numbers, what became
of them and the platform's ids; never a value. Each row has a client key that follows from a random
run id and its number, so a row sent twice is recognised by the platform, and the key tells nothing.
"""

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, Self

from postern.client_errors import ClientError
from postern.private_files import PRIVATE, lock, sync_directory

VERSION = 1
_RUN_SIZE = 32  # bytes
_KEY_DIGITS = 32  # 128 bits in hexadecimal


class JournalError(ClientError):
    """The journal is damaged, in use, or belongs to something else; the message says which."""


class Fate(StrEnum):
    """What became of a row."""

    CREATED = "c"
    EXISTING = "e"
    REJECTED = "r"


@dataclass(frozen=True, slots=True)
class RunHeader:
    """What a run is. `terms` is a digest of everything beside the file that decides the content."""

    file_sha256: str
    terms: str
    day: date  # on which the run began; periods count from it
    rejected: str  # name of the file of rejected rows, beside the journal
    run: str  # hexadecimal, random

    @classmethod
    def new(cls, *, file_sha256: str, terms: str, day: date, rejected: str) -> Self:
        """A header with a run id of its own."""
        return cls(file_sha256, terms, day, rejected, secrets.token_hex(_RUN_SIZE))

    def client_key(self, row: int) -> str:
        """The key of a row: 128 bits of HMAC-SHA-256 of its number under the run id."""
        digest = hmac.digest(bytes.fromhex(self.run), str(row).encode(), hashlib.sha256)
        return digest.hex()[:_KEY_DIGITS]


@dataclass(frozen=True, slots=True)
class RowFate:
    """What became of one row, and the id of its report when it is in."""

    row: int
    fate: Fate
    report: str | None = None


class Journal:
    """The open journal of one run, locked against another process.

    `done` is the number of the last row whose fate is known: rows are recorded in order, without a
    gap. `rejected_bytes` is the length of the file of rejected rows that belongs to that state.
    """

    def __init__(self, path: Path, file: IO[bytes], header: RunHeader) -> None:
        self.path = path
        self.header = header
        self.done = 0
        self.counts = dict.fromkeys(Fate, 0)
        self.rejected_bytes = 0
        self.is_resumed = False
        self._file = file

    @classmethod
    def create(cls, path: Path, header: RunHeader) -> "Journal":
        """A journal for a new run; what was in the file is forgotten. Raises JournalError, OSError.

        The header is durable before anything is sent.
        """
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE)
        file = os.fdopen(descriptor, "rb+")
        try:
            _lock(file, path)
            file.truncate(0)
            _append(file, {"journal": VERSION, **_header_to_json(header)})
        except BaseException:
            file.close()
            raise
        sync_directory(path.parent)
        return cls(path, file, header)

    @classmethod
    def resume(cls, path: Path) -> "Journal | None":
        """The journal in a file, after its last whole line; None when no run was begun in it.

        Raises JournalError when it cannot be read, or when another process has it open.
        """
        try:
            file = path.open("rb+")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise JournalError(
                f"The journal {path} cannot be opened: {error.strerror}. Correct its permissions."
            ) from None
        journal = None
        try:
            _lock(file, path)
            journal = cls._read(path, file)
        finally:
            if journal is None:
                file.close()
        if journal is not None:
            journal.is_resumed = True
        return journal

    @classmethod
    def _read(cls, path: Path, file: IO[bytes]) -> "Journal | None":
        whole = 0
        journal: Journal | None = None
        for line in file:
            if not line.endswith(b"\n"):
                break  # the run was cut off while it wrote this line: it counts as not written
            try:
                content = json.loads(line)
                if journal is None:
                    journal = cls(path, file, _header_from_json(content))
                else:
                    journal._take(content)
            except (ValueError, KeyError, TypeError):
                raise _damaged(path) from None
            whole += len(line)
        if journal is not None:
            file.truncate(whole)
            file.seek(whole)
        return journal

    def record(self, fates: Sequence[RowFate], rejected_bytes: int) -> None:
        """Make the fates of the next rows durable. Raises OSError."""
        content = {
            "first": fates[0].row,
            "fates": "".join(each.fate for each in fates),
            "reports": [each.report for each in fates],
            "rejected_bytes": rejected_bytes,
        }
        _append(self._file, content)
        self._take(content)

    def close(self) -> None:
        """Close the file and give up the lock."""
        self._file.close()

    def _take(self, content: Mapping[str, Any]) -> None:
        fates = [Fate(each) for each in content["fates"]]
        if content["first"] != self.done + 1:
            raise ValueError("rows are missing")
        self.done += len(fates)
        for fate in fates:
            self.counts[fate] += 1
        self.rejected_bytes = int(content["rejected_bytes"])


def submitted_reports(path: Path) -> tuple[RunHeader, dict[int, str]] | None:
    """The run of a journal, and row -> id of its report, for the rows that have one.

    None when there is no journal. Raises JournalError when it is damaged, or open elsewhere.
    """
    journal = Journal.resume(path)
    if journal is None:
        return None
    journal.close()
    reports: dict[int, str] = {}
    with path.open("rb") as file:
        next(file)
        for line in file:
            content = json.loads(line)
            for row, report in enumerate(content["reports"], start=content["first"]):
                if report is not None:
                    reports[row] = str(report)
    return journal.header, reports


def journal_path(file: Path) -> Path:
    """Where the journal of a file is: beside it, or in the state directory if that cannot be."""
    if os.access(file.parent, os.W_OK):
        return file.with_name(f"{file.name}.journal")
    directory = state_directory()
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    whole = str(file.absolute()).replace(os.sep, "_")
    return directory / f"{whole[-200:]}.journal"


def state_directory() -> Path:
    """Where runs over files in directories that cannot be written keep their journals."""
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "postern"


def _header_to_json(header: RunHeader) -> dict[str, str]:
    return {
        "file_sha256": header.file_sha256,
        "terms": header.terms,
        "day": header.day.isoformat(),
        "rejected": header.rejected,
        "run": header.run,
    }


def _header_from_json(content: Mapping[str, Any]) -> RunHeader:
    if content["journal"] != VERSION:
        raise ValueError("another version")
    header = RunHeader(
        file_sha256=str(content["file_sha256"]),
        terms=str(content["terms"]),
        day=date.fromisoformat(content["day"]),
        rejected=Path(str(content["rejected"])).name,
        run=str(content["run"]),
    )
    if len(bytes.fromhex(header.run)) != _RUN_SIZE:
        raise ValueError("no run id")
    return header


def _append(file: IO[bytes], content: Mapping[str, Any]) -> None:
    file.write(json.dumps(content, separators=(",", ":")).encode() + b"\n")
    file.flush()
    os.fsync(file.fileno())


def _lock(file: IO[bytes], path: Path) -> None:
    """Keep other processes out; the lock goes with this process, however it ends."""
    if not lock(file):
        raise JournalError(
            f"Another process works on this file: {path} is locked. Let it finish or stop it, then "
            "run the command again."
        )


def _damaged(path: Path) -> JournalError:
    return JournalError(
        f"The journal {path} is damaged. Restore it from a backup; without it, --new-run submits "
        "every row of the file again, as new reports."
    )

"""An export package: own entries with everything that proves them, in one zip file.

    entries.jsonl, checkpoint, proofs/PLACE.tlog-proof, keys.json, tag-keys.json, README.txt, ...

What stands in it is read with bounds and believed only as far as it was verified.
"""

import json
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from postern.audit.trust import AuditError, Trust, published
from postern.tlog.proof_file import ProofFile
from postern.tlog.strict import MalformedError

CHECKPOINT, ENTRIES, KEYS, TAG_KEYS = "checkpoint", "entries.jsonl", "keys.json", "tag-keys.json"
PROOFS = "proofs/{place}.tlog-proof"

_LARGEST_PART = 2**20  # bytes of anything but the entries
_LONGEST_LINE = 2**24  # bytes of one entry
_DAMAGED = (
    *(BadZipFile, EOFError, NotImplementedError, OSError, RuntimeError, ValueError),
    *(struct.error, zlib.error),
)


@dataclass(frozen=True, slots=True)
class Package:
    """An open package. Nothing of it is verified."""

    name: str
    archive: ZipFile

    def checkpoint(self) -> bytes:
        """The signed note against which everything in it is proven; raises AuditError."""
        return self._part(CHECKPOINT)

    def trust(self) -> Trust:
        """The keys that came with it, confirmed by nobody; raises AuditError."""
        return published(self._json(KEYS))

    def organisation(self) -> str | None:
        """The code of the organisation whose entries they are, by the package's own word."""
        told = self._json(TAG_KEYS)
        code = told.get("organisation") if isinstance(told, dict) else None
        return code if isinstance(code, str) else None

    def entry_lines(self) -> Iterator[bytes]:
        """The lines of the entries; raises AuditError."""
        with self._open(ENTRIES) as file:
            while line := file.readline(_LONGEST_LINE):
                yield line

    def proof(self, place: int) -> ProofFile | None:
        """The proof of the entry at a place; None when there is none, or none in the format."""
        name = PROOFS.format(place=place)
        if name not in self.archive.NameToInfo:
            return None
        try:
            return ProofFile.parse(self._part(name))
        except MalformedError:
            return None

    def _json(self, name: str) -> Any:
        try:
            return json.loads(self._part(name))
        except (ValueError, RecursionError):
            raise _unreadable(f"{name} is no JSON") from None

    def _part(self, name: str) -> bytes:
        with self._open(name) as file:
            content = bytes(file.read(_LARGEST_PART + 1))
        if len(content) > _LARGEST_PART:
            raise _unreadable(f"{name} is too large")
        return content

    @contextmanager
    def _open(self, name: str) -> Iterator[Any]:
        try:
            with self.archive.open(name) as file:
                yield file
        except KeyError:
            raise _unreadable(f"it has no {name}") from None
        except _DAMAGED:
            raise _unreadable(f"{name} in it is damaged") from None


@contextmanager
def open_package(path: Path) -> Iterator[Package]:
    """The package in a file. Raises AuditError when it is none, OSError."""
    try:
        archive = ZipFile(path)
    except (BadZipFile, NotImplementedError, ValueError, struct.error):
        raise _unreadable("it is no zip file, or a damaged one") from None
    with archive:
        yield Package(path.name, archive)


def _unreadable(why: str) -> AuditError:
    return AuditError(
        f"The package cannot be read: {why}. Fetch the export again; if it stays so, tell the "
        "platform's operator."
    )

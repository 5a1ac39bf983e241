"""The form of a backup: a tar stream of parts, the manifest at its end, encrypted as a whole.

`database/NNNNNNNN` are pieces of one dump, in order; `archive/NAME` are sealed months of the log;
`high-water.json`, `settings.json` and `README` stand for themselves; `manifest.json` is last and
has length and SHA-256 of each part, pieces counted together.
"""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from app.backup.encryption import (
    BackupDamagedError,
    Identities,
    Recipients,
    decrypting,
    encrypting,
)
from app.errors import StartRefusedError
from postern.private_files import sync_directory

SUFFIX = ".backup"
DATABASE = "database"
ARCHIVE = "archive/"
MANIFEST = "manifest.json"
HIGH_WATER = "high-water.json"

_PIECE = 1 << 22  # bytes of a piece of the dump: what is held in memory
_BLOCK = 1 << 18
_MOST_MANIFEST = 1 << 24


@dataclass
class Writer:
    """Writes parts and notes what they are."""

    tar: tarfile.TarFile
    noted: dict[str, dict[str, Any]] = field(default_factory=dict)

    def small(self, name: str, content: bytes) -> None:
        """A part that fits into memory."""
        self._note(name, hashlib.sha256(content), len(content))
        self._add(name, len(content), io.BytesIO(content))

    def file(self, name: str, path: Path) -> None:
        """A part that stands in a file, which nobody changes meanwhile."""
        with path.open("rb") as source:
            hashing = _Hashing(source)
            self._add(name, path.stat().st_size, hashing)
        self._note(name, hashing.digest, hashing.length)

    def pieces(self, name: str, source: Callable[[int], bytes]) -> None:
        """A part of unknown length, which `source` gives as `read` does."""
        digest, length, number = hashlib.sha256(), 0, 0
        while piece := _full(source, _PIECE):
            digest.update(piece)
            length += len(piece)
            self._add(f"{name}/{number:08}", len(piece), io.BytesIO(piece))
            number += 1
        self._note(name, digest, length)

    def _add(self, name: str, size: int, source: Any) -> None:
        told = tarfile.TarInfo(name)
        told.size, told.mode = size, 0o600
        self.tar.addfile(told, source)

    def _note(self, name: str, digest: Any, length: int) -> None:
        self.noted[name] = {"bytes": length, "sha256": digest.hexdigest()}


@contextmanager
def writing(path: Path, to: Recipients) -> Iterator[Writer]:
    """Write a backup to `path`, which is there whole when the block has ended, and else not at all.

    StartRefusedError when the disk is full or cannot be written.
    """
    draft = path.with_name(f".{path.name}.partial")
    try:
        with private(draft) as file:
            with (
                encrypting(file, to) as stream,
                tarfile.open(
                    fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT, bufsize=_BLOCK
                ) as tar,
            ):
                yield Writer(tar)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        sync_directory(path.parent)
    except OSError as error:
        raise StartRefusedError(
            f"The backup cannot be written to {path.parent} ({error.strerror or error}). Nothing"
            " was kept of it: make room, and begin again."
        ) from None
    finally:
        draft.unlink(missing_ok=True)


def read_manifest(path: Path, by: Identities) -> dict[str, Any]:
    """Read the whole file and compare every part with the manifest, which is returned.

    BackupDamagedError when a part is not the one that was written.
    """
    digests: dict[str, tuple[Any, int]] = {}
    manifest: dict[str, Any] | None = None
    with _members(path, by) as members:
        for name, source in members:
            if name == MANIFEST:
                manifest = json.loads(source.read(_MOST_MANIFEST))
                continue
            part = _part(name)
            digest, length = digests.get(part, (hashlib.sha256(), 0))
            while block := source.read(_BLOCK):
                digest.update(block)
                length += len(block)
            digests[part] = digest, length
        if manifest is None:
            raise BackupDamagedError(f"{path.name} has no manifest: it is no whole backup.")
    found = {
        part: {"bytes": length, "sha256": digest.hexdigest()}
        for part, (digest, length) in digests.items()
    }
    if found != manifest["parts"]:
        wrong = sorted(
            part
            for part in found.keys() | manifest["parts"].keys()
            if found.get(part) != manifest["parts"].get(part)
        )
        raise BackupDamagedError(f"{path.name}: not as it was written: {', '.join(wrong)}.")
    return manifest


@contextmanager
def database_of(path: Path, by: Identities) -> Iterator[Iterator[bytes]]:
    """The dump, block by block."""
    with _members(path, by) as members:
        yield _blocks(members)


def _blocks(members: Iterator[tuple[str, IO[bytes]]]) -> Iterator[bytes]:
    for name, source in members:
        if _part(name) == DATABASE:
            while block := source.read(_BLOCK):
                yield block


def files_of(path: Path, by: Identities, wanted: Callable[[str], Path | None]) -> None:
    """Write each part for which `wanted` gives a path into that file, durably."""
    with _members(path, by) as members:
        for name, source in members:
            target = None if _part(name) == DATABASE else wanted(name)
            if target is None:
                continue
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with private(target) as file:
                while block := source.read(_BLOCK):
                    file.write(block)
                file.flush()
                os.fsync(file.fileno())


@contextmanager
def _members(path: Path, by: Identities) -> Iterator[Iterator[tuple[str, IO[bytes]]]]:
    with decrypting(path, by) as stream:
        try:
            with tarfile.open(fileobj=stream, mode="r|", bufsize=_BLOCK) as tar:
                yield _each(tar)
        except (tarfile.TarError, EOFError, ValueError, KeyError) as error:
            raise BackupDamagedError(
                f"{path.name} cannot be read ({type(error).__name__}). Choose another copy of it."
            ) from None


def _each(tar: tarfile.TarFile) -> Iterator[tuple[str, IO[bytes]]]:
    for told in tar:
        source = tar.extractfile(told)
        if source is not None:
            yield told.name, source


def _part(name: str) -> str:
    return DATABASE if name.startswith(f"{DATABASE}/") else name


def _full(source: Callable[[int], bytes], size: int) -> bytes:
    found: list[bytes] = []
    left = size
    while left and (block := source(left)):
        found.append(block)
        left -= len(block)
    return b"".join(found)


def private(path: Path) -> IO[bytes]:
    """A file to be written anew, for this user alone."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


class _Hashing(io.RawIOBase):
    """What is read from a file, hashed as it passes."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self.digest = hashlib.sha256()
        self.length = 0

    def read(self, size: int = -1) -> bytes:
        block = self._source.read(size)
        self.digest.update(block)
        self.length += len(block)
        return block

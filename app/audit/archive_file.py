"""The form of a sealed archive: a run of places in one file, read at random by bundles of 256.

A bundle has its leaves, its records, and the details of each (organisation, month) sealed under a
key of their own: without the key they are gone, and leaves and records still verify. Base64url is
kept as the bytes it stands for, and `c` of a leaf is not kept, since the record gives it.

    magic, bundles, index (deflated JSON), offset of the index (8 bytes, big-endian)
"""

import hashlib
import json
import os
import re
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

from app.audit.columns import packed_leaf, unpacked_leaf
from app.audit.high_water import StoredMismatchError
from app.secret_files import Sealer
from postern.base64url import from_base64url, to_base64url
from postern.tlog.tiles import TILE_WIDTH

Shelf = tuple[str, int]
"""Whose details, and of which month (year * 12 + month - 1): what one key opens."""

Keys = Callable[[Shelf], bytes | None]
"""The key of a shelf, None when it was deleted."""

_MAGIC = b"postern-archive/v1\n"
_OFFSET_LENGTH = 8  # bytes
_SIZE_LENGTH = 4  # bytes, of the part that is not deflated
_COMMITMENT = slice(1, 33)  # of a packed leaf
_NONCE_LENGTH = 12  # bytes; a tag has as many
_MARKS = {b"\x01": 16, b"\x02": 32}  # in place of base64url of so many bytes
_BASE64URL = re.compile(rb'"([\w-]{43}|[\w-]{22})"', re.ASCII)
_MARK = re.compile(rb"[\x01\x02]")
_BETWEEN = b"\x00"  # texts; canonical JSON has no such byte


class ArchiveDamagedError(StoredMismatchError):
    """A sealed archive is not what it was; the text says which and what to do."""


@dataclass(frozen=True)
class Placed:
    """What stands at one place: `openings` are the lines of `audit_detail.disc`, as stored."""

    leaf: bytes
    record: bytes
    openings: bytes
    shelf: Shelf


@dataclass(frozen=True)
class Sealed:
    """A file that was written: its SHA-256 and its length in bytes."""

    sha256: bytes
    length: int


@dataclass(frozen=True)
class _Bundle:
    """Where a bundle stands in the file, and how long its parts are."""

    offset: int
    width: int
    leaves: int
    records: int
    shelves: tuple[tuple[Shelf, int], ...]


def write(path: Path, placed: Iterable[Placed], keys: Keys) -> Sealed:
    """Write what stands at consecutive places, the first a multiple of 256, durably to `path`.

    Details whose shelf has no key are left out.
    """
    index = []
    with path.open("wb") as file:
        file.write(_MAGIC)
        for number, bundle in enumerate(_bundles(placed)):
            index.append(_write_bundle(file, number, bundle, keys))
        offset = file.tell()
        file.write(zlib.compress(json.dumps(index).encode(), 9))
        file.write(offset.to_bytes(_OFFSET_LENGTH, "big"))
        file.flush()
        os.fsync(file.fileno())
    return fingerprint(path)


def fingerprint(path: Path) -> Sealed:
    """SHA-256 and length of a file; ArchiveDamagedError when it is not there."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
            return Sealed(digest.digest(), file.tell())
    except OSError as error:
        raise _damaged(path, type(error).__name__) from None


class ArchiveFile:
    """A sealed archive, read bundle by bundle; ArchiveDamagedError when it cannot be read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as file:
                if file.read(len(_MAGIC)) != _MAGIC:
                    raise _damaged(path, "it has another form")
                file.seek(-_OFFSET_LENGTH, os.SEEK_END)
                end = file.tell()
                offset = int.from_bytes(file.read(), "big")
                file.seek(offset)
                index = json.loads(zlib.decompress(file.read(end - offset)))
            self._bundles = [_indexed(item) for item in index]
        except (OSError, OverflowError, TypeError, ValueError, zlib.error) as error:
            raise _damaged(path, type(error).__name__) from None

    @property
    def count(self) -> int:
        """How many places it holds."""
        return sum(bundle.width for bundle in self._bundles)

    @property
    def bundles(self) -> int:
        """How many bundles of 256 places, the last perhaps of fewer."""
        return len(self._bundles)

    def placed(self, number: int, keys: Keys | None = None) -> list[Placed]:
        """What stands in bundle `number`; details only of shelves whose key is given."""
        try:
            return self._placed(number, keys)
        except (IndexError, OSError, TypeError, ValueError, zlib.error) as error:
            raise _damaged(self.path, type(error).__name__) from None

    def leaves(self, number: int) -> list[bytes]:
        """The leaves of bundle `number`."""
        return [each.leaf for each in self.placed(number)]

    def all_placed(self, keys: Keys | None = None) -> Iterator[Placed]:
        """What stands at all its places, in order."""
        for number in range(len(self._bundles)):
            yield from self.placed(number, keys)

    def _placed(self, number: int, keys: Keys | None) -> list[Placed]:
        bundle = self._bundles[number]
        with self.path.open("rb") as file:
            file.seek(bundle.offset)
            leaves = file.read(bundle.leaves)
            records = _expanded(file.read(bundle.records))
            openings: dict[int, bytes] = {}
            shelf_of: dict[int, Shelf] = {}
            for shelf, length in bundle.shelves:
                places, found = _opened(file.read(length), number, shelf, keys)
                shelf_of |= dict.fromkeys(places, shelf)
                openings |= dict(zip(places, found, strict=False))
        if len(records) != bundle.width:
            raise ValueError("a record is missing")
        return [
            Placed(leaf, record, openings.get(at, b""), shelf_of[at])
            for at, (leaf, record) in enumerate(
                zip(_whole_leaves(leaves, records), records, strict=True)
            )
        ]


def _bundles(placed: Iterable[Placed]) -> Iterator[list[Placed]]:
    coming = iter(placed)
    while bundle := list(islice(coming, TILE_WIDTH)):
        yield bundle


def _write_bundle(file: IO[bytes], number: int, bundle: Sequence[Placed], keys: Keys) -> list[Any]:
    leaves = b"".join(map(_short_leaf, bundle))
    records = _squeezed([each.record for each in bundle])
    shelves: defaultdict[Shelf, list[int]] = defaultdict(list)
    for at, each in enumerate(bundle):
        shelves[each.shelf].append(at)
    parts = []
    for shelf, places in sorted(shelves.items()):
        texts = [bundle[at].openings for at in places]
        parts.append((shelf, _closed(places, texts, number, shelf, keys)))
    offset = file.tell()
    file.write(leaves + records + b"".join(part for _, part in parts))
    lengths = [[*shelf, len(part)] for shelf, part in parts]
    return [offset, len(bundle), len(leaves), len(records), lengths]


def _indexed(item: Sequence[Any]) -> _Bundle:
    offset, width, leaves, records, shelves = item
    return _Bundle(
        offset,
        width,
        leaves,
        records,
        tuple(((org, month), length) for org, month, length in shelves),
    )


def _closed(
    places: Sequence[int], texts: Sequence[bytes], number: int, shelf: Shelf, keys: Keys
) -> bytes:
    """Which places of the bundle are of this shelf, and their details under its key."""
    head = bytes([len(places) - 1, *places])
    key = keys(shelf) if any(texts) else None
    if key is None:
        return head
    return head + Sealer(key).seal(_squeezed(texts), _context(number, shelf))


def _opened(part: bytes, number: int, shelf: Shelf, keys: Keys | None) -> tuple[bytes, list[bytes]]:
    count = part[0] + 1
    places, sealed = part[1 : 1 + count], part[1 + count :]
    key = keys(shelf) if keys and sealed else None
    if key is None:
        return places, []
    return places, _expanded(Sealer(key).open(sealed, _context(number, shelf)))


def _context(number: int, shelf: Shelf) -> bytes:
    return f"postern-archive/{number}/{shelf[0]}/{shelf[1]}".encode()


def _short_leaf(each: Placed) -> bytes:
    """How many values of 12 bytes, then nonce and tags."""
    packed = packed_leaf(each.leaf)
    commitment = hashlib.sha256(each.record).digest()
    if packed == each.leaf or packed[_COMMITMENT] != commitment:
        raise ValueError("a record does not fit its leaf")
    kept = packed[_COMMITMENT.stop :]
    return bytes([len(kept) // _NONCE_LENGTH]) + kept


def _whole_leaves(short: bytes, records: Sequence[bytes]) -> Iterator[bytes]:
    at = 0
    for record in records:
        end = at + 1 + short[at] * _NONCE_LENGTH
        yield unpacked_leaf(b"\x01" + hashlib.sha256(record).digest() + short[at + 1 : end])
        at = end


def _squeezed(texts: Sequence[bytes]) -> bytes:
    """Texts of canonical JSON: what is random as bytes, the rest deflated."""
    raw: list[bytes] = []

    def take(found: re.Match[bytes]) -> bytes:
        value = from_base64url(found[1].decode())
        if value is None:
            return found[0]
        raw.append(value)
        return b"\x01" if len(value) == _MARKS[b"\x01"] else b"\x02"

    joined = _BETWEEN.join(texts)
    if _MARK.search(joined) or joined.count(_BETWEEN) != len(texts) - 1:
        raise ValueError("a text is not JSON")
    rest = _BASE64URL.sub(take, joined)
    taken = b"".join(raw)
    return len(taken).to_bytes(_SIZE_LENGTH, "big") + taken + zlib.compress(rest, 9)


def _expanded(squeezed: bytes) -> list[bytes]:
    start = _SIZE_LENGTH + int.from_bytes(squeezed[:_SIZE_LENGTH], "big")
    raw = squeezed[_SIZE_LENGTH:start]
    at = 0

    def give(found: re.Match[bytes]) -> bytes:
        nonlocal at
        at += _MARKS[found[0]]
        return b'"' + to_base64url(raw[at - _MARKS[found[0]] : at]).encode() + b'"'

    return _MARK.sub(give, zlib.decompress(squeezed[start:])).split(_BETWEEN)


def _damaged(path: Path, why: str) -> ArchiveDamagedError:
    return ArchiveDamagedError(
        f"The archive {path.name} cannot be read ({why}). Restore it from its backup; its SHA-256"
        " stands in the log."
    )

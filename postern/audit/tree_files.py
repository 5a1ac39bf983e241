"""A log kept as files, in the layout of C2SP tlog-tiles: `checkpoint`, `tile/...`.

Tools of third parties read such a directory as a log. Each file is put in its place whole, and the
checkpoint after all that it covers, so that a crash leaves an older log and never a broken one.
"""

import os
import shutil
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from postern.private_files import PRIVATE
from postern.tlog.hashing import HASH_SIZE
from postern.tlog.tiles import (
    ENTRIES_LEVEL,
    TILE_WIDTH,
    Tile,
    bundles_of,
    parse_bundle,
    tiles_of,
)

CHECKPOINT = "checkpoint"

_REMEMBERED = 512  # tiles; 4 MiB
_PARTIAL = ".p"
_MOST_SYNCED = 200  # files


class MissingFileError(LookupError):
    """A tile or bundle is not among the files, or is shorter than its name says."""


class TreeFiles:
    """The tiles, bundles and the checkpoint below one directory, for a log of `size`."""

    def __init__(self, directory: Path, size: int = 0) -> None:
        self.directory = directory
        self.size = size
        self._unsettled: list[str] = []
        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._read)

    def tile(self, tile: Tile) -> bytes:
        """The bytes of a hash tile, or of the same tile grown wider; MissingFileError."""
        return self._remembered(tile)

    def leaves(self, bundle: Tile) -> list[bytes]:
        """The leaves of a bundle; MissingFileError, MalformedError."""
        return parse_bundle(self._read(bundle), bundle.width)

    def leaf(self, index: int) -> bytes:
        """The leaf at a place; MissingFileError, MalformedError."""
        number, place = divmod(index, TILE_WIDTH)
        return self.leaves(Tile(ENTRIES_LEVEL, number, self._width(0, number)))[place]

    def leaf_hash(self, index: int) -> bytes:
        """The hash of the leaf at a place; MissingFileError."""
        number, place = divmod(index, TILE_WIDTH)
        content = self.tile(Tile(0, number, self._width(0, number)))
        return content[place * HASH_SIZE : (place + 1) * HASH_SIZE]

    def has(self, tile: Tile) -> bool:
        """Whether this very tile is there, at this width."""
        return (self.directory / tile.path).is_file()

    def write(self, tile: Tile, content: bytes) -> None:
        """Put a tile in its place; durable only after `commit`."""
        self._put(tile.path, content)
        self._unsettled.append(tile.path)

    def checkpoint(self) -> bytes | None:
        """The note of the newest checkpoint that the files cover; None before the first."""
        try:
            return (self.directory / CHECKPOINT).read_bytes()
        except FileNotFoundError:
            return None

    def commit(self, note: bytes, size: int) -> None:
        """Make the log of `size` durable under its checkpoint, and drop what it outgrew."""
        self._remembered.cache_clear()
        self._settle()
        self._put(CHECKPOINT, note, durable=True)
        self.size = size
        self._drop_outgrown()

    def drop(self, tile: Tile) -> None:
        """Forget a tile that turned out not to be part of the signed log."""
        (self.directory / tile.path).unlink(missing_ok=True)
        self._remembered.cache_clear()

    def clear(self) -> None:
        """Forget the whole log."""
        (self.directory / CHECKPOINT).unlink(missing_ok=True)
        shutil.rmtree(self.directory / "tile", ignore_errors=True)
        self._remembered.cache_clear()
        self.size = 0

    def leaf_hashes_among(self, wanted: frozenset[bytes], *, until: int) -> frozenset[bytes]:
        """Which of `wanted` stand among the first `until` leaves; MissingFileError."""
        found: set[bytes] = set()
        for tile in bundles_of(until):
            row = self._read(Tile(0, tile.index, tile.width))
            hashes = (row[at : at + HASH_SIZE] for at in range(0, len(row), HASH_SIZE))
            found |= wanted.intersection(hashes)
        return frozenset(found)

    def _read(self, tile: Tile) -> bytes:
        """The file of this width, else of the same tile as it is now, or when it was whole."""
        widths = [tile.width]
        if tile.level != ENTRIES_LEVEL:
            widths += [self._width(tile.level, tile.index), TILE_WIDTH]
        for width in dict.fromkeys(width for width in widths if width >= tile.width):
            try:
                content = (self.directory / Tile(tile.level, tile.index, width).path).read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                continue
            if tile.level == ENTRIES_LEVEL or len(content) == width * HASH_SIZE:
                return content
        raise MissingFileError(f"{tile.path} is not there, or has another length")

    def _width(self, level: int, index: int) -> int:
        """How many hashes or leaves of a tile the log has now; 0 or less when it is beyond it."""
        return min(TILE_WIDTH, (self.size >> 8 * max(level, 0)) - index * TILE_WIDTH)

    def _put(self, name: str, content: bytes, *, durable: bool = False) -> None:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        draft.replace(path)

    def _settle(self) -> None:
        """Make what was written durable: one by one, or all at once where that is quicker."""
        written, self._unsettled = self._unsettled, []
        if len(written) > _MOST_SYNCED and hasattr(os, "sync"):
            os.sync()
            return
        for name in written:
            with (self.directory / name).open("rb+") as file:
                os.fsync(file.fileno())

    def _drop_outgrown(self) -> None:
        """Remove partial tiles of smaller sizes; a wider one begins with the same bytes."""
        current = {tile.path for tile in _edge(self.size)}
        for path in self._partials():
            if path.relative_to(self.directory).as_posix() not in current:
                path.unlink()
                if not any(path.parent.iterdir()):
                    path.parent.rmdir()

    def _partials(self) -> Iterator[Path]:
        return (
            path
            for holder in sorted((self.directory / "tile").rglob(f"*{_PARTIAL}"))
            for path in sorted(holder.iterdir())
        )


def _edge(size: int) -> Iterator[Tile]:
    """The partial tiles and the partial bundle of a log."""
    for tile in (*tiles_of(size), *bundles_of(size)):
        if tile.width < TILE_WIDTH:
            yield tile

"""Bringing a copy of a log up to date: bundles are fetched, tiles are made of them, not believed.

A bundle that is there is not fetched again, so a copy that was cut off goes on. What was fetched
counts only after the tree made of it has the signed root.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from postern.audit.sources import LogSource, NotThereError
from postern.audit.tree_files import MissingFileError, TreeFiles
from postern.tlog.bundles import parse_bundle
from postern.tlog.checkpoint import Checkpoint
from postern.tlog.hashing import HASH_SIZE, leaf_hash
from postern.tlog.tiles import (
    TILE_WIDTH,
    Growth,
    MalformedError,
    Tile,
    bundles_of,
    grown,
)

_AHEAD = 32  # bundles that are fetched together
_CONNECTIONS = 4


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The leaves that are served do not give the signed root.

    `place` is the first entry that differs from the served tree of hashes, where that can be told.
    """

    place: int | None
    reason: str


def copy_log(
    source: LogSource,
    files: TreeFiles,
    checkpoint: Checkpoint,
    note: bytes,
    *,
    anyway: bool = False,
    told: Callable[[int], None] | None = None,
) -> Mismatch | None:
    """Let `files` hold the whole log of a verified checkpoint; None when they do.

    `files` hold a verified log that the checkpoint was shown to extend, or nothing. Otherwise they
    stay at the log that they held; with `anyway` they hold what is served, as evidence of what is
    wrong with it. `told` hears how many more leaves are there.
    """
    held = files.size
    if checkpoint.size > held:
        mismatch = _grow(source, files, checkpoint, told, anyway=anyway)
        if mismatch is not None and not anyway:
            # What lay here from an earlier, unfinished copy may be at fault: fetch all of it anew.
            _drop_beyond(files, held, checkpoint.size)
            mismatch = _grow(source, files, checkpoint, None, anyway=False)
        if mismatch is not None:
            if not anyway:
                _drop_beyond(files, held, checkpoint.size)
            return mismatch
    files.commit(note, checkpoint.size)
    return None


class _Overlay:
    """Reads tiles that were just made, before they are among the files."""

    def __init__(self, files: TreeFiles) -> None:
        self.files = files
        self.edge: dict[tuple[int, int], bytes] = {}

    def read(self, tile: Tile) -> bytes:
        made = self.edge.get((tile.level, tile.index))
        return made if made is not None else self.files.tile(tile)

    def take(self, growth: Growth) -> None:
        """Write whole tiles, and keep those at the right edge until they are whole or final."""
        for tile, content in growth.tiles.items():
            if tile.width == TILE_WIDTH:
                self.files.write(tile, content)
                self.edge.pop((tile.level, tile.index), None)
            else:
                self.edge[tile.level, tile.index] = content

    def finish(self) -> None:
        """Write the tiles at the right edge."""
        for (level, index), content in self.edge.items():
            self.files.write(Tile(level, index, len(content) // HASH_SIZE), content)


def _grow(
    source: LogSource,
    files: TreeFiles,
    checkpoint: Checkpoint,
    told: Callable[[int], None] | None,
    *,
    anyway: bool,
) -> Mismatch | None:
    held = size = files.size
    overlay = _Overlay(files)
    root = b""
    try:
        for bundle, leaves in _bundles(source, files, checkpoint.size):
            fresh = leaves[max(0, size - bundle.index * TILE_WIDTH) :]
            growth = grown(overlay.read, size, [leaf_hash(leaf) for leaf in fresh])
            overlay.take(growth)
            size, root = growth.size, growth.root
            if told:
                told(len(fresh))
    except (NotThereError, MissingFileError, MalformedError) as error:
        return Mismatch(size, f"an entry is not served, or not in its form ({error})")
    if anyway or root == checkpoint.root:
        overlay.finish()
    if root == checkpoint.root:
        return None
    if anyway:
        files.size = size
    place = _first_difference(source, files, held, checkpoint.size)
    return Mismatch(place, "the entries that are served do not give the signed root")


def _bundles(source: LogSource, files: TreeFiles, size: int) -> Iterator[tuple[Tile, list[bytes]]]:
    """The bundles that hold the leaves from the size of `files` on, from there or from the source.

    Raises NotThereError, MalformedError.
    """

    def content(bundle: Tile) -> list[bytes]:
        if files.has(bundle):
            try:
                return files.leaves(bundle)
            except MalformedError:
                files.drop(bundle)
        fetched = source.tile(bundle)
        leaves = parse_bundle(fetched, bundle.width)
        files.write(bundle, fetched)
        return leaves

    wanted = islice(bundles_of(size), files.size // TILE_WIDTH, None)
    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        while ahead := list(islice(wanted, _AHEAD)):
            yield from zip(ahead, pool.map(content, ahead), strict=True)


def _first_difference(source: LogSource, files: TreeFiles, held: int, size: int) -> int | None:
    """The first place whose leaf is not the one that the served tiles have there."""
    for bundle in islice(bundles_of(size), held // TILE_WIDTH, None):
        try:
            row = source.tile(Tile(0, bundle.index, bundle.width))
        except NotThereError:
            return bundle.index * TILE_WIDTH
        for number, leaf in enumerate(files.leaves(bundle)):
            if row[number * HASH_SIZE : (number + 1) * HASH_SIZE] != leaf_hash(leaf):
                return bundle.index * TILE_WIDTH + number
    return None


def _drop_beyond(files: TreeFiles, held: int, size: int) -> None:
    """Forget the bundles that were fetched for a log that did not verify."""
    for bundle in islice(bundles_of(size), held // TILE_WIDTH, None):
        if (
            bundle.index + 1
        ) * TILE_WIDTH > held and bundle.width != held - bundle.index * TILE_WIDTH:
            files.drop(bundle)

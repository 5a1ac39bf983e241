"""The tree cut into tiles of 256 hashes: their paths, how they grow, and proofs made from them.

A tile is only as good as where it leads: nothing made from tiles may be believed before it was
verified against the root of a signed checkpoint (`postern.tlog.tree`). Source: C2SP tlog-tiles.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from postern.tlog.bundles import encode_bundle, parse_bundle
from postern.tlog.hashing import HASH_SIZE, peaks, root_under
from postern.tlog.strict import LARGEST_SIZE, MalformedError

__all__ = [
    "ENTRIES_LEVEL",
    "HASH_SIZE",
    "TILE_WIDTH",
    "Growth",
    "MalformedError",
    "Tile",
    "TileReader",
    "bundles_of",
    "consistency_proof",
    "encode_bundle",
    "grown",
    "inclusion_proof",
    "parse_bundle",
    "root",
    "tiles_of",
]

TILE_WIDTH = 256  # hashes
ENTRIES_LEVEL = -1  # bundles of entries stand beside the tiles and are named like them

_HEIGHT = 8  # rows of the tree between one level of tiles and the next
_HIGHEST_LEVEL = 63
_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<index>(?:x[0-9]{3}/){0,6}[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?",
    re.ASCII,
)


@dataclass(frozen=True, order=True)
class Tile:
    """The name of a tile: level (-1 = bundle of entries), index in it, width in hashes (1-256)."""

    level: int
    index: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """Where it stands below the log's prefix, such as `tile/0/x001/x234/067.p/12`."""
        level = "entries" if self.level == ENTRIES_LEVEL else str(self.level)
        groups = [f"{self.index % 1000:03d}"]
        higher = self.index // 1000
        while higher:
            groups.insert(0, f"x{higher % 1000:03d}")
            higher //= 1000
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{level}/{'/'.join(groups)}{partial}"

    @classmethod
    def parse(cls, path: str) -> "Tile":
        """The tile of a path; raises MalformedError for every path that `path` would not write."""
        found = _PATH.fullmatch(path)
        if found is None:
            raise MalformedError("path of a tile", "it is not tile/LEVEL/INDEX or .../INDEX.p/W")
        tile = cls(
            level=ENTRIES_LEVEL if found["level"] == "entries" else int(found["level"]),
            index=int(found["index"].replace("/", "").replace("x", "")),
            width=int(found["width"] or TILE_WIDTH),
        )
        if tile.path != path or tile.level > _HIGHEST_LEVEL or tile.index > LARGEST_SIZE:
            raise MalformedError("path of a tile", "a number in it is out of range or padded")
        return tile


TileReader = Callable[[Tile], bytes]
"""Returns the hashes of a tile, `width` * 32 bytes, or those of the same tile grown wider."""


@dataclass(frozen=True)
class Growth:
    """A tree after entries were added: every tile that is new or changed, with all its hashes."""

    size: int
    root: bytes
    tiles: dict[Tile, bytes]


def root(read: TileReader, size: int) -> bytes:
    """The root of the tree of `size` leaves, from the tiles at its right edge; 32 bytes.

    Raises MalformedError when a tile that it needs is too short.
    """
    return _Tree(read, size).root_between(0, size)


def inclusion_proof(read: TileReader, index: int, size: int) -> list[bytes]:
    """The hashes from the leaf's sibling up to the root's child (RFC 6962, section 2.1.1).

    Raises ValueError when the tree has no such leaf, MalformedError for a tile too short.
    """
    if not 0 <= index < size:
        raise ValueError(f"A tree of {size} entries has no entry {index}. Ask for a larger size.")
    tree = _Tree(read, size)
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(tree.root_between(middle, end))
            end = middle
        else:
            proof.append(tree.root_between(start, middle))
            start = middle
    return proof[::-1]


def consistency_proof(read: TileReader, old: int, new: int) -> list[bytes]:
    """The proof that the first `old` of `new` leaves are the old tree (RFC 6962, 2.1.2).

    Empty when `old` is 0 or `new`. Raises ValueError when `old` is greater, MalformedError for a
    tile too short.
    """
    if not 0 <= old <= new:
        raise ValueError(f"A log cannot shrink from {old} to {new}. Give the smaller size first.")
    if old in {0, new}:
        return []
    tree = _Tree(read, new)
    proof: list[bytes] = []
    start, end = 0, new
    while end != old:  # invariant: the old tree ends inside [start, end)
        middle = start + _split(end - start)
        if old <= middle:
            proof.append(tree.root_between(middle, end))
            end = middle
        else:
            proof.append(tree.root_between(start, middle))
            start = middle
    if start:  # otherwise the verifier knows this hash already: it is the old root
        proof.append(tree.root_between(start, end))
    return proof[::-1]


def grown(read: TileReader, size: int, leaf_hashes: Sequence[bytes]) -> Growth:
    """The tree of `size` leaves with more leaf hashes behind them.

    Reads the partial tile at the right edge of each level once, and no other. Raises ValueError
    when a leaf hash is not 32 bytes, MalformedError when a stored tile is too short.
    """
    if any(len(one) != HASH_SIZE for one in leaf_hashes):
        raise ValueError(f"A leaf hash is not {HASH_SIZE} bytes long. Hash entries with leaf_hash.")
    fresh = b"".join(leaf_hashes)
    tiles: dict[Tile, bytes] = {}
    from_the_right: list[bytes] = []
    level, before = 0, size
    while before or fresh:
        index, width = divmod(before, TILE_WIDTH)
        row = (_content(read, Tile(level, index, width)) if width else b"") + fresh
        above: list[bytes] = []
        for at in range(0, len(row) - _FULL + 1, _FULL):
            full = row[at : at + _FULL]
            tiles[Tile(level, index)] = full
            above += peaks(full)
            index += 1
        edge = row[len(above) * _FULL :]
        if edge and fresh:
            tiles[Tile(level, index, len(edge) // HASH_SIZE)] = edge
        from_the_right += peaks(edge)
        level, before, fresh = level + 1, before // TILE_WIDTH, b"".join(above)
    return Growth(size + len(leaf_hashes), root_under(from_the_right), tiles)


def tiles_of(size: int) -> Iterator[Tile]:
    """Every tile of hashes of a tree of `size` leaves, level by level, partial ones last."""
    level = 0
    while size:
        yield from _row_of(level, size)
        level, size = level + 1, size // TILE_WIDTH


def bundles_of(size: int) -> Iterator[Tile]:
    """Every bundle of entries of a tree of `size` leaves."""
    return _row_of(ENTRIES_LEVEL, size)


_FULL = TILE_WIDTH * HASH_SIZE  # bytes


class _Tree:
    """The tree of one size, seen through its tiles; reads each tile at most once."""

    def __init__(self, read: TileReader, size: int) -> None:
        self._read = read
        self._size = size
        self._tiles: dict[Tile, bytes] = {}

    def root_between(self, start: int, end: int) -> bytes:
        """The root over leaves [start, end), where `start` is one that RFC 6962 splits at."""
        from_the_left: list[bytes] = []
        while start < end:
            height = (end - start).bit_length() - 1
            from_the_left.append(self._node(height, start >> height))
            start += 1 << height
        return root_under(from_the_left[::-1])

    def _node(self, height: int, index: int) -> bytes:
        level, rest = divmod(height, _HEIGHT)
        number, first = divmod(index << rest, TILE_WIDTH)
        width = min(TILE_WIDTH, (self._size >> _HEIGHT * level) - number * TILE_WIDTH)
        tile = Tile(level, number, width)
        if tile not in self._tiles:
            self._tiles[tile] = _content(self._read, tile)
        row = self._tiles[tile][first * HASH_SIZE : (first + (1 << rest)) * HASH_SIZE]
        return root_under(peaks(row))


def _content(read: TileReader, tile: Tile) -> bytes:
    content = read(tile)[: tile.width * HASH_SIZE]
    if len(content) != tile.width * HASH_SIZE:
        raise MalformedError(f"whole {tile.path}", f"it has only {len(content)} bytes")
    return content


def _row_of(level: int, hashes: int) -> Iterator[Tile]:
    full, partial = divmod(hashes, TILE_WIDTH)
    for index in range(full):
        yield Tile(level, index)
    if partial:
        yield Tile(level, full, partial)


def _split(leaves: int) -> int:
    """The largest power of two below a number of leaves greater than one."""
    return 1 << ((leaves - 1).bit_length() - 1)

"""The known answers of tests/data/tlog-vectors.json, and a log to build in memory."""

import base64
import json
from pathlib import Path

from postern.tlog import tiles
from postern.tlog.hashing import leaf_hash
from postern.tlog.notes import KIND_COSIGNATURE, KIND_ED25519, Note, SigningKey
from postern.tlog.tiles import Tile

VECTORS = json.loads(
    (Path(__file__).parents[2] / "data" / "tlog-vectors.json").read_text(encoding="utf-8")
)
LOG = SigningKey("log.example/audit", bytes(range(32)), KIND_ED25519)
WITNESSES = [
    SigningKey(f"witness.example/{number}", bytes([number]) * 32, KIND_COSIGNATURE)
    for number in (1, 2, 3)
]
NOON = 1_795_000_000  # seconds since 1970


def raw(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def hashes(texts: list[str] | None) -> list[bytes]:
    return [raw(text) for text in texts or []]


class MemoryLog:
    """A log whose tiles stand in a dictionary; remembers which of them were read."""

    def __init__(self, leaf_hashes: list[bytes] = ()) -> None:
        self.stored: dict[tuple[int, int], bytes] = {}
        self.size = 0
        self.root = b""
        self.read_tiles: list[Tile] = []
        self.grow(list(leaf_hashes))

    def read(self, tile: Tile) -> bytes:
        self.read_tiles.append(tile)
        return self.stored[tile.level, tile.index]

    def grow(self, leaf_hashes: list[bytes]) -> tiles.Growth:
        growth = tiles.grown(self.read, self.size, leaf_hashes)
        for tile, content in growth.tiles.items():
            self.stored[tile.level, tile.index] = content
        self.size, self.root = growth.size, growth.root
        return growth


def numbered(count: int) -> list[bytes]:
    return [leaf_hash(b"entry %d" % number) for number in range(count)]


def signed(text: str, *, witnesses: int = 0) -> bytes:
    lines = [LOG.sign(text), *(one.cosign(text, NOON) for one in WITNESSES[:witnesses])]
    return Note(text, tuple(lines)).encode()


def flipped(value: bytes, bit: int) -> bytes:
    changed = bytearray(value)
    changed[bit // 8 % len(value)] ^= 1 << bit % 8
    return bytes(changed)

"""A log to verify and to tamper with, made by the pure functions: no platform, no database.

It keeps what a platform keeps (records, leaves, openings, tiles, checkpoints) and serves it; honest
witnesses cosign it. Whoever tampers changes what is kept; the witnesses stay honest.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from postern.audit.record import canonical, disclosure, disclosure_digest, leaf_of
from postern.audit.sources import NotThereError
from postern.audit.trust import Trust, published
from postern.base64url import to_base64url
from postern.tlog import tiles
from postern.tlog.checkpoint import Checkpoint
from postern.tlog.hashing import HASH_SIZE, leaf_hash
from postern.tlog.notes import KIND_COSIGNATURE, Note, SigningKey
from postern.tlog.policy import GroupLine, LogLine, Policy, WitnessLine
from postern.tlog.proof_file import ProofFile
from postern.tlog.strict import to_base64
from postern.tlog.tiles import TILE_WIDTH, Tile
from postern.tlog.tree import ProofError, verify_consistency

ORIGIN = "log.example/audit"
LOG = SigningKey(ORIGIN, bytes(range(32)))
RECEIPTS = SigningKey(f"{ORIGIN}/receipt", bytes(range(1, 33)))
OTHER_LOG = SigningKey(ORIGIN, bytes(range(2, 34)))
WITNESSES = [
    SigningKey(f"witness.example/{number}", bytes([number]) * 32, KIND_COSIGNATURE)
    for number in (1, 2, 3)
]
MINE, OTHER = "post-be", "police-de"
TAG_KEYS = {MINE: b"m" * 32, OTHER: b"o" * 32}
NOON = 1_795_000_000  # seconds since 1970


@dataclass
class Row:
    """An entry as it is kept."""

    record: bytes
    leaf: bytes
    disclosures: list[str]

    @property
    def fields(self) -> dict[str, Any]:
        return json.loads(self.record)


@dataclass
class Witness:
    """An honest witness: cosigns only what extends what it saw last."""

    key: SigningKey
    size: int = 0
    root: bytes = b""

    def asked(self, log: "LogBuilder", size: int, note: Note) -> str | None:
        checkpoint = Checkpoint.parse(note.text)
        if size < self.size:
            return None
        if self.size:
            proof = tiles.consistency_proof(log.tile, self.size, size)
            try:
                verify_consistency(self.size, self.root, size, checkpoint.root, proof)
            except ProofError:
                return None
        self.size, self.root = size, checkpoint.root
        return self.key.cosign(note.text, log.clock).line


@dataclass
class LogBuilder:
    """The log; `clock` is in seconds and goes on with every act."""

    rows: list[Row] = field(default_factory=list)
    queue: list[Row] = field(default_factory=list)
    hash_tiles: dict[tuple[int, int], bytes] = field(default_factory=dict)
    size: int = 0  # of the tiles
    notes: dict[int, bytes] = field(default_factory=dict)
    witnesses: list[Witness] = field(default_factory=lambda: [Witness(key) for key in WITNESSES])
    receipts: list[str] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    clock: int = NOON
    key: SigningKey = LOG
    fetched: list[Tile] = field(default_factory=list)
    numbers: int = 0
    page: int = 100  # entries of one answer

    # What an honest platform does

    def act(
        self,
        act: str = "lookup.ask",
        *,
        org: str = MINE,
        audience: Sequence[str] = (MINE,),
        details: Mapping[str, Any] | None = None,
        at: int | None = None,
    ) -> Row:
        """An act: durable, and promised by a receipt, but without a place yet."""
        self.clock += 1
        row = self.make(act, org=org, audience=audience, details=details, at=at)
        self.queue.append(row)
        if MINE in audience:
            hashed = to_base64(leaf_hash(row.leaf))
            text = f"{RECEIPTS.verifier.name}\nentry {hashed}\ntime {self.clock}\n"
            self.receipts.append(to_base64url(Note(text, (RECEIPTS.sign(text),)).encode()))
        return row

    def make(
        self,
        act: str = "lookup.ask",
        *,
        org: str = MINE,
        audience: Sequence[str] = (MINE,),
        details: Mapping[str, Any] | None = None,
        at: int | None = None,
    ) -> Row:
        self.numbers += 1
        told = {"actor": "person-1", "case": f"K-{self.numbers}", **(details or {})}
        opened = {name: disclosure(name, value) for name, value in told.items()}
        record = canonical(
            {
                "v": 1,
                "id": to_base64url(self.numbers.to_bytes(16, "big")),
                "t": (self.clock if at is None else at) * 1000,
                "act": act,
                "org": org,
                "aud": sorted(audience),
                "out": "ok",
                "f": {name: disclosure_digest(one) for name, one in opened.items()},
            }
        )
        leaf = leaf_of(record, [TAG_KEYS[code] for code in audience])
        return Row(record, leaf, list(opened.values()))

    def sequence(self) -> None:
        """Give what waits its place, and sign."""
        taken, self.queue = self.queue, []
        self.rows += taken
        self.clock += 1
        growth = tiles.grown(self.tile, self.size, [leaf_hash(row.leaf) for row in taken])
        for tile, content in growth.tiles.items():
            self.hash_tiles[tile.level, tile.index] = content
        self.size = growth.size
        self.sign()

    def sign(self) -> None:
        """Sign the tree of the tiles as they are."""
        text = Checkpoint(ORIGIN, self.size, tiles.root(self.tile, self.size)).text
        self.notes[self.size] = Note(text, (self.key.sign(text),)).encode()

    def cosign(self) -> int:
        """Ask every witness for the newest checkpoint; returns how many agreed."""
        self.clock += 5
        note = self.notes[self.size]
        lines = [one.asked(self, self.size, Note.parse(note)) for one in self.witnesses]
        agreed = [line for line in lines if line]
        self.notes[self.size] = note + "".join(f"{line}\n" for line in agreed).encode()
        return len(agreed)

    def erase(self, row: Row, *fields: str) -> Row:
        """Erase details lawfully: openings go, and an entry says so."""
        gone = {row.fields["f"][name] for name in fields}
        row.disclosures = [one for one in row.disclosures if disclosure_digest(one) not in gone]
        erased = {"records": [row.fields["id"]], "fields": list(fields)}
        return self.act("audit.erase", details={"erased": erased})

    # What somebody with the database can do

    def rebuild(self) -> None:
        """Make the tiles anew from the leaves as they are."""
        self.hash_tiles = {}
        growth = tiles.grown(self.tile, 0, [leaf_hash(row.leaf) for row in self.rows])
        for tile, content in growth.tiles.items():
            self.hash_tiles[tile.level, tile.index] = content
        self.size = growth.size

    def resign(self) -> None:
        """Make the tiles anew, forget every checkpoint that they contradict, and sign."""
        self.rebuild()
        kept = {}
        for size, note in self.notes.items():
            if size <= self.size:
                checkpoint = Checkpoint.parse(Note.parse(note).text)
                if tiles.root(self.tile, size) == checkpoint.root:
                    kept[size] = note
        self.notes = kept
        self.sign()

    def fit_leaf(self, row: Row) -> None:
        """Give a row a leaf that fixes its record."""
        row.leaf = leaf_of(row.record, [TAG_KEYS[code] for code in row.fields["aud"]])

    # As a source of the log

    def trust(self, *, confirmed: bool = True) -> Trust:
        return published(self.keys(), confirmed=confirmed)

    def keys(self) -> dict[str, Any]:
        """As GET /audit/log/keys answers."""
        policy = Policy(
            logs=(LogLine(self.key.verifier),),
            witnesses=tuple(
                WitnessLine(f"w{number}", one.key.verifier)
                for number, one in enumerate(self.witnesses)
            ),
            groups=(GroupLine("quorum", 2, ("w0", "w1", "w2")),),
            quorum="quorum",
        )
        return {
            "origin": ORIGIN,
            "log": [str(self.key.verifier)],
            "receipt": [str(RECEIPTS.verifier)],
            "witnesses": [
                {"organisation": f"member-{number}", "vkey": str(one.key.verifier)}
                for number, one in enumerate(self.witnesses)
            ],
            "operator": None,
            "quorum": 2,
            "policy": policy.encode().decode(),
        }

    def published_trust(self) -> Trust:
        return self.trust(confirmed=False)

    def newest(self) -> bytes:
        if not self.notes:
            raise NotThereError
        return self.notes[max(self.notes)]

    def newest_cosigned(self) -> bytes | None:
        cosigned = self._cosigned()
        return self.notes[cosigned[-1]] if cosigned else None

    def cosigned_after(self, size: int) -> Iterator[bytes]:
        return (self.notes[one] for one in self._cosigned() if one > size)

    def _cosigned(self) -> list[int]:
        policy = self.trust().policy
        return sorted(
            size
            for size, note in self.notes.items()
            if len(Note.parse(note).signatures) > 2 and policy.groups
        )

    def tile(self, tile: Tile) -> bytes:
        self.fetched.append(tile)
        if tile.level >= 0:
            content = self.hash_tiles.get((tile.level, tile.index), b"")
            if len(content) < tile.width * HASH_SIZE:
                raise NotThereError(tile.path)
            return content[: tile.width * HASH_SIZE]
        first = tile.index * TILE_WIDTH
        found = [row.leaf for row in self.rows[first : first + tile.width]]
        if len(found) < tile.width:
            raise NotThereError(tile.path)
        return tiles.encode_bundle(found)

    # As a source of the own entries

    def organisation(self) -> str:
        return MINE

    def tag_keys(self) -> tuple[bytes, ...]:
        return (TAG_KEYS[MINE],)

    def pages(
        self, since: int | None, cursor: str | None
    ) -> Iterator[tuple[list[bytes], str | None]]:
        lines = [
            self.line(row, place)
            for place, row in [*enumerate(self.rows), *((None, row) for row in self.queue)]
            if MINE in row.fields["aud"]
            and row.fields["id"] not in self.hidden
            and (since is None or row.fields["t"] >= since)
        ]
        start, size = int(cursor or 0), self.page
        while True:
            page = lines[start : start + size]
            start += size
            following = str(start) if start < len(lines) else None
            yield page, following
            if following is None:
                return

    def line(self, row: Row, place: int | None) -> bytes:
        """As the export writes it."""
        beside = {
            "details": {},
            "disclosures": row.disclosures,
            "leaf": to_base64url(row.leaf),
            "place": place,
            "intact": True,
        }
        return b'{"record":' + row.record + b"," + json.dumps(beside).encode()[1:] + b"\n"

    def proof(self, place: int) -> bytes:
        """As GET /api/v1/audit/proofs answers."""
        note = self.newest()
        size = size_of(note)
        return ProofFile(place, tuple(tiles.inclusion_proof(self.tile, place, size)), note).encode()


def size_of(note: bytes) -> int:
    """How many entries a checkpoint is of."""
    return Checkpoint.parse(Note.parse(note).text).size


def built(checkpoints: int = 20, entries: int = 30, begun: LogBuilder | None = None) -> LogBuilder:
    """A log with `checkpoints` cosigned checkpoints, `entries` more in each."""
    log = begun or LogBuilder()
    for number in range(checkpoints * entries):
        of_others = number % 3 == 2
        log.act(
            org=OTHER if number % 3 else MINE,
            audience=(OTHER,) if of_others else (MINE, OTHER) if number % 3 else (MINE,),
        )
        if number % entries == entries - 1:
            log.sequence()
            log.clock += 60
            log.cosign()
            log.clock += 600
    return log

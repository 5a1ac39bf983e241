"""The stored tree: tiles, bundles of entries, checkpoints; what is published of it.

Nothing beyond the newest checkpoint is ever handed out. Bundles of places that were archived come
from the archives.
"""

from dataclasses import dataclass

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from app.audit.archives import archived_leaves
from app.audit.high_water import Head
from app.audit.models import (
    AuditAudience,
    AuditCheckpoint,
    AuditCosignature,
    AuditEntry,
    AuditKey,
    AuditSeq,
    AuditTile,
    KeyUse,
)
from postern.tlog.hashing import EMPTY_ROOT, HASH_SIZE
from postern.tlog.notes import VerifierKey
from postern.tlog.tiles import TILE_WIDTH, Tile, TileReader, encode_bundle

EMPTY = Head(0, EMPTY_ROOT)


class NoSuchTileError(LookupError):
    """A tile or a checkpoint that the published log does not have."""


@dataclass(frozen=True)
class Published:
    """A checkpoint as it is handed out: the note with all the cosignatures it has."""

    size: int
    root: bytes
    note: bytes


def reader(session: Session) -> TileReader:
    """Reads stored hash tiles, each once; NoSuchTileError when one is not as wide as asked."""
    read: dict[tuple[int, int], bytes] = {}

    def tile(wanted: Tile) -> bytes:
        key = (wanted.level, wanted.index)
        if key not in read:
            stored = session.execute(_TILE, {"level": wanted.level, "n": wanted.index}).scalar()
            read[key] = bytes(stored or b"")
        content = read[key][: wanted.width * HASH_SIZE]
        if len(content) < wanted.width * HASH_SIZE:
            raise NoSuchTileError(f"{wanted.path} is not stored")
        return content

    return tile


def head(session: Session) -> Head:
    """Size and root of the newest checkpoint, the empty tree before the first."""
    row = session.execute(_NEWEST).first()
    return Head(row.size, bytes(row.root)) if row else EMPTY


def newest(session: Session) -> Published | None:
    """The newest checkpoint; None before the first."""
    row = session.execute(_NEWEST).first()
    return _published(session, row) if row else None


def cosigned_after(session: Session, size: int, limit: int) -> list[Published]:
    """The checkpoints larger than `size` that anybody cosigned, smallest first, `limit` at most."""
    sizes = (
        select(AuditCosignature.size)
        .where(AuditCosignature.size > size)
        .distinct()
        .order_by(AuditCosignature.size)
        .limit(limit)
    )
    rows = session.execute(
        _CHECKPOINT.where(AuditCheckpoint.size.in_(sizes)).order_by(AuditCheckpoint.size)
    )
    return [_published(session, row) for row in rows.all()]


def checkpoint(session: Session, size: int) -> Published:
    """The checkpoint of exactly this size; NoSuchTileError when none was signed or kept."""
    row = session.execute(_CHECKPOINT.where(AuditCheckpoint.size == size)).first()
    if row is None:
        raise NoSuchTileError(f"there is no checkpoint of {size} entries")
    return _published(session, row)


def published_tile(session: Session, tile: Tile) -> bytes:
    """The bytes of a tile or bundle within the newest checkpoint; NoSuchTileError beyond it."""
    size = head(session).size
    if not 1 <= tile.width <= _width_within(tile, size):
        raise NoSuchTileError(f"{tile.path} is beyond the published log")
    if tile.level >= 0:
        return reader(session)(tile)
    first = tile.index * TILE_WIDTH
    return encode_bundle(leaves(session, first, tile.width))


def leaves(session: Session, first: int, count: int) -> list[bytes]:
    """The leaves of `count` places of one bundle from `first` on, from an archive if they left.

    NoSuchTileError when one is missing, ArchiveDamagedError when their archive is not readable.
    """
    archived = archived_leaves(session, first, count)
    if archived is not None:
        return archived
    found = session.execute(_LEAVES, {"first": first, "last": first + count}).all()
    if [row.idx for row in found] != list(range(first, first + count)):
        raise NoSuchTileError(f"an entry of the places {first} to {first + count - 1} is missing")
    return [bytes(row.leaf) for row in found]


def place_of(session: Session, organisation: str, index: int) -> AuditEntry:
    """The entry at a place, if `organisation` is in its audience; NoSuchTileError otherwise."""
    found = session.scalar(
        select(AuditEntry)
        .join(AuditSeq, (AuditSeq.eid == AuditEntry.eid) & (AuditSeq.t == AuditEntry.t))
        .join(
            AuditAudience,
            (AuditAudience.eid == AuditEntry.eid) & (AuditAudience.t == AuditEntry.t),
        )
        .where(AuditSeq.idx == index, AuditAudience.org == organisation)
    )
    if found is None:
        raise NoSuchTileError(f"no entry of {organisation} is at the place {index}")
    return found


def log_keys(session: Session, used_for: KeyUse = KeyUse.LOG) -> list[VerifierKey]:
    """The public keys under which the log has signed, oldest first; retired ones too."""
    rows = session.scalars(
        select(AuditKey.vkey).where(AuditKey.used_for == used_for).order_by(AuditKey.since)
    )
    return [VerifierKey.parse(vkey) for vkey in rows]


def _width_within(tile: Tile, size: int) -> int:
    """How many hashes of the tile a tree of `size` has, at most 256; below 1 when it is beyond."""
    hashes = size >> (8 * max(tile.level, 0))
    return min(TILE_WIDTH, hashes - tile.index * TILE_WIDTH)


def _published(session: Session, row: object) -> Published:
    size: int = row.size  # type: ignore[attr-defined]
    lines = session.scalars(
        select(AuditCosignature.line)
        .where(AuditCosignature.size == size)
        .order_by(AuditCosignature.t, AuditCosignature.witness_id)
    )
    note = bytes(row.note) + "".join(f"{line}\n" for line in lines).encode()  # type: ignore[attr-defined]
    return Published(size, bytes(row.root), note)  # type: ignore[attr-defined]


_TILE = select(AuditTile.data).where(
    AuditTile.level == bindparam("level"), AuditTile.n == bindparam("n")
)
_CHECKPOINT = select(AuditCheckpoint.size, AuditCheckpoint.root, AuditCheckpoint.note)
_NEWEST = _CHECKPOINT.where(
    AuditCheckpoint.size == select(func.max(AuditCheckpoint.size)).scalar_subquery()
)
_LEAVES = (
    select(AuditSeq.idx, AuditEntry.leaf)
    .join(AuditEntry, (AuditEntry.eid == AuditSeq.eid) & (AuditEntry.t == AuditSeq.t))
    .where(AuditSeq.idx >= bindparam("first"), AuditSeq.idx < bindparam("last"))
    .order_by(AuditSeq.idx)
)

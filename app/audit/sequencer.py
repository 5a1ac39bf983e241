"""The sequencer: gives waiting entries their place in the tree and signs the tree that results.

One step is one transaction. It takes whatever is visible in the queue: never "all above the last",
since numbers commit out of order. Several may run; the lock on `audit_state` makes them take turns.
A signature leaves only by the commit, so that a crash cannot publish a tree that is lost.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from app.audit.archives import check_archives
from app.audit.high_water import Head, HighWater, StoredMismatchError
from app.audit.models import (
    AuditCheckpoint,
    AuditEntry,
    AuditQueue,
    AuditSeq,
    AuditState,
    AuditTile,
)
from app.audit.tree import EMPTY, NoSuchTileError, head, leaves, reader
from app.clock import milliseconds, now
from app.database import Database
from postern.tlog.checkpoint import Checkpoint, open_checkpoint
from postern.tlog.hashing import HASH_SIZE, leaf_hash, node_hash
from postern.tlog.notes import Note, NoteError, SigningKey, VerifierKey
from postern.tlog.tiles import TILE_WIDTH, Tile, TileReader, grown, root, tiles_of

MOST = 20_000
"""Entries that one step takes, so that its transaction stays short."""

_CHECKED_AT_START = 10_000  # newest leaves
_BATCH = 1000  # rows of one DELETE


@dataclass(frozen=True)
class Step:
    """What one step did: `taken` entries, and the head that is signed now."""

    taken: int
    head: Head


@dataclass(frozen=True)
class Sequencer:
    """Steps on one database under the keys of the log; the first key is the newest."""

    database: Database
    keys: Sequence[SigningKey]
    high_water: HighWater

    def step(self, most: int = MOST) -> Step:
        """Take what waits, at most `most`; StoredMismatchError when the stored tree is not ours."""
        with self.database.transaction() as session:
            size = _take_turn(session)
            before = head(session)
            _demand_size(size, before)
            read = reader(session)
            demand_edge(read, before)
            self._demand_high_water(read, before)
            taken = _take(session, most)
            if not taken:
                return Step(0, before)
            growth = grown(read, size, [leaf_hash(each.leaf) for each in taken])
            after = Head(growth.size, growth.root)
            _place(session, size, taken)
            write_tiles(session, growth.tiles)
            _sign(session, self.keys, after)
            session.execute(update(AuditState).values(size=after.size))
            session.flush()
            self.high_water.announce(before, after)
        self.high_water.confirm(after)
        return Step(len(taken), after)

    def check(self, told: Callable[[int], None] | None = None, *, whole: bool = False) -> Head:
        """Verify what is stored: signature, high water, every tile, and leaves against them.

        All leaves when `whole`, else the newest ones. `told` hears how many entries are checked.
        Returns the head. StoredMismatchError names what does not verify.
        """
        with self.database.transaction() as session:
            # With the turn: no rival is between its announcement and its commit.
            size = _take_turn(session)
            found = head(session)
            _demand_size(size, found)
            if found.size:
                demand_signature(session, [key.verifier for key in self.keys], found)
            read = reader(session)
            demand_edge(read, found)
            self._demand_high_water(read, found)
        with self.database.reading() as session:
            check_tiles(session, found.size)
            if whole:
                check_archives(session)
            first = 0 if whole else max(0, found.size - _CHECKED_AT_START)
            check_leaves(session, found.size, first - first % TILE_WIDTH, told)
        return found

    def adopt(self) -> Head:
        """Take the stored head as the high water, after the administrator compared it."""
        with self.database.reading() as session:
            found = head(session)
        self.high_water.adopt(found)
        return found

    def _demand_high_water(self, read: TileReader, found: Head) -> None:
        self.high_water.check(found, lambda at: root(read, at) if at else EMPTY.root)


def check_tiles(session: Session, size: int) -> None:
    """Every full tile has its hash in the tile above; StoredMismatchError names the first not so.

    Together with the root over the right edge, which the checkpoint signs, this fixes every tile.
    """
    read = reader(session)
    for tile in tiles_of(size):
        if tile.width < TILE_WIDTH:
            continue
        content = _stored(read, tile)
        above = Tile(tile.level + 1, tile.index // TILE_WIDTH, tile.index % TILE_WIDTH + 1)
        if _stored(read, above)[-HASH_SIZE:] != _root_within(content):
            raise StoredMismatchError(
                f"The stored {tile.path} is not the one that was signed. Nothing is signed."
                " Compare with a member's mirror."
            )


def check_leaves(
    session: Session, size: int, first: int = 0, told: Callable[[int], None] | None = None
) -> None:
    """Every stored leaf from `first` on (a multiple of 256) has its hash in the tiles."""
    read = reader(session)
    for start in range(first, size, TILE_WIDTH):
        count = min(TILE_WIDTH, size - start)
        try:
            found = leaves(session, start, count)
        except NoSuchTileError as missing:
            raise StoredMismatchError(f"{missing}. Nothing is signed.") from None
        content = _stored(read, Tile(0, start // TILE_WIDTH, count))
        if b"".join(map(leaf_hash, found)) != content:
            wrong = next(
                start + number
                for number, leaf in enumerate(found)
                if leaf_hash(leaf) != content[number * HASH_SIZE : (number + 1) * HASH_SIZE]
            )
            raise StoredMismatchError(
                f"The entry at the place {wrong} is not the one that was signed. Nothing is signed."
                " Compare with a member's mirror."
            )
        if told:
            told(count)


def _root_within(content: bytes) -> bytes:
    """The hash over a full tile, which stands in the tile above."""
    row = [content[at : at + HASH_SIZE] for at in range(0, len(content), HASH_SIZE)]
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


@dataclass(frozen=True)
class _Waiting:
    eid: int
    t: int
    leaf: bytes


def _take_turn(session: Session) -> int:
    return session.execute(select(AuditState.size).with_for_update()).scalar_one()


def _take(session: Session, most: int) -> list[_Waiting]:
    """Remove from the queue what is visible, in order of number, and return it."""
    rows = session.execute(
        select(AuditQueue.eid, AuditQueue.t.label("at"), AuditEntry.leaf)
        .join(AuditEntry, (AuditEntry.eid == AuditQueue.eid) & (AuditEntry.t == AuditQueue.t))
        .order_by(AuditQueue.eid)
        .limit(most)
    ).all()
    _unqueue(session, [row.eid for row in rows])
    return [_Waiting(row.eid, row.at, bytes(row.leaf)) for row in rows]


def _unqueue(session: Session, eids: list[int]) -> None:
    if _is_postgresql(session):
        session.execute(_UNQUEUE_POSTGRESQL, {"eids": eids})
        return
    for start in range(0, len(eids), _BATCH):
        batch = eids[start : start + _BATCH]
        session.execute(delete(AuditQueue).where(AuditQueue.eid.in_(batch)))


def _place(session: Session, size: int, taken: Sequence[_Waiting]) -> None:
    if _is_postgresql(session):
        placed = {"eids": [each.eid for each in taken], "moments": [each.t for each in taken]}
        session.execute(_PLACE_POSTGRESQL, {"size": size, **placed})
        return
    rows = [{"idx": size + n, "eid": each.eid, "t": each.t} for n, each in enumerate(taken)]
    session.connection().execute(insert(AuditSeq), rows)


def _is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


# One parameter for all rows: as many parameters as rows cost more than the rows.
_UNQUEUE_POSTGRESQL = text("DELETE FROM audit_queue WHERE eid = ANY(CAST(:eids AS bigint[]))")
_PLACE_POSTGRESQL = text(
    """
    INSERT INTO audit_seq (idx, eid, t)
    SELECT :size + number - 1, eid, t
    FROM unnest(CAST(:eids AS bigint[]), CAST(:moments AS bigint[]))
        WITH ORDINALITY AS taken (eid, t, number)
    """
)


def write_tiles(session: Session, tiles: dict[Tile, bytes]) -> None:
    """Store tiles; one that exists may only grow."""
    make = postgresql_insert if _is_postgresql(session) else sqlite_insert
    statement = make(AuditTile).values(
        level=bindparam("level"), n=bindparam("n"), data=bindparam("data")
    )
    upsert = statement.on_conflict_do_update(
        index_elements=["level", "n"],
        set_={"data": statement.excluded.data},
        where=text("substr(excluded.data, 1, length(audit_tile.data)) = audit_tile.data"),
    ).returning(AuditTile.n)
    for tile, content in tiles.items():
        place = {"level": tile.level, "n": tile.index, "data": content}
        if session.connection().execute(upsert, place).first() is None:
            raise StoredMismatchError(
                f"The stored {tile.path} would have to change. Nothing is signed."
            )


def _sign(session: Session, keys: Sequence[SigningKey], after: Head) -> None:
    text_ = Checkpoint(keys[0].verifier.name, after.size, after.root).text
    note = Note(text_, tuple(key.sign(text_) for key in keys)).encode()
    session.execute(
        insert(AuditCheckpoint).values(
            size=after.size, root=after.root, t=milliseconds(now()), note=note
        )
    )


def _demand_size(size: int, found: Head) -> None:
    if size != found.size:
        raise StoredMismatchError(
            f"The state says {size} entries and the newest checkpoint {found.size}: rows were"
            " changed. Nothing is signed. Restore the newest backup."
        )


def demand_edge(read: TileReader, found: Head) -> None:
    """StoredMismatchError unless the root over the right edge of the tiles is the signed one."""
    if not found.size:
        return
    try:
        stored = root(read, found.size)
    except NoSuchTileError as missing:
        raise StoredMismatchError(f"{missing}. Nothing is signed.") from None
    if stored != found.root:
        raise StoredMismatchError(
            f"The stored tree of {found.size} entries has another root than its checkpoint: tiles"
            " were changed. Nothing is signed. Compare with a member's mirror."
        )


def demand_signature(session: Session, keys: Sequence[VerifierKey], found: Head) -> bytes:
    """The note of the newest checkpoint, which one of the keys signed; else StoredMismatchError."""
    note = session.execute(
        select(AuditCheckpoint.note).where(AuditCheckpoint.size == found.size)
    ).scalar_one()
    try:
        signed, _ = open_checkpoint(bytes(note), keys)
    except NoteError as refusal:
        raise StoredMismatchError(
            f"The newest checkpoint is not signed by this log's key ({refusal}). Nothing is signed."
            " Restore the secret audit_log.key that belongs to this database."
        ) from None
    if (signed.size, signed.root) != (found.size, found.root):
        raise StoredMismatchError(
            "The newest checkpoint's row says something else than its signed note. Nothing is"
            " signed. Restore the newest backup."
        )
    return bytes(note)


def _stored(read: TileReader, tile: Tile) -> bytes:
    try:
        return read(tile)
    except NoSuchTileError as missing:
        raise StoredMismatchError(f"{missing}. Nothing is signed.") from None

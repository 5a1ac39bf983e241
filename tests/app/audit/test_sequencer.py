"""The sequencer on both back ends: places, tiles, checkpoints, and what it refuses to sign."""

import hashlib
import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import delete, func, insert, select, text, update

from app.audit.high_water import Head, HighWater, StoredMismatchError
from app.audit.models import (
    AuditCheckpoint,
    AuditEntry,
    AuditQueue,
    AuditSeq,
    AuditState,
    AuditTile,
)
from app.audit.sequencer import Sequencer
from app.audit.service import append
from app.audit.tree import head, leaves, newest, published_tile, reader
from app.database import Database
from postern.tlog.checkpoint import open_checkpoint
from postern.tlog.hashing import leaf_hash
from postern.tlog.notes import SigningKey
from postern.tlog.tiles import Tile, bundles_of, consistency_proof, parse_bundle, root
from postern.tlog.tree import root_of, verify_consistency
from tests.app.bare import give_tag_keys, member

KEY = SigningKey("test.postern.example/audit", bytes(range(32)))


@pytest.fixture
def log(database: Database, tmp_path: Path) -> Sequencer:
    give_tag_keys(database, "police-de")
    return Sequencer(database, [KEY], HighWater(tmp_path / "high-water.json"))


def write(database: Database, count: int) -> None:
    with database.transaction() as session:
        for _ in range(count):
            append(session, member(), "lookup.ask")


def all_leaves(database: Database) -> list[bytes]:
    with database.reading() as session:
        size = head(session).size
        found: list[bytes] = []
        for bundle in bundles_of(size):
            found += parse_bundle(published_tile(session, bundle), bundle.width)
        return found


def test_what_waits_gets_a_place_and_a_signed_checkpoint(
    database: Database, log: Sequencer
) -> None:
    write(database, 3)
    step = log.step()
    assert (step.taken, step.head.size) == (3, 3)
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(AuditQueue)) == 0
        published = newest(session)
        assert published is not None
        signed, _ = open_checkpoint(published.note, [KEY.verifier])
        stored = [leaf_hash(bytes(leaf)) for leaf in session.scalars(select(AuditEntry.leaf))]
    assert (signed.size, signed.root) == (3, root_of(stored))


def test_a_step_with_nothing_waiting_signs_nothing(database: Database, log: Sequencer) -> None:
    write(database, 1)
    log.step()
    assert log.step().taken == 0
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(AuditCheckpoint)) == 1


def test_every_checkpoint_contains_the_one_before(database: Database, log: Sequencer) -> None:
    heads = []
    for count in (1, 2, 254, 3, 300):
        write(database, count)
        heads.append(log.step().head)
    assert [each.size for each in heads] == [1, 3, 257, 260, 560]
    with database.reading() as session:
        read = reader(session)
        for old, new in itertools.pairwise(heads):
            proof = consistency_proof(read, old.size, new.size)
            verify_consistency(old.size, old.root, new.size, new.root, proof)
    assert root_of(map(leaf_hash, all_leaves(database))) == heads[-1].root


def test_a_step_takes_no_more_than_it_is_told(database: Database, log: Sequencer) -> None:
    write(database, 5)
    assert [log.step(most=2).taken for _ in range(4)] == [2, 2, 1, 0]


def test_an_entry_whose_number_commits_late_is_not_skipped(
    database: Database, log: Sequencer
) -> None:
    if database.is_sqlite:
        write(database, 1)  # one writer: numbers cannot commit out of order
        assert log.step().taken == 1
        return
    begun, go_on = threading.Event(), threading.Event()

    def slowly() -> None:
        with database.transaction() as session:
            append(session, member(), "lookup.ask")
            session.execute(select(1))  # what waits is sent before it: the entry has its number
            begun.set()
            go_on.wait(20)

    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(slowly)
        assert begun.wait(20)
        write(database, 2)
        assert log.step().head.size == 2
        go_on.set()
        slow.result(20)
    assert log.step().head.size == 3
    with database.reading() as session:
        eids = session.scalars(select(AuditSeq.eid).order_by(AuditSeq.idx)).all()
    assert eids[2] == min(eids)


def test_rivals_give_each_entry_one_place(database: Database, log: Sequencer) -> None:
    stop = threading.Event()

    def sequence() -> None:
        while not stop.is_set():
            log.step(most=7)

    with ThreadPoolExecutor(4) as pool:
        rivals = [pool.submit(sequence) for _ in range(2)]
        writers = [pool.submit(write, database, 1) for _ in range(60)]
        for writer in writers:
            writer.result(60)
        stop.set()
        for rival in rivals:
            rival.result(60)
    while log.step().taken:
        pass
    with database.reading() as session:
        places = session.execute(select(AuditSeq.idx, AuditSeq.eid).order_by(AuditSeq.idx)).all()
        written = session.scalars(select(AuditEntry.eid)).all()
    assert [place.idx for place in places] == list(range(60))
    assert sorted(place.eid for place in places) == sorted(written)
    log.check(whole=True)


def test_the_whole_log_verifies_after_many_steps(database: Database, log: Sequencer) -> None:
    for count in (200, 200, 200):
        write(database, count)
        log.step()
    checked: list[int] = []
    assert log.check(checked.append, whole=True).size == 600
    assert sum(checked) == 600


def _edit_entry(database: Database) -> None:
    _without_triggers(database, "audit_entry", "UPDATE audit_entry SET leaf = rec")


def _remove_entry(database: Database) -> None:
    _without_triggers(database, "audit_seq", "DELETE FROM audit_seq WHERE idx = 7")


def _swap_entries(database: Database) -> None:
    _without_triggers(
        database,
        "audit_seq",
        "UPDATE audit_seq SET idx = -1 WHERE idx = 3",
        "UPDATE audit_seq SET idx = 3 WHERE idx = 4",
        "UPDATE audit_seq SET idx = 4 WHERE idx = -1",
    )


def _edit_low_tile(database: Database) -> None:
    with database.transaction() as session:
        where = (AuditTile.level == 0, AuditTile.n == 0)
        data = bytes(session.scalars(select(AuditTile.data).where(*where)).one())
        session.execute(update(AuditTile).where(*where).values(data=b"\0" * 32 + data[32:]))


def _remove_tile(database: Database) -> None:
    with database.transaction() as session:
        session.execute(delete(AuditTile).where(AuditTile.level == 0, AuditTile.n == 1))


def _edit_state(database: Database) -> None:
    with database.transaction() as session:
        session.execute(update(AuditState).values(size=299))


def _edit_root(database: Database) -> None:
    _without_triggers(
        database, "audit_checkpoint", "UPDATE audit_checkpoint SET root = substr(note, 1, 32)"
    )


def _forge_note(database: Database) -> None:
    other = SigningKey(KEY.verifier.name, bytes(32))
    with database.reading() as session:
        row = newest(session)
    assert row is not None
    signed, _ = open_checkpoint(row.note, [KEY.verifier])
    forged = f"{signed.text}\n{other.sign(signed.text).line}\n".encode()
    with database.transaction() as session:
        _let_change(session, "audit_checkpoint")
        session.execute(update(AuditCheckpoint).values(note=forged))


def _without_triggers(database: Database, table: str, *statements: str) -> None:
    with database.transaction() as session:
        _let_change(session, table)
        for statement in statements:
            session.execute(text(statement))


def _let_change(session, table: str) -> None:  # type: ignore[no-untyped-def]
    if session.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            session.execute(text(f"DROP TRIGGER {table}_no_{verb}"))
    else:
        session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        if table == "audit_entry":  # the trigger stands on each partition too
            names = session.scalars(
                text(
                    "SELECT inhrelid::regclass::text FROM pg_inherits"
                    " WHERE inhparent = 'audit_entry'::regclass"
                )
            )
            for name in names.all():
                session.execute(text(f"ALTER TABLE {name} DISABLE TRIGGER USER"))


@pytest.mark.parametrize(
    ("tamper", "told"),
    [
        (_edit_entry, "The entry at the place 0"),
        (_remove_entry, "an entry of the places 0 to 255 is missing"),
        (_swap_entries, "The entry at the place 3"),
        (_edit_low_tile, "tile/0/000"),
        (_remove_tile, "tile/0/001.p/44 is not stored"),
        (_edit_state, "The state says 299 entries"),
        (_edit_root, "row says something else than its signed note"),
        (_forge_note, "not signed by this log's key"),
    ],
    ids=lambda value: getattr(value, "__name__", "").strip("_"),
)
def test_nothing_is_signed_on_what_does_not_verify(
    database: Database, log: Sequencer, tamper: Callable[[Database], None], told: str
) -> None:
    write(database, 300)
    log.step()
    tamper(database)
    with pytest.raises(StoredMismatchError, match=told):
        log.check(whole=True)


@pytest.mark.parametrize("tamper", [_remove_tile, _edit_state, _edit_root])
def test_a_step_on_a_changed_edge_signs_nothing(
    database: Database, log: Sequencer, tamper: Callable[[Database], None]
) -> None:
    write(database, 300)
    log.step()
    tamper(database)
    write(database, 1)
    with pytest.raises(StoredMismatchError):
        log.step()
    with database.reading() as session:
        assert session.scalars(select(AuditCheckpoint.size)).all() == [300]
        assert session.scalar(select(func.count()).select_from(AuditQueue)) == 1


def test_a_stored_tile_may_grow_and_not_change(database: Database, log: Sequencer) -> None:
    write(database, 3)
    log.step()
    with database.transaction() as session:
        session.execute(insert(AuditTile).values(level=0, n=1, data=b"\1" * 32))
    write(database, 300)
    with pytest.raises(StoredMismatchError, match="would have to change"):
        log.step()


def _restored(database: Database) -> None:
    """What an old backup of the database holds: a log of two entries, whole and signed."""
    with database.transaction() as session:
        for table in ("audit_checkpoint", "audit_seq"):
            _let_change(session, table)
        session.execute(delete(AuditCheckpoint).where(AuditCheckpoint.size > 2))
        session.execute(delete(AuditSeq).where(AuditSeq.idx >= 2))
        session.execute(update(AuditState).values(size=2))
        session.execute(update(AuditTile).values(data=func.substr(AuditTile.data, 1, 64)))


def test_a_restored_old_backup_is_noticed_by_the_high_water(
    database: Database, log: Sequencer
) -> None:
    write(database, 2)
    log.step()
    write(database, 3)
    log.step()
    _restored(database)
    with pytest.raises(StoredMismatchError, match="an old backup was restored"):
        log.check()
    write(database, 1)
    with pytest.raises(StoredMismatchError, match="an old backup was restored"):
        log.step()
    log.adopt()
    assert log.check().size == 2


def test_a_missing_high_water_file_is_no_licence(database: Database, log: Sequencer) -> None:
    log.check()
    write(database, 2)
    log.step()
    log.high_water.path.unlink()
    with pytest.raises(StoredMismatchError, match="high-water file"):
        log.check()


def test_a_high_water_file_lost_while_the_log_is_kept_is_no_licence(
    database: Database, log: Sequencer
) -> None:
    write(database, 2)
    log.step()
    log.high_water.path.unlink()
    write(database, 1)
    with pytest.raises(StoredMismatchError, match="high-water file"):
        log.step()


def test_another_root_of_what_was_signed_is_refused_while_the_log_is_kept(
    database: Database, log: Sequencer
) -> None:
    write(database, 2)
    before = log.step().head
    log.high_water.adopt(Head(before.size, bytes(32)))
    write(database, 1)
    with pytest.raises(StoredMismatchError, match="another root"):
        log.step()


def test_a_check_beside_a_running_rival_raises_no_false_alarm(
    database: Database, log: Sequencer
) -> None:
    stop = threading.Event()

    def sequence() -> None:
        while not stop.is_set():
            write(database, 1)
            log.step()

    with ThreadPoolExecutor(1) as pool:
        rival = pool.submit(sequence)
        try:
            sizes = [log.check().size for _ in range(30)]
        finally:
            stop.set()
            rival.result(60)
    assert sizes == sorted(sizes)
    assert sizes[-1] > sizes[0]


def test_a_broken_high_water_file_is_no_licence(database: Database, log: Sequencer) -> None:
    write(database, 2)
    log.step()
    log.high_water.path.write_text("{}")
    with pytest.raises(StoredMismatchError, match="cannot be read"):
        log.check()


def test_a_crash_between_announcement_and_commit_is_survived(
    database: Database, log: Sequencer
) -> None:
    write(database, 2)
    before = log.step().head
    log.high_water.announce(before, Head(9, hashlib.sha256(b"never committed").digest()))
    assert log.check() == before
    write(database, 1)
    assert log.step().head.size == 3
    log.check(whole=True)


def test_another_tree_of_the_announced_size_is_refused(database: Database, log: Sequencer) -> None:
    write(database, 2)
    before = log.step().head
    log.high_water.adopt(Head(before.size, bytes(32)))
    with pytest.raises(StoredMismatchError, match="another root"):
        log.check()


def test_nothing_beyond_the_checkpoint_is_published(database: Database, log: Sequencer) -> None:
    write(database, 3)
    log.step()
    with database.reading() as session:
        assert len(published_tile(session, Tile(0, 0, 3))) == 96
        for beyond in (Tile(0, 0, 4), Tile(0, 1, 1), Tile(1, 0, 1), Tile(-1, 0, 4)):
            with pytest.raises(LookupError):
                published_tile(session, beyond)
        assert len(leaves(session, 0, 3)) == 3
        assert root(reader(session), 3) == head(session).root

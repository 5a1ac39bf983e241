"""Sealed archives on both back ends: what they keep, what leaves, what is noticed."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from app.audit.archive import MOST
from app.audit.archive_file import ArchiveDamagedError, ArchiveFile, fingerprint
from app.audit.archives import archive_at, border, path_of
from app.audit.high_water import StoredMismatchError
from app.audit.models import (
    AuditArchive,
    AuditAudience,
    AuditDetail,
    AuditObject,
    AuditSeq,
)
from app.audit.shelves import KeyRing
from app.audit.tree import NoSuchTileError, leaves, published_tile
from app.database import Database
from app.runtime import Runtime
from postern.audit.record import disclosure_digest, open_disclosures
from postern.base64url import to_base64url
from postern.tlog.hashing import leaf_hash
from postern.tlog.tiles import Tile, bundles_of, parse_bundle
from tests.app.audit.old_log import OldLog, old_log, stand_still
from tests.app.bare import give_tag_keys

JANUARY = datetime(2025, 1, 31, 23, 56, 40, tzinfo=UTC)  # 200 seconds before February
MARCH = datetime(2025, 3, 1, tzinfo=UTC)  # not yet twelve whole months ago


@pytest.fixture
def log(app: Flask, monkeypatch: pytest.MonkeyPatch) -> OldLog:
    """700 entries of January and February of last year, 30 later ones."""
    runtime: Runtime = app.extensions["postern"]
    give_tag_keys(runtime.database, "police-de", "post-be")
    log = old_log(runtime.database, Path(runtime.settings.audit.archive))
    log.write(JANUARY, 699)
    log.write(JANUARY.replace(month=2, day=2), 1, audience=["post-be"])
    log.write(MARCH, 30)
    stand_still(monkeypatch)
    return log


def all_leaves(database: Database) -> list[bytes]:
    found: list[bytes] = []
    with database.reading() as session:
        for bundle in bundles_of(730):
            found += parse_bundle(published_tile(session, bundle), bundle.width)
    return found


def sealed(log: OldLog) -> AuditArchive:
    archive = log.archivist.seal_next()
    assert archive is not None
    return archive


def test_whole_bundles_of_old_months_are_sealed_and_noted_in_the_log(log: OldLog) -> None:
    archive = sealed(log)
    assert (archive.first, archive.count) == (0, 512)
    assert log.archivist.seal_next() is None
    path = log.archivist.directory / archive.name
    assert fingerprint(path).sha256 == archive.sha256
    with log.database.reading() as session:
        told = session.execute(
            text("SELECT count(*) FROM audit_audience WHERE act = 'audit.archive'")
        ).scalar_one()
        noted = session.scalars(select(AuditDetail.disc).order_by(AuditDetail.eid.desc())).first()
    assert told == 2  # of the platform and of whom the file holds entries
    assert noted is not None
    assert open_disclosures(noted)["sha256"] == to_base64url(archive.sha256)


def test_an_archive_gives_back_every_entry_byte_for_byte(log: OldLog) -> None:
    archive = sealed(log)
    with log.database.reading() as session:
        keys = KeyRing.load(session, log.archivist.sealer)
        places = session.scalars(select(AuditSeq.idx)).all()
    assert len(places) == 730
    kept = list(ArchiveFile(log.archivist.directory / archive.name).all_placed(keys.find))
    assert len(kept) == 512
    for made, each in zip(log.made, kept, strict=False):
        assert (each.leaf, each.record) == (made.leaf, made.record)
        digests = {disclosure_digest(line) for line in made.disclosures}
        assert digests == set(json.loads(each.record)["f"].values())
        assert each.openings.count(b"\n") + 1 == len(made.disclosures)


def test_details_are_not_in_the_file_without_their_key(log: OldLog) -> None:
    archive = sealed(log)
    file = ArchiveFile(log.archivist.directory / archive.name)
    assert all(not each.openings for each in file.all_placed())
    assert all(not each.openings for each in file.all_placed(lambda _: None))


def test_what_leaves_the_database_is_served_from_archives(app: Flask, log: OldLog) -> None:
    whole = all_leaves(log.database)
    sealed(log)
    with app.app_context():
        assert all_leaves(log.database) == whole
        # February is archived in part only, so it stays as a whole.
        assert log.archivist.leave() == 200
        log.place()
        assert log.live() == 730 - 200 + 1
        assert all_leaves(log.database) == whole
        log.sequencer.check(whole=True)
        with log.database.reading() as session:
            assert leaves(session, 300, 7) == whole[300:307]
            found = archive_at(session, 511)
            assert found is not None
            assert path_of(found).is_file()
            assert archive_at(session, 512) is None


def test_every_row_of_a_month_leaves(log: OldLog) -> None:
    sealed(log)
    log.archivist.leave()
    with log.database.reading() as session:
        for table in (AuditDetail, AuditAudience, AuditObject, AuditSeq):
            old = select(func.count()).select_from(table).where(table.t < 1738368000000)
            assert session.execute(old).scalar_one() == 0
        if log.database.is_sqlite:
            return
        parts = session.scalars(
            text("SELECT relname FROM pg_class WHERE relname ~ '^audit_.*_y2025m01$'")
        ).all()
    assert parts == []


def test_the_tables_are_as_protected_as_before_once_a_month_has_left(log: OldLog) -> None:
    sealed(log)
    log.archivist.leave()
    for table in ("audit_entry", "audit_audience", "audit_seq"):
        with (
            pytest.raises(Exception, match="append-only"),
            log.database.transaction() as session,
        ):
            session.execute(text(f"DELETE FROM {table}"))  # noqa: S608


def test_later_runs_go_on_where_the_last_ended(
    log: OldLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed(log)
    log.write(MARCH.replace(month=4), 300)
    stand_still(monkeypatch, datetime(2027, 6, 1, tzinfo=UTC))
    second = sealed(log)
    assert (second.first, second.count) == (512, 512)
    with log.database.reading() as session:
        assert border(session) == 1024


def test_a_file_is_no_longer_than_it_may_be(log: OldLog) -> None:
    assert MOST % 256 == 0
    small = type(log.archivist)(
        log.database, log.archivist.directory, log.archivist.sealer, 12, most=256
    )
    assert [small.seal_next().count for _ in range(2)] == [256, 256]  # type: ignore[union-attr]
    assert small.seal_next() is None


def test_nothing_is_sealed_before_its_time(log: OldLog, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_still(monkeypatch, datetime(2026, 1, 31, tzinfo=UTC))
    assert log.archivist.seal_next() is None
    assert log.archivist.leave() == 0


def test_what_waits_for_its_place_keeps_its_month(
    log: OldLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed(log)
    monkeypatch.setattr(OldLog, "place", lambda _: None)
    log.write(JANUARY)
    assert log.archivist.leave() == 0


def test_a_record_that_was_changed_is_not_sealed(log: OldLog) -> None:
    with log.database.transaction() as session:
        if log.database.is_sqlite:
            session.execute(text("DROP TRIGGER audit_entry_no_update"))
        else:
            for part in session.scalars(
                text(
                    "SELECT inhrelid::regclass::text FROM pg_inherits"
                    " WHERE inhparent = 'audit_entry'::regclass"
                )
            ).all():
                session.execute(text(f"ALTER TABLE {part} DISABLE TRIGGER USER"))
        session.execute(
            text("UPDATE audit_entry SET rec = :r WHERE eid = (SELECT min(eid) FROM audit_entry)"),
            {"r": log.made[5].record},
        )
    with pytest.raises(StoredMismatchError, match="its record is not the one"):
        log.archivist.seal_next()
    with log.database.reading() as session:
        assert border(session) == 0


def test_an_archive_that_was_changed_is_noticed(app: Flask, log: OldLog) -> None:
    archive = sealed(log)
    path = log.archivist.directory / archive.name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ArchiveDamagedError, match="was changed"):
        log.archivist.leave()
    assert log.live() == 731
    with app.app_context(), pytest.raises(StoredMismatchError, match="was changed"):
        log.sequencer.check(whole=True)


def test_an_archive_that_is_gone_is_noticed(app: Flask, log: OldLog) -> None:
    archive = sealed(log)
    log.archivist.leave()
    log.place()
    (log.archivist.directory / archive.name).unlink()
    with app.app_context(), pytest.raises(StoredMismatchError, match="cannot be read"):
        log.sequencer.check(whole=True)


@pytest.mark.parametrize("content", [b"", b"postern-archive/v1\n", b"x" * 100])
def test_another_file_in_its_place_is_noticed(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.archive"
    path.write_bytes(content)
    with pytest.raises(ArchiveDamagedError, match="cannot be read"):
        ArchiveFile(path)


@pytest.mark.parametrize("where", ["_verify", "fingerprint", "_tell"])
def test_an_interrupted_run_is_taken_up_again(
    log: OldLog, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(f"app.audit.archive.{where}", fail)
        with pytest.raises(KeyboardInterrupt):
            log.archivist.seal_next()
    assert len(list(log.archivist.directory.glob("*.archive*"))) == 1  # that no row names
    assert log.archivist.leave() == 0
    archive = sealed(log)
    log.archivist.sweep()
    assert [path.name for path in log.archivist.directory.glob("*.archive*")] == [archive.name]


def test_a_bundle_beyond_the_log_is_not_served(app: Flask, log: OldLog) -> None:
    sealed(log)
    with (
        app.app_context(),
        log.database.reading() as session,
        pytest.raises(NoSuchTileError),
    ):
        published_tile(session, Tile(-1, 3))


def test_an_archived_entry_has_few_bytes(log: OldLog) -> None:
    archive = sealed(log)
    assert archive.length / archive.count < 600
    assert all(leaf_hash(each.leaf) for each in log.made)
    shutil.rmtree(log.archivist.directory)

"""Erasing details, live and archived, on both back ends: what goes, what stays, what is told."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.audit import erasure
from app.audit.archive import TurnTakenError
from app.audit.archive_file import ArchiveFile
from app.audit.archives import all_archives
from app.audit.columns import unpacked
from app.audit.erasure import Wanted
from app.audit.export import json_lines
from app.audit.models import (
    AuditAudience,
    AuditDetail,
    AuditEntry,
    AuditErasure,
    AuditObject,
    ErasureState,
)
from app.audit.reading import Filters, entries
from app.audit.service import object_key
from app.audit.shelves import KeyRing
from app.audit.tree import head
from app.errors import InvalidRequestError
from app.runtime import Runtime
from postern.audit.entry_checks import EntryExamination
from postern.audit.findings import Status
from postern.audit.own_entries import parse_entry
from postern.audit.record import open_disclosures
from tests.app.audit.old_log import ANOTHER, OldLog, old_log, stand_still
from tests.app.bare import PERSON, give_tag_keys, member

JANUARY = datetime(2025, 1, 5, tzinfo=UTC)
FEBRUARY = datetime(2026, 2, 5, tzinfo=UTC)
CASE = "GEHEIM-4711"


@pytest.fixture
def log(app: Flask, monkeypatch: pytest.MonkeyPatch) -> OldLog:
    runtime: Runtime = app.extensions["postern"]
    give_tag_keys(runtime.database, "police-de", "post-be")
    log = old_log(runtime.database, Path(runtime.settings.audit.archive))
    stand_still(monkeypatch)
    return log


def ask(log: OldLog, **wanted: Any) -> int:
    with log.database.transaction() as session:
        return erasure.ask(session, member(), Wanted(**wanted)).id


def perform(log: OldLog) -> int:
    """Perform what waits, step by step; returns how many entries lost details."""
    erased = 0
    while True:
        with log.database.transaction() as session:
            erased += erasure.perform_waiting(session, log.archivist)
        with log.database.reading() as session:
            waiting = select(func.count()).where(AuditErasure.state == ErasureState.WAITING)
            if not session.execute(waiting).scalar_one():
                return erased


def details_of(log: OldLog, number: int) -> dict[str, Any]:
    """What can still be opened of the entry that was made as `number`."""
    record_id = log.made[number].record_id
    with log.database.reading() as session:
        for entry in entries(session, "police-de", Filters(), limit=200).entries:
            if entry.fields["id"] == record_id:
                assert entry.is_intact
                return dict(entry.details)
    raise LookupError(record_id)


def told(log: OldLog, organisation: str = "police-de") -> list[dict[str, Any]]:
    """What the entries of erasures say to an organisation, in their order."""
    with log.database.reading() as session:
        rows = session.execute(
            select(AuditEntry.rec, AuditDetail.disc)
            .join(AuditDetail, AuditDetail.eid == AuditEntry.eid)
            .join(AuditAudience, AuditAudience.eid == AuditEntry.eid)
            .where(AuditEntry.act == "audit.erase", AuditAudience.org == organisation)
            .order_by(AuditEntry.eid)
        ).all()
    return [open_disclosures(row.disc)["erased"] for row in rows]


def archived(log: OldLog) -> list[dict[str, Any]]:
    """What can still be opened of archived entries."""
    with log.database.reading() as session:
        keys = KeyRing.load(session, log.archivist.sealer)
        return [
            open_disclosures(unpacked(each.openings))
            for archive in all_archives(session)
            for each in ArchiveFile(log.archivist.directory / archive.name).all_placed(keys.find)
        ]


def test_all_details_of_chosen_records_go_and_nothing_else(log: OldLog) -> None:
    log.write(FEBRUARY, 3, case=CASE)
    chosen = log.made[1].record_id
    ask(log, records=frozenset({chosen}))
    assert perform(log) == 1
    assert details_of(log, 1) == {}
    assert details_of(log, 0)["case"] == CASE
    assert told(log) == [{"records": [chosen], "fields": ["actor", "case", "means", "objects"]}]
    with log.database.reading() as session:
        about = select(func.count()).where(AuditObject.about == object_key(str(ANOTHER)))
        assert session.execute(about).scalar_one() == 2
        found = entries(session, "police-de", Filters(case=CASE)).entries
    assert len(found) == 2
    log.place()
    log.sequencer.check(whole=True)


def test_only_named_details_go(log: OldLog) -> None:
    log.write(FEBRUARY, 1, case=CASE)
    ask(log, records=frozenset({log.made[0].record_id}), fields=frozenset({"case", "hits"}))
    perform(log)
    assert sorted(details_of(log, 0)) == ["actor", "means", "objects"]
    assert told(log) == [{"records": [log.made[0].record_id], "fields": ["case"]}]
    with log.database.reading() as session:
        assert entries(session, "police-de", Filters(case=CASE)).entries == ()
        assert len(entries(session, "police-de", Filters(actor=str(PERSON))).entries) >= 1
        about = select(func.count()).where(AuditObject.about == object_key(str(ANOTHER)))
        assert session.execute(about).scalar_one() == 1


def test_a_person_leaves_all_entries_of_the_own_organisation(log: OldLog) -> None:
    log.write(FEBRUARY, 2)
    log.write(FEBRUARY, 1, caller=member("post-be"))
    ask(log, person=str(PERSON))
    perform(log)
    with log.database.reading() as session:
        left = session.execute(
            select(AuditEntry.org, AuditEntry.act)
            .join(AuditDetail, AuditDetail.eid == AuditEntry.eid)
            .where(AuditDetail.actor == str(PERSON))
        ).all()
        asked = session.scalars(select(AuditErasure)).one()
    assert [tuple(row) for row in left] == [("post-be", "lookup.ask")]
    assert (asked.state, asked.erased) == (ErasureState.DONE, 3)  # the asking itself too
    assert str(PERSON) not in asked.wanted


def test_a_long_erasure_takes_several_steps(log: OldLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "_BATCH", 2)
    monkeypatch.setattr(erasure, "_BATCHES", 2)
    monkeypatch.setattr(erasure, "MOST_RECORDS", 3)
    log.write(FEBRUARY, 11)
    ask(log, person=str(PERSON))
    with log.database.transaction() as session:
        assert erasure.perform_waiting(session, log.archivist) == 4
    assert perform(log) == 8
    assert sum(len(each["records"]) for each in told(log)) == 12
    assert max(len(each["records"]) for each in told(log)) == 3


def test_entries_of_others_stay(log: OldLog) -> None:
    log.write(FEBRUARY, 1, caller=member("post-be"), audience=["police-de"])
    ask(log, records=frozenset({log.made[0].record_id}))
    assert perform(log) == 0
    assert details_of(log, 0)["case"] == "K-17"
    assert told(log) == []


def test_everybody_who_may_read_an_entry_is_told_what_went(log: OldLog) -> None:
    log.write(FEBRUARY, 1, audience=["post-be"])
    ask(log, records=frozenset({log.made[0].record_id}))
    perform(log)
    assert told(log, "post-be") == told(log)
    assert len(told(log)) == 1


def test_what_was_told_to_one_organisation_is_its_own(log: OldLog) -> None:
    log.write(FEBRUARY, 1, audience=["post-be"], tell_actor=False, case="")
    with log.database.transaction() as session:
        assert erasure.erase_before(session, log.archivist, "police-de", 2026 * 12 + 2) == 0
    with log.database.transaction() as session:
        assert erasure.erase_before(session, log.archivist, "post-be", 2026 * 12 + 2) == 1
    assert told(log) == []
    (only,) = told(log, "post-be")
    assert only["fields"] == ["objects"]
    with log.database.reading() as session:
        record = session.scalars(
            select(AuditEntry.rec).where(AuditEntry.act == "audit.erase")
        ).one()
    assert json.loads(record)["org"] == "police-de"  # of the entries that it covers


def test_the_entries_that_tell_of_erasures_keep_their_details(log: OldLog) -> None:
    log.write(FEBRUARY, 1)
    ask(log, records=frozenset({log.made[0].record_id}))
    perform(log)
    with log.database.transaction() as session:
        erasure.erase_before(session, log.archivist, "police-de", 2026 * 12 + 11)
    assert len(told(log)) == 2
    with log.database.reading() as session:
        acts = session.scalars(
            select(AuditEntry.act).join(AuditDetail, AuditDetail.eid == AuditEntry.eid)
        ).all()
    assert set(acts) <= {"audit.erase", "audit.key"}


def test_retention_erases_what_is_older_and_says_so(log: OldLog) -> None:
    log.write(JANUARY, 2)
    log.write(FEBRUARY, 1)
    with log.database.transaction() as session:
        assert erasure.erase_before(session, log.archivist, "police-de", 2026 * 12) == 2
    with log.database.transaction() as session:
        assert erasure.erase_before(session, log.archivist, "police-de", 2026 * 12) == 0
    assert details_of(log, 0) == {}
    assert details_of(log, 2)["case"] == "K-17"
    before = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1000
    assert told(log) == [{"before": before, "fields": ["actor", "case", "means", "objects"]}]


def test_archived_details_go_with_their_key(app: Flask, log: OldLog) -> None:
    log.write(JANUARY, 256)
    log.archivist.seal_next()
    log.archivist.leave()
    assert len(archived(log)) == 256
    assert all(archived(log))
    with log.database.transaction() as session:
        assert erasure.erase_before(session, log.archivist, "police-de", 2025 * 12) == 0
    with log.database.transaction() as session:
        assert erasure.erase_before(session, log.archivist, "police-de", 2025 * 12 + 1) == 256
    assert not any(archived(log))
    assert told(log)[0]["fields"] == ["actor", "case", "means", "objects"]
    log.place()
    with app.app_context():
        log.sequencer.check(whole=True)


def test_archived_details_of_chosen_records_go(app: Flask, log: OldLog) -> None:
    log.write(JANUARY, 256, case=CASE)
    archive = log.archivist.seal_next()
    assert archive is not None
    chosen = log.made[100].record_id
    ask(log, records=frozenset({chosen}), fields=frozenset({"case"}))
    assert perform(log) == 2  # in the database and in the archive
    assert {"case": CASE}.items() <= archived(log)[99].items()
    assert sorted(archived(log)[100]) == ["actor", "means", "objects"]
    assert not (log.archivist.directory / archive.name).exists()
    log.place()
    with app.app_context():
        log.sequencer.check(whole=True)
    log.archivist.leave()
    assert details_of_covering(log, chosen) == 2


def details_of_covering(log: OldLog, record_id: str) -> int:
    return sum(record_id in each.get("records", ()) for each in told(log))


def test_an_erased_value_is_in_no_file_of_sqlite(log: OldLog) -> None:
    if not log.database.is_sqlite:
        return
    log.write(FEBRUARY, 40, case=CASE)
    path = Path(log.database.url.database or "")
    files = [path, path.with_name(path.name + "-wal")]
    assert any(CASE.encode() in file.read_bytes() for file in files)
    ask(log, person=str(PERSON))
    perform(log)
    for file in files:
        content = file.read_bytes()
        assert CASE.encode() not in content
        assert str(PERSON).encode() not in content


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"records": frozenset({"x"})},
        {"records": frozenset({"A" * 22}), "person": str(PERSON)},
        {"records": frozenset(f"{number:022}" for number in range(501))},
        {"person": "console"},
        {"person": str(PERSON).upper()},
        {"person": str(PERSON), "fields": frozenset()},
        {"person": str(PERSON), "fields": frozenset({"Actor"})},
    ],
)
def test_what_is_not_of_its_form_is_refused(log: OldLog, wanted: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError):
        ask(log, **wanted)


def test_a_verifier_on_premises_accepts_what_an_entry_covers_and_nothing_else(
    log: OldLog,
) -> None:
    log.write(JANUARY, 2)
    log.write(FEBRUARY, 2, audience=["post-be"])
    ask(log, records=frozenset({log.made[2].record_id}), fields=frozenset({"case"}))
    perform(log)
    ask(log, person=str(PERSON), fields=frozenset({"actor", "means"}))
    perform(log)
    with log.database.transaction() as session:
        erasure.erase_before(session, log.archivist, "police-de", 2026 * 12)
    log.place()
    for reader in ("police-de", "post-be"):
        assert examined(log, reader).erasure().status is Status.OK
    without = examined(log, "police-de", but_for="audit.erase")
    assert without.erasure().status is Status.FAILED
    assert without.record().status is Status.OK


def examined(log: OldLog, reader: str, but_for: str = "") -> EntryExamination:
    """What a verifier finds of a reader's entries, all or but for those of an act."""
    with log.database.reading() as session:
        size = head(session).size
        found = entries(session, reader, Filters(), limit=200).entries
    examination = EntryExamination(size, lambda _entry, _place: True, [], now=0)
    for line in json_lines(each for each in found if each.fields["act"] != but_for).splitlines():
        examination.take(parse_entry(line))
    return examination


def test_nothing_is_erased_while_somebody_archives(log: OldLog) -> None:
    log.write(FEBRUARY, 1)
    ask(log, records=frozenset({log.made[0].record_id}))
    with (
        log.archivist.turn(),
        pytest.raises(TurnTakenError),
        log.database.transaction() as session,
    ):
        erasure.perform_waiting(session, log.archivist)
    assert details_of(log, 0)["case"] == "K-17"
    assert perform(log) == 1


def test_an_erasure_that_fails_leaves_the_archive_as_it_was(log: OldLog) -> None:
    log.write(JANUARY, 256)
    archive = log.archivist.seal_next()
    assert archive is not None
    ask(log, records=frozenset({log.made[7].record_id}))
    with log.database.transaction() as session:
        erasure.perform_waiting(session, log.archivist)  # what is live
    with log.database.transaction() as session:
        assert erasure.perform_waiting(session, log.archivist) == 1
        session.rollback()
    assert len(archived(log)[7]) == 4
    assert perform(log) == 1
    assert archived(log)[7] == {}
    assert len(list(log.archivist.directory.glob("*.archive*"))) == 1


def test_an_unknown_record_is_done_without_effect(log: OldLog) -> None:
    ask(log, records=frozenset({"A" * 22}))
    assert perform(log) == 0

"""The size and growth of the log, on both back ends."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.access import CONSOLE
from app.audit import growth
from app.config import Settings
from app.database import Database
from tests.app.audit.old_log import OldLog, old_log, stand_still
from tests.app.bare import give_tag_keys

NOW = datetime(2026, 3, 10, 15, tzinfo=UTC)


@pytest.fixture
def log(database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> OldLog:
    give_tag_keys(database, "police-de")
    stand_still(monkeypatch, NOW)
    monkeypatch.setattr(growth, "now", lambda: NOW)
    return old_log(database, Path(settings.audit.archive))


def write_on(log: OldLog, monkeypatch: pytest.MonkeyPatch, at: datetime, count: int) -> None:
    monkeypatch.setattr("app.audit.sequencer.now", lambda: at)
    log.write(at, count)


def test_days_tables_and_archives_are_told(
    log: OldLog, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_on(log, monkeypatch, NOW - timedelta(days=800), 256)
    write_on(log, monkeypatch, NOW - timedelta(days=2), 20)
    write_on(log, monkeypatch, NOW, 4)
    archive = log.archivist.seal_next()
    assert archive is not None
    with log.database.reading() as session:
        found = growth.measure(session, settings)
    assert (found.entries, found.live, found.waiting) == (280, 24, 1)
    assert (found.archives, found.archived, found.archive_bytes) == (1, 256, archive.length)
    assert list(found.days.values())[-4:] == [0, 20, 0, 4]
    assert len(found.days) == growth.DAYS
    assert found.entries_a_day == 8  # over the three days since the first of the last thirty
    names = {table.name for table in found.tables}
    assert {"audit_entry", "audit_detail", "audit_tile"} <= names
    assert found.database_bytes == sum(table.size for table in found.tables) > 0
    assert found.archived_entry_bytes == archive.length / 256
    if not log.database.is_sqlite:
        (entry,) = (table for table in found.tables if table.name == "audit_entry")
        assert "other" in dict(entry.months)


def test_the_day_on_which_the_disk_is_full_follows_from_pace_and_space(
    log: OldLog, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_on(log, monkeypatch, NOW, 10)
    with log.database.reading() as session:
        size = growth.measure(session, settings).database_bytes
        monkeypatch.setattr(growth, "_database_free", lambda _: size * 5)
        assert growth.measure(session, settings).full_on == (NOW + timedelta(days=5)).date()
        monkeypatch.setattr(growth, "_database_free", lambda _: None)
        assert growth.measure(session, settings).full_on is None
        monkeypatch.setattr(growth, "_database_free", lambda _: size * 10**6)
        assert growth.measure(session, settings).full_on is None


def test_the_free_space_of_a_local_database_is_seen(log: OldLog, settings: Settings) -> None:
    with log.database.reading() as session:
        found = growth.measure(session, settings)
    assert found.database_free
    assert found.archive_free


def test_an_empty_log_has_no_pace(log: OldLog, settings: Settings) -> None:
    with log.database.reading() as session:
        found = growth.measure(session, settings)
    assert (found.entry_bytes, found.entries_a_day, found.full_on) == (0.0, 0.0, None)
    assert found.archived_entry_bytes == 0.0


def test_reading_the_growth_is_logged(log: OldLog, settings: Settings) -> None:
    with log.database.transaction() as session:
        growth.read(session, CONSOLE, settings)
    assert log.live() == 1

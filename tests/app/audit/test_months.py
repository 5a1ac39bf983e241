"""Months of the log: partitions ahead on PostgreSQL, and none on SQLite."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from app.audit import months
from app.audit.models import PARTITIONED
from app.clock import now
from app.database import Database
from tests.app.audit.old_log import OldLog, old_log
from tests.app.bare import give_tag_keys

LONG_AGO = datetime(2019, 12, 31, 23, 59, 59, tzinfo=UTC)


def partitions(database: Database) -> set[str]:
    with database.reading() as session:
        return set(
            session.scalars(
                text("SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'")
            )
        )


def count(database: Database, table: str) -> int:
    with database.reading() as session:
        return session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608


@pytest.fixture
def log(database: Database, tmp_path_factory: pytest.TempPathFactory) -> OldLog:
    give_tag_keys(database, "police-de")
    return old_log(database, tmp_path_factory.mktemp("log"))


def test_months_are_counted_in_utc() -> None:
    assert months.number_of(LONG_AGO) == 2019 * 12 + 11
    assert months.first_day(2020 * 12) == datetime(2020, 1, 1, tzinfo=UTC)
    assert months.number_at(months.beginning(2020 * 12)) == 2020 * 12
    assert months.number_at(months.beginning(2020 * 12) - 1) == 2019 * 12 + 11


def test_partitions_are_made_ahead_once(database: Database) -> None:
    with database.transaction() as session:
        made = months.make_ahead(session, now(), ahead=6)
        assert months.make_ahead(session, now(), ahead=6) == 0
    if database.is_sqlite:
        assert made == 0
        return
    assert made == 3 * len(PARTITIONED)  # three months are there from the migration on
    last = months.number_of(now()) + 6
    assert f"audit_entry_y{last // 12:04}m{last % 12 + 1:02}" in partitions(database)


def test_rows_of_no_month_move_into_theirs(database: Database, log: OldLog) -> None:
    log.write(LONG_AGO, 3)
    if database.is_sqlite:
        assert count(database, "audit_entry") == 3
        return
    assert count(database, "audit_entry_other") == 3
    with database.transaction() as session:
        assert months.make_ahead(session, LONG_AGO, ahead=1) == 2 * len(PARTITIONED)
    for table in PARTITIONED:
        assert count(database, f"{table}_other") == 0
        assert count(database, f"{table}_y2019m12") == 1
        assert count(database, f"{table}_y2020m01") == 2
    log.sequencer.check(whole=True)
    with (
        pytest.raises(Exception, match="append-only"),
        database.transaction() as session,
    ):
        session.execute(text("DELETE FROM audit_entry_y2019m12"))


def test_the_oldest_month_is_found(database: Database, log: OldLog) -> None:
    with database.reading() as session:
        assert months.oldest(session) is None
    log.write(LONG_AGO)
    with database.reading() as session:
        assert months.oldest(session) == 2019 * 12 + 11


def test_a_month_leaves_only_once_it_ended_and_is_archived(database: Database, log: OldLog) -> None:
    log.write(LONG_AGO)
    with database.transaction() as session:
        assert months.leave(session, 2019 * 12 + 11) is None
        assert months.leave(session, months.number_of(now())) is None
    assert count(database, "audit_entry") == 1


def test_the_month_of_rows_of_no_month_leaves_too(database: Database, log: OldLog) -> None:
    log.write(LONG_AGO.replace(day=1), 256)
    assert log.archivist.seal_next() is not None
    with database.transaction() as session:
        assert months.leave(session, 2019 * 12 + 11) == 256
    assert count(database, "audit_detail") == 1  # of the entry that tells of the archive

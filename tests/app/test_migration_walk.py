"""One walk from the first revision to the newest: rows survive, and nothing holds others up.

The rows of revision 0001 are those of tests/app/test_migration_0002.py, the log is that of
test_migration_0003.py; besides, each table gets a row at the revision that makes it. What every
migration sends to PostgreSQL is recorded on the way and judged by tests/migration_lint.py.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import CHAR, Column, Connection, Engine, MetaData, Table, event, inspect, text

from app import schema_version
from app.__main__ import migrate
from app.config import Settings
from app.database import Database
from tests.app.test_migration_0002 import fit, rows_of_0001
from tests.app.test_migration_0003 import OldLog
from tests.conftest import BACKENDS, new_empty_database, settings_for
from tests.migration_lint import Fault, Sent, excepted, faults, released

MOMENT = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
MADE_ANEW = {
    "share_class": "0002 gives each its step and substance, see test_migration_0002",
    "share_grant": "0002 makes decisions anew at the next use",
    "profile": "0002 makes decisions anew at the next use",
    "web_session": "0013 and 0018 end sessions of which it is not known how they began",
    "pending_sign_in": "0018 ends sign-ins under way by a provider",
}
"""Tables of which rows may go or change, and why."""

FILLED = {
    ("indicator", "share_class_id"): "0002",
    ("token", "share_class_id"): "0002",
    ("report", "key"): "0007 draws another for each",
}
"""Columns that a migration writes, in rows that were there."""

NEEDED = {"model_choice": {"organisation_id": 1}, "step_tag": {"report_id": 1}}
"""References that may be missing, but of which a row must have one."""

_KEYLESS = {"token": ["token", "indicator_id"]}
"""What finds the rows of tables without a primary key."""

LOG = "audit_"
LAST = "0016"  # from the newest back to here, and up again


@dataclass
class Walk:
    """What was carried along: `rows` by table, and what was sent by revision."""

    settings: Settings
    is_sqlite: bool
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    sent: dict[str, list[str]] = field(default_factory=dict)
    entries: list[dict[str, Any]] = field(default_factory=list)


def scripts() -> ScriptDirectory:
    return ScriptDirectory(str(Path(__file__).parents[2] / "migrations"))


def revisions() -> list[str]:
    return sorted(schema_version.known())


@pytest.fixture(scope="module", params=BACKENDS)
def walk(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    secrets_directory: Path,
) -> Iterator[Walk]:
    with new_empty_database(request, request.param, tmp_path_factory.mktemp("walk")) as url:
        walked = Walk(settings_for(url, secrets_directory), request.param == "sqlite")
        for revision in revisions():
            with _recording(walked.sent.setdefault(revision, [])):
                migrate(walked.settings, revision)
            with closing_database(url) as database:
                if revision == "0002":
                    log = OldLog(walked.settings, database)
                    log.write(4)
                    walked.entries = log.as_stored()
                with database.engine.begin() as connection:
                    _fill(walked, connection, revision)
        yield walked


@contextmanager
def closing_database(url: str) -> Iterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        database.dispose()


@contextmanager
def _recording(into: list[str]) -> Iterator[None]:
    def record(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        into.append(statement)

    event.listen(Engine, "before_cursor_execute", record)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", record)


def _fill(walked: Walk, connection: Connection, revision: str) -> None:
    """Rows of this revision, in every table that has none."""
    told = rows_of_0001() if revision == "0001" else {}
    names = set(inspect(connection).get_table_names()) - set(walked.rows) - {"alembic_version"}
    new = {each for each in names if not each.startswith(LOG)}
    if not new:
        return
    tables = MetaData()
    tables.reflect(connection, only=sorted(new))
    for table in tables.sorted_tables:
        if table.name not in new:
            continue
        if connection.execute(table.select().limit(1)).first() is None:
            rows = told.get(table.name) or [_row(table)]
            connection.execute(
                table.insert(),
                [{key: fit(table.c[key].type, each) for key, each in row.items()} for row in rows],
            )
        walked.rows[table.name] = _all(connection, table)
        if not walked.is_sqlite and isinstance(table.c.get("id"), Column):
            sequence = connection.scalar(
                text("SELECT pg_get_serial_sequence(:table, 'id')"), {"table": table.name}
            )
            if sequence is not None:
                connection.execute(text("SELECT setval(:sequence, 100)"), {"sequence": sequence})


def _all(connection: Connection, table: Table) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(table.select()).mappings()]


def _row(table: Table) -> dict[str, Any]:
    """A row of which all numbers are 1: so its references are to rows that are there."""
    return {
        column.name: _value(column.type)
        for column in table.columns
        if column.computed is None and not (column.nullable and column.foreign_keys)
    } | NEEDED.get(table.name, {})


def _value(kind: Any) -> Any:
    python = kind.python_type
    if python is bytes:
        return bytes([1]) * (kind.length or 32)
    if isinstance(kind, CHAR) and kind.length == 32:
        return UUID(int=1).hex
    return {
        bool: False,
        int: 1,
        str: "1",
        Decimal: 1,
        UUID: UUID(int=1),
        datetime: MOMENT,
        date: MOMENT.date(),
    }.get(python, [])


def _missing(walked: Walk) -> Iterator[str]:
    """What of the rows that were carried along is not there any more, or is different."""
    url = walked.settings.database.url
    with closing_database(url) as database, database.engine.connect() as connection:
        present = set(inspect(connection).get_table_names())
        tables = MetaData()
        tables.reflect(connection, only=sorted(present & set(walked.rows)))
        for name, rows in walked.rows.items():
            if name in MADE_ANEW or name not in present:
                continue
            table = tables.tables[name]
            keys = [each.name for each in table.primary_key] or _KEYLESS[name]
            now = {tuple(row[key] for key in keys): row for row in _all(connection, table)}
            for row in rows:
                found = now.get(tuple(row[key] for key in keys))
                if found is None:
                    yield f"{name}: a row is gone"
                    continue
                for column in row.keys() & found.keys():
                    if found[column] != row[column] and (name, column) not in FILLED:
                        yield f"{name}.{column}: {row[column]!r} became {found[column]!r}"


def test_rows_of_every_revision_are_there_in_the_newest_schema(walk: Walk) -> None:
    assert list(_missing(walk)) == []
    assert len(walk.rows) > 80
    with closing_database(walk.settings.database.url) as database, database.reading() as session:
        entries = session.execute(text("SELECT count(*) FROM audit_entry")).scalar()
        found = schema_version.read(session.connection())
        serves = session.execute(text("SELECT serves FROM alembic_version")).scalar()
    assert entries == len(walk.entries) > 0
    assert found.state is schema_version.SchemaState.NEWEST
    assert serves in revisions()


def test_the_newest_revisions_can_be_taken_back_and_come_again(walk: Walk) -> None:
    for revision in reversed([each for each in revisions() if each >= LAST][:-1]):
        migrate(walk.settings, revision, down=True)
    assert list(_missing(walk)) == []
    migrate(walk.settings)
    gone = {each.partition(":")[0] for each in _missing(walk)}
    assert gone <= {"one_time_link", "notification"}, gone  # what came after LAST


@pytest.mark.parametrize("walk", ["postgresql"], indirect=True)
def test_no_migration_holds_up_a_platform_that_serves(walk: Walk) -> None:
    found: set[Fault] = set()
    for script in scripts().walk_revisions():
        contracts = getattr(script.module, "contracts", None)
        sent = Sent(script.revision, walk.sent[script.revision], contracts, released())
        found.update(faults(sent))
    allowed = set(excepted())
    assert not [str(each) for each in sorted(found - allowed)], "see docs/upgrading.md"
    assert not [str(each) for each in sorted(allowed - found)], "exceptions that nothing needs"
    assert not {each.revision for each in allowed if each.revision > "0019"}


BOUND = "SET lock_timeout = 3000"
BAD = {
    "lock-timeout-missing": ["ALTER TABLE report ADD COLUMN a INTEGER"],
    "adding-field-with-default": [
        BOUND,
        "ALTER TABLE report ADD COLUMN a UUID DEFAULT gen_random_uuid()",
    ],
    "changing-column-type": [BOUND, "ALTER TABLE report ALTER COLUMN a TYPE BIGINT"],
    "require-concurrent-index-creation": [BOUND, "CREATE INDEX i ON report (a)"],
    "require-concurrent-index-deletion": [BOUND, "DROP INDEX i"],
    "adding-not-nullable-field": [BOUND, "ALTER TABLE report ALTER COLUMN a SET NOT NULL"],
    "adding-required-field": [BOUND, "ALTER TABLE report ADD COLUMN a INTEGER NOT NULL"],
    "constraint-missing-not-valid": [BOUND, "ALTER TABLE report ADD CONSTRAINT c CHECK (a > 1)"],
    "adding-foreign-key-constraint": [
        BOUND,
        "ALTER TABLE report ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES organisation (id)",
    ],
    "disallowed-unique-constraint": [BOUND, "ALTER TABLE report ADD CONSTRAINT u UNIQUE (a)"],
    "renaming-column": [BOUND, "ALTER TABLE report RENAME COLUMN a TO b"],
    "renaming-table": [BOUND, "ALTER TABLE report RENAME TO told"],
    "taken-away-without-contracts": [BOUND, "ALTER TABLE report DROP COLUMN a"],
    "data-moved-by-a-migration": [BOUND, "UPDATE report SET a = 1"],
    "locks-long": [BOUND, "LOCK TABLE report"],
}


@pytest.mark.parametrize("rule", sorted(BAD))
def test_a_migration_that_would_hold_others_up_is_found(rule: str) -> None:
    assert rule in {each.rule for each in faults(Sent("0099", BAD[rule]))}


def test_what_is_taken_away_waits_for_a_release_without_it() -> None:
    gone = [BOUND, "ALTER TABLE report DROP COLUMN a"]
    (fault,) = faults(Sent("0099", gone, "0098", frozenset({"0097"})))
    assert fault.rule == "taken-away-in-the-release-that-stops-using-it"
    assert faults(Sent("0099", gone, "0098", frozenset({"0097", "0098"}))) == []


def test_what_is_made_new_may_be_made_at_once() -> None:
    made = [
        BOUND,
        "CREATE TABLE z (id BIGSERIAL NOT NULL, a VARCHAR(32) NOT NULL, PRIMARY KEY (id))",
        "CREATE INDEX i ON z (a)",
        "INSERT INTO z (a) VALUES ('1')",
        "ALTER TABLE report ADD COLUMN a INTEGER",
        "ALTER TABLE report ADD CONSTRAINT c CHECK (a > 1) NOT VALID",
        "ALTER TABLE report VALIDATE CONSTRAINT c",
        "CREATE INDEX CONCURRENTLY j ON report (a)",
    ]
    assert faults(Sent("0099", made)) == []

"""The second belt: a statement of the web service that forgot its condition shows one's own rows.

The policies are asked by PostgreSQL itself, with one row of each of two organisations in every
table: all its numbers are that organisation's, so that it belongs to it by whatever condition.
"""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask, g
from sqlalchemy import Connection, Table, inspect, text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from app import clock, row_security
from app.__main__ import migrate
from app.access import Caller, Means
from app.config import Settings
from app.database import Base, Database

ONE, OTHER = 1, 2
BOUND = "test_bound"  # may do anything with any table, as far as the policies go
READ_BY_ALL = {"person_account", "role_grant"}
MADE_BY_ALL = {"watch_match"}
REFUSED = "row-level security"
UNKEYED = {"break_glass": "public_id", "second_factor": "credential_index"}
PRESENTED = {
    "one_time_link": "secret_hash",
    "pending_sign_in": "name_hash",
    "sign_on_link": "subject_index",
    "web_session": "name_hash",
    **UNKEYED,
}
DOCS = Path(__file__).parent.parent.parent / "docs" / "database-roles.md"

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def secured(connection: Connection) -> list[str]:
    asked = (
        "SELECT relname FROM pg_class WHERE relrowsecurity"
        " AND relnamespace = 'public'::regnamespace ORDER BY relname"
    )
    return list(connection.scalars(text(asked)))


def _value(kind: Any, of: int) -> Any:
    python = kind.impl.python_type if hasattr(kind, "impl") else kind.python_type
    if python is bytes:
        return bytes([of]) * (kind.length or 4)
    return {
        bool: False,
        int: of,
        str: str(of),
        Decimal: of,
        UUID: UUID(int=of),
        datetime: clock.now(),
        date: clock.now().date(),
    }.get(python, "[]")


def row(table: Table, of: int) -> dict[str, Any]:
    """A row that belongs to an organisation: its keys, and those of its parents, are `of`."""
    found = {}
    for column in table.columns:
        kind = column.type
        found[column.name] = str(of) if "Enum" in type(kind).__name__ else _value(kind, of)
        if type(kind).__name__ == "JSON":
            found[column.name] = "[]"
    return found


def insert(connection: Connection, table: Table, of: int) -> None:
    values = row(table, of)
    names, marks = (
        ", ".join(f'"{each}"' for each in values),
        ", ".join(f":{each}" for each in values),
    )
    connection.execute(text(f"INSERT INTO {table.name} ({names}) VALUES ({marks})"), values)  # noqa: S608 - names of tables


def bind(connection: Connection, *organisations: int, presented: bytes = b"") -> None:
    """Go on as the restricted role that acts for these organisations."""
    connection.execute(text(f"SET LOCAL ROLE {BOUND}"))
    told = ",".join(map(str, organisations))
    connection.execute(text(f"SET LOCAL postern.organisations = '{{{told}}}'"))
    connection.execute(text(f"SET LOCAL postern.presented = '{presented.hex()}'"))


def count(connection: Connection, table: str) -> int:
    found: int = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608 - names of tables
    return found


@pytest.fixture
def filled(app: Flask, database: Database) -> Iterator[Connection]:
    """A transaction in which every table with row-level security has a row of each organisation."""
    assert app
    with database.engine.connect() as connection, connection.begin() as begun:
        known = connection.scalar(text(f"SELECT 1 FROM pg_roles WHERE rolname = '{BOUND}'"))  # noqa: S608 - a name of this file
        if known is None:
            connection.execute(text(f"CREATE ROLE {BOUND}"))
        connection.execute(text(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {BOUND}"))
        connection.execute(text(f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {BOUND}"))
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # no foreign keys
        for name in secured(connection):
            connection.execute(text(f"DELETE FROM {name}"))  # noqa: S608 - names of tables
            for of in (ONE, OTHER):
                insert(connection, Base.metadata.tables[name], of)
        yield connection
        begun.rollback()


def test_every_table_is_covered_or_says_why_not(app: Flask, database: Database) -> None:
    assert app
    with database.engine.connect() as connection:
        covered = set(secured(connection))
    told = DOCS.read_text()
    for table in sorted(Base.metadata.tables):
        is_exempt = table in row_security.EXEMPT or table.startswith(row_security.EXEMPT_PREFIX)
        assert (table in covered) != is_exempt, (
            f"{table} needs a policy in a migration, or its reason in row_security.EXEMPT"
        )
        assert f"`{table}`" in told or table.startswith("audit_"), f"{table} is not in {DOCS.name}"
    assert covered | set(row_security.EXEMPT) <= set(Base.metadata.tables)


def test_who_acts_for_nobody_touches_nothing(filled: Connection) -> None:
    tables = secured(filled)
    bind(filled)
    for table in tables:
        assert count(filled, table) == (2 if table in READ_BY_ALL else 0), table
        changed = filled.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - names of tables
        assert changed.rowcount == 0, table


def test_who_acts_for_one_touches_no_row_of_another(filled: Connection) -> None:
    tables = [Base.metadata.tables[name] for name in secured(filled)]
    bind(filled, ONE)
    for table in tables:
        name, column = table.name, next(iter(table.columns)).name
        assert count(filled, name) == (2 if name in READ_BY_ALL else 1), name
        same = text(f'UPDATE {name} SET "{column}" = "{column}"')  # noqa: S608 - names of tables
        assert filled.execute(same).rowcount == 1, name
    for table in tables:
        with filled.begin_nested() as point:
            filled.execute(text("RESET ROLE"))
            keys = [each.name for each in table.primary_key]
            is_others = " AND ".join(f'"{key}" = :{key}' for key in keys)
            others = {key: row(table, OTHER)[key] for key in keys}
            filled.execute(text(f"DELETE FROM {table.name} WHERE {is_others}"), others)  # noqa: S608 - names of tables
            is_plain = filled.scalar(_PLAIN, {"table": table.name})
            bind(filled, ONE)
            if is_plain:
                moved = text(f"UPDATE {table.name} SET organisation_id = {OTHER}")  # noqa: S608 - names of tables
                with pytest.raises(ProgrammingError, match=REFUSED), filled.begin_nested():
                    filled.execute(moved)
            if table.name not in MADE_BY_ALL:
                with pytest.raises(ProgrammingError, match=REFUSED), filled.begin_nested():
                    insert(filled, table, OTHER)
            point.rollback()


# Whether a row is its organisation's alone, by a column of its own.
_PLAIN = text(
    "SELECT with_check LIKE '(organisation_id = ANY%' AND with_check NOT LIKE '% OR %'"
    " FROM pg_policies WHERE tablename = :table AND policyname = 'own_rows'"
)


def test_a_credential_is_seen_by_who_presents_its_key(filled: Connection) -> None:
    for table, column in PRESENTED.items():
        kind = Base.metadata.tables[table].c[column].type
        value = _value(kind, OTHER)
        key = value.bytes if isinstance(value, UUID) else value
        with filled.begin_nested() as point:
            bind(filled, presented=key)
            found = filled.scalars(text(f"SELECT {column} FROM {table}")).all()  # noqa: S608 - names of this file
            assert [getattr(each, "bytes", each) for each in found] == [key], table
            point.rollback()


def test_a_request_sets_its_transaction_and_nothing_of_it_stays(
    app: Flask, database: Database
) -> None:
    asked = text("SELECT acting_organisations(), presented()")

    def now_set(session: Session) -> tuple[Any, ...]:
        return tuple(session.execute(asked).one())

    caller = Caller(None, None, ONE, "post-be", frozenset(), None, Means.SESSION)
    with app.test_request_context():
        g.caller = caller
        with database.transaction() as session:
            assert now_set(session) == ([ONE], None)
            with session.begin_nested() as point:
                row_security.act_for(session, OTHER)
                assert now_set(session) == ([ONE, OTHER], None)
                point.rollback()
            assert now_set(session) == ([ONE], None)
            row_security.act_for(session, OTHER, ONE)
            row_security.present(b"\x07\x08", session)
            assert now_set(session) == ([ONE, OTHER], b"\x07\x08")
        with database.reading() as session:
            assert now_set(session) == ([ONE], b"\x07\x08")
    with database.transaction() as session:
        assert now_set(session) == (None, None)
        row_security.act_for(session, ONE)
        assert now_set(session) == (None, None)


def test_a_lost_connection_is_noticed_as_ever(
    app: Flask, database: Database, database_url: str
) -> None:
    other = Database(database_url)
    with app.test_request_context():
        g.caller = Caller(None, None, ONE, "post-be", frozenset(), None, Means.SESSION)
        with database.reading() as session:
            own = session.scalar(text("SELECT pg_backend_pid()"))
        with other.transaction() as session:
            session.execute(text("SELECT pg_terminate_backend(:own, 5000)"), {"own": own})
        other.dispose()
        with pytest.raises(OperationalError), database.reading() as session:
            session.execute(text("SELECT 1"))
        with database.reading() as session:
            assert session.scalar(text("SELECT acting_organisations()")) == [ONE]


def test_the_way_back_takes_all_of_it_and_the_way_forth_brings_it(
    app: Flask, settings: Settings, database: Database
) -> None:
    assert app

    def policies() -> int:
        with database.engine.connect() as connection:
            asked = "SELECT count(*) FROM pg_policies WHERE policyname LIKE '%\\_rows'"
            return connection.execute(text(asked)).scalar_one()  # type: ignore[no-any-return]

    before, tables = policies(), set(inspect(database.engine).get_table_names())
    with database.engine.connect() as connection:
        covered = secured(connection)
    assert before > len(covered) > 0
    with database.engine.begin() as connection:
        connection.execute(text("CREATE POLICY extra ON lookup USING (true)"))
    migrate(settings, "0016", down=True)
    with database.engine.connect() as connection:
        assert (secured(connection), count(connection, "pg_policies")) == ([], 0)
        gone = "SELECT count(*) FROM pg_proc WHERE proname IN ('presented', 'token_presented')"
        assert connection.scalar(text(gone)) == 0
    migrate(settings)
    assert (policies(), set(inspect(database.engine).get_table_names())) == (before, tables)

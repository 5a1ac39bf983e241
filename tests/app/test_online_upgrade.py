"""Upgrading a database in use: locks are not waited for, changes go on beside others, web waits."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from flask import Flask
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from app import create_app, online_changes, schema_version
from app.config import Settings
from app.database import Database
from app.health import DRAIN, tell_schema
from app.migrating import LockNotHadError, LockPatience, with_patience
from app.schema_version import SchemaState

QUICK = LockPatience(lock_timeout=0.05, tries=2, pause=0)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def set_version(database: Database, **columns: str) -> None:
    told = ", ".join(f"{each} = :{each}" for each in columns)
    with database.engine.begin() as connection:
        connection.execute(text(f"UPDATE alembic_version SET {told}"), columns)  # noqa: S608 - names of this file


@on_postgresql
def test_a_lock_that_is_not_had_names_who_holds_it(database: Database) -> None:
    said: list[str] = []
    with database.engine.connect() as holder, database.engine.connect() as upgrading:
        holder.execute(text("SET application_name = 'a report'"))
        holder.execute(text("SELECT count(*) FROM report"))

        def run() -> None:
            upgrading.execute(text("LOCK TABLE report IN ACCESS EXCLUSIVE MODE"))
            upgrading.commit()

        with pytest.raises(LockNotHadError) as refused:
            with_patience(upgrading, QUICK, run, said.append)
        pid = holder.execute(text("SELECT pg_backend_pid()")).scalar()
        assert f"process {pid} of role postgres (a report), idle in transaction" in str(
            refused.value
        )
        assert "SELECT" not in str(refused.value)
        assert len(said) == 1

        said.clear()

        def let_go(told: str) -> None:
            said.append(told)
            holder.rollback()

        with_patience(upgrading, QUICK, run, let_go)
        assert len(said) == 1


@on_postgresql
def test_one_upgrade_runs_at_a_time(database: Database) -> None:
    with database.engine.connect() as one, database.engine.connect() as other:

        def run() -> None:
            with pytest.raises(LockNotHadError, match="Another upgrade"):
                with_patience(other, QUICK, lambda: None, print)

        with_patience(one, QUICK, run, print)
        with_patience(other, QUICK, lambda: None, print)


@pytest.fixture
def changing(database: Database) -> Iterator[sa.Connection]:
    """A connection on which a migration runs, with two tables of its own."""
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"transaction_per_migration": True})
        with Operations.context(context), context.begin_transaction(_per_migration=True):
            connection.execute(text("CREATE TABLE kind_of (id INTEGER PRIMARY KEY)"))
            connection.execute(
                text("CREATE TABLE thing (id INTEGER PRIMARY KEY, a INTEGER, kind_id INTEGER)")
            )
            connection.execute(text("INSERT INTO kind_of VALUES (1)"))
            connection.execute(text("INSERT INTO thing VALUES (1, 5, 1)"))
            yield connection
            connection.execute(text("DROP TABLE thing"))
            connection.execute(text("DROP TABLE kind_of"))


def test_changes_of_a_table_in_use_hold_for_old_rows_and_new_ones(
    changing: sa.Connection,
) -> None:
    for _ in range(2 if changing.dialect.name == "postgresql" else 1):  # a try that broke off
        online_changes.make_index("ix_thing_a", "thing", ["a"], where="a IS NOT NULL")
        online_changes.add_check("ck_thing_a", "thing", "a > 1")
        online_changes.add_foreign_key("fk_thing_kind", "thing", "kind_id", "kind_of")
        online_changes.demand("thing", "a", sa.Integer())
    found = inspect(changing)
    assert [each["name"] for each in found.get_indexes("thing")] == ["ix_thing_a"]
    assert [each["name"] for each in found.get_check_constraints("thing")] == ["ck_thing_a"]
    assert [each["referred_table"] for each in found.get_foreign_keys("thing")] == ["kind_of"]
    columns = {each["name"]: each["nullable"] for each in found.get_columns("thing")}
    assert columns["a"] is False
    for wrong in ("(2, 1, 1)", "(2, NULL, 1)", "(2, 5, 9)"):
        if wrong == "(2, 5, 9)" and changing.dialect.name == "sqlite":
            continue  # told when the transaction ends
        with pytest.raises(IntegrityError), changing.begin_nested():
            changing.execute(text(f"INSERT INTO thing VALUES {wrong}"))  # noqa: S608 - one of these
    online_changes.drop_index("ix_thing_a", "thing")
    assert inspect(changing).get_indexes("thing") == []


@pytest.mark.parametrize(
    ("columns", "state"),
    [
        ({}, SchemaState.NEWEST),
        ({"version_num": "0019"}, SchemaState.OLD),
        ({"version_num": "9999", "serves": "0019"}, SchemaState.NEWER),
        ({"version_num": "9999", "serves": "9998"}, SchemaState.TOO_NEW),
    ],
    ids=["newest", "old", "newer", "too-new"],
)
def test_a_schema_is_known_by_its_revision(
    database: Database, columns: dict[str, str], state: SchemaState
) -> None:
    if columns:
        set_version(database, **columns)
    found = schema_version.look(database)
    assert found.state is state
    assert bool(found.fault) is not found.fits


def test_a_database_without_a_schema_is_old(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("DROP TABLE alembic_version"))
    found = schema_version.look(database)
    assert (found.state, found.present) == (SchemaState.OLD, "none")


def test_web_with_an_old_schema_says_so_and_serves_once_it_fits(
    app: Flask, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    set_version(database, version_num="0019")
    tell_schema(app)
    told = capsys.readouterr().err
    assert f"is 0019, and this version of the platform needs {schema_version.needed()}." in told
    assert "python -m app upgrade" in told
    client = app.test_client()
    ready = client.get("/health/ready")
    assert (ready.status_code, ready.json["code"], ready.json["part"]) == (
        503,
        "schema-misfit",
        "schema",
    )
    assert client.get("/health/live").status_code == 200
    assert client.get("/sign-in").status_code == 503
    assert client.get("/api/v1/me").status_code == 503

    set_version(database, version_num=schema_version.needed())
    assert client.get("/health/ready").status_code == 200
    app.extensions["postern-schema-gate"].asked_at = float("-inf")
    assert client.get("/sign-in").status_code == 200
    assert client.get("/api/v1/me").status_code == 401


def test_web_of_the_version_before_serves_with_an_expanded_schema(
    app: Flask, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    set_version(database, version_num="9999", serves="0020")
    tell_schema(app)
    assert capsys.readouterr().err == ""
    assert app.test_client().get("/health/ready").status_code == 200


def test_a_process_that_will_end_is_not_ready_and_keeps_no_connection(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drain = tmp_path / "draining"
    monkeypatch.setenv(DRAIN, str(drain))
    app = create_app(settings)
    client = app.test_client()
    assert client.get("/health/ready").status_code == 200
    assert "Connection" not in client.get("/sign-in").headers
    drain.touch()
    assert client.get("/health/ready").status_code == 503
    answer = client.get("/sign-in")
    assert (answer.status_code, answer.headers["Connection"]) == (200, "close")
    app.extensions["postern"].database.dispose()

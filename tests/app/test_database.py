"""The schema goes up and down on both engines, and says what the models say."""

import re
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import bindparam, inspect, select, text
from sqlalchemy.exc import DBAPIError

from app.__main__ import migrate
from app.database import Base, Database
from app.organisations.models import Community
from app.prepared import Prepared
from tests.conftest import settings_for


def test_the_migrations_make_exactly_the_tables_of_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        # The log's partitions are made as months come; no model names them.
        context = MigrationContext.configure(connection, opts={"include_name": _is_no_partition})
        differences = compare_metadata(context, Base.metadata)
    # PostgreSQL keeps tokens in a heap behind a covering index, without a primary key.
    assert [d for d in differences if "ix_token_token" not in str(d)] == []


COMMUNITIES = Prepared(select(Community.name).where(Community.code == bindparam("code")))


def _is_no_partition(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or not re.fullmatch(r"audit_\w+_(y\d{4}m\d{2}|other)", name or "")


def test_downgrading_to_base_removes_every_table(
    database_url: str, database: Database, secrets_directory: Path
) -> None:
    migrate(settings_for(database_url, secrets_directory), "base", down=True)
    with database.engine.connect() as connection:
        assert set(inspect(connection).get_table_names()) <= {"alembic_version"}
    migrate(settings_for(database_url, secrets_directory))
    with database.engine.connect() as connection:
        assert set(Base.metadata.tables) < set(inspect(connection).get_table_names())


def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    def fail_halfway() -> None:
        with database.transaction() as session:
            session.execute(text("INSERT INTO community (code, name) VALUES ('a', 'A')"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    with database.reading() as session:
        assert session.execute(text("SELECT count(*) FROM community")).scalar_one() == 0


def test_a_glance_reads_and_leaves_the_connection_as_it_was(database: Database) -> None:
    with database.glance() as connection:
        assert COMMUNITIES.execute(connection, {"code": "a"}) == []
    with database.transaction() as session:
        session.execute(text("INSERT INTO community (code, name) VALUES ('a', 'A')"))
        session.rollback()
    with database.glance() as connection:
        assert COMMUNITIES.execute(connection, {"code": "a"}) == []


def test_the_log_refuses_to_be_changed_even_by_its_owner(database: Database) -> None:
    with database.transaction() as session:
        session.execute(
            text("INSERT INTO audit_entry (t, act, org, rec, leaf) VALUES (1, 'a', 'o', :b, :b)"),
            {"b": b"x"},
        )
    for statement in ("UPDATE audit_entry SET t = 2", "DELETE FROM audit_entry"):
        with pytest.raises(DBAPIError, match="append-only"), database.transaction() as session:
            session.execute(text(statement))

"""The schema goes up and down on both engines, and says what the models say."""

import re
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import bindparam, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.__main__ import migrate
from app.audit.models import AuditAudience
from app.database import Base, Database, among_pairs
from app.organisations.models import Community
from app.prepared import Prepared
from app.sharing.visibility import _POSTINGS_SQLITE
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


def test_pairs_are_found_by_the_index_that_begins_with_them(database: Database) -> None:
    pairs = [(1, 2), (3, 4), (3, 4)]
    wanted = select(AuditAudience.eid).where(
        AuditAudience.org == "post-be", among_pairs((AuditAudience.t, AuditAudience.eid), pairs)
    )
    with database.transaction() as session:
        words = dict.fromkeys(("act", "doer", "out", "purpose", "basis", "obj"), "")
        add = insert(AuditAudience).values(org="post-be", **words)
        for t, eid in ((1, 2), (1, 4), (3, 2), (3, 4)):
            session.execute(add.values(t=t, eid=eid))
        assert sorted(session.scalars(wanted)) == [2, 4]
        if database.is_sqlite:
            compiled = wanted.compile(session.get_bind(), compile_kwargs={"literal_binds": True})
            assert "(org=? AND t=? AND eid=?)" in plan(session, str(compiled))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_tokens_of_indicators_are_found_by_their_key_on_sqlite(database: Database) -> None:
    with database.transaction() as session:
        written = _POSTINGS_SQLITE.format(pairs="(x'00',1),(x'01',2)")
        assert "(token=? AND indicator_id=?)" in plan(session, written)


def plan(session: Session, statement: str) -> str:
    return "\n".join(row[3] for row in session.execute(text(f"EXPLAIN QUERY PLAN {statement}")))

"""Each database role may do its work and nothing more, by PostgreSQL's own word."""

import pytest
from flask import Flask
from sqlalchemy import text

from app.database import Base, Database
from app.database_roles import Work, grant
from app.errors import StartRefusedError

RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER", "REFERENCES")
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def held(database: Database, work: Work) -> dict[str, set[str]]:
    """What the role of a work may do with each table as a whole."""
    role = f"role_for_{work.value}"
    with database.engine.begin() as connection:
        known = connection.execute(text(f"SELECT 1 FROM pg_roles WHERE rolname = '{role}'"))  # noqa: S608 - a name of this file
        if known.first() is None:
            connection.execute(text(f"CREATE ROLE {role}"))
    grant(database, role, Work.WEB)  # what it had before must go
    grant(database, role, work)
    asked = text("SELECT has_table_privilege(:role, :table, :right)")
    with database.engine.connect() as connection:
        return {
            table: {
                right
                for right in RIGHTS
                if connection.scalar(asked, {"role": role, "table": table, "right": right})
            }
            for table in Base.metadata.tables
        }


@on_postgresql
def test_who_audits_reads_the_log_and_nothing_else(app: Flask, database: Database) -> None:
    assert app
    for table, rights in held(database, Work.AUDIT).items():
        assert rights == ({"SELECT"} if table.startswith("audit_") else set()), table
    with database.engine.connect() as connection:
        sequences = connection.execute(
            text(
                "SELECT relname FROM pg_class WHERE CASE WHEN relkind = 'S' "
                "THEN has_sequence_privilege('role_for_audit', oid, 'USAGE') END"
            )
        )
        assert sequences.all() == []


@on_postgresql
def test_each_other_role_may_change_only_what_its_work_changes(
    app: Flask, database: Database
) -> None:
    assert app
    web, log, vault = (held(database, each) for each in (Work.WEB, Work.LOG, Work.VAULT))
    for rights in (web, log, vault):
        assert not any(each & {"TRUNCATE", "TRIGGER", "REFERENCES"} for each in rights.values())
        for table in ("audit_entry", "audit_audience", "policy_version", "share_class"):
            assert rights[table] == {"SELECT", "INSERT"}, table
    assert "SELECT" not in web["element_vault"] | log["element_vault"]
    assert "SELECT" in vault["element_vault"]
    assert {table for table in web if web[table] != vault[table]} == {
        "element_vault",
        "key_rotation",
        "key_rotation_chunk",
    }
    assert all(table.startswith("audit_") for table in web if web[table] != log[table])
    for table in ("audit_tile", "audit_checkpoint", "audit_seq"):
        assert web[table] == {"SELECT"}
        assert "INSERT" in log[table]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sqlite_has_no_roles(database: Database) -> None:
    with pytest.raises(StartRefusedError):
        grant(database, "postern_app")

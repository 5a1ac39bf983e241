"""Each database role may do its work and nothing more, by PostgreSQL's own word."""

import pytest
from flask import Flask
from sqlalchemy import text

from app.database import Base, Database
from app.database_roles import Work, grant
from app.errors import StartRefusedError

RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER", "REFERENCES")
EVALUATION = {
    *("api_token", "credential", "organisation", "organisation_key", "person_account"),
    *("evaluation_allowance", "evaluation_budget", "key_epoch", "key_rotation", "key_sharing"),
    *("audit_audience", "audit_detail", "audit_entry", "audit_object", "audit_org_key"),
    *("audit_queue", "role_grant", "screening_allowance", "screening_budget", "web_session"),
}
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def held(database: Database, work: Work, *, any_column: bool = False) -> dict[str, set[str]]:
    """What the role of a work may do with each table as a whole, or with any column of it."""
    role = f"role_for_{work.value}"
    with database.engine.begin() as connection:
        known = connection.execute(text(f"SELECT 1 FROM pg_roles WHERE rolname = '{role}'"))  # noqa: S608 - a name of this file
        if known.first() is None:
            connection.execute(text(f"CREATE ROLE {role}"))
    grant(database, role, Work.CONSOLE)  # what it had before must go
    grant(database, role, work)
    function = "has_any_column_privilege" if any_column else "has_table_privilege"
    asked = text(f"SELECT {function}(:role, :table, :right)")
    rights = RIGHTS[:3] if any_column else RIGHTS
    with database.engine.connect() as connection:
        return {
            table: {
                right
                for right in rights
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
        policies = "SELECT count(*) FROM pg_policies WHERE 'role_for_audit' = ANY (roles)"
        assert connection.scalar(text(policies)) == 0


@on_postgresql
def test_the_evaluator_knows_callers_keys_and_budgets_and_nothing_else(
    app: Flask, database: Database
) -> None:
    assert app
    rights = held(database, Work.EVALUATOR, any_column=True)
    assert {table for table, each in rights.items() if each} == EVALUATION
    assert not any("DELETE" in each for each in held(database, Work.EVALUATOR).values())
    with database.engine.connect() as connection:
        policies = "SELECT count(*) FROM pg_policies WHERE 'role_for_evaluator' = ANY (roles)"
        assert connection.scalar(text(policies)) == 0


@on_postgresql
def test_each_other_role_may_change_only_what_its_work_changes(
    app: Flask, database: Database
) -> None:
    assert app
    web, log, jobs, console, vault = (
        held(database, each) for each in (Work.WEB, Work.LOG, Work.JOBS, Work.CONSOLE, Work.VAULT)
    )
    for rights in (web, log, jobs, console, vault):
        assert not any(each & {"TRUNCATE", "TRIGGER", "REFERENCES"} for each in rights.values())
        for table in ("audit_entry", "audit_audience"):
            assert rights[table] == {"SELECT", "INSERT"}, table
    assert all("SELECT" not in each["element_vault"] for each in (web, log, jobs, console))
    assert "SELECT" in vault["element_vault"]
    assert {table for table in console if console[table] != vault[table]} == {
        "element_vault",
        "key_rotation",
        "key_rotation_chunk",
    }
    assert all(web[table] <= console[table] for table in web)
    assert {table for table, each in log.items() if each and not table.startswith("audit_")} == {
        "organisation"
    }
    for table in ("audit_tile", "audit_checkpoint", "audit_seq"):
        assert web[table] == {"SELECT"}
        assert "INSERT" in log[table]
    for table in ("outbox", "notification", "lookup", "value_seen", "disclosure_request"):
        assert "DELETE" not in web[table]
        assert "DELETE" in jobs[table]
    for table in ("envelope", "credential", "second_factor", "web_session", "recovery_code"):
        assert not jobs[table] & {"SELECT", "INSERT", "UPDATE"}, table


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sqlite_has_no_roles(database: Database) -> None:
    with pytest.raises(StartRefusedError):
        grant(database, "postern_app")

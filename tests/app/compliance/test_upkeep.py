"""Upkeep of the log as people meet it: pages, interface, console, duties."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text

from app.audit.archive import archivist
from app.audit.models import AuditAudience, AuditDetail, AuditErasure, AuditRetention, RetentionRule
from app.audit.retention import default
from app.database import Database
from app.database_roles import Work, grant
from app.jobs.service import run_due
from postern.vocabulary import Role, Scope
from tests.app.audit.old_log import OldLog, old_log
from tests.app.bare import member
from tests.app.people import Person, bearer, make_organisation, make_person, runtime_of, sign_in

YEARS_AGO = datetime(2020, 5, 1, tzinfo=UTC)
CODE = "police-de"


@pytest.fixture
def database(app: Flask) -> Database:
    made = runtime_of(app).database
    make_organisation(made, CODE, country="DE")
    return made


@pytest.fixture
def officer(app: Flask, database: Database) -> Person:
    return make_person(app, CODE, [Role.COMPLIANCE])


@pytest.fixture
def administrator(app: Flask, database: Database) -> Person:
    return make_person(app, CODE, [Role.ADMINISTRATOR])


@pytest.fixture
def log(app: Flask, database: Database) -> OldLog:
    """The log of the application, with its own archives and keys."""
    made = old_log(database, Path(runtime_of(app).settings.audit.archive))
    made.archivist = archivist(runtime_of(app))
    return made


def details(database: Database) -> int:
    with database.reading() as session:
        return session.execute(
            select(func.count()).where(AuditDetail.t < YEARS_AGO.timestamp() * 1000 + 10**9)
        ).scalar_one()


def test_the_page_says_what_holds_and_what_it_means(client: FlaskClient, officer: Person) -> None:
    sign_in(client, officer)
    page = client.get("/log/retention").get_data(as_text=True)
    assert "the default of your country" in page
    assert default("DE").legal_source in page
    assert "Not verified:" in page
    assert "Nothing was asked to be erased" in page


def test_a_period_is_set_and_given_up_on_the_page(
    client: FlaskClient, officer: Person, database: Database
) -> None:
    headers = sign_in(client, officer)
    form = {"rule": "months", "length": "18", "legal_source": "Act, s. 1"}
    answer = client.post("/log/retention", data=form, headers=headers)
    assert answer.status_code == 303
    page = client.get(answer.location).get_data(as_text=True)
    assert "The period is set." in page
    assert "18 whole months after the month of the act" in page
    with database.reading() as session:
        chosen = session.scalars(select(AuditRetention)).one()
    assert (chosen.rule, chosen.length) == (RetentionRule.MONTHS, 18)
    answer = client.post("/log/retention", data={"choice": "default"}, headers=headers)
    assert "holds again" in client.get(answer.location).get_data(as_text=True)


@pytest.mark.parametrize(
    "form",
    [
        {"rule": "months", "length": "many", "legal_source": "Act"},
        {"rule": "weeks", "length": "4", "legal_source": "Act"},
        {"rule": "months", "length": "4", "legal_source": " "},
        {"rule": "months", "length": "4000", "legal_source": "Act"},
    ],
)
def test_a_wrong_period_comes_back_with_the_reason(
    client: FlaskClient, officer: Person, form: dict[str, str]
) -> None:
    headers = sign_in(client, officer)
    answer = client.post("/log/retention", data=form, headers=headers)
    assert answer.status_code == 422
    assert "Nothing was changed." in answer.get_data(as_text=True)


def test_an_erasure_is_asked_on_the_page_and_done_by_the_duty(
    app: Flask, client: FlaskClient, officer: Person, log: OldLog
) -> None:
    log.write(datetime.now(UTC) - timedelta(days=1), 2, caller=member(CODE))
    headers = sign_in(client, officer)
    chosen = log.made[0].record_id
    form = {"of": "records", "records": f" {chosen}\n", "which": "some", "field": "case"}
    answer = client.post("/log/erasures", data=form, headers=headers)
    assert answer.status_code == 303
    page = client.get(answer.location).get_data(as_text=True)
    assert "will be done within minutes" in page
    assert "chosen records" in page
    with app.app_context():
        done = [(each.name, each.count) for each in run_due(runtime_of(app))]
        assert [count for name, count in done if name == "log.erase"] == [1, 0]
        assert ("log.months", 0) in done
        with log.database.transaction() as session:
            session.execute(text("UPDATE duty_run SET due_at = :then"), {"then": YEARS_AGO})
        list(run_due(runtime_of(app)))
    page = client.get("/log/retention").get_data(as_text=True)
    assert "done, " in page


@pytest.mark.parametrize(
    "form", [{"of": "records", "records": "x"}, {"of": "person", "person": "someone"}, {}]
)
def test_a_wrong_erasure_comes_back_with_the_reason(
    client: FlaskClient, officer: Person, form: dict[str, str]
) -> None:
    headers = sign_in(client, officer)
    answer = client.post("/log/erasures", data=form, headers=headers)
    assert answer.status_code == 422
    assert "Nothing was changed." in answer.get_data(as_text=True)


def test_the_interface_reads_and_sets_retention(
    app: Flask, client: FlaskClient, officer: Person
) -> None:
    token = bearer(app, officer, [Scope.AUDIT_READ])
    held = client.get("/api/v1/audit/retention", headers=token).get_json()
    assert (held["rule"], held["length"], held["chosen"], held["verified"]) == (
        *("year-end", 1),
        *(False, default("DE").is_verified),
    )
    assert held["before"].endswith("-01-01T00:00:00+00:00")
    chosen = {"rule": "months", "length": 18, "legal_source": "Act, s. 1"}
    assert client.put("/api/v1/audit/retention", json=chosen, headers=token).status_code == 403
    headers = sign_in(client, officer)
    answer = client.put("/api/v1/audit/retention", json=chosen, headers=headers).get_json()
    assert {**answer, **chosen} == answer
    assert answer["chosen"] is True


def test_the_interface_takes_erasures_and_lists_them(
    client: FlaskClient, officer: Person, database: Database
) -> None:
    headers = sign_in(client, officer)
    asked = {"person": str(officer.caller.person), "fields": ["actor"]}
    answer = client.post("/api/v1/audit/erasures", json=asked, headers=headers)
    assert answer.status_code == 202
    assert answer.get_json()["of"] == "person"
    listed = client.get("/api/v1/audit/erasures").get_json()["erasures"]
    assert [(each["of"], each["state"]) for each in listed] == [("person", "waiting")]
    both = {"person": str(officer.caller.person), "records": ["A" * 22]}
    assert client.post("/api/v1/audit/erasures", json=both, headers=headers).status_code == 422
    with database.reading() as session:
        told = session.scalars(select(AuditDetail.disc).order_by(AuditDetail.eid.desc())).first()
        assert session.execute(select(func.count()).select_from(AuditErasure)).scalar_one() == 1
    assert told is not None


def test_the_page_of_growth_tells_sizes(
    client: FlaskClient, administrator: Person, log: OldLog
) -> None:
    log.write(YEARS_AGO, 3, caller=member(CODE))
    sign_in(client, administrator)
    page = client.get("/log/growth").get_data(as_text=True)
    assert "Nothing was archived yet" in page
    assert "<code>audit_entry</code>" in page
    assert "Entries placed on each of the last 30 days" in page


def run(app: Flask, *arguments: str) -> Any:
    return app.test_cli_runner().invoke(args=["audit", *arguments])


def test_the_console_archives_reads_and_tells(app: Flask, log: OldLog) -> None:
    log.write(YEARS_AGO, 300, caller=member(CODE))
    made = run(app, "archive", "run")
    assert made.exit_code == 0, made.output
    assert "Sealed the places 0 to 255" in made.output
    assert "left the database: 0" in made.output  # some of that month stand in no archive yet
    (row,) = json.loads(run(app, "archive", "list", "--json").output)
    assert (row["entries"], row["state"]) == (256, "as sealed")
    entry = json.loads(run(app, "archive", "read", "4").output)
    assert entry["record"]["id"] == log.made[3].record_id
    assert entry["details"]["case"] == "K-17"
    assert entry["disclosures"] == list(log.made[3].disclosures)
    with log.database.reading() as session:
        readers = select(AuditAudience.org).where(AuditAudience.act == "audit.read")
        assert sorted(session.scalars(readers)) == sorted(["platform", CODE])
    assert run(app, "archive", "read", "260").exit_code == 1
    grown = json.loads(run(app, "growth", "--json").output)
    assert (grown["archived"], grown["entries"]) == (256, 301)
    assert "bytes an entry" in run(app, "growth").output
    assert "Partitions made: 0" in run(app, "months").output


def test_the_console_erases_by_retention_in_archives_too(app: Flask, log: OldLog) -> None:
    log.write(YEARS_AGO, 255, caller=member(CODE))  # the organisation's own is before them
    assert "left the database: 255" in run(app, "archive", "run").output
    erased = run(app, "erase")
    assert erased.exit_code == 0, erased.output
    assert "255 by retention" in erased.output
    assert json.loads(run(app, "archive", "read", "3").output)["details"] == {}
    assert details(log.database) == 0
    assert "0 by retention" in run(app, "erase").output


def test_the_console_refuses_a_file_that_was_changed(app: Flask, log: OldLog) -> None:
    log.write(YEARS_AGO, 256, caller=member(CODE))
    log.archivist.seal_next()
    (file,) = log.archivist.directory.glob("*.archive")
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    refused = run(app, "archive", "run")
    assert refused.exit_code == 2
    assert "was changed after it was sealed" in refused.output
    assert "was changed" in run(app, "archive", "list").output
    assert run(app, "archive", "read", "3").exit_code == 1


def test_the_log_role_erases_archives_and_makes_months_and_the_web_role_cannot(
    app: Flask, log: OldLog
) -> None:
    if log.database.is_sqlite:
        return
    log.write(YEARS_AGO, 255, caller=member(CODE))
    with log.database.engine.begin() as connection:
        for role in ("keeper", "web"):
            connection.execute(text(f"DROP ROLE IF EXISTS test_{role}"))
            connection.execute(text(f"CREATE ROLE test_{role} LOGIN"))
    grant(log.database, "test_keeper", Work.LOG)
    grant(log.database, "test_web")
    web = _as(log, "test_web")
    with pytest.raises(Exception, match="permission denied"):
        web.archivist.seal_next()
    for statement in (
        "SELECT audit_make_months(24250, 1)",
        "SELECT audit_leave_month(24244)",
        "UPDATE audit_detail SET disc = ''",
        "DELETE FROM audit_object",
    ):
        with (
            pytest.raises(Exception, match="permission denied"),
            web.database.transaction() as session,
        ):
            session.execute(text(statement))
    keeper = _as(log, "test_keeper")
    assert keeper.archivist.seal_next() is not None
    assert keeper.archivist.leave() == 255
    keeper.write(YEARS_AGO + timedelta(days=90), 3, caller=member(CODE))
    with keeper.database.transaction() as session:
        session.execute(text("SELECT audit_make_months(24246, 8)"))
        session.execute(text("UPDATE audit_detail SET disc = '' WHERE t < 0"))
    for statement in ("UPDATE audit_entry SET t = 1", "DELETE FROM audit_seq"):
        with (
            pytest.raises(Exception, match="permission denied"),
            keeper.database.transaction() as session,
        ):
            session.execute(text(statement))
    for each in (web, keeper):
        each.database.dispose()
    with log.database.engine.begin() as connection:
        for role in ("test_keeper", "test_web"):
            connection.execute(text(f"DROP OWNED BY {role}"))
            connection.execute(text(f"DROP ROLE {role}"))


def _as(log: OldLog, role: str) -> OldLog:
    """The same log as another role of the database."""
    url = log.database.url.set(username=role)
    made = old_log(Database(url.render_as_string(hide_password=False)), log.archivist.directory)
    made.archivist = type(made.archivist)(
        made.database, log.archivist.directory, log.archivist.sealer, 12
    )
    return made

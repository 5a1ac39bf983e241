"""The main job, with each process under the role of its work: web, evaluator, jobs and log."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from app.access import CONSOLE
from app.audit.running import LogKeeper, sequencer
from app.config import Settings
from app.database import Database
from app.database_roles import Work
from app.exchange.collections import open_collection
from app.exchange.models import CollectionKind, ExchangeEntry
from app.exchange.view_storage import insert_entries
from app.indicators.models import Envelope
from app.jobs import draining, service
from app.jobs.models import Notification
from app.jobs.notifications import notify
from app.patterns.screening_quota import allow
from app.sharing.service import profile_id
from postern import normalise, voprf
from postern.base64url import to_base64url
from postern.envelope import Context
from postern.pseudonym import token as token_of
from postern.vocabulary import (
    EVALUATION_KIND,
    EvaluationKind,
    LegalBasis,
    MessageKind,
    Purpose,
    Role,
    Scope,
)
from tests.app.disclosures.desk import CASE, Desk, open_desk
from tests.app.exchange import b64, report
from tests.app.people import bearer, make_person, runtime_of, sign_in
from tests.app.role_processes import process

SET_CONFIG = "set_config(text, text, boolean)"
PHONE = normalise.Phone("+32471234567", "BE")

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@dataclass
class House:
    """The desk is the owner's; every process beside it has a role of its own."""

    desk: Desk
    web: Flask
    evaluator: Flask
    jobs: Flask

    def program(self, code: str, *scopes: Scope) -> "Program":
        person = make_person(self.desk.app, code, Role)
        return Program(self.web.test_client(), bearer(self.desk.app, person, scopes))


@dataclass
class Program:
    client: FlaskClient
    headers: dict[str, str]

    def post(self, path: str, status: int = 200, **body: Any) -> Any:
        answer = self.client.post(f"/api/v1{path}", json=body, headers=self.headers)
        assert answer.status_code == status, answer.get_data(as_text=True)
        return answer.get_json()

    def get(self, path: str, status: int = 200) -> Any:
        answer = self.client.get(f"/api/v1{path}", headers=self.headers)
        assert answer.status_code == status, answer.get_data(as_text=True)
        return answer.get_json()


@pytest.fixture
def house(app: Flask, settings: Settings, database: Database) -> Iterator[House]:
    with database.engine.begin() as connection:  # as docs/database-roles.md has it done
        connection.execute(text(f"REVOKE EXECUTE ON FUNCTION {SET_CONFIG} FROM PUBLIC"))
    with (
        open_desk(app) as desk,
        process(settings, database, Work.WEB, evaluates=False) as web,
        process(settings, database, Work.EVALUATOR, mode="evaluator") as evaluator,
        process(settings, database, Work.JOBS) as jobs,
    ):
        for made in (web, evaluator, jobs):
            made.testing = False
        yield House(desk, web, evaluator, jobs)


def sealed_report(desk: Desk) -> dict[str, Any]:
    """A report of post-be with the value sealed, as its client sends it."""
    raw = desk.exchange.indicator(PHONE)
    kind = normalise.normalise(PHONE).kind
    (_, element), *_ = desk.exchange.elements(PHONE)
    token = token_of(EVALUATION_KIND[kind], 1, element)
    context = Context("post-be", kind.value, 1, token, "row-1/0", "value")
    raw["sealed"] = {"value": to_base64url(desk.sealed("post-be", b"+32 471", context))}
    return report("row-1", raw)


def question(desk: Desk) -> dict[str, Any]:
    query = desk.exchange.query(PHONE)
    return {
        "purpose": "criminal_investigation",
        "legal_basis": "criminal_procedure",
        "case": CASE,
        "queries": [
            {
                "id": query.id,
                "kind": query.kind.value,
                "epoch": query.epoch,
                "tokens": [{"facet": each, "token": b64(token)} for each, token in query.tokens],
            }
        ],
    }


def test_the_main_job_from_sign_in_to_delivery(house: House, database: Database) -> None:
    desk = house.desk
    evaluate(house)
    owner = house.program("post-be", Scope.REPORTS_WRITE, Scope.DISCLOSURES_DECIDE)
    asker = house.program("police-de", Scope.LOOKUPS_WRITE, Scope.DISCLOSURES_ASK)
    sent = owner.post("/reports", reports=[sealed_report(desk)])
    assert sent["counts"]["created"] == 1, sent
    answer = asker.post("/lookups", **question(desk))
    ((hit,),) = [each["hits"] for each in answer["results"]]
    message = desk.message("police-de", "post-be", "post-be", MessageKind.ASK)
    asked = asker.post(
        "/disclosures",
        201,
        lookup=answer["lookup"],
        indicator=hit["indicator"]["id"],
        case=CASE,
        urgency="normal",
        asked=["value"],
        action="none",
        message=to_base64url(message.sealed),
        record=message.record,
    )
    work(house)
    received = owner.get(f"/disclosures/received/{asked['id']}")
    (envelope,) = received["envelopes"]
    ruling = {"answer": "nothing", "reason": "not_necessary", "parts": []}
    decided = owner.client.post(
        f"/api/v1/disclosures/received/{asked['id']}/decision", json=ruling, headers=owner.headers
    )
    assert decided.status_code == 200, decided.get_data(as_text=True)
    assert UUID(envelope["id"])
    page = house.web.test_client()
    sign_in(page, desk.exchange.people["post-be"])
    assert page.get("/notifications").status_code == 200
    told = desk.exchange.rows(select(Notification))
    assert {each.organisation_id for each in told} >= {desk.exchange.organisation_id("post-be")}
    for path in ("/", "/account"):
        assert page.get(path).status_code == 200, path
    work(house)


def test_a_statement_cannot_name_another_organisation(house: House) -> None:
    settled = "set_config('postern.organisations', '{1,2,3}', true)"
    by_xml = "query_to_xml($x$SET postern.organisations = '{1,2,3}'$x$, true, true, '')"
    database = runtime_of(house.web).database
    for injected in (settled, by_xml):
        statement = text(f"SELECT {injected}, CAST(:id AS int)")
        with (
            pytest.raises(DBAPIError, match=r"permission denied|not allowed"),
            database.reading() as session,
        ):
            session.execute(statement, {"id": 1})


def evaluate(house: House) -> None:
    """Blindly, by the process that does nothing else, and not by the web service."""
    desk = house.desk
    person = desk.exchange.people["police-de"]
    headers = bearer(desk.app, person, [Scope.EVALUATE])
    body = {
        "kind": EvaluationKind.POSTAL.value,
        "epoch": 1,
        "elements": [b64(voprf.blind(b"x")[1])],
        "purpose": "parcel_screening",
        "case": CASE,
    }
    made = house.evaluator.test_client().post("/api/v1/evaluate", json=body, headers=headers)
    assert made.status_code == 200, made.get_data(as_text=True)
    assert len(base64.urlsafe_b64decode(made.get_json()["parts"][0]["elements"][0] + "==")) == 32
    assert house.evaluator.test_client().get("/api/v1/reports", headers=headers).status_code == 404
    refused = house.web.test_client().post("/api/v1/evaluate", json=body, headers=headers)
    assert (refused.status_code, runtime_of(house.web).secrets.evaluation) == (503, b"")
    assert "platform.evaluates" in refused.get_json()["remedy"]


def test_agreed_screening_is_evaluated_apart(house: House) -> None:
    desk = house.desk
    with desk.session() as session:
        tomorrow = datetime.now(UTC).date() + timedelta(days=1)
        kind = EvaluationKind.POSTAL
        allow(session, CONSOLE, "post-be", kind, elements=2, ends_on=tomorrow, reason="one depot")
    headers = bearer(desk.app, desk.exchange.people["post-be"], [Scope.SCREENING_RUN])
    asked = {
        "query_string": {"purpose": "parcel_screening", "case": CASE},
        "content_type": "application/octet-stream",
        "headers": headers,
    }
    path = "/api/v1/evaluate/screening/postal/1"
    statuses = []
    for made in (house.web, house.evaluator, house.evaluator):
        answer = made.test_client().post(path, data=voprf.blind(b"y")[1], **asked)
        statuses.append(answer.status_code)
    assert statuses == [503, 200, 200]
    answer = house.evaluator.test_client().post(path, data=voprf.blind(b"z")[1], **asked)
    assert (answer.status_code, answer.get_json()["type"]) == (429, "/errors/quota-spent")


def work(house: House) -> None:
    """A pass of the worker: every duty and everything that waits in the outbox."""
    with house.jobs.app_context():
        runtime = runtime_of(house.jobs)
        performed = list(service.run_due(runtime))
        assert [each.name for each in performed if each.count is None] == []
        draining.drain(runtime)
        with runtime.database.reading() as session:
            failing = [each for each in draining.standings(session, runtime) if each.failing]
        assert failing == []


def test_the_log_is_kept_with_its_role(
    house: House, settings: Settings, database: Database
) -> None:
    with process(settings, database, Work.LOG) as log, log.app_context():
        keeper = LogKeeper(runtime_of(log), sequencer(runtime_of(log)))
        keeper.begin()
        assert keeper.sequencer.step().taken > 0
        with pytest.raises(ProgrammingError), runtime_of(log).database.reading() as session:
            session.execute(text("SELECT 1 FROM lookup"))


def test_each_role_is_refused_what_is_not_its_work(
    house: House, settings: Settings, database: Database
) -> None:
    refused = {
        house.web: (
            "DELETE FROM outbox",
            "UPDATE duty_run SET failures = 0",
            "UPDATE evaluation_budget SET used = 0",
            "UPDATE screening_budget SET used = 0",
        ),
        house.evaluator: (
            "SELECT 1 FROM report",
            "SELECT 1 FROM token",
            "SELECT rec FROM audit_entry",
            "DELETE FROM evaluation_budget",
            "SELECT sealed FROM second_factor",
        ),
        house.jobs: (
            "SELECT content FROM envelope",
            "SELECT name_hash FROM web_session",
            "SELECT secret_hash FROM credential",
            "UPDATE evaluation_budget SET used = 0",
            "INSERT INTO role_grant SELECT * FROM role_grant",
        ),
    }
    for made, statements in refused.items():
        for statement in statements:
            with (
                pytest.raises(ProgrammingError, match="permission denied"),
                runtime_of(made).database.reading() as session,
            ):
                session.execute(text(statement))


def test_a_statement_without_its_condition_shows_one_s_own(house: House) -> None:
    """What an injected or forgetful statement gets, in a request of the web service."""
    desk = house.desk
    desk.found()
    for code in ("post-be", "police-de"):
        with desk.session() as session:
            notify(session, desk.exchange.organisation_id(code), Role.ANALYST, "x.y", {}, "/")
    caller = desk.caller("police-de")
    with house.web.test_request_context(), runtime_of(house.web).database.reading() as session:
        assert session.scalars(select(Notification.id)).all() == []
        assert session.scalars(select(Envelope.id)).all() == []
    with house.web.test_request_context():
        g.caller = caller
        with runtime_of(house.web).database.reading() as session:
            (organisation,) = set(session.scalars(select(Notification.organisation_id)))
            assert organisation == caller.organisation_id
            assert session.scalars(select(Envelope.id)).all() == []
            assert len(session.execute(text("SELECT id FROM lookup")).all()) == 1


def test_jobs_lay_out_for_a_reader_of_a_collection_who_never_asked(house: House) -> None:
    police = house.desk.exchange.organisation_id("police-de")
    with house.jobs.app_context(), runtime_of(house.jobs).database.transaction() as session:
        assert profile_id(
            session, police, Role.ANALYST, Purpose.RISK_ANALYSIS, LegalBasis.PUBLIC_TASK
        )


def test_jobs_write_very_many_entries_of_a_collection_at_once(house: House) -> None:
    owner = runtime_of(house.desk.app).database
    with house.desk.app.app_context(), owner.transaction() as session:
        opened = open_collection(
            session, house.desk.caller("police-de"), kind=CollectionKind.OWN, title="Our own"
        )
    common = {
        **dict.fromkeys(("owner_id", "indicator_id", "indicator", "pattern_id", "kind")),
        **dict.fromkeys(("generation", "amended"), 0),
        **dict.fromkeys(("is_main", "is_revoked", "has_tokens"), False),
        **dict.fromkeys(("is_first", "is_last"), True),
    }
    rows = [
        {
            **common,
            **dict.fromkeys(("added", "version", "created", "first_day"), number),
            "collection_id": opened.key,
            "stix_id": f"identity--{number}",
            "type": "identity",
            "level": 2,
            "text": "{}",
        }
        for number in range(1, 61)
    ]
    with house.jobs.app_context(), runtime_of(house.jobs).database.transaction() as session:
        insert_entries(session, rows)
        assert session.scalar(select(func.count()).select_from(ExchangeEntry)) == len(rows)

"""GET /api/v1/audit: the compliance officer's way into the log."""

import base64
import hashlib
import json

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.audit import api, service
from app.audit.models import AuditDetail, AuditEntry
from app.config import Settings
from app.database import Database
from postern.audit.record import canonical, disclosure_digest, open_disclosures
from postern.base64url import to_base64url
from postern.vocabulary import Purpose, Role, Scope
from tests.app.bare import bare_app, give_tag_keys, member


@pytest.fixture
def house(settings: Settings, database: Database) -> Flask:
    give_tag_keys(database, "police-de", "post-be")
    app = bare_app(settings, database)
    app.extensions["postern-api"].register_blueprint(api.blueprint)
    app.extensions["caller"] = member(roles=[Role.COMPLIANCE])
    with database.transaction() as session:
        for case in ("K-1", "K-2 é"):
            service.append(
                session, member(), "lookup.ask", case=case, purpose=Purpose.RISK_ANALYSIS
            )
        service.append(session, member("post-be"), "report.submit", objects=["not for the police"])
    return app


@pytest.fixture
def officer(house: Flask) -> FlaskClient:
    return house.test_client()


def test_the_log_is_read_newest_first_with_details_opened(officer: FlaskClient) -> None:
    response = officer.get("/api/v1/audit")
    assert response.status_code == 200
    body = response.get_json()
    assert [entry["details"]["case"] for entry in body["entries"]] == ["K-2 é", "K-1"]
    assert body["next"] is None
    shown = {"record", "details", "disclosures", "leaf", "place", "intact"}
    assert body["entries"][0].keys() == shown
    assert all(entry["intact"] for entry in body["entries"])
    assert "not for the police" not in response.text


def test_an_answer_can_be_checked_from_its_own_bytes(officer: FlaskClient) -> None:
    body = officer.get("/api/v1/audit").data
    entries = json.loads(body)["entries"]
    assert len(entries) == 2
    for entry in entries:
        # The canonical form of what was parsed is the stored record, and stands in the body so.
        record = canonical(entry["record"])
        assert b'{"record":' + record + b"," in body
        leaf = json.loads(_unb64(entry["leaf"]))
        assert leaf["c"] == to_base64url(hashlib.sha256(record).digest())
        digests = {disclosure_digest(line) for line in entry["disclosures"]}
        assert digests == set(entry["record"]["f"].values())


def test_reading_is_an_act_that_tells_which_filters_were_used(
    officer: FlaskClient, database: Database
) -> None:
    asked = officer.get("/api/v1/audit?case=K-1&purpose=risk_analysis&from=2020-01-01&limit=5")
    found = [entry["record"]["id"] for entry in asked.get_json()["entries"]]
    assert len(found) == 1
    with database.reading() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.act == "audit.read")).one()
        detail = session.scalars(select(AuditDetail).where(AuditDetail.eid == entry.eid)).one()
        record = json.loads(entry.rec)
        details = open_disclosures(detail.disc)
    assert (record["n"], record["aud"]) == (1, ["police-de"])
    assert record["rh"] == to_base64url(hashlib.sha256(json.dumps(found).encode()).digest())
    assert details["filters"] == {
        "case": "K-1",
        "purpose": "risk_analysis",
        "since": "2020-01-01T00:00:00+00:00",
    }


def test_the_next_reading_shows_the_one_before(officer: FlaskClient) -> None:
    officer.get("/api/v1/audit?act=report.withdraw")
    newest = officer.get("/api/v1/audit?limit=1").get_json()["entries"][0]
    assert newest["record"]["act"] == "audit.read"
    assert newest["details"]["filters"] == {"act": "report.withdraw"}


def test_pages_follow_one_another_by_cursor(officer: FlaskClient) -> None:
    first = officer.get("/api/v1/audit?limit=1&act=lookup.ask").get_json()
    second = officer.get(f"/api/v1/audit?limit=1&act=lookup.ask&cursor={first['next']}").get_json()
    cases = [page["entries"][0]["details"]["case"] for page in (first, second)]
    assert cases == ["K-2 é", "K-1"]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("act=nothing.known", "query.act"),
        ("operation=peeking", "query.operation"),
        ("purpose=curiosity", "query.purpose"),
        ("outcome=fine", "query.outcome"),
        ("from=yesterday", "query.from"),
        ("from=2026-02-30", "query.from"),
        ("to=2026-01-01T10:00:00", "query.to"),
        ("to=9999-12-31", "query.to"),
        ("limit=0", "query.limit"),
        ("limit=201", "query.limit"),
        ("limit=x", "query.limit"),
        ("cursor=x", "query.cursor"),
        ("case=", "query.case"),
        ("case=a%00b", "query.case"),
        ("actor=%0a", "query.actor"),
        ("acts=lookup.ask", "query.acts"),
    ],
)
def test_a_wrong_filter_is_refused_by_name(officer: FlaskClient, query: str, field: str) -> None:
    response = officer.get(f"/api/v1/audit?{query}")
    assert response.status_code == 422
    problem = response.get_json()
    assert problem["code"] == "invalid-request"
    assert [error["field"] for error in problem["errors"]] == [field]


@pytest.mark.parametrize("moment", ["2026-01-01T00:00:00Z", "2026-01-01T01:00:00%2B01:00"])
def test_a_period_may_be_given_by_moments(officer: FlaskClient, moment: str) -> None:
    assert len(officer.get(f"/api/v1/audit?from={moment}").get_json()["entries"]) == 2
    assert officer.get(f"/api/v1/audit?to={moment}").get_json()["entries"] == []


def test_only_compliance_reads_the_log(house: Flask) -> None:
    house.extensions["caller"] = member(roles=set(Role) - {Role.COMPLIANCE})
    assert house.test_client().get("/api/v1/audit").status_code == 403
    house.extensions["caller"] = member(roles=[Role.COMPLIANCE], scopes=[Scope.AUDIT_READ])
    assert house.test_client().get("/api/v1/audit").status_code == 200


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

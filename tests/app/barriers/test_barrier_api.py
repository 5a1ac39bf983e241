"""Models, tags and barriers by a program and by a person, in the words of a language."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import clock
from postern.vocabulary import Role, Scope
from tests.app.barriers.ground import make_ground, own_text, submitted
from tests.app.barriers.texts import changed
from tests.app.exchange import Exchange
from tests.app.patterns.writing import shares
from tests.app.people import bearer, make_person, sign_in

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

HOUSE = "/api/v1/barriers"
WHY = {"purpose": "risk_analysis", "legal_basis": "public_task"}


@pytest.fixture
def ground(app: Flask) -> Exchange:
    return make_ground(app)


@pytest.fixture
def client(ground: Exchange) -> FlaskClient:
    return ground.app.test_client(use_cookies=False)


def program(ground: Exchange, code: str) -> dict[str, str]:
    scopes = [Scope.BARRIERS_READ, Scope.BARRIERS_WRITE]
    return bearer(ground.app, ground.people[code], scopes)


def test_a_model_is_checked_by_a_program_and_put_in_force_by_people(
    ground: Exchange, client: FlaskClient
) -> None:
    police = program(ground, "police-de")

    def checked(text: str) -> Any:
        sent = {"text": text, "language": "fr"}
        return client.post(f"{HOUSE}/models/check", json=sent, headers=police).get_json()

    assert checked(own_text())["faults"] == []
    wrong = checked(changed("cost: low", "cost: much"))
    assert (wrong["document"], [each["line"] for each in wrong["faults"]]) == (None, [42])
    sent = {"text": own_text()}
    assert client.post(f"{HOUSE}/models", json=sent, headers=police).status_code == 403

    author, approver = (
        make_person(ground.app, "police-de", [role]) for role in (Role.ANALYST, Role.APPROVER)
    )
    one, other = ground.app.test_client(), ground.app.test_client()
    of_one, of_other = sign_in(one, author), sign_in(other, approver)
    refused = one.post(f"{HOUSE}/models", json={"text": "no model"}, headers=of_one)
    assert (refused.status_code, refused.get_json()["code"]) == (422, "model-refused")
    assert refused.get_json()["errors"][0].keys() == {"line", "column", "reason", "remedy"}
    made = one.post(f"{HOUSE}/models", json=sent, headers=of_one)
    assert made.status_code == 201, made.text
    listed = made.get_json()["listed"]
    assert (listed["version"], listed["proposed"], listed["title"]) == (
        None,
        1,
        "Het model van een lid",
    )
    address = f"{HOUSE}/models/{listed['id']}"
    # Who proposed it has not even the role; who has it and did not propose it puts it in force.
    version = {"version": 1}
    assert one.post(f"{address}/approve", json=version, headers=of_one).status_code == 403
    approved = other.post(f"{address}/approve", json=version, headers=of_other)
    assert approved.status_code == 200, approved.text
    chosen = other.put(f"{HOUSE}/models/used", json={"model": listed["id"]}, headers=of_other)
    assert chosen.get_json()["document"]["label"] == "a model of one's own"
    shown = client.get(address, query_string={"language": "nl"}, headers=police).get_json()
    assert shown["is_in_use"] is True
    assert shown["document"]["label"] == "een eigen model"
    (cell,) = [
        each for each in shown["document"]["steps"][0]["cells"] if each["column"] == "barrier"
    ]
    assert (cell["key"], cell["set_by"], cell["evidence"]["finding"]) == (
        "ask-why",
        ["police"],
        "supports",
    )
    assert client.get(f"{address}/versions/1", headers=police).get_json() == {"text": own_text()}
    both = {"before": 1, "after": 1}
    compared = client.get(f"{address}/compare", query_string=both, headers=police).get_json()
    assert compared["objections"] == ["Its version is 1, and must be larger than 1."]
    (platforms, own) = client.get(f"{HOUSE}/models", headers=police).get_json()["models"]
    assert (platforms["organisation"], own["organisation"]["code"]) == (None, "police-de")
    post = program(ground, "post-be")
    assert client.get(address, headers=post).status_code == 404


def test_of_a_model_whose_only_version_was_refused_it_is_not_known_what_it_claims(
    ground: Exchange,
) -> None:
    author, approver = (
        make_person(ground.app, "police-de", [role]) for role in (Role.ANALYST, Role.APPROVER)
    )
    one, other = ground.app.test_client(), ground.app.test_client()
    of_one, of_other = sign_in(one, author), sign_in(other, approver)
    made = one.post(f"{HOUSE}/models", json={"text": own_text()}, headers=of_one)
    address = f"{HOUSE}/models/{made.get_json()['listed']['id']}"
    why = {"version": 1, "note": "Too short"}
    refused = other.post(f"{address}/refuse", json=why, headers=of_other)
    assert refused.status_code == 200
    listed = refused.get_json()["listed"]
    assert (listed["version"], listed["proposed"], listed["status"]) == (None, None, None)
    schemas = ground.app.test_client().get("/api/openapi.json").get_json()["components"]
    told = schemas["schemas"]["ListedModel"]["properties"]["status"]
    assert "null" in told["type"]


def test_a_report_is_tagged_by_what_was_suggested(ground: Exchange, client: FlaskClient) -> None:
    report = submitted(ground, "post-be", declared_category="gift", destination_country="NO")
    post = program(ground, "post-be")
    found = client.get(
        f"{HOUSE}/reports/{report}/suggestions", query_string={"language": "de"}, headers=post
    ).get_json()
    assert found["steps"] == [1]
    (signal,) = found["signals"]
    assert signal["reason"].startswith("Vorgeschlagen")
    sent = {
        "subject": "report",
        "version": found["version"],
        "step": found["steps"][0],
        "signals": [signal["signal"]],
    }
    made = client.post(f"{HOUSE}/tags/{report}", json=sent, headers=post)
    assert made.status_code == 201, made.text
    asked = {"subject": "report", "language": "en"}
    (tag,) = client.get(f"{HOUSE}/tags/{report}", query_string=asked, headers=post).get_json()[
        "tags"
    ]
    assert (tag["step"], tag["rejected"]) == (1, [])
    assert tag["signals"][0]["reason"].startswith("Suggested because: ")
    newer = client.post(f"{HOUSE}/tags/{report}", json={**sent, "version": 2}, headers=post)
    assert (newer.status_code, newer.get_json()["code"]) == (409, "model-changed")
    wrong = client.post(f"{HOUSE}/tags/{report}", json={**sent, "step": 9}, headers=post)
    assert wrong.get_json()["errors"] == [
        {"field": "json.step", "reason": "The model in use has 2 steps."}
    ]


def test_a_barrier_is_registered_shared_and_ended(ground: Exchange, client: FlaskClient) -> None:
    customs, police = program(ground, "customs-nl"), program(ground, "police-de")
    ground.publish("customs-nl", shares("customs-nl", "feed", kinds="barrier"))
    today = clock.now().date()
    sent = {
        "step": 1,
        "barrier": "ask-why",
        "country": "NL",
        "operator": "postnl",
        "code": "AMS 1",
        "from": today.isoformat(),
        "legal_basis": "customs_law",
        "cost": "low",
    }
    made = client.post(HOUSE, json=sent, headers=customs)
    assert made.status_code == 201, made.text
    address = f"{HOUSE}/{made.get_json()['id']}"
    page = client.get(HOUSE, query_string={**WHY, "language": "nl"}, headers=police).get_json()
    (shown,) = page["barriers"]
    assert (shown["text"], shown["until"], shown["policy"]) == (
        "De winkel vraagt waarom.",
        None,
        "customs-nl/1",
    )
    assert shown["from"] == today.isoformat()
    assert client.get(HOUSE, headers=police).get_json() == {"barriers": [], "next": None}
    found = client.get(f"{HOUSE}/gaps", query_string=WHY, headers=police).get_json()
    assert [each["is_gap"] for each in found["steps"]] == [False, True]
    assert found["steps"][0]["barriers"][0]["others"] == 1
    assert client.post(f"{address}/renew", json={}, headers=police).status_code == 404
    last = (today + timedelta(days=1)).isoformat()
    ended = client.post(f"{address}/end", json={"on": last}, headers=customs).get_json()
    assert ended["until"] == last
    renewed = client.post(f"{address}/renew", json={}, headers=customs)
    assert renewed.status_code == 200
    half = client.get(address, query_string={"purpose": "risk_analysis"}, headers=police)
    assert half.status_code == 422

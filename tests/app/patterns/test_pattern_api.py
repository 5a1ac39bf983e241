"""Shared patterns by a program: written, checked, published by a person, fetched, counted."""

from typing import Any

import pytest
from flask import Flask

from app import clock
from postern.vocabulary import Role, Scope
from tests.app.exchange import Exchange, make_exchange
from tests.app.patterns.writing import document, published, shares
from tests.app.people import bearer, make_person, sign_in

WHY = {"purpose": "parcel_screening", "legal_basis": "postal_law"}
BOTH = [Scope.PATTERNS_READ, Scope.PATTERNS_WRITE]


@pytest.fixture
def exchange(app: Flask) -> Exchange:
    return make_exchange(app)


pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_a_program_writes_and_a_person_publishes(exchange: Exchange) -> None:
    client = exchange.app.test_client(use_cookies=False)
    police = bearer(exchange.app, exchange.people["police-de"], BOTH)

    checked = client.post(
        "/api/v1/patterns/check", json={"text": document(days=0), "language": "fr"}, headers=police
    ).get_json()
    assert checked.keys() == {"sha256", "is_ready", "faults", "explanation", "examples", "stix"}
    assert checked["is_ready"] is False
    (fault,) = checked["faults"]
    assert fault.keys() == {"line", "column", "reason", "remedy"}
    assert [each["hit"] for each in checked["examples"]] == [True, False]
    assert checked["stix"]["losses"] == []

    sent = {"text": document(weight=700), "handling": ["H2"], "substance": "ketamine"}
    answer = client.post("/api/v1/patterns", json=sent, headers=police)
    assert answer.status_code == 201, answer.text
    made = answer.get_json()
    address = f"/api/v1/patterns/{made['listed']['id']}"
    assert made["draft"]["beside"]["substance"] == "ketamine"
    refused = client.post(f"{address}/propose", json={"revision": 1}, headers=police)
    assert refused.status_code == 422
    assert refused.get_json()["code"] == "pattern-refused"
    assert {each["line"] for each in refused.get_json()["errors"]} == {11, 18}
    saved = client.put(
        f"{address}/draft", json={"text": document(), "revision": 1}, headers=police
    ).get_json()
    assert saved["draft"]["checked"]["is_ready"] is True
    assert (
        client.post(f"{address}/propose", json={"revision": 2}, headers=police).status_code == 200
    )
    # No program publishes, whatever its scopes.
    denied = client.post(f"{address}/approve", json={"revision": 3}, headers=police)
    assert denied.status_code == 403
    approver = make_person(exchange.app, "police-de", [Role.APPROVER])
    browser = exchange.app.test_client()
    as_approver = sign_in(browser, approver)
    approved = browser.post(f"{address}/approve", json={"revision": 3}, headers=as_approver)
    assert approved.status_code == 200, approved.text
    assert approved.get_json()["listed"]["state"] == "live"


def test_a_program_fetches_and_counts_what_others_published(exchange: Exchange) -> None:
    exchange.publish("police-de", shares("police-de", "screen"))
    address = f"/api/v1/patterns/{published(exchange, 'police-de')}"
    client = exchange.app.test_client(use_cookies=False)
    police = bearer(exchange.app, exchange.people["police-de"], BOTH)
    post = bearer(exchange.app, exchange.people["post-be"], BOTH)
    assert client.get(address, headers=post).status_code == 404
    half = client.get(address, query_string={"purpose": "parcel_screening"}, headers=post)
    assert half.status_code == 422
    read = client.get(address, query_string={**WHY, "language": "de"}, headers=post).get_json()
    assert (read["text"], read["draft"], read["policy"]) == (document(), None, "police-de/1")
    text = client.get(f"{address}/versions/1", query_string=WHY, headers=post).get_json()
    assert text == {"text": document()}
    assert client.put(f"{address}/subscription", json=WHY, headers=post).status_code == 204
    fetched = client.get("/api/v1/patterns/subscribed", headers=post).get_json()
    (one,) = fetched["documents"]
    assert (one["text"], one["sha256"], fetched["withdrawn"]) == (document(), read["sha256"], [])
    on = clock.now().date().isoformat()
    told = [
        ("runs", {"parcels": 1_000, "hits": 10}),
        ("outcomes", {"examined": 12, "found": 6, "not_found": 6, "wrong": 0}),
    ]
    for name, counts in told:
        sent_counts: dict[str, Any] = {"version": 1, "day": on, **counts}
        for _ in range(2):
            answer = client.post(f"{address}/{name}", json=sent_counts, headers=post)
            assert answer.status_code == 204, answer.text
        worse = client.post(f"{address}/{name}", json=sent_counts | {"version": 2}, headers=post)
        assert worse.status_code == 404
    found = client.get(f"{address}/figures", headers=police).get_json()
    total = found["others"]["total"]
    assert (total["examined"], total["found"], total["precision"]["share"]) == (12, 6, 0.5)
    assert found["others"]["months"][0]["per_million"] == 10_000.0
    listed = client.get("/api/v1/patterns", query_string=WHY, headers=post).get_json()
    assert [each["is_subscribed"] for each in listed["patterns"]] == [True]
    assert client.delete(f"{address}/subscription", headers=post).status_code == 204
    assert client.delete(f"{address}/subscription", headers=post).status_code == 404
    scopeless = bearer(exchange.app, exchange.people["post-be"], [Scope.PATTERNS_READ])
    assert client.put(f"{address}/subscription", json=WHY, headers=scopeless).status_code == 403

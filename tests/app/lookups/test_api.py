"""Lookups over HTTP; above all, that a hidden indicator is indistinguishable from none."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.lookups.schemas import AskSchema
from app.lookups.scoring import Query
from postern.vocabulary import Role, Scope
from tests.app.exchange import (
    ALERT_OWNER,
    JAN,
    OPEN_TO_POLICE,
    PRESENCE_TO_POLICE,
    SOPHIE,
    Exchange,
    b64,
    report,
)
from tests.app.people import bearer, make_person

LOOKUPS = "/api/v1/lookups"


@pytest.fixture
def headers(exchange: Exchange) -> dict[str, str]:
    return bearer(exchange.app, exchange.people["police-de"], [Scope.LOOKUPS_WRITE])


def wire(query: Query) -> dict[str, Any]:
    return {
        "id": query.id,
        "kind": query.kind.value,
        "epoch": query.epoch,
        "tokens": [{"facet": facet, "token": b64(token)} for facet, token in query.tokens],
    }


def body_for(*queries: Query, **fields: Any) -> dict[str, Any]:
    return {
        "purpose": "criminal_investigation",
        "legal_basis": "criminal_procedure",
        "case": "PV-2024-17",
        "queries": [wire(query) for query in queries],
        **fields,
    }


def ask(exchange: Exchange, client: FlaskClient, headers: Mapping[str, str]) -> TestResponse:
    body = body_for(exchange.query(SOPHIE, "q1"), exchange.query(JAN, "q2"))
    return client.post(LOOKUPS, json=body, headers=headers)


def without_ids_and_times(answer: TestResponse) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body, without the lookup's id and moment and the entry's receipt."""
    body = answer.get_json()
    raw = answer.get_data()
    for name in ("lookup", "asked_at"):
        raw = raw.replace(body[name].encode(), b"*" * len(body[name]))
    apart = {"X-Request-Id", "Postern-Receipt"}
    headers = {name: value for name, value in answer.headers if name not in apart}
    headers["receipt"] = str(len(answer.headers["Postern-Receipt"]))
    return answer.status_code, headers, raw


def test_a_hit_leaves_with_its_reasons(
    exchange: Exchange, client: FlaskClient, headers: dict[str, str]
) -> None:
    exchange.submit("post-be", report("k1", exchange.indicator(SOPHIE), barrier_step=4))
    exchange.publish("post-be", OPEN_TO_POLICE)
    answer = ask(exchange, client, headers)
    assert answer.status_code == 200
    first, second = answer.get_json()["results"]
    assert second == {"id": "q2", "hits": [], "more": False}
    (hit,) = first["hits"]
    assert hit["organisation"] == {
        "code": "post-be",
        "name": "Organisation post-be",
        "sector": "post",
        "country": "BE",
    }
    assert (hit["level"], hit["band"]) == ("request", "strong")
    assert hit["indicator"]["tlp"] == "AMBER"
    assert hit["report"]["barrier_step"] == 4
    assert set(hit["facets"][0]) == {"facet", "answer", "weight", "words"}


def test_a_presence_leaves_with_nothing_but_the_presence(
    exchange: Exchange, client: FlaskClient, headers: dict[str, str]
) -> None:
    exchange.submit("post-be", report("k1", exchange.indicator(SOPHIE)))
    exchange.publish("post-be", PRESENCE_TO_POLICE)
    (hit,) = ask(exchange, client, headers).get_json()["results"][0]["hits"]
    told = {name for name, value in hit.items() if value not in (None, [])}
    assert told == {"organisation", "level", "band", "precision"}
    assert (hit["points"], hit["explanation"], hit["facets"]) == (None, None, [])
    assert (hit["indicator"], hit["report"]) == (None, None)


@pytest.mark.parametrize(
    "hidden_by", ["no policy", "purpose", "TLP:RED", "presence of another", "alert"]
)
def test_a_hidden_indicator_is_indistinguishable_from_none(
    exchange: Exchange, client: FlaskClient, headers: dict[str, str], hidden_by: str
) -> None:
    exchange.submit("post-be", report("seen", exchange.indicator(SOPHIE)))
    exchange.publish("post-be", OPEN_TO_POLICE)
    if hidden_by == "purpose":
        other = '&& context.purpose == Purpose::"risk_analysis" };'
        exchange.publish("customs-nl", OPEN_TO_POLICE.replace("};", other))
    elif hidden_by == "TLP:RED":
        exchange.publish("customs-nl", OPEN_TO_POLICE)
    elif hidden_by == "alert":
        exchange.publish("customs-nl", ALERT_OWNER)  # its owner alone is told
    elif hidden_by == "presence of another":
        # A second copy behind a presence that is already told.
        exchange.publish("customs-nl", PRESENCE_TO_POLICE)
        exchange.submit("customs-nl", report("first", exchange.indicator(SOPHIE)))
    absent = without_ids_and_times(ask(exchange, client, headers))

    tlp = "RED" if hidden_by == "TLP:RED" else "AMBER"
    hidden = exchange.submit(
        "customs-nl",
        report("hidden", exchange.indicator(SOPHIE, tlp=tlp)),
        report("hidden-too", exchange.indicator(JAN, tlp=tlp))
        if hidden_by != "presence of another"
        else report("hidden-too", exchange.indicator(SOPHIE)),
    )
    assert hidden.counts["created"] == 2
    present = without_ids_and_times(ask(exchange, client, headers))

    assert present == absent


def test_what_is_hidden_does_not_show_in_the_list_of_lookups(
    exchange: Exchange, client: FlaskClient, headers: dict[str, str]
) -> None:
    ask(exchange, client, headers)
    exchange.submit("post-be", report("k1", exchange.indicator(SOPHIE)))
    ask(exchange, client, headers)
    second, first = client.get(LOOKUPS, headers=headers).get_json()["lookups"]
    for each in (first, second):
        del each["id"], each["asked_at"]
    assert first == second
    assert first == {
        "person": str(exchange.caller("police-de").person),
        "purpose": "criminal_investigation",
        "legal_basis": "criminal_procedure",
        "queries": 2,
        "hits": 0,
    }


@pytest.mark.parametrize(
    "change",
    [
        {"purpose": None},
        {"purpose": "curiosity"},
        {"legal_basis": "habit"},
        {"case": ""},
        {"case": "   "},
        {"queries": []},
        {"queries": [{"id": "q", "kind": "party", "epoch": 1, "tokens": []}]},
        {"queries": [{"id": "q", "kind": "party", "epoch": 1, "tokens": [{"facet": 3}]}]},
        {"queries": [{"id": "", "kind": "party", "epoch": 1, "tokens": [{"facet": 3}]}]},
        {"text": "Rue de la Loi"},
    ],
)
def test_a_question_without_reason_or_content_is_refused(
    exchange: Exchange, client: FlaskClient, headers: dict[str, str], change: dict[str, Any]
) -> None:
    body = body_for(exchange.query(SOPHIE), **change)
    answer = client.post(LOOKUPS, json=body, headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid-request")
    assert "Rue" not in answer.get_data(as_text=True)


def test_a_closed_epoch_names_the_open_one(
    exchange: Exchange, client: FlaskClient, headers: dict[str, str]
) -> None:
    body = body_for(exchange.query(SOPHIE))
    body["queries"][0]["epoch"] = 2
    answer = client.post(LOOKUPS, json=body, headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "epoch-closed")
    assert answer.get_json()["epoch"] == 1


def test_who_may_not_ask_is_refused_and_logged(exchange: Exchange, client: FlaskClient) -> None:
    submitter = make_person(exchange.app, "police-de", [Role.SUBMITTER])
    analyst = exchange.people["police-de"]
    assert ask(exchange, client, {}).status_code == 401
    for person, scope in ((submitter, Scope.REPORTS_READ), (analyst, Scope.REPORTS_READ)):
        refused = ask(exchange, client, bearer(exchange.app, person, [scope]))
        assert refused.status_code == 403
    entries = exchange.entries("lookup.ask")
    assert [entry.details["refusal"] for entry in entries] == ["not-allowed"] * 2


def test_the_example_of_the_documentation_is_a_valid_question() -> None:
    page = (Path(__file__).parents[3] / "docs" / "lookups.md").read_text()
    (example,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    asked = AskSchema().load(json.loads(example))
    assert [query["id"] for query in asked["queries"]] == ["row-1"]

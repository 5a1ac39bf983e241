"""Why a hit was shown: as it was decided then, and no more than its reader may know."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from postern.vocabulary import Role, Scope
from tests.app.exchange import (
    ALERT_OWNER,
    JAN,
    OPEN_TO_POLICE,
    PRESENCE_TO_POLICE,
    SOPHIE,
    Exchange,
    report,
)
from tests.app.people import bearer, make_person

LOOKUPS = "/api/v1/lookups"


@pytest.fixture
def headers(exchange: Exchange) -> dict[str, str]:
    return bearer(exchange.app, exchange.people["police-de"], [Scope.LOOKUPS_WRITE])


def explain(client: FlaskClient, headers: dict[str, str], lookup: UUID) -> TestResponse:
    return client.get(f"{LOOKUPS}/{lookup}/explanation", headers=headers)


def hits(answer: TestResponse) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.get_json()
    found: list[dict[str, Any]] = answer.get_json()["hits"]
    return found


def test_a_hit_is_explained_by_the_version_and_the_rule_that_showed_it(
    exchange: Exchange, client: FlaskClient, headers: dict[str, str]
) -> None:
    (sent,) = exchange.submit("post-be", report("k1", exchange.indicator(SOPHIE))).results
    exchange.publish("post-be", OPEN_TO_POLICE)
    answer = exchange.ask("police-de", JAN, SOPHIE)
    (hit,) = hits(explain(client, headers, answer.lookup))
    words = hit.pop("words")
    assert hit == {
        "query": 1,
        "organisation": {
            "code": "post-be",
            "name": "Organisation post-be",
            "sector": "post",
            "country": "BE",
        },
        "level": "request",
        "band": "strong",
        "indicator": str(sent.indicators[0]),
        "policy": "post-be/1",
    }
    assert "Police of the exchange see everything that may leave" in words


def test_it_stays_as_it_was_decided_when_the_policy_changes(
    exchange: Exchange, client: FlaskClient, headers: dict[str, str]
) -> None:
    exchange.submit("post-be", report("k1", exchange.indicator(SOPHIE)))
    exchange.publish("post-be", OPEN_TO_POLICE)
    answer = exchange.ask("police-de", SOPHIE)
    before = hits(explain(client, headers, answer.lookup))
    exchange.publish("post-be", PRESENCE_TO_POLICE)
    assert hits(explain(client, headers, answer.lookup)) == before


def test_a_presence_tells_neither_number_nor_version_nor_rule(
    exchange: Exchange, client: FlaskClient, headers: dict[str, str]
) -> None:
    exchange.submit("post-be", *(report(f"k{n}", exchange.indicator(SOPHIE)) for n in range(3)))
    exchange.publish("post-be", PRESENCE_TO_POLICE)
    answer = exchange.ask("police-de", SOPHIE)
    (hit,) = hits(explain(client, headers, answer.lookup))
    assert (hit["level"], hit["indicator"], hit["policy"]) == ("presence", None, None)
    assert "post-be/" not in hit["words"]
    assert "Police of the exchange learn" not in hit["words"]


def test_hits_stand_in_the_order_of_the_answer(
    exchange: Exchange, client: FlaskClient, headers: dict[str, str]
) -> None:
    for code in ("customs-nl", "post-be"):
        exchange.submit(code, report("k1", exchange.indicator(SOPHIE)))
    exchange.submit("post-be", report("k2", exchange.indicator(JAN)))
    exchange.publish("customs-nl", PRESENCE_TO_POLICE)
    exchange.publish("post-be", OPEN_TO_POLICE)
    answer = exchange.ask("police-de", SOPHIE, JAN)
    told = [
        (place, hit.organisation.code)
        for place, result in enumerate(answer.results)
        for hit in result.hits
    ]
    explained = hits(explain(client, headers, answer.lookup))
    assert [(hit["query"], hit["organisation"]["code"]) for hit in explained] == told
    assert told == [(0, "post-be"), (0, "customs-nl"), (1, "post-be")]


def test_what_is_hidden_or_told_to_its_owner_alone_is_not_explained(
    exchange: Exchange, client: FlaskClient, headers: dict[str, str]
) -> None:
    exchange.submit("post-be", report("k1", exchange.indicator(SOPHIE)))
    exchange.submit("customs-nl", report("k1", exchange.indicator(SOPHIE)))
    exchange.publish("customs-nl", ALERT_OWNER)
    answer = exchange.ask("police-de", SOPHIE)
    assert len(exchange.entries("indicator.alert")) == 1
    assert hits(explain(client, headers, answer.lookup)) == []


def test_anothers_lookup_is_answered_like_none(
    exchange: Exchange, client: FlaskClient, headers: dict[str, str]
) -> None:
    theirs = exchange.ask("customs-nl", SOPHIE).lookup
    told = []
    for lookup in (theirs, uuid4()):
        answer = explain(client, headers, lookup)
        reference = answer.headers["X-Request-Id"]
        apart = {"X-Request-Id", "Postern-Receipt"}
        kept = {name: value for name, value in answer.headers if name not in apart}
        told.append((answer.status_code, kept, answer.text.replace(reference, "*" * 36)))
    assert told[0] == told[1]
    assert told[0][0] == 404


def test_an_explanation_is_logged_for_its_readers_alone(
    exchange: Exchange, client: FlaskClient
) -> None:
    exchange.submit("post-be", report("k1", exchange.indicator(SOPHIE)))
    exchange.publish("post-be", OPEN_TO_POLICE)
    lookup = exchange.ask("police-de", SOPHIE).lookup
    compliance = make_person(exchange.app, "police-de", [Role.COMPLIANCE])
    submitter = make_person(exchange.app, "police-de", [Role.SUBMITTER])
    allowed = bearer(exchange.app, compliance, [Scope.LOOKUPS_WRITE])
    assert len(hits(explain(client, allowed, lookup))) == 1
    refused = bearer(exchange.app, submitter, [Scope.REPORTS_READ])
    assert explain(client, refused, lookup).status_code == 403
    done, denied = exchange.entries("policy.explain")
    assert done.audience == ["police-de"]
    assert done.details["objects"] == [str(lookup)]
    assert denied.details["refusal"] == "not-allowed"

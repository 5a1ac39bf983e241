"""Reports over HTTP: who may, how errors look, and that nothing of a value comes back."""

from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from postern.vocabulary import Role, Scope
from tests.app.exchange import JAN, SOPHIE, Exchange, place, report
from tests.app.people import bearer, make_person

REPORTS = "/api/v1/reports"


@pytest.fixture
def headers(exchange: Exchange) -> dict[str, str]:
    scopes = [Scope.REPORTS_WRITE, Scope.REPORTS_READ]
    return bearer(exchange.app, exchange.people["post-be"], scopes)


def test_a_report_goes_in_and_is_read_back(
    exchange: Exchange, client: FlaskClient, headers: dict[str, str]
) -> None:
    sent = report("k1", exchange.indicator(SOPHIE), place(), shipment={"hs_chapter": "39"})
    answer = client.post(REPORTS, json={"reports": [sent, {}]}, headers=headers)
    assert answer.status_code == 200
    body = answer.get_json()
    assert body["counts"] == {"created": 1, "existing": 0, "rejected": 1}
    created, refused = body["results"]
    assert (created["status"], created["errors"]) == ("created", [])
    assert refused["id"] is None
    assert refused["errors"][0] == {
        "field": "client_key",
        "reason": "Missing data for required field.",
        "remedy": "Add the field.",
    }

    found = client.get(f"{REPORTS}/{created['id']}", headers=headers).get_json()
    assert found["shipment"]["hs_chapter"] == "39"
    assert [each["id"] for each in found["indicators"]] == created["indicators"]
    assert found["indicators"][1]["place"]["code"] == "BRU-1"
    listed = client.get(REPORTS, headers=headers).get_json()
    assert listed == {"reports": [found], "next": None}

    withdrawn = client.post(
        f"{REPORTS}/{created['id']}/withdraw", json={"reason": "error"}, headers=headers
    )
    assert withdrawn.get_json() == {
        "id": created["id"],
        "status": "withdrawn",
        "erased": 2,
        "restricted": 0,
    }


def test_pages_follow_the_cursor(
    exchange: Exchange, client: FlaskClient, headers: dict[str, str]
) -> None:
    exchange.submit("post-be", *(report(f"k{n}", place()) for n in range(3)))
    first = client.get(f"{REPORTS}?limit=2", headers=headers).get_json()
    rest = client.get(f"{REPORTS}?limit=2&cursor={first['next']}", headers=headers).get_json()
    assert [len(first["reports"]), len(rest["reports"]), rest["next"]] == [2, 1, None]


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "cursor=7", "page=2"])
def test_a_wrong_page_is_refused(client: FlaskClient, headers: dict[str, str], query: str) -> None:
    answer = client.get(f"{REPORTS}?{query}", headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid-request")


def test_anothers_report_is_answered_like_none(
    exchange: Exchange, client: FlaskClient, headers: dict[str, str]
) -> None:
    (theirs,) = exchange.submit("customs-nl", report("k", place())).results
    bodies = []
    for public_id in (theirs.id, uuid4()):
        answers = (
            client.get(f"{REPORTS}/{public_id}", headers=headers),
            client.post(
                f"{REPORTS}/{public_id}/withdraw", json={"reason": "error"}, headers=headers
            ),
        )
        for answer in answers:
            assert answer.status_code == 404
            body = answer.get_json()
            del body["instance"]
            bodies.append(body)
    assert all(body == bodies[0] for body in bodies)


def test_who_may_not_is_refused_and_logged(exchange: Exchange, client: FlaskClient) -> None:
    compliance = make_person(exchange.app, "post-be", [Role.COMPLIANCE])
    submitter = exchange.people["post-be"]
    for headers, status in (
        ({}, 401),
        (bearer(exchange.app, submitter, [Scope.REPORTS_READ]), 403),
        (bearer(exchange.app, compliance, [Scope.REPORTS_READ]), 403),
    ):
        answer = client.post(REPORTS, json={"reports": [{}]}, headers=headers)
        assert answer.status_code == status
    denied = exchange.entries("report.submit")
    assert [entry.details["refusal"] for entry in denied] == ["not-allowed"] * 2


@pytest.mark.parametrize(
    "body", [{}, {"reports": {}}, {"reports": []}, {"reports": [{}] * 501}, []]
)
def test_what_is_not_a_list_of_reports_is_refused_as_a_whole(
    client: FlaskClient, headers: dict[str, str], body: object
) -> None:
    answer = client.post(REPORTS, json=body, headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid-request")


@pytest.mark.parametrize("reason", [None, "because", ""])
def test_a_withdrawal_needs_one_of_three_reasons(
    exchange: Exchange, client: FlaskClient, headers: dict[str, str], reason: str | None
) -> None:
    (sent,) = exchange.submit("post-be", report("k", exchange.indicator(JAN))).results
    answer = client.post(f"{REPORTS}/{sent.id}/withdraw", json={"reason": reason}, headers=headers)
    assert answer.status_code == 422
    read = client.get(f"{REPORTS}/{sent.id}", headers=headers).get_json()
    assert read["status"] == "active"

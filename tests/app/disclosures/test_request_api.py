"""Disclosure requests over HTTP: what is sent, what is answered, and who may send it."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.disclosures import schemas
from postern.base64url import from_base64url, to_base64url
from postern.delivery_receipt import Receipt, signed
from postern.vocabulary import MessageKind, Role, Scope, TokenCheck
from tests.app.disclosures.desk import CASE, Desk, Found
from tests.app.people import bearer, make_person, sign_in

REQUEST = {
    *("id", "state", "requester", "owner", "indicator", "kind", "role", "lookup", "purpose"),
    *("legal_basis", "urgency", "asked", "action", "made_at", "due_at", "lapses_at", "messages"),
    *("decision", "deliveries"),
}
ENVELOPE = {
    *("id", "part", "number", "indicator", "kind", "epoch", "token", "record", "size", "digest"),
}
BASE = "/api/v1/disclosures"


class Program:
    """A program of a member, with a token of one scope and one role."""

    def __init__(self, desk: Desk, code: str, scope: Scope, *roles: Role) -> None:
        self.client: FlaskClient = desk.app.test_client()
        self.headers = bearer(desk.app, make_person(desk.app, code, roles), [scope])

    def get(self, path: str, status: int = 200) -> Any:
        return _answer(self.client.get(f"{BASE}{path}", headers=self.headers), status)

    def post(self, path: str, status: int = 200, **body: Any) -> Any:
        answer = self.client.post(f"{BASE}{path}", json=body, headers=self.headers)
        return _answer(answer, status)


def _answer(answer: TestResponse, status: int) -> Any:
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_json() if answer.is_json else answer.get_data()


@pytest.fixture
def asker(desk: Desk) -> Program:
    return Program(desk, "police-de", Scope.DISCLOSURES_ASK, Role.ANALYST)


@pytest.fixture
def approvers(desk: Desk) -> Iterator[Program]:
    return iter(
        [Program(desk, "post-be", Scope.DISCLOSURES_DECIDE, Role.APPROVER) for _ in range(2)]
    )


def asked(found: Found, **changes: Any) -> dict[str, Any]:
    message = found.desk.message(found.asker, found.owner, found.owner, MessageKind.ASK)
    return {
        "lookup": str(found.lookup),
        "indicator": str(found.indicator),
        "case": CASE,
        "urgency": "normal",
        "asked": ["value", "note"],
        "action": "locate",
        "message": to_base64url(message.sealed),
        "record": message.record,
        **changes,
    }


def test_a_request_goes_from_the_hit_to_the_receipt(
    desk: Desk, asker: Program, approvers: Iterator[Program]
) -> None:
    found, (first, second) = desk.found(), approvers
    made = asker.post("", 201, **asked(found))
    assert set(made) == REQUEST
    assert made["requester"] == {
        "code": "police-de",
        "name": "Organisation police-de",
        "sector": "police",
        "country": "DE",
    }
    assert (made["kind"], made["role"], made["asked"]) == ("phone", "sender", ["value", "note"])
    path, received = f"/asked/{made['id']}", f"/received/{made['id']}"
    again = asker.post("", 409, **asked(found))
    assert (again["code"], again["request"]) == ("disclosure-open", made["id"])
    (listed,) = first.get("/received?state=open")["requests"]
    assert listed["messages"][0]["sealed"] is None
    read = first.get(received)
    assert set(read) == REQUEST | {"envelopes"}
    assert read["lookup"] is None
    assert all(set(each) == ENVELOPE for each in read["envelopes"])
    assert from_base64url(read["messages"][0]["sealed"])

    found.request = UUID(read["id"])
    question = desk.message("post-be", "post-be", "police-de", MessageKind.QUESTION, found.id)
    sent = {"message": to_base64url(question.sealed), "record": question.record}
    assert first.post(f"{received}/question", **sent)["state"] == "questioned"
    assert asker.get("/asked?state=questioned")["requests"][0]["id"] == made["id"]
    answer = desk.message("police-de", "post-be", "post-be", MessageKind.ANSWER, found.id)
    sent = {"message": to_base64url(answer.sealed), "record": answer.record}
    assert asker.post(f"{path}/answer", **sent)["state"] == "open"

    envelope = read["envelopes"][0]
    raw = first.get(f"{received}/envelopes/{envelope['id']}")
    assert len(raw) == envelope["size"]
    parts = [
        {"envelope": str(part.envelope), "sealed": to_base64url(part.sealed)}
        for part in found.resealed()
    ]
    ruling = {"answer": "all", "reason": "necessary", "parts": parts}
    decided = first.post(f"{received}/decision", **ruling)
    assert (decided["state"], decided["decision"]["state"]) == ("proposed", "proposed")
    assert asker.get(path)["state"] == "open"
    assert asker.get("/asked?state=proposed")["requests"] == []
    judged = {"decision": decided["decision"]["id"], "agrees": True}
    assert first.post(f"{received}/confirmation", 403, **judged)["code"] == "disclosure-same-person"
    assert second.post(f"{received}/confirmation", **judged)["state"] == "released"

    told = asker.get(path)
    assert told["decision"]["person"] is None
    for delivery in told["deliveries"]:
        assert delivery["available"]
        assert len(asker.get(f"{path}/deliveries/{delivery['id']}")) == delivery["size"]
        is_value = delivery["part"] == "value"
        check = TokenCheck.MATCHES if is_value else TokenCheck.NOT_CHECKED
        digest = from_base64url(delivery["digest"])
        assert digest
        identity = desk.premises["police-de"].identity
        receipt = Receipt(made["id"], delivery["id"], digest, check)
        proof = {
            "signature": to_base64url(signed(receipt, identity)),
            "kid": to_base64url(identity.public.kid),
            "check": check.value,
        }
        told = asker.post(f"{path}/deliveries/{delivery['id']}/receipt", **proof)
    assert told["state"] == "received"
    assert [each["check"] for each in told["deliveries"]] == ["matches", "not_checked"]


def test_what_is_wrong_is_named_by_its_place(desk: Desk, asker: Program) -> None:
    found = desk.found()
    for changes, field in (
        ({"asked": []}, "json.asked"),
        ({"asked": ["value", "value"]}, "json.asked"),
        ({"urgency": "soon"}, "json.urgency"),
        ({"action": "open"}, "json.action"),
        ({"case": " "}, "json.case"),
        ({"message": "===="}, "json.message"),
        ({"record": None}, "json.record"),
        ({"more": 1}, "json.more"),
        ({"message": None, "record": None, "urgency": "life"}, "json.message"),
        ({"action": "examine"}, "json.action"),
    ):
        problem = asker.post("", 422, **asked(found, **changes))
        assert any(each["field"].startswith(field) for each in problem["errors"]), changes
    assert asker.post("", 404, **asked(found, lookup=str(found.indicator)))["code"] == "not-found"
    (refused,) = [
        each
        for each in desk.exchange.entries("disclosure.ask")
        if each.details.get("refusal") == "not-found"
    ]
    assert refused.details["case"] == CASE


def test_pages_of_lists_and_withdrawal(desk: Desk, asker: Program) -> None:
    made = []
    for _ in range(3):
        found = desk.found()
        made.append(asker.post("", 201, **asked(found))["id"])
    page = asker.get("/asked?limit=2")
    assert [each["id"] for each in page["requests"]] == made[:0:-1]
    page = asker.get(f"/asked?limit=2&cursor={page['next']}")
    assert ([each["id"] for each in page["requests"]], page["next"]) == (made[:1], None)
    assert asker.post(f"/asked/{made[0]}/withdrawal")["state"] == "withdrawn"
    assert asker.post(f"/asked/{made[0]}/withdrawal", 409)["state"] == "withdrawn"
    assert len(asker.get("/asked?state=open")["requests"]) == 2
    assert asker.get(f"/asked?cursor={desk.found().indicator}")["requests"] == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_decision_may_be_large_but_not_of_anybody_and_not_without_end(
    desk: Desk, approvers: Iterator[Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    found, first = desk.found(), next(approvers)
    found.ask()
    monkeypatch.setattr("app.disclosures.request_api.LARGEST_DECISION", 100_000)
    desk.app.config["MAX_CONTENT_LENGTH"] = 10_000
    parts = [{"envelope": str(found.indicator), "sealed": "A" * 40_000}]
    ruling = {"answer": "all", "reason": "necessary", "parts": parts}
    path = f"/received/{found.id}/decision"
    assert first.post(path, 422, **ruling)["errors"][0]["field"] == "json.parts.0.envelope"
    assert first.post(path, 413, **{**ruling, "parts": parts * 3})["code"] == "too-large"
    analyst = Program(desk, "post-be", Scope.DISCLOSURES_ASK, Role.ANALYST)
    assert analyst.post(path, 403, **ruling)["code"] == "not-allowed"
    assert schemas.LARGEST_DECISION > 4 * schemas.LARGEST_PART


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_rules_are_read_and_changed_by_people_alone(desk: Desk) -> None:
    client = desk.app.test_client()
    owner = make_person(desk.app, "post-be", [Role.POLICY_OWNER])
    headers = sign_in(client, owner)
    address = f"{BASE}/rules"
    assert client.get(address).get_json() == {
        "four_eyes": "persons",
        "delivery_days": 30,
        "changed_at": None,
    }
    body = {"four_eyes": "always", "delivery_days": 7}
    changed = client.put(address, json=body, headers=headers).get_json()
    assert (changed["four_eyes"], changed["delivery_days"]) == ("always", 7)
    for wrong in ({"delivery_days": 31}, {"delivery_days": 0}, {"four_eyes": "some"}):
        refused = client.put(address, json=body | wrong, headers=headers)
        assert refused.status_code == 422
    assert client.get(address).get_json()["delivery_days"] == 7
    (entry,) = [
        each for each in desk.exchange.entries("disclosure.rules") if "refusal" not in each.details
    ]
    assert entry.details["four_eyes"] == ["persons", "always"]

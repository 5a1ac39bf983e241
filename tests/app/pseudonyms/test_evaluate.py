"""Blind evaluation through the interface: proofs, quotas that hold, and what the log learns."""

import base64
import dataclasses
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text, update

from app import clock, create_app
from app.access import CONSOLE
from app.audit.models import AuditDetail, AuditEntry
from app.config import Settings
from app.database import Database
from app.pseudonyms import quota as quota_module
from app.pseudonyms import service
from app.pseudonyms.models import EvaluationBudget, KeyEpoch, Window
from postern import key_document, voprf
from postern.audit.record import open_disclosures
from postern.group import base, random_scalar
from postern.pseudonym import token
from postern.vocabulary import EvaluationKind, Role, Scope, Sector
from tests.app.people import bearer, make_organisation, make_person

QUOTA = 40


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text_: str) -> bytes:
    return base64.urlsafe_b64decode(text_ + "=" * (-len(text_) % 4))


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    small = dataclasses.replace(
        settings.quota, hour=QUOTA, day=QUOTA * 2, month=QUOTA * 3, person_percent=50
    )
    made = create_app(dataclasses.replace(settings, quota=small))
    made.testing = False
    with made.app_context(), made.extensions["postern"].database.transaction() as session:
        service.open_first_epochs(session, CONSOLE)
    yield made
    made.extensions["postern"].database.dispose()


@pytest.fixture
def database(app: Flask) -> Database:
    found: Database = app.extensions["postern"].database
    return found


@pytest.fixture
def headers(app: Flask, database: Database) -> dict[str, str]:
    make_organisation(database, "post-be", Sector.POST, "BE")
    person = make_person(app, "post-be", [Role.SUBMITTER])
    return bearer(app, person, [Scope.EVALUATE])


Ask = Callable[..., Any]


@pytest.fixture
def ask(client: FlaskClient, headers: dict[str, str]) -> Ask:
    def send(sent: list[bytes], **changes: Any) -> Any:
        body = {
            "kind": "postal",
            "epoch": 1,
            "elements": [b64(each) for each in sent],
            "purpose": "parcel_screening",
            "case": "CASE-7",
        }
        return client.post("/api/v1/evaluate", json=body | changes, headers=headers)

    return send


def elements(count: int) -> list[bytes]:
    return [base(random_scalar()) for _ in range(count)]


def test_an_identifier_is_evaluated_and_the_proof_holds_against_the_published_key(
    client: FlaskClient, ask: Ask
) -> None:
    values = [b"one", b"two", b"three"]
    blinded = [voprf.blind(value) for value in values]
    answer = ask([element for _, element in blinded])
    assert answer.status_code == 200, answer.json
    (part,) = answer.json["parts"]
    assert unb64(part["weight"]) == (1).to_bytes(32, "little")
    evaluated = [unb64(each) for each in part["elements"]]
    raw = client.get("/.well-known/postern-keys.json").json
    document = key_document.read(raw, None, datetime.now(UTC))
    key = document.at("postal", datetime.now(UTC))
    voprf.verify(
        key.public_key, [element for _, element in blinded], evaluated, unb64(part["proof"])
    )
    again = ask([voprf.blind(b"two")[1]])
    assert again.status_code == 200
    r, element = voprf.blind(b"one")
    fresh = unb64(ask([element]).json["parts"][0]["elements"][0])
    assert token("postal", 1, voprf.unblind(r, fresh)) == token(
        "postal", 1, voprf.unblind(blinded[0][0], evaluated[0])
    )


def test_the_key_document_says_the_same_to_everybody_and_is_not_sent_twice(
    client: FlaskClient, ask: Ask, headers: dict[str, str]
) -> None:
    first = client.get("/.well-known/postern-keys.json")
    second = client.get("/.well-known/postern-keys.json", headers=headers)
    assert first.data == second.data
    unchanged = client.get(
        "/.well-known/postern-keys.json", headers={"If-None-Match": first.headers["ETag"]}
    )
    assert unchanged.status_code == 304
    assert unchanged.data == b""


def test_an_epoch_closed_within_its_first_second_is_not_in_the_key_document(
    app: Flask, database: Database
) -> None:
    with app.app_context():
        with database.transaction() as session:
            session.execute(
                update(KeyEpoch)
                .where(KeyEpoch.kind == EvaluationKind.PHONE)
                .values(valid_to=KeyEpoch.valid_from)
            )
        with database.reading() as session:
            raw = service.signed_document(session)
    document = key_document.read(raw, key_document.signer(raw), clock.now())
    assert {each.kind for each in document.epochs} == set(EvaluationKind) - {EvaluationKind.PHONE}


@pytest.mark.parametrize(
    "element",
    [
        bytes(32),  # the identity
        b"\xff" * 32,
        base(b"\x01" + bytes(31))[:31] + bytes([base(b"\x01" + bytes(31))[31] | 0x80]),
    ],
    ids=["identity", "not canonical", "bit 255"],
)
def test_what_is_not_a_canonical_point_is_refused_by_its_place(ask: Ask, element: bytes) -> None:
    answer = ask([*elements(2), element])
    assert answer.status_code == 422
    assert answer.json["code"] == "invalid-element"
    assert answer.json["positions"] == [2]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"purpose": None}, "json.purpose"),
        ({"purpose": "curiosity"}, "json.purpose"),
        ({"case": ""}, "json.case"),
        ({"case": "  "}, "json.case"),
        ({"kind": "names"}, "json.kind"),
        ({"elements": []}, "json.elements"),
        ({"elements": ["AAAA"]}, "json.elements.0"),
        ({"elements": [b64(bytes(31)) + "=="]}, "json.elements.0"),
        ({"surprise": 1}, "json.surprise"),
    ],
)
def test_a_request_without_purpose_case_or_shape_is_refused_by_field(
    ask: Ask, change: dict[str, Any], field: str
) -> None:
    answer = ask(elements(1), **change)
    assert answer.status_code == 422
    assert field in [error["field"] for error in answer.json["errors"]]


def test_more_than_a_thousand_elements_are_refused(ask: Ask) -> None:
    answer = ask([], elements=[b64(bytes(32))] * 1001)
    assert answer.status_code == 422


def test_the_same_element_twice_is_refused(ask: Ask) -> None:
    (element,) = elements(1)
    assert ask([element, element]).json["code"] == "invalid-request"


def test_an_epoch_that_is_not_open_names_the_one_that_is(ask: Ask) -> None:
    answer = ask(elements(1), epoch=2)
    assert answer.status_code == 409
    assert answer.json["code"] == "epoch-closed"
    assert answer.json["epoch"] == 1


def test_a_spent_quota_says_when_it_begins_again_and_costs_nothing_more(
    ask: Ask, database: Database
) -> None:
    assert ask(elements(15)).json["quota"]["left"] == 5  # half of the organisation's 40
    refused = ask(elements(6))
    assert refused.status_code == 429
    assert refused.json["code"] == "quota-spent"
    assert 0 < int(refused.headers["Retry-After"]) <= 3601
    assert ask(elements(5)).json["quota"]["left"] == 0
    with database.reading() as session:
        hour = select(EvaluationBudget.used).where(
            EvaluationBudget.window == Window.HOUR, EvaluationBudget.person_id == 0
        )
        assert session.execute(hour).scalar_one() == 20


def test_the_organisations_quota_holds_across_its_people(
    app: Flask, database: Database, client: FlaskClient, ask: Ask
) -> None:
    assert ask(elements(20)).status_code == 200
    for expected in (200, 429):
        person = make_person(app, "post-be", [Role.ANALYST])
        answer = client.post(
            "/api/v1/evaluate",
            json={
                "kind": "postal",
                "epoch": 1,
                "elements": [b64(each) for each in elements(20)],
                "purpose": "parcel_screening",
                "case": "C",
            },
            headers=bearer(app, person, [Scope.EVALUATE]),
        )
        assert answer.status_code == expected


def test_kinds_have_their_own_quotas(ask: Ask) -> None:
    assert ask(elements(20)).status_code == 200
    assert ask(elements(20), kind="phone").status_code == 200


def test_an_allowance_of_the_organisation_replaces_the_settings(app: Flask, ask: Ask) -> None:
    run = app.test_cli_runner().invoke
    command = ["keys", "allow", "post-be", "postal", "--hour", "100", "--day", "100"]
    assert run(args=[*command, "--month", "100"]).exit_code == 0
    assert ask(elements(50)).status_code == 200
    assert ask(elements(1)).status_code == 429


def test_the_next_hour_begins_a_new_window(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask(elements(20)).status_code == 200
    assert ask(elements(1)).status_code == 429
    later = quota_module.now() + timedelta(hours=1)
    monkeypatch.setattr(quota_module, "now", lambda: later)
    assert ask(elements(1)).status_code == 200


def test_a_counter_that_cannot_be_written_fails_closed(ask: Ask, database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("DROP TABLE evaluation_budget"))
    answer = ask(elements(1))
    assert answer.status_code == 500
    assert "parts" not in answer.json


def test_parallel_requests_cannot_spend_more_than_the_quota(
    app: Flask, headers: dict[str, str], database: Database
) -> None:
    def send(_: int) -> int:
        body = {
            "kind": "postal",
            "epoch": 1,
            "elements": [b64(each) for each in elements(5)],
            "purpose": "parcel_screening",
            "case": "C",
        }
        answer = app.test_client().post("/api/v1/evaluate", json=body, headers=headers)
        return answer.status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(send, range(8)))
    assert sorted(statuses) == [200] * 4 + [429] * 4


def test_the_log_keeps_who_how_many_why_and_which_case_but_never_what(
    ask: Ask, database: Database
) -> None:
    sent = elements(3)
    assert ask(sent).status_code == 200
    with database.reading() as session:
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.act == "evaluation.evaluate")
        ).one()
        detail = session.get_one(AuditDetail, entry.eid)
        rows = [
            bytes(entry.rec) + bytes(entry.leaf) + detail.disc.encode(),
        ]
    opened = open_disclosures(detail.disc)
    assert opened["case"] == detail.casref == "CASE-7"
    assert opened["query"] == {"kind": "postal", "epoch": 1}
    assert b'"n":3' in rows[0]
    assert b'"purpose":"parcel_screening"' in rows[0]
    for element in sent:
        assert b64(element).encode() not in rows[0]


def test_a_refused_evaluation_is_logged_as_refused(ask: Ask, database: Database) -> None:
    assert ask(elements(21)).status_code == 429
    with database.reading() as session:
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.act == "evaluation.evaluate")
        ).one()
        opened = open_disclosures(session.get_one(AuditDetail, entry.eid).disc)
    assert b'"out":"error"' in bytes(entry.rec)
    assert opened["refusal"] == "quota-spent"


def test_opening_epochs_twice_opens_nothing_more(app: Flask) -> None:
    runner = app.test_cli_runner()
    result = runner.invoke(args=["keys", "open"])
    assert result.exit_code == 0
    assert "none missing" in result.output
    listed = runner.invoke(args=["keys", "list"]).output
    assert listed.count("epoch 1") == len(EvaluationKind)


def test_every_epoch_has_another_key(app: Flask, database: Database) -> None:
    with app.app_context(), database.reading() as session:
        keys = {bytes(each.public_key) for each in service.epochs(session)}
        assert session.scalar(select(func.count()).select_from(EvaluationBudget)) == 0
    assert len(keys) == len(EvaluationKind)

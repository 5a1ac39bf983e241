"""The interface for witnesses, from the registration to a checkpoint with a quorum."""

import os
import time

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.audit.running import LogKeeper, sequencer
from postern.tlog.checkpoint import Checkpoint, open_checkpoint
from postern.tlog.notes import KIND_COSIGNATURE, Note, SigningKey, VerifierKey
from postern.tlog.policy import Policy
from postern.tlog.witnessing import AddCheckpoint
from postern.vocabulary import Role, Scope
from tests.app.exchange import Exchange, make_exchange
from tests.app.people import bearer, make_person, runtime_of

LOG = "/audit/log"
TEXT = "text/plain; charset=utf-8"


class Officer:
    """The compliance officer of police-de with a witness's token and key."""

    def __init__(self, exchange: Exchange, client: FlaskClient) -> None:
        person = make_person(exchange.app, "police-de", [Role.COMPLIANCE])
        self.headers = bearer(exchange.app, person, [Scope.AUDIT_WITNESS])
        self.key = SigningKey("police.example/witness", os.urandom(32), KIND_COSIGNATURE)
        self.client = client
        self.keeper = LogKeeper(runtime_of(exchange.app), sequencer(runtime_of(exchange.app)))
        self.app = exchange.app
        with exchange.app.app_context():
            self.keeper.begin()
        self.step()

    def step(self) -> int:
        with self.app.app_context():
            return self.keeper.sequencer.step().head.size

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, headers=self.headers)

    def post(self, path: str, **sent: object) -> TestResponse:
        return self.client.post(path, headers=self.headers, **sent)  # type: ignore[arg-type]

    def register(self) -> TestResponse:
        return self.post("/api/v1/audit/witnesses", json={"vkey": str(self.key.verifier)})

    def line(self, note: bytes) -> bytes:
        text = Note.parse(note).text
        return f"{self.key.cosign(text, int(time.time())).line}\n".encode()


@pytest.fixture
def officer(app: Flask, client: FlaskClient) -> Officer:
    return Officer(make_exchange(app), client)


def test_a_witness_goes_from_its_registration_to_a_quorum(officer: Officer) -> None:
    assert officer.register().status_code == 201
    assert officer.get(f"{LOG}/checkpoint/cosigned").status_code == 404
    body = officer.get(f"{LOG}/witness/pending?old=0")
    request = AddCheckpoint.parse(body.data)
    size = Checkpoint.parse(Note.parse(request.checkpoint).text).size
    officer.step()
    answer = officer.post(
        f"{LOG}/witness/cosign?size={size}",
        data=officer.line(request.checkpoint),
        content_type=TEXT,
    )
    assert answer.json == {"witnesses": [str(officer.key.verifier)]}

    told = officer.get(f"{LOG}/keys").json
    assert told
    assert (told["origin"], told["operator"], told["quorum"]) == (
        "test.postern.example/audit",
        None,
        1,
    )
    assert told["witnesses"] == [{"organisation": "police-de", "vkey": str(officer.key.verifier)}]
    assert len(told["receipt"]) == 1
    note = officer.get(f"{LOG}/checkpoint/cosigned").data
    checkpoint, opened = open_checkpoint(note, [VerifierKey.parse(each) for each in told["log"]])
    assert checkpoint.size == size
    assert Policy.parse(told["policy"]).satisfied_by(opened)
    assert not Policy.parse(told["policy"]).satisfied_by(Note.parse(request.checkpoint))


def test_cosigning_adds_nothing_to_the_log_and_registering_does(officer: Officer) -> None:
    officer.register()
    size = officer.step()
    for _ in range(2):
        note = officer.get(f"{LOG}/checkpoint").data
        sent = {"data": officer.line(note), "content_type": TEXT}
        assert officer.post(f"{LOG}/witness/cosign", **sent).status_code == 200
    assert officer.step() == size


def test_a_line_that_is_none_is_a_problem_that_says_what_to_do(officer: Officer) -> None:
    answer = officer.post(f"{LOG}/witness/cosign", data=b"nothing\n", content_type=TEXT)
    assert answer.status_code == 422
    assert answer.json
    assert answer.json["code"] == "cosignature-refused"
    assert officer.post(f"{LOG}/witness/cosign", json={}).status_code == 415


def test_a_proven_contradiction_raises_an_alarm_and_a_claim_does_not(officer: Officer) -> None:
    key = officer.keeper.sequencer.keys[0]
    text = Checkpoint(key.verifier.name, 3, b"f" * 32).text
    forged = Note(text, (key.sign(text),)).encode().decode()
    genuine = officer.get(f"{LOG}/checkpoint").data.decode()
    answer = officer.post(f"{LOG}/witness/alarm", json={"notes": [genuine]})
    assert answer.status_code == 422
    assert answer.json
    assert answer.json["code"] == "evidence-proves-nothing"
    answer = officer.post(f"{LOG}/witness/alarm", json={"notes": [genuine, forged]})
    assert (answer.status_code, answer.json) == (200, {"alarm": "split-view"})
    again = officer.post(f"{LOG}/witness/alarm", json={"notes": [genuine, forged]})
    assert again.status_code == 200


def test_the_same_key_is_a_conflict_and_an_ended_one_is_gone(officer: Officer) -> None:
    officer.register()
    assert officer.register().status_code == 409
    sent = {"vkey": str(officer.key.verifier)}
    assert officer.post("/api/v1/audit/witnesses/end", json=sent).status_code == 204
    told = officer.get(f"{LOG}/keys").json
    assert told
    assert (told["witnesses"], told["quorum"]) == ([], 0)


def test_another_organisation_cannot_end_it(officer: Officer) -> None:
    officer.register()
    other = make_person(officer.app, "post-be", [Role.COMPLIANCE])
    officer.headers = bearer(officer.app, other, [Scope.AUDIT_WITNESS])
    sent = {"vkey": str(officer.key.verifier)}
    assert officer.post("/api/v1/audit/witnesses/end", json=sent).status_code == 404

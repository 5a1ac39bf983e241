"""The page of the log's state, its alarms told to everybody, and the page of notifications."""

import html
import os
import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.access import CONSOLE
from app.audit.alarms import raise_alarm
from app.audit.cosigning import accept
from app.audit.models import AlarmKind, AuditAlarm
from app.audit.running import LogKeeper, sequencer
from app.audit.tree import newest
from app.audit.watching import take_evidence
from app.audit.witnesses import register
from app.compliance import log_state
from app.jobs.models import Notification
from app.jobs.service import run_due
from postern.tlog.checkpoint import Checkpoint
from postern.tlog.notes import KIND_COSIGNATURE, Note, SigningKey
from postern.vocabulary import Role
from tests.app.exchange import Exchange
from tests.app.people import make_person, runtime_of, sign_in


class Log:
    """The log of the exchange, stepped by hand, with witnesses of its members."""

    def __init__(self, exchange: Exchange) -> None:
        self.app = exchange.app
        self.database = exchange.database
        self.keeper = LogKeeper(runtime_of(self.app), sequencer(runtime_of(self.app)))
        with self.app.app_context():
            self.keeper.begin()
        self.step()

    def step(self) -> int:
        return self.keeper.sequencer.step().head.size

    def witness(self, organisation: str) -> SigningKey:
        key = SigningKey(f"{organisation}.example/w", os.urandom(32), KIND_COSIGNATURE)
        with self.app.app_context(), self.database.transaction() as session:
            register(session, CONSOLE, str(key.verifier), organisation)
        return key

    def cosign(self, key: SigningKey) -> None:
        with self.app.app_context(), self.database.transaction() as session:
            found = newest(session)
            assert found
            line = key.cosign(Note.parse(found.note).text, int(time.time())).line
            accept(session, f"{line}\n".encode())

    def accuse(self) -> str:
        """Evidence that the log's key signed another log; returns the forged note."""
        key = self.keeper.sequencer.keys[0]
        text = Checkpoint(key.verifier.name, 3, b"f" * 32).text
        forged = Note(text, (key.sign(text),)).encode().decode()
        with self.app.app_context(), self.database.transaction() as session:
            take_evidence(session, CONSOLE, [forged])
        return forged


@pytest.fixture
def log(exchange: Exchange) -> Log:
    return Log(exchange)


@pytest.fixture
def officer(exchange: Exchange, client: FlaskClient) -> FlaskClient:
    sign_in(client, make_person(exchange.app, "police-de", [Role.COMPLIANCE]))
    return client


@pytest.fixture
def administrator(exchange: Exchange, app: Flask) -> FlaskClient:
    client = app.test_client()
    sign_in(client, make_person(exchange.app, "post-be", [Role.ADMINISTRATOR]))
    return client


def page_of(client: FlaskClient, path: str = "/log") -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return html.unescape(answer.get_data(as_text=True))


def form_of(client: FlaskClient, path: str = "/log") -> dict[str, str]:
    (token, *_) = re.findall(r'name="csrf_token" value="([^"]+)"', page_of(client, path))
    return {"csrf_token": token}


def do_duties(app: Flask) -> None:
    with app.app_context():
        assert all(each.count is not None for each in run_due(runtime_of(app)))


def test_a_log_without_checkpoint_or_witness_says_so(
    exchange: Exchange, officer: FlaskClient
) -> None:
    page = page_of(officer)
    assert "No checkpoint has been signed yet" in page
    assert "Nobody but the platform vouches for the log" in page
    assert "No witness is registered" in page


def test_the_page_shows_what_was_signed_and_who_cosigned_it(log: Log, officer: FlaskClient) -> None:
    police, post = log.witness("police-de"), log.witness("post-be")
    size = log.step()
    log.cosign(police)
    page = page_of(officer)
    assert str(log.keeper.sequencer.keys[0].verifier) in page
    assert "2 of 2 organisations" in page
    assert "none yet" in page
    assert str(police.verifier) in page
    assert "not yet" in page  # the witness of post-be
    log.cosign(post)
    assert f"<dd>{size} entries," in page_of(officer)


def test_what_waits_is_counted(log: Log, officer: FlaskClient) -> None:
    page_of(officer)
    assert "entries, the oldest for" in page_of(officer)
    log.step()
    assert "0 entries" in page_of(officer)


def test_a_witness_is_registered_and_ended_on_the_page(log: Log, officer: FlaskClient) -> None:
    key = str(SigningKey("police.example/w", b"k" * 32, KIND_COSIGNATURE).verifier)
    answer = officer.post("/log/witnesses", data={"vkey": f" {key} ", **form_of(officer)})
    assert answer.status_code == 303
    assert "The witness is registered" in page_of(officer, answer.location)
    assert "1 of 1 organisations" in page_of(officer)
    answer = officer.post("/log/witnesses/end", data={"vkey": key, **form_of(officer)})
    assert "counts no more" in page_of(officer, answer.location)
    assert key not in page_of(officer)


@pytest.mark.parametrize("vkey", ["", "no key", '"><script>'])
def test_a_wrong_key_comes_back_with_the_reason(
    log: Log, officer: FlaskClient, exchange: Exchange, vkey: str
) -> None:
    answer = officer.post("/log/witnesses", data={"vkey": vkey, **form_of(officer)})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Nothing was changed." in page
    assert "Write the key as NAME+ID+KEY" in page
    assert "<script>" not in page
    assert exchange.entries("audit.witness")[-1].details["refusal"] == "invalid-request"


def test_a_witness_of_another_cannot_be_ended(log: Log, officer: FlaskClient) -> None:
    key = str(log.witness("post-be").verifier)
    assert officer.post(
        "/log/witnesses/end", data={"vkey": key, **form_of(officer)}
    ).status_code == (404)
    assert key in page_of(officer)


def test_an_administrator_reads_the_page_and_has_no_form(
    log: Log, administrator: FlaskClient
) -> None:
    page = page_of(administrator)
    assert "postern witness init" in page
    assert "Register the witness" not in page


def test_an_alarm_is_shown_with_its_evidence_and_told_to_every_organisation_once(
    log: Log, officer: FlaskClient, administrator: FlaskClient, app: Flask
) -> None:
    forged = log.accuse()
    do_duties(app)
    page = page_of(officer)
    assert "signed two logs that contradict each other" in page
    assert "What to do:" in page
    assert forged in page
    for client in (officer, administrator):
        told = page_of(client, "/notifications")
        assert told.count("signed two logs that contradict each other") >= 1
        assert '<span class="hall-count" aria-hidden="true">1</span>' in told
    with log.database.transaction() as session:
        assert log_state.tell(session) == 0
    rows = list_of(log)
    assert len(rows) == 3 * 2
    assert {each.role for each in rows} == {Role.COMPLIANCE, Role.ADMINISTRATOR}


def list_of(log: Log) -> list[Notification]:
    with log.database.reading() as session:
        return list(session.scalars(select(Notification)))


def test_a_notification_is_marked_as_seen(log: Log, officer: FlaskClient, app: Flask) -> None:
    log.accuse()
    do_duties(app)
    (path,) = re.findall(
        r'action="(/notifications/[^"]+/seen)"', page_of(officer, "/notifications")
    )
    answer = officer.post(path, data=form_of(officer))
    assert answer.status_code == 303
    page = page_of(officer, answer.location)
    assert "Nothing waits" in page
    assert "hall-count" not in page
    assert "contradict each other" in page_of(officer, "/notifications?box=seen")


def test_a_closed_alarm_is_told_to_nobody(log: Log, officer: FlaskClient) -> None:
    with log.app.app_context(), log.database.transaction() as session:
        raise_alarm(session, AlarmKind.ROLLBACK, "It shrank.")
        session.flush()
        session.scalars(select(AuditAlarm)).one().closed_at = 1
        session.flush()
        assert log_state.tell(session) == 0
    assert "It shrank." not in page_of(officer)


def test_a_silent_witness_is_named_with_its_organisation(
    log: Log, officer: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.witness("post-be")
    later = datetime.now(UTC) + timedelta(hours=25)
    with monkeypatch.context() as patch:
        patch.setattr("app.clock.now", lambda: later)
        with log.app.app_context(), log.database.transaction() as session:
            audit = runtime_of(app).settings.audit
            assert log_state.watch(session, audit) == 2
            assert log_state.tell(session) == 2
    told = page_of(officer, "/notifications")
    assert "Organisation post-be: A witness of the log has fallen silent." in told


@pytest.mark.parametrize("found", ["whole", "not-whole", "untold"])
def test_a_verification_is_kept_and_shown_with_its_light(
    log: Log, officer: FlaskClient, found: str
) -> None:
    assert "has verified the log in a browser yet" in page_of(officer)
    given = {**form_of(officer), "found": found, "size": "12"}
    answer = officer.post("/log/verified", data=given)
    assert answer.status_code == 204
    assert answer.headers["Postern-Receipt"]
    log.step()
    page = page_of(officer)
    words = {"whole": "whole,", "not-whole": "NOT whole,", "untold": "it could not be told,"}
    assert f"verified it last, and found: {words[found]}" in page
    assert ("Something is wrong with the log" in page) == (found == "not-whole")
    for wrong in ({"found": "fine"}, {"size": "-1"}, {"size": "1" * 16}):
        assert officer.post("/log/verified", data=given | wrong).status_code == 422

"""Whatever happens, no log says a secret: everything said in a run is searched for all of them."""

import base64
import dataclasses
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from flask import Flask
from sqlalchemy import text

from app import create_app
from app.config import LogSettings, Settings
from app.database import Database
from postern.vocabulary import Role, Scope
from tests.app.people import bearer, make_organisation, make_person, runtime_of, sign_in

ME, TOKENS = "/api/v1/me", "/api/v1/tokens"
DEEP = b'{"a":' + b"[" * 100_000
LONG = b'{"days":' + b"9" * 5_000 + b"}"


@pytest.fixture
def talking(settings: Settings) -> Iterator[Flask]:
    """A platform that says all it can."""
    handlers, level = logging.root.handlers[:], logging.root.level
    made = create_app(dataclasses.replace(settings, log=LogSettings(level="DEBUG", format="json")))
    made.testing = False
    logging.root.setLevel(logging.DEBUG)
    yield made
    runtime_of(made).database.dispose()
    structlog.reset_defaults()
    logging.root.handlers, logging.root.level = handlers, level


def forms(secret: bytes) -> set[bytes]:
    """How bytes could stand in a text."""
    return {
        secret,
        secret.hex().encode(),
        base64.b64encode(secret).rstrip(b"="),
        base64.urlsafe_b64encode(secret).rstrip(b"="),
        repr(secret)[2:-1].encode(),
    }


def test_nothing_that_is_said_holds_a_secret(
    talking: Flask,
    settings: Settings,
    database: Database,
    capfd: pytest.CaptureFixture[str],
) -> None:
    make_organisation(database, "post-be")
    person = make_person(talking, "post-be", Role)
    client = talking.test_client()
    headers = sign_in(client, person)
    cookie = client.get_cookie("postern")
    assert cookie is not None
    token = bearer(talking, person, [Scope.EVALUATE])
    text_of_token = token["Authorization"].removeprefix("Bearer ")
    made = client.post(TOKENS, json={"scopes": ["evaluate"], "days": 3}, headers=headers)
    program = talking.test_client()
    wrong = f"{text_of_token[:-3]}xyz"
    for path, sent in (
        (ME, token),
        (ME, {"Authorization": f"Bearer {wrong}"}),
        ("/taxii2/", {"Authorization": "Basic " + _basic(text_of_token)}),
        (f"{ME}?token={text_of_token}", {}),
        ("/nowhere", token),
    ):
        program.get(path, headers=sent)
    for body in (DEEP, LONG, json.dumps({"scopes": text_of_token}).encode(), b"\xff"):
        answer = program.post(
            "/api/v1/reports", data=body, headers={**token, "Content-Type": "application/json"}
        )
        assert answer.status_code in {400, 403, 422}, body[:20]
    form = {"login": person.login, "password": f"{person.password}!", "next": "/"}
    talking.test_client().post("/sign-in", data=form, headers=headers)

    # And a failure of the platform itself, in the midst of reading a token and a password.
    for table in ("api_token", "person_account"):
        with database.engine.begin() as connection:
            connection.execute(text(f"ALTER TABLE {table} RENAME TO {table}_gone"))
    assert program.get(ME, headers=token).status_code == 500
    assert client.post("/account/password", data=form, headers=headers).status_code == 500

    captured = capfd.readouterr()
    said = (captured.out + captured.err).encode()
    assert b"unexpected error" in said, "the control: the failures were logged"
    told = {
        "password": {person.password.encode(), person.password.replace(" ", "+").encode()},
        "token": {text_of_token.encode(), text_of_token[-43:].encode(), wrong[-43:].encode()},
        "new token": {made.get_json()["token"][-43:].encode()},
        "cookie": {cookie.value.encode()},
        "form's token": {headers["X-CSRFToken"].encode()},
        "login": {person.login.encode()},
        "name": {person.name.encode()},
    }
    for file in Path(settings.secrets.directory).glob("*.key"):
        told[file.name] = forms(file.read_bytes())
    assert len(told) > 10
    leaked = [name for name, each in told.items() if any(form in said for form in each)]
    assert leaked == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_bodies_that_would_break_the_reader_are_the_sender_s_mistake(
    app: Flask, database: Database
) -> None:
    make_organisation(database, "post-be")
    token = bearer(app, make_person(app, "post-be", Role), Scope)
    client = app.test_client()
    for path in ("/api/v1/reports", "/api/v1/lookups", "/api/v1/evaluate", "/api/v1/watches"):
        for body in (
            DEEP,
            LONG,
            b"[" * 100_000 + b"]" * 100_000,
            b'{"a":' * 900 + b"1" + b"}" * 900,
        ):
            answer = client.post(
                path, data=body, headers={**token, "Content-Type": "application/json"}
            )
            assert answer.status_code in {400, 422}, (path, body[:10])
    bomb = client.post(
        "/api/v1/reports",
        data=b"\x1f\x8b",
        headers={**token, "Content-Type": "application/json", "Content-Encoding": "gzip"},
    )
    assert bomb.status_code == 400  # nothing is unpacked


def _basic(text: str) -> str:
    return base64.b64encode(f"x:{text}".encode()).decode()

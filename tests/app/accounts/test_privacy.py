"""Nothing personal stands in clear in any table or log line, and no credential does."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.access import CONSOLE
from app.accounts import service
from app.database import Base, Database
from postern.vocabulary import Role, Scope
from tests.app.accounts.test_sign_in import post_form
from tests.app.people import Person, bearer, make_person, sign_in


def everything_stored(database: Database) -> bytes:
    """Every value of every column of every row, as bytes."""
    found = []
    with database.reading() as session:
        for table in Base.metadata.sorted_tables:
            for row in session.execute(select(table)):
                found += [
                    bytes(value) if isinstance(value, (bytes, memoryview)) else str(value).encode()
                    for value in row
                ]
    return b"\n".join(found)


@pytest.fixture
def busy_person(app: Flask, client: FlaskClient, database: Database, post: str) -> Person:
    """Someone who signed in, mistyped, was locked out, made tokens and was read of by others."""
    person = make_person(app, post, [Role.ANALYST])
    sign_in(client, person)
    client.get("/account")
    headers = bearer(app, person, [Scope.EVALUATE])
    client.get("/api/v1/me", headers=headers)
    client.get("/api/v1/me", headers={"Authorization": headers["Authorization"] + "x"})
    for _ in range(6):
        post_form(app.test_client(), person.login, person.password + " mistyped")
    with app.app_context(), database.transaction() as session:
        service.list_accounts(session, CONSOLE)
        service.unlock(session, CONSOLE, person.login)
    return person


def test_no_table_holds_a_name_a_password_or_a_credential_in_clear(
    app: Flask, client: FlaskClient, database: Database, busy_person: Person
) -> None:
    token = bearer(app, busy_person, [Scope.EVALUATE])["Authorization"][-43:]
    with client.session_transaction() as session:
        name = session["_user_id"]
    stored = everything_stored(database)
    assert str(busy_person.caller.person).encode() in stored
    for clear in (busy_person.login, busy_person.name, busy_person.password, token, name):
        assert clear.encode() not in stored


def test_no_log_line_holds_a_name_a_password_or_a_credential(
    app: Flask,
    client: FlaskClient,
    busy_person: Person,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    token = bearer(app, busy_person, [Scope.EVALUATE])["Authorization"]
    headers = sign_in(client, busy_person)
    # A refused act and a failure of the platform both write a line.
    client.post("/api/v1/tokens", json={"scopes": [busy_person.login]}, headers=headers)
    monkeypatch.setattr("app.accounts.service.directory", lambda _session: {})
    assert client.get("/account").status_code == 500
    lines = "".join(capfd.readouterr())
    assert "unexpected error" in lines
    for clear in (busy_person.login, busy_person.name, busy_person.password, token[-43:]):
        assert clear not in lines

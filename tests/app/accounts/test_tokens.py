"""API tokens: made within one's roles, shown once, refused alike for every reason."""

import hashlib
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app import clock
from app.access import CONSOLE
from app.accounts import service, tokens
from app.accounts.authentication import token_text
from app.accounts.models import ApiToken
from app.accounts.records import AccountClosedError
from app.database import Database
from app.errors import InvalidRequestError
from app.organisations import service as organisations
from app.organisations.models import OrganisationStatus
from postern.vocabulary import Role, Scope
from tests.app.accounts.conftest import MovingClock, log_of
from tests.app.people import bearer, make_person, sign_in

ME = "/api/v1/me"
TOKENS = "/api/v1/tokens"
LONGEST_DAYS = 365  # config/test.toml


def text_of(headers: dict[str, str]) -> str:
    return headers["Authorization"].removeprefix("Bearer ")


def id_of(database: Database) -> str:
    with database.reading() as session:
        return str(session.scalars(select(ApiToken.public_id)).one())


def test_a_token_made_in_a_web_session_acts_for_its_person(
    app: Flask, client: FlaskClient, post: str
) -> None:
    person = make_person(app, post, [Role.SUBMITTER])
    headers = sign_in(client, person)
    asked = {"scopes": ["reports:write", "evaluate"], "days": 30}
    made = client.post(TOKENS, json=asked, headers=headers)
    assert made.status_code == 201
    token = made.get_json()
    assert token["scopes"] == ["evaluate", "reports:write"]
    assert len(token["token"]) == len("pst_") + 22 + 1 + 43
    program = app.test_client()
    me = program.get(ME, headers={"Authorization": f"Bearer {token['token']}"})
    assert me.status_code == 200
    assert me.get_json() == {
        "person": str(person.caller.person),
        "organisation": {
            "code": post,
            "name": "Organisation post-be",
            "sector": "post",
            "country": "BE",
        },
        "roles": ["submitter"],
        "scopes": ["evaluate", "reports:write"],
        "expires_at": token["expires_at"],
    }
    assert "Set-Cookie" not in me.headers


def test_only_the_hash_of_the_secret_is_stored(app: Flask, database: Database, post: str) -> None:
    person = make_person(app, post, [Role.ANALYST])
    text = text_of(bearer(app, person, [Scope.EVALUATE]))
    with database.reading() as session:
        stored = session.scalars(select(ApiToken.secret_hash)).one()
    assert len(stored) == 32
    assert hashlib.sha256(text[-43:].encode()).digest() == stored


def test_the_list_shows_no_secret_and_how_each_token_stands(
    app: Flask, client: FlaskClient, database: Database, post: str
) -> None:
    person = make_person(app, post, [Role.ANALYST])
    headers = sign_in(client, person)
    token = bearer(app, person, [Scope.EVALUATE])
    (before,) = client.get(TOKENS).get_json()["tokens"]
    assert set(before) == {
        "id",
        "scopes",
        "created_at",
        "expires_at",
        "revoked_at",
        "last_used_on",
        "last_network",
        "networks",
        "certificate",
        "certificate_suffices",
        "rotated_at",
        "former_until",
    }
    assert (before["revoked_at"], before["last_used_on"]) == (None, None)
    assert app.test_client().get(ME, headers=token).status_code == 200
    assert client.delete(f"{TOKENS}/{before['id']}", headers=headers).status_code == 204
    (after,) = client.get(TOKENS).get_json()["tokens"]
    assert after["revoked_at"] is not None
    assert after["last_used_on"] == clock.now().date().isoformat()


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"scopes": ["lookups:write"], "days": 30}, "scopes"),
        ({"scopes": ["evaluate", "audit:read"], "days": 30}, "scopes"),
        ({"scopes": ["everything"], "days": 30}, "json.scopes.0"),
        ({"scopes": [], "days": 30}, "json.scopes"),
        ({"scopes": ["evaluate"], "days": LONGEST_DAYS + 1}, "days"),
        ({"scopes": ["evaluate"], "days": 0}, "json.days"),
        ({"scopes": ["evaluate"], "days": "30"}, "json.days"),
        ({"scopes": ["evaluate"]}, "json.days"),
        ({"scopes": ["evaluate"], "days": 30, "name": "nightly"}, "json.name"),
    ],
)
def test_a_token_beyond_the_rules_is_not_made(
    app: Flask, client: FlaskClient, post: str, asked: dict[str, object], field: str
) -> None:
    headers = sign_in(client, make_person(app, post, [Role.SUBMITTER]))
    answer = client.post(TOKENS, json=asked, headers=headers)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.get_json()["errors"]] == [field]
    assert client.get(TOKENS).get_json()["tokens"] == []


def test_a_token_can_neither_make_nor_list_nor_revoke_tokens(
    app: Flask, client: FlaskClient, database: Database, post: str
) -> None:
    person = make_person(app, post, [Role.SUBMITTER])
    token = bearer(app, person, [Scope.EVALUATE])
    asked = {"scopes": ["evaluate"], "days": 30}
    assert client.post(TOKENS, json=asked, headers=token).status_code == 403
    assert client.get(TOKENS, headers=token).status_code == 403
    assert client.delete(f"{TOKENS}/{id_of(database)}", headers=token).status_code == 403
    assert client.get(ME, headers=token).status_code == 200


def test_the_token_of_another_is_answered_like_none(
    app: Flask, client: FlaskClient, database: Database, post: str
) -> None:
    bearer(app, make_person(app, post, [Role.SUBMITTER]), [Scope.EVALUATE])
    headers = sign_in(client, make_person(app, post, [Role.SUBMITTER]))
    answers = [
        client.delete(f"{TOKENS}/{token}", headers=headers) for token in (id_of(database), uuid4())
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert without_reference(answers[0]) == without_reference(answers[1])
    with database.reading() as session:
        assert session.scalars(select(ApiToken.revoked_at)).all() == [None]


def without_reference(answer: TestResponse) -> dict[str, object]:
    body: dict[str, object] = answer.get_json()
    return {name: value for name, value in body.items() if name != "instance"}


def test_a_scope_ends_with_the_role_that_allowed_it(
    app: Flask, client: FlaskClient, database: Database, post: str
) -> None:
    person = make_person(app, post, [Role.SUBMITTER, Role.COMPLIANCE])
    token = bearer(app, person, [Scope.REPORTS_WRITE, Scope.AUDIT_READ])
    assert client.get(ME, headers=token).get_json()["scopes"] == ["audit:read", "reports:write"]
    with app.app_context(), database.transaction() as session:
        service.set_roles(session, CONSOLE, person.login, withdraw=[Role.SUBMITTER])
    assert client.get(ME, headers=token).get_json()["scopes"] == ["audit:read"]
    refused = client.post("/api/v1/reports", json={"reports": []}, headers=token)
    assert refused.status_code == 403


def test_every_refused_token_is_the_same_answer_and_each_is_logged_with_its_reason(
    app: Flask, client: FlaskClient, database: Database, post: str, moving_clock: MovingClock
) -> None:
    person, leaver = (make_person(app, post, [Role.ANALYST]) for _ in range(2))
    short = text_of(bearer(app, person, [Scope.EVALUATE], days=1))
    revoked = text_of(bearer(app, person, [Scope.EVALUATE]))
    left = text_of(bearer(app, leaver, [Scope.EVALUATE]))
    living = text_of(bearer(app, person, [Scope.EVALUATE]))
    with app.app_context(), database.transaction() as session:
        newest = tokens.list_tokens(session, CONSOLE)
        tokens.revoke_token(session, CONSOLE, newest[2][0].id)
        service.close(session, CONSOLE, leaver.login)
    moving_clock.move(days=1)
    presented = {
        "": "malformed",
        "pst_": "malformed",
        living[:-1]: "malformed",
        f"{living}x": "malformed",
        token_text(uuid4(), living[-43:]): "unknown",
        f"{living[:-43]}{'A' * 43}": "secret",
        revoked: "revoked",
        short: "expired",
        left: "revoked",
    }
    answers = [client.get(ME, headers={"Authorization": f"Bearer {text}"}) for text in presented]
    with database.transaction() as session:
        organisations.set_status(session, CONSOLE, post, OrganisationStatus.SUSPENDED)
    answers.append(client.get(ME, headers={"Authorization": f"Bearer {living}"}))
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.mimetype for answer in answers} == {"application/problem+json"}
    assert {answer.headers["WWW-Authenticate"] for answer in answers} == {
        'Bearer error="invalid_token"'
    }
    assert len({str(without_reference(answer)) for answer in answers}) == 1
    logged = log_of(database, "token.refuse")
    assert [entry.details["refusal"] for entry in logged] == [*presented.values(), "suspended"]
    assert {entry.organisation for entry in logged} == {"platform"}
    assert {entry.outcome for entry in logged} == {"denied"}
    assert [post in entry.audience for entry in logged] == [False] * 5 + [True] * 5
    told = str([entry.details for entry in logged])
    assert not any(text in told for text in presented if len(text) > 10)
    assert living[-43:] not in told


def test_a_refused_token_is_not_made_good_by_a_session(
    app: Flask, client: FlaskClient, post: str
) -> None:
    sign_in(client, make_person(app, post))
    assert client.get(ME, headers={"Authorization": "Bearer pst_wrong"}).status_code == 401
    assert client.get(ME).status_code == 200


def test_a_refused_token_is_refused_at_public_addresses_too(client: FlaskClient) -> None:
    headers = {"Authorization": "bearer pst_wrong"}
    assert client.get("/.well-known/postern-keys.json", headers=headers).status_code == 401


def test_a_token_acts_for_nobody_at_a_page(app: Flask, client: FlaskClient, post: str) -> None:
    token = bearer(app, make_person(app, post, [Role.ANALYST]), [Scope.EVALUATE])
    assert client.get("/account", headers=token).status_code == 403


def test_the_day_of_last_use_is_noted_once_a_day(
    app: Flask, client: FlaskClient, database: Database, post: str, moving_clock: MovingClock
) -> None:
    token = bearer(app, make_person(app, post, [Role.ANALYST]), [Scope.EVALUATE])
    days = []
    for _ in range(2):
        client.get(ME, headers=token)
        with database.reading() as session:
            days.append(session.scalars(select(ApiToken.last_used_on)).one())
        moving_clock.move(days=1)
    assert days[0] == clock.day(clock.now()) - 2
    assert days[1] == days[0] + 1


def test_making_and_revoking_are_logged_for_the_person_s_organisation(
    app: Flask, database: Database, post: str
) -> None:
    person = make_person(app, post, [Role.ANALYST])
    bearer(app, person, [Scope.EVALUATE])
    with app.app_context(), database.transaction() as session:
        ((token, owner),) = tokens.list_tokens(session, CONSOLE)
        tokens.revoke_token(session, CONSOLE, token.id)
    assert owner.login == person.login
    for act in ("token.create", "token.revoke"):
        (entry,) = log_of(database, act)
        assert entry.audience == {"platform", post}
        assert entry.details["objects"] == [str(token.id)]
        assert entry.details["person"] == str(person.caller.person)


def test_the_console_makes_no_token_beyond_the_rules(
    app: Flask, database: Database, post: str
) -> None:
    person = make_person(app, post, [Role.ANALYST])
    with app.app_context(), database.transaction() as session:
        with pytest.raises(InvalidRequestError):
            tokens.create_token(session, CONSOLE, person.login, scopes=[], days=30)
        with pytest.raises(InvalidRequestError):
            tokens.create_token(
                session, CONSOLE, person.login, scopes=[Scope.REPORTS_WRITE], days=30
            )
        service.close(session, CONSOLE, person.login)
        with pytest.raises(AccountClosedError):
            tokens.create_token(session, CONSOLE, person.login, scopes=[Scope.EVALUATE], days=30)

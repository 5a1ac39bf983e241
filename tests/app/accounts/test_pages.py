"""The account page: one's own names, roles, sessions and tokens, and what one may change."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.accounts.models import ApiToken
from app.database import Database
from postern.vocabulary import Role, Scope
from tests.app.accounts.conftest import log_of
from tests.app.accounts.test_sign_in import FAILURES_BEFORE_LOCK, post_form
from tests.app.people import bearer, make_person, sign_in


def test_the_page_shows_one_s_own_account_alone(
    app: Flask, client: FlaskClient, database: Database, post: str
) -> None:
    person, other = (make_person(app, post, [Role.ANALYST]) for _ in range(2))
    bearer(app, other, [Scope.EVALUATE])
    with database.reading() as session:
        foreign = str(session.scalars(select(ApiToken.public_id)).one())
    sign_in(client, person)
    page = client.get("/account").get_data(as_text=True)
    assert person.login in page
    assert person.name in page
    assert other.login not in page
    assert foreign not in page
    assert log_of(database, "interface.read")[-1].organisation == post


def test_a_token_is_shown_once_and_then_revoked(
    app: Flask, client: FlaskClient, database: Database, post: str
) -> None:
    headers = sign_in(client, make_person(app, post, [Role.ANALYST]))
    asked = {"scopes": ["evaluate", "lookups:write"], "days": "7"}
    made = client.post("/account/tokens", data=asked, headers=headers)
    assert made.status_code == 200
    found = re.search(r"pst_[A-Za-z0-9_-]{66}", made.get_data(as_text=True))
    assert found is not None
    token = {"Authorization": f"Bearer {found[0]}"}
    assert app.test_client().get("/api/v1/me", headers=token).status_code == 200
    assert found[0] not in client.get("/account").get_data(as_text=True)
    with database.reading() as session:
        public_id = session.scalars(select(ApiToken.public_id)).one()
    answer = client.post(f"/account/tokens/{public_id}/revoke", headers=headers)
    assert (answer.status_code, answer.location) == (303, "/account?done=token-revoked")
    assert app.test_client().get("/api/v1/me", headers=token).status_code == 401


@pytest.mark.parametrize(
    "asked",
    [
        {"scopes": ["evaluate"], "days": "many"},
        {"scopes": ["everything"], "days": "7"},
        {"scopes": ["reports:write"], "days": "7"},
        {"scopes": ["evaluate"], "days": "9999"},
        {"days": "7"},
        {},
    ],
)
def test_a_token_beyond_the_rules_is_refused_on_the_page(
    app: Flask, client: FlaskClient, database: Database, post: str, asked: dict[str, object]
) -> None:
    headers = sign_in(client, make_person(app, post, [Role.ANALYST]))
    answer = client.post("/account/tokens", data=asked, headers=headers)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.get_data(as_text=True)
    with database.reading() as session:
        assert session.scalars(select(ApiToken)).all() == []


def test_a_person_changes_their_password_and_other_sessions_end(
    app: Flask, client: FlaskClient, database: Database, post: str
) -> None:
    person = make_person(app, post)
    elsewhere = app.test_client()
    sign_in(elsewhere, person)
    headers = sign_in(client, person)
    change = {"present": person.password, "new": "a better password"}
    answer = client.post("/account/password", data=change, headers=headers)
    assert (answer.status_code, answer.location) == (303, "/account?done=password-changed")
    assert client.get("/api/v1/me").status_code == 200
    assert elsewhere.get("/api/v1/me").status_code == 401
    assert post_form(elsewhere, person.login, person.password).status_code == 422
    assert post_form(elsewhere, person.login, "a better password").status_code == 303
    assert [entry.outcome for entry in log_of(database, "account.password")] == ["ok"]


@pytest.mark.parametrize(
    ("present", "new"),
    [("wrong password", "a better password"), (None, "too short"), (None, None)],
)
def test_a_password_is_not_changed_against_the_rule_or_without_the_present_one(
    app: Flask, client: FlaskClient, post: str, present: str | None, new: str | None
) -> None:
    person = make_person(app, post)
    headers = sign_in(client, person)
    change = {"present": present or person.password, "new": new or person.login}
    answer = client.post("/account/password", data=change, headers=headers)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.get_data(as_text=True)
    assert post_form(client, person.login, person.password).status_code == 303


def test_guessing_the_present_password_locks_as_guessing_at_sign_in_does(
    app: Flask, client: FlaskClient, database: Database, post: str
) -> None:
    person = make_person(app, post)
    headers = sign_in(client, person)
    guess = {"present": "wrong password", "new": "a better password"}
    for _ in range(FAILURES_BEFORE_LOCK):
        client.post("/account/password", data=guess, headers=headers)
    right = {"present": person.password, "new": "a better password"}
    assert client.post("/account/password", data=right, headers=headers).status_code == 422
    reasons = [entry.details["refusal"] for entry in log_of(database, "account.password")]
    assert reasons == ["password"] * FAILURES_BEFORE_LOCK + ["locked"]


def test_a_notice_comes_from_the_list_and_not_from_the_address(
    app: Flask, client: FlaskClient, post: str
) -> None:
    sign_in(client, make_person(app, post))
    quiet = client.get("/account").get_data(as_text=True)
    assert 'class="notice notice-good"' in client.get("/account?done=token-revoked").get_data(
        as_text=True
    )
    made_up = client.get("/account?done=made-up-notice").get_data(as_text=True)
    assert 'class="notice notice-good"' not in quiet
    assert 'class="notice notice-good"' not in made_up

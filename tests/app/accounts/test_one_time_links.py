"""One-time links: shown once, good once and for a day, and never past a second factor."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.access import CONSOLE
from app.accounts import break_glass, service
from app.accounts.entry_models import BreakGlass, OneTimeLink
from app.accounts.models import PersonAccount
from app.accounts.one_time_links import LIVES
from app.accounts.second_step import forget_ended
from app.database import Database
from postern.vocabulary import Role
from tests.app.accounts.conftest import MovingClock, log_of
from tests.app.accounts.test_second_factors import add_app
from tests.app.people import Person, cross_site_headers, make_person, sign_in

NEW = "a sentence that nobody else has seen"


@pytest.fixture
def administrator(app: Flask, post: str) -> FlaskClient:
    client = app.test_client()
    sign_in(client, make_person(app, post, [Role.ADMINISTRATOR]))
    return client


@pytest.fixture
def person(app: Flask, post: str) -> Person:
    return make_person(app, post, [Role.ANALYST])


def made(administrator: FlaskClient, person: Person) -> str:
    """The secret of a link that the administrator made for the person."""
    path = f"/people/{person.caller.person}/link"
    answer = administrator.post(path, headers=cross_site_headers(administrator))
    assert answer.status_code == 200, answer.text
    (secret,) = re.findall(r"/sign-in/link#([A-Za-z0-9_-]{43})", answer.text)
    return str(secret)


def use(client: FlaskClient, secret: str, password: str = NEW) -> TestResponse:
    form = {"link": secret, "new": password}
    return client.post("/sign-in/link", data=form, headers=cross_site_headers(client))


def enters(client: FlaskClient, person: Person, password: str) -> TestResponse:
    form = {"login": person.login, "password": password, "next": "/account"}
    return client.post("/sign-in", data=form, headers=cross_site_headers(client))


def test_a_link_lets_a_person_choose_a_password_once(
    app: Flask, database: Database, administrator: FlaskClient, person: Person
) -> None:
    inside, client = app.test_client(), app.test_client()
    sign_in(inside, person)
    secret = made(administrator, person)
    page = administrator.get(f"/people/{person.caller.person}").text
    assert secret not in page
    assert inside.get("/api/v1/me").status_code == 200  # a link alone ends nothing
    with database.reading() as session:
        (row,) = session.scalars(select(OneTimeLink)).all()
        assert secret.encode() not in row.secret_hash
    assert client.get("/sign-in/link").status_code == 200
    assert use(client, secret).location == "/sign-in?done=chosen"
    assert "Your password is chosen" in client.get("/sign-in?done=chosen").text
    assert inside.get("/api/v1/me").status_code == 401
    assert enters(client, person, person.password).status_code == 422
    assert enters(client, person, NEW).location == "/account"
    assert client.get("/api/v1/me").json["roles"] == ["analyst"]  # no further password is asked
    again = use(app.test_client(), secret, "another sentence of mine")
    assert again.status_code == 422
    outcomes = [each.outcome for each in log_of(database, "account.link-used")]
    assert outcomes == ["ok", "denied"]
    assert len(log_of(database, "account.link")) == 1


def test_a_refused_password_leaves_the_link_good(
    app: Flask, administrator: FlaskClient, person: Person
) -> None:
    secret, client = made(administrator, person), app.test_client()
    for weak in ("short", person.login, ""):
        answer = use(client, secret, weak)
        assert answer.status_code == 422
        assert secret in answer.text  # kept in the form
    assert use(client, secret).status_code == 303


def test_a_link_ends_after_a_day_or_with_another_or_with_another_password(
    app: Flask,
    database: Database,
    administrator: FlaskClient,
    person: Person,
    moving_clock: MovingClock,
) -> None:
    client = app.test_client()
    first = made(administrator, person)
    second = made(administrator, person)
    assert use(client, first).status_code == 422
    with app.app_context(), database.transaction() as session:
        secret = service.new_secret(person.login, "of the console, a sentence")
        service.reset_password(session, CONSOLE, person.login, secret)
    assert use(client, second).status_code == 422
    third = made(administrator, person)
    moving_clock.move(seconds=LIVES.total_seconds())
    assert use(client, third).status_code == 422
    with app.app_context(), database.transaction() as session:
        assert forget_ended(session) == 1
    for strange in ("", "x", "é" * 300, "\0"):
        assert use(client, strange).status_code == 422


def test_a_closed_or_disabled_person_chooses_nothing(
    app: Flask, administrator: FlaskClient, person: Person
) -> None:
    secret, page = made(administrator, person), f"/people/{person.caller.person}"
    headers = cross_site_headers(administrator)
    assert administrator.post(f"{page}/disable", headers=headers).status_code == 303
    assert use(app.test_client(), secret).status_code == 422
    assert administrator.post(f"{page}/enable", headers=headers).status_code == 303
    assert administrator.post(f"{page}/close", headers=headers).status_code == 303
    assert use(app.test_client(), secret).status_code == 422
    assert administrator.post(f"{page}/link", headers=headers).status_code == 409


def test_a_link_never_leads_past_a_second_factor(
    app: Flask, administrator: FlaskClient, person: Person
) -> None:
    own = app.test_client()
    sign_in(own, person)
    add_app(own)
    client = app.test_client()
    assert use(client, made(administrator, person)).status_code == 303
    answer = enters(client, person, NEW)
    assert "second" in str(answer.location)
    assert client.get("/api/v1/me").status_code == 401


def test_nobody_makes_one_for_themselves_for_strangers_or_for_an_emergency(
    app: Flask, database: Database, post: str, administrator: FlaskClient, person: Person
) -> None:
    both = make_person(app, post, [Role.ADMINISTRATOR])
    client = app.test_client()
    sign_in(client, both)
    headers = cross_site_headers(client)
    own = client.post(f"/people/{both.caller.person}/link", headers=headers)
    assert own.status_code == 409
    with app.app_context(), database.transaction() as session:
        break_glass.make(session, CONSOLE, post, 60)
        emergency = session.scalars(
            select(PersonAccount).join(BreakGlass, BreakGlass.person_id == PersonAccount.id)
        ).one()
        path = f"/people/{emergency.public_id}/link"
    assert client.post(path, headers=headers).status_code == 409
    officer = app.test_client()
    sign_in(officer, make_person(app, post, [Role.COMPLIANCE]))
    path = f"/people/{person.caller.person}/link"
    assert officer.post(path, headers=cross_site_headers(officer)).status_code == 403
    nobody = "/people/00000000-0000-0000-0000-000000000000/link"
    assert client.post(nobody, headers=headers).status_code == 404


def test_the_day_is_told_where_the_link_is_shown(
    administrator: FlaskClient, person: Person
) -> None:
    path = f"/people/{person.caller.person}/link"
    page = administrator.post(path, headers=cross_site_headers(administrator)).text
    assert timedelta(hours=24) == LIVES
    assert "24 hours" in page

"""The proof asked again: on its own page, and for who has none but the secret of an emergency."""

import dataclasses
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app import create_app
from app.access import CONSOLE
from app.accounts import break_glass
from app.accounts.models import WebSession
from app.config import Settings
from app.database import Database
from postern.vocabulary import Role
from tests.app.accounts.conftest import MovingClock, log_of
from tests.app.people import (
    Person,
    cross_site_headers,
    make_organisation,
    make_person,
    runtime_of,
    sign_in,
)

MINUTES = 5
FAILURES_BEFORE_LOCK = 5  # config/test.toml


@pytest.fixture
def stepping(settings: Settings) -> Iterator[Flask]:
    """A platform that asks again after MINUTES, with one organisation."""
    asking = dataclasses.replace(settings.session, step_up_minutes=MINUTES)
    made = create_app(dataclasses.replace(settings, session=asking))
    make_organisation(runtime_of(made).database, "post-be")
    yield made
    runtime_of(made).database.dispose()


@pytest.fixture
def person(stepping: Flask) -> Person:
    return make_person(stepping, "post-be", [Role.ANALYST])


def prove(client: FlaskClient, password: str, wanted: str = "/account") -> TestResponse:
    form = {"proof_password": password, "next": wanted}
    return client.post("/account/prove", data=form, headers=cross_site_headers(client))


def outcomes(database: Database) -> list[str]:
    return [each.outcome for each in log_of(database, "session.prove")]


def test_a_right_proof_is_noted_for_this_session_and_leads_on(
    stepping: Flask, person: Person, database: Database, moving_clock: MovingClock
) -> None:
    client, other = stepping.test_client(), stepping.test_client()
    sign_in(client, person)
    sign_in(other, person)
    moving_clock.move(minutes=MINUTES + 1)
    answer = prove(client, person.password)
    assert (answer.status_code, answer.location) == (303, "/account")
    assert outcomes(database) == ["ok"]
    with database.reading() as session:
        moments = session.scalars(select(WebSession.proved_at)).all()
    assert len(set(moments)) == 2


def test_a_wrong_proof_changes_nothing_and_many_lock(
    stepping: Flask, person: Person, database: Database
) -> None:
    client = stepping.test_client()
    sign_in(client, person)
    for _ in range(FAILURES_BEFORE_LOCK):
        assert prove(client, "not mine at all").status_code == 422
    assert prove(client, person.password).status_code == 422
    assert outcomes(database) == ["denied"] * (FAILURES_BEFORE_LOCK + 1)
    told = [each.details["refusal"] for each in log_of(database, "session.prove")]
    assert told[-1] == "locked"


@pytest.mark.parametrize(
    "wanted", ["https://evil.example", "//evil.example", "/\\evil.example", ""], ids=ascii
)
def test_a_proof_never_leads_to_another_site(stepping: Flask, person: Person, wanted: str) -> None:
    client = stepping.test_client()
    sign_in(client, person)
    assert prove(client, person.password, wanted).location == "/"


def test_an_emergency_account_is_not_asked_for_what_it_does_not_have(
    stepping: Flask, person: Person, database: Database, moving_clock: MovingClock
) -> None:
    with stepping.app_context(), database.transaction() as session:
        secret = break_glass.make(session, CONSOLE, "post-be", 60)
    client, keeper = stepping.test_client(), stepping.test_client()
    headers = cross_site_headers(client)
    entered = client.post("/sign-in/break-glass", data={"secret": secret}, headers=headers)
    assert entered.status_code == 303
    sign_in(keeper, make_person(stepping, "post-be", [Role.ADMINISTRATOR]))
    moving_clock.move(minutes=MINUTES + 1)
    path = f"/people/{person.caller.person}/password"
    for browser, expected in ((client, 200), (keeper, 403)):
        answer = browser.post(path, headers=cross_site_headers(browser))
        assert answer.status_code == expected, answer.text

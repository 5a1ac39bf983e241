"""Second factors: who has the password alone gets nothing, and no proof counts twice."""

import dataclasses
import html
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

import app.clock
from app import create_app
from app.accounts.factor_models import RecoveryCode, SecondFactor
from app.accounts.factors import MOST_FACTORS
from app.accounts.models import WebSession
from app.accounts.step_up import OF_FACTORS, WEIGHTY
from app.config import Settings
from app.database import Database
from postern.vocabulary import Role
from tests.app.accounts.authenticator import PRESENT, Authenticator
from tests.app.accounts.conftest import MovingClock, log_of
from tests.app.people import (
    Person,
    cross_site_headers,
    make_organisation,
    make_person,
    runtime_of,
    sign_in,
)

ORIGIN = "http://postern.example"
FAILURES_BEFORE_LOCK = 5  # config/test.toml


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A platform with a name, since browsers keep passkeys for names only."""
    platform = dataclasses.replace(settings.platform, origin=ORIGIN)
    return dataclasses.replace(settings, platform=platform)


@pytest.fixture
def opened() -> Iterator[Callable[[Settings], Flask]]:
    """Makes a platform of other settings, whose connections are closed after the test."""
    made: list[Flask] = []

    def make(settings: Settings) -> Flask:
        made.append(create_app(settings))
        return made[-1]

    yield make
    for each in made:
        runtime_of(each).database.dispose()


@pytest.fixture
def person(app: Flask, database: Database) -> Person:
    make_organisation(database, "post-be")
    return make_person(app, "post-be", [Role.ANALYST])


def send(client: FlaskClient, path: str, **form: str) -> TestResponse:
    return client.post(path, data=form, headers=cross_site_headers(client))


def first_step(client: FlaskClient, person: Person) -> TestResponse:
    return send(client, "/sign-in", login=person.login, password=person.password)


def code_of(secret: str, steps: int = 0) -> str:
    moment = int(app.clock.now().timestamp()) // 30 + steps
    return pyotp.TOTP(secret).generate_otp(moment)


def add_app(client: FlaskClient) -> tuple[str, list[str]]:
    """Add an authenticator app in the session of `client`; its secret and the recovery codes."""
    page = send(client, "/account/security/app").text
    draft = re.search(r'name="draft" value="([^"]+)"', page)
    secret = re.search(r"<code[^>]*>([A-Z2-7]{32})</code>", page)
    assert draft, page
    assert secret
    assert "<svg" in page
    added = send(
        client,
        "/account/security/app/confirm",
        draft=draft[1],
        code=code_of(secret[1], -1),
        name="Old telephone",
    )
    assert added.status_code == 200
    return secret[1], re.findall(r"<code>((?:[A-Z2-7]{4}-){3}[A-Z2-7]{4})</code>", added.text)


def options_of(page: str, action: str) -> dict[str, Any]:
    found = re.search(rf'action="{action}"[^>]*data-options=\'([^\']+)\'', page)
    assert found, page
    told: dict[str, Any] = json.loads(html.unescape(found[1]))
    return told


def add_passkey(client: FlaskClient, key: Authenticator) -> TestResponse:
    options = options_of(client.get("/account/security").text, "/account/security/passkeys")
    return send(client, "/account/security/passkeys", passkey=key.make(options), name="Key")


def opens(client: FlaskClient) -> bool:
    return client.get("/account").status_code == 200


def test_the_password_alone_opens_nothing_and_a_code_does(app: Flask, person: Person) -> None:
    owner, other = app.test_client(), app.test_client()
    sign_in(owner, person)
    secret, codes = add_app(owner)
    assert len(set(codes)) == 10
    answer = first_step(other, person)
    assert (answer.status_code, answer.location) == (303, "/sign-in/second?next=/")
    assert not opens(other)
    assert other.get("/sign-in/second").status_code == 200
    assert send(other, "/sign-in/second", code=code_of(secret), next="/account").status_code == 303
    assert opens(other)


def test_a_code_counts_once_and_one_step_late_or_early_only(
    app: Flask, person: Person, moving_clock: MovingClock
) -> None:
    client = app.test_client()
    sign_in(client, person)
    secret, _ = add_app(client)
    moving_clock.move(seconds=90)
    first_step(client, person)
    assert send(client, "/sign-in/second", code=code_of(secret, -2)).status_code == 422
    assert send(client, "/sign-in/second", code=code_of(secret, 2)).status_code == 422
    code = code_of(secret, 1)
    assert send(client, "/sign-in/second", code=code).status_code == 303
    again = app.test_client()
    first_step(again, person)
    assert send(again, "/sign-in/second", code=code).status_code == 422
    assert send(again, "/sign-in/second", code=code_of(secret)).status_code == 422


def test_a_recovery_code_counts_once(app: Flask, person: Person, database: Database) -> None:
    client = app.test_client()
    sign_in(client, person)
    _, codes = add_app(client)
    first_step(client, person)
    assert send(client, "/sign-in/second", code=codes[0].lower()).status_code == 303
    assert "9 recovery codes are left" in client.get("/account/security").text
    first_step(client, person)
    assert send(client, "/sign-in/second", code=codes[0]).status_code == 422
    with database.reading() as session:
        stored = session.scalars(select(RecoveryCode.code_index)).all()
    assert all(codes[1].replace("-", "").encode() not in each for each in stored)


def test_wrong_codes_lock_although_the_password_is_right_each_time(
    app: Flask, person: Person
) -> None:
    client = app.test_client()
    sign_in(client, person)
    secret, _ = add_app(client)
    for _ in range(FAILURES_BEFORE_LOCK):
        first_step(client, person)
        assert send(client, "/sign-in/second", code="000000").status_code == 422
    assert send(client, "/sign-in/second", code=code_of(secret)).status_code == 422
    assert first_step(client, person).status_code == 422


def test_a_sign_in_waits_for_minutes_only_and_in_its_browser(
    app: Flask, person: Person, moving_clock: MovingClock
) -> None:
    client = app.test_client()
    sign_in(client, person)
    secret, _ = add_app(client)
    first_step(client, person)
    stranger = app.test_client()
    assert send(stranger, "/sign-in/second", code=code_of(secret)).status_code == 303
    assert not opens(stranger)
    moving_clock.move(minutes=6)
    late = send(client, "/sign-in/second", code=code_of(secret))
    assert late.location == "/sign-in?next=/"


def test_a_passkey_signs_in_without_a_password(
    app: Flask, person: Person, database: Database
) -> None:
    client, key = app.test_client(), Authenticator(ORIGIN)
    sign_in(client, person)
    assert add_passkey(client, key).status_code == 200
    other = app.test_client()
    answer = key.sign(options_of(other.get("/sign-in").text, "/sign-in/passkey"))
    assert send(other, "/sign-in/passkey", passkey=answer, next="/account").status_code == 303
    assert opens(other)
    again = app.test_client()
    assert send(again, "/sign-in/passkey", passkey=answer).status_code == 422
    (entry,) = [each for each in log_of(database, "session.start") if each.outcome == "ok"][-1:]
    assert entry.details["proved_by"] == ["passkey"]


def test_a_passkey_is_the_second_step_too_and_only_of_its_person(
    app: Flask, person: Person
) -> None:
    client, key = app.test_client(), Authenticator(ORIGIN)
    sign_in(client, person)
    add_passkey(client, key)
    colleague = make_person(app, "post-be")
    theirs, second = app.test_client(), Authenticator(ORIGIN)
    sign_in(theirs, colleague)
    add_passkey(theirs, second)
    first_step(client, person)
    options = options_of(client.get("/sign-in/second").text, "/sign-in/second")
    assert send(client, "/sign-in/second", passkey=second.sign(options)).status_code == 422
    assert send(client, "/sign-in/second", passkey=key.sign(options)).status_code == 303


@pytest.mark.parametrize("fault", ["origin", "unverified", "copied", "purpose", "garbage"], ids=str)
def test_an_answer_that_does_not_hold_opens_nothing(app: Flask, person: Person, fault: str) -> None:
    client, key = app.test_client(), Authenticator(ORIGIN, count=7)
    sign_in(client, person)
    add_passkey(client, key)
    other = app.test_client()
    options = options_of(other.get("/sign-in").text, "/sign-in/passkey")
    match fault:
        case "origin":
            key.origin = "http://postern.example.evil.example"
        case "unverified":
            key.flags = PRESENT
        case "copied":
            key.count = 3
        case "purpose":
            first_step(other, person)
            options = options_of(other.get("/sign-in/second").text, "/sign-in/second")
    answer = "{" * 5000 if fault == "garbage" else key.sign(options)
    assert send(other, "/sign-in/passkey", passkey=answer).status_code == 422
    assert not opens(other)


def test_secrets_and_names_are_sealed_and_factors_are_ones_own(
    app: Flask, person: Person, database: Database
) -> None:
    client = app.test_client()
    sign_in(client, person)
    secret, _ = add_app(client)
    with database.reading() as session:
        row = session.scalars(select(SecondFactor)).one()
    assert secret.encode() not in row.sealed
    assert b"telephone" not in row.sealed
    theirs = app.test_client()
    sign_in(theirs, make_person(app, "post-be"))
    for step in ("rename", "remove"):
        assert (
            send(theirs, f"/account/security/{row.public_id}/{step}", name="x").status_code == 404
        )
    path = f"/account/security/{row.public_id}"
    assert send(client, f"{path}/rename", name="New telephone").status_code == 303
    assert "New telephone" in client.get("/account/security").text
    assert send(client, f"{path}/rename", name="").status_code == 422
    assert send(client, f"{path}/remove").status_code == 303
    with database.reading() as session:
        assert session.scalars(select(RecoveryCode)).all() == []


def test_a_person_has_so_many_factors_and_no_more(
    app: Flask, person: Person, database: Database
) -> None:
    client = app.test_client()
    sign_in(client, person)
    for _ in range(MOST_FACTORS):
        assert add_passkey(client, Authenticator(ORIGIN)).status_code == 200
    refused = add_passkey(client, Authenticator(ORIGIN))
    assert refused.status_code == 422
    assert f"You have {MOST_FACTORS} second factors already" in refused.text
    with database.reading() as session:
        held = session.scalars(select(SecondFactor.public_id)).all()
    assert len(held) == MOST_FACTORS
    outcomes = [each.outcome for each in log_of(database, "factor.add")]
    assert outcomes == ["ok"] * MOST_FACTORS + ["denied"]
    assert send(client, f"/account/security/{held[0]}/remove").status_code == 303
    assert add_passkey(client, Authenticator(ORIGIN)).status_code == 200


def test_a_factor_is_added_or_removed_after_a_proof_only(
    app: Flask, person: Person, moving_clock: MovingClock, database: Database
) -> None:
    client = app.test_client()
    sign_in(client, person)
    moving_clock.move(minutes=11)
    asked = send(client, "/account/security/app")
    assert asked.status_code == 403
    assert 'action="/account/security/app"' in asked.text
    wrong = send(client, "/account/security/app", proof_password="not mine at all")
    assert wrong.status_code == 422
    proved = send(client, "/account/security/app", proof_password=person.password)
    assert proved.status_code == 200
    assert 'name="draft"' in proved.text
    assert [each.outcome for each in log_of(database, "session.prove")] == ["denied", "ok"]


def test_adding_a_factor_ends_other_sessions(app: Flask, person: Person) -> None:
    client, other = app.test_client(), app.test_client()
    sign_in(client, person)
    sign_in(other, person)
    add_app(client)
    assert opens(client)
    assert not opens(other)


def test_who_needs_a_factor_is_led_to_it_before_anything_else(
    settings: Settings, database: Database, opened: Callable[[Settings], Flask]
) -> None:
    strict = dataclasses.replace(settings.sign_in, second_factor="privileged")
    app = opened(dataclasses.replace(settings, sign_in=strict))
    make_organisation(database, "post-be")
    client, analyst = app.test_client(), app.test_client()
    sign_in(client, make_person(app, "post-be", [Role.COMPLIANCE]))
    assert client.get("/people").location == "/account/security"
    assert client.get("/api/v1/tokens").status_code == 403
    add_app(client)
    assert client.get("/people").status_code == 200
    sign_in(analyst, make_person(app, "post-be", [Role.ANALYST]))
    assert analyst.get("/lookups").status_code != 303
    with database.reading() as session:
        factor = session.scalars(select(SecondFactor.public_id)).one()
    assert send(client, f"/account/security/{factor}/remove").status_code == 422


def test_the_form_comes_back_with_what_was_typed_and_the_act_is_done_once_proved(
    settings: Settings,
    database: Database,
    moving_clock: MovingClock,
    opened: Callable[[Settings], Flask],
) -> None:
    stepping = dataclasses.replace(settings.session, step_up_minutes=5)
    app = opened(dataclasses.replace(settings, session=stepping))
    make_organisation(database, "post-be")
    person, client = make_person(app, "post-be", [Role.ANALYST]), app.test_client()
    sign_in(client, person)
    form = {"scopes": "lookups:write", "days": "17"}
    moving_clock.move(minutes=6)
    asked = send(client, "/account/tokens", **form)
    assert asked.status_code == 403
    assert '<input type="hidden" name="days" value="17">' in asked.text
    assert log_of(database, "token.create") == []
    made = send(client, "/account/tokens", **form, proof_password=person.password)
    assert made.status_code == 200
    assert len(log_of(database, "token.create")) == 1
    with database.reading() as session:
        assert session.scalars(select(WebSession.proved_by)).one() == ["password"]


def test_factors_are_reset_by_two_people(app: Flask, person: Person, database: Database) -> None:
    client, admin, officer = app.test_client(), app.test_client(), app.test_client()
    sign_in(client, person)
    add_app(client)
    both = [Role.ADMINISTRATOR, Role.COMPLIANCE]
    sign_in(admin, make_person(app, "post-be", both))
    sign_in(officer, make_person(app, "post-be", [Role.COMPLIANCE]))
    page = f"/people/{person.caller.person}"
    assert send(admin, f"{page}/factors/reset").status_code == 303
    own = send(admin, f"{page}/factors/decide", decision="confirm")
    assert own.status_code == 403
    assert "Remove the second factors" in officer.get(page).text
    assert send(officer, f"{page}/factors/decide", decision="confirm").status_code == 303
    assert not opens(client)
    assert first_step(client, person).location == "/"
    assert send(officer, f"{page}/factors/decide", decision="confirm").status_code == 409
    steps = [each.details.get("step") for each in log_of(database, "factor.reset")]
    assert steps[:1] == ["proposed"]
    assert "confirmed" in steps


def test_every_view_of_weight_is_a_route(app: Flask) -> None:
    assert (WEIGHTY | OF_FACTORS) - set(app.view_functions) == set()


def test_views_that_decide_publish_or_take_away_are_of_weight(app: Flask) -> None:
    named = re.compile(
        r"(approve|decide|export|publish_keys|take_away|take_month|create_token|make_link"
        r"|choose_retention|ask_erasure|release|rotate_(token|secret|news_secret))(_.*)?"
    )
    found = {view for view in app.view_functions if named.fullmatch(view.rpartition(".")[2])}
    assert found - WEIGHTY == set()


def test_the_console_removes_factors_where_nobody_can_agree(app: Flask, person: Person) -> None:
    client = app.test_client()
    sign_in(client, person)
    add_app(client)
    done = app.test_cli_runner().invoke(args=["accounts", "reset-factors", person.login])
    assert done.exit_code == 0, done.output
    assert first_step(client, person).location == "/"

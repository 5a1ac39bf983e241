"""Web sessions: what the cookie carries, and everything that ends one."""

import dataclasses

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app import create_app
from app.access import CONSOLE
from app.accounts import service, sign_in
from app.accounts.models import WebSession
from app.config import Settings
from app.database import Database
from app.jobs import service as jobs
from app.organisations import service as organisations
from app.organisations.models import OrganisationStatus
from postern.vocabulary import Role
from tests.app.accounts.conftest import MovingClock, log_of
from tests.app.people import cross_site_headers, make_person, runtime_of
from tests.app.people import sign_in as sign_in_by_form

ME = "/api/v1/me"
IDLE_MINUTES = 30  # config/test.toml
ABSOLUTE_HOURS = 10


def stolen(app: Flask, client: FlaskClient) -> FlaskClient:
    """Another client that has the same cookie."""
    cookie = client.get_cookie("postern")
    assert cookie is not None
    thief = app.test_client()
    thief.set_cookie("postern", cookie.value)
    return thief


def test_the_cookie_is_kept_from_scripts_and_other_sites(
    app: Flask, client: FlaskClient, post: str
) -> None:
    person = make_person(app, post)
    answer = client.post(
        "/sign-in",
        data={"login": person.login, "password": person.password},
        headers=cross_site_headers(client),
    )
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("postern=")
    flags = {flag.strip().lower() for flag in cookie.split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/"} <= flags
    assert not any(flag.startswith(("expires", "max-age", "domain")) for flag in flags)


def test_the_cookie_travels_only_by_https_where_the_platform_has_it(settings: Settings) -> None:
    platform = dataclasses.replace(
        settings.platform, origin="https://postern.example", secure_cookies=True
    )
    app = create_app(dataclasses.replace(settings, platform=platform))
    answer = app.test_client().get("/sign-in", base_url="https://postern.example")
    app.extensions["postern"].database.dispose()
    assert "Secure" in answer.headers["Set-Cookie"]


def test_the_cookie_carries_a_name_of_which_only_the_hash_is_stored(
    app: Flask, client: FlaskClient, database: Database, post: str
) -> None:
    person = make_person(app, post)
    sign_in_by_form(client, person)
    with client.session_transaction() as session:
        kept = dict(session)
    assert set(kept) == {"_user_id", "_fresh", "_id", "csrf_token"}
    assert len(kept["_user_id"]) == 43
    with database.reading() as reading:
        stored = reading.scalars(select(WebSession.name_hash)).all()
    assert [len(name_hash) for name_hash in stored] == [32]
    assert kept["_user_id"].encode() not in stored


def test_a_cookie_that_was_changed_opens_nothing(
    app: Flask, client: FlaskClient, post: str
) -> None:
    sign_in_by_form(client, make_person(app, post))
    cookie = client.get_cookie("postern")
    assert cookie is not None
    forger = app.test_client()
    forger.set_cookie("postern", cookie.value[:-2] + "xx")
    assert forger.get(ME).status_code == 401


def test_a_session_ends_when_it_is_left_alone(
    app: Flask, client: FlaskClient, post: str, moving_clock: MovingClock
) -> None:
    sign_in_by_form(client, make_person(app, post))
    for _ in range(3):
        moving_clock.move(minutes=IDLE_MINUTES - 1)
        assert client.get(ME).status_code == 200
    moving_clock.move(minutes=IDLE_MINUTES)
    assert client.get(ME).status_code == 401


def test_a_session_ends_however_busy_it_is(
    app: Flask, client: FlaskClient, post: str, moving_clock: MovingClock
) -> None:
    sign_in_by_form(client, make_person(app, post))
    steps = ABSOLUTE_HOURS * 60 // 20
    for _ in range(steps - 1):
        moving_clock.move(minutes=20)
        assert client.get(ME).status_code == 200
    moving_clock.move(minutes=20)
    assert client.get(ME).status_code == 401


def test_the_last_use_is_noted_at_most_once_a_minute(
    app: Flask, client: FlaskClient, database: Database, post: str, moving_clock: MovingClock
) -> None:
    sign_in_by_form(client, make_person(app, post))

    def last_seen() -> object:
        with database.reading() as session:
            return session.scalars(select(WebSession.last_seen_at)).one()

    at_first = last_seen()
    moving_clock.move(seconds=30)
    client.get(ME)
    assert last_seen() == at_first
    moving_clock.move(seconds=40)
    client.get(ME)
    assert last_seen() != at_first


def test_signing_out_ends_the_session_for_whoever_holds_the_cookie(
    app: Flask, client: FlaskClient, database: Database, post: str
) -> None:
    person = make_person(app, post)
    headers = sign_in_by_form(client, person)
    thief = stolen(app, client)
    assert thief.get(ME).status_code == 200
    answer = client.post("/sign-out", headers=headers)
    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert thief.get(ME).status_code == 401
    assert client.get(ME).status_code == 401
    (entry,) = log_of(database, "session.end")
    assert entry.details["actor"] == str(person.caller.person)


def test_a_cookie_used_from_another_browser_or_address_opens_nothing(
    app: Flask, client: FlaskClient, post: str
) -> None:
    sign_in_by_form(client, make_person(app, post))
    thief = stolen(app, client)
    assert thief.get(ME, headers={"User-Agent": "another"}).status_code == 401
    thief = stolen(app, client)
    elsewhere = thief.get(ME, environ_base={"REMOTE_ADDR": "203.0.113.9"})
    assert elsewhere.status_code == 401
    assert client.get(ME).status_code == 200


def test_a_suspended_organisation_is_out_at_once_and_back_when_active(
    app: Flask, client: FlaskClient, database: Database, post: str
) -> None:
    sign_in_by_form(client, make_person(app, post))
    for status, code in ((OrganisationStatus.SUSPENDED, 401), (OrganisationStatus.ACTIVE, 200)):
        with database.transaction() as session:
            organisations.set_status(session, CONSOLE, post, status)
        assert client.get(ME).status_code == code


def test_a_closed_account_is_out_at_once(
    app: Flask, client: FlaskClient, database: Database, post: str
) -> None:
    person = make_person(app, post)
    sign_in_by_form(client, person)
    with app.app_context(), database.transaction() as session:
        service.close(session, CONSOLE, person.login)
    assert client.get(ME).status_code == 401


def test_roles_count_from_the_next_request_on(
    app: Flask, client: FlaskClient, database: Database, post: str
) -> None:
    person = make_person(app, post, [Role.ANALYST])
    sign_in_by_form(client, person)
    assert client.get(ME).get_json()["roles"] == ["analyst"]
    with app.app_context(), database.transaction() as session:
        service.set_roles(
            session, CONSOLE, person.login, grant=[Role.APPROVER], withdraw=[Role.ANALYST]
        )
    assert client.get(ME).get_json()["roles"] == ["approver"]


def test_a_person_ends_their_sessions_in_other_browsers(
    app: Flask, client: FlaskClient, database: Database, post: str
) -> None:
    person, colleague = make_person(app, post), make_person(app, post)
    elsewhere, other = app.test_client(), app.test_client()
    sign_in_by_form(elsewhere, person)
    sign_in_by_form(other, colleague)
    headers = sign_in_by_form(client, person)
    answer = client.post("/account/sessions/end-others", headers=headers)
    assert (answer.status_code, answer.location) == (303, "/account?done=sessions-ended")
    assert [one.get(ME).status_code for one in (client, elsewhere, other)] == [200, 401, 200]


def test_the_upkeep_removes_sessions_past_their_end_and_says_how_many(
    app: Flask, database: Database, post: str, moving_clock: MovingClock
) -> None:
    person = make_person(app, post)
    with app.app_context():
        for _ in range(2):
            attempt = sign_in.compare(person.login, person.password)
            with database.transaction() as session:
                sign_in.sign_in(session, attempt)
            moving_clock.move(minutes=20)
        performed = [one for one in jobs.run_due(runtime_of(app)) if one.name == "ended-sessions"]
    assert [one.count for one in performed] == [1]
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(WebSession)) == 1
    (entry,) = log_of(database, "session.expire")
    assert entry.audience == {"platform"}


def test_upkeep_with_nothing_to_do_logs_nothing(app: Flask, database: Database) -> None:
    with app.app_context(), database.transaction() as session:
        assert sign_in.forget_ended_sessions(session) == 0
    assert log_of(database) == []

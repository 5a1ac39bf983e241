"""The list of a person's sessions: on what, proved how, and ended one by one or all at once."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.accounts.devices import Devices, device_of
from app.accounts.models import WebSession
from app.database import Database
from postern.vocabulary import Role
from tests.app.accounts.conftest import log_of
from tests.app.people import Person, cross_site_headers, make_person

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0"
CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36"
)
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"
)


def visitor(app: Flask, person: Person, agent: str) -> FlaskClient:
    """A browser of its own that says `agent` and in which the person has signed in."""
    client = app.test_client()
    client.environ_base["HTTP_USER_AGENT"] = agent
    answer = client.post(
        "/sign-in",
        data={"login": person.login, "password": person.password},
        headers=cross_site_headers(client),
    )
    assert answer.status_code == 303
    return client


def sent(client: FlaskClient, path: str, **form: str) -> int:
    return client.post(path, data=form, headers=cross_site_headers(client)).status_code


def opens(client: FlaskClient) -> bool:
    return client.get("/account").status_code == 200


def named(client: FlaskClient) -> list[str]:
    return re.findall(r'name="session" value="([^"]+)"', client.get("/account").text)


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        (FIREFOX, "Firefox, Windows"),
        (CHROME, "Chrome, Linux"),
        (f"{CHROME} Edg/131.0.0.0", "Edge, Linux"),
        (SAFARI, "Safari, iOS"),
        ("curl/8.5.0", ""),
        ("", ""),
        ("\x00<script>Firefox/", "Firefox"),
    ],
    ids=["firefox", "chrome", "edge", "safari", "program", "none", "strange"],
)
def test_of_a_user_agent_only_browser_and_system_stay(agent: str, device: str) -> None:
    assert device_of(agent) == device


def test_the_account_page_lists_sessions_with_device_and_proof(app: Flask, post: str) -> None:
    person = make_person(app, post)
    visitor(app, person, FIREFOX)
    page = visitor(app, person, CHROME).get("/account").text
    assert "Firefox, Windows" in page
    assert "Chrome, Linux" in page
    assert page.count('<span class="badge-plain">password</span>') == 2
    assert page.count("this one") == 1


def test_the_device_is_stored_sealed_for_its_session_alone(
    app: Flask, database: Database, post: str
) -> None:
    person = make_person(app, post)
    visitor(app, person, FIREFOX)
    visitor(app, person, CHROME)
    with database.reading() as session:
        first, second = session.scalars(select(WebSession)).all()
    sealer = app.extensions["postern"].part(Devices)
    for row in (first, second):
        assert b"Firefox" not in (row.sealed_device or b"")
        assert sealer.open(row.sealed_device, row.name_hash)
    with pytest.raises(ValueError, match="do not open"):
        sealer.open(first.sealed_device, second.name_hash)


def test_one_session_ends_and_the_others_stay(app: Flask, database: Database, post: str) -> None:
    person = make_person(app, post)
    here, other, lost = (visitor(app, person, agent) for agent in (FIREFOX, CHROME, SAFARI))
    newest, _older = named(here)
    assert sent(here, "/account/sessions/end", session=newest) == 303
    assert (opens(here), opens(other), opens(lost)) == (True, True, False)
    assert log_of(database, "session.end")[-1].organisation == post


def test_nobody_ends_the_session_of_another(app: Flask, post: str) -> None:
    victim, attacker = (make_person(app, post, [Role.ADMINISTRATOR]) for _ in range(2))
    theirs = [visitor(app, victim, agent) for agent in (FIREFOX, CHROME)]
    (named_of_victim,) = named(theirs[0])
    client = visitor(app, attacker, CHROME)
    for which in (named_of_victim, "", "nonsense", "%", "' OR 1=1"):
        assert sent(client, "/account/sessions/end", session=which) == 303
    assert all(opens(each) for each in theirs)


def test_all_sessions_end_at_once_with_the_one_that_asks(app: Flask, post: str) -> None:
    person, colleague = make_person(app, post), make_person(app, post)
    mine = [visitor(app, person, agent) for agent in (FIREFOX, CHROME, SAFARI)]
    theirs = visitor(app, colleague, FIREFOX)
    assert sent(mine[1], "/account/sessions/end-all") == 303
    assert not any(opens(each) for each in mine)
    assert opens(theirs)

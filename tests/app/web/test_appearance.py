"""How pages look is kept in the browser: theme, zone and single keys."""

import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from postern.vocabulary import Role, Sector
from tests.app.people import (
    cross_site_headers,
    make_organisation,
    make_person,
    runtime_of,
    sign_in,
)

CSS = Path(__file__).parents[3] / "app" / "web" / "static" / "css"


@pytest.fixture
def person(app: Flask, client: FlaskClient) -> FlaskClient:
    """Signed in, of an organisation in Belgium."""
    make_organisation(runtime_of(app).database, "post-be")
    sign_in(client, make_person(app, "post-be", [Role.SUBMITTER]))
    return client


def choose(client: FlaskClient, **chosen: str) -> Any:
    form = {"next": "/account", **chosen}
    return client.post("/appearance", data=form, headers=cross_site_headers(client))


def page_of(client: FlaskClient, address: str = "/account") -> str:
    return client.get(address).get_data(as_text=True)


def test_the_server_writes_the_theme_so_that_nothing_flashes(client: FlaskClient) -> None:
    page = page_of(client, "/sign-in")
    assert 'data-theme="system"' in page
    assert 'media="screen and (prefers-color-scheme: dark)"' in page
    assert choose(client, theme="dark").location == "/account"
    page = page_of(client, "/sign-in")
    assert 'data-theme="dark"' in page
    assert re.search(r'css/dark\.css" media="screen">', page)
    assert '<meta name="color-scheme" content="dark">' in page
    choose(client, theme="light")
    assert 'css/dark.css" media="not all">' in page_of(client, "/sign-in")


def test_a_choice_is_a_cookie_that_names_nobody(client: FlaskClient) -> None:
    answer = choose(client, theme="dark")
    (cookie,) = [each for each in answer.headers.getlist("Set-Cookie") if "theme" in each]
    assert cookie.startswith("postern_theme=dark;")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


@pytest.mark.parametrize(
    "chosen", [{"theme": "pink"}, {"zone": "Mars/Base"}, {"keys": ""}, {}, {"colour": "red"}]
)
def test_what_is_not_offered_is_refused(client: FlaskClient, chosen: dict[str, str]) -> None:
    answer = choose(client, **chosen)
    assert answer.status_code == 422
    assert not [each for each in answer.headers.getlist("Set-Cookie") if "postern_" in each]


def test_made_up_cookies_are_as_good_as_none(client: FlaskClient) -> None:
    for name in ("theme", "zone", "keys"):
        client.set_cookie(f"postern_{name}", "<made-up>")
    page = page_of(client, "/sign-in")
    assert 'data-theme="system"' in page
    assert "made-up" not in page


def test_no_other_site_decides_where_one_goes_on(client: FlaskClient) -> None:
    assert choose(client, theme="dark", next="//elsewhere.example").location == "/"


def test_times_are_those_of_the_organisation_s_country_and_name_their_zone(
    person: FlaskClient,
) -> None:
    page = page_of(person)
    times = re.findall(r'<time datetime="[^"]+T[^"]+" title="([^"]+)">([^<]+)</time>', page)
    assert times
    for in_utc, written in times:
        assert in_utc.endswith(" UTC")
        assert written.endswith((" CET", " CEST"))
    assert "Europe/Brussels: your organisation" in page


def test_a_chosen_zone_goes_before_the_country_and_can_be_given_up(
    app: Flask, client: FlaskClient
) -> None:
    make_organisation(runtime_of(app).database, "post-in", Sector.POST, "IN")
    sign_in(client, make_person(app, "post-in"))
    assert re.search(r"<time[^>]+>[^<]+ IST</time>", page_of(client))
    choose(client, zone="Asia/Tokyo")
    page = page_of(client)
    assert re.search(r"<time[^>]+>[^<]+ JST</time>", page)
    assert '<option value="Asia/Tokyo" selected>' in page
    choose(client, zone="")
    assert re.search(r"<time[^>]+>[^<]+ IST</time>", page_of(client))


def test_single_keys_can_be_switched_off(person: FlaskClient) -> None:
    assert "data-keys" not in page_of(person, "/go")
    choose(person, keys="off")
    page = page_of(person, "/go")
    assert 'data-keys="off"' in page
    assert "Single keys are switched off in this browser" in page
    choose(person, keys="on")
    assert "data-keys" not in page_of(person, "/go")


def test_no_rule_asks_for_the_theme_but_the_sheet_of_dark_colours() -> None:
    light, dark = ((CSS / name).read_text() for name in ("postern.css", "dark.css"))
    assert "prefers-color-scheme" not in light
    assert 'data-theme="dark"' not in light
    known = set(re.findall(r"^\s+(--[\w-]+):", light, re.MULTILINE))
    changed = set(re.findall(r"^\s+(--[\w-]+):", dark, re.MULTILINE))
    assert changed
    assert changed <= known

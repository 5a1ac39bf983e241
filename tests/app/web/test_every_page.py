"""Every page as each role sees it, without a browser: no way is shown that is refused, and what
needs a script says so."""

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from postern.vocabulary import Role
from tests.app.exchange import Exchange
from tests.app.lively import HOME, make_lively
from tests.app.people import make_person, sign_in
from tests.app.walking import links_of, pages_of

SCRIPTS = Path(__file__).parents[3] / "app" / "web" / "static" / "js"
_OUR_SCRIPT = re.compile(r'<script type="module" src="/static/js/(\w+)\.js')
_IMPORTED = re.compile(r'from "\./(\w+)\.js"')

on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""What a page links to does not depend on the database."""


@pytest.fixture
def lively(exchange: Exchange) -> Exchange:
    make_lively(exchange)
    return exchange


def needs_the_desk(script: str, seen: frozenset[str] = frozenset()) -> bool:
    """Whether a script opens the worker of cryptography, itself or by what it imports."""
    if script in seen:
        return False
    text = (SCRIPTS / f"{script}.js").read_text()
    if "openDesk()" in text and script != "desk":
        return True
    return any(needs_the_desk(each, seen | {script}) for each in _IMPORTED.findall(text))


@on_one_database
@pytest.mark.parametrize("role", Role)
def test_a_role_is_shown_no_way_that_is_refused_and_each_page_can_stand_alone(
    app: Flask, client: FlaskClient, lively: Exchange, role: Role
) -> None:
    assert lively.people
    sign_in(client, make_person(app, HOME, [role]))
    pages = pages_of(app, client)
    assert len(pages) > 5
    followed: set[str] = set()
    for address, html in pages.items():
        assert len(re.findall(r"<h1[ >]", html)) == 1, address
        assert re.search(r"<title>[^<·]+ · ", html), address
        if any(map(needs_the_desk, _OUR_SCRIPT.findall(html))):
            assert "<noscript>" in html, address
        for link in set(links_of(html)) - followed:
            followed.add(link)
            answer = client.get(link, headers={"Accept": "text/html"})
            assert answer.status_code in {200, 303}, f"{address} shows {link}"

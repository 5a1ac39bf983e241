import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from app.web.frame import _MENUS
from postern.vocabulary import Role
from tests.app.people import make_organisation, make_person, runtime_of, sign_in


@pytest.fixture
def post(app: Flask) -> str:
    make_organisation(runtime_of(app).database, "post-be")
    return "post-be"


def links_of(page: str) -> list[str]:
    navigation = re.search(r"<nav.*?</nav>", page, re.DOTALL)
    return re.findall(r'href="([^"]+)"', navigation[0]) if navigation else []


def test_the_ways_shown_are_those_of_the_roles(app: Flask, client: FlaskClient, post: str) -> None:
    sign_in(client, make_person(app, post, [Role.ANALYST]))
    page = client.get("/account").get_data(as_text=True)
    exchange = ["/disclosures", "/watches", "/outcomes", "/recalls"]
    patterns = ["/patterns", "/filters"]
    barriers = ["/barriers/board", "/barriers", "/barriers/gaps", "/barriers/models"]
    feeds = ["/exchange", "/exchange/servers"]
    everybody = ["/account", "/notifications"]
    assert links_of(page) == [
        *("/", "/reports", "/search", "/shared", *exchange, *patterns, *feeds),
        *(*barriers, "/barriers/tagging", "/keys", *everybody),
    ]
    other = app.test_client()
    sign_in(other, make_person(app, post, [Role.COMPLIANCE]))
    page = other.get("/account").get_data(as_text=True)
    oversight = ["/access-log", "/log", "/reviews", "/signals", "/subjects", "/holds"]
    oversight += ["/breaches", "/privacy"]
    organisation = ["/policy", "/keys", "/channels"]
    kept = [
        "/people",
        "/tokens",
        "/sign-on",
        "/break-glass",
        "/organisations",
        "/quotas",
        "/platform/epochs",
    ]
    of_officer = [
        "/",
        "/reports",
        *exchange,
        *patterns,
        "/ledger",
        *("/exchange", "/exchange/own", "/exchange/servers"),
        *barriers,
        *oversight,
        *organisation,
        *kept,
    ]
    assert links_of(page) == [*of_officer, *everybody]


def test_every_way_shown_leads_to_a_page(app: Flask) -> None:
    known = {rule.rule for rule in app.url_map.iter_rules()}
    assert {address for _, links in _MENUS for address, _, _ in links} <= known


def test_a_stranger_is_shown_no_way_in_but_the_sign_in(client: FlaskClient) -> None:
    page = client.get("/sign-in").get_data(as_text=True)
    assert links_of(page) == []
    assert "/sign-out" not in page


def test_the_page_names_organisation_roles_and_where_one_is(
    app: Flask, client: FlaskClient, post: str
) -> None:
    sign_in(client, make_person(app, post, [Role.POLICY_OWNER, Role.SUBMITTER]))
    page = client.get("/").get_data(as_text=True)
    assert "Organisation post-be" in page
    assert "Submitter, Policy owner" in page
    assert '<a href="/" aria-current="page">Overview</a>' in page
    assert 'action="/sign-out"' in page


def test_an_error_page_stands_when_the_database_does_not_answer(
    app: Flask, client: FlaskClient, post: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(client, make_person(app, post, [Role.ANALYST]))

    def fail(_session: object) -> None:
        raise OperationalError("SELECT", {}, OSError("gone"))

    monkeypatch.setattr("app.web.frame.directory", fail)
    answer = client.get("/nowhere", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert '<span class="hall-organisation" title="post-be">post-be</span>' in answer.text


def test_the_language_switch_returns_to_the_same_question(
    app: Flask, client: FlaskClient, post: str
) -> None:
    sign_in(client, make_person(app, post, [Role.COMPLIANCE]))
    page = client.get("/access-log?act=session.start").get_data(as_text=True)
    assert '<input type="hidden" name="next" value="/access-log?act=session.start">' in page


def test_what_a_stranger_types_in_the_address_stays_text(client: FlaskClient) -> None:
    page = client.get("/nowhere?x=%22%3E%3Cscript%3E", headers={"Accept": "text/html"})
    assert "<script" not in page.get_data(as_text=True)


def test_no_page_needs_a_script(client: FlaskClient) -> None:
    assert "<script" not in client.get("/sign-in").get_data(as_text=True)

"""No other site can make a signed-in browser change anything here."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from postern.vocabulary import Role, Scope
from tests.app.people import bearer, cross_site_headers, make_person, sign_in

TOKENS = "/api/v1/tokens"
ASKED = {"scopes": ["evaluate"], "days": 3}


def assert_refused(answer: TestResponse) -> None:
    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json()["code"] == "cross-site-request"


def test_json_of_a_session_needs_the_form_token(app: Flask, client: FlaskClient, post: str) -> None:
    headers = sign_in(client, make_person(app, post, [Role.SUBMITTER]))
    assert_refused(client.post(TOKENS, json=ASKED))
    assert_refused(client.post(TOKENS, json=ASKED, headers={"X-CSRFToken": "made-up"}))
    assert_refused(client.delete(f"{TOKENS}/00000000-0000-0000-0000-000000000000"))
    assert client.post(TOKENS, json=ASKED, headers=headers).status_code == 201


@pytest.mark.parametrize(
    "address",
    [
        "/sign-in",
        "/sign-out",
        "/account/tokens",
        "/account/password",
        "/account/sessions/end-others",
    ],
)
def test_every_form_needs_the_form_token(
    app: Flask, client: FlaskClient, post: str, address: str
) -> None:
    sign_in(client, make_person(app, post, [Role.SUBMITTER]))
    assert_refused(client.post(address, data={}))
    assert client.get("/api/v1/me").status_code == 200


def test_a_browser_is_told_on_a_page(client: FlaskClient) -> None:
    answer = client.post("/sign-in", data={}, headers={"Accept": "text/html"})
    assert (answer.status_code, answer.mimetype) == (400, "text/html")
    assert "Open the page again" in answer.get_data(as_text=True)


def test_the_form_token_of_another_session_is_refused(
    app: Flask, client: FlaskClient, post: str
) -> None:
    other = app.test_client()
    foreign = sign_in(other, make_person(app, post, [Role.SUBMITTER]))
    sign_in(client, make_person(app, post, [Role.SUBMITTER]))
    assert_refused(client.post(TOKENS, json=ASKED, headers=foreign))


def test_the_form_token_from_before_sign_in_is_void_after_it(
    app: Flask, client: FlaskClient, post: str
) -> None:
    before = cross_site_headers(client)
    sign_in(client, make_person(app, post, [Role.SUBMITTER]))
    assert_refused(client.post(TOKENS, json=ASKED, headers=before))


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_a_browser_says_another_site_sent_is_refused(
    app: Flask, client: FlaskClient, post: str, site: str
) -> None:
    headers = sign_in(client, make_person(app, post, [Role.SUBMITTER]))
    assert_refused(client.post(TOKENS, json=ASKED, headers={**headers, "Sec-Fetch-Site": site}))
    own = {**headers, "Sec-Fetch-Site": "same-origin"}
    assert client.post(TOKENS, json=ASKED, headers=own).status_code == 201


def test_a_link_from_another_site_may_open_a_page(
    app: Flask, client: FlaskClient, post: str
) -> None:
    sign_in(client, make_person(app, post))
    assert client.get("/account", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_an_api_token_needs_no_form_token_and_its_request_uses_no_cookie(
    app: Flask, client: FlaskClient, post: str
) -> None:
    person, other = make_person(app, post, [Role.SUBMITTER]), make_person(app, post)
    sign_in(client, other)
    token = bearer(app, person, [Scope.EVALUATE])
    assert client.post("/api/v1/evaluate", json={}, headers=token).status_code == 422
    me = client.get("/api/v1/me", headers=token).get_json()
    assert me["person"] == str(person.caller.person)

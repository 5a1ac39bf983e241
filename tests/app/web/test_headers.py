import dataclasses

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import Headers

from app import create_app
from app.config import Settings
from postern.vocabulary import Role
from tests.app.exchange import Exchange
from tests.app.people import runtime_of, sign_in

ADDRESSES = ("/sign-in", "/nowhere", "/api/v1/me", "/static/css/postern.css", "/health/live")


def headers_of(client: FlaskClient, address: str) -> Headers:
    with client.get(address) as answer:
        return answer.headers


def policy_of(client: FlaskClient, address: str) -> dict[str, str]:
    parts = headers_of(client, address)["Content-Security-Policy"].split("; ")
    return {name: " ".join(values) for name, *values in (part.split() for part in parts)}


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_answer_forbids_all_but_our_own_files(client: FlaskClient, address: str) -> None:
    assert policy_of(client, address) == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "font-src": "'self'",
        "connect-src": "'self'",
        "worker-src": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "postern-worker",
    }


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_answer_carries_the_other_protections(client: FlaskClient, address: str) -> None:
    headers = headers_of(client, address)
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"


def test_browsers_are_bound_to_https_exactly_where_it_is_spoken(
    app: Flask, settings: Settings
) -> None:
    assert "Strict-Transport-Security" not in app.test_client().get("/sign-in").headers
    https = dataclasses.replace(
        settings.platform, origin="https://postern.example", secure_cookies=True
    )
    secure = create_app(dataclasses.replace(settings, platform=https))
    answer = secure.test_client().get("/sign-in", base_url="https://postern.example")
    assert answer.headers["Strict-Transport-Security"] == "max-age=63072000"
    runtime_of(secure).database.dispose()


def test_pages_and_what_a_signed_in_person_gets_are_stored_nowhere(
    exchange: Exchange, client: FlaskClient
) -> None:
    assert headers_of(client, "/sign-in")["Cache-Control"] == "no-store"
    sign_in(client, exchange.people["post-be"])
    for address in ("/", "/account", "/access-log", "/api/v1/me", "/api/openapi.json"):
        assert headers_of(client, address)["Cache-Control"] == "no-store", address


def test_our_own_files_may_be_kept_by_a_browser(client: FlaskClient) -> None:
    headers = headers_of(client, "/static/css/postern.css")
    assert "no-store" not in headers["Cache-Control"]
    assert headers["ETag"]


def test_every_role_meets_the_same_headers(exchange: Exchange, client: FlaskClient) -> None:
    assert exchange.caller("post-be").roles == frozenset(Role)
    sign_in(client, exchange.people["post-be"])
    assert policy_of(client, "/") == policy_of(client, "/nowhere")

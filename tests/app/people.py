"""Organisations and people for tests, made through the rooms' own services."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count

from argon2.profiles import CHEAPEST
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer

from app.access import CONSOLE, Caller, Means
from app.accounts import service, tokens
from app.accounts.passwords import Passwords
from app.database import Database
from app.organisations import service as organisations
from app.runtime import Runtime
from postern.vocabulary import Role, Scope, Sector

_numbers = count(1)


@dataclass(frozen=True)
class Person:
    """Someone with an account; `caller` is how services know them in a web session."""

    login: str
    name: str
    password: str
    person_id: int
    caller: Caller


def make_organisation(
    database: Database,
    code: str = "post-be",
    sector: Sector = Sector.POST,
    country: str = "BE",
) -> int:
    """Let an organisation join; returns its id."""
    with database.transaction() as session:
        return organisations.create(
            session,
            CONSOLE,
            code=code,
            name=f"Organisation {code}",
            sector=sector,
            country=country,
        )


def make_person(app: Flask, organisation: str, roles: Iterable[Role] = ()) -> Person:
    """Give someone of the organisation with this code an account."""
    number = next(_numbers)
    login, name = f"person-{number}@{organisation}.example", f"Analyst No{number}"
    password = f"correct horse {number}"
    held = frozenset(roles)
    with app.app_context():
        runtime = runtime_of(app)
        runtime.add(Passwords(CHEAPEST))  # tests sign in often; one of them measures the real cost
        secret = service.new_secret(login, password)
        with runtime.database.transaction() as session:
            organisation_id, _member = organisations.find(session, organisation)
            made = service.create(
                session,
                CONSOLE,
                organisation=organisation,
                login=login,
                name=name,
                roles=held,
                secret=secret,
            )
    caller = Caller(
        person_id=made.person_id,
        person=made.public_id,
        organisation_id=organisation_id,
        organisation=organisation,
        roles=held,
        scopes=None,
        means=Means.SESSION,
    )
    return Person(login, name, password, made.person_id, caller)


def sign_in(client: FlaskClient, person: Person) -> dict[str, str]:
    """Sign the person in through the form; returns the headers that JSON requests need."""
    answer = client.post(
        "/sign-in",
        data={"login": person.login, "password": person.password, "next": "/account"},
        headers=cross_site_headers(client),
    )
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return cross_site_headers(client)


def cross_site_headers(client: FlaskClient) -> dict[str, str]:
    """The token against cross-site requests, which pages put in their forms, as a header."""
    with client.session_transaction() as session:
        value = session.setdefault("csrf_token", hashlib.sha1(os.urandom(64)).hexdigest())  # noqa: S324 - a random name, as Flask-WTF makes it
    signer = URLSafeTimedSerializer(client.application.secret_key or "", salt="wtf-csrf-token")
    return {"X-CSRFToken": str(signer.dumps(value))}


def bearer(app: Flask, person: Person, scopes: Iterable[Scope], days: int = 30) -> dict[str, str]:
    """Make an API token for the person; returns the headers that present it."""
    with app.app_context(), runtime_of(app).database.transaction() as session:
        made = tokens.create_token(session, CONSOLE, person.login, scopes=scopes, days=days)
    return {"Authorization": f"Bearer {made.text}"}


def runtime_of(app: Flask) -> Runtime:
    """What the process of this application holds."""
    found: Runtime = app.extensions["postern"]
    return found

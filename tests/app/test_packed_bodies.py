"""A body that says it is packed is not unpacked: what is small when sent stays small."""

import gzip

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.accounts.scopes import scopes_of
from app.database import Database
from postern.vocabulary import Role
from tests.app.people import bearer, make_organisation, make_person

BOMB = gzip.compress(b'{"kind": "' + b"a" * 50_000_000 + b'"}')


@pytest.mark.parametrize("path", ["/api/v1/lookups", "/api/v1/watches"])
def test_a_packed_bomb_is_a_mistake_of_its_sender(
    app: Flask, client: FlaskClient, database: Database, path: str
) -> None:
    make_organisation(database, "police-de")
    person = make_person(app, "police-de", [Role.ANALYST])
    headers = dict(bearer(app, person, sorted(scopes_of({Role.ANALYST}))))
    headers |= {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    assert len(BOMB) < 100_000
    answer = client.post(path, data=BOMB, headers=headers)
    assert answer.status_code in (400, 415, 422), answer.get_data(as_text=True)

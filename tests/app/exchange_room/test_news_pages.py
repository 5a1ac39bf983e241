"""The page of the addresses that a collection tells."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.exchange.news_models import ExchangeNews
from app.exchange.views import Collection
from tests.app.exchange_room.reading import Room
from tests.app.people import sign_in


@pytest.fixture
def collection(room: Room) -> Collection:
    return room.open()


def test_an_address_is_named_tried_and_removed(
    room: Room, client: FlaskClient, collection: Collection
) -> None:
    headers = sign_in(client, room.exchange.people["police-de"])
    path = f"/exchange/{collection.id}/news"
    assert "No address is told" in client.get(path).text
    refused = client.post(path, data={"address": "http://receiver.example/"}, headers=headers)
    assert refused.status_code == 422
    assert 'aria-invalid="true"' in refused.text
    made = client.post(path, data={"address": "http://127.0.0.1:9/in"}, headers=headers)
    assert made.status_code == 201
    (secret,) = re.findall(r"whsec_[A-Za-z0-9+/=]+", made.text)
    page = client.get(path).text
    assert "http://127.0.0.1:9/…" in page
    assert secret not in page
    (row,) = room.exchange.rows(select(ExchangeNews))
    again = client.post(f"{path}/{row.public_id}/again", headers=headers)
    assert again.location == f"{path}?done=again"
    assert "A message is on its way." in client.get(again.location).text
    pending = client.post(f"{path}/{row.public_id}/again", headers=headers)
    assert pending.status_code == 409
    replaced = client.post(
        f"{path}/{row.public_id}/secret", data={"overlap_hours": "24"}, headers=headers
    )
    (other,) = re.findall(r"whsec_[A-Za-z0-9+/=]+", replaced.text)
    assert other != secret
    assert "Former secret signs too until" in client.get(path).text
    wrong = client.post(
        f"{path}/{row.public_id}/secret", data={"overlap_hours": "999"}, headers=headers
    )
    assert wrong.status_code == 422
    removed = client.post(f"{path}/{row.public_id}/remove", headers=headers)
    assert "The address is forgotten." in client.get(removed.location).text
    assert room.exchange.rows(select(ExchangeNews)) == []


def test_another_s_page_is_as_none(room: Room, client: FlaskClient, collection: Collection) -> None:
    headers = sign_in(client, room.exchange.people["customs-nl"])
    path = f"/exchange/{collection.id}/news"
    assert client.get(path).status_code == 404
    answer = client.post(path, data={"address": "http://127.0.0.1:9/"}, headers=headers)
    assert answer.status_code == 404

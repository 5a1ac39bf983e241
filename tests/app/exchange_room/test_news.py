"""News of a collection: signed, without content, one at a time, and what becomes of each."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from app import clock
from app.access import CONSOLE
from app.exchange import changes, collections, news, news_sending
from app.exchange.models import ExchangeCollection
from app.exchange.news_models import ExchangeNews
from app.exchange.views import Collection
from app.jobs import draining
from app.jobs.models import Notification, Outbox
from app.organisations import service as organisations
from app.organisations.models import OrganisationStatus
from postern.vocabulary import Role, Scope
from postern.webhook import verified
from tests.app.exchange import OPEN_TO_POLICE, SOPHIE
from tests.app.exchange_room.reading import Room
from tests.app.jobs.receivers import Hook, hook_server
from tests.app.people import bearer, make_person, runtime_of, sign_in

Ask = Callable[..., TestResponse]


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A receiver, whose address is in its header `address`."""
    made = Hook()
    with hook_server(made) as port:
        made.headers["address"] = f"http://127.0.0.1:{port}/in"
        yield made


@pytest.fixture
def collection(room: Room) -> Collection:
    room.exchange.publish("post-be", OPEN_TO_POLICE)
    return room.open()


@pytest.fixture
def ask(room: Room, client: FlaskClient, collection: Collection) -> Ask:
    """Asks as an administrator of the police, below the addresses of the collection."""
    headers = sign_in(client, room.exchange.people["police-de"])

    def asked(method: str = "GET", path: str = "", of: UUID | None = None, **body: Any) -> Any:
        address = f"/api/v1/exchange/collections/{of or collection.id}/news{path}"
        return client.open(
            address, method=method, headers=headers, json=body if method == "POST" else None
        )

    return asked


@pytest.fixture
def made(ask: Ask, hook: Hook) -> dict[str, Any]:
    """The address of the receiver, as it was answered."""
    answer = ask("POST", address=hook.headers["address"])
    assert answer.status_code == 201, answer.get_json()
    told: dict[str, Any] = answer.get_json()
    return told


def change(room: Room) -> None:
    """Something new in the collection."""
    room.submit("post-be", room.exchange.indicator(SOPHIE))
    room.work()


def send(room: Room) -> None:
    """One round of the worker, with no pause before the tries."""
    with room.exchange.app.app_context():
        with room.exchange.database.transaction() as session:
            at = clock.now()
            session.execute(update(Outbox).where(Outbox.lease.is_(None)).values(due_at=at))
        draining.drain(runtime_of(room.exchange.app))


def bodies(hook: Hook) -> list[dict[str, Any]]:
    return [json.loads(body) for _, _, body in hook.taken]


def state(ask: Ask) -> dict[str, Any]:
    (told,) = ask().get_json()["news"]
    found: dict[str, Any] = told
    return found


def endings(room: Room) -> list[str]:
    return [each.details["ending"] for each in room.exchange.entries("exchange.news-sent")]


def test_a_change_is_told_by_a_signed_message_that_leads_to_it(
    room: Room, ask: Ask, hook: Hook, made: dict[str, Any], collection: Collection
) -> None:
    assert hook.headers["address"] not in json.dumps(made)
    change(room)
    assert state(ask)["state"] == "waiting"
    send(room)
    ((path, headers, body),) = hook.taken
    told = json.loads(body)
    assert path == "/in"
    assert told["type"] == "exchange.news"
    assert told["data"].keys() == {"collection", "after", "cursor"}
    assert told["data"]["collection"] == str(collection.id)
    key = base64.b64decode(made["secret"].removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"

    police, after = room.exchange.caller("police-de"), int(told["data"]["after"])
    found = json.loads(
        room.within(lambda session: changes.page(session, police, collection.id, after, 100))
    )
    assert found["next"] == told["data"]["cursor"]
    assert [one["change"] for one in found["changes"] if one["type"] == "indicator"] == ["created"]
    for one in found["changes"]:
        assert one["id"] not in body.decode()
    standing = state(ask)
    assert (standing["state"], standing["cursor"]) == ("sent", told["data"]["cursor"])
    assert (standing["tries"], standing["error"]) == (1, None)
    assert standing["sent_at"] is not None
    assert "secret" not in standing
    assert endings(room) == ["sent"]


def test_one_message_tells_of_many_changes_and_the_next_of_what_came_meanwhile(
    room: Room, hook: Hook, made: dict[str, Any]
) -> None:
    for _ in range(3):
        change(room)
    hook.meanwhile = lambda: _change_once(room, hook)
    send(room)
    first, second = bodies(hook)
    assert first["data"]["cursor"] == second["data"]["after"]
    assert int(first["data"]["cursor"]) < int(second["data"]["cursor"])
    ids = [headers["webhook-id"] for _, headers, _ in hook.taken]
    assert len(set(ids)) == 2


def _change_once(room: Room, hook: Hook) -> None:
    """What happens before the receiver answers the first message."""
    hook.meanwhile = lambda: None
    with room.exchange.database.transaction() as session:
        row = session.scalars(select(ExchangeNews)).one()
        news.on_added(session, row.collection_id, row.newest + 1000)


def test_what_fails_is_tried_again_as_the_same_message_and_given_up_in_the_end(
    room: Room, ask: Ask, hook: Hook, made: dict[str, Any]
) -> None:
    hook.statuses = [500] * 12
    change(room)
    send(room)
    assert (state(ask)["state"], state(ask)["error"]) == ("failing", "WebhookRefusedError")
    for _ in range(11):
        send(room)
    assert len({headers["webhook-id"] for _, headers, _ in hook.taken}) == 1
    assert len({body for _, _, body in hook.taken}) == 1
    standing = state(ask)
    assert (standing["state"], standing["tries"]) == ("given_up", 12)
    assert endings(room) == ["failed"] * 11 + ["given_up"]
    told = room.exchange.rows(
        select(Notification).where(Notification.kind == news_sending.GIVEN_UP)
    )
    assert [row.role for row in told] == [Role.ADMINISTRATOR]

    change(room)  # the next change begins anew, from what was told last
    send(room)
    assert state(ask)["state"] == "sent"
    assert bodies(hook)[-1]["data"]["after"] == bodies(hook)[0]["data"]["after"]
    assert int(bodies(hook)[-1]["data"]["cursor"]) > int(bodies(hook)[0]["data"]["cursor"])


def test_a_receiver_that_wants_no_more_is_told_nothing_until_it_is_asked_for(
    room: Room, ask: Ask, hook: Hook, made: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    hook.statuses = [410]
    change(room)
    send(room)
    assert state(ask)["state"] == "gone"
    change(room)
    send(room)
    assert len(hook.taken) == 1
    assert ask("POST", f"/{made['id']}/again").get_json()["code"] == "exchange-news-pending"
    later = clock.now() + timedelta(minutes=2)
    with monkeypatch.context() as moved:
        moved.setattr(news, "now", lambda: later)
        assert ask("POST", f"/{made['id']}/again").status_code == 202
    send(room)
    assert (state(ask)["state"], len(hook.taken)) == ("sent", 2)


def test_an_address_can_be_tried_out_before_anything_changed(
    ask: Ask, room: Room, hook: Hook, made: dict[str, Any]
) -> None:
    assert state(ask)["state"] == "sent"
    assert ask("POST", f"/{made['id']}/again").status_code == 202
    assert ask("POST", f"/{made['id']}/again").status_code == 409
    send(room)
    (told,) = bodies(hook)
    assert told["data"]["after"] == told["data"]["cursor"] == made["cursor"]


@pytest.mark.parametrize("end", ["removed", "closed", "suspended"])
def test_nothing_leaves_once_its_reason_ended(
    room: Room, ask: Ask, hook: Hook, made: dict[str, Any], end: str
) -> None:
    exchange = room.exchange
    change(room)
    if end == "removed":
        assert ask("DELETE", f"/{made['id']}").status_code == 204
        assert exchange.rows(select(ExchangeNews)) == []
    elif end == "closed":
        police = exchange.caller("police-de")
        (row,) = exchange.rows(select(ExchangeCollection))
        room.within(lambda session: collections.close(session, police, row.public_id))
    else:
        with exchange.app.app_context(), exchange.database.transaction() as session:
            organisations.set_status(session, CONSOLE, "police-de", OrganisationStatus.SUSPENDED)
    send(room)
    assert hook.taken == []
    assert endings(room) == ([] if end == "removed" else ["withheld"])
    if end == "closed":
        assert room.within(news.forget_ended) == 1
        assert exchange.rows(select(ExchangeNews)) == []


def test_what_cannot_be_told_is_refused_by_name(ask: Ask, hook: Hook) -> None:
    for address in ("ftp://x.example/", "http://receiver.example/", "https://10.0.0.1/", "x" * 9):
        answer = ask("POST", address=address)
        assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid-request")
        assert answer.get_json()["errors"][0]["field"] == "json.address"
        assert address not in answer.get_data(as_text=True)
    for _ in range(news.MOST):
        assert ask("POST", address=hook.headers["address"]).status_code == 201
    answer = ask("POST", address=hook.headers["address"])
    assert (answer.status_code, answer.get_json()["code"]) == (409, "exchange-news")


def test_another_s_addresses_are_as_none(room: Room, ask: Ask, made: dict[str, Any]) -> None:
    other = room.open("customs-nl")
    for of in (other.id, uuid4()):
        for method, path in (
            ("GET", ""),
            ("DELETE", f"/{made['id']}"),
            ("POST", f"/{made['id']}/again"),
        ):
            assert ask(method, path, of=of).status_code == 404
        assert ask("POST", of=of, address="http://127.0.0.1/").status_code == 404
    assert ask("DELETE", f"/{uuid4()}").status_code == 404
    assert state(ask)["id"] == made["id"]


def test_only_an_administrator_keeps_addresses(
    room: Room, client: FlaskClient, collection: Collection
) -> None:
    app = room.exchange.app
    path = f"/api/v1/exchange/collections/{collection.id}/news"
    analyst = make_person(app, "police-de", [Role.ANALYST])
    assert client.get(path, headers=bearer(app, analyst, [Scope.EXCHANGE_READ])).status_code == 403
    assert client.get(path, headers=sign_in(client, analyst)).status_code == 403


def test_neither_address_nor_secret_stands_in_clear(
    room: Room, hook: Hook, made: dict[str, Any]
) -> None:
    (row,) = room.exchange.rows(select(ExchangeNews))
    stored = bytes(row.sealed_address) + bytes(row.sealed_secret)
    assert b"127.0.0.1" not in stored
    assert made["secret"].encode() not in stored
    for act in ("exchange.news-add", "exchange.news-list"):
        for entry in room.exchange.entries(act):
            assert "127.0.0.1" not in str(entry.details)


def test_the_secret_of_an_address_is_replaced_and_both_sign_meanwhile(
    room: Room, ask: Ask, made: dict[str, Any], hook: Hook
) -> None:
    answer = ask("POST", f"/{made['id']}/secret", overlap_hours=1)
    assert answer.status_code == 200, answer.get_json()
    new = answer.get_json()["secret"]
    change(room)
    send(room)
    ((_, headers, body),) = hook.taken
    assert len(headers["webhook-signature"].split()) == 2
    for secret in (made["secret"], new):
        assert verified([secret], headers, body, now=clock.now())[1]["type"] == "exchange.news"
    again = ask("POST", f"/{made['id']}/secret", overlap_hours=0).get_json()
    assert again["former_until"] is None
    (row,) = room.exchange.rows(select(ExchangeNews))
    assert runtime_of(room.exchange.app).part(news.Sealing).secrets(row) == (again["secret"], None)
    assert ask("POST", f"/{uuid4()}/secret").status_code == 404
    (first, second, _missing) = room.exchange.entries("exchange.news-rotate")
    assert (first.details["overlap_hours"], second.details["overlap_hours"]) == (1, 0)

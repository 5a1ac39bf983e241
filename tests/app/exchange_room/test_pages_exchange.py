"""The pages of collections and of subscriptions: who sees and does what, and what is refused."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from app.exchange.models import CollectionKind
from postern.vocabulary import Role
from tests.app.exchange import JAN, OPEN_TO_POLICE, SOPHIE
from tests.app.exchange_room.reading import Room
from tests.app.people import make_person, sign_in

on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

CODE = "police-de"
GROUNDS = "criminal_investigation criminal_procedure"


def form(**fields: Any) -> dict[str, Any]:
    """What the form of a collection sends."""
    given = {
        "kind": "shared",
        "title": "For our MISP",
        "grounds": GROUNDS,
        "case": "PV-1",
        "level": "metadata",
        "revoked": "1",
        "days": "90",
    }
    return {name: value for name, value in (given | fields).items() if value is not None}


def browser(room: Room, *roles: Role, code: str = CODE) -> tuple[FlaskClient, dict[str, str]]:
    client = room.exchange.app.test_client()
    return client, sign_in(client, make_person(room.exchange.app, code, roles))


def text(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def test_an_administrator_opens_a_collection_and_finds_how_to_connect(room: Room) -> None:
    client, headers = browser(room, Role.ADMINISTRATOR)
    assert "No collection is open" in text(client, "/exchange")
    made = client.post("/exchange", data=form(), headers=headers)
    assert made.status_code == 303
    page = text(client, made.headers["Location"])
    collection = made.headers["Location"].split("?")[0].rsplit("/", 1)[1]
    assert f"/taxii2/exchange/collections/{collection}/" in page
    assert f"/misp/{collection}" in page
    assert "PV-1" in page
    assert "For our MISP" in text(client, "/exchange")


def test_a_collection_shows_its_entries_its_pollers_and_what_was_revoked(room: Room) -> None:
    exchange = room.exchange
    exchange.publish("post-be", OPEN_TO_POLICE)
    room.submit("post-be", exchange.indicator(SOPHIE), exchange.indicator(JAN))
    opened = room.open()
    client, _ = browser(room, Role.ANALYST)
    page = text(client, f"/exchange/{opened.id}")
    assert "Organisation post-be" in page
    assert "No program fetched anything yet" in page
    assert "not yet" in page
    room.page(opened)
    page = text(client, f"/exchange/{opened.id}")
    assert "has everything" in page
    assert "Close the collection" not in page
    officer, _ = browser(room, Role.COMPLIANCE)
    log = f"/access-log?object={opened.id}"
    assert log in text(officer, f"/exchange/{opened.id}")
    assert "objects of a collection" in text(officer, log)


def test_a_closed_collection_is_shown_as_ended(room: Room) -> None:
    opened = room.open()
    client, headers = browser(room, Role.ADMINISTRATOR)
    assert client.post(f"/exchange/{opened.id}/close", headers=headers).status_code == 303
    assert "1 collection that ended" in text(client, "/exchange?done=closed")
    page = text(client, f"/exchange/{opened.id}")
    assert "This collection has ended" in page
    assert "taxii2" not in page


@on_one_database
def test_another_organisations_collection_is_not_there(room: Room) -> None:
    opened = room.open()
    client, headers = browser(room, Role.ADMINISTRATOR, Role.ANALYST, code="post-be")
    assert client.get(f"/exchange/{opened.id}").status_code == 404
    assert client.post(f"/exchange/{opened.id}/close", headers=headers).status_code == 404


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"title": " "}, "wrong-title"),
        ({"grounds": ""}, "wrong-grounds"),
        ({"case": ""}, "wrong-case"),
        ({"days": "400"}, "wrong-days"),
        ({"days": "soon"}, "Choose from what the form offers."),
        ({"level": "presence"}, "Choose metadata or request"),
        ({"kind": "pigeon"}, "Choose from what the form offers."),
        ({"grounds": "curiosity none"}, "Choose from what the form offers."),
        ({"description": "x" * 501}, "wrong-description"),
    ],
)
@on_one_database
def test_what_cannot_be_a_collection_comes_back_with_the_reason(
    room: Room, fields: dict[str, str], said: str
) -> None:
    client, headers = browser(room, Role.ADMINISTRATOR)
    answer = client.post("/exchange", data=form(**fields), headers=headers)
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert said in page
    assert "Nothing was changed." in page
    (entry,) = room.exchange.entries("exchange.open")
    assert entry.details["refusal"] == "invalid-request"


@on_one_database
def test_who_is_no_administrator_opens_nothing(room: Room) -> None:
    client, headers = browser(room, Role.ANALYST, Role.COMPLIANCE)
    assert "Open a collection" not in text(client, "/exchange")
    assert client.post("/exchange", data=form(), headers=headers).status_code == 403
    servers = {"title": "x", "address": "https://a.example/collections/x/", "means": "none"}
    assert client.post("/exchange/servers", data=servers, headers=headers).status_code == 403


def test_an_owner_sees_who_fetches_from_it(room: Room) -> None:
    exchange = room.exchange
    exchange.publish("post-be", OPEN_TO_POLICE)
    room.submit("post-be", exchange.indicator(SOPHIE), exchange.indicator(JAN))
    client, _ = browser(room, Role.SUBMITTER, code="post-be")
    assert "Nobody that you are told of" in text(client, "/exchange/own")
    room.page(room.open())
    page = text(client, "/exchange/own")
    assert "Organisation police-de" in page
    assert "No collection to send to" in page
    (entry,) = exchange.entries("exchange.fed")[1:]
    assert entry.details["recipients"] == [CODE]
    room.own()
    assert "Nothing was sent lately" in text(client, "/exchange/own")


@on_one_database
def test_one_s_own_collection_shows_how_to_send(room: Room) -> None:
    opened = room.open("post-be", kind=CollectionKind.OWN, grounds=None)
    client, _ = browser(room, Role.SUBMITTER, code="post-be")
    page = text(client, f"/exchange/{opened.id}")
    assert "postern exchange push" in page
    assert "/misp/" not in page


@on_one_database
@pytest.mark.parametrize("before", ["x", "9" * 19, "-1", "%00", "0"])
def test_an_odd_cursor_is_the_first_page_or_an_empty_one(room: Room, before: str) -> None:
    opened = room.open()
    client, _ = browser(room, Role.ANALYST)
    assert client.get(f"/exchange/{opened.id}?before={before}").status_code == 200


def test_a_subscription_is_set_up_shown_and_removed(room: Room) -> None:
    client, headers = browser(room, Role.ADMINISTRATOR)
    assert "No subscription yet" in text(client, "/exchange/servers")
    data = {
        "title": "Poste de France",
        "address": "https://taxii.poste.example/api1/collections/9b1f/",
        "means": "bearer",
        "secret": "s3cret-token",
        "every": "60",
        "kept": "90",
    }
    made = client.post("/exchange/servers", data=data, headers=headers)
    assert made.status_code == 303
    path = made.headers["Location"].split("?")[0]
    page = text(client, path)
    assert "It was not asked yet" in page
    assert "https://taxii.poste.example/…" in page
    assert "s3cret" not in page
    assert client.get(f"{path}/received").status_code == 403
    refused = client.post(f"{path}/ask", headers=headers)
    assert refused.status_code == 409
    assert "is being asked" in refused.get_data(as_text=True)
    assert "Poste de France" in text(client, "/exchange/servers")
    analyst, _ = browser(room, Role.ANALYST)
    assert "Nothing is kept" in text(analyst, f"{path}/received")
    assert "Remove the subscription" not in text(analyst, path)
    gone = client.post(f"{path}/remove", headers=headers)
    assert gone.status_code == 303
    assert client.get(path).status_code == 404


@on_one_database
def test_a_wrong_subscription_comes_back_without_its_secret(room: Room) -> None:
    client, headers = browser(room, Role.ADMINISTRATOR)
    data = {"title": "x", "address": "https://10.0.0.1/collections/x/", "means": "basic"}
    more = {"user": "desk", "secret": "s3cret-token", "every": "60", "kept": "90"}
    answer = client.post("/exchange/servers", data=data | more, headers=headers)
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert "leads into a private network" in page
    assert "s3cret-token" not in page
    odd = client.post("/exchange/servers", data={**data, "every": "x"}, headers=headers)
    assert odd.status_code == 422

"""Watches through the doors: the interface for programs, the pages and the overview."""

import re
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app import clock
from app.lookups.models import Watch
from app.organisations import contacts
from app.organisations.contacts import Contact
from postern.vocabulary import Role, Scope
from tests.app.exchange import JAN, OPEN_TO_POLICE, PRESENCE_TO_POLICE, SOPHIE, Exchange, b64
from tests.app.lookups.test_deconfliction import presence_to
from tests.app.lookups.watching import submit, watch, work
from tests.app.people import bearer, make_person, sign_in

WHY = {
    "purpose": "criminal_investigation",
    "legal_basis": "criminal_procedure",
    "case": "PV-2024-17",
}


def wire(exchange: Exchange, **more: Any) -> dict[str, Any]:
    query = exchange.query(SOPHIE)
    tokens = [{"facet": facet, "token": b64(token)} for facet, token in query.tokens]
    return {**WHY, "kind": "party", "epoch": 1, "tokens": tokens, "expires_on": _soon(), **more}


def _soon() -> str:
    return (clock.now() + timedelta(days=30)).date().isoformat()


@pytest.fixture
def headers(exchange: Exchange) -> dict[str, str]:
    return bearer(exchange.app, exchange.people["police-de"], [Scope.WATCHES_WRITE])


def test_a_program_sets_lists_reads_and_stops_a_watch(
    exchange: Exchange, client: FlaskClient, headers: dict[str, str]
) -> None:
    exchange.publish("post-be", OPEN_TO_POLICE)
    answer = client.post("/api/v1/watches", json=wire(exchange), headers=headers)
    assert answer.status_code == 201, answer.text
    made = answer.get_json()
    assert made.keys() == {"id", "made_at", "expires_on", "advice"}
    (kept,) = exchange.rows(select(Watch))
    assert (kept.tells, kept.deconflicts) == ("both", False)

    listed = client.get("/api/v1/watches?state=live", headers=headers).get_json()
    assert (listed["next"], len(listed["watches"])) == (None, 1)
    (one,) = listed["watches"]
    assert one == {
        "id": made["id"],
        "kind": "party",
        "epoch": 1,
        "is_current": True,
        "person": str(exchange.caller("police-de").person),
        "purpose": "criminal_investigation",
        "legal_basis": "criminal_procedure",
        "tells": "both",
        "deconflicts": False,
        "tlp": "AMBER",
        "made_at": made["made_at"],
        "expires_on": made["expires_on"],
        "state": "live",
        "ended_at": None,
        "end": None,
        "has_news": False,
    }
    sent = submit(exchange, "post-be", "k1", exchange.indicator(SOPHIE), barrier_step=4)
    work(exchange)
    reading = client.get(f"/api/v1/watches/{made['id']}", headers=headers).get_json()
    assert reading["watch"] == one | {"has_news": True}
    assert reading["more"] is False
    (match,) = reading["matches"]
    assert match["organisation"]["code"] == "post-be"
    assert (match["level"], match["band"], match["is_new"]) == ("request", "strong", True)
    assert match["indicator"]["id"] == str(sent.indicators[0])
    assert match["report"]["barrier_step"] == 4
    assert (match["policy"], len(match["rules"])) == ("post-be/1", 1)

    address = f"/api/v1/watches/{made['id']}"
    assert client.delete(address, headers=headers).status_code == 204
    assert client.get("/api/v1/watches?state=live", headers=headers).get_json()["watches"] == []
    ended = client.get("/api/v1/watches?state=ended", headers=headers).get_json()["watches"]
    assert [(each["state"], each["end"]) for each in ended] == [("ended", "stopped")]
    assert client.get("/api/v1/deconflictions", headers=headers).get_json() == {
        "deconflictions": []
    }


def test_pages_of_the_list_follow_each_other(
    exchange: Exchange, client: FlaskClient, headers: dict[str, str]
) -> None:
    made = [str(watch(exchange, "police-de", SOPHIE).id) for _ in range(5)]
    watch(exchange, "customs-nl", SOPHIE)
    found, cursor = [], ""
    for _ in range(3):
        page = client.get(f"/api/v1/watches?limit=2{cursor}", headers=headers).get_json()
        found += [each["id"] for each in page["watches"]]
        cursor = f"&cursor={page['next']}"
    assert (found, page["next"]) == (made[::-1], None)


@pytest.mark.parametrize(
    "change",
    [
        {"tokens": []},
        {"case": " "},
        {"expires_on": "tomorrow"},
        {"tells": "everybody"},
        {"value": "Sophie"},
    ],
)
def test_a_wrong_request_is_refused(
    exchange: Exchange, client: FlaskClient, headers: dict[str, str], change: dict[str, Any]
) -> None:
    answer = client.post("/api/v1/watches", json=wire(exchange, **change), headers=headers)
    assert answer.status_code == 422
    assert exchange.rows(select(Watch)) == []


def test_the_answer_is_the_same_whatever_is_there(
    exchange: Exchange, client: FlaskClient, headers: dict[str, str]
) -> None:
    def answer() -> dict[str, Any]:
        made = client.post("/api/v1/watches", json=wire(exchange), headers=headers).get_json()
        return {name: made[name] for name in ("expires_on", "advice")}

    before = answer()
    exchange.publish("post-be", OPEN_TO_POLICE)
    submit(exchange, "post-be", "k1", exchange.indicator(SOPHIE))
    watch(exchange, "customs-nl", SOPHIE, deconflicts=True)
    work(exchange)
    assert answer() == before


def page(exchange: Exchange, code: str, path: str, role: Role | None = None) -> str:
    client = exchange.app.test_client()
    sign_in(client, make_person(exchange.app, code, [role]) if role else exchange.people[code])
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_the_page_shows_what_waits_what_was_found_and_stops_it(
    exchange: Exchange, client: FlaskClient
) -> None:
    empty = page(exchange, "police-de", "/watches")
    assert "Your organisation watches for nothing" in empty
    assert "<code>postern watch</code>" in empty
    made = watch(exchange, "police-de", SOPHIE)
    other = watch(exchange, "police-de", JAN)
    exchange.publish("post-be", PRESENCE_TO_POLICE)
    exchange.publish("customs-nl", OPEN_TO_POLICE)
    submit(exchange, "post-be", "k1", exchange.indicator(SOPHIE))
    sent = submit(exchange, "customs-nl", "k1", exchange.indicator(SOPHIE))
    work(exchange)
    overview = page(exchange, "police-de", "/")
    assert "watch found something that nobody has looked at" in overview
    listed = page(exchange, "police-de", "/watches")
    assert (listed.count("new match"), listed.count("Stop this watch")) == (1, 2)
    shown = page(exchange, "police-de", f"/watches/{made.id}")
    assert str(sent.indicators[0]) in shown
    assert "Organisation customs-nl" in shown
    assert "The sharing policy customs-nl/1 lets you see it, by:" in shown
    assert "<li>Police of the exchange see everything that may leave</li>" in shown
    assert "This organisation holds something of it. Its policy tells you no more." in shown
    assert "Nothing that you may see" in page(exchange, "police-de", f"/watches/{other.id}")
    assert "new match" not in page(exchange, "police-de", "/watches")

    officers = page(exchange, "police-de", "/watches", Role.COMPLIANCE)
    assert "Stop this watch" in officers
    assert f'/watches/{made.id}"' not in officers  # it may not see what was found

    signed = sign_in(client, exchange.people["police-de"])
    answer = client.post(f"/watches/{made.id}/stop", headers=signed)
    assert (answer.status_code, answer.location) == (303, "/watches?done=stopped")
    assert "Stopped. Its tokens are erased." in client.get(answer.location).get_data(as_text=True)
    ended = page(exchange, "police-de", "/watches?state=ended")
    assert re.search(r"<dt>Ended</dt><dd>.*: stopped</dd>", ended)
    assert "Stop this watch" not in ended


def test_the_page_shows_who_else_works_on_it_and_their_desk(exchange: Exchange) -> None:
    exchange.publish("police-de", presence_to("customs"))
    exchange.publish("customs-nl", presence_to("police"))
    desk = Contact("Duty desk", "desk@customs.example", "+31 20 000 00 00", "day and night")
    with exchange.app.app_context(), exchange.database.transaction() as session:
        contacts.change(session, exchange.caller("customs-nl"), desk)
    watch(exchange, "police-de", SOPHIE, deconflicts=True)
    watch(exchange, "customs-nl", SOPHIE, deconflicts=True)
    work(exchange)
    shown = page(exchange, "police-de", "/watches")
    for said in ("Others work on the same", "Organisation customs-nl", desk.mail, desk.phone):
        assert said in shown
    assert "It has not entered a desk yet" in page(exchange, "customs-nl", "/watches")
    assert "works on something that you watch for" in page(exchange, "police-de", "/notifications")


def test_many_watches_fill_several_pages(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.lookups.pages._PAGE", 2)
    for _ in range(3):
        watch(exchange, "police-de", SOPHIE)
    first = page(exchange, "police-de", "/watches")
    (older,) = re.findall(r'href="(/watches\?cursor=[^"]+)"', first)
    second = page(exchange, "police-de", older)
    assert (first.count("Stop this watch"), second.count("Stop this watch")) == (2, 1)
    assert "Back to the newest" in second
    assert "Stop this watch" in page(exchange, "police-de", "/watches?cursor=nonsense")

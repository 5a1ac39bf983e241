"""The change stream of a collection: what came, changed and went, in order and by cursor."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.exchange.views import Collection
from app.indicators import amending, service
from app.indicators.models import Given, Indicator, Report
from postern.vocabulary import RecallReason, Role, Scope, Tlp, Way
from tests.app.exchange import CLOSED, JAN, OPEN_TO_POLICE, SOPHIE
from tests.app.exchange_room.reading import Room
from tests.app.people import bearer, make_person

Read = Callable[..., dict[str, Any]]


@pytest.fixture
def collection(room: Room) -> Collection:
    room.exchange.publish("post-be", OPEN_TO_POLICE)
    return room.open()


@pytest.fixture
def ask(room: Room, client: FlaskClient, collection: Collection) -> Callable[..., TestResponse]:
    """Asks as an analyst of the police; `of` is another collection."""
    headers = bearer(room.exchange.app, room.exchange.people["police-de"], [Scope.EXCHANGE_READ])

    def asked(of: UUID | None = None, **arguments: Any) -> TestResponse:
        path = f"/api/v1/exchange/collections/{of or collection.id}/changes"
        return client.get(path, query_string=arguments, headers=headers)

    return asked


@pytest.fixture
def read(ask: Callable[..., TestResponse]) -> Read:
    def answered(**arguments: Any) -> dict[str, Any]:
        answer = ask(**arguments)
        assert (answer.status_code, answer.mimetype) == (200, "application/json"), answer.text
        told: dict[str, Any] = json.loads(answer.text)
        assert told.keys() == {"changes", "next", "more"}
        return told

    return answered


def indicators(told: dict[str, Any]) -> list[tuple[str, str]]:
    """What became of which indicator."""
    return [(one["change"], one["id"]) for one in told["changes"] if one["type"] == "indicator"]


def own_report(room: Room, indicator: UUID) -> UUID:
    ((report),) = room.exchange.rows(
        select(Report)
        .join(Indicator, Indicator.report_id == Report.id)
        .where(Indicator.public_id == indicator)
    )
    found: UUID = report.public_id
    return found


def test_what_comes_changes_and_goes_is_told_in_order(room: Room, read: Read) -> None:
    exchange = room.exchange
    begun = read()
    assert (begun["changes"], begun["more"]) == ([], False)
    (sent,) = room.submit("post-be", exchange.indicator(SOPHIE, tlp="AMBER"))
    room.work()
    created = read(after=begun["next"])
    ((word, stix_id),) = indicators(created)
    assert word == "created"
    (one,) = [each for each in created["changes"] if each["id"] == stix_id]
    assert one["owner"] == "post-be"
    assert one["object"]["id"] == stix_id
    assert one["object"]["modified"] == one["version"]
    assert read(after=created["next"]) == {"changes": [], "next": created["next"], "more": False}

    correction = amending.Correction({"tlp": Tlp.GREEN}, RecallReason.WRONG_DATA)
    report = own_report(room, sent)
    post = exchange.caller("post-be")
    room.within(lambda session: amending.amend_indicator(session, post, report, sent, correction))
    room.work()
    changed = read(after=created["next"])
    assert indicators(changed) == [("changed", stix_id)]

    room.within(lambda session: service.withdraw(session, post, report, "error"))
    room.work()
    gone = read(after=changed["next"])
    assert indicators(gone) == [("revoked", stix_id)]
    (last,) = gone["changes"]
    assert last["object"]["revoked"] is True
    assert read(after=gone["next"])["changes"] == []
    assert int(begun["next"]) < int(created["next"]) < int(changed["next"]) < int(gone["next"])


def test_who_begins_late_gets_each_object_once_in_its_last_version(room: Room, read: Read) -> None:
    exchange = room.exchange
    (sent,) = room.submit("post-be", exchange.indicator(SOPHIE))
    room.work()
    correction = amending.Correction({"tlp": Tlp.GREEN}, RecallReason.WRONG_DATA)
    report, post = own_report(room, sent), exchange.caller("post-be")
    room.within(lambda session: amending.amend_indicator(session, post, report, sent, correction))
    room.work()
    ((_, stix_id),) = indicators(read())
    assert [one["id"] for one in read()["changes"]].count(stix_id) == 1


def test_pages_follow_each_other_and_miss_nothing_while_others_write(
    room: Room, read: Read
) -> None:
    exchange = room.exchange
    for _ in range(3):
        room.submit("post-be", exchange.indicator(SOPHIE))
    room.work()
    found, after, more = [], None, True
    late = 0
    while more:
        told = read(limit=1) if after is None else read(limit=1, after=after)
        found += [one["id"] for one in told["changes"]]
        after, more = told["next"], told["more"]
        if late < 2:
            late += 1
            room.submit("post-be", exchange.indicator(JAN))
            room.work()
    assert len(found) == len(set(found))
    assert found == [one["id"] for one in read(limit=1000)["changes"]]
    assert sum(one.startswith("indicator--") for one in found) == 5


def test_revocations_are_told_of_a_collection_that_leaves_them_out(
    room: Room, read: Read, collection: Collection
) -> None:
    exchange = room.exchange
    other = room.open(with_revoked=False)
    room.submit("post-be", exchange.indicator(SOPHIE))
    room.work()
    created = read(of=other.id)
    ((_, stix_id),) = indicators(created)
    exchange.publish("post-be", CLOSED)
    room.work()
    assert indicators(read(of=other.id, after=created["next"])) == [("revoked", stix_id)]


def test_each_page_is_in_the_ledger_and_told_to_reader_and_owner(room: Room, read: Read) -> None:
    exchange = room.exchange
    (sent,) = room.submit("post-be", exchange.indicator(SOPHIE))
    room.work()
    read()
    (entry,) = [
        each for each in exchange.entries("exchange.serve") if str(sent) in str(each.details)
    ]
    assert entry.details["case"] == "PV-2026-031"
    (told,) = exchange.entries("indicator.shared")
    assert (told.audience, told.details["objects"]) == (["post-be"], [str(sent)])
    ((row),) = exchange.rows(select(Given))
    assert (row.indicator, row.way) == (sent, Way.FEED)


WRONG: list[dict[str, Any]] = [
    {"after": "-1"},
    {"after": "1.5"},
    {"after": "x"},
    {"after": ""},
    {"after": str(2**53)},
    {"after": "9" * 4000},
    {"after": "\u0661"},
    {"after": "1' OR '1'='1"},
    {"limit": 0},
    {"limit": 1001},
    {"limit": "many"},
    {"since": "1"},
]


def test_a_wrong_cursor_or_limit_is_refused_by_name(ask: Callable[..., TestResponse]) -> None:
    for wrong in WRONG:
        answer = ask(**wrong)
        assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid-request"), wrong
        (error,) = answer.get_json()["errors"]
        assert error["field"] == f"query.{next(iter(wrong))}"


def test_a_cursor_beyond_everything_brings_nothing(read: Read) -> None:
    beyond = str(2**53 - 1)
    assert read(after=beyond) == {"changes": [], "next": beyond, "more": False}


def test_another_s_collection_is_as_one_that_is_not_there(
    room: Room, ask: Callable[..., TestResponse]
) -> None:
    other = room.open("customs-nl")
    absent, hidden = ask(of=uuid4()), ask(of=other.id)
    assert absent.status_code == hidden.status_code == 404
    assert absent.get_json().keys() == hidden.get_json().keys()


def test_only_an_analyst_with_the_scope_reads(
    room: Room, client: FlaskClient, collection: Collection
) -> None:
    app, person = room.exchange.app, room.exchange.people["police-de"]
    path = f"/api/v1/exchange/collections/{collection.id}/changes"
    submitter = make_person(app, "police-de", [Role.SUBMITTER])
    for headers in (
        bearer(app, person, [Scope.INDICATORS_READ]),
        bearer(app, submitter, [Scope.EXCHANGE_WRITE]),
    ):
        assert client.get(path, headers=headers).status_code == 403
    assert client.get(path).status_code == 401

"""A collection as a feed of MISP: what an instance has in the end is what may be seen; logged."""

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from pymisp import MISPEvent
from sqlalchemy import select

from app import clock
from app.exchange import collections, misp_feed
from app.exchange.models import ExchangePoller
from app.exchange.views import Collection
from app.indicators import amending, service
from app.indicators.amending import Correction
from app.indicators.models import Given, Indicator, Report
from postern.misp.templates import TEMPLATE_NAMES
from postern.normalise import Value
from postern.vocabulary import RecallReason, Scope, SourceGrade, Tlp, Way
from tests.app.exchange import CLOSED, JAN, OPEN_TO_POLICE, REQUESTER_ONLY, SOPHIE, place
from tests.app.exchange_room.misp_instance import Instance, moving_clock
from tests.app.exchange_room.reading import Room
from tests.app.people import bearer

READ = [Scope.EXCHANGE_READ]

Fetch = Callable[..., Any]
Pass = Callable[[float], None]


@pytest.fixture
def shared(room: Room) -> Collection:
    """Everything that the post shares with the police."""
    room.exchange.publish("post-be", OPEN_TO_POLICE)
    return room.open()


@pytest.fixture
def headers(room: Room) -> dict[str, str]:
    return bearer(room.exchange.app, room.exchange.people["police-de"], READ)


@pytest.fixture
def fetch(client: FlaskClient, headers: dict[str, str]) -> Fetch:
    """A file of a collection's feed, as the police fetch it."""

    def fetched(collection: Collection, name: str = "manifest.json") -> Any:
        return client.get(f"/misp/{collection.id}/{name}", headers=headers)

    return fetched


@pytest.fixture
def instance(shared: Collection, fetch: Fetch) -> Instance:
    """The police's MISP, which pulls the feed of `shared`."""
    return _instance(fetch, shared)


@pytest.fixture
def pass_seconds(monkeypatch: pytest.MonkeyPatch) -> Pass:
    return moving_clock(monkeypatch)


def _instance(fetch: Fetch, collection: Collection) -> Instance:
    def get(name: str) -> str:
        answer = fetch(collection, name)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        found: str = answer.get_data(as_text=True)
        return found

    return Instance(get)


def _seen(room: Room, value: Value) -> Any:
    """An indicator that may be matched on the reader's premises, so that it comes with tokens."""
    return room.exchange.indicator(value, permitted_action="watch")


def _report_of(room: Room, indicator: UUID) -> UUID:
    found = room.within(
        lambda session: session.scalar(
            select(Report.public_id)
            .join(Indicator, Indicator.report_id == Report.id)
            .where(Indicator.public_id == indicator)
        )
    )
    assert found is not None
    return found


def _withdraw(room: Room, indicator: UUID) -> None:
    report, caller = _report_of(room, indicator), room.exchange.caller("post-be")
    room.within(lambda session: service.withdraw(session, caller, report, "error"))
    room.work()


def _amend(room: Room, indicator: UUID, **fields: Any) -> None:
    report, caller = _report_of(room, indicator), room.exchange.caller("post-be")
    correction = Correction(reason=RecallReason.WRONG_DATA, fields=fields)
    room.within(
        lambda session: amending.amend_indicator(session, caller, report, indicator, correction)
    )
    room.work()


def test_there_is_one_event_for_each_owner_and_day(
    room: Room, shared: Collection, fetch: Fetch
) -> None:
    exchange = room.exchange
    exchange.publish("customs-nl", OPEN_TO_POLICE)
    room.submit("post-be", _seen(room, SOPHIE), _seen(room, JAN))
    room.submit("post-be", _seen(room, JAN))
    room.submit("customs-nl", place())
    room.work()
    manifest = fetch(shared).get_json()
    events = {
        told["Orgc"]["name"]: json.loads(fetch(shared, f"{uuid}.json").get_data())["Event"]
        for uuid, told in manifest.items()
    }
    assert {name: len(each["Object"]) for name, each in events.items()} == {
        "Organisation post-be": 3,
        "Organisation customs-nl": 1,
    }
    today = clock.now().date().isoformat()
    assert {each["date"] for each in events.values()} == {today}
    assert {each["info"] for each in manifest.values()} == {
        f"Postal indicators of Organisation post-be, {today}",
        f"Postal indicators of Organisation customs-nl, {today}",
    }


def test_pymisp_reads_each_event_and_says_the_same_of_it_as_the_manifest_and_hashes(
    room: Room, shared: Collection, fetch: Fetch, pass_seconds: Pass
) -> None:
    room.submit("post-be", _seen(room, SOPHIE), place())
    room.work()
    pass_seconds(2)
    manifest = fetch(shared).get_json()
    (uuid,) = manifest
    read = MISPEvent()
    read.load(fetch(shared, f"{uuid}.json").get_data(as_text=True))
    theirs = read.manifest[uuid]
    told = manifest[uuid]
    assert (told["info"], told["date"]) == (theirs["info"], theirs["date"])
    assert int(told["timestamp"]) == theirs["timestamp"]
    assert told["Orgc"] == theirs["Orgc"]
    matching = {
        each.value
        for found in read.objects
        for each in found.attributes
        if each.to_ids or each.object_relation == "code"
    }
    assert len(matching) > 5
    lines = fetch(shared, "hashes.csv").get_data(as_text=True).splitlines()
    assert set(lines) == {
        f"{hashlib.md5(each.encode(), usedforsecurity=False).hexdigest()},{uuid}"
        for each in matching
    }


def test_nothing_in_clear_and_no_match_token_is_in_it(
    room: Room, shared: Collection, fetch: Fetch
) -> None:
    room.submit("post-be", _seen(room, SOPHIE))
    room.work()
    (uuid,) = fetch(shared).get_json()
    text = fetch(shared, f"{uuid}.json").get_data(as_text=True)
    assert '"postal1.1.' in text
    for clear in ("Sophie", "Damme", "Loi", "1040"):
        assert clear.lower() not in text.lower()
    for _, token in room.exchange.query(SOPHIE).tokens:
        encoded = base64.urlsafe_b64encode(token).decode().rstrip("=")
        assert encoded not in text
        assert token.hex() not in text


def test_an_instance_ends_with_what_may_be_seen(
    room: Room, shared: Collection, instance: Instance, pass_seconds: Pass
) -> None:
    kept, gone, changed = (
        room.submit("post-be", _seen(room, each))[0] for each in (SOPHIE, JAN, JAN)
    )
    room.work()
    pass_seconds(2)
    instance.pull()
    assert len(instance.living()) == 3
    assert {frozenset(each["tags"]) for each in _of(instance, "kind")} == {frozenset({"tlp:amber"})}

    _withdraw(room, gone)
    _amend(room, changed, tlp=Tlp.GREEN, source_grade=SourceGrade.B)
    pass_seconds(2)
    instance.pull()
    assert len(instance.fetched) == 1
    assert len(instance.living()) == 2
    assert not instance.dropped
    markings = {frozenset(each["tags"]) for each in _of(instance, "kind")}
    assert markings == {frozenset({"tlp:amber"}), frozenset({"tlp:green"})}
    grades = {
        frozenset(tag for tag in each["tags"] if "source-reliability" in tag)
        for each in _of(instance, "token")
    }
    assert grades == {
        frozenset({f'admiralty-scale:source-reliability="{word}"'}) for word in ("b", "f")
    }
    assert kept

    pass_seconds(2)
    instance.pull()
    assert instance.fetched == []


def _of(instance: Instance, relation: str) -> list[dict[str, Any]]:
    return [
        each
        for each in instance.attributes.values()
        if each["object_relation"] == relation and not each["deleted"]
    ]


def test_a_withdrawal_deletes_every_attribute_and_repeats_no_value(
    room: Room, shared: Collection, instance: Instance, fetch: Fetch, pass_seconds: Pass
) -> None:
    (gone,) = room.submit("post-be", _seen(room, SOPHIE), barrier_step=4)
    room.work()
    pass_seconds(2)
    instance.pull()
    said = {each["value"] for each in instance.attributes.values()} - {"1"}
    _withdraw(room, gone)
    pass_seconds(2)
    instance.pull()
    assert all(each["deleted"] for each in instance.attributes.values())
    assert not said & {each["value"] for each in instance.attributes.values()}
    assert fetch(shared, "hashes.csv").get_data() == b""


def test_a_change_within_the_second_of_a_pull_comes_with_a_later_one(
    room: Room, shared: Collection, instance: Instance, pass_seconds: Pass
) -> None:
    """All happens as fast as the test runs, most of it within one second."""
    indicators = []
    for each in (SOPHIE, JAN, SOPHIE, JAN):
        indicators += room.submit("post-be", _seen(room, each))
        room.work()
        instance.pull()
    _withdraw(room, indicators[0])
    instance.pull()
    _withdraw(room, indicators[1])
    pass_seconds(2)
    instance.pull()
    assert len(instance.living()) == 2


def test_the_feed_deletes_although_the_collection_tells_taxii_of_no_revocation(
    room: Room, fetch: Fetch, pass_seconds: Pass
) -> None:
    room.exchange.publish("post-be", OPEN_TO_POLICE)
    quiet = room.open(with_revoked=False)
    instance = _instance(fetch, quiet)
    (gone,) = room.submit("post-be", _seen(room, SOPHIE))
    room.work()
    pass_seconds(2)
    instance.pull()
    _withdraw(room, gone)
    pass_seconds(2)
    instance.pull()
    assert instance.living() == []


def test_what_was_never_fetched_leaves_nothing_behind(
    room: Room, shared: Collection, fetch: Fetch
) -> None:
    (gone,) = room.submit("post-be", _seen(room, SOPHIE))
    room.work()
    _withdraw(room, gone)
    assert fetch(shared).get_json() == {}


def test_what_may_not_be_seen_any_more_is_gone_before_the_log_knows(
    room: Room, shared: Collection, fetch: Fetch
) -> None:
    room.submit("post-be", _seen(room, SOPHIE))
    room.work()
    (uuid,) = fetch(shared).get_json()
    room.exchange.publish("post-be", CLOSED)
    assert fetch(shared).get_json() == {}
    hidden, unknown = fetch(shared, f"{uuid}.json"), fetch(shared, f"{uuid4()}.json")
    assert hidden.status_code == unknown.status_code == 404
    assert hidden.get_json()["code"] == unknown.get_json()["code"] == "not-found"
    assert fetch(shared, "hashes.csv").get_data() == b""


def test_what_comes_back_is_a_new_object_with_uuids_of_its_own(
    room: Room, shared: Collection, instance: Instance, pass_seconds: Pass
) -> None:
    room.submit("post-be", _seen(room, SOPHIE))
    room.work()
    pass_seconds(2)
    instance.pull()
    for policy in (CLOSED, OPEN_TO_POLICE):
        room.exchange.publish("post-be", policy)
        room.work()
        pass_seconds(2)
        instance.pull()
    assert len(instance.objects) == 2
    assert len(instance.living()) == 1
    assert not instance.dropped


def test_an_event_that_leaves_is_logged_noted_and_told_to_its_owner(
    room: Room, shared: Collection, fetch: Fetch
) -> None:
    exchange = room.exchange
    found = room.submit("post-be", _seen(room, SOPHIE), _seen(room, JAN))
    room.work()
    (uuid,) = fetch(shared).get_json()
    listed = exchange.entries("exchange.manifest")[-1]
    assert listed.details["events"] == 1
    (poller,) = exchange.rows(select(ExchangePoller))
    assert poller.person == exchange.people["police-de"].caller.person
    assert not exchange.rows(select(Given))
    assert fetch(shared, f"{uuid}.json").status_code == 200
    served = exchange.entries("exchange.serve")[-1]
    assert {str(each) for each in found} <= set(served.details["objects"])
    assert {each.way for each in exchange.rows(select(Given))} == {Way.FEED}
    assert {each.indicator for each in exchange.rows(select(Given))} == set(found)
    (told,) = exchange.entries("indicator.shared")
    assert "post-be" in told.audience


def test_hashes_are_logged_as_what_was_served(room: Room, shared: Collection, fetch: Fetch) -> None:
    found = room.submit("post-be", _seen(room, SOPHIE))
    room.work()
    assert fetch(shared, "hashes.csv").get_data()
    served = room.exchange.entries("exchange.serve")[-1]
    assert {str(each) for each in found} <= set(served.details["objects"])


def test_an_owner_whose_policy_tells_the_reader_alone_is_not_told(room: Room, fetch: Fetch) -> None:
    room.exchange.publish("post-be", OPEN_TO_POLICE + REQUESTER_ONLY)
    quiet = room.open()
    room.submit("post-be", _seen(room, SOPHIE))
    room.work()
    (uuid,) = fetch(quiet).get_json()
    assert fetch(quiet, f"{uuid}.json").status_code == 200
    assert room.exchange.entries("indicator.shared") == []


def test_a_long_event_comes_in_parts_each_of_which_is_logged(
    room: Room, shared: Collection, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(misp_feed, "OBJECTS_IN_PART", 2)
    for _ in range(5):
        room.submit("post-be", _seen(room, SOPHIE))
    room.work()
    (uuid,) = fetch(shared).get_json()
    before = len(room.exchange.entries("exchange.serve"))
    answer = fetch(shared, f"{uuid}.json")
    assert len(json.loads(answer.get_data())["Event"]["Object"]) == 5
    assert len(room.exchange.entries("exchange.serve")) == before + 3
    assert len(room.exchange.rows(select(Given))) == 5


def test_another_organisation_finds_no_feed(
    room: Room, shared: Collection, client: FlaskClient, fetch: Fetch
) -> None:
    room.submit("post-be", _seen(room, SOPHIE))
    room.work()
    (uuid,) = fetch(shared).get_json()
    theirs = bearer(room.exchange.app, room.exchange.people["customs-nl"], READ)
    for name in ("manifest.json", f"{uuid}.json", "hashes.csv"):
        for collection in (shared.id, uuid4()):
            answer = client.get(f"/misp/{collection}/{name}", headers=theirs)
            assert answer.status_code == 404
            assert answer.get_json()["code"] == "not-found"


def test_a_token_needs_the_scope(room: Room, shared: Collection, client: FlaskClient) -> None:
    writes = bearer(room.exchange.app, room.exchange.people["police-de"], [Scope.EXCHANGE_WRITE])
    for name in ("manifest.json", f"{uuid4()}.json", "hashes.csv"):
        answer = client.get(f"/misp/{shared.id}/{name}", headers=writes)
        assert answer.status_code == 403
        assert answer.get_json()["code"] == "not-allowed"


def test_misp_may_send_the_token_as_the_password_of_basic(
    room: Room, shared: Collection, client: FlaskClient, headers: dict[str, str]
) -> None:
    stranger = client.get(f"/misp/{shared.id}/manifest.json")
    assert stranger.status_code == 401
    assert "Basic" in stranger.headers["WWW-Authenticate"]
    token = headers["Authorization"].removeprefix("Bearer ")
    basic = base64.b64encode(f"misp:{token}".encode()).decode()
    known = client.get(
        f"/misp/{shared.id}/manifest.json", headers={"Authorization": f"Basic {basic}"}
    )
    assert known.status_code == 200
    assert known.headers["Cache-Control"] == "no-store"


def test_a_closed_collection_is_no_feed(room: Room, shared: Collection, fetch: Fetch) -> None:
    caller = room.exchange.caller("police-de")
    room.within(lambda session: collections.close(session, caller, shared.id))
    assert fetch(shared).status_code == 404


def test_other_names_are_not_found(shared: Collection, fetch: Fetch) -> None:
    long = f"{'a' * 5000}.json"
    for name in ("manifest", "..%2fmanifest.json", "x.json", "hashes.csv/", "%00.json", long):
        answer = fetch(shared, name)
        assert answer.status_code == 404
        assert answer.get_json()["code"] == "not-found"


def test_templates_and_taxonomy_are_public(client: FlaskClient) -> None:
    listed = client.get("/misp/templates/index.json").get_json()["templates"]
    assert [each["name"] for each in listed] == list(TEMPLATE_NAMES)
    for each in listed:
        answer = client.get(f"/misp/templates/{each['name']}/definition.json")
        assert answer.get_json()["uuid"] == each["uuid"]
        assert answer.headers["Cache-Control"] == "public, max-age=86400"
    assert client.get("/misp/templates/person/definition.json").status_code == 404
    taxonomy = client.get("/misp/taxonomies/postern/machinetag.json").get_json()
    assert taxonomy["namespace"] == "postern"


def test_schemas_of_the_extensions_are_public(client: FlaskClient) -> None:
    answer = client.get("/stix/postal-indicator.json")
    assert answer.status_code == 200
    assert answer.content_type == "application/schema+json"
    assert json.loads(answer.get_data())["$schema"].startswith("https://json-schema.org/")
    assert client.get("/stix/other.json").status_code == 404

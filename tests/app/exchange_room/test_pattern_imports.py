"""A shipping pattern that comes from another Postern becomes a proposal, or is told as unmapped."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import select

from app.exchange.server_models import ReceivedObject, ServerTry
from app.patterns import drafting
from app.patterns.beside import Beside
from app.patterns.models import PatternVersion, SharedPattern, VersionState
from postern.stix.names import EXTENSIONS
from postern.stix.records import OwnerRecord, PatternRecord
from postern.stix.shipping_patterns import pattern_of
from postern.vocabulary import Sector
from tests.app.exchange import make_exchange
from tests.app.exchange_room.peers import Peer, envelope, peer_server
from tests.app.exchange_room.reading import Room
from tests.app.exchange_room.taxii_room import Taxii, changed, loaded
from tests.app.exchange_room.test_subscriptions import add, ask, drain
from tests.app.patterns import writing
from tests.app.patterns.writing import document, published

OWNER = OwnerRecord("post-fr", "Poste de France", Sector.POST, "FR")
T1, T2 = "2026-11-20T08:00:00.000Z", "2026-11-21T08:00:00.000Z"
MADE = datetime(2026, 11, 19, 8, 0, tzinfo=UTC)


def sent(text: str = "", name: UUID | None = None, days: int = 0) -> list[dict[str, Any]]:
    """What another Postern serves of a pattern: with what it refers to, and what is beside it."""
    record = PatternRecord(
        name or uuid4(), MADE, MADE + timedelta(days=days), OWNER, text or document()
    )
    rendered = pattern_of(record)
    return [json.loads(entry.text) for entry in (*rendered.support, *rendered.own)]


def indicator_of(objects: list[dict[str, Any]]) -> dict[str, Any]:
    (found,) = [each for each in objects if each["type"] == "indicator"]
    return found


@pytest.fixture
def peer(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Peer]:
    with peer_server(Peer()) as made:
        yield made


@pytest.fixture
def taxii(app: Flask) -> Taxii:
    return Taxii(make_exchange(app), app.test_client())


def versions(room: Room) -> list[PatternVersion]:
    return room.exchange.rows(select(PatternVersion).order_by(PatternVersion.id))


def approve(room: Room, code: str) -> None:
    (pattern,) = room.exchange.rows(select(SharedPattern))
    proposed = [each for each in versions(room) if each.state is VersionState.PROPOSED]
    second = writing.second(room.exchange, code)
    writing.act(room.exchange, drafting.approve, second, pattern.public_id, proposed[-1].revision)


def test_a_polled_pattern_is_proposed_and_a_second_person_decides(room: Room, peer: Peer) -> None:
    name = uuid4()
    objects = sent(name=name)
    peer.says(envelope(objects, T1))
    made = add(room, peer.address)
    drain(room)
    (version,) = versions(room)
    assert (version.state, version.text) == (VersionState.PROPOSED, document())
    (held,) = [
        each for each in room.exchange.rows(select(ReceivedObject)) if each.type == "indicator"
    ]
    (pattern,) = room.exchange.rows(select(SharedPattern))
    assert held.content["pattern"] == str(pattern.public_id)
    assert document() not in json.dumps(held.content)
    (tried,) = room.exchange.rows(select(ServerTry))
    assert tried.refused == {"support": 5}
    peer.says(envelope(sent(document(title="Other words"), name, days=1), T2))
    ask(room, made)
    (version,) = versions(room)  # the proposal itself, anew
    assert (version.state, version.title) == (VersionState.PROPOSED, "Other words")
    approve(room, "police-de")
    peer.says(envelope(sent(document(title="Third words"), name, days=2), T2))
    ask(room, made)
    first, second = versions(room)
    assert (first.state, second.state) == (VersionState.PUBLISHED, VersionState.PROPOSED)
    gone = {**indicator_of(objects), "modified": "2026-11-25T08:00:00.000Z", "revoked": True}
    peer.says(envelope([gone], T2))
    ask(room, made)
    first, second = versions(room)
    assert (first.state, second.state) == (VersionState.PUBLISHED, VersionState.DISCARDED)


def test_what_cannot_be_proposed_is_counted_and_leaves_nothing(room: Room, peer: Peer) -> None:
    over = sent(document(days=-1))
    torn = indicator_of(sent(document("5f4f1d2e-0b5e-4f0a-9d0c-2d0a8f0f0a03")))
    torn["extensions"][EXTENSIONS["shipping-pattern"]]["sha256"] = "0" * 64
    failing = sent(document("5f4f1d2e-0b5e-4f0a-9d0c-2d0a8f0f0a04", weight=900))
    peer.says(envelope([indicator_of(over), torn, indicator_of(failing)], T1))
    add(room, peer.address)
    drain(room)
    assert versions(room) == []
    (tried,) = room.exchange.rows(select(ServerTry))
    assert (tried.kept, sum(tried.refused.values())) == (0, 3)
    assert tried.refused.get("pattern", 0) >= 2


def test_a_pushed_pattern_is_proposed_once_and_its_next_version_takes_its_place(
    taxii: Taxii,
) -> None:
    room = Room(taxii.exchange)
    name = uuid4()
    objects = sent(name=name)
    status = taxii.status(*objects)
    assert (status["success_count"], status["failure_count"]) == (len(objects), 0), status
    (version,) = versions(room)
    assert (version.state, version.text) == (VersionState.PROPOSED, document())
    assert taxii.status(*objects)["failure_count"] == 0
    assert len(versions(room)) == 1
    found = indicator_of(objects)
    other = indicator_of(sent(document(title="Other"), name))
    (failure,) = taxii.status({**other, "modified": found["modified"]})["failures"]
    assert "Other content" in failure["message"]
    assert taxii.status(indicator_of(sent(document(title="Other"), name, 1)))["failure_count"] == 0
    (version,) = versions(room)
    assert version.title == "Other"
    assert "later version" in taxii.status(found)["successes"][0]["message"]
    approve(room, "post-be")
    taxii.work()
    own = loaded(taxii.objects(taxii.own, type="indicator"))["objects"]
    assert [each["id"] for each in own] == [found["id"]]
    later = changed(indicator_of(sent(document(title="Other"), name, 1)), minutes=5)
    (failure,) = taxii.status({**later, "revoked": True})["failures"]
    assert "for a person to say" in failure["message"]
    assert (
        taxii.ask(
            f"/taxii2/exchange/collections/{taxii.own}/objects/{found['id']}/", method="DELETE"
        ).status_code
        == 404
    )


def test_a_pushed_proposal_is_taken_back_before_anybody_decides(taxii: Taxii) -> None:
    found = indicator_of(sent())
    assert taxii.status(found)["success_count"] == 1
    assert taxii.status(changed(found, revoked=True))["success_count"] == 1
    room = Room(taxii.exchange)
    assert [each for each in versions(room) if each.state is VersionState.PROPOSED] == []


@pytest.mark.parametrize(
    ("properties", "place"),
    [
        ({"text": "format: parcel-pattern/1"}, "text"),
        ({"text": 7}, "text"),
        ({"sha256": "0" * 64}, "sha256"),
        ({"rule": "5f4f1d2e-0b5e-4f0a-9d0c-2d0a8f0f0aff"}, "rule"),
        ({"format": "parcel-pattern/9"}, "format"),
        ({"note": "More."}, "shipping-pattern"),
    ],
    ids=["cut", "no-text", "digest", "rule", "format", "more"],
)
def test_a_pattern_that_contradicts_itself_is_refused_by_place(
    taxii: Taxii, properties: dict[str, Any], place: str
) -> None:
    found = indicator_of(sent())
    found["extensions"][EXTENSIONS["shipping-pattern"]] |= properties
    (failure,) = taxii.status(found)["failures"]
    assert place in failure["message"]
    assert versions(Room(taxii.exchange)) == []


def test_a_draft_of_another_person_is_not_overwritten(taxii: Taxii) -> None:
    room = Room(taxii.exchange)
    pattern = published(taxii.exchange, "post-be")
    writer = writing.second(taxii.exchange, "post-be")
    writing.act(
        taxii.exchange,
        drafting.save_draft,
        writer,
        pattern,
        document(title="Mine"),
        Beside(),
        None,
    )
    (failure,) = taxii.status(indicator_of(sent(document(title="Theirs"))))["failures"]
    assert failure["message"]
    assert [each.title for each in versions(room)][-1] == "Mine"

"""Shipping patterns in collections: served by their own policy, told when they end, proposed."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import stix2
from sqlalchemy import func, select, update

from app import clock
from app.disclosures import ledger_reading, outcomes
from app.exchange.models import ExchangeEntry
from app.exchange.views import Collection, Filters
from app.indicators.models import Given
from app.patterns import drafting, upkeep
from app.patterns.models import SharedPattern
from app.prepared import Prepared
from postern.stix.names import EXTENSIONS
from postern.vocabulary import Kind, Way
from tests.app.exchange import CLOSED, OPEN_TO_POLICE, SOPHIE
from tests.app.exchange_room.reading import Room
from tests.app.patterns import writing
from tests.app.patterns.writing import document, next_version, published, shares

PATTERN = EXTENSIONS["shipping-pattern"]
OWNER = "post-be"


@pytest.fixture
def shared(room: Room) -> Collection:
    """Where police read what others share; the post shares its patterns with everybody."""
    room.exchange.publish(OWNER, shares(OWNER, "feed", "screen"))
    return room.open()


def rows(room: Room, collection: Collection, **fields: Any) -> list[Any]:
    """What is served of patterns, all versions of what belongs to them."""
    found = room.page(collection, Filters(**({"versions": ("all",)} | fields))).rows
    return [row for row in found if row.indicator is not None]


def indicators(room: Room, collection: Collection) -> list[dict[str, Any]]:
    return [json.loads(row.text) for row in rows(room, collection) if row.type == "indicator"]


def test_a_pattern_is_served_with_its_way_of_working_after_what_it_refers_to(
    room: Room, shared: Collection
) -> None:
    assert room.page(shared).rows == []
    pattern = published(room.exchange, OWNER)
    room.work()
    served = room.page(shared)
    objects = [json.loads(text) for text in served.texts]
    assert [each["type"] for each in objects[-3:]] == [
        "indicator",
        "attack-pattern",
        "relationship",
    ]
    assert {each["type"] for each in objects[:-3]} == {
        "identity",
        "extension-definition",
        "marking-definition",
    }
    bundle = {"type": "bundle", "id": f"bundle--{shared.id}", "objects": objects}
    assert stix2.parse(bundle, allow_custom=False)
    found = objects[-3]
    assert found["extensions"][PATTERN]["text"] == document()
    assert str(pattern) not in json.dumps(objects)
    assert objects[-1]["source_ref"] == found["id"]
    assert served.added == sorted(set(served.added))
    assert served.added[-1] % 1000 == 0


def test_each_page_is_in_the_log_of_both_and_in_the_ledger(room: Room, shared: Collection) -> None:
    told = shares(OWNER, "feed", "screen", "tell_owner")
    room.exchange.publish(OWNER, told)
    pattern = published(room.exchange, OWNER)
    room.work()
    room.page(shared)
    (reader,) = room.exchange.entries("exchange.serve")
    assert str(pattern) in reader.details["objects"]
    (owner,) = room.exchange.entries("pattern.shared")
    assert str(pattern) in repr(owner.details)
    assert room.exchange.entries("indicator.shared") == []
    (given,) = room.within(lambda s: s.execute(select(Given.__table__)).all())
    assert (given.indicator, given.way, given.level) == (pattern, Way.FEED, 2)
    assert given.tells_owner


@pytest.mark.parametrize(
    "actions", [(), ("feed",), ("screen",)], ids=["metadata", "fed", "screened"]
)
def test_without_list_and_screening_both_no_rule_is_in_a_collection(
    room: Room, actions: tuple[str, ...]
) -> None:
    room.exchange.publish(OWNER, shares(OWNER, *actions))
    collection = room.open()
    published(room.exchange, OWNER)
    room.work()
    assert room.page(collection).rows == []
    assert room.within(lambda s: s.scalar(select(func.count()).select_from(ExchangeEntry))) == 0


def test_a_new_version_is_a_later_modified_of_the_same_id(room: Room, shared: Collection) -> None:
    pattern = published(room.exchange, OWNER)
    room.work()
    (first,) = indicators(room, shared)
    next_version(room.exchange, OWNER, pattern, document(title="Letters, again"))
    (still,) = indicators(room, shared)
    assert still == first  # the worker has not come yet
    room.work()
    before, after = indicators(room, shared)
    assert (before, after["id"]) == (first, first["id"])
    assert after["modified"] > first["modified"]
    assert after["created"] == first["created"]
    assert after["name"] == "Letters, again"
    last = room.page(shared, Filters(main_only=True)).rows
    assert [json.loads(row.text) for row in last] == [after]


def test_what_is_narrowed_deprecated_or_hidden_leaves_at_once_and_is_revoked(
    room: Room, shared: Collection
) -> None:
    exchange = room.exchange
    rule_ids = [f"5f4f1d2e-0b5e-4f0a-9d0c-2d0a8f0f0a0{number}" for number in range(3)]
    narrowed, deprecated, kept = (published(exchange, OWNER, document(each)) for each in rule_ids)
    room.work()
    served = {row.indicator: row.id for row in rows(room, shared) if row.type == "indicator"}
    next_version(exchange, OWNER, narrowed, document(rule_ids[0], tlp="RED"))
    writing.act(
        exchange, drafting.deprecate, writing.second(exchange, OWNER), deprecated, "Not useful."
    )
    now = {row.indicator for row in rows(room, shared)}
    assert now == {kept}  # before the worker has come
    room.work()
    gone = [each for each in indicators(room, shared) if each.get("revoked")]
    assert {each["id"] for each in gone} == {served[narrowed], served[deprecated]}
    for each in gone:
        assert PATTERN not in each.get("extensions", {})
        assert "Documents" not in json.dumps(each)
    others = [row for row in rows(room, shared) if row.is_revoked and row.type != "indicator"]
    assert sorted(row.type for row in others) == ["attack-pattern", "relationship"] * 2 or (
        sorted(row.type for row in others)
        == ["attack-pattern", "attack-pattern", "relationship", "relationship"]
    )
    exchange.publish(OWNER, CLOSED)
    assert kept not in {row.indicator for row in rows(room, shared) if not row.is_revoked}
    room.work()
    assert all(each.get("revoked") for each in indicators(room, shared))
    exchange.publish(OWNER, shares(OWNER, "feed", "screen"))
    room.work()
    (back,) = [each for each in indicators(room, shared) if not each.get("revoked")]
    assert back["id"] not in served.values()


def test_what_was_never_served_goes_without_a_word(room: Room, shared: Collection) -> None:
    pattern = published(room.exchange, OWNER)
    room.work()
    writing.act(
        room.exchange, drafting.deprecate, writing.second(room.exchange, OWNER), pattern, "Wrong."
    )
    room.work()
    assert room.page(shared).rows == []


def test_a_pattern_shared_later_comes_after_every_date_that_was_served(
    room: Room, shared: Collection
) -> None:
    exchange = room.exchange
    early = published(exchange, "customs-nl")
    published(exchange, OWNER, document("5f4f1d2e-0b5e-4f0a-9d0c-2d0a8f0f0a02"))
    room.work()
    first = room.page(shared)
    assert early not in [row.indicator for row in first.rows]
    exchange.publish("customs-nl", shares("customs-nl", "feed", "screen"))
    room.work()
    later = room.page(shared, after=first.last_added)
    assert early in [row.indicator for row in later.rows]
    assert not {row.indicator for row in first.rows} & {
        row.indicator for row in later.rows if row.indicator
    }


def test_pages_of_both_kinds_bring_everything_once_by_type_and_by_id(
    room: Room, shared: Collection
) -> None:
    exchange = room.exchange
    exchange.publish(OWNER, OPEN_TO_POLICE)
    made = [published(exchange, OWNER, document(str(UUID(int=n, version=4)))) for n in range(3)]
    made += room.submit(OWNER, exchange.indicator(SOPHIE))
    room.work()
    found: list[Any] = []
    after: int | None = None
    while True:
        page = room.page(shared, limit=2, after=after)
        found += page.rows
        after = page.next
        if after is None:
            break
    assert {row.indicator for row in found if row.indicator} == set(made)
    assert len({row.added for row in found}) == len(found) == len(room.page(shared).rows)
    ways = rows(room, shared, types=("attack-pattern",))
    assert len(ways) == 3
    (one,) = rows(room, shared, ids=(ways[1].id,))
    assert one == ways[1]
    assert rows(room, shared, added_after=found[-1].added) == []


def test_patterns_cost_a_page_no_round_trip_more(
    room: Room, shared: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange = room.exchange
    exchange.publish(OWNER, OPEN_TO_POLICE)
    room.submit(OWNER, exchange.indicator(SOPHIE))
    room.work()
    executed: list[Prepared] = []
    execute = Prepared.execute

    def noted(self: Prepared, *given: Any) -> list[Any]:
        executed.append(self)
        return execute(self, *given)

    def asked() -> int:
        executed.clear()
        room.page(shared)
        return len(executed)

    monkeypatch.setattr(Prepared, "execute", noted)
    before = asked()
    published(exchange, OWNER)
    room.work()
    assert asked() == before > 0


def test_the_ledger_names_it_as_a_pattern_and_no_outcome_of_an_indicator_is_taken(
    room: Room, shared: Collection
) -> None:
    room.exchange.publish(OWNER, shares(OWNER, "feed", "screen", "tell_owner"))
    pattern = published(room.exchange, OWNER)
    room.work()
    room.page(shared)
    owner = room.exchange.caller(OWNER)
    (told,) = room.within(
        lambda s: ledger_reading.read(s, owner, ledger_reading.Filters(), 10)
    ).indicators
    assert (told.indicator, told.kind, told.report) == (pattern, Kind.PATTERN, None)
    police = room.exchange.caller("police-de")
    assert room.within(lambda s: outcomes._counted(s, police.member[0], pattern)) is None


def test_the_ledger_ends_with_the_pattern(room: Room, shared: Collection) -> None:
    pattern = published(room.exchange, OWNER)
    room.work()
    room.page(shared)
    past = clock.now() - timedelta(days=400)
    room.within(
        lambda s: s.execute(
            update(SharedPattern)
            .where(SharedPattern.public_id == pattern)
            .values(deprecated_at=past, deprecation_reason="Over.")
        )
    )
    assert room.within(upkeep.erase) == 1
    assert room.exchange.rows(select(Given)) == []


def test_ones_own_patterns_are_in_ones_own_collection_and_in_no_other(room: Room) -> None:
    own, others = room.own(OWNER), room.open(OWNER)
    pattern = published(room.exchange, OWNER)
    room.work()
    assert {row.indicator for row in rows(room, own)} == {pattern}
    assert room.page(others).rows == []
    assert room.within(lambda s: s.scalar(select(func.count()).select_from(Given))) == 0

"""What goes into a simulation and what the log is told of it, without a database."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from app.clock import day
from app.sharing import (
    grants,
    own_assets,
    readers,
    service,
    simulation,
    versions,
    visibility,
)
from app.sharing.asset_comparison import AssetAtAge
from app.sharing.changes import Compared, Example, Figure
from app.sharing.own_assets import OwnAsset
from app.sharing.policy_text import Policy
from app.sharing.probe import probe
from app.sharing.seats import Member
from app.sharing.visibility import ClassCount
from postern.vocabulary import Kind, PartyRole, Tlp
from tests.app.sharing.test_audience import CUSTOMS, OWNER, READABLE, permit, version_of
from tests.app.sharing.test_composing import SESSION, WRITER, within
from tests.app.sharing.test_history import HELD, NOON, WAITING
from tests.app.sharing.world import PLAIN, like

PHONE = like(kind=Kind.PHONE, role=PartyRole.VENDOR, tlp=Tlp.GREEN)
MEMBERS = {
    7: replace(OWNER, communities=("a",)),
    **{20 + place: each for place, (_, each) in enumerate(READABLE)},
}


def counted(class_id: int, band: int, count: int) -> ClassCount:
    attributes = PLAIN if class_id == 1 else PHONE
    return ClassCount(7, class_id, attributes.stored(), band, count)


LIVE = [counted(1, 0, 2), counted(2, 0, 9), counted(1, 3, 2)]


def ids_of(each: ClassCount) -> list[UUID]:
    return [
        UUID(int=each.share_class_id * 1000 + each.age_band * 100 + number)
        for number in range(min(each.count, 3))
    ]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the log was told, of an owner with two classes and three lots of live indicators."""
    found: list[Any] = []
    classes = [SimpleNamespace(id=1, attributes=PLAIN), SimpleNamespace(id=2, attributes=PHONE)]

    def examples(session: object, each: ClassCount, at: object, most: int) -> list[UUID]:
        assert (session, at, most) == (SESSION, NOON, 3)
        found.append(("examples", each.share_class_id, each.age_band))
        return ids_of(each)

    def mine(value: Any, *, none: Any = None) -> Any:
        return lambda session, owner_id, *_: value if (session, owner_id) == (SESSION, 7) else none

    monkeypatch.setattr(simulation, "append", lambda *given, **more: found.append((*given, more)))
    monkeypatch.setattr(grants, "members", within(MEMBERS))
    monkeypatch.setattr(grants, "classes_of", mine(classes))
    monkeypatch.setattr(
        visibility, "live_by_class", lambda *asked: LIVE if asked == (SESSION, 7, NOON) else []
    )
    monkeypatch.setattr(visibility, "examples", examples)
    monkeypatch.setattr(own_assets, "in_force", mine([], none=[]))
    monkeypatch.setattr(readers, "others", mine(READABLE))
    monkeypatch.setattr(versions, "in_force", mine(None))
    monkeypatch.setattr(versions, "scheduled", mine(None))
    monkeypatch.setattr(
        service, "check", within(lambda text: version_of(*text.splitlines()).policies)
    )
    return found


PRESENCE = permit("presence", CUSTOMS)


def test_a_text_is_compared_with_what_holds_and_with_what_waits(
    told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    held = replace(HELD, seq=2, policies=version_of(PRESENCE).policies)
    waits = replace(WAITING, seq=4, policies=())
    monkeypatch.setattr(versions, "in_force", lambda *asked: _only(asked, held))
    monkeypatch.setattr(versions, "scheduled", lambda *asked: _only(asked, waits))
    found = simulation.simulate(SESSION, WRITER, PRESENCE, NOON)
    assert found.at == NOON
    assert found.sha256 == hashlib.sha256(PRESENCE.encode()).hexdigest()
    assert [each.against for each in found.comparisons] == [
        Compared(2, held.valid_from, is_scheduled=False),
        Compared(4, waits.valid_from, is_scheduled=True),
    ]
    assert [each.is_nothing for each in found.comparisons] == [True, False]
    assert [each.indicators for each in found.comparisons] == [13, 13]
    changes = found.comparisons[1].readers[0].changes
    assert [each.count for each in changes] == [13]
    # Of the class with most indicators first, and not one more than is shown.
    assert changes[0].examples == tuple(
        Example(each, Kind.PHONE, PartyRole.VENDOR, Tlp.GREEN, 0) for each in ids_of(LIVE[1])
    )
    assert told[:-1] == [("examples", 2, 0)]
    more = {
        "object_type": "policy",
        "objects": ["post-be/2", "post-be/4"],
        "results": sorted(str(each) for each in ids_of(LIVE[1])),
        "details": {"sha256": found.sha256},
    }
    assert told[-1] == (SESSION, WRITER, "policy.simulate", more)


def _only(asked: Sequence[Any], version: Any) -> Any:
    return version if tuple(asked) == (SESSION, 7, NOON) else None


def test_where_nothing_holds_all_that_is_given_is_new(told: list[Any]) -> None:
    found = simulation.simulate(SESSION, WRITER, PRESENCE, NOON)
    (compared,) = found.comparisons
    assert compared.against == Compared(0, None, is_scheduled=False)
    assert [each.code for each in compared.new_readers] == ["customs-be", "customs-nl"]
    assert told[-1][-1]["objects"] == ["post-be/0"]


def test_the_text_is_probed_for_the_owner_among_all_members(
    told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def probing(policies: Sequence[Policy], owner: Member, members: Any) -> Any:
        asked.append((owner, list(members)))
        return probe(policies, owner, asked[0][1])

    monkeypatch.setattr(simulation, "probe", probing)
    nobody = simulation.simulate(SESSION, WRITER, permit("metadata", CUSTOMS), NOON)
    assert asked == [(OWNER, list(MEMBERS.values()))]
    assert [fault.policy for fault in nobody.faults] == ["text"]
    assert [fault.policy for fault in nobody.warnings] == ["a/0"]
    assert told


def test_every_class_stands_at_every_age_with_or_without_an_indicator(told: list[Any]) -> None:
    stock = simulation._stock(SESSION, 7, NOON)
    assert [(each.subject, each.counted, each.count) for each in stock] == [
        (
            (attributes, band),
            next((c for c in LIVE if (c.share_class_id, c.age_band) == (class_id, band)), None),
            sum(c.count for c in LIVE if (c.share_class_id, c.age_band) == (class_id, band)),
        )
        for class_id, attributes in ((1, PLAIN), (2, PHONE))
        for band in range(5)
    ]
    assert told == []


@pytest.mark.parametrize("kind", [Kind.PATTERN, Kind.BARRIER])
def test_patterns_and_barriers_are_no_stock_and_are_compared_at_the_age_of_today(
    kind: Kind, told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asset = like(kind=kind, tlp=Tlp.GREEN)
    classes = [SimpleNamespace(id=1, attributes=PLAIN), SimpleNamespace(id=5, attributes=asset)]
    monkeypatch.setattr(grants, "classes_of", lambda *_: classes)
    monkeypatch.setattr(visibility, "live_by_class", lambda *_: [])
    assert [each.subject[0] for each in simulation._stock(SESSION, 7, NOON)] == [PLAIN] * 5
    own = [
        OwnAsset(UUID(int=number), f"Asset {number}", asset, day(NOON) - age)
        for number, age in ((9, 0), (8, 7), (3, -1), (4, 6))
    ]
    monkeypatch.setattr(
        own_assets, "in_force", lambda *asked: own if asked == (SESSION, 7, NOON, kind) else []
    )
    assert simulation._assets(SESSION, 7, NOON, kind) == [
        AssetAtAge(each.id, each.title, (asset, band))
        for each, band in zip(own, (0, 1, 0, 0), strict=True)
    ]
    fresh = permit("presence metadata feed", f"{CUSTOMS} && resource.ageBand == 0")
    old = permit("presence metadata feed", f"{CUSTOMS} && resource.ageBand == 1")
    monkeypatch.setattr(
        versions, "in_force", lambda *_: replace(HELD, policies=version_of(fresh).policies)
    )
    (compared,) = simulation.simulate(SESSION, WRITER, old, NOON).comparisons
    known = {Kind.PATTERN: compared.patterns.known, Kind.BARRIER: compared.barriers.known}
    assert known.pop(kind) == Figure(3, 1, 1, 3)
    assert list(known.values()) == [Figure()]
    assert told[-1][-1]["results"] == sorted(str(UUID(int=number)) for number in (9, 8, 3, 4))


def test_examples_are_of_the_largest_first_and_each_is_read_once(told: list[Any]) -> None:
    examples = simulation._Examples(SESSION, NOON)
    assert examples.of([]) == ()
    small = [LIVE[2], LIVE[0]]
    found = examples.of(small)
    assert [each.id for each in found] == [*ids_of(LIVE[0]), ids_of(LIVE[2])[0]]
    assert [each.age_band for each in found] == [0, 0, 3]
    assert examples.of(small) == found
    assert told == [("examples", 1, 0), ("examples", 1, 3)]
    both = sorted(str(each) for lot in small for each in ids_of(lot))
    assert examples.told() == both
    equal = [counted(2, 0, 2), counted(1, 0, 2)]
    assert examples.of(equal)[0].kind is PLAIN.kind


def test_the_owner_is_asked_about_without_its_communities(told: list[Any]) -> None:
    in_its_community = permit("presence", f'{CUSTOMS} && resource.owner in Community::"a"')
    found = simulation.simulate(SESSION, WRITER, in_its_community, NOON)
    assert found.comparisons[0].is_nothing
    assert told

"""Who got the rules of one's patterns, decided again, without a database."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from app.clock import day
from app.sharing import asset_replay
from app.sharing.asset_replay import GivenAsset, ReplayedAssets, given_assets, replayed
from app.sharing.changes import AssetExample
from app.sharing.own_assets import OwnAsset
from app.sharing.policy_text import PolicyRefusedError
from postern.vocabulary import Kind, LegalBasis, PermittedAction, Purpose, Tlp
from tests.app.sharing.test_audience import CUSTOMS, NAMES, OWNER, READERS, permit, version_of
from tests.app.sharing.test_history import NOON
from tests.app.sharing.test_replayed import entry
from tests.app.sharing.world import like

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CONTROL, LAW = Purpose.CUSTOMS_CONTROL, LegalBasis.CUSTOMS_LAW
PATTERN = like(kind=Kind.PATTERN, tlp=Tlp.GREEN, permitted_action=PermittedAction.WATCH)
IDS = [UUID(int=number) for number in range(6)]
OWN = [OwnAsset(each, f"Pattern {each.int}", PATTERN, day(NOON) - 10) for each in IDS[:5]]
BY_CODE = {each.code: (NAMES[each.code], each) for each in READERS}
# Its rule for a week, then its title for three more, then nothing.
TEXT = (
    permit("presence metadata screen", f"{CUSTOMS} && resource.ageBand == 0"),
    permit("presence metadata feed", f"{CUSTOMS} && resource.ageBand == 1"),
)


def given(
    pattern: int = 0,
    ago: timedelta = 9 * DAY,
    viewer: str = "customs-be",
    purpose: Purpose = CONTROL,
    basis: LegalBasis = LAW,
) -> GivenAsset:
    return GivenAsset(NOON - ago, viewer, purpose, basis, IDS[pattern])


def again(*found: GivenAsset, text: tuple[str, ...] = TEXT) -> tuple[ReplayedAssets, ...]:
    return replayed(found, OWN, OWNER, BY_CODE, version_of(*text).policies, kind=Kind.PATTERN)


def example(number: int) -> AssetExample:
    return AssetExample(IDS[number], f"Pattern {number}")


def test_each_rule_of_an_entry_was_given() -> None:
    told = entry(HOUR, "pattern.shared", purpose=CONTROL, basis=LAW, objects=IDS[:2])
    erased = entry(2 * HOUR, "pattern.shared", objects=())
    erased = replace(erased, details={})
    assert given_assets([told, erased]) == [
        GivenAsset(NOON - HOUR, "police-de", CONTROL, LAW, each) for each in IDS[:2]
    ]
    assert asset_replay.ACTS == {
        Kind.PATTERN: "pattern.shared",
        Kind.BARRIER: "barrier.shared",
    }


def test_nothing_given_is_nothing_replayed() -> None:
    assert again() == ()


def test_each_rule_is_decided_at_the_age_of_its_day() -> None:
    found = again(
        given(),  # a day old
        given(1, 3 * DAY),  # a week
        given(2, 11 * DAY),  # of an earlier version: it counts as new
        given(3, 10 * DAY, "customs-nl"),
        given(4, -40 * DAY, "customs-nl"),  # as far as the age tells
        given(5, viewer="customs-nl"),  # not in force any more
    )
    assert found == (
        ReplayedAssets(NAMES["customs-be"], CONTROL, 2, 1, 0, 0, (example(1),)),
        ReplayedAssets(NAMES["customs-nl"], CONTROL, 1, 0, 1, 1, (example(4),)),
    )


def test_who_is_no_reader_for_that_purpose_would_get_nothing() -> None:
    found = again(given(viewer="police-de"), given(viewer="police-be", basis=LegalBasis.POLICE_LAW))
    assert [(each.organisation.code, each.nothing, each.same) for each in found] == [
        ("police-be", 1, 0),
        ("police-de", 1, 0),
    ]


def test_each_basis_is_decided_by_itself_and_purposes_are_told_apart() -> None:
    on_order = 'context.legalBasis == LegalBasis::"court_order"'
    text = (permit("presence metadata screen", f"{CUSTOMS} && {on_order}"),)
    risk = Purpose.RISK_ANALYSIS
    found = again(
        given(basis=LegalBasis.COURT_ORDER),
        given(1),
        given(2, purpose=risk),
        given(5),
        given(3, basis=LegalBasis.COURT_ORDER),
        text=text,
    )
    assert found == (
        ReplayedAssets(NAMES["customs-be"], CONTROL, 2, 0, 1, 1, (example(1),)),
        ReplayedAssets(NAMES["customs-be"], risk, 0, 0, 1, 0, (example(2),)),
    )


def test_whatever_happened_more_than_once_is_counted_each_time() -> None:
    found = again(*[given(1, 3 * DAY)] * 3, *[given(5)] * 4)
    assert [(each.known, each.gone) for each in found] == [(3, 4)]


def test_up_to_three_are_named_once_each_the_last_given_first() -> None:
    found = again(*[given(number) for number in (3, 3, 1, 0, 2)], text=())
    assert (found[0].nothing, found[0].examples) == (5, (example(3), example(1), example(0)))


def test_each_pattern_is_decided_by_its_class(monkeypatch: pytest.MonkeyPatch) -> None:
    red = replace(OWN[1], attributes=replace(PATTERN, tlp=Tlp.RED))
    found = replayed(
        [given(), given(1)],
        [OWN[0], red],
        OWNER,
        BY_CODE,
        version_of(*TEXT).policies,
        kind=Kind.PATTERN,
    )
    assert (found[0].same, found[0].examples) == (1, (example(1),))
    monkeypatch.setattr(asset_replay, "MOST_PAIRS", 1)
    with pytest.raises(PolicyRefusedError):
        again(given(), given(1, 3 * DAY))


def test_a_barrier_is_told_as_a_whole_or_not_at_all() -> None:
    barriers = [replace(each, attributes=like(kind=Kind.BARRIER, tlp=Tlp.GREEN)) for each in OWN]
    (found,) = replayed(
        [given(), given(1, 3 * DAY), given(5)],
        barriers,
        OWNER,
        BY_CODE,
        version_of(*TEXT).policies,
        kind=Kind.BARRIER,
    )
    # Where it could be screened with alone nothing of it is told; where it is fed, all is.
    assert (found.same, found.known, found.nothing, found.gone) == (1, 0, 1, 1)
    assert found.examples == (example(0),)


def test_a_day_begins_at_midnight() -> None:
    midnight = datetime(NOON.year, NOON.month, NOON.day, tzinfo=NOON.tzinfo)
    of_week = given(0, NOON - (midnight - 3 * DAY))
    day_before = given(1, NOON - (midnight - 3 * DAY - timedelta(seconds=1)))
    (found,) = again(of_week, day_before)
    assert (found.known, found.same) == (1, 1)

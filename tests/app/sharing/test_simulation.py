"""Before a policy takes effect: the figures are those of every record counted one by one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app import clock
from app.access import CONSOLE, Caller, Means
from app.audit.reading import Filters, entries
from app.database import Database
from app.indicators.models import Indicator
from app.organisations import service as organisations
from app.organisations.models import OrganisationStatus
from app.sharing import service, versions
from app.sharing.changes import Comparison, Figure, ReaderChange
from app.sharing.classes import ClassAttributes
from app.sharing.classes import read as read_class
from app.sharing.models import Cause, ShareClass
from app.sharing.policy_text import PolicyRefusedError
from app.sharing.readers import Access, Named, Rule
from app.sharing.seats import Member, Seat
from app.sharing.simulation import Simulation, simulate
from postern.vocabulary import (
    INDICATOR_KINDS,
    Kind,
    LegalBasis,
    Level,
    Purpose,
    Role,
    Sector,
    Tlp,
    Told,
)
from tests.app.sharing import small_language
from tests.app.sharing.reference import Expected, band_of, reference_ruling
from tests.app.sharing.small_language import Asked, Clause, Condition, expected, text_of
from tests.app.sharing.world import (
    EVERYTHING_TO_POLICE,
    TODAY,
    World,
    like,
    moment,
    trio,
)
from tests.deeper import examples

NOON = moment(TODAY)

PRESENCE_TO_EXCHANGE = """
@id("post-be/presence") @label("The exchange learns of us")
permit (principal in Community::"postal-exchange", action == Action::"presence", resource);
"""
OPEN = '@id("post-be/open") @label("All") permit (principal, action, resource);\n'
ON_A_COURT_ORDER = """
@id("post-be/order") @label("Police see it on a court order")
permit (principal in Sector::"police", action in [Action::"presence", Action::"metadata"], resource)
when { context.legalBasis == LegalBasis::"court_order" };
"""


@pytest.fixture(autouse=True)
def at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOON)


def policy_owner(world: World, code: str = "post-be") -> Caller:
    return Caller(
        person_id=1,
        person=UUID(int=1),
        organisation_id=world.ids[code],
        organisation=code,
        roles=frozenset({Role.POLICY_OWNER}),
        scopes=None,
        means=Means.SESSION,
    )


def simulated(world: World, text: str, code: str = "post-be") -> Simulation:
    with world.database.transaction() as session:
        return simulate(session, policy_owner(world, code), text, NOON)


def compared(world: World, text: str) -> Comparison:
    (found,) = simulated(world, text).comparisons
    return found


def row(comparison: Comparison, code: str, purpose: Purpose) -> ReaderChange:
    (found,) = (
        each
        for each in comparison.readers
        if each.purpose is purpose and code in {named.code for named in each.organisations}
    )
    return found


def test_who_gains_learns_of_every_live_indicator_with_the_rules_that_grant(
    database: Database,
) -> None:
    world = trio(database)
    for age in (0, 1, 40):
        world.indicator("post-be", age=age)
    world.indicator("post-be", like(tlp=Tlp.RED))
    world.indicator("post-be", expires_in=0)  # has ended
    world.indicator("post-be", age=-1)  # is not seen yet
    world.indicator("customs-nl")  # is another's
    found = compared(world, EVERYTHING_TO_POLICE)
    assert (found.indicators, found.concerned, found.is_nothing) == (4, 3, False)
    assert found.new_readers == (Named("police-de", "POLICE-DE"),) == found.gaining
    assert (found.losing, found.lost_readers) == ((), ())
    assert {each.purpose for each in found.readers} == {
        Purpose.CRIMINAL_INVESTIGATION,
        Purpose.CRIMINAL_INTELLIGENCE,
        Purpose.RISK_ANALYSIS,
    }
    change = row(found, "police-de", Purpose.CRIMINAL_INVESTIGATION)
    assert (change.is_new, change.bases) == (True, ())
    assert change.figures.request == Figure(0, 3, 3, 0) == change.figures.feed
    assert change.figures.screen == Figure()  # what is to be known only is not screened
    assert change.figures.told_both == Figure(0, 3, 3, 0)
    (group,) = change.changes
    assert (group.before, group.after) == (
        Access(None, False, False, None),
        Access(Level.REQUEST, False, True, Told.BOTH),
    )
    assert (group.count, len(group.examples)) == (3, 3)
    assert {(each.kind, each.tlp) for each in group.examples} == {(Kind.PARTY, Tlp.AMBER)}
    assert {each.age_band for each in group.examples} == {0, 2}
    assert group.rules_before == ()
    assert group.rules_after == (Rule("post-be/all-to-police", "Police see everything"),)


def test_who_loses_is_named_and_a_narrower_level_is_a_loss(database: Database) -> None:
    world = trio(database)
    world.indicator("post-be")
    world.publish("post-be", EVERYTHING_TO_POLICE)
    found = compared(world, PRESENCE_TO_EXCHANGE)
    assert [each.code for each in found.losing] == ["police-de"]
    assert (
        [each.code for each in found.gaining]
        == ["customs-nl"]
        == [each.code for each in found.new_readers]
    )
    assert found.readers[0].is_new  # new readers first
    lost = row(found, "police-de", Purpose.RISK_ANALYSIS)
    assert (lost.figures.presence, lost.figures.metadata) == (Figure(1, 1), Figure(1, 0, 0, 1))
    assert [rule.id for rule in lost.changes[0].rules_before] == ["post-be/all-to-police"]
    assert [rule.id for rule in lost.changes[0].rules_after] == ["post-be/presence"]
    assert compared(world, "").lost_readers == (Named("police-de", "POLICE-DE"),)


def test_the_same_text_under_other_names_changes_nothing(database: Database) -> None:
    world = trio(database)
    world.indicator("post-be")
    world.publish("post-be", EVERYTHING_TO_POLICE)
    found = compared(world, EVERYTHING_TO_POLICE.replace("all-to-police", "renamed"))
    assert (found.is_nothing, found.concerned, found.passing_on_differs) == (True, 0, False)
    assert "Nobody gains or loses anything." in found.words
    assert all(not each.changes and each.figures.request.before for each in found.readers)


def test_legal_bases_are_named_where_the_answer_depends_on_them(database: Database) -> None:
    world = trio(database)
    world.indicator("post-be")
    found = compared(world, ON_A_COURT_ORDER)
    assert {each.bases for each in found.readers} == {(LegalBasis.COURT_ORDER,)}
    assert compared(world, EVERYTHING_TO_POLICE).readers[0].bases == ()


def test_a_class_without_a_record_today_is_told_apart_from_live_ones(database: Database) -> None:
    world = trio(database)
    world.indicator("post-be")
    world.indicator("post-be", like(kind=Kind.PHONE), expires_in=0)
    text = EVERYTHING_TO_POLICE.replace("};", '&& resource.kind == Kind::"phone" };')
    found = compared(world, text)
    assert (found.concerned, found.is_nothing, found.gaining, found.new_readers) == (
        0,
        False,
        (),
        (),
    )
    assert "No live indicator is concerned" in found.words
    (change,) = row(found, "police-de", Purpose.RISK_ANALYSIS).changes
    assert (change.count, change.examples) == (0, ())
    assert change.after.level is Level.REQUEST


def test_a_version_that_waits_is_compared_with_too(database: Database) -> None:
    world = trio(database)
    world.indicator("post-be")
    world.publish("post-be", EVERYTHING_TO_POLICE)
    with database.transaction() as session:
        service.check(session, PRESENCE_TO_EXCHANGE)
        later = NOON + timedelta(days=2)
        versions.put_in_force(
            session,
            CONSOLE,
            world.ids["post-be"],
            PRESENCE_TO_EXCHANGE,
            Cause.CONSOLE,
            valid_from=later,
        )
    found = simulated(world, PRESENCE_TO_EXCHANGE).comparisons
    assert [(each.against.version, each.against.is_scheduled) for each in found] == [
        (1, False),
        (2, True),
    ]
    assert [each.is_nothing for each in found] == [False, True]
    assert found[1].against.valid_from == later
    assert "version 2, which is to take effect" in found[1].words


def test_suspended_organisations_are_no_readers_and_a_suspended_owner_shares_nothing(
    database: Database,
) -> None:
    world = trio(database)
    world.indicator("post-be")
    with database.transaction() as session:
        organisations.set_status(session, CONSOLE, "police-de", OrganisationStatus.SUSPENDED)
    assert compared(world, EVERYTHING_TO_POLICE).readers == ()
    with database.transaction() as session:
        organisations.set_status(session, CONSOLE, "police-de", OrganisationStatus.ACTIVE)
        organisations.set_status(session, CONSOLE, "post-be", OrganisationStatus.SUSPENDED)
    assert compared(world, EVERYTHING_TO_POLICE).indicators == 0


def test_a_stored_version_that_is_no_longer_valid_is_compared_as_sharing_nothing(
    database: Database,
) -> None:
    world = trio(database)
    world.indicator("post-be")
    world.publish("post-be", EVERYTHING_TO_POLICE)
    with database.transaction() as session:
        stored = versions.PolicyVersion(
            organisation_id=world.ids["post-be"],
            seq=2,
            text="permit (principal, action, resource) when { principal.rank > 3 };",
            sha256=b"-" * 32,
            valid_from=NOON,
            created_at=NOON,
            cause=Cause.CONSOLE,
        )
        session.add(stored)
    found = compared(world, EVERYTHING_TO_POLICE)
    assert found.against.version == 2
    assert [each.code for each in found.new_readers] == ["police-de"]


def test_other_rules_about_passing_on_are_pointed_out(database: Database) -> None:
    world = trio(database)
    world.indicator("post-be")
    onward = (
        '@id("post-be/on") @label("On") permit (principal, action == Action::"onward", resource);'
    )
    assert compared(world, onward).passing_on_differs
    assert "Rules about passing on differ" in compared(world, onward).words
    assert not compared(world, PRESENCE_TO_EXCHANGE).passing_on_differs


def test_what_the_author_may_not_have_meant_is_told(database: Database) -> None:
    world = trio(database)
    world.indicator("post-be")
    assert simulated(world, PRESENCE_TO_EXCHANGE).faults == ()
    never = '@id("post-be/never") @label("Never") permit (principal, action, resource)' + (
        " when { false };"
    )
    (fault,) = simulated(world, never).faults
    assert "nobody" in fault.reason
    with pytest.raises(PolicyRefusedError):
        simulated(world, "permit (principal")


def test_a_simulation_is_logged_with_the_text_and_the_indicators_it_showed(
    database: Database,
) -> None:
    world = trio(database)
    world.indicator("post-be")
    found = simulated(world, EVERYTHING_TO_POLICE)
    with database.reading() as session:
        (entry,) = entries(session, "post-be", Filters(act="policy.simulate")).entries
        assert entries(session, "police-de", Filters(act="policy.simulate")).entries == ()
    assert entry.details["objects"] == ["post-be/0"]
    assert entry.details["sha256"] == found.sha256
    assert entry.details["actor"] == str(UUID(int=1))


PLACES = (
    ("post-be", Sector.POST, "BE", ()),
    ("courier-nl", Sector.COURIER, "NL", ("exchange",)),
    ("customs-nl", Sector.CUSTOMS, "NL", ("exchange", "joint-team")),
    ("police-de", Sector.POLICE, "DE", ("exchange",)),
    ("police-be", Sector.POLICE, "BE", ()),
    ("authority-be", Sector.AUTHORITY, "BE", ("joint-team",)),
)
MEMBERS = {place[0]: Member(*place) for place in PLACES}
OWNER = MEMBERS["post-be"]
EVERYTHING = (
    Clause(permits=True, actions=None, scope=Condition("principal", lambda _: True), conditions=()),
)
AGES = (0, 6, 7, 29, 30, 89, 90, 364, 365, 2_000)


@dataclass(frozen=True)
class Stored:
    id: UUID
    attributes: ClassAttributes
    age: int


@dataclass(frozen=True)
class OneByOne:
    """Every record asked about for every organisation, purpose and basis, before and after."""

    before: dict[tuple[str, Purpose, LegalBasis], list[Expected]]
    after: dict[tuple[str, Purpose, LegalBasis], list[Expected]]


def test_the_figures_are_those_of_every_record_asked_one_by_one(database: Database) -> None:
    world = World(database)
    for code, sector, country, communities in PLACES:
        world.organisation(code, sector, country, communities)
    stock: list[Stored] = []
    seen: Counter[Any] = Counter()

    @examples(12)
    @given(
        small_language.policies(),
        small_language.policies(),
        st.lists(
            st.tuples(small_language.attributes(INDICATOR_KINDS), st.sampled_from(AGES)),
            min_size=1,
            max_size=8,
        ),
    )
    def compare(
        old: tuple[Clause, ...],
        new: tuple[Clause, ...],
        added: list[tuple[ClassAttributes, int]],
    ) -> None:
        for attributes, age in added:
            world.indicator("post-be", attributes, age=age)
        stock[:] = _stored(world)
        world.publish("post-be", text_of(old))
        found = compared(world, text_of(new))
        asked = _one_by_one(stock, old, new)
        _check_rows(found, asked, stock, seen)
        _check_totals(found, asked, stock)

    compare()
    assert {"changed", "same", "nothing"} <= set(seen)


def _stored(world: World) -> list[Stored]:
    with world.database.reading() as session:
        rows = session.execute(
            select(Indicator.public_id, ShareClass.attributes, Indicator.seen_day)
            .join(ShareClass, ShareClass.id == Indicator.share_class_id)
            .order_by(Indicator.id)
        )
        return [Stored(each, read_class(known), TODAY - day) for each, known, day in rows]


def _one_by_one(
    stock: Sequence[Stored], old: tuple[Clause, ...], new: tuple[Clause, ...]
) -> OneByOne:
    keys = list(product([code for code, *_ in PLACES[1:]], Purpose, LegalBasis))
    found = OneByOne(
        {key: _asked(stock, key, old) for key in keys},
        {key: _asked(stock, key, new) for key in keys},
    )
    # The model without Cedar is itself held against Cedar, on one of the questions.
    record, key = stock[-1], ("police-be", Purpose.RISK_ANALYSIS, LegalBasis.PUBLIC_TASK)
    by_cedar = reference_ruling(_seat(key), OWNER, text_of(new), record.attributes, record.age)
    assert found.after[key][-1] == by_cedar
    return found


def _asked(
    stock: Sequence[Stored], key: tuple[str, Purpose, LegalBasis], clauses: tuple[Clause, ...]
) -> list[Expected]:
    return [
        expected(clauses, Asked(_seat(key), OWNER, each.attributes, band_of(each.age)))
        for each in stock
    ]


def _seat(key: tuple[str, Purpose, LegalBasis]) -> Seat:
    code, purpose, basis = key
    return Seat(MEMBERS[code], Role.ANALYST, purpose, basis)


def _things(ruling: Expected) -> tuple[bool, ...]:
    """In the order of Figures."""
    told = bool(ruling.level)
    return (
        *(ruling.level >= least for least in (1, 2, 3)),
        ruling.may_screen,
        ruling.may_feed,
        told and ruling.tells_owner,
        not told and ruling.tells_owner,
        told and not ruling.tells_owner,
    )


def _figures(before: Sequence[Expected], after: Sequence[Expected]) -> list[Figure]:
    pairs = [
        list(zip(_things(old), _things(new), strict=True))
        for old, new in zip(before, after, strict=True)
    ]
    return [
        Figure(
            before=sum(old for old, _ in column),
            after=sum(new for _, new in column),
            gained=sum(new and not old for old, new in column),
            lost=sum(old and not new for old, new in column),
        )
        for column in zip(*pairs, strict=True)
    ]


def _access(ruling: Expected) -> Access:
    things = _things(ruling)
    told = [Told.BOTH, Told.OWNER_ONLY, Told.REQUESTER_ONLY]
    return Access(
        level=list(Level)[ruling.level - 1] if ruling.level else None,
        may_screen=ruling.may_screen,
        may_feed=ruling.may_feed,
        told=next((each for each, is_so in zip(told, things[5:], strict=True) if is_so), None),
    )


def _check_rows(
    found: Comparison, asked: OneByOne, stock: Sequence[Stored], seen: Counter[Any]
) -> None:
    places = {each.id: place for place, each in enumerate(stock)}
    for key, before in asked.before.items():
        code, purpose, basis = key
        after = asked.after[key]
        rows = [
            each
            for each in found.readers
            if each.purpose is purpose
            and code in {named.code for named in each.organisations}
            and basis in (each.bases or LegalBasis)
        ]
        if not any(any(_things(each)) for each in (*before, *after)):
            seen["nothing"] += 1
            # "Any basis" is any that the reader may rely on: on this one nothing could be let out.
            assert all(each.bases == () for each in rows)
            assert not rows or not any(
                any(_things(each)) for each in _asked(stock, key, EVERYTHING)
            )
            continue
        (row,) = rows
        assert list(vars(row.figures).values()) == _figures(before, after)
        pairs = Counter(
            (_access(old), _access(new))
            for old, new in zip(before, after, strict=True)
            if old != new
        )
        told = {(each.before, each.after): each for each in row.changes if each.count}
        assert {pair: each.count for pair, each in told.items()} == pairs
        for pair, each in told.items():
            assert len(each.examples) == min(3, each.count)
            for example in each.examples:
                place = places[example.id]
                assert (_access(before[place]), _access(after[place])) == pair
                assert example.kind is stock[place].attributes.kind
        seen["changed" if pairs else "same"] += 1


def _check_totals(found: Comparison, asked: OneByOne, stock: Sequence[Stored]) -> None:
    changed = {
        place
        for key, before in asked.before.items()
        for place, (old, new) in enumerate(zip(before, asked.after[key], strict=True))
        if old != new
    }
    assert (found.indicators, found.concerned) == (len(stock), len(changed))

    def seeing(side: dict[tuple[str, Purpose, LegalBasis], list[Expected]]) -> set[str]:
        return {key[0] for key, row in side.items() if any(each.level for each in row)}

    before, after = seeing(asked.before), seeing(asked.after)
    assert {each.code for each in found.new_readers} == after - before
    assert {each.code for each in found.lost_readers} == before - after
    for field, least in (("presence", 1), ("metadata", 2), ("request", 3)):
        held, given_ = (
            {
                place
                for row in side.values()
                for place, each in enumerate(row)
                if each.level >= least
            }
            for side in (asked.before, asked.after)
        )
        assert getattr(found.shared, field) == Figure(
            len(held), len(given_), len(given_ - held), len(held - given_)
        )
    gaining, losing = (
        {
            key[0]
            for key, row in asked.before.items()
            if any(getattr(each, way) for each in _figures(row, asked.after[key])[:5])
        }
        for way in ("gained", "lost")
    )
    assert {each.code for each in found.gaining} == gaining
    assert {each.code for each in found.losing} == losing

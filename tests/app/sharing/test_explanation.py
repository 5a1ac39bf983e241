"""Who sees a record, and why: everything to its owner, to a reader what it may know."""

from datetime import timedelta
from itertools import product
from uuid import UUID, uuid4

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app import clock
from app.access import CONSOLE, Caller, Means
from app.audit.reading import Filters, entries
from app.database import Database
from app.errors import NotFoundError
from app.indicators.models import Indicator
from app.lookups.models import Hit
from app.sharing import versions
from app.sharing.classes import AGE_BANDS, ClassAttributes
from app.sharing.engine import CHAIN
from app.sharing.explanation import (
    Audience,
    Explained,
    audience,
    audience_of_class,
    for_reader,
    reader_words,
    told_to_reader,
)
from app.sharing.models import Cause
from app.sharing.readers import Access, Named, Rule
from app.sharing.seats import Member, Seat
from postern.vocabulary import (
    LegalBasis,
    Level,
    PermittedAction,
    Purpose,
    Role,
    Sector,
    Tlp,
    Told,
)
from tests.app.exchange import SOPHIE, make_exchange, report
from tests.app.sharing import small_language
from tests.app.sharing.reference import Expected, reference_onward
from tests.app.sharing.small_language import Asked, Clause, expected, may_pass_on, text_of
from tests.app.sharing.world import (
    EVERYTHING_TO_POLICE,
    PLAIN,
    TODAY,
    World,
    like,
    moment,
    trio,
)
from tests.deeper import examples

NOON = moment(TODAY)

AGEING = """
@id("post-be/known") @label("Customs learn of us")
permit (principal in Sector::"customs", action == Action::"presence", resource)
when { context.purpose == Purpose::"customs_control" };
@id("post-be/fresh") @label("Customs see what is fresh")
permit (principal in Sector::"customs", action in [Action::"metadata", Action::"screen"], resource)
when { context.purpose == Purpose::"customs_control" && resource.ageBand <= 2 };
"""
ONWARD = """
@id("post-be/seen") @label("Police see it")
permit (principal, action in [Action::"presence", Action::"metadata"], resource)
when { principal.sector == Sector::"police" };
@id("post-be/on") @label("Police may tell customs")
permit (principal, action == Action::"onward", resource)
when { context.to in Sector::"customs" };
"""


@pytest.fixture(autouse=True)
def at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOON)


def owner(world: World, code: str = "post-be") -> Caller:
    return Caller(
        person_id=1,
        person=UUID(int=1),
        organisation_id=world.ids[code],
        organisation=code,
        roles=frozenset(Role),
        scopes=None,
        means=Means.SESSION,
    )


def explained(world: World, indicator: int) -> Explained:
    with world.database.transaction() as session:
        public_id = session.scalar(select(Indicator.public_id).where(Indicator.id == indicator))
        assert public_id is not None
        return audience(session, owner(world), public_id, NOON)


def only(found: Explained) -> Audience:
    (audience,) = found.in_force.audiences
    return audience


def codes(named: tuple[Named, ...]) -> list[str]:
    return [each.code for each in named]


def test_the_owner_reads_who_sees_it_at_what_level_until_when_and_by_which_rules(
    database: Database,
) -> None:
    world = trio(database)
    world.publish("post-be", AGEING)
    made = world.indicator("post-be", like(permitted_action=PermittedAction.WATCH), age=10)
    found = explained(world, made)
    assert (found.age_band, found.scheduled, found.in_force.version) == (1, None, 1)
    customs = only(found)
    assert codes(customs.organisations) == ["customs-nl"]
    assert (customs.purposes, customs.bases) == ((Purpose.CUSTOMS_CONTROL,), ())
    now, later = customs.periods
    assert (now.from_day, now.access) == (7, Access(Level.METADATA, True, False, Told.BOTH))
    assert (later.from_day, later.access) == (90, Access(Level.PRESENCE, False, False, Told.BOTH))
    assert now.rules == (Rule("post-be/fresh", "Customs see what is fresh"),)
    assert later.rules == (Rule("post-be/known", "Customs learn of us"),)


def test_purposes_with_the_same_answer_stand_together_and_bases_where_they_matter(
    database: Database,
) -> None:
    world = trio(database)
    world.publish(
        "post-be",
        EVERYTHING_TO_POLICE.replace("};", '&& context.legalBasis == LegalBasis::"court_order" };'),
    )
    police = only(explained(world, world.indicator("post-be")))
    assert police.bases == (LegalBasis.COURT_ORDER,)
    assert police.purposes == (
        Purpose.CRIMINAL_INVESTIGATION,
        Purpose.CRIMINAL_INTELLIGENCE,
        Purpose.RISK_ANALYSIS,
    )


def test_the_version_that_waits_is_told_with_its_time(database: Database) -> None:
    world = trio(database)
    made = world.indicator("post-be")
    with database.transaction() as session:
        versions.put_in_force(
            session,
            CONSOLE,
            world.ids["post-be"],
            EVERYTHING_TO_POLICE,
            Cause.CONSOLE,
            valid_from=NOON + timedelta(days=3),
        )
    found = explained(world, made)
    assert (found.in_force.version, found.in_force.audiences) == (0, ())
    assert found.scheduled is not None
    assert (found.scheduled.version, found.scheduled.valid_from) == (1, NOON + timedelta(days=3))
    assert codes(found.scheduled.audiences[0].organisations) == ["police-de"]


def test_what_is_not_ones_own_or_has_ended_is_not_there(database: Database) -> None:
    world = trio(database)
    other = world.indicator("customs-nl")
    ended = world.indicator("post-be", expires_in=0)
    for indicator in (other, ended):
        with pytest.raises(NotFoundError):
            explained(world, indicator)
    with database.transaction() as session, pytest.raises(NotFoundError):
        audience(session, owner(world), uuid4(), NOON)
    with database.reading() as session:
        assert entries(session, "post-be", Filters(act="policy.explain")).entries == ()


def test_to_whom_it_may_be_passed_on(database: Database) -> None:
    world = trio(database)
    world.organisation("customs-be", Sector.CUSTOMS, "BE")
    world.organisation("police-nl", Sector.POLICE, "NL")
    world.publish("post-be", ONWARD)
    green = only(explained(world, world.indicator("post-be", like(tlp=Tlp.GREEN))))
    assert codes(green.organisations) == ["police-de", "police-nl"]
    assert codes(green.onward) == ["customs-be", "customs-nl"]
    amber = only(explained(world, world.indicator("post-be")))
    assert amber.onward == ()


def test_nobody_passes_on_to_itself(database: Database) -> None:
    world = trio(database)
    world.publish("post-be", ONWARD.replace('Sector::"customs"', 'Organisation::"police-de"'))
    green = only(explained(world, world.indicator("post-be", like(tlp=Tlp.GREEN))))
    assert (codes(green.organisations), green.onward) == (["police-de"], ())


def test_a_class_is_explained_before_there_is_a_record(database: Database) -> None:
    world = trio(database)
    world.publish("post-be", AGEING)
    with database.transaction() as session:
        found = audience_of_class(session, owner(world), PLAIN, 3, NOON)
    assert (found.indicator, found.attributes, found.age_band) == (None, PLAIN, 3)
    assert only(found).today.level is Level.PRESENCE
    with database.reading() as session:
        (entry,) = entries(session, "post-be", Filters(act="policy.explain")).entries
    assert entry.details["age_band"] == 3


def test_reading_an_audience_is_logged_with_the_indicator(database: Database) -> None:
    world = trio(database)
    found = explained(world, world.indicator("post-be"))
    with database.reading() as session:
        (entry,) = entries(session, "post-be", Filters(act="policy.explain")).entries
    assert entry.details["objects"] == [str(found.indicator)]


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


def test_an_audience_is_what_each_reader_gets_asked_one_by_one(database: Database) -> None:
    world = World(database)
    for code, sector, country, communities in PLACES:
        world.organisation(code, sector, country, communities)
    passed_on: set[bool] = set()

    @examples(25)
    @given(small_language.policies(), small_language.attributes(), st.integers(0, 4))
    def compare(clauses: tuple[Clause, ...], attributes: ClassAttributes, band: int) -> None:
        world.publish("post-be", text_of(clauses))
        with database.transaction() as session:
            found = audience_of_class(session, owner(world), attributes, band, NOON)
        given_ = {
            (code, purpose, basis): each
            for each in found.in_force.audiences
            for code in codes(each.organisations)
            for purpose in each.purposes
            for basis in each.bases or LegalBasis
        }
        others = list(MEMBERS)[1:]
        for code, purpose, basis in product(others, Purpose, LegalBasis):
            seat = Seat(MEMBERS[code], Role.ANALYST, purpose, basis)
            row = [
                expected(clauses, Asked(seat, OWNER, attributes, each))
                for each in range(band, len(AGE_BANDS))
            ]
            told = given_.get((code, purpose, basis))
            if not any(each.level or each.tells_owner for each in row):
                assert told is None or told.bases == ()
                continue
            assert told is not None
            accesses = [_at(told, AGE_BANDS[each][0]) for each in range(band, len(AGE_BANDS))]
            assert accesses == [_access(each) for each in row]
            for to in set(others) - {code}:
                asked = Asked(seat, OWNER, attributes, band, MEMBERS[to])
                allowed = may_pass_on(clauses, asked)
                assert (to in codes(told.onward)) is allowed
                passed_on.add(allowed)
        _check_against_cedar(clauses, attributes, band)

    compare()
    assert passed_on == {False, True}


def _check_against_cedar(
    clauses: tuple[Clause, ...], attributes: ClassAttributes, band: int
) -> None:
    """The model without Cedar is held against Cedar, on one of the questions."""
    seat = Seat(MEMBERS["police-be"], Role.ANALYST, Purpose.RISK_ANALYSIS, LegalBasis.PUBLIC_TASK)
    to = MEMBERS["customs-nl"]
    asked = Asked(seat, OWNER, attributes, band, to)
    by_cedar = reference_onward(
        seat, OWNER, text_of(clauses), attributes, AGE_BANDS[band][0], to=to
    )
    assert may_pass_on(clauses, asked) is by_cedar


def _at(told: Audience, age: int) -> Access:
    return [each for each in told.periods if each.from_day <= age][-1].access


def _access(ruling: Expected) -> Access:
    told = None
    if ruling.level:
        told = Told.BOTH if ruling.tells_owner else Told.REQUESTER_ONLY
    elif ruling.tells_owner:
        told = Told.OWNER_ONLY
    level = CHAIN[ruling.level - 1] if ruling.level else None
    return Access(level, ruling.may_screen, ruling.may_feed, told)


@pytest.mark.parametrize("labels", [[], ["Police see everything"]])
def test_at_presence_a_reader_learns_who_answers_and_nothing_of_the_policy(
    labels: list[str],
) -> None:
    reason = told_to_reader(Level.PRESENCE, "Post BE", "post-be/7", labels)
    assert (reason.version, reason.labels) == (None, ())
    words = "Post BE lets you know that it holds something that matches."
    assert reader_words(reason) == words


@pytest.mark.parametrize("level", [Level.METADATA, Level.REQUEST])
def test_above_presence_a_reader_learns_the_version_and_the_rules_that_grant(level: Level) -> None:
    words = reader_words(told_to_reader(level, "Post BE", "post-be/7", ["One", "Two"]))
    assert words.endswith(", by version post-be/7 of its policy: One; Two.")
    assert ("ask for more" in words) is (level is Level.REQUEST)


def test_of_its_own_records_a_reader_learns_that_they_are_its_own() -> None:
    reason = told_to_reader(Level.REQUEST, "", "platform", ["An organisation sees its own"])
    assert reader_words(reason) == "The record is your own organisation's."


def test_a_stored_hit_is_explained_to_its_reader(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    exchange = make_exchange(app)
    kept_back = (
        '@id("post-be/secret") @label("Nobody learns of phones") forbid'
        ' (principal, action, resource) when { resource.kind == Kind::"phone" };'
    )
    exchange.publish("post-be", EVERYTHING_TO_POLICE + kept_back)
    exchange.submit("post-be", report("a", exchange.indicator(SOPHIE)))
    exchange.ask("police-de", SOPHIE)
    exchange.ask("post-be", SOPHIE, purpose=Purpose.RISK_ANALYSIS)
    theirs, own = exchange.rows(select(Hit).order_by(Hit.lookup_id))
    with app.app_context(), exchange.database.transaction() as session:
        words = for_reader(session, Level.REQUEST, theirs.grant_reason_id)
        own_words = for_reader(session, Level.REQUEST, own.grant_reason_id)
        least = for_reader(session, Level.PRESENCE, theirs.grant_reason_id)
    assert "by version post-be/1 of its policy: Police see everything." in words
    assert "phones" not in words
    assert "post-be/1" not in least
    assert own_words == "The record is your own organisation's."

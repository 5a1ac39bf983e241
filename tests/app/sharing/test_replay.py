"""What the log tells of the last weeks, decided again under another text."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import delete, select

from app import clock
from app.access import Caller, Means
from app.audit import service as audit
from app.audit.models import AuditDetail
from app.audit.reading import Filters, entries
from app.audit.service import append
from app.database import Database
from app.indicators.models import Indicator
from app.sharing import replay as replaying
from app.sharing.policy_text import PolicyRefusedError
from app.sharing.readers import Access, Named
from app.sharing.replay import NOT_REPLAYED, Replay, ReplayedReader, replay
from postern.vocabulary import LegalBasis, Level, Purpose, Role, Sector, Told
from tests.app.exchange import OPEN_TO_POLICE, SOPHIE, make_exchange, report
from tests.app.sharing.world import EVERYTHING_TO_POLICE, TODAY, World, moment, trio

NOON = moment(TODAY)
ASKED = (Purpose.CRIMINAL_INVESTIGATION, LegalBasis.CRIMINAL_PROCEDURE)

PRESENCE = """
@id("post-be/presence") @label("Police learn of us")
permit (principal, action == Action::"presence", resource)
when { principal.sector == Sector::"police" };
"""
WHILE_YOUNG = """
@id("post-be/young") @label("Police see what is younger than a week")
permit (principal, action, resource)
when { principal.sector == Sector::"police" && resource.ageBand == 0 };
"""
ALERT = """
@id("post-be/alert") @label("We alone are told")
permit (principal, action == Action::"alert_owner", resource);
"""
UNTOLD = (
    EVERYTHING_TO_POLICE
    + """
@id("post-be/untold") @label("We are not told")
forbid (principal, action == Action::"tell_owner", resource);
"""
)


@pytest.fixture(autouse=True)
def at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOON)


def person(world: World, code: str) -> Caller:
    return Caller(
        person_id=1,
        person=UUID(int=1),
        organisation_id=world.ids[code],
        organisation=code,
        roles=frozenset(Role),
        scopes=None,
        means=Means.SESSION,
    )


def found_by(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    indicators: Sequence[UUID],
    *,
    days_ago: int = 0,
    level: Level | None = Level.PRESENCE,
    viewer: str = "police-de",
    asked: tuple[Purpose, LegalBasis] = ASKED,
) -> None:
    """Log a hit on indicators of post-be, as a lookup does."""
    at = NOON - timedelta(days=days_ago)
    monkeypatch.setattr(audit, "now", lambda: at)
    purpose, basis = asked
    details: dict[str, Any] = {"viewer": viewer, "policy": "post-be/1", "policies": []}
    with world.database.transaction() as session:
        append(
            session,
            person(world, viewer),
            "indicator.match" if level else "indicator.alert",
            purpose=purpose,
            basis=basis,
            audience=["post-be"],
            tell_actor=False,
            object_type="indicator",
            objects=[str(each) for each in indicators],
            details=details | ({"level": level.value} if level else {}),
        )
    monkeypatch.setattr(audit, "now", lambda: NOON)


def public_id(world: World, indicator: int) -> UUID:
    with world.database.reading() as session:
        found = session.scalar(select(Indicator.public_id).where(Indicator.id == indicator))
    assert found is not None
    return found


def replayed(world: World, text: str, days: int = 30, at: datetime = NOON) -> Replay:
    with world.database.transaction() as session:
        return replay(session, person(world, "post-be"), text, at, days)


def only(found: Replay) -> ReplayedReader:
    (reader,) = found.readers
    return reader


@pytest.mark.parametrize(
    ("then", "text", "way"),
    [
        (Level.PRESENCE, PRESENCE, "same"),
        (Level.PRESENCE, EVERYTHING_TO_POLICE, "higher"),
        (Level.REQUEST, PRESENCE, "lower"),
        (Level.METADATA, "", "nothing"),
        (Level.METADATA, ALERT, "nothing"),  # authorities' questions alert no operator
        (None, "", "nothing"),
        (None, PRESENCE, "higher"),
    ],
)
def test_a_hit_is_decided_again_for_its_reader(
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    then: Level | None,
    text: str,
    way: str,
) -> None:
    world = trio(database)
    hit = public_id(world, world.indicator("post-be"))
    found_by(world, monkeypatch, [hit], level=then)
    reader = only(replayed(world, text))
    assert (reader.organisation, reader.purpose) == (Named("police-de", "POLICE-DE"), ASKED[0])
    counts = {
        each: getattr(reader, each)
        for each in ("same", "higher", "lower", "owner_alone", "nothing", "untold", "gone")
    }
    assert {each: count for each, count in counts.items() if count} == {way: 1}
    assert [each.indicator for each in reader.examples] == ([] if way == "same" else [hit])


def test_a_hit_of_which_the_owner_alone_would_be_told(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = trio(database)
    hit = public_id(world, world.indicator("post-be"))
    screening = (Purpose.PARCEL_SCREENING, LegalBasis.LEGAL_OBLIGATION)
    world.organisation("courier-nl", Sector.COURIER, "NL")
    for level in (Level.PRESENCE, None):
        found_by(world, monkeypatch, [hit], level=level, viewer="courier-nl", asked=screening)
    reader = only(replayed(world, ALERT))
    assert (reader.owner_alone, reader.same) == (1, 1)
    assert reader.examples[0].now == Access(None, False, False, Told.OWNER_ONLY)


def test_a_hit_that_the_owner_would_not_have_been_told_of_is_counted_so(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = trio(database)
    hit = public_id(world, world.indicator("post-be"))
    found_by(world, monkeypatch, [hit], level=Level.REQUEST)
    reader = only(replayed(world, UNTOLD))
    assert (reader.same, reader.untold) == (1, 1)
    assert reader.examples[0].now.told is Told.REQUESTER_ONLY


def test_the_age_is_that_of_the_day(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    world = trio(database)
    hit = public_id(world, world.indicator("post-be", age=20))
    for days_ago in (20, 14, 13, 0):  # at an age of 0, 6, 7 and 20 days
        found_by(world, monkeypatch, [hit], days_ago=days_ago, level=Level.REQUEST)
    reader = only(replayed(world, WHILE_YOUNG))
    assert (reader.same, reader.nothing) == (2, 2)
    assert [each.at for each in reader.examples] == [NOON, NOON - timedelta(days=13)]
    assert {(each.then, each.now.level) for each in reader.examples} == {(Level.REQUEST, None)}


def test_readers_and_purposes_are_told_apart_and_periods_kept_to(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = trio(database)
    hits = [public_id(world, world.indicator("post-be", age=60)) for _ in range(2)]
    found_by(world, monkeypatch, hits)
    found_by(world, monkeypatch, hits[:1], asked=(Purpose.RISK_ANALYSIS, LegalBasis.POLICE_LAW))
    found_by(world, monkeypatch, hits[:1], viewer="customs-nl")
    found_by(world, monkeypatch, hits, days_ago=31)
    found = replayed(world, EVERYTHING_TO_POLICE)
    assert [(r.organisation.code, r.purpose, r.higher, r.nothing) for r in found.readers] == [
        ("customs-nl", Purpose.CRIMINAL_INVESTIGATION, 0, 1),
        ("police-de", Purpose.CRIMINAL_INVESTIGATION, 2, 0),
        ("police-de", Purpose.RISK_ANALYSIS, 1, 0),
    ]
    assert (found.entries, found.hits, found.is_cut) == (3, 4, False)
    assert (found.since, found.until) == (NOON - timedelta(days=30), NOON)
    assert replayed(world, EVERYTHING_TO_POLICE, days=31).entries == 4


def test_indicators_that_have_ended_are_counted_apart(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = trio(database)
    ended = public_id(world, world.indicator("post-be", expires_in=0))
    found_by(world, monkeypatch, [ended, UUID(int=7)])
    reader = only(replayed(world, EVERYTHING_TO_POLICE))
    assert (reader.gone, reader.higher, reader.same, reader.examples) == (2, 0, 0, ())


def test_entries_whose_details_were_erased_are_counted_and_no_more(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = trio(database)
    found_by(world, monkeypatch, [public_id(world, world.indicator("post-be"))])
    with database.transaction() as session:
        session.execute(delete(AuditDetail))
    found = replayed(world, EVERYTHING_TO_POLICE)
    assert (found.entries, found.erased, found.hits, found.readers) == (1, 1, 0, ())


def test_of_more_entries_than_are_read_the_newest_are(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = trio(database)
    hit = public_id(world, world.indicator("post-be", age=20))
    for days_ago in range(4):
        level = None if days_ago % 2 else Level.PRESENCE
        found_by(world, monkeypatch, [hit], days_ago=days_ago, level=level)
    monkeypatch.setattr(replaying, "MOST_ENTRIES", 3)
    monkeypatch.setattr(replaying, "LARGEST_PAGE", 1)
    found = replayed(world, "")
    assert (found.entries, found.is_cut) == (3, True)
    assert [each.at for each in only(found).examples] == [
        NOON - timedelta(days=days_ago) for days_ago in range(3)
    ]


def test_the_result_says_what_cannot_be_replayed_and_the_log_that_it_was_asked(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = trio(database)
    found = replayed(world, "", days=0)
    assert found.not_replayed == NOT_REPLAYED
    assert "recorded nowhere, on purpose" in NOT_REPLAYED
    assert found.since == NOON - timedelta(days=1)
    with pytest.raises(PolicyRefusedError):
        replayed(world, "permit (principal")
    with database.reading() as session:
        (entry,) = entries(session, "post-be", Filters(act="policy.simulate")).entries
    assert entry.details["sha256"] == found.sha256


def test_a_lookup_as_it_is_logged_is_replayed(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    exchange = make_exchange(app)
    exchange.publish("post-be", OPEN_TO_POLICE)
    exchange.submit("post-be", report("a", exchange.indicator(SOPHIE)))
    exchange.ask("police-de", SOPHIE)
    with app.app_context(), exchange.database.transaction() as session:
        found = replay(session, exchange.caller("post-be"), PRESENCE, clock.now())
    reader = only(found)
    assert (reader.organisation.code, reader.lower, found.hits) == ("police-de", 1, 1)

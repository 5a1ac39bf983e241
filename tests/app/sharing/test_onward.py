"""Whether a reader may pass on what it sees, and to whom."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from app import clock
from app.access import CONSOLE
from app.database import Database
from app.organisations import service as organisations
from app.organisations.models import OrganisationStatus
from app.sharing import onward, service, versions
from app.sharing.models import Cause
from app.sharing.onward import DENIED, Permission, Question
from postern.vocabulary import LegalBasis, Purpose, Role, Tlp
from tests.app.sharing.world import TODAY, World, like, moment, trio

YOUNG_TO_EXCHANGE = """
@id("post-be/seen") @label("Police see it")
permit (principal, action in [Action::"presence", Action::"metadata"], resource)
when { principal.sector == Sector::"police" };
@id("post-be/onward") @label("What is young may be told to the exchange")
permit (principal, action == Action::"onward", resource)
when { context.to in Community::"postal-exchange" && resource.ageBand <= 1
       && context.purpose == Purpose::"criminal_investigation" };
"""
NOW = moment(TODAY)
ALLOWED = Permission(True, "post-be/1", ("What is young may be told to the exchange",))


@pytest.fixture
def world(database: Database, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    made = trio(database)
    made.publish("post-be", YOUNG_TO_EXCHANGE)
    return made


def question(world: World, owner: str = "post-be") -> Question:
    """May police-de tell customs-nl of what `owner` saw ten days ago?"""
    attributes = like(tlp=Tlp.CLEAR)
    with world.database.transaction() as session:
        found = service.share_class_ids(session, world.ids[owner], [attributes])
    return Question(
        owner_id=world.ids[owner],
        share_class_id=found[attributes],
        seen_day=TODAY - 10,
        reader_id=world.ids["police-de"],
        role=Role.ANALYST,
        purpose=Purpose.CRIMINAL_INVESTIGATION,
        legal_basis=LegalBasis.CRIMINAL_PROCEDURE,
        to_id=world.ids["customs-nl"],
    )


def answer(world: World, asked: Question, at: datetime = NOW) -> Permission:
    with world.database.reading() as session:
        return onward.verdict(session, asked, at)


def test_what_the_owner_permits_names_the_version_and_its_rule(world: World) -> None:
    assert answer(world, question(world)) == ALLOWED


def test_a_denial_tells_nothing_more(world: World) -> None:
    asked = question(world)
    assert answer(world, replace(asked, seen_day=TODAY - 30)) == DENIED
    assert (DENIED.allowed, DENIED.policy, DENIED.rules) == (False, None, ())
    assert answer(world, replace(asked, purpose=Purpose.RISK_ANALYSIS)) == DENIED
    assert answer(world, replace(asked, reader_id=world.ids["customs-nl"])) == DENIED
    with world.database.transaction() as session:
        organisations.leave(session, CONSOLE, "customs-nl", "postal-exchange")
    assert answer(world, asked) == DENIED


def test_nothing_is_passed_on_to_who_is_suspended(world: World) -> None:
    asked = question(world)
    with world.database.transaction() as session:
        organisations.set_status(session, CONSOLE, "customs-nl", OrganisationStatus.SUSPENDED)
    assert answer(world, asked) == DENIED


def test_the_newest_version_that_has_begun_is_named(world: World) -> None:
    with world.database.transaction() as session:
        for ahead in (timedelta(0), timedelta(days=1)):
            versions.put_in_force(
                session,
                CONSOLE,
                world.ids["post-be"],
                YOUNG_TO_EXCHANGE,
                Cause.CONSOLE,
                valid_from=NOW + ahead,
            )
    assert answer(world, question(world)) == replace(ALLOWED, policy="post-be/2")


def test_the_policies_of_the_moment_asked_about_decide(world: World) -> None:
    tomorrow = moment(TODAY + 1)
    with world.database.transaction() as session:
        versions.put_in_force(
            session, CONSOLE, world.ids["post-be"], "", Cause.CONSOLE, valid_from=tomorrow
        )
    asked = question(world)
    assert answer(world, asked, tomorrow - timedelta(seconds=1)) == ALLOWED
    assert answer(world, asked, tomorrow) == DENIED


@pytest.mark.parametrize("text", [None, YOUNG_TO_EXCHANGE.replace("post-be", "police-de")])
def test_ones_own_is_passed_on_by_the_platforms_rules(world: World, text: str | None) -> None:
    if text is not None:
        world.publish("police-de", text)
    found = answer(world, question(world, "police-de"))
    assert (found.allowed, found.policy) == (True, "platform")
    assert found.rules == ("An organisation sees what it submitted itself",)


def test_of_several_owners_the_one_asked_about_decides(world: World) -> None:
    question(world, "customs-nl")
    question(world, "police-de")
    assert answer(world, question(world)) == ALLOWED

"""Deconfliction: who learns that somebody else waits for the same, and how little of it."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from app import clock
from app.access import CONSOLE
from app.accounts.models import RoleGrant
from app.lookups import deconfliction, watch_ending, watch_storage
from app.lookups.deconfliction import Shared
from app.lookups.models import Deconfliction, Watch
from app.organisations import contacts
from app.organisations import service as organisations
from app.organisations.contacts import Contact
from app.organisations.models import OrganisationStatus
from postern.vocabulary import Role, Tlp
from tests.app.exchange import CLOSED, JAN, SOPHIE, SOPHIE_TYPED, Exchange
from tests.app.lookups.watching import notices, watch, work

DESK = Contact("Duty desk", "desk@police.example", "", "day and night")


def presence_to(sector: str) -> str:
    return f"""
    @id("presence/{sector}") @label("They learn that something is known")
    permit (principal, action == Action::"presence", resource)
    when {{ principal.sector == Sector::"{sector}" }};
    """


@pytest.fixture
def both_open(exchange: Exchange) -> Exchange:
    """Customs and police let each other know of a presence."""
    exchange.publish("police-de", presence_to("customs"))
    exchange.publish("customs-nl", presence_to("police"))
    return exchange


def do(exchange: Exchange, verb: Callable[..., Any], *given: Any) -> Any:
    with exchange.app.app_context(), exchange.database.transaction() as session:
        return verb(session, *given)


def listed(exchange: Exchange, code: str) -> list[Shared]:
    found: list[Shared] = do(exchange, deconfliction.list_own, exchange.caller(code))
    return found


def test_two_that_wait_for_the_same_learn_of_each_other_and_of_nothing_else(
    both_open: Exchange,
) -> None:
    exchange = both_open
    do(exchange, contacts.change, exchange.caller("police-de"), DESK)
    mine = watch(exchange, "police-de", SOPHIE, deconflicts=True)
    work(exchange)
    watch(exchange, "police-de", JAN, deconflicts=True)
    theirs = watch(exchange, "customs-nl", SOPHIE_TYPED, deconflicts=True)
    assert listed(exchange, "police-de") == []
    work(exchange)
    assert notices(exchange, "police-de") == [
        ("deconfliction.found", {"watch": str(mine.id), "organisation": "customs-nl"})
    ]
    assert notices(exchange, "customs-nl") == [
        ("deconfliction.found", {"watch": str(theirs.id), "organisation": "police-de"})
    ]
    (of_police,), (of_customs,) = listed(exchange, "police-de"), listed(exchange, "customs-nl")
    assert (of_police.watch, of_police.organisation.code, of_police.contact) == (
        mine.id,
        "customs-nl",
        None,
    )
    assert (of_customs.watch, of_customs.organisation.code, of_customs.contact) == (
        theirs.id,
        "police-de",
        DESK,
    )
    entries = {each.audience[0]: each for each in exchange.entries("deconfliction.match")}
    assert {code: each.details for code, each in entries.items()} == {
        "police-de": {"objects": [str(mine.id)], "organisation": "customs-nl"},
        "customs-nl": {"objects": [str(theirs.id)], "organisation": "police-de"},
    }
    for code, other in (("police-de", theirs), ("customs-nl", mine)):
        assert len(entries[code].audience) == 1
        told = entries[code].record + repr(entries[code].details) + repr(notices(exchange, code))
        assert str(other.id) not in told
        assert "PV-2024-17" not in told


@pytest.mark.parametrize(
    "why",
    [
        "one does not want to",
        "it is another value",
        "one policy says no",
        "no policy",
        "strict",
        "the same organisation",
    ],
)
def test_otherwise_nobody_learns_anything(both_open: Exchange, why: str) -> None:
    exchange = both_open
    if why == "one policy says no":
        exchange.publish("customs-nl", CLOSED)
    if why == "no policy":
        exchange.publish("customs-nl", CLOSED)
        exchange.publish("police-de", CLOSED)
    other = "police-de" if why == "the same organisation" else "customs-nl"
    watch(exchange, "police-de", SOPHIE, deconflicts=True)
    work(exchange)
    watch(
        exchange,
        other,
        JAN if why == "it is another value" else SOPHIE,
        deconflicts=why != "one does not want to",
        tlp=Tlp.AMBER_STRICT if why == "strict" else Tlp.AMBER,
    )
    work(exchange)
    assert exchange.rows(select(Deconfliction)) == []
    assert notices(exchange, "police-de") == notices(exchange, "customs-nl") == []
    assert exchange.entries("deconfliction.match") == []
    assert listed(exchange, "police-de") == listed(exchange, "customs-nl") == []


def test_a_watch_that_ended_or_whose_owner_may_not_act_meets_nobody(both_open: Exchange) -> None:
    exchange = both_open

    def meets() -> bool:
        watch(exchange, "customs-nl", SOPHIE, deconflicts=True)
        work(exchange)
        return bool(exchange.rows(select(Deconfliction)))

    made = watch(exchange, "police-de", SOPHIE, deconflicts=True)
    do(exchange, watch_ending.stop, exchange.caller("police-de"), made.id)
    assert not meets()
    watch(exchange, "police-de", SOPHIE, deconflicts=True)  # and its own job is still to come
    do(exchange, organisations.set_status, CONSOLE, "police-de", OrganisationStatus.SUSPENDED)
    assert not meets()
    do(exchange, organisations.set_status, CONSOLE, "police-de", OrganisationStatus.ACTIVE)
    _, person_id = exchange.caller("police-de").member
    mine = RoleGrant.person_id == person_id, RoleGrant.role == Role.ANALYST
    do(exchange, lambda session: session.execute(delete(RoleGrant).where(*mine)))
    assert not meets()


def test_it_stays_listed_while_both_policies_say_so_and_ones_own_watch_waits(
    both_open: Exchange,
) -> None:
    exchange = both_open
    mine = watch(exchange, "police-de", SOPHIE, deconflicts=True)
    theirs = watch(exchange, "customs-nl", SOPHIE, deconflicts=True)
    work(exchange)
    exchange.publish("police-de", CLOSED)
    assert listed(exchange, "police-de") == listed(exchange, "customs-nl") == []
    exchange.publish("police-de", presence_to("customs"))
    do(exchange, organisations.set_status, CONSOLE, "customs-nl", OrganisationStatus.SUSPENDED)
    assert listed(exchange, "police-de") == []
    do(exchange, organisations.set_status, CONSOLE, "customs-nl", OrganisationStatus.ACTIVE)
    do(exchange, watch_ending.stop, exchange.caller("customs-nl"), theirs.id)
    assert listed(exchange, "customs-nl") == []
    assert len(listed(exchange, "police-de")) == 1  # the other's course stays hidden
    do(exchange, watch_ending.stop, exchange.caller("police-de"), mine.id)
    assert listed(exchange, "police-de") == []


def test_two_watches_meet_once_however_often_it_is_looked(both_open: Exchange) -> None:
    exchange = both_open
    watch(exchange, "police-de", SOPHIE, deconflicts=True)
    watch(exchange, "customs-nl", SOPHIE, deconflicts=True)
    for row in exchange.rows(select(Watch)):
        do(exchange, deconfliction.look, {"watch": row.id})
    work(exchange)
    assert len(exchange.rows(select(Deconfliction))) == 1
    assert len(notices(exchange, "police-de")) == len(notices(exchange, "customs-nl")) == 1


def test_the_age_of_a_watch_counts_for_a_policy_like_that_of_an_indicator(
    both_open: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange = both_open
    young = "resource.ageBand == 0"
    exchange.publish("police-de", presence_to("customs").replace("}", f"&& {young} }}"))
    watch(exchange, "police-de", SOPHIE, deconflicts=True)
    later = clock.now() + timedelta(days=8)
    monkeypatch.setattr(deconfliction, "now", lambda: later)
    watch(exchange, "customs-nl", SOPHIE, deconflicts=True)
    work(exchange)
    assert exchange.rows(select(Deconfliction)) == []


def test_the_job_holds_ids_alone(both_open: Exchange) -> None:
    made = watch(both_open, "police-de", SOPHIE, deconflicts=True)
    with both_open.database.reading() as session:
        kept = watch_storage.own(session, both_open.organisation_id("police-de"), made.id)
        assert kept is not None
        payload = session.connection().exec_driver_sql("SELECT payload FROM outbox").scalar_one()
    read = json.loads(payload) if isinstance(payload, str) else payload
    assert read == {"watch": kept.watch_id}

"""Registered barriers: known of as policies say, renewed, ended, counted at the steps, erased."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select

from app import clock
from app.access import CONSOLE
from app.barriers import modelling, registering
from app.barriers.barrier_storage import BarrierFilters
from app.barriers.models import RegisteredBarrier
from app.barriers.refusals import BarrierEndedError, TooManyBarriersError
from app.barriers.registering import Held, Place
from app.errors import InvalidRequestError, NotFoundError
from app.organisations import service as organisations
from app.organisations.models import OrganisationStatus
from app.sharing.models import ShareClass
from postern.vocabulary import Handling, Tlp
from tests.app.barriers.ground import in_force, load, make_ground, registered, upkeep
from tests.app.barriers.texts import changed
from tests.app.exchange import Exchange
from tests.app.patterns.writing import ANALYSIS, act, shares


def today() -> date:
    """The day when it is asked for: a run of the tests can pass midnight."""
    return clock.now().date()


@pytest.fixture
def ground(app: Flask) -> Exchange:
    return make_ground(app)


def listed(exchange: Exchange, code: str, why: Any = ANALYSIS, **wanted: Any) -> list[Any]:
    page = act(
        exchange,
        registering.list_barriers,
        exchange.caller(code),
        why,
        wanted=BarrierFilters(**wanted),
    )
    return [each.found.barrier.public_id for each in page.barriers]


def gaps(exchange: Exchange, code: str, why: Any = ANALYSIS, country: str | None = None) -> Any:
    return act(exchange, registering.gaps, exchange.caller(code), why, country)


def test_others_know_of_a_barrier_where_its_owners_policy_feeds_it(ground: Exchange) -> None:
    made = registered(ground, "customs-nl").found.barrier.public_id
    assert listed(ground, "customs-nl", None) == [made]
    for shared in ("", shares("customs-nl", kinds="barrier"), shares("customs-nl", "feed")):
        ground.publish("customs-nl", shared)
        assert listed(ground, "post-be") == []
        with pytest.raises(NotFoundError):
            act(ground, registering.read, ground.caller("post-be"), ANALYSIS, made)
    ground.publish("customs-nl", shares("customs-nl", "feed", kinds="barrier"))
    assert listed(ground, "post-be", None) == []
    # Of an authority too: a barrier names nobody.
    for code in ("post-be", "police-de"):
        assert listed(ground, code) == [made]
    shown = act(ground, registering.read, ground.caller("post-be"), ANALYSIS, made)
    assert (shown.found.is_own, shown.text.said("nl")[0]) == (False, "De winkel vraagt waarom.")
    assert (shown.policy, shown.rules) == (
        "customs-nl/4",
        ["Everybody gets the patterns of customs-nl"],
    )
    with ground.app.app_context(), ground.database.transaction() as session:
        organisations.set_status(session, CONSOLE, "customs-nl", OrganisationStatus.SUSPENDED)
    assert listed(ground, "post-be") == []


def test_owners_learn_who_was_told_of_their_barriers(ground: Exchange) -> None:
    made = registered(ground, "customs-nl").found.barrier.public_id
    ground.publish("customs-nl", shares("customs-nl", "feed", "tell_owner", kinds="barrier"))
    listed(ground, "post-be")
    gaps(ground, "post-be")
    entries = ground.entries("barrier.shared")
    assert [each.audience for each in entries] == [["customs-nl"], ["customs-nl"]]
    assert [each.details["by"] for each in entries] == ["barrier.list", "barrier.gaps"]
    assert entries[0].details["objects"] == [str(made)]
    assert entries[0].details["viewer"] == "post-be"


def test_the_class_of_a_barrier_has_what_policies_ask_for(ground: Exchange) -> None:
    registered(ground, "customs-nl", tlp=Tlp.RED, handling=frozenset({Handling.H2}))
    (found,) = ground.rows(select(ShareClass))
    assert {name: found.attributes[name] for name in ("kind", "tlp", "handling")} == {
        "kind": "barrier",
        "tlp": "RED",
        "handling": ["H2"],
    }
    assert found.attributes["barrier_step"] == 1
    ground.publish("customs-nl", shares("customs-nl", "feed", kinds="barrier"))
    assert listed(ground, "post-be") == []  # the platform keeps TLP:RED from everybody


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"step": 3}, "step"),
        ({"step": 2}, "barrier"),
        ({"key": "other"}, "barrier"),
        ({"to_day": today() - timedelta(days=11)}, "until"),
        ({"from_day": today().replace(year=1999)}, "from"),
        ({"expires_on": today()}, "expires_on"),
        ({"expires_on": today() + timedelta(days=1_200)}, "expires_on"),
        ({"place": Place("BE", "bpost", None)}, "point"),
        ({"place": Place(None, "bpost", "B1")}, "country"),
        ({"tlp": Tlp.CLEAR, "handling": frozenset({Handling.H1})}, "handling"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_contradicts_the_model_or_itself_is_refused(
    ground: Exchange, wrong: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        registered(ground, "customs-nl", **wrong)
    assert [each["field"] for each in refused.value.extensions["errors"]] == [f"json.{field}"]
    assert ground.rows(select(RegisteredBarrier)) == []


def test_a_step_where_nothing_holds_today_is_a_gap(ground: Exchange) -> None:
    for code in ("customs-nl", "police-de"):
        ground.publish(code, shares(code, "feed", kinds="barrier"))
    found = gaps(ground, "post-be")
    assert [(each.key, each.is_gap) for each in found.steps] == [("buy", True), ("send", True)]
    registered(ground, "customs-nl", from_day=today() + timedelta(days=1))
    registered(ground, "customs-nl", to_day=today() - timedelta(days=1))
    assert gaps(ground, "post-be").steps[0].is_gap
    registered(ground, "customs-nl", place=Place("NL", "postnl", "AMS 1"))
    registered(ground, "police-de", to_day=today())
    registered(ground, "post-be")
    assert gaps(ground, "post-be").steps[0].held == {"ask-why": Held(own=1, others=2)}
    assert gaps(ground, "post-be", country="BE").steps[0].held["ask-why"] == Held(1, 1)
    assert gaps(ground, "post-be", None).steps[0].held["ask-why"] == Held(1, 0)
    # A key is the same barrier in the next version; one of another model counts elsewhere.
    load(ground, changed("version: 1", "version: 2"))
    assert gaps(ground, "post-be").steps[0].held["ask-why"] == Held(1, 2)
    act(ground, modelling.choose, ground.caller("police-de"), in_force(ground, "police-de"))
    found = gaps(ground, "police-de", None)
    assert (found.steps[0].is_gap, found.elsewhere) == (True, 1)


def test_a_barrier_is_renewed_and_ended_by_its_own_organisation(
    ground: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = registered(ground, "customs-nl").found.barrier
    caller, other = ground.caller("customs-nl"), ground.caller("post-be")
    assert made.expires_on == today() + registering.USUAL
    verbs: tuple[tuple[Callable[..., Any], tuple[Any, ...]], ...] = (
        (registering.renew, (None,)),
        (registering.end, (today(),)),
    )
    for verb, given in verbs:
        for who, which in ((other, made.public_id), (caller, uuid4())):
            with pytest.raises(NotFoundError):
                act(ground, verb, who, which, *given)
    later = clock.now() + timedelta(days=340)
    monkeypatch.setattr(registering, "now", lambda: later)
    assert upkeep(ground, registering.remind) == 1
    assert upkeep(ground, registering.remind) == 0
    shown = act(ground, registering.renew, caller, made.public_id, None)
    assert shown.found.barrier.expires_on == later.date() + registering.USUAL
    monkeypatch.setattr(registering, "now", clock.now)
    for day in (made.from_day - timedelta(days=1), shown.found.barrier.expires_on):
        with pytest.raises(InvalidRequestError):
            act(ground, registering.end, caller, made.public_id, day)
    act(ground, registering.end, caller, made.public_id, today() - timedelta(days=2))
    assert listed(ground, "customs-nl", None) == [made.public_id]
    assert listed(ground, "customs-nl", None, holds_on=today()) == []
    assert listed(ground, "customs-nl", None, holds_on=today() - timedelta(days=2))
    with pytest.raises(BarrierEndedError):
        act(ground, registering.end, caller, made.public_id, today())
    with pytest.raises(BarrierEndedError):
        act(ground, registering.renew, caller, made.public_id, None)
    steps = [each.details["step"] for each in ground.entries("barrier.change")]
    assert steps == ["renew", "end"]


def test_a_barrier_whose_record_has_ended_is_erased(
    ground: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(ground, "customs-nl", expires_on=today() + timedelta(days=1))
    kept = registered(ground, "customs-nl").found.barrier.public_id
    assert upkeep(ground, registering.erase) == 0
    monkeypatch.setattr(registering, "now", lambda: clock.now() + timedelta(days=1))
    assert upkeep(ground, registering.erase) == 1
    assert [each.public_id for each in ground.rows(select(RegisteredBarrier))] == [kept]
    (entry,) = ground.entries("barrier.erase")
    assert entry.audience == ["customs-nl", "platform"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_list_has_pages_and_an_organisation_so_many(
    ground: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [registered(ground, "customs-nl").found.barrier.public_id for _ in range(3)]
    caller = ground.caller("customs-nl")
    first = act(ground, registering.list_barriers, caller, None, limit=2)
    assert [each.found.barrier.public_id for each in first.barriers] == made[:0:-1]
    rest = act(ground, registering.list_barriers, caller, None, limit=2, cursor=first.next)
    assert ([each.found.barrier.public_id for each in rest.barriers], rest.next) == (made[:1], None)
    monkeypatch.setattr(registering, "MOST_BARRIERS", 3)
    with pytest.raises(TooManyBarriersError):
        registered(ground, "customs-nl")

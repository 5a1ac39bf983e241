"""A made-up year that its members told: every report counts once, in its week, as its owner's."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.access import Caller
from app.barriers import closing
from app.barriers.board import Board, board
from app.barriers.methods.disclosure_control import Grain, closed_week, first_day
from app.barriers.model_upkeep import load_shipped
from app.barriers.models import RegisteredBarrier, StepTag
from app.barriers.visible_counts import CellName, Kind
from app.clock import now
from app.demo import told_year
from app.demo.barrier_year import FIRST, OWNERS, SIGNALS, WEEKS, MadeReport, Plan, year
from app.disclosures.models import Outcome
from app.indicators import service as indicators
from app.indicators.models import Indicator, Report
from tests.app.barriers.ground import upkeep
from tests.app.exchange import Exchange, make_exchange

PLAN = Plan(seed=3, scale=0.01)
_MEMBERS = {"post": "post-be", "courier": "post-be", "customs": "customs-nl", "police": "police-de"}


@pytest.fixture
def exchange(app: Flask) -> Exchange:
    made = make_exchange(app)
    upkeep(made, load_shipped)
    return made


@pytest.fixture(scope="module")
def reports() -> list[MadeReport]:
    return list(year(PLAN).reports())


def told(exchange: Exchange, reports: list[MadeReport]) -> int:
    members = members_of(exchange)
    with exchange.app.app_context(), exchange.database.transaction() as session:
        count = told_year.tell(session, reports, members)
        told_year.set_barriers(session, members)
        closing.close(session, now())
    return count


def members_of(exchange: Exchange) -> dict[str, Caller]:
    return {owner: exchange.caller(_MEMBERS[owner.partition("-")[0]]) for owner in OWNERS}


def own_board(exchange: Exchange, code: str) -> Board:
    with exchange.app.app_context(), exchange.database.transaction() as session:
        return board(session, exchange.caller(code), None)


def test_every_report_is_counted_once_in_its_time_by_its_owner(
    exchange: Exchange, reports: list[MadeReport]
) -> None:
    assert told(exchange, reports) == len(reports)
    for code in set(_MEMBERS.values()):
        ours = [each for each in reports if _MEMBERS[each.owner.partition("-")[0]] == code]
        found = own_board(exchange, code)
        by_period = Counter((each.day - FIRST).days // (7 * Grain.FOUR_WEEKS) for each in ours)
        by_step = Counter(each.step for each in ours)
        by_signal = Counter(signal for each in ours for signal in each.signals)
        totals = [found.told.own.get(CellName(Kind.TOTAL, each), 0) for each in found.periods]
        assert totals == [by_period[place] for place in range(len(found.periods))]
        assert summed(found, Kind.STEP, lambda name: name.step) == by_step
        assert summed(found, Kind.SIGNAL, lambda name: name.words[0]) == by_signal
        points = Counter(each.point.replace("-", f" {told_year.OPERATOR} ") for each in ours)
        assert summed(found, Kind.POINT, lambda name: " ".join(name.words)) == points


def summed(found: Board, kind: Kind, key: Callable[[CellName], Any]) -> Counter[Any]:
    counts: Counter[Any] = Counter()
    for name, count in found.told.own.items():
        if name.kind is kind:
            counts[key(name)] += count
    return counts


def test_what_is_stored_is_what_a_member_sees_of_its_own(
    exchange: Exchange, reports: list[MadeReport]
) -> None:
    ours = [each for each in reports if each.owner == "police-a"]
    members = {"police-a": exchange.caller("police-de")}
    with exchange.app.app_context(), exchange.database.transaction() as session:
        told_year.tell(session, ours, members)
        page = indicators.list_own(session, exchange.caller("police-de"), limit=1)
        own = indicators.read_own(session, exchange.caller("police-de"), page.reports[0].id)
        counted = {
            model: session.scalar(select(func.count()).select_from(model))
            for model in (Report, Indicator, StepTag, Outcome)
        }
    assert own.indicators[0]["expires_on"] > now().date() + timedelta(days=100)
    assert counted.pop(Outcome) <= sum(len(each.outcomes) for each in ours)
    assert set(counted.values()) == {len(ours)}
    (entry,) = exchange.entries("report.submit")
    assert entry.details["counts"] == {"created": len(ours)}


def test_the_year_ends_with_the_last_four_weeks_that_are_over() -> None:
    at = now()
    last = closing.last_period(closed_week(at.date()))
    ends = told_year.day_of_week(at, WEEKS)
    assert ends == first_day((last + 1) * Grain.FOUR_WEEKS) <= at.date()
    assert told_year.begins(at) == ends - timedelta(weeks=WEEKS)


def test_its_signals_and_barriers_are_of_the_shipped_model(exchange: Exchange) -> None:
    found = told(exchange, [])
    barriers = exchange.rows(select(RegisteredBarrier))
    assert (found, len(barriers)) == (0, 4)
    document = own_board(exchange, "police-de").document
    for step in document.steps:
        assert set(SIGNALS[step.number]) <= {each.key for each in step.signals}

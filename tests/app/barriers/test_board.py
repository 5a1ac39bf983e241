"""Who is told what on the board, and that asking again, or otherwise, gains nothing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.barriers import closing, told_counts
from app.barriers.board import Board, NotCountedError, OneGroundError, board
from app.barriers.methods.disclosure_control import closed_week, first_day
from app.barriers.methods.noise import KEY_BITS, WIDEST
from app.barriers.model_upkeep import load_shipped
from app.barriers.models import ModelVersion, StepTag, StepTagSignal
from app.barriers.stat_models import StatTold
from app.barriers.visible_counts import ELSEWHERE, CellName, Kind
from app.clock import now
from app.indicators.telling import Grounds
from app.small_counts import LEAST
from postern.vocabulary import LegalBasis, Purpose, Role, Scope, Sector
from tests.app.barriers.stored_reports import Made, forget, plain, store
from tests.app.exchange import CLOSED, Exchange, make_exchange
from tests.app.people import bearer, make_organisation, make_person

FEED = """
@id("open/all") @label("Everybody counts") permit (principal, action, resource);
"""
RISK = Grounds(Purpose.RISK_ANALYSIS, LegalBasis.POSTAL_LAW, "")
POLICE = Grounds(Purpose.RISK_ANALYSIS, LegalBasis.POLICE_LAW, "")
OPERATORS = (("courier-nl", "NL"), ("courier-de", "DE"), ("courier-lu", "LU"))


@pytest.fixture
def exchange(app: Flask) -> Exchange:
    return competitors(app)


def competitors(app: Flask) -> Exchange:
    """An exchange with three couriers that open everything, and the shipped model."""
    made = make_exchange(app)
    for code, country in OPERATORS:
        make_organisation(made.database, code, Sector.COURIER, country)
        made.people[code] = make_person(app, code, Role)
        made.publish(code, FEED)
    with app.app_context(), made.database.transaction() as session:
        load_shipped(session)
    return made


def test_before_the_first_closing_there_is_no_board(exchange: Exchange) -> None:
    with pytest.raises(NotCountedError):
        _board(exchange, "post-be")


def test_own_counts_are_exact_and_those_of_others_within_their_noise(exchange: Exchange) -> None:
    ours = [*_many("post-be", 3), *_many("courier-nl", 41), *_many("courier-de", 30)]
    _close(exchange, ours)
    found = _board(exchange, "post-be")
    step = CellName(Kind.STEP, found.periods[-1], 3)
    assert found.told.own[step] == 3
    assert abs(found.told.others[step].count - 71) <= WIDEST
    assert found.told.others == _board(exchange, "post-be").told.others


def test_a_policy_that_is_closed_acts_at_once(exchange: Exchange) -> None:
    _close(exchange, _many("courier-nl", 40))
    assert _board(exchange, "police-de", POLICE).told.others
    exchange.publish("courier-nl", CLOSED)
    assert not _board(exchange, "police-de", POLICE).told.others


def test_a_competitors_volume_is_told_to_the_police_and_not_to_an_operator(
    exchange: Exchange,
) -> None:
    _close(exchange, [*_many("courier-nl", 200), *_many("courier-de", 6)])
    assert not _board(exchange, "post-be").told.others
    assert _board(exchange, "police-de", POLICE).told.others


def test_reports_can_be_counted_by_hand(exchange: Exchange) -> None:
    _close(exchange, _many("post-be", 2))
    put(exchange, _many("post-be", 3))
    counted = exchange.app.test_cli_runner().invoke(args=["barriers", "count"])
    assert counted.output == "5 reports counted.\n"
    found = _board(exchange, "post-be", None)
    assert found.told.own[CellName(Kind.TOTAL, found.periods[-1])] == 5


def test_nobody_waits_for_counts_after_a_change(exchange: Exchange) -> None:
    """What changed is counted by a duty for those who asked lately; others are forgotten."""
    _close(exchange, _many("courier-nl", 40))
    before = _board(exchange, "police-de", POLICE).told
    assert _renewed(exchange) == 0
    exchange.publish("courier-nl", CLOSED)
    assert _renewed(exchange) == 1
    (kept,) = exchange.rows(select(StatTold))
    assert before.others
    assert not kept.content["others"]
    assert _renewed(exchange, timedelta(days=31)) == 0
    assert not exchange.rows(select(StatTold))


def test_fewer_than_five_are_not_told_to_anybody(exchange: Exchange) -> None:
    _close(exchange, _many("courier-nl", LEAST - 1))
    found = _board(exchange, "police-de", POLICE)
    assert found.told.sees_others
    assert not found.told.others


def test_an_operator_cannot_subtract_one_purpose_from_another(exchange: Exchange) -> None:
    _close(exchange, _many("courier-nl", 20))
    with pytest.raises(OneGroundError):
        _board(exchange, "post-be", replace(RISK, purpose=Purpose.PARCEL_SCREENING))
    with pytest.raises(OneGroundError):
        _board(exchange, "post-be", replace(RISK, legal_basis=LegalBasis.LEGITIMATE_INTEREST))
    assert _board(exchange, "police-de", replace(POLICE, purpose=Purpose.CRIMINAL_INTELLIGENCE))


def test_nobody_can_watch_a_report_come_or_go(exchange: Exchange) -> None:
    """The same figures at every moment of the week, whatever happens in it."""
    kept = _close(exchange, [*_many("courier-nl", 40), *_many("courier-de", 40)])
    before = _board(exchange, "police-de", POLICE).told
    assert before.others
    put(exchange, _many("courier-nl", 1))
    assert _board(exchange, "police-de", POLICE).told == before
    with exchange.app.app_context(), exchange.database.transaction() as session:
        forget(session, kept[:1])
    assert _board(exchange, "police-de", POLICE).told == before


def test_no_sum_of_told_cells_gives_a_dominated_one(exchange: Exchange) -> None:
    """One competitor alone at one step: neither it nor what would leave it over is told."""
    few = [*_many("courier-de", 30), *_many("courier-lu", 30)]
    alone = _many("courier-nl", 60, step=5)
    others = [*_many("courier-de", 30, step=4), *_many("courier-lu", 40, step=4)]
    _close(exchange, [*few, *alone, *others])
    found = _board(exchange, "post-be")
    period = found.periods[-1]
    steps = {step: CellName(Kind.STEP, period, step) in found.told.others for step in (3, 4, 5)}
    assert not steps[5]
    assert (
        CellName(Kind.TOTAL, period) not in found.told.others
        or list(steps.values()).count(False) > 1
    )
    assert CellName(Kind.STEP, period, 5) in _board(exchange, "police-de", POLICE).told.others


def test_small_corridors_are_added_up_by_their_origin(exchange: Exchange) -> None:
    drawn = Random(5)  # noqa: S311 - made-up reports
    reports = [
        replace(each, destination=f"{chr(65 + place)}A", key=drawn.getrandbits(KEY_BITS))
        for place in range(26)
        for each in _many("post-be", 2 if place else 9)
    ]
    _close(exchange, reports)
    found = _board(exchange, "post-be", None)
    period = found.periods[-1]
    assert found.told.own[CellName(Kind.CORRIDOR, period, 0, ("NL", ELSEWHERE))] == 4
    assert found.told.own[CellName(Kind.CORRIDOR, period, 0, ("NL", "AA"))] == 9


def test_reading_it_is_logged_without_naming_a_report(exchange: Exchange) -> None:
    _close(exchange, _many("courier-nl", 20))
    _board(exchange, "police-de", POLICE)
    (entry,) = exchange.entries("barrier.board")
    assert set(entry.details) >= {"as_of"}
    assert entry.audience == ["police-de"]


def test_the_steps_without_a_barrier_are_told(exchange: Exchange) -> None:
    _close(exchange, [])
    found = _board(exchange, "post-be", None)
    assert [each.number for each in found.gaps] == [1, 2, 3, 4, 5, 6, 7]
    assert all(each.is_gap for each in found.gaps)
    assert not found.outcomes


def test_signals_are_those_of_the_last_tag(exchange: Exchange) -> None:
    (report,) = put(exchange, _many("post-be", 1))
    with exchange.database.transaction() as session:
        for signals in (["heavy-tape"], ["invented-sender", "odd-value"]):
            _tag(session, exchange.organisation_id("post-be"), report, signals)
    _close(exchange, [])
    found = _board(exchange, "post-be", None)
    told = {name.words: count for name, count in found.told.own.items() if name.kind is Kind.SIGNAL}
    assert told == {("invented-sender",): 1, ("odd-value",): 1}


def test_over_the_interface_counts_are_series_of_the_periods(
    exchange: Exchange, client: FlaskClient
) -> None:
    _close(exchange, [*_many("post-be", 3), *_many("courier-nl", 41), *_many("courier-de", 30)])
    headers = bearer(exchange.app, exchange.people["post-be"], [Scope.BARRIERS_READ])
    grounds = {"purpose": "risk_analysis", "legal_basis": "postal_law"}
    answer = client.get("/api/v1/barriers/board", headers=headers, query_string=grounds)
    assert answer.status_code == 200
    board_ = answer.json
    assert len(board_["periods"]) == closing.PERIODS
    (step,) = (each for each in board_["counts"] if each["table"] == "step")
    assert step["own"] == [0] * 12 + [3]
    assert step["others"][:12] == [None] * 12
    assert abs(step["others"][12] - 71) <= WIDEST
    assert board_["own"]["steps"][0]["likelihood"]["figure"]["value"] == pytest.approx(3 / 13)
    assert board_["gaps"][0]["is_gap"]
    refused = client.get(
        "/api/v1/barriers/board", headers=headers, query_string={**grounds, "origin": "NL"}
    )
    assert refused.status_code == 422


def _renewed(exchange: Exchange, later: timedelta = timedelta(0)) -> int:
    with exchange.app.app_context(), exchange.database.transaction() as session:
        return told_counts.renew(session, now() + later)


def _tag(session: Session, organisation_id: int, report: int, signals: Sequence[str]) -> None:
    tag = StepTag(
        organisation_id=organisation_id,
        report_id=report,
        version_id=session.scalars(select(ModelVersion.id)).one(),
        step=3,
        suggested={},
        rejected=[],
        made_at=now(),
        made_by=uuid4(),
    )
    session.add(tag)
    session.flush()
    session.add_all(StepTagSignal(tag_id=tag.id, signal=each) for each in signals)


def _many(owner: str, count: int, step: int = 3) -> list[Made]:
    drawn = Random(f"{owner} {count} {step}")  # noqa: S311 - made-up reports
    return [
        plain(owner, age_of_period(), step=step, key=drawn.getrandbits(KEY_BITS))
        for _ in range(count)
    ]


def age_of_period() -> int:
    """Days since the last day of the last four of weeks that is over."""
    week = closed_week(now().date())
    last = first_day((closing.last_period(week) + 1) * 4) - timedelta(days=1)
    return (now().date() - last).days


def put(exchange: Exchange, reports: Sequence[Made]) -> list[int]:
    """These reports too; their keys."""
    owners = {
        code: (person.caller.member[0], person.person_id)
        for code, person in exchange.people.items()
    }
    with exchange.app.app_context(), exchange.database.transaction() as session:
        return store(session, reports, now(), owners) if reports else []


def _close(exchange: Exchange, reports: Sequence[Made]) -> list[int]:
    ids = put(exchange, reports)
    with exchange.app.app_context(), exchange.database.transaction() as session:
        closing.close(session, now())
    return ids


def _board(exchange: Exchange, code: str, grounds: Grounds | None = RISK) -> Board:
    with exchange.app.app_context(), exchange.database.transaction() as session:
        return board(session, exchange.caller(code), grounds)

"""The clocks: what is due when, who is reminded, and what ends by itself."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.disclosures import clocks
from app.disclosures.models import DisclosureRequest
from app.disclosures.transitions import RequestStateError
from app.jobs.models import Notification
from postern.vocabulary import (
    Answer,
    DecisionReason,
    RequestState,
    Role,
    SealedPart,
    Urgency,
)
from tests.app.disclosures.desk import NOON, Desk
from tests.app.people import runtime_of

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def told(desk: Desk, kind: str) -> list[Any]:
    rows = desk.exchange.rows(select(Notification).where(Notification.kind == kind))
    return sorted(rows, key=lambda row: row.id)


def who(desk: Desk, kind: str) -> set[tuple[str, Role]]:
    codes = {desk.exchange.organisation_id(code): code for code in desk.premises}
    return {(codes[row.organisation_id], row.role) for row in told(desk, kind)}


def test_the_clocks_are_those_of_the_directive_and_of_a_life(desk: Desk) -> None:
    settings = runtime_of(desk.app).settings.disclosure
    for urgency, is_held, allowed, grace in (
        (Urgency.URGENT, True, 8 * HOUR, 14 * DAY),
        (Urgency.URGENT, False, 3 * DAY, 14 * DAY),
        (Urgency.NORMAL, True, 7 * DAY, 14 * DAY),
        (Urgency.NORMAL, False, 7 * DAY, 14 * DAY),
        (Urgency.LIFE, True, HOUR, DAY),
        (Urgency.LIFE, False, HOUR, DAY),
    ):
        begun = clocks.begun(urgency, NOON, settings, is_held=is_held)
        assert begun == clocks.Clock(NOON + allowed, NOON + allowed + grace, allowed)
    direct, fetched = desk.found(), desk.found(parts=("note",))
    assert direct.ask(urgency=Urgency.URGENT).due_at == NOON + 8 * HOUR
    assert fetched.ask(urgency=Urgency.URGENT).due_at == NOON + 3 * DAY


def test_approvers_are_reminded_and_then_officers_and_then_it_lapses(desk: Desk) -> None:
    found = desk.found()
    found.ask(urgency=Urgency.URGENT)
    steps: Mapping[datetime, tuple[int, int, int]] = {
        NOON + 4 * HOUR - timedelta(seconds=1): (0, 0, 0),
        NOON + 4 * HOUR: (1, 0, 0),
        NOON + 6 * HOUR: (1, 0, 0),
        NOON + 6.4 * HOUR: (2, 0, 0),
        NOON + 8 * HOUR: (2, 1, 0),
        NOON + 9 * DAY: (2, 1, 0),
        NOON + 8 * HOUR + 14 * DAY: (2, 1, 1),
        NOON + 30 * DAY: (2, 1, 1),
    }
    for at, expected in steps.items():
        desk.clock.at = at
        for _ in range(2):
            desk.run_duties()
        counts = tuple(
            len({row.made_at for row in told(desk, f"disclosure.{kind}")})
            for kind in ("due", "overdue", "lapsed")
        )
        assert counts == expected, at
    assert [row.facts["percent"] for row in told(desk, "disclosure.due")] == [50, 80]
    assert who(desk, "disclosure.due") == {("post-be", Role.APPROVER)}
    assert who(desk, "disclosure.overdue") == {
        ("post-be", Role.APPROVER),
        ("post-be", Role.COMPLIANCE),
    }
    assert who(desk, "disclosure.late") == {("police-de", Role.ANALYST)}
    both = {("police-de", Role.ANALYST), *who(desk, "disclosure.overdue")}
    assert who(desk, "disclosure.lapsed") == both
    assert found.read_asked().state is RequestState.LAPSED
    with pytest.raises(RequestStateError):
        found.decide(Answer.NOTHING, DecisionReason.NOT_HELD)
    (overdue,) = desk.exchange.entries("disclosure.overdue")
    (lapsed,) = desk.exchange.entries("disclosure.lapse")
    assert overdue.audience == lapsed.audience == ["platform", "police-de", "post-be"]


def test_a_worker_that_was_away_does_what_is_due_once(desk: Desk) -> None:
    found = desk.found()
    found.ask()
    found.decide()
    desk.later(days=8)
    desk.run_duties()
    assert told(desk, "disclosure.due") == []  # nobody is reminded of what is over
    assert len(told(desk, "disclosure.overdue")) == 2
    desk.later(days=30)
    desk.run_duties()
    shown = found.read_received()
    assert shown.state is RequestState.LAPSED
    assert shown.decision
    assert shown.decision.state.value == "void"
    assert all(each.erased for each in shown.deliveries)


def test_a_question_lets_the_clock_stand_still_until_the_answer(desk: Desk) -> None:
    found = desk.found()
    begun = found.ask()
    desk.later(days=2)
    asked = found.question()
    assert asked.state is RequestState.QUESTIONED
    assert asked.lapses_at == max(begun.lapses_at, desk.clock.at + 14 * DAY)
    desk.later(days=10)
    desk.run_duties()
    assert told(desk, "disclosure.due") == told(desk, "disclosure.overdue") == []
    answered = found.answer()
    assert answered.state is RequestState.OPEN
    assert answered.due_at == begun.due_at + 10 * DAY
    assert answered.lapses_at == begun.lapses_at + 10 * DAY
    assert who(desk, "disclosure.questioned") == {("police-de", Role.ANALYST)}
    assert who(desk, "disclosure.answered") == {("post-be", Role.APPROVER)}
    with pytest.raises(RequestStateError):
        found.answer()
    desk.later(days=2)
    desk.run_duties()
    assert len(told(desk, "disclosure.due")) == 1  # four of seven days are over
    found.question()
    desk.later(days=20)
    desk.run_duties()
    assert found.read_asked().state is RequestState.LAPSED


def test_an_owner_may_decide_although_its_question_waits(desk: Desk) -> None:
    found = desk.found()
    begun = found.ask()
    found.question()
    desk.later(days=3)
    shown = found.decide()
    assert shown.state is RequestState.PROPOSED
    assert shown.due_at == begun.due_at + 3 * DAY
    assert found.judge().state is RequestState.RELEASED


def test_a_threat_to_life_is_told_again_every_quarter_of_an_hour(desk: Desk) -> None:
    found = desk.found()
    found.ask(urgency=Urgency.LIFE)
    desk.run_duties()
    assert len(told(desk, "disclosure.life")) == 3
    rounds = 1
    for minutes in range(5, 60, 5):
        desk.clock.at = NOON + timedelta(minutes=minutes)
        desk.run_duties()
        rounds += minutes % 15 == 0
        assert len(told(desk, "disclosure.life")) == 3 * rounds, minutes
    found.question()  # stops nothing, for a life is at risk
    desk.clock.at = NOON + HOUR
    desk.run_duties()
    assert len(told(desk, "disclosure.overdue")) == 2
    desk.later(minutes=15)
    desk.run_duties()
    assert len(told(desk, "disclosure.life")) == 3 * (rounds + 1)
    found.decide(Answer.ALL, DecisionReason.LIFE_AT_RISK)
    desk.later(hours=2)
    desk.run_duties()
    assert len(told(desk, "disclosure.life")) == 3 * (rounds + 1)
    other = desk.found()
    other.ask(urgency=Urgency.LIFE)
    desk.later(hours=25)
    desk.run_duties()
    assert other.read_asked().state is RequestState.LAPSED


def test_a_request_whose_indicator_went_while_it_was_asked_ends(desk: Desk) -> None:
    found = desk.found()
    found.ask(SealedPart.VALUE)
    parts = found.resealed()
    with desk.session() as session:  # as when both were at once
        session.execute(update(DisclosureRequest).values(indicator_id=None))
    with pytest.raises(RequestStateError):
        found.decide(parts=parts)
    desk.run_duties()
    assert found.read_asked().state is RequestState.ENDED

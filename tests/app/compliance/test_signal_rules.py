"""The rules of signals: for each a log that must raise one, and one like it that must not."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.audit.catalogue import CATALOGUE
from app.audit.entry import Outcome
from app.clock import milliseconds
from app.compliance import signal_rules as rules
from app.compliance.models import Signal
from app.compliance.signal_events import DAY, FOLLOW_UPS, HOUR, Event, Picture
from app.compliance.signal_rules import Found, found_in
from tests.app.compliance.ordinary import told

NOW = datetime(2026, 11, 25, 20, tzinfo=UTC)  # a Wednesday
TODAY = milliseconds(NOW) // DAY
ANN, BOB, EVE = UUID(int=1), UUID(int=2), UUID(int=3)

SAME = frozenset({"the same", "of the same report"})
Log = list[Event]


def at(days_ago: int, hour: float = 10) -> int:
    """Milliseconds since 1970 of an hour so many days ago."""
    return (TODAY - days_ago) * DAY + int(hour * HOUR)


class Writing:
    """Writes events one after another."""

    def __init__(self) -> None:
        self.events: Log = []

    def add(self, t: int, act: str, person: UUID | None = ANN, **fields: Any) -> None:
        self.events.append(Event(len(self.events) + 1, t, act, person=person, **fields))

    def lookup(self, t: int, person: UUID = ANN, count: int = 1, **fields: Any) -> None:
        self.add(t, "lookup.ask", person, count=count, **fields)

    def workdays(self, person: UUID, a_day: int, count: int = 1, **fields: Any) -> None:
        """Lookups between 9 and 17 on each of the 60 days before today, weekends left out."""
        for ago in range(1, 61):
            if (NOW - timedelta(days=ago)).weekday() < 5:
                for number in range(a_day):
                    hour = 9 + 8 * number / a_day
                    self.lookup(at(ago, hour), person, count, **fields)


def seen(write: Callable[[Writing], None]) -> list[Found]:
    log = Writing()
    write(log)
    return found_in(Picture(log.events, NOW))


def of(signal: Signal, found: Iterable[Found]) -> list[Found]:
    return [each for each in found if each.signal is signal]


def bulk_loud(log: Writing) -> None:
    log.workdays(BOB, 10)
    for number in range(30):
        log.lookup(at(0, 9 + number / 10), ANN, count=10)


def bulk_usual_for_all(log: Writing) -> None:
    log.workdays(BOB, 10, count=10)
    for number in range(30):
        log.lookup(at(0, 9 + number / 10), ANN, count=10)


def bulk_usual_for_this_person(log: Writing) -> None:
    log.workdays(BOB, 2)
    log.workdays(ANN, 20, count=10)
    for number in range(30):
        log.lookup(at(0, 9 + number / 10), ANN, count=10)


def bulk_below_the_floor(log: Writing) -> None:
    log.workdays(BOB, 1)
    for number in range(20):
        log.lookup(at(0, 9 + number / 10), ANN, count=10)


def regular_loud(log: Writing) -> None:
    for number in range(50):
        log.lookup(at(0) + number * 20_000 + number % 3 * 500)


def regular_but_by_hand(log: Writing) -> None:
    for number in range(50):
        log.lookup(at(0) + number * 40_000 + (number * 7919) % 13 * 5000)


def regular_but_every_day(log: Writing) -> None:
    for ago in (0, *range(7, 13)):
        for number in range(50):
            log.lookup(at(ago) + number * 20_000)


def regular_but_few(log: Writing) -> None:
    for number in range(39):
        log.lookup(at(0) + number * 20_000)


def regular_but_in_batches(log: Writing) -> None:
    log.workdays(BOB, 10, count=400)
    for number in range(50):
        log.lookup(at(0) + number * 20_000, count=100)


def _uneven(log: Writing, hits: int) -> None:
    """A run of 120 identifiers, unevenly spaced, with so many hits."""
    for number in range(60):
        t = at(0) + number * 40_000 + (number * 7919) % 13 * 5000
        log.lookup(t, ANN, count=2, hits=int(number < hits))


def barren_loud(log: Writing) -> None:
    log.workdays(BOB, 10, hits=1, case="PV-1")
    log.workdays(EVE, 10, case="PV-1")
    _uneven(log, hits=1)


def barren_but_as_usual(log: Writing) -> None:
    log.workdays(BOB, 10, case="PV-1")
    _uneven(log, hits=0)


def barren_but_with_hits(log: Writing) -> None:
    log.workdays(BOB, 10, hits=1, case="PV-1")
    log.workdays(EVE, 10, case="PV-1")
    _uneven(log, hits=40)


def lone_cases_loud(log: Writing) -> None:
    for number in range(20):
        log.lookup(at(20 + number % 20), ANN, case=f"lone {number}")
        log.lookup(at(21 + number % 20), BOB, case=f"shared {number}")
        log.lookup(at(20 + number % 20), BOB, case=f"shared {number}")


def lone_cases_of_everybody(log: Writing) -> None:
    for number in range(30):
        log.lookup(at(20 + number % 20), ANN, case=f"lone {number}")
        log.lookup(at(20 + number % 20), BOB, case=f"lone too {number}")


def lone_cases_that_went_on(log: Writing) -> None:
    for number in range(20):
        log.lookup(at(20 + number), ANN, case=f"case {number}")
        log.add(at(15), "indicator.read", BOB, case=f"case {number}")
        log.lookup(at(20 + number), BOB, case=f"shared {number}")
        log.lookup(at(19 + number), BOB, case=f"shared {number}")


def lone_cases_of_yesterday(log: Writing) -> None:
    for number in range(20):
        log.lookup(at(1 + number % 12), ANN, case=f"lone {number}")
        log.lookup(at(21 + number % 20), BOB, case=f"shared {number}")
        log.lookup(at(20 + number % 20), BOB, case=f"shared {number}")


def night_loud(log: Writing) -> None:
    log.workdays(ANN, 6)
    log.add(at(1, 2.9), "session.start")
    for number in range(4):
        log.lookup(at(1, 3 + number / 10))


def weekend_loud(log: Writing) -> None:
    log.workdays(ANN, 6)
    for number in range(4):
        log.lookup(at(3, 10 + number / 10))  # a Sunday


def night_of_a_night_worker(log: Writing) -> None:
    for ago in range(1, 61):
        for number in range(4):
            log.lookup(at(ago, 2 + number / 2))
    for number in range(4):
        log.lookup(at(0, 3 + number / 10))


def an_hour_of_overtime(log: Writing) -> None:
    log.workdays(ANN, 6)
    for number in range(4):
        log.lookup(at(1, 17.2 + number / 10))


def night_of_somebody_new(log: Writing) -> None:
    for ago in range(1, 5):
        for number in range(12):
            log.lookup(at(ago, 9 + number / 2))
    for number in range(4):
        log.lookup(at(0, 3 + number / 10))


def _others(log: Writing) -> None:
    """Many records shown to others, each its own."""
    for number in range(60):
        log.lookup(
            at(number % 50, 11),
            BOB,
            hits=1,
            objects=frozenset({f"of others {number}"}),
            case="PV-1",
        )


def interest_loud(log: Writing) -> None:
    _others(log)
    for number in range(4):
        log.lookup(at(number * 9, 11), ANN, hits=1, objects=SAME, case=f"case {number}")


def interest_of_one_case(log: Writing) -> None:
    _others(log)
    for number in range(4):
        log.lookup(at(number * 9, 11), ANN, hits=1, objects=SAME, case="PV-2")


def interest_of_others_too(log: Writing) -> None:
    interest_loud(log)
    for number in range(2):
        log.lookup(at(number, 12), BOB, hits=1, objects=SAME, case="PV-1")


def interest_of_who_does_most(log: Writing) -> None:
    for number in range(60):
        log.lookup(
            at(number % 50, 11),
            ANN,
            hits=1,
            objects=frozenset({f"record {number % 15}"}),
            case=f"{number}",
        )


def not_followed_loud(log: Writing) -> None:
    for number in range(12):
        log.lookup(at(35 + number, 11), ANN, hits=1, case=f"left {number}")
        log.lookup(at(35 + number, 12), BOB, hits=1, case=f"done {number}")
        log.add(at(30 + number, 12), "indicator.read", BOB, case=f"done {number}")


def not_followed_by_anybody(log: Writing) -> None:
    for number in range(12):
        log.lookup(at(35 + number, 11), (ANN, BOB)[number % 2], hits=1, case=f"left {number}")


def followed_by_record(log: Writing) -> None:
    for number in range(12):
        record = frozenset({f"record {number}"})
        log.lookup(at(35 + number, 11), ANN, hits=1, case=f"left {number}", objects=record)
        log.add(at(10 + number, 11), "indicator.read", BOB, case="another", objects=record)


def not_followed_yet(log: Writing) -> None:
    for number in range(12):
        log.lookup(at(15 + number, 11), ANN, hits=1, case=f"left {number}")


def denied_loud(log: Writing) -> None:
    for number in range(5):
        log.add(at(0, 9 + number), "policy.publish", outcome=Outcome.DENIED)


def denied_seldom(log: Writing) -> None:
    for number in range(5):
        log.add(at(number), "policy.publish", outcome=Outcome.DENIED)


def failed_often(log: Writing) -> None:
    for number in range(9):
        log.add(at(0, 9 + number), "lookup.ask", outcome=Outcome.ERROR)


def sign_ins_loud(log: Writing) -> None:
    for number in range(8):
        log.add(at(0, 9 + number / 60), "session.refuse", outcome=Outcome.DENIED)


def sign_ins_mistyped(log: Writing) -> None:
    for number in range(4):
        log.add(at(0, 9 + number / 60), "session.refuse", outcome=Outcome.DENIED)
        log.add(at(0, 9 + number / 60), "session.refuse", BOB, outcome=Outcome.DENIED)


def tokens_loud(log: Writing) -> None:
    for number in range(20):
        log.add(at(0, 9 + number / 60), "token.refuse", None, outcome=Outcome.DENIED)


def tokens_seldom(log: Writing) -> None:
    for number in range(19):
        log.add(at(0, 9 + number / 60), "token.refuse", None, outcome=Outcome.DENIED)


def _screened(log: Writing, t: int, count: int = 10_000, **fields: Any) -> None:
    log.add(t, "evaluation.screen", count=count, purpose="parcel_screening", **fields)


def screened_without_a_list(log: Writing) -> None:
    log.add(at(9), "filter.fetch", BOB, purpose="parcel_screening")  # over by then
    log.add(at(1), "filter.fetch", BOB, purpose="risk_analysis")
    _screened(log, at(0), 900, case="c")
    _screened(log, at(0, 11), 100, case="c")


def screened_with_a_list(log: Writing) -> None:
    log.add(at(6), "filter.changes", BOB, purpose="parcel_screening")
    _screened(log, at(0), 90_000, case="c")
    _screened(log, at(10), 999, case="tried out")


def screened_for_nothing(log: Writing) -> None:
    for ago in (30, 31):
        log.add(at(ago, 9), "filter.fetch", BOB, purpose="parcel_screening")
        _screened(log, at(ago), case="c")
    log.lookup(at(29), BOB, case="another")
    log.add(at(15, 9), "pattern.run", BOB)  # too late


def screened_and_confirmed(log: Writing) -> None:
    _screened(log, at(30), case="c")
    log.lookup(at(30, 12), BOB, case="c")


def screened_and_counted(log: Writing) -> None:
    _screened(log, at(30), case="c")
    log.add(at(20), "pattern.run", BOB)


def screened_lately_or_little(log: Writing) -> None:
    _screened(log, at(14), case="c")
    _screened(log, at(30), 9_999, case="d")


LOUD: list[tuple[Signal, Callable[[Writing], None], UUID | None, dict[str, Any]]] = [
    (Signal.BULK, bulk_loud, ANN, {"identifiers": 300, "usual": 10, "limit": 200}),
    (Signal.PROBING, regular_loud, ANN, {"pattern": "regular", "lookups": 50, "hits": 0}),
    (Signal.PROBING, barren_loud, ANN, {"pattern": "barren", "identifiers": 120, "hits": 1}),
    (Signal.NO_CASE_ACTIVITY, lone_cases_loud, ANN, {"lone": 20, "cases": 20, "others_percent": 0}),
    (Signal.UNUSUAL_HOURS, night_loud, ANN, {"from": "03:00", "minutes_after_sign_in": 6}),
    (Signal.UNUSUAL_HOURS, weekend_loud, ANN, {"weekend": True, "usual_here": 0}),
    (Signal.OWN_INTEREST, interest_loud, ANN, {"lookups": 4, "cases": 4, "days": 4, "others": 0}),
    (Signal.NOT_FOLLOWED_UP, not_followed_loud, ANN, {"open": 12, "hits": 12}),
    (Signal.NOT_FOLLOWED_UP, not_followed_by_anybody, None, {"open": 12, "hits": 12}),
    (Signal.REFUSALS, denied_loud, ANN, {"refused": 5, "what": "acts"}),
    (Signal.REFUSALS, sign_ins_loud, ANN, {"refused": 8, "what": "sign-ins"}),
    (Signal.REFUSALS, tokens_loud, None, {"refused": 20, "what": "tokens"}),
    (Signal.SCREENING, screened_without_a_list, ANN, {"evaluations": 1000, "what": "no-list"}),
    (
        Signal.SCREENING,
        screened_for_nothing,
        ANN,
        {"evaluations": 20_000, "what": "nothing-came", "days": 2, "cases": 1},
    ),
]

QUIET: list[tuple[Signal, Callable[[Writing], None]]] = [
    (Signal.BULK, bulk_usual_for_all),
    (Signal.BULK, bulk_usual_for_this_person),
    (Signal.BULK, bulk_below_the_floor),
    (Signal.PROBING, regular_but_by_hand),
    (Signal.PROBING, regular_but_every_day),
    (Signal.PROBING, regular_but_few),
    (Signal.PROBING, regular_but_in_batches),
    (Signal.PROBING, barren_but_as_usual),
    (Signal.PROBING, barren_but_with_hits),
    (Signal.NO_CASE_ACTIVITY, lone_cases_of_everybody),
    (Signal.NO_CASE_ACTIVITY, lone_cases_that_went_on),
    (Signal.NO_CASE_ACTIVITY, lone_cases_of_yesterday),
    (Signal.UNUSUAL_HOURS, night_of_a_night_worker),
    (Signal.UNUSUAL_HOURS, an_hour_of_overtime),
    (Signal.UNUSUAL_HOURS, night_of_somebody_new),
    (Signal.OWN_INTEREST, interest_of_one_case),
    (Signal.OWN_INTEREST, interest_of_others_too),
    (Signal.OWN_INTEREST, interest_of_who_does_most),
    (Signal.NOT_FOLLOWED_UP, followed_by_record),
    (Signal.NOT_FOLLOWED_UP, not_followed_yet),
    (Signal.REFUSALS, denied_seldom),
    (Signal.REFUSALS, failed_often),
    (Signal.REFUSALS, sign_ins_mistyped),
    (Signal.REFUSALS, tokens_seldom),
    (Signal.SCREENING, screened_with_a_list),
    (Signal.SCREENING, screened_and_confirmed),
    (Signal.SCREENING, screened_and_counted),
    (Signal.SCREENING, screened_lately_or_little),
]


@pytest.mark.parametrize(("signal", "write", "person", "facts"), LOUD)
def test_what_is_loud_raises_one_signal_with_its_figures(
    signal: Signal, write: Callable[[Writing], None], person: UUID | None, facts: dict[str, Any]
) -> None:
    (found,) = of(signal, seen(write))
    assert found.person == person
    assert {name: found.facts[name] for name in facts} == facts
    assert 0 < len(found.entries) <= rules.MOST_SHOWN
    assert found.since <= found.until


@pytest.mark.parametrize(("signal", "write"), QUIET)
def test_what_has_a_good_explanation_in_the_log_raises_none(
    signal: Signal, write: Callable[[Writing], None]
) -> None:
    assert of(signal, seen(write)) == []


def test_the_entries_of_a_signal_are_those_that_show_it() -> None:
    log = Writing()
    log.workdays(ANN, 6)
    night = len(log.events)
    for number in range(4):
        log.lookup(at(1, 3 + number / 10))
    (found,) = of(Signal.UNUSUAL_HOURS, found_in(Picture(log.events, NOW)))
    assert list(found.entries) == [night + 1, night + 2, night + 3, night + 4]
    assert (found.since, found.until) == (at(1, 3), at(1, 3.3))


def test_the_same_finding_is_about_the_same_an_hour_later_and_another_day_is_another() -> None:
    log = Writing()
    night_loud(log)
    for number in range(4):
        log.lookup(at(2, 3 + number / 10))
    (first, second) = of(Signal.UNUSUAL_HOURS, found_in(Picture(log.events, NOW)))
    later = Picture(log.events, NOW + timedelta(hours=1))
    assert {first.about, second.about} == {
        each.about for each in of(Signal.UNUSUAL_HOURS, found_in(later))
    }
    assert first.about != second.about


def test_what_is_older_than_a_week_is_not_told_any_more() -> None:
    log = Writing()
    for number in range(50):
        log.lookup(at(7) + number * 20_000)
    assert found_in(Picture(log.events, NOW)) == []
    assert of(Signal.PROBING, found_in(Picture(log.events, NOW - timedelta(days=1))))


def test_an_ordinary_month_of_twenty_people_raises_few_signals() -> None:
    raised = [len(told(seed, 28)) for seed in (0, 1, 2)]
    assert max(raised) <= 3, "docs/reviews.md says how many"


def test_the_follow_ups_are_marked_in_the_catalogue() -> None:
    assert {"indicator.read", "indicator.onward"} <= FOLLOW_UPS
    assert {name for name, known in CATALOGUE.items() if known.follows_up} == FOLLOW_UPS

"""Rules against guessing: each has work that must raise it, and ordinary work that must not."""

import hashlib
import random
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask_babel import force_locale

from app.clock import milliseconds
from app.compliance.abuse_rules import found_of
from app.compliance.abuse_signals import Asked, Neighbours, together
from app.compliance.models import Signal
from app.compliance.signal_events import DAY, Event, Picture
from app.compliance.signal_rules import Found
from app.compliance.signal_words import reason
from app.config import AbuseSettings, load
from app.lookups import value_budget
from postern import normalise
from postern.facets import facets
from tests.app.compliance import ordinary
from tests.app.compliance.test_signal_rules import ANN, BOB, NOW, Writing, at

CONFIG = Path(__file__).parent.parent.parent.parent / "config"
THRESHOLDS: AbuseSettings = load(CONFIG / "production.toml").abuse

STREETS = ("Keizersgracht", "Rue de la Loi", "Hauptstrasse", "Kerkstraat", "Lange Nieuwstraat")
NAMES = ("Jan de Vries", "Sophie Van Damme", "Karl Weber", "Marie Dubois", "Piet Bakker")


def seen(write: Callable[[Writing], None]) -> list[Found]:
    log = Writing()
    write(log)
    return found_of(Picture(log.events, NOW), THRESHOLDS)


def evaluated_and_left(log: Writing) -> None:
    for number in range(4):
        log.add(at(3, 9 + number), "evaluation.evaluate", ANN, count=250)
    log.lookup(at(3, 15), ANN)


def evaluated_and_submitted(log: Writing) -> None:
    log.add(at(3), "evaluation.evaluate", ANN, count=1000)
    log.add(at(2), "report.submit", ANN, count=80)


def evaluated_today(log: Writing) -> None:
    log.add(at(0), "evaluation.evaluate", ANN, count=5000)


def evaluated_and_a_colleague_looked_up(log: Writing) -> None:
    log.add(at(3), "evaluation.evaluate", ANN, count=1000)
    log.lookup(at(3, 11), BOB, count=200)


def all_purposes(log: Writing) -> None:
    for number, purpose in enumerate(("a", "b", "c", "d")):
        log.lookup(at(0, 9 + number / 10), ANN, case="K-1", purpose=purpose)


def two_purposes(log: Writing) -> None:
    for number in range(12):
        log.lookup(at(0, 9 + number / 10), ANN, case="K-1", purpose="ab"[number % 2])


def a_case_a_lookup(log: Writing) -> None:
    for number in range(70):
        log.lookup(at(0, 9 + number / 10), ANN, case=f"K-{number}")


def a_case_a_lookup_as_ever(log: Writing) -> None:
    for ago in range(1, 12):
        for number in range(30):
            log.lookup(at(ago, 9 + number / 10), ANN, case=f"K-{ago}-{number}")
    a_case_a_lookup(log)


LOUD: list[tuple[str, Callable[[Writing], None], Signal, dict[str, Any]]] = [
    ("unused", evaluated_and_left, Signal.UNUSED, {"evaluations": 1000, "used": 1}),
    (
        "used-by-another",
        evaluated_and_a_colleague_looked_up,
        Signal.UNUSED,
        {"evaluations": 1000, "used": 0},
    ),
    ("purposes", all_purposes, Signal.WALKING, {"what": "purposes", "count": 4}),
    ("cases", a_case_a_lookup, Signal.WALKING, {"what": "cases", "count": 70, "usual": None}),
]
QUIET: list[tuple[str, Callable[[Writing], None]]] = [
    ("submitted", evaluated_and_submitted),
    ("today", evaluated_today),
    ("two-purposes", two_purposes),
    ("usual-cases", a_case_a_lookup_as_ever),
]


@pytest.mark.parametrize(
    ("write", "signal", "facts"), [row[1:] for row in LOUD], ids=[row[0] for row in LOUD]
)
def test_what_must_be_seen_is_seen(
    write: Callable[[Writing], None], signal: Signal, facts: dict[str, Any]
) -> None:
    (found,) = seen(write)
    assert (found.signal, found.person) == (signal, ANN)
    assert facts.items() <= dict(found.facts).items()
    assert found.entries


@pytest.mark.parametrize("write", [row[1] for row in QUIET], ids=[row[0] for row in QUIET])
def test_ordinary_work_is_not_told(write: Callable[[Writing], None]) -> None:
    assert seen(write) == []


def test_four_weeks_of_an_ordinary_office_raise_nothing() -> None:
    office, events = ordinary.Office(7), list[Event]()
    for number in range(28):
        events += office.day(ordinary.BEGIN + timedelta(days=number))
    prepared = [
        Event(
            1_000_000 + each.eid,
            each.t - 1000,
            "evaluation.evaluate",
            person=each.person,
            count=each.count * 16,
        )
        for each in events
        if each.act == "lookup.ask"
    ]
    told = []
    for number in (6, 13, 20, 27):
        now = ordinary.BEGIN + timedelta(days=number, hours=23, minutes=59)
        until = milliseconds(now)
        so_far = (each for each in (*events, *prepared) if each.t <= until)
        told += found_of(Picture(so_far, now), THRESHOLDS)
    # The program that screens has a case a shift; nobody else does anything in bulk.
    assert told == []
    assert until // DAY > 0


def asked(values: Iterable[normalise.Value], person: int = 1) -> list[Asked]:
    """What is kept of lookups: tokens stand in by hashes of what would be evaluated."""
    rows = []
    for value in values:
        normalised = normalise.normalise(value)
        tokens = [
            (each.number, hashlib.sha256(each.text.encode()).digest()[:16])
            for each in facets(normalised)
        ]
        _, own = value_budget.rows_of(b"key", normalised.kind, tokens, (0, person))
        rows.append(Asked(person, own["place"], own["named"], own["turned"]))
    return rows


def street(numbers: Iterable[int], name: str = "") -> list[normalise.Value]:
    place = "1015 AB", "Amsterdam", "NL"
    if name:
        return [normalise.Party(name, (f"Keizersgracht {each}",), *place) for each in numbers]
    return [normalise.Address((f"Keizersgracht {each}",), *place) for each in numbers]


def what(found: Iterable[Neighbours]) -> set[tuple[str, int]]:
    return {(each.what, each.count) for each in found}


def test_going_through_the_numbers_of_a_street_is_seen() -> None:
    assert what(together(asked(street(range(1, 41))), THRESHOLDS)) == {("pairs", 3)}
    assert what(together(asked(street(range(1, 100))), THRESHOLDS)) == {("pairs", 36)}
    assert what(together(asked(street(range(1, 100, 2))), THRESHOLDS)) == {("pairs", 10)}


def test_a_short_street_leaves_no_trace_but_its_number() -> None:
    assert together(asked(street(range(1, 21))), THRESHOLDS) == []


def test_one_name_at_many_places_and_many_names_at_one_place_are_seen() -> None:
    assert what(together(asked(street(range(1, 12), "Jan de Vries")), THRESHOLDS)) == {
        ("places", 11)
    }
    tenants: list[normalise.Value] = [
        normalise.Party(f"{first} {last}", ("Keizersgracht 101",), "1015 AB", "Amsterdam", "NL")
        for first in ("Jan", "Marie", "Karl")
        for last in ("Bakker", "Weber", "Dubois", "Molenaar")
    ]
    assert what(together(asked(tenants), THRESHOLDS)) == {("names", 12)}


def test_colleagues_who_share_a_street_are_seen_together() -> None:
    low, high = asked(street(range(1, 25)), 1), asked(street(range(25, 50)), 2)
    assert together(low, THRESHOLDS) == together(high, THRESHOLDS) == []
    (found,) = together([*low, *high], THRESHOLDS)
    assert (found.what, found.people) == ("pairs", frozenset({1, 2}))


def test_a_list_of_a_thousand_different_people_is_not_told() -> None:
    chance = random.Random(11)  # noqa: S311 - made-up addresses, the same each time
    towns = [
        (f"{chance.randrange(1000, 9999)} {chance.choice('ABC')}{chance.choice('XYZ')}", city)
        for city in ("Amsterdam", "Utrecht", "Breda", "Venlo")
        for _ in range(60)
    ]
    people: list[normalise.Value] = []
    for _ in range(1000):
        postcode, city = chance.choice(towns)
        line = f"{chance.choice(STREETS)} {chance.randrange(1, 200)}"
        name = f"{chance.choice(NAMES)}{chance.choice(('', 'sen', 'man', 'stra'))}"
        people.append(normalise.Party(name, (line,), postcode, city, "NL"))
    assert together(asked(people), THRESHOLDS) == []


def test_every_reason_is_told_with_its_figures(app: Any) -> None:
    neighbours = {"count": 9, "colleagues": 2, "values": 40, "limit": 3}
    steady = {"count": 6, "used": 900, "limit": 200, "percent": 70, "kind": "postal"}
    with app.test_request_context(), force_locale("en_GB"):
        for words in ("pairs", "places", "names"):
            told = reason(Signal.NEIGHBOURS, neighbours | {"what": words})
            assert {"9", "2", "40"} <= set(told.split())
        for words in ("hours", "days"):
            told = reason(Signal.STEADY, steady | {"what": words})
            assert {"70", "900"} <= set(told.split())
        for _, write, signal, _facts in LOUD:
            (found,) = seen(write)
            assert str(found.facts["limit"])[:1] in reason(signal, found.facts)

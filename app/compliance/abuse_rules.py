"""Rules against guessing, over the log: what was prepared and not used, and reasons tried in turn.

As in `signal_rules`, each is a question to a human; here the thresholds are settings (`[abuse]`).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from uuid import UUID

from app.audit.entry import Outcome
from app.compliance.models import Signal
from app.compliance.signal_events import (
    RECENT,
    USES,
    Event,
    Picture,
    baseline,
)
from app.compliance.signal_rules import BULK_DAYS, Found, of_day
from app.config import AbuseSettings
from postern.facet_kinds import MAX_POSTAL_FACETS

UNUSED_WITHIN = 1  # days after an evaluation, within which it is used
UNUSED_PART = 4  # what was used explains at most a quarter of the evaluations
CASES_TIMES_OWN = 3  # the median of the person's own days
CASES_UNKNOWN = 2  # thresholds, while there are too few days to know what is usual


def found_of(picture: Picture, thresholds: AbuseSettings) -> list[Found]:
    """What every rule here sees in the picture."""
    return [*unused(picture, thresholds), *walking(picture, thresholds)]


def unused(picture: Picture, thresholds: AbuseSettings) -> Iterator[Found]:
    """Evaluations of a day that no lookup, watch, report or search of the person explains.

    A value has at most sixteen facets, so it explains at most sixteen evaluations.
    """
    used: Counter[tuple[UUID, int]] = Counter()
    for each in picture.events:
        if each.act in USES and each.outcome is Outcome.OK and each.person is not None:
            used[each.person, each.day] += max(1, each.count)
    days = range(picture.today - RECENT + 1, picture.today - UNUSED_WITHIN)
    for person, by_day in picture.evaluated_by.items():
        for day in days:
            made = by_day.get(day, ())
            evaluated = sum(each.count for each in made)
            values = sum(used[person, day + after] for after in range(UNUSED_WITHIN + 1))
            explained = values * MAX_POSTAL_FACETS
            if evaluated >= thresholds.unused_evaluations and explained * UNUSED_PART <= evaluated:
                facts = {
                    "evaluations": evaluated,
                    "used": values,
                    "limit": thresholds.unused_evaluations,
                }
                yield of_day(Signal.UNUSED, person, day, facts, made)


def walking(picture: Picture, thresholds: AbuseSettings) -> Iterator[Found]:
    """Many purposes, or many cases for one lookup each, of one person on one day."""
    for person, by_day in picture.lookups_by.items():
        for day in picture.recent:
            asked = by_day.get(day, ())
            purposes = {each.purpose for each in asked if each.purpose}
            if len(purposes) >= thresholds.purposes:
                facts = {
                    "what": "purposes",
                    "count": len(purposes),
                    "lookups": len(asked),
                    "limit": thresholds.purposes,
                }
                yield of_day(Signal.WALKING, person, day, facts, asked)
            lone = _lone_cases(asked)
            usual = _usual_cases(by_day, day)
            limit = CASES_UNKNOWN * thresholds.cases if usual is None else thresholds.cases
            if len(lone) >= max(limit, CASES_TIMES_OWN * (usual or 0)):
                facts = {
                    "what": "cases",
                    "count": len(lone),
                    "lookups": len(asked),
                    "usual": usual,
                    "limit": limit,
                }
                yield of_day(Signal.WALKING, person, day, facts, lone)


def _lone_cases(asked: Sequence[Event]) -> list[Event]:
    """The lookups whose case stands in no other lookup of theirs."""
    cases = Counter(each.case for each in asked)
    return [each for each in asked if each.case and cases[each.case] == 1]


def _usual_cases(by_day: Mapping[int, Sequence[Event]], day: int) -> int | None:
    """The median of such cases on the days before; None with too few days."""
    before = [len(_lone_cases(asked)) for _, asked in baseline(by_day, day)]
    return round(median(before)) if len(before) >= BULK_DAYS else None

"""The rules of signals: what is brought to a person's attention, and with which figures.

Each rule compares what was seen with what is usual for the person or the organisation, and has a
floor below which nothing is told. The thresholds are constants, so that they are the same for all
and stand in docs/reviews.md. A signal is a question to a human and changes nothing by itself.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import comb
from statistics import mean, median, pstdev
from typing import Any
from uuid import UUID

from app.audit.entry import Outcome
from app.compliance.models import Signal
from app.compliance.signal_events import (
    COUNTED,
    DAY,
    FOLLOW_UPS,
    HOUR,
    LISTS,
    LOOKUP,
    REFUSED,
    Event,
    Picture,
    baseline,
)

MOST_SHOWN = 50
"""Entries that a signal links."""

BULK_FLOOR = 200  # identifiers a day
BULK_TIMES_ORGANISATION = 5  # the median of all others' days
BULK_TIMES_OWN = 3  # the median of the person's own days
BULK_DAYS = 5  # of which a median is taken at least

RUN_GAP = 120_000  # milliseconds between two lookups of a run
RUN_LENGTH = 40  # lookups
RUN_SMALL = 3  # identifiers of a lookup, at the median
RUN_EVENNESS = 0.2  # standard deviation of the gaps, in parts of their mean
RUN_USUAL_DAYS = 5  # with such runs, after which they are that person's usual work
BARREN_IDENTIFIERS = 60
BARREN_KNOWN = 200  # identifiers from which the usual rate of hits is taken
BARREN_EXPECTED = 5  # hits, by the usual rate
BARREN_PART = 5  # at most a fifth of them was found

CASE_YOUNGEST, CASE_OLDEST = 14, 44  # days ago, between which cases are looked at
CASE_LONE = 10
CASE_SHARE = 0.8  # of the person's cases
CASE_OTHERS = 20  # cases of all others, from which their share is taken
CASE_LONE_UNCOMPARED, CASE_SHARE_UNCOMPARED = 20, 0.9

HOURS_ACTS, HOURS_DAYS = 60, 10  # of a person, from which usual hours are taken
HOURS_BESIDE = 2  # hours before and after, which count with an hour
HOURS_SHARE = 0.05  # of those days, with acts in the hour or those beside it
HOURS_LOOKUPS = 3  # in unusual hours of one day

INTEREST_LOOKUPS, INTEREST_CASES, INTEREST_DAYS = 3, 3, 2
INTEREST_OTHERS = 1  # lookups of all others that were shown the same record
INTEREST_CHANCE = 0.001  # that so few others got it, by the person's share of all shown

FOLLOW_WITHIN = 30  # days
FOLLOW_OLDEST = 60  # days ago
FOLLOW_OPEN, FOLLOW_SHARE = 5, 0.8  # of one person
FOLLOW_OTHERS = 10  # lookups of all others with a hit, from which their share is taken
FOLLOW_OPEN_WHOLE = 10  # of the whole organisation

REFUSED_ACTS = 5  # a day, of a person
REFUSED_SIGN_INS = 8  # a day, of an account
REFUSED_TOKENS = 20  # a day, of the organisation

SCREENED_FLOOR = 1_000  # evaluations of a day and purpose
SCREENED_LIST = 7  # days before, within which a list for the purpose was fetched
SCREENED_WITHIN = 14  # days, in which something comes of a screening
SCREENED_OLDEST = 44  # days ago
SCREENED_MANY = 10_000  # evaluations under one case

_SATURDAY = 5
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday
_HALF = 0.5


@dataclass(frozen=True)
class Found:
    """What a rule saw. `about` tells one finding of its signal from every other, for ever."""

    signal: Signal
    about: str
    person: UUID | None
    since: int  # milliseconds since 1970
    until: int
    facts: Mapping[str, Any]
    entries: Sequence[int] = field(default=())


def found_in(picture: Picture) -> list[Found]:
    """What every rule sees in the picture, in the order of the rules."""
    return [found for rule in RULES for found in rule(picture)]


def bulk(picture: Picture) -> Iterator[Found]:
    """A day on which a person looked up far more identifiers than is usual."""
    counts = {
        person: {day: sum(each.count for each in asked) for day, asked in days.items()}
        for person, days in picture.lookups_by.items()
    }
    for person, days in picture.lookups_by.items():
        for day in picture.recent:
            seen = counts[person].get(day, 0)
            if seen <= BULK_FLOOR:
                continue
            others = [
                counts[other][each]
                for other, theirs in picture.lookups_by.items()
                if other != person
                for each, _ in baseline(theirs, day)
            ]
            own = [counts[person][each] for each, _ in baseline(days, day)]
            usual = median(others) if len(others) >= BULK_DAYS else None
            usual_own = median(own) if len(own) >= BULK_DAYS else None
            limit = max(
                BULK_FLOOR,
                BULK_TIMES_ORGANISATION * (usual or 0),
                BULK_TIMES_OWN * (usual_own or 0),
            )
            if seen > limit:
                facts = {
                    "identifiers": seen,
                    "lookups": len(days[day]),
                    "usual": _whole(usual),
                    "usual_own": _whole(usual_own),
                    "limit": int(limit),
                }
                yield of_day(Signal.BULK, person, day, facts, days[day])


def probing(picture: Picture) -> Iterator[Found]:
    """Many lookups in a row: evenly spaced and small, or with far fewer hits than usual."""
    for person, days in picture.lookups_by.items():
        for day in picture.recent:
            for run in _runs(days.get(day, ())):
                facts = _regular(days, day, run) or _barren(picture, person, day, run)
                if facts:
                    yield of_day(Signal.PROBING, person, day, facts, run)
                    break


def no_case_activity(picture: Picture) -> Iterator[Found]:
    """Cases that stand in one lookup of one person and nowhere else, far more than others have."""
    days = range(picture.today - CASE_OLDEST, picture.today - CASE_YOUNGEST)
    by_case = _by_case(picture)
    lone: dict[UUID, list[Event]] = {}
    cases: Counter[UUID] = Counter()
    for acts in by_case.values():
        for person in {each.person for each in acts if each.person and each.day in days}:
            cases[person] += 1
            if len(acts) == 1:
                lone.setdefault(person, []).extend(acts)
    for person, alone in lone.items():
        share = len(alone) / cases[person]
        others = cases.total() - cases[person]
        others_lone = sum(len(each) for each in lone.values()) - len(alone)
        is_compared = others >= CASE_OTHERS
        if is_compared:
            told = len(alone) >= CASE_LONE and share >= CASE_SHARE
            told = told and others_lone / others <= share * _HALF
        else:
            told = len(alone) >= CASE_LONE_UNCOMPARED and share >= CASE_SHARE_UNCOMPARED
        if told:
            facts = {
                "lone": len(alone),
                "cases": cases[person],
                "others_percent": _percent(others_lone, others) if is_compared else None,
            }
            yield _of_month(Signal.NO_CASE_ACTIVITY, person, facts, alone, days)


def unusual_hours(picture: Picture) -> Iterator[Found]:
    """Lookups at hours, or on days of the week, at which the person never works."""
    for person, days in picture.consultations_by.items():
        for day in picture.recent:
            asked = picture.lookups_by.get(person, {}).get(day, ())
            if len(asked) < HOURS_LOOKUPS:
                continue
            before = list(baseline(days, day))
            acts_before = sum(len(acts) for _, acts in before)
            if acts_before < HOURS_ACTS or len(before) < HOURS_DAYS:
                continue
            usual = _days_by_hour(before)
            odd = [each for each in asked if _near(usual, each) <= HOURS_SHARE * len(before)]
            if len(odd) < HOURS_LOOKUPS:
                continue
            facts = {
                "lookups": len(odd),
                "from": _clock(odd[0].t),
                "to": _clock(odd[-1].t),
                "weekend": _is_weekend(day),
                "usual_acts": acts_before,
                "usual_days": len(before),
                "usual_here": max(_near(usual, each) for each in odd),
                "minutes_after_sign_in": _minutes_after_sign_in(picture, person, odd[0]),
            }
            yield of_day(Signal.UNUSUAL_HOURS, person, day, facts, odd)


def own_interest(picture: Picture) -> Iterator[Found]:
    """The same record shown to one person again and again under different cases, to nobody else."""
    by_record: dict[str, list[Event]] = {}
    for each in picture.lookups:
        for record in each.objects if each.person else ():
            by_record.setdefault(record, []).append(each)
    shown = Counter(each.person for asked in by_record.values() for each in asked)
    told: set[tuple[UUID, tuple[int, ...]]] = set()
    for record, asked in sorted(by_record.items()):
        for person in dict.fromkeys(each.person for each in asked if each.person):
            own = [each for each in asked if each.person == person]
            others = len(asked) - len(own)
            cases, days = {each.case for each in own}, {each.day for each in own}
            share = shown[person] / shown.total()
            group = (person, tuple(each.eid for each in own))
            if (
                group not in told  # records of one report come together
                and len(own) >= INTEREST_LOOKUPS
                and len(cases) >= INTEREST_CASES
                and len(days) >= INTEREST_DAYS
                and others <= INTEREST_OTHERS
                and max(days) in picture.recent
                and _chance(len(own), others, share) <= INTEREST_CHANCE
            ):
                told.add(group)
                facts = {
                    "lookups": len(own),
                    "cases": len(cases),
                    "days": len(days),
                    "others": others,
                    "share_percent": _percent(shown[person], shown.total()),
                }
                about = f"{person}/{record}"
                since, until = own[0].t, own[-1].t
                yield Found(Signal.OWN_INTEREST, about, person, since, until, facts, _shown(own))


def not_followed_up(picture: Picture) -> Iterator[Found]:
    """Lookups with a hit after which nothing happened in 30 days, for the case or the record."""
    days = range(picture.today - FOLLOW_OLDEST, picture.today - FOLLOW_WITHIN)
    with_hit = [each for each in picture.lookups if each.hits and each.day in days]
    followed = _followed(picture)
    left = [each for each in with_hit if not followed(each)]
    told = 0
    for person in dict.fromkeys(each.person for each in left if each.person):
        own = [each for each in left if each.person == person]
        hits = sum(each.person == person for each in with_hit)
        others = len(with_hit) - hits
        if (
            len(own) >= FOLLOW_OPEN
            and len(own) >= FOLLOW_SHARE * hits
            and others >= FOLLOW_OTHERS
            and (len(left) - len(own)) / others <= len(own) / hits * _HALF
        ):
            told += 1
            facts: dict[str, Any] = {
                "open": len(own),
                "hits": hits,
                "others_percent": _percent(len(left) - len(own), others),
            }
            yield _of_month(Signal.NOT_FOLLOWED_UP, person, facts, own, days)
    if not told and len(left) >= FOLLOW_OPEN_WHOLE and len(left) >= FOLLOW_SHARE * len(with_hit):
        facts = {"open": len(left), "hits": len(with_hit), "others_percent": None}
        yield _of_month(Signal.NOT_FOLLOWED_UP, None, facts, left, days)


def refusals(picture: Picture) -> Iterator[Found]:
    """Many acts, sign-ins or tokens refused on one day."""
    kinds: tuple[tuple[str, int, Callable[[Event], bool]], ...] = (
        ("acts", REFUSED_ACTS, lambda each: each.act not in REFUSED and each.person is not None),
        ("sign-ins", REFUSED_SIGN_INS, lambda each: each.act == "session.refuse"),
        ("tokens", REFUSED_TOKENS, lambda each: each.act == "token.refuse"),
    )
    denied = [
        each
        for each in picture.events
        if each.outcome is Outcome.DENIED and each.day in picture.recent
    ]
    for kind, most, is_of_kind in kinds:
        by_day: dict[tuple[UUID | None, int], list[Event]] = {}
        for each in filter(is_of_kind, denied):
            by_day.setdefault((each.person, each.day), []).append(each)
        for (person, day), refused in by_day.items():
            if len(refused) >= most:
                facts = {"refused": len(refused), "what": kind, "limit": most}
                yield of_day(Signal.REFUSALS, person, day, facts, refused)


def screening(picture: Picture) -> Iterator[Found]:
    """Bulk evaluations that no screening explains: without a list, or of which nothing comes."""
    fetched = [each for each in picture.events if each.act in LISTS and each.outcome is Outcome.OK]
    for person, days in picture.screened_by.items():
        for day in picture.recent:
            bare = [each for each in days.get(day, ()) if not _has_list(fetched, each)]
            evaluated = sum(each.count for each in bare)
            if evaluated >= SCREENED_FLOOR:
                facts = {"evaluations": evaluated, "what": "no-list", "limit": SCREENED_FLOOR}
                yield of_day(Signal.SCREENING, person, day, facts, bare)
        yield from _nothing_came(picture, person, days)


RULES: tuple[Callable[[Picture], Iterator[Found]], ...] = (
    bulk,
    probing,
    no_case_activity,
    unusual_hours,
    own_interest,
    not_followed_up,
    refusals,
    screening,
)
"""Every rule over the log whose thresholds are fixed.

Those of abuse_rules.py have settings; QUOTA is read from the counters themselves, in signals.py and
abuse_signals.py.
"""


def _has_list(fetched: Sequence[Event], event: Event) -> bool:
    """Whether a list for the purpose was fetched by anybody in the days before."""
    return any(
        each.purpose == event.purpose and event.t - SCREENED_LIST * DAY <= each.t <= event.t
        for each in fetched
    )


def _nothing_came(
    picture: Picture, person: UUID, screened: Mapping[int, Sequence[Event]]
) -> Iterator[Found]:
    """Cases with many evaluations and neither a lookup nor, from anybody, a count of a run."""
    days = range(picture.today - SCREENED_OLDEST, picture.today - SCREENED_WITHIN)
    by_case: dict[str, list[Event]] = {}
    for day in days:
        for each in screened.get(day, ()):
            by_case.setdefault(each.case, []).append(each)
    looked_up = {each.case for each in picture.lookups}
    counted = [each.t for each in picture.events if each.act in COUNTED]
    left = [
        each
        for case, of_case in by_case.items()
        if sum(each.count for each in of_case) >= SCREENED_MANY and case not in looked_up
        for each in of_case
        if not any(each.t <= t <= each.t + SCREENED_WITHIN * DAY for t in counted)
    ]
    evaluated = sum(each.count for each in left)
    if evaluated >= SCREENED_MANY:
        facts = {
            "evaluations": evaluated,
            "what": "nothing-came",
            "days": len({each.day for each in left}),
            "cases": len({each.case for each in left}),
        }
        yield _of_month(Signal.SCREENING, person, facts, left, days)


def of_day(
    signal: Signal,
    person: UUID | None,
    day: int,
    facts: Mapping[str, Any],
    events: Sequence[Event],
) -> Found:
    """What was seen of a person on a day, told once of that day."""
    kind = facts.get("what", "")
    about = f"{kind}/{person}/{_date(day)}"
    return Found(signal, about, person, events[0].t, events[-1].t, facts, _shown(events))


def _of_month(
    signal: Signal,
    person: UUID | None,
    facts: Mapping[str, Any],
    events: Sequence[Event],
    days: range,
) -> Found:
    """Told at most once a month of the last of `days`, which are those looked at."""
    about = f"{person}/{_date(days[-1])[:7]}"
    first, last = days.start, days.stop
    return Found(signal, about, person, first * DAY, last * DAY - 1, facts, _shown(events))


def _shown(events: Sequence[Event]) -> list[int]:
    return [each.eid for each in events[-MOST_SHOWN:]]


def _runs(asked: Sequence[Event]) -> Iterator[list[Event]]:
    """Lookups that follow one another within RUN_GAP, RUN_LENGTH of them or more."""
    run: list[Event] = []
    for each in asked:
        if run and each.t - run[-1].t > RUN_GAP:
            if len(run) >= RUN_LENGTH:
                yield run
            run = []
        run.append(each)
    if len(run) >= RUN_LENGTH:
        yield run


def _regular(
    days: Mapping[int, Sequence[Event]], day: int, run: Sequence[Event]
) -> dict[str, Any] | None:
    """The figures of a run that a program seems to make, unless such runs are usual work here."""
    if not _is_even(run):
        return None
    usual = sum(any(map(_is_even, _runs(asked))) for _, asked in baseline(days, day))
    if usual >= RUN_USUAL_DAYS:
        return None
    return {
        "pattern": "regular",
        **_figures(run),
        "usual_days": usual,
    }


def _is_even(run: Sequence[Event]) -> bool:
    gaps = [later.t - earlier.t for earlier, later in itertools.pairwise(run)]
    if median(each.count for each in run) > RUN_SMALL:
        return False
    return pstdev(gaps) <= RUN_EVENNESS * mean(gaps)


def _barren(
    picture: Picture, person: UUID, day: int, run: Sequence[Event]
) -> dict[str, Any] | None:
    """The figures of a run that found far less than lookups of this organisation usually do."""
    figures = _figures(run)
    if figures["identifiers"] < BARREN_IDENTIFIERS:
        return None
    known = [
        each
        for other, days in picture.lookups_by.items()
        for before, asked in baseline(days, day + 1)
        if (other, before) != (person, day)
        for each in asked
    ]
    identifiers = sum(each.count for each in known)
    if identifiers < BARREN_KNOWN:
        return None
    hits = sum(each.hits for each in known)
    expected = hits / identifiers * figures["identifiers"]
    if expected < BARREN_EXPECTED or figures["hits"] * BARREN_PART > expected:
        return None
    return {"pattern": "barren", **figures, "expected": round(expected)}


def _figures(run: Sequence[Event]) -> dict[str, Any]:
    return {
        "lookups": len(run),
        "minutes": max(1, round((run[-1].t - run[0].t) / 60_000)),
        "identifiers": sum(each.count for each in run),
        "hits": sum(each.hits for each in run),
    }


def _by_case(picture: Picture) -> dict[str, list[Event]]:
    """The acts of each case; an evaluation only prepares a lookup and is none by itself."""
    found: dict[str, list[Event]] = {}
    for each in picture.events:
        is_act = each.act == LOOKUP or each.act in FOLLOW_UPS
        if each.case and each.outcome is Outcome.OK and is_act:
            found.setdefault(each.case, []).append(each)
    return found


def _followed(picture: Picture) -> Callable[[Event], bool]:
    """Whether within 30 days something followed, under the case or about a record of the lookup."""
    at: dict[str, list[int]] = {}
    for each in picture.events:
        if each.act in FOLLOW_UPS and each.outcome is Outcome.OK:
            for subject in {f"case {each.case}"} if each.case else set():
                at.setdefault(subject, []).append(each.t)
            for subject in each.objects:
                at.setdefault(subject, []).append(each.t)

    def is_followed(lookup: Event) -> bool:
        subjects = {*lookup.objects, *({f"case {lookup.case}"} if lookup.case else set())}
        return any(
            lookup.t < moment <= lookup.t + FOLLOW_WITHIN * DAY
            for subject in subjects
            for moment in at.get(subject, ())
        )

    return is_followed


def _chance(own: int, others: int, share: float) -> float:
    """That of `own + others` lookups at most `others` are not this person's, who does `share`."""
    total = own + others
    return sum(
        comb(total, each) * (1 - share) ** each * share ** (total - each)
        for each in range(others + 1)
    )


def _hour(event: Event) -> tuple[bool, int]:
    return _is_weekend(event.day), event.t % DAY // HOUR


def _days_by_hour(
    before: Sequence[tuple[int, Sequence[Event]]],
) -> Mapping[tuple[bool, int], set[int]]:
    """On which days something was done in an hour, weekends apart."""
    found: dict[tuple[bool, int], set[int]] = {}
    for day, acts in before:
        for each in acts:
            found.setdefault(_hour(each), set()).add(day)
    return found


def _near(usual: Mapping[tuple[bool, int], set[int]], event: Event) -> int:
    """On how many days something was done in the hour of the event or those beside it."""
    weekend, hour = _hour(event)
    beside = range(hour - HOURS_BESIDE, hour + HOURS_BESIDE + 1)
    return len(set().union(*(usual.get((weekend, each % 24), set()) for each in beside)))


def _is_weekend(day: int) -> bool:
    return (day + _EPOCH_WEEKDAY) % 7 >= _SATURDAY


def _minutes_after_sign_in(picture: Picture, person: UUID, event: Event) -> int | None:
    """Since the last sign-in of that day; None when there was none."""
    signed_in = picture.sign_ins_by.get(person, {}).get(event.day, ())
    before = [each.t for each in signed_in if each.t <= event.t]
    return (event.t - max(before)) // 60_000 if before else None


def _date(day: int) -> str:
    return datetime.fromtimestamp(day * 86_400, UTC).date().isoformat()


def _clock(t: int) -> str:
    return datetime.fromtimestamp(t / 1000, UTC).strftime("%H:%M")


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _percent(part: int, whole: int) -> int:
    return round(100 * part / whole) if whole else 0

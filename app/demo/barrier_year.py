"""A plausible year of reports and outcomes, with a displacement and an effective barrier or none.

Nothing here is real. Where a figure was published, the generator takes it, and it stands in
`PUBLISHED` with its source (as reported by the press or by the authority, not audited); everything
else is an assumption, in `ASSUMED` or at its place, and says so. Counts are drawn week by week: a
mean of the origin, times a season that all share, times a drift of each origin that has a memory
(so that quiet and busy months come by themselves), times noise; that is harder for a method than
independent weeks, and is meant to be. Some organisations begin to report during the year.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from math import cos, exp, floor, pi, sqrt
from random import Random
from typing import TypeVar

from postern.vocabulary import (
    Concealment,
    DeclaredCategory,
    Learned,
    OutcomeResult,
    Service,
    Step,
    Substance,
    ValueBand,
    WeightBand,
)

WEEKS = 52
FIRST = date(2025, 1, 6)
DISPLACED_AT = 24  # weeks before it
BARRIER_AT = 28
FALLING, RISING, BARRED = "NL", ("BE", "DE", "FR"), "ES"


@dataclass(frozen=True, slots=True)
class Published:
    """A figure that somebody published, and where."""

    value: float
    source: str


PUBLISHED: Mapping[str, Published] = {
    "postal items with drugs, NL customs, 2022": Published(
        27_000, "nieuws-2024 in policies/barriers/postal-seven-steps.yml (excerpt)"
    ),
    "postal items with drugs, NL customs, 2023": Published(
        16_500, "blikopnieuws 301404; crimesite 2025-08-07 (excerpts)"
    ),
    "postal items with drugs, NL customs, 2024": Published(
        13_700, "blikopnieuws 301404; crimesite 2025-08-07 (excerpts)"
    ),
    "found of those examined, letter-packets picked by deviant scan image": Published(
        0.9, "nos.nl artikel 2281820; gelderlander.nl ~a8dcddce (excerpts)"
    ),
    "found of those examined, one screened drop-off point over the border": Published(
        0.8, "knack.be, Centrex Drugs of the Federal Judicial Police (excerpt)"
    ),
    "found of those examined, parcels that hit a list of names, at most": Published(
        0.02, "nrc.nl 2021/01/25 a4029128 (excerpt); derived: hundreds of 50,000"
    ),
}

ASSUMED = (
    "volumes of origins other than NL (none was published)",
    "season, drift, noise, who reports, destinations, steps, services, weights, values",
    "decoys after HARP's list (cat food, nuts, board game, teddy bear, statue), in equal parts",
    "MDMA and ketamine lead, as in the outbound mail that SENN-POST was about; the rest is a guess",
)


@dataclass(frozen=True, slots=True)
class Climate:
    """How restless the year is; all are standard deviations of logarithms but `memory`."""

    memory: float  # correlation of an origin's drift from one week to the next
    drift: float
    slope: float  # over the whole year
    noise: float  # of one week
    step: float = 0.0  # by which each origin changes for good at some time in the middle


@dataclass(frozen=True, slots=True)
class MadeOutcome:
    """What came of a report, as it was told on `day`."""

    day: date
    asked: Step
    located: Step
    held: Step
    examined: Step
    result: OutcomeResult


@dataclass(frozen=True, slots=True)
class MadeReport:
    """One report, coarsely. `key` is its secret number for the noise of counts, of 32 bits."""

    key: int
    day: date
    owner: str
    step: int
    signals: frozenset[str]
    origin: str
    destination: str
    point: str
    service: Service
    weight: WeightBand
    value: ValueBand
    category: DeclaredCategory
    hs_chapter: str
    concealment: Concealment
    substance: Substance
    learned: Learned
    outcomes: tuple[MadeOutcome, ...]


ORDINARY = Climate(memory=0.7, drift=0.10, slope=0.10, noise=0.15)
RESTLESS = Climate(memory=0.9, drift=0.20, slope=0.20, noise=0.25)
STEPPING = Climate(memory=0.7, drift=0.10, slope=0.10, noise=0.15, step=0.15)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a year holds. `displaced` and `barred` are shares of the flow: 0 plants nothing."""

    seed: int
    scale: float = 0.25  # of the published volume of NL
    displaced: float = 0.0
    barred: float = 0.0
    climate: Climate = ORDINARY
    joining: bool = True  # two organisations begin to report during the year


_ORIGINS: Mapping[str, float] = {  # relative to NL; assumed
    "NL": 1.0,
    "BE": 0.45,
    "DE": 0.6,
    "FR": 0.4,
    "ES": 0.35,
    "PL": 0.25,
    "CZ": 0.2,
    "LU": 0.12,
    "AT": 0.2,
    "IT": 0.25,
}
_DESTINATIONS: Mapping[str, float] = {
    "US": 0.25,
    "AU": 0.15,
    "NZ": 0.07,
    "GB": 0.18,
    "SE": 0.1,
    "NO": 0.1,
    "CH": 0.08,
    "IE": 0.07,
}
OWNERS: Mapping[str, tuple[float, int]] = {  # share of the reports; the week of its first
    "post-a": (0.3, 0),
    "post-b": (0.2, 0),
    "courier-a": (0.15, 0),
    "customs-a": (0.15, 0),
    "police-a": (0.08, 0),
    "courier-b": (0.07, 20),
    "customs-b": (0.05, 33),
}
_STEPS = {1: 3, 2: 12, 3: 20, 4: 25, 5: 20, 6: 15, 7: 5}
SIGNALS: Mapping[int, tuple[str, ...]] = {  # of the shipped model
    1: ("packaging-in-bulk", "packing-dwelling"),
    2: ("vendor-handle", "carrier-in-offer"),
    3: ("deviant-scan-image", "sealed-against-odour", "packaging-too-heavy"),
    4: ("invented-sender", "documents-too-heavy", "heavy-and-cheap"),
    5: ("many-alike-at-counter", "unknown-senders-at-one-point", "postage-without-account"),
    6: ("western-europe-overseas", "packed-like-known-items"),
    7: ("return-to-a-stranger", "uninvolved-addressee"),
}
_POINTS = 12
_SUBSTANCES = {
    Substance.MDMA: 40,
    Substance.KETAMINE: 18,
    Substance.AMPHETAMINE: 9,
    Substance.COCAINE: 9,
    Substance.CANNABIS: 8,
    Substance.NPS: 5,
    Substance.MEDICINE: 4,
    Substance.NITAZENE: 1,
    Substance.UNKNOWN: 6,
}
_CONCEALMENTS = {
    Concealment.FOOD: 22,
    Concealment.TOY: 22,
    Concealment.DECOY_GOODS: 11,
    Concealment.VACUUM_SEALED: 20,
    Concealment.BOOK_OR_DOCUMENTS: 15,
    Concealment.COSMETICS: 10,
}
_SERVICES = {Service.LETTER: 35, Service.PARCEL: 40, Service.EXPRESS: 15, Service.REGISTERED: 10}
_WEIGHTS = {
    WeightBand.UP_TO_100: 20,
    WeightBand.UP_TO_500: 30,
    WeightBand.UP_TO_1000: 20,
    WeightBand.UP_TO_2000: 18,
    WeightBand.UP_TO_5000: 9,
    WeightBand.UP_TO_20000: 3,
}
_VALUES = {
    ValueBand.NONE: 10,
    ValueBand.UP_TO_22: 50,
    ValueBand.UP_TO_150: 35,
    ValueBand.UP_TO_1000: 5,
}
_CATEGORIES = {
    DeclaredCategory.GIFT: 55,
    DeclaredCategory.SALE_OF_GOODS: 25,
    DeclaredCategory.DOCUMENTS: 15,
    DeclaredCategory.OTHER: 5,
}
_CHAPTERS = {"95": 20, "21": 20, "49": 20, "33": 15, "39": 15, "23": 10}
_LEARNED = {
    Learned.XRAY: 35,
    Learned.OUTSIDE_OF_ITEM: 25,
    Learned.CARRIER_RECORD: 15,
    Learned.CUSTOMS_CONTROL: 20,
    Learned.DOG: 5,
}
_FOUND: Mapping[Learned, float] = {
    Learned.XRAY: PUBLISHED[
        "found of those examined, letter-packets picked by deviant scan image"
    ].value,
    Learned.OUTSIDE_OF_ITEM: PUBLISHED[
        "found of those examined, one screened drop-off point over the border"
    ].value,
    Learned.CARRIER_RECORD: PUBLISHED[
        "found of those examined, parcels that hit a list of names, at most"
    ].value,
    Learned.CUSTOMS_CONTROL: 0.5,  # assumed
    Learned.DOG: 0.6,  # assumed
}

_NEVER_TOLD, _LOCATED, _HELD, _EXAMINED = 0.6, 0.7, 0.8, 0.9  # each of those before; assumed
_LARGE_MEAN = 30  # above it a product of so many numbers could vanish

Value = TypeVar("Value")

Cell = tuple[str, str, str]
"""Owner, origin, destination."""


@dataclass(frozen=True)
class Year:
    """Weekly counts of every owner, origin and destination, and the reports behind them."""

    plan: Plan
    counts: Mapping[Cell, Sequence[int]] = field(repr=False)

    def reports(self) -> Iterator[MadeReport]:
        """The reports, in no order; the same seed gives the same."""
        drawn = Random(f"{self.plan.seed} reports")  # noqa: S311 - made-up reports
        for (owner, origin, destination), weeks in self.counts.items():
            for week, count in enumerate(weeks):
                for _ in range(count):
                    yield _report(drawn, owner, origin, destination, week)

    def by_origin(self, owners: Sequence[str] | None = None) -> dict[str, list[int]]:
        """Weekly counts of each origin; only what these owners reported."""
        found = {origin: [0] * WEEKS for origin in _ORIGINS}
        for (owner, origin, _), weeks in self.counts.items():
            if owners is None or owner in owners:
                found[origin] = [a + b for a, b in zip(found[origin], weeks, strict=True)]
        return found

    @cached_property
    def by_owner(self) -> dict[str, list[int]]:
        """Weekly counts of each owner."""
        found = {owner: [0] * WEEKS for owner in OWNERS}
        for (owner, _, _), weeks in self.counts.items():
            found[owner] = [a + b for a, b in zip(found[owner], weeks, strict=True)]
        return found


def year(plan: Plan) -> Year:
    """A year as planned."""
    drawn = Random(f"{plan.seed} year")  # noqa: S311 - made-up counts
    rates = _rates(plan, drawn)
    served = {(owner, origin): drawn.uniform(0.4, 1.6) for owner in OWNERS for origin in _ORIGINS}
    counts: dict[Cell, Sequence[int]] = {}
    for (owner, (share, begins)), (origin, weekly) in (
        (each, rate) for each in OWNERS.items() for rate in rates.items()
    ):
        begins_now = begins if plan.joining else 0
        for destination, part in _DESTINATIONS.items():
            factor = share * part * served[owner, origin]
            counts[owner, origin, destination] = [
                _poisson(drawn, factor * rate) if week >= begins_now else 0
                for week, rate in enumerate(weekly)
            ]
    return Year(plan, counts)


def _rates(plan: Plan, drawn: Random) -> dict[str, list[float]]:
    """The expected reports of each origin in each week, all owners together."""
    whole = PUBLISHED["postal items with drugs, NL customs, 2024"].value * plan.scale / WEEKS
    climate = plan.climate
    phase, height = drawn.uniform(0, 2 * pi), drawn.uniform(0, 0.25)
    common = [
        exp(height * cos(2 * pi * week / WEEKS + phase) + drawn.gauss(0, 0.1))
        for week in range(WEEKS)
    ]
    rates = {}
    for origin, relative in _ORIGINS.items():
        slope, state = drawn.gauss(0, climate.slope), drawn.gauss(0, climate.drift)
        change, since = drawn.gauss(0, climate.step), drawn.randrange(20, 33)
        weekly = []
        for week in range(WEEKS):
            state = climate.memory * state + drawn.gauss(
                0, climate.drift * sqrt(1 - climate.memory**2)
            )
            restless = slope * (week / WEEKS - 0.5) + state + drawn.gauss(0, climate.noise)
            restless += change * (week >= since)
            weekly.append(whole * relative * common[week] * exp(restless))
        rates[origin] = weekly
    _displace(rates, plan.displaced)
    for week in range(BARRIER_AT, WEEKS):
        rates[BARRED][week] *= 1 - plan.barred
    return rates


def _displace(rates: dict[str, list[float]], share: float) -> None:
    sizes = {origin: _ORIGINS[origin] for origin in RISING}
    for week in range(DISPLACED_AT, WEEKS):
        gone = rates[FALLING][week] * share
        rates[FALLING][week] -= gone
        for origin, size in sizes.items():
            rates[origin][week] += gone * size / sum(sizes.values())


def _poisson(drawn: Random, mean: float) -> int:
    """By multiplication of uniform numbers: means here are small (D. Knuth, TAOCP 3.4.1)."""
    if mean > _LARGE_MEAN:
        return _poisson(drawn, mean / 2) + _poisson(drawn, mean / 2)
    limit, product, count = exp(-mean), drawn.random(), 0
    while product > limit:
        product *= drawn.random()
        count += 1
    return count


def _report(drawn: Random, owner: str, origin: str, destination: str, week: int) -> MadeReport:
    step = _one(drawn, _STEPS)
    learned = _one(drawn, _LEARNED)
    day = FIRST + timedelta(weeks=week, days=drawn.randrange(7))
    return MadeReport(
        key=drawn.getrandbits(32),
        day=day,
        owner=owner,
        step=step,
        signals=frozenset(drawn.sample(SIGNALS[step], drawn.choice((1, 1, 2)))),
        origin=origin,
        destination=destination,
        # A few points take most: those over a border, as Benelux found in 2021.
        point=f"{origin}-{floor(_POINTS * drawn.random() ** 2.5):02}",
        service=_one(drawn, _SERVICES),
        weight=_one(drawn, _WEIGHTS),
        value=_one(drawn, _VALUES),
        category=_one(drawn, _CATEGORIES),
        hs_chapter=_one(drawn, _CHAPTERS),
        concealment=_one(drawn, _CONCEALMENTS),
        substance=_one(drawn, _SUBSTANCES),
        learned=learned,
        outcomes=_outcomes(drawn, day, learned),
    )


def _outcomes(drawn: Random, day: date, learned: Learned) -> tuple[MadeOutcome, ...]:
    if drawn.random() < _NEVER_TOLD:
        return ()
    located = drawn.random() < _LOCATED
    held = located and drawn.random() < _HELD
    examined = held and drawn.random() < _EXAMINED
    result = OutcomeResult.PENDING
    if examined:
        found = drawn.random() < _FOUND[learned]
        result = OutcomeResult.FOUND if found else OutcomeResult.NOT_FOUND
    return (
        MadeOutcome(
            day + timedelta(days=drawn.randrange(1, 30)),
            Step.YES,
            _step(located),
            _step(held),
            _step(examined),
            result,
        ),
    )


def _step(done: bool) -> Step:
    return Step.YES if done else Step.NO


def _one(drawn: Random, weights: Mapping[Value, int]) -> Value:
    return drawn.choices(list(weights), list(weights.values()))[0]

"""What the methods say of one side of the board: one's own counts exactly, or others' as told.

Nothing here reads a database or a count that was not told: what the figures say of others follows
from what is told of others, and so betrays no more.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

from app.barriers.methods.changes import Change, Setting, what_else
from app.barriers.methods.comparison import TooFewSeriesError
from app.barriers.methods.disclosure_control import (
    Figure,
    Grain,
    finest,
    first_day,
    week_of,
)
from app.barriers.methods.displacement import Displacement, displacement
from app.barriers.methods.effect import Effect, effect
from app.barriers.methods.risk import Rank, Risk, Weights, ranks, risk
from app.barriers.methods.series import Window
from app.barriers.methods.trend import Trend, trends
from app.barriers.visible_counts import ELSEWHERE, CellName, Kind
from postern.vocabulary import Substance

LEAST_BEFORE, LEAST_AFTER = 12, 8
"""Weeks before and after a barrier, or a move, without which nothing is compared."""

JOINED = "+"
"""Between the names of countries that are looked at as one."""

_FOUR = Grain.FOUR_WEEKS

Read = Callable[[CellName], Figure | None]
"""The figure of a cell; None where it is not told."""

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A step or a corridor: its risk over the compared time, its rank, whether it rises."""

    risk: Risk
    rank: Rank
    trend: Trend


@dataclass(frozen=True, slots=True)
class Registered:
    """A barrier as the comparison needs it; `point` is country, operator and code."""

    setting: Setting
    country: str | None
    point: Words | None


@dataclass(frozen=True, slots=True)
class BarrierEffect:
    """What happened where a barrier was set, and what else changed; None: too little to compare."""

    barrier: str
    effect: Effect | None
    changes: Sequence[Change]


@dataclass(frozen=True, slots=True)
class Analysis:
    """What the methods say; by the number of the step, or origin and destination.

    `periods` are the fours of weeks that could be compared. What is missing in `steps` and
    `corridors` was not told in each of them. `changed` is the day before and after which countries
    are compared.
    """

    periods: Sequence[int]
    steps: Mapping[int, Line]
    corridors: Mapping[Words, Line]
    displacement: Displacement | None
    effects: Sequence[BarrierEffect]
    changed: date | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What is compared, and with what."""

    periods: Sequence[int]
    weights: Weights
    changed: date | None  # the day of a change that may have moved something; None: the middle
    barriers: Sequence[Registered] = ()
    versions: Mapping[str, date] | None = None  # of the barrier model, from when on
    together: Sequence[str] = ()  # countries of origin that are looked at as one
    beside: Sequence[Setting] = ()  # all barriers that may have acted as well


def analysed(read: Read, names: Iterable[CellName], asked: Asked) -> Analysis:
    """What the methods say of the cells `names`, in periods without a gap."""
    known = set(names)
    periods = _without_gap(read, asked.periods)
    if not periods:
        return Analysis((), {}, {}, None, ())
    steps = {(each.step,): each for each in known if each.kind is Kind.STEP and each.step}
    corridors = {
        each.words: each
        for each in known
        if each.kind is Kind.CORRIDOR and all(each.words) and ELSEWHERE not in each.words
    }
    return Analysis(
        periods,
        {step: line for (step,), line in _lines(read, steps, periods, asked.weights).items()},
        _lines(read, corridors, periods, asked.weights),
        _moved(read, known, periods, asked),
        [_effect(read, known, periods, asked, each) for each in asked.barriers],
        asked.changed or _middle(periods),
    )


def _without_gap(read: Read, periods: Sequence[int]) -> list[int]:
    """The last periods that are told without a gap between them."""
    found: list[int] = []
    for period in reversed(periods):
        if read(CellName(Kind.TOTAL, period)) is None:
            break
        found.insert(0, period)
    return found


Name = TypeVar("Name")


def _lines(
    read: Read, cells: Mapping[Name, CellName], periods: Sequence[int], weights: Weights
) -> dict[Name, Line]:
    counts = {
        name: figures
        for name, cell in cells.items()
        if (figures := _complete(read, cell, periods)) is not None
    }
    risks = {
        name: risk(each, _substances(read, cells[name], periods, each), weights, length=_FOUR)
        for name, each in counts.items()
    }
    # A trend is fitted to fours of weeks: spread over their weeks they are the same fours.
    weekly = {str(name): _spread(each) for name, each in counts.items()}
    placed = ranks({str(name): each for name, each in risks.items()})
    rising = trends(weekly)
    return {name: Line(each, placed[str(name)], rising[str(name)]) for name, each in risks.items()}


def _complete(read: Read, cell: CellName, periods: Sequence[int]) -> list[float] | None:
    figures = [read(cell._replace(period=period)) for period in periods]
    counts = [float(each.count) for each in figures if each is not None]
    return counts if len(counts) == len(figures) else None


def _substances(
    read: Read, cell: CellName, periods: Sequence[int], counts: Sequence[float]
) -> dict[Substance, float]:
    """What is told of the substances of a step or corridor; the rest is not known."""
    is_step = cell.kind is Kind.STEP
    kind = Kind.STEP_SUBSTANCE if is_step else Kind.CORRIDOR_SUBSTANCE
    found: dict[Substance, float] = {}
    for substance in Substance:
        words = (*cell.words, substance.value)
        told = [read(CellName(kind, period, cell.step, words)) for period in periods]
        found[substance] = float(sum(each.count for each in told if each is not None))
    rest = sum(counts) - sum(found.values())
    found[Substance.UNKNOWN] = found.get(Substance.UNKNOWN, 0.0) + max(0.0, rest)
    return found


def _spread(counts: Sequence[float]) -> list[float]:
    return [each / _FOUR for each in counts for _ in range(_FOUR)]


def _moved(
    read: Read, known: set[CellName], periods: Sequence[int], asked: Asked
) -> Displacement | None:
    grain, series = _origins(read, known, periods)
    window = _window(periods, grain, asked.changed or _middle(periods))
    if window is None:
        return None
    try:
        return displacement(series, window, together=_group(series, asked.together))
    except TooFewSeriesError:
        return None


def _group(series: Mapping[str, object], together: Sequence[str]) -> dict[str, list[str]]:
    """Those of the countries that are told, under their names joined; one alone is no group."""
    told = [each for each in dict.fromkeys(together) if each in series]
    return {JOINED.join(told): told} if len(told) > 1 else {}


def _origins(
    read: Read, known: set[CellName], periods: Sequence[int]
) -> tuple[Grain, dict[str, list[float]]]:
    """Each country of origin in weeks if all are told so, else in fours of weeks."""
    origins = sorted({each.words for each in known if each.kind is Kind.ORIGIN and each.words[0]})
    weeks = [period * _FOUR + week for period in periods for week in range(_FOUR)]
    lengths = ((Grain.WEEK, Kind.ORIGIN_WEEK, weeks), (_FOUR, Kind.ORIGIN, periods))
    return finest(
        {
            grain: {
                words[0]: [read(CellName(kind, time, 0, words)) for time in times]
                for words in origins
            }
            for grain, kind, times in lengths
        }
    )


def _effect(
    read: Read, known: set[CellName], periods: Sequence[int], asked: Asked, barrier: Registered
) -> BarrierEffect:
    """The place of the barrier against the others, without those where another one began."""
    grain, series, place = _places(read, known, periods, barrier)
    setting = barrier.setting
    window = _window(periods, grain, setting.began, setting.ended)
    found = None
    if place in series and window is not None:
        began = _began(asked.barriers, barrier, periods)
        compared = {name: each for name, each in series.items() if name not in began - {place}}
        try:
            found = effect(compared, place, window)
        except TooFewSeriesError:
            found = None
    changes = (
        []
        if found is None
        else what_else(
            setting,
            _days(periods),
            barriers=asked.beside,
            versions=asked.versions,
            others=found.others,
        )
    )
    return BarrierEffect(setting.key, found, changes)


def _places(
    read: Read, known: set[CellName], periods: Sequence[int], barrier: Registered
) -> tuple[Grain, dict[str, list[float]], str]:
    """The series that a barrier's place is one of, and its name: points, or countries."""
    if barrier.point is None:
        grain, series = _origins(read, known, periods)
        return grain, series, barrier.country or ""
    points = sorted({each.words for each in known if each.kind is Kind.POINT})
    counts = {
        words: _complete(read, CellName(Kind.POINT, 0, 0, words), periods) for words in points
    }
    told = {point_name(words): each for words, each in counts.items() if each is not None}
    return _FOUR, told, point_name(barrier.point)


def point_name(point: Words) -> str:
    """An induction point in one word: country, operator and code."""
    return " ".join(point)


def _began(barriers: Sequence[Registered], barrier: Registered, periods: Sequence[int]) -> set[str]:
    """The places where another barrier began within the compared time."""
    first, last = _days(periods)
    return {
        (each.country or "") if barrier.point is None else point_name(each.point or ())
        for each in barriers
        if each.setting.key != barrier.setting.key and first < each.setting.began <= last
    }


def _window(
    periods: Sequence[int], grain: Grain, began: date, ended: date | None = None
) -> Window | None:
    """Before and after a day, as places in series of this grain; None where one is too short."""
    first, last = _days(periods)
    until = last + timedelta(days=1) if ended is None else min(ended, last) + timedelta(days=1)
    start = periods[0] * _FOUR
    place, rest = divmod(week_of(began) - start, grain)
    settling = int(rest > 0 or began != first_day(week_of(began)))
    window = Window(0, place, (week_of(until) - start) // grain, settling)
    after = window.end - window.first_after - settling
    if began <= first or place * grain < LEAST_BEFORE or after * grain < LEAST_AFTER:
        return None
    return window


def _middle(periods: Sequence[int]) -> date:
    return first_day(periods[len(periods) // 2] * _FOUR)


def _days(periods: Sequence[int]) -> tuple[date, date]:
    """The first and the last day of the compared time."""
    return (
        first_day(periods[0] * _FOUR),
        first_day((periods[-1] + 1) * _FOUR) - timedelta(days=1),
    )

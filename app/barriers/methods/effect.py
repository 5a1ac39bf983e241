"""Whether a barrier did something: the place where it was set, before and after, against others.

Difference in differences on the logarithm of counts, with the unrest of places that no barrier was
set in as the measure of chance (comparison.py). Weeks of settling are left out. Before that, the
same comparison is made within the time before: a place that was falling already can't show an
effect. What else changed is told beside it (changes.py), for no count can rule it out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.barriers.methods.comparison import Compared, Series, TooFewSeriesError, compared
from app.barriers.methods.distributions import two_sided
from app.barriers.methods.loglinear import loglinear
from app.barriers.methods.series import Estimate, Window, ratio_of

DOUBT = 0.05
"""Below this probability a shift is told as one."""


class Verdict(StrEnum):
    """What a comparison before and after says."""

    FEWER = "fewer"
    MORE = "more"
    NOT_SHOWN = "not_shown"  # that is not "no effect": see the interval
    DRIFTING = "drifting"  # it was already going that way before


@dataclass(frozen=True, slots=True)
class Effect:
    """A barrier's place against the others, and what those did, each against the typical one."""

    verdict: Verdict
    place: Compared
    earlier: Compared | None  # within the time before; None where there was too little
    others: Sequence[Compared]


@dataclass(frozen=True, slots=True)
class Alone:
    """A series before and after, with nothing to compare: a hint at most.

    `ratio` is the step at the barrier beside a straight trend; whatever else happened at that time
    is in it.
    """

    ratio: Estimate
    probability: float
    dispersion: float


def effect(series: Series, place: str, window: Window) -> Effect:
    """What happened at `place`, beyond what happened elsewhere and by chance.

    Leave out of `series` the places where another barrier began in the same weeks. Raises
    TooFewSeriesError.
    """
    (ours,) = compared(series, window, only=place)
    earlier = _earlier(series, place, window.halves()[0])
    others = {name: weeks for name, weeks in series.items() if name != place}
    try:
        rest = compared(others, window)
    except TooFewSeriesError:  # one fewer than were enough for the place itself
        rest = []
    return Effect(_verdict(ours, earlier), ours, earlier, rest)


def alone(weeks: Sequence[float], window: Window) -> Alone:
    """An interrupted time series: level and trend before, and a step. Raises CannotFitError."""
    counts = [*window.before(weeks), *window.after(weeks)]
    before = window.first_after - window.start
    times = [*range(before), *range(before + window.settling, window.end - window.start)]
    middle = sum(times) / len(times)
    columns = [
        [1.0] * len(counts),
        [time - middle for time in times],
        [float(time >= before) for time in times],
    ]
    fitted = loglinear(counts, columns)
    value, variance = fitted.coefficients[2], fitted.variances[2]
    return Alone(
        ratio_of(value, variance, fitted.freedom),
        two_sided(value / variance**0.5, fitted.freedom),
        fitted.dispersion,
    )


def _earlier(series: Series, place: str, early: Window) -> Compared | None:
    try:
        (found,) = compared(series, early, only=place)
    except TooFewSeriesError:
        return None
    return found


def _verdict(ours: Compared, earlier: Compared | None) -> Verdict:
    if ours.probability >= DOUBT:
        return Verdict.NOT_SHOWN
    drifting = earlier is not None and earlier.probability < DOUBT
    if drifting and earlier is not None and (earlier.shift < 0) == (ours.shift < 0):
        return Verdict.DRIFTING
    return Verdict.FEWER if ours.shift < 0 else Verdict.MORE

"""How much each series grew or fell against the typical one, with what was learned of their unrest.

Both questions rest on it: whether a barrier did something (one series, chosen beforehand) and
whether something moved (all of them, corrected for being many). The typical series is the median:
where one falls, the shares of all others rise, but the median hardly moves; a few that change do
not make the others look changed. Between-series variance is learned from the others, as S. Donald
and K. Lang (Rev. Econ. Stat. 89 (2007), 221-233) and T. Conley and C. Taber (Rev. Econ. Stat. 93
(2011), 113-125) advise where few are treated: weeks alone make a calm year look like an effect.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import pi
from statistics import mean, median

from app.barriers.methods.series import (
    Estimate,
    Shift,
    Window,
    between,
    freedom_of,
    growth,
    probability,
    ratio_of,
    shift,
)

LEAST_COMPARED = 4
"""Other series without which nothing is known of how much they differ by themselves."""

LEAST_COUNTED = 20
"""Reports, before and after together, without which a series is not compared."""

_LEAST_CHANGED = 0.4
"""The part of the series that surely nothing happened to."""

Series = Mapping[str, Sequence[float]]
"""Counts of each week by place, corridor or step; of equal length."""


class TooFewSeriesError(ValueError):
    """There are fewer series than a comparison needs. Compare more places, or a longer time."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One series against the typical one.

    `ratio`: 0.6 says that it has 40 % fewer than if it had gone as the typical one.
    `expected` is how many that would have been, out of `after`.
    """

    name: str
    before: float
    after: float
    expected: float
    ratio: Estimate
    probability: float
    shift: float
    variance: float


def compared(series: Series, window: Window, *, only: str | None = None) -> list[Compared]:
    """Each series against the typical one, in the order given; those with few counts are left out.

    With `only`, that one alone; the others then serve as those to compare with, and it does not
    take part in what is typical. Raises TooFewSeriesError.
    """
    enough = {name: weeks for name, weeks in series.items() if _counted(weeks, window)}
    if (only is not None and only not in enough) or len(enough) <= LEAST_COMPARED:
        raise TooFewSeriesError("Fewer series have enough counts than a comparison needs.")
    others = {name: weeks for name, weeks in enough.items() if name != only}
    shifts = _growths(others, window)
    typical = median(each.value for each in shifts.values())
    beyond = _unrest(others, window)
    # The median of n has pi/2 of the variance of their mean.
    of_typical = pi / 2 * (beyond + mean(each.variance for each in shifts.values())) / len(others)
    freedom = len(others) - 1
    if only is not None:
        shifts = {only: _growths(enough, window)[only]}
    return [
        _told(
            name,
            enough[name],
            window,
            found=Shift(each.value - typical, each.variance, each.freedom),
            beyond=beyond + of_typical,
            freedom_beyond=freedom,
        )
        for name, each in shifts.items()
    ]


def _unrest(series: Series, window: Window) -> float:
    """The variance of shifts between series to which nothing is known to have happened.

    From the change itself and from the middles of the time before and the time after, where
    nothing was set; and not less than that of those that changed least.
    """
    now = _centred(series, window)
    calm = [each for half in window.halves() for each in _centred(series, half)]
    return max(between([*now, *calm]), between(now, _LEAST_CHANGED))


def _centred(series: Series, window: Window) -> list[Shift]:
    """The shifts of all in this window, against the typical one."""
    shifts = _growths(series, window).values()
    typical = median(each.value for each in shifts)
    return [Shift(each.value - typical, each.variance, each.freedom) for each in shifts]


def _counted(weeks: Sequence[float], window: Window) -> bool:
    return sum(window.before(weeks)) + sum(window.after(weeks)) >= LEAST_COUNTED


def _growths(series: Series, window: Window) -> dict[str, Shift]:
    """What each series grew by; its variance is that of its part in all of them together.

    The growth is not taken against all others together: a large one that falls would lift the rest,
    but not itself, and so more than the typical one.
    """
    whole = _sum(series.values())
    found = {}
    for name, weeks in series.items():
        rest = [all_of_them - own for all_of_them, own in zip(whole, weeks, strict=True)]
        part = shift(weeks, rest, window)
        found[name] = Shift(growth(weeks, window), part.variance, part.freedom)
    return found


def _sum(series: Iterable[Sequence[float]]) -> list[float]:
    return [sum(week) for week in zip(*series, strict=True)]


def _told(
    name: str,
    weeks: Sequence[float],
    window: Window,
    *,
    found: Shift,
    beyond: float,
    freedom_beyond: float,
) -> Compared:
    variance = found.variance + beyond
    freedom = freedom_of(found, beyond, freedom_beyond)
    ratio = ratio_of(found.value, variance, freedom)
    after = sum(window.after(weeks))
    return Compared(
        name,
        sum(window.before(weeks)),
        after,
        after / ratio.value,
        ratio,
        probability(found.value, variance, freedom),
        found.value,
        variance,
    )

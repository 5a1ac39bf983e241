"""What the methods share: estimates, shifts of one series against another, and their unrest.

A *shift* is the logarithm of how much more (or less) a series grew from the weeks before to the
weeks after than the series it is compared with did. Reports come in bursts and have a memory, so
that their variance is not that of independent counts: it is measured within the series (over
neighbouring weeks) and between series that nothing is known to have happened to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
from statistics import NormalDist, median

from app.barriers.methods.distributions import quantile, two_sided

LAGS = 4
"""Weeks over which the memory of a series is looked for, at most."""

_POINTS_A_LAG = 4  # a memory can't be told from fewer

_HALF = 0.5  # added to each sum, so that none is 0: J. B. S. Haldane (1956), F. J. Anscombe (1956)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and what it lies within, with 95 % confidence unless said otherwise."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Shift:
    """A shift (logarithm), its variance within the series, and its degrees of freedom."""

    value: float
    variance: float
    freedom: float


@dataclass(frozen=True, slots=True)
class Window:
    """Which weeks are compared: `before` up to `first_after`, without those of `settling`."""

    start: int
    first_after: int
    end: int
    settling: int = 0

    def before(self, series: Sequence[float]) -> Sequence[float]:
        return series[self.start : self.first_after]

    def after(self, series: Sequence[float]) -> Sequence[float]:
        return series[self.first_after + self.settling : self.end]

    def halves(self) -> tuple["Window", "Window"]:
        """The time before, and the time after, each as if something had happened in its middle."""
        begin = self.first_after + self.settling
        return (
            Window(self.start, (self.start + self.first_after) // 2, self.first_after),
            Window(begin, (begin + self.end) // 2, self.end),
        )


def shift(treated: Sequence[float], compared: Sequence[float], window: Window) -> Shift:
    """How `treated` shifted against `compared`: the logarithm of the ratio of two ratios.

    Given the sum of both in a week, the part of the treated is binomial: what moves both (season,
    holidays, more reporting everywhere) cancels out. The variance is that of the four sums, times
    the dispersion of that part over the weeks with its memory (W. K. Newey, K. D. West,
    Econometrica 55 (1987), 703-708), never below that of independent counts.
    """
    parts = [
        (window.before(treated), window.before(compared)),
        (window.after(treated), window.after(compared)),
    ]
    sums = [(sum(ours) + _HALF, sum(theirs) + _HALF) for ours, theirs in parts]
    (a, b), (c, d) = sums
    residuals = [_residuals(*part) for part in parts]
    freedom = max(1, sum(len(each) for each in residuals) - len(residuals))
    inflation = dispersion(residuals, freedom)
    return Shift(log(c / d) - log(a / b), inflation * sum(1 / n for n in (a, b, c, d)), freedom)


def growth(weeks: Sequence[float], window: Window) -> float:
    """The logarithm of how many times as many there are after as before, by itself."""
    return log((sum(window.after(weeks)) + _HALF) / (sum(window.before(weeks)) + _HALF))


def dispersion(runs: Sequence[Sequence[float]], freedom: float) -> float:
    """Variance of a sum of residuals over that of independent counts: 1 or more.

    `runs` are standardised residuals of consecutive weeks; weeks of different runs are not
    neighbours.
    """
    total = sum(_product(run, 0) for run in runs)
    lags = min(LAGS, min((len(run) for run in runs), default=0) // _POINTS_A_LAG)
    for lag in range(1, lags + 1):
        weight = 2 * (1 - lag / (lags + 1))
        total += weight * sum(_product(run, lag) for run in runs)
    return max(1.0, total / freedom)


def between(shifts: Sequence[Shift], share: float = 0.5) -> float:
    """The variance of shifts beyond what they vary within: how much series differ by themselves.

    From the smaller half of them (or another share), so that those that something did happen to do
    not count; 0 or more.
    """
    sizes = sorted(abs(each.value) for each in shifts)
    limit = sizes[max(0, round(share * len(sizes)) - 1)]
    spread = limit / NormalDist().inv_cdf((1 + share) / 2)
    return max(0.0, spread**2 - median(each.variance for each in shifts))


def probability(value: float, variance: float, freedom: float) -> float:
    """Of a shift at least as large, if there were none."""
    return two_sided(value / variance**0.5, freedom)


def ratio_of(value: float, variance: float, freedom: float) -> Estimate:
    """A shift as a ratio with its interval."""
    reach = quantile(freedom) * variance**0.5
    return Estimate(exp(value), exp(value - reach), exp(value + reach))


def freedom_of(within: Shift, beyond: float, freedom: float) -> float:
    """Degrees of freedom of a variance of two parts (F. E. Satterthwaite, Biometrics 2 (1946))."""
    whole = within.variance + beyond
    return whole**2 / (within.variance**2 / within.freedom + beyond**2 / freedom)


def _residuals(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Of the part of `ours` in each week's sum, in standard deviations of a binomial."""
    whole = sum(ours) + sum(theirs)
    part = (sum(ours) + _HALF) / (whole + 2 * _HALF)
    found = []
    for own, other in zip(ours, theirs, strict=True):
        week = own + other
        spread = (week * part * (1 - part)) ** 0.5
        found.append((own - week * part) / spread if spread else 0.0)
    return found


def _product(run: Sequence[float], lag: int) -> float:
    return sum(run[place] * run[place - lag] for place in range(lag, len(run)))

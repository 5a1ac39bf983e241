"""Risk of a step or corridor: how often it is seen, times how bad what is seen would be.

Likelihood is the rate of reports in four weeks, impact the mean severity (1 to 5) of their
substances; both are told with an interval, and as bands of 1 to 5 for the matrix that chiefs know.
The ranking is by the product of the two figures, not by the product of bands: bands alone can rank
a smaller risk above a larger (L. A. Cox, "What's wrong with risk matrices?", Risk Analysis 28
(2008), 497-512). Thresholds and severities are data (policies/barriers/risk-weights.yml): they are
judgements, for each organisation to change. And reports are what was seen where somebody looked.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from app.barriers.methods.distributions import quantile
from app.barriers.methods.series import Estimate, dispersion
from postern.vocabulary import Substance

MONTH = 4
"""Weeks of a rate."""

WORST = 5


@dataclass(frozen=True, slots=True)
class Weights:
    """`likelihood`: the rates from which likelihood is 2, 3, 4 and 5, rising; `severity`: 1 to 5.

    A substance without severity is not known: it may be anything from 1 to 5.
    """

    likelihood: tuple[float, float, float, float]
    severity: Mapping[Substance, int]


@dataclass(frozen=True, slots=True)
class Banded:
    """A figure with its interval, and the band (1 to 5) of each of the three."""

    figure: Estimate
    band: int
    lowest: int
    highest: int


@dataclass(frozen=True, slots=True)
class Risk:
    """`expected`: severity times reports in four weeks. Its interval has both at their ends."""

    likelihood: Banded
    impact: Banded
    expected: Estimate

    @property
    def score(self) -> int:
        """The cell of the matrix, 1 to 25."""
        return self.likelihood.band * self.impact.band


@dataclass(frozen=True, slots=True)
class Rank:
    """Where a risk stands among the others, 1 the largest, and where it may stand."""

    place: int
    best: int
    worst: int


def risk(
    counts: Sequence[float],
    substances: Mapping[Substance, float],
    weights: Weights,
    *,
    length: int = 1,
) -> Risk:
    """The risk of one step or corridor; `counts` are its reports, `substances` theirs.

    Reports are counted in times of `length` weeks. Raises ValueError without any time.
    """
    if not counts:
        raise ValueError("There is no week to tell a rate from. Give at least one.")
    rate = _rate(counts, length)
    severity = _severity(substances, weights)
    return Risk(
        _banded(rate, lambda figure: _likelihood(figure, weights)),
        _banded(severity, lambda figure: min(WORST, max(1, int(figure + 0.5)))),
        Estimate(rate.value * severity.value, rate.low * severity.low, rate.high * severity.high),
    )


def ranks(risks: Mapping[str, Risk]) -> dict[str, Rank]:
    """Each risk's rank by what is expected; and the ranks that the intervals allow."""
    spans = {name: each.expected for name, each in risks.items()}
    return {
        name: Rank(
            1 + sum(other.value > ours.value for other in spans.values()),
            1 + sum(other.low > ours.high for other in spans.values()),
            sum(other.high >= ours.low for other in spans.values()),
        )
        for name, ours in spans.items()
    }


def _rate(counts: Sequence[float], length: int) -> Estimate:
    """In four weeks, with the score interval of a quasi-Poisson mean: also for no report at all."""
    total, times = sum(counts), len(counts)
    expected = total / times
    residuals = [(count - expected) / sqrt(expected) for count in counts] if expected else []
    inflation = dispersion([residuals], max(1, times - 1))
    reach = quantile(max(1, times - 1))
    middle = total + inflation * reach**2 / 2
    half = reach * sqrt(inflation * total + (inflation * reach) ** 2 / 4)
    bounds = (total, middle - half, middle + half)
    return Estimate(*(MONTH * each / (times * length) for each in bounds))


def _severity(substances: Mapping[Substance, float], weights: Weights) -> Estimate:
    """The mean severity; what is not known counts as the mean, and as 1 or 5 for the interval."""
    known = {each: n for each, n in substances.items() if each in weights.severity and n > 0}
    count = sum(known.values())
    whole = sum(substances.values())
    if count <= 1:
        middle = (1 + WORST) / 2
        return Estimate(
            sum(weights.severity[each] for each in known) if count == 1 else middle, 1.0, WORST
        )
    mean = sum(weights.severity[each] * n for each, n in known.items()) / count
    spread = sum(n * (weights.severity[each] - mean) ** 2 for each, n in known.items())
    half = quantile(count - 1) * sqrt(spread / (count - 1) / count)
    share = count / whole
    low, high = max(1.0, mean - half), min(float(WORST), mean + half)
    return Estimate(mean, share * low + (1 - share) * 1, share * high + (1 - share) * WORST)


def _likelihood(rate: float, weights: Weights) -> int:
    return 1 + sum(rate >= threshold for threshold in weights.likelihood)


def _banded(figure: Estimate, band: Callable[[float], int]) -> Banded:
    return Banded(figure, band(figure.value), band(figure.low), band(figure.high))

"""Normal and Student's t distribution, as far as intervals and tests need them."""

from collections.abc import Sequence
from functools import lru_cache
from math import erfc, exp, inf, isinf, lgamma, log, log1p, sqrt
from statistics import NormalDist

CONFIDENCE = 0.95
"""Of every interval that is told."""

_NORMAL = NormalDist()
_STEPS = 400  # of the continued fraction; it needs about sqrt(max(a, b))
_CLOSE = 1e-15
_TINY = 1e-300
_MANY = 1e6  # degrees of freedom above which t is the normal distribution


def two_sided(statistic: float, freedom: float = inf) -> float:
    """The probability of a t at least as far from 0, with `freedom` degrees of freedom."""
    if isinf(freedom) or freedom > _MANY:
        return erfc(abs(statistic) / sqrt(2))
    if statistic == 0:
        return 1.0
    return beta_below(freedom / 2, 0.5, freedom / (freedom + statistic**2))


@lru_cache(maxsize=4096)
def quantile(freedom: float = inf, confidence: float = CONFIDENCE) -> float:
    """How many standard errors an interval of this confidence reaches to each side."""
    normal = _NORMAL.inv_cdf((1 + confidence) / 2)
    if isinf(freedom) or freedom > _MANY:
        return normal
    low, high = normal, 2 * normal
    while two_sided(high, freedom) > 1 - confidence:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        if two_sided(middle, freedom) > 1 - confidence:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def beta_below(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function I_x(a, b): NIST DLMF 8.17.22, by Lentz's method."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - beta_below(b, a, 1 - x)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    numerator, denominator = 1.0, 1 - (a + b) * x / (a + 1)
    denominator = 1 / (denominator or _TINY)
    fraction = denominator
    for step in range(1, _STEPS):
        for term in (
            step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step)),
            -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1)),
        ):
            denominator = 1 / ((1 + term * denominator) or _TINY)
            numerator = (1 + term / numerator) or _TINY
            change = numerator * denominator
            fraction *= change
        if abs(change - 1) < _CLOSE:
            break
    return front * fraction


def false_discovery(probabilities: Sequence[float]) -> list[float]:
    """Each probability corrected for there being many: of those below q, a share q is false.

    Y. Benjamini, Y. Hochberg, "Controlling the false discovery rate", J. R. Stat. Soc. B 57
    (1995), 289-300. In the order given.
    """
    order = sorted(range(len(probabilities)), key=lambda place: probabilities[place], reverse=True)
    corrected = [1.0] * len(probabilities)
    least = 1.0
    for left, place in enumerate(order):
        rank = len(order) - left
        least = min(least, probabilities[place] * len(order) / rank)
        corrected[place] = least
    return corrected


def any_false(probabilities: Sequence[float]) -> list[float]:
    """Each probability corrected so that below q the chance of *any* false one is at most q.

    S. Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Stat. 6 (1979),
    65-70. In the order given.
    """
    order = sorted(range(len(probabilities)), key=lambda place: probabilities[place])
    corrected = [1.0] * len(probabilities)
    largest = 0.0
    for done, place in enumerate(order):
        largest = max(largest, min(1.0, probabilities[place] * (len(order) - done)))
        corrected[place] = largest
    return corrected

"""What came of what was told: every share with its denominator, and before and after compared.

A share without "of how many" lets nobody judge: of holds on mail the US Government Accountability
Office found in 2017 that not all items asked for could be presented, and that without measurable
targets no judgement was possible (GAO-17-606). So a step is told as a share of the step before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from app.barriers.methods.series import Estimate
from app.small_counts import LEAST, Counts, Interval, wilson

STEPS: Sequence[tuple[str, str]] = (
    ("located", "asked"),
    ("held", "located"),
    ("examined", "located"),
    ("found", "examined"),
)
"""Each step and the one that it is a share of."""


@dataclass(frozen=True, slots=True)
class Share:
    """`step` of `of`: the numbers and the interval, each None where it can't be told."""

    step: str
    of: str
    count: int | None
    whole: int | None
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class Difference:
    """A share before and after; `difference` in points of a share (0.1: ten points more)."""

    before: Interval
    after: Interval
    difference: Estimate

    @property
    def shown(self) -> bool:
        """Whether the interval leaves out "no difference"."""
        return not self.difference.low <= 0 <= self.difference.high


def shares(counts: Counts) -> list[Share]:
    """Each step of outcomes as a share of the one before; small numbers are not told.

    Small is a number below LEAST, and a rest below LEAST that could be subtracted.
    """
    return [_share(step, of, getattr(counts, step), getattr(counts, of)) for step, of in STEPS]


def difference(before: tuple[int, int], after: tuple[int, int]) -> Difference:
    """Of two shares, each as (hits, trials) with trials above 0.

    R. G. Newcombe, "Interval estimation for the difference between independent proportions",
    Statistics in Medicine 17 (1998), 873-890, method 10: Wilson's intervals combined.
    """
    first, second = wilson(*before), wilson(*after)
    value = second.share - first.share
    low = value - sqrt((second.share - second.low) ** 2 + (first.high - first.share) ** 2)
    high = value + sqrt((second.high - second.share) ** 2 + (first.share - first.low) ** 2)
    return Difference(first, second, Estimate(value, low, high))


def _share(step: str, of: str, count: int, whole: int) -> Share:
    if whole < LEAST:
        return Share(step, of, None, None, None)
    if count < LEAST or 0 < whole - count < LEAST:
        return Share(step, of, None, whole, None)
    return Share(step, of, count, whole, wilson(count, whole))

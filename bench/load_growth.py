"""Lines through figures: how memory grows with time, and latency with the size of the tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

# 97.5 % quantiles of Student's t for 1 to 30 degrees of freedom; beyond, the normal one's bound.
_T = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)
_T_BEYOND = 2.0


@dataclass(frozen=True)
class Straight:
    """y = at_zero + slope * x by least squares; the slope lies within `bound` of it at 95 %.

    With fewer than three points there is no bound: it is infinite.
    """

    slope: float
    at_zero: float
    bound: float

    def at(self, x: float) -> float:
        return self.at_zero + self.slope * x


def straight(xs: Sequence[float], ys: Sequence[float]) -> Straight:
    """The line through the points; ValueError when all have the same x."""
    count = len(xs)
    middle_x, middle_y = sum(xs) / max(1, count), sum(ys) / max(1, count)
    spread = sum((x - middle_x) ** 2 for x in xs)
    if not spread:
        raise ValueError("a line needs two points that are apart")
    slope = sum((x - middle_x) * (y - middle_y) for x, y in zip(xs, ys, strict=True)) / spread
    at_zero = middle_y - slope * middle_x
    free = count - 2
    if free < 1:
        return Straight(slope, at_zero, float("inf"))
    rest = sum((y - at_zero - slope * x) ** 2 for x, y in zip(xs, ys, strict=True))
    quantile = _T[free - 1] if free <= len(_T) else _T_BEYOND
    return Straight(slope, at_zero, quantile * sqrt(rest / free / spread))


def second_half(
    times: Sequence[float], values: Sequence[float]
) -> tuple[Sequence[float], Sequence[float]]:
    """The points of the second half of the time."""
    middle = (times[0] + times[-1]) / 2
    first = next(place for place, at in enumerate(times) if at >= middle)
    return times[first:], values[first:]


def quantile(ordered: Sequence[float], share: float) -> float:
    """Of sorted values that below which this share of them lies."""
    return ordered[round((len(ordered) - 1) * share)]

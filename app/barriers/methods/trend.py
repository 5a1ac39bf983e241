"""Whether a series rises or falls over time, in per cent for four weeks, and how sure that is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.barriers.methods.distributions import false_discovery, two_sided
from app.barriers.methods.loglinear import CannotFitError, loglinear
from app.barriers.methods.series import Estimate, ratio_of

MONTH = 4
"""Weeks that a trend is told for."""

LEAST_COUNTED = 20
LEAST_WEEKS = 24
FALSE_SHARE = 0.05


class Direction(StrEnum):
    """What a trend says."""

    RISING = "rising"
    FALLING = "falling"
    NOT_SHOWN = "not_shown"
    TOO_FEW = "too_few"  # counts or weeks


@dataclass(frozen=True, slots=True)
class Trend:
    """`ratio`: 1.1 says 10 % more every four weeks; None where there are too few."""

    direction: Direction
    ratio: Estimate | None
    corrected: float | None  # probability without a trend, among so many series


def trends(series: Mapping[str, Sequence[float]]) -> dict[str, Trend]:
    """The trend of each series of weekly counts; corrected for being many."""
    fitted = {name: _slope(weeks) for name, weeks in series.items()}
    known = {name: each for name, each in fitted.items() if each is not None}
    corrected = dict(zip(known, false_discovery([each[1] for each in known.values()]), strict=True))
    found = {}
    for name in series:
        slope = known.get(name)
        if slope is None:
            found[name] = Trend(Direction.TOO_FEW, None, None)
        else:
            found[name] = Trend(_direction(slope[0], corrected[name]), slope[0], corrected[name])
    return found


def _slope(weeks: Sequence[float]) -> tuple[Estimate, float] | None:
    """Fitted to fours of weeks: bursts and memory of a month are then in what those vary by."""
    if len(weeks) < LEAST_WEEKS or sum(weeks) < LEAST_COUNTED:
        return None
    first = len(weeks) % MONTH  # the oldest weeks that fill no four are left out
    months = [sum(weeks[at : at + MONTH]) for at in range(first, len(weeks), MONTH)]
    middle = (len(months) - 1) / 2
    columns = [[1.0] * len(months), [month - middle for month in range(len(months))]]
    try:
        fitted = loglinear(months, columns)
    except CannotFitError:
        return None
    value, variance = fitted.coefficients[1], fitted.variances[1]
    return (
        ratio_of(value, variance, fitted.freedom),
        two_sided(value / variance**0.5, fitted.freedom),
    )


def _direction(ratio: Estimate, corrected: float) -> Direction:
    if corrected >= FALSE_SHARE:
        return Direction.NOT_SHOWN
    return Direction.RISING if ratio.value > 1 else Direction.FALLING

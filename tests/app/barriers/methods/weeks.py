"""Series of weekly counts that the tests of the methods share."""

from collections.abc import Sequence
from math import exp, sqrt
from random import Random

WEEKS = 48
PLACES = ("A", "B", "C", "D", "E", "F", "G", "H")


def independent(seed: int, *, usual: float = 40.0) -> dict[str, list[float]]:
    """Counts of eight places that nothing happened to; nearly independent counts."""
    drawn = Random(seed)  # noqa: S311 - made-up counts
    return {
        place: [max(0.0, float(round(drawn.gauss(usual, usual**0.5)))) for _ in range(WEEKS)]
        for place in PLACES
    }


def drifting(seed: int, *, memory: float = 0.7, drift: float = 0.1) -> dict[str, list[float]]:
    """Counts of eight places that go up and down by themselves, and come back."""
    drawn = Random(seed)  # noqa: S311 - made-up counts
    series = {}
    for place in PLACES:
        state, weeks = drawn.gauss(0, drift), []
        for _ in range(WEEKS):
            state = memory * state + drawn.gauss(0, drift * sqrt(1 - memory**2))
            usual = 40 * exp(state)
            weeks.append(max(0.0, float(round(drawn.gauss(usual, sqrt(usual))))))
        series[place] = weeks
    return series


def changed(weeks: Sequence[float], factor: float, since: int) -> list[float]:
    """The same series times a factor from one week on."""
    return [
        float(round(count * factor)) if week >= since else count for week, count in enumerate(weeks)
    ]

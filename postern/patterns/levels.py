"""What the level of a rule stands for: how much a hit weighs, and how many hits it may have.

A level is a promise to those who act on hits. A rule that hits more ordinary parcels than its level
allows is to be narrowed, or lowered to a level that allows as many.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from math import sqrt
from typing import Any

from postern.patterns.model import Level

MILLION = 1_000_000
_Z = 1.96  # of a 95 % interval


@cache
def level_weights() -> Mapping[Level, float]:
    """What a hit of each level adds to a score."""
    return {Level(name): float(weight) for name, weight in _document()["levels"].items()}


@cache
def alert_budgets() -> Mapping[Level, int]:
    """How many of a million ordinary parcels a rule of each level may hit."""
    return {Level(name): int(most) for name, most in _document()["hits_per_million"].items()}


def highest_level(hits: int, parcels: int) -> Level | None:
    """The highest level that allows so many hits among so many parcels; None when none does.

    The lower end of Wilson's 95 % interval is what counts, so that a few hits in a small sample
    are not held against a rule.
    """
    rate = _least_share(hits, parcels) * MILLION
    allowed = [level for level, most in alert_budgets().items() if rate <= most]
    return min(allowed, key=lambda level: alert_budgets()[level], default=None)


def is_above_budget(level: Level, hits: int, parcels: int) -> bool:
    """Whether a rule of this level hits more parcels than the level allows."""
    return _least_share(hits, parcels) * MILLION > alert_budgets()[level]


def _least_share(hits: int, parcels: int) -> float:
    if not parcels:
        return 0.0
    share = hits / parcels
    middle = share + _Z * _Z / (2 * parcels)
    spread = _Z * sqrt(share * (1 - share) / parcels + _Z * _Z / (4 * parcels * parcels))
    return max(0.0, (middle - spread) / (1 + _Z * _Z / parcels))


def _document() -> Mapping[str, Any]:
    source = resources.files("postern.patterns").joinpath("weights.json").read_text("utf-8")
    document: Mapping[str, Any] = json.loads(source)
    return document

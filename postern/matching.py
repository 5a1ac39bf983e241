"""How strongly a candidate matches a query, from which of their facets agree.

The weights are integers in tenths of a bit and are data (`postern/weights/*.json`), learned by
sign-constrained logistic regression (specification of matching, 3.4).
"""

import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from importlib import resources
from typing import Any

from postern.facet_kinds import NAME_FACETS, NUMBERS
from postern.vocabulary import Band, FacetAnswer, Kind

POSTAL_KINDS = frozenset({Kind.PARTY, Kind.ADDRESS})


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The fewest points of each band. A larger database needs higher ones."""

    likely: int
    strong: int


@dataclass(frozen=True, slots=True)
class Score:
    """How well one candidate matches.

    `points` are tenths of a bit; `band` is None when they are below "likely" or when no facet
    agrees. `answers` and `weights` hold one entry for each facet of the query and let a person
    retrace the sum: points = bias + sum of weights. `precision` is the least share of
    right matches in this band that the measurement supports, None where there was none.
    """

    points: int
    band: Band | None
    answers: dict[int, FacetAnswer]
    weights: dict[int, int]
    precision: float | None


@dataclass(frozen=True, slots=True)
class Weighting:
    """A fitted table. `facets`: number -> points when one token agrees, two agree, none agrees."""

    bias: int
    thresholds: Thresholds
    facets: Mapping[int, tuple[int, int, int]]
    precision: Mapping[Band, float]  # the least that was measured of each band


def score(
    kind: Kind,
    agreeing: Mapping[int, int],
    *,
    query: AbstractSet[int],
    candidate: AbstractSet[int],
    common: AbstractSet[int] = frozenset(),
    thresholds: Thresholds | None = None,
) -> Score:
    """The score of one candidate against one query of the same kind or family of kinds.

    `agreeing`: facet number -> how many tokens of that facet both sides hold (0 may be left out).
    `query`, `candidate`: the numbers of the facets that each side has at all. `common`: those that
    cannot be told for this candidate because a token had too many postings; they are neutral.
    Parties and addresses may be compared with each other: when a side has no name facet, the
    weights for addresses are used.
    """
    if kind not in POSTAL_KINDS:
        return _score_by_best(agreeing, query, candidate, common, thresholds or _OTHER_THRESHOLDS)
    named = not NAME_FACETS.isdisjoint(query) and not NAME_FACETS.isdisjoint(candidate)
    return weigh(
        NAMED if named else ADDRESS,
        agreeing,
        query=query,
        candidate=candidate,
        common=common,
        thresholds=thresholds,
    )


def weigh(
    weighting: Weighting,
    agreeing: Mapping[int, int],
    *,
    query: AbstractSet[int],
    candidate: AbstractSet[int],
    common: AbstractSet[int] = frozenset(),
    thresholds: Thresholds | None = None,
) -> Score:
    """The score under a given table of weights; the arguments are those of `score`."""
    points = weighting.bias
    answers: dict[int, FacetAnswer] = {}
    weights: dict[int, int] = {}
    agreed = False
    for number in query:
        weight = 0
        if number not in candidate:
            answer = FacetAnswer.ABSENT
        elif number in common:
            answer = FacetAnswer.COMMON
        else:
            one, two, differs = weighting.facets.get(number, _NO_WEIGHT)
            count = agreeing.get(number, 0)
            if count:
                answer = FacetAnswer.AGREES
                weight = one if count == 1 else two
                agreed = True
            else:
                answer = FacetAnswer.DIFFERS
                weight = differs
            points += weight
        answers[number] = answer
        weights[number] = weight
    band = _band(points, thresholds or weighting.thresholds) if agreed else None
    precision = weighting.precision[band] if band else None
    return Score(points, band, answers, weights, precision)


def _score_by_best(
    agreeing: Mapping[int, int],
    query: AbstractSet[int],
    candidate: AbstractSet[int],
    common: AbstractSet[int],
    thresholds: Thresholds,
) -> Score:
    # These facets contain one another (a handle that is equal also sounds equal): no sum.
    answers: dict[int, FacetAnswer] = {}
    best = None
    for number in query:
        if number not in candidate:
            answers[number] = FacetAnswer.ABSENT
        elif number in common:
            answers[number] = FacetAnswer.COMMON
        elif agreeing.get(number, 0):
            answers[number] = FacetAnswer.AGREES
            if best is None or _OTHER_POINTS[number] > _OTHER_POINTS[best]:
                best = number
        else:
            answers[number] = FacetAnswer.DIFFERS
    weights = dict.fromkeys(answers, 0)
    if best is None:
        return Score(0, None, answers, weights, None)
    weights[best] = _OTHER_POINTS[best]
    return Score(weights[best], _band(weights[best], thresholds), answers, weights, None)


def _band(points: int, thresholds: Thresholds) -> Band | None:
    if points >= thresholds.strong:
        return Band.STRONG
    return Band.LIKELY if points >= thresholds.likely else None


def _read(name: str) -> Any:
    text = resources.files("postern.weights").joinpath(f"{name}.json").read_text(encoding="utf-8")
    return json.loads(text)


def _weighting(table: Mapping[str, Any]) -> Weighting:
    return Weighting(
        bias=table["bias"],
        thresholds=Thresholds(likely=table["likely"], strong=table["strong"]),
        facets={
            NUMBERS[kind]: (one, two, differs)
            for kind, (one, two, differs) in table["weights"].items()
        },
        precision={Band(name): precision for name, precision in table["precision"].items()},
    )


_NO_WEIGHT = (0, 0, 0)
_POSTAL = _read("postal")
_OTHER = _read("other")
NAMED = _weighting(_POSTAL["named"])
"""Used when both sides have a name."""
ADDRESS = _weighting(_POSTAL["address"])
"""Used when a side has none."""
_OTHER_POINTS: dict[int, int] = {NUMBERS[kind]: points for kind, points in _OTHER["points"].items()}
_OTHER_THRESHOLDS = Thresholds(likely=_OTHER["likely"], strong=_OTHER["strong"])

WEIGHTS_VERSION: str = _POSTAL["version"]
"""Stored with a hit, so that its score can be retraced after a refit."""

BAND_PRECISION: Mapping[str, Mapping[Band, float]] = {
    "named": NAMED.precision,
    "address": ADDRESS.precision,
}
"""Least share of right matches per band, as measured, with names on both sides and without."""

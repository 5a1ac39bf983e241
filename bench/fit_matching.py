"""Learns the weights of matching again: `python -m bench.fit_matching [--data FILE] [--dry-run]`.

Sign-constrained logistic regression: a facet that agrees never counts against a match and one that
differs never for it. Weights are rounded to integers in tenths of a bit *before* the thresholds
are chosen (rounding afterwards moved F by .017: specification of matching, 3.4). The shipped table
is learned on all streets of the file; the precision and recall written beside it come from five
fits, each measured on the fifth of the streets that it has not seen.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from statistics import NormalDist
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from bench.matching_sets import FOLDS, OPEN_PART, AddressFile, Task, read_addresses
from bench.matching_tokens import Measures, Pair, measures, token_pairs
from postern.facet_kinds import NAME_FACETS, POSTAL_FACETS
from postern.matching import Thresholds, Weighting
from postern.vocabulary import Band

Matrix: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]

WEIGHTS = Path(__file__).parents[1] / "postern" / "weights" / "postal.json"

TENTHS_OF_A_BIT = 10 / np.log(2)  # of one unit of log odds
RIDGE = 0.5
_CONFIDENCE = 0.975
LIKELY_PRECISION = (
    0.988  # of the pairs learned from; higher, and a true match is lost for each false one
)
STRONG_PRECISION = 0.995
FEBRL_LIKELY_PRECISION = 0.9995  # Febrl 3 has many more copies per record than Febrl 4

_FEATURES_OF_A_FACET = 3  # one agrees, two agree, none agrees
_TWO = 2


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted table, and the bands of pairs whose streets the table they got it from had not seen.

    `bands`: band -> (pairs in it, right ones among them); `true_pairs` of those that were scored.
    """

    weighting: Weighting
    bands: Mapping[Band, tuple[int, int]]
    true_pairs: int

    def at_least(self, band: Band) -> Measures:
        """Precision and recall of everything in this band or a better one."""
        reached = (Band.STRONG,) if band is Band.STRONG else (Band.LIKELY, Band.STRONG)
        found = sum(self.bands[each][0] for each in reached)
        right = sum(self.bands[each][1] for each in reached)
        return measures(right, found, self.true_pairs)

    def precision_in(self, band: Band) -> float:
        """What the share of right pairs in this band is at least, with 97.5 % confidence.

        Wilson's lower bound: a band with few pairs must not look better than it was shown to be.
        """
        found, right = self.bands[band]
        if not found:
            return 0.0
        z2 = NormalDist().inv_cdf(_CONFIDENCE) ** 2
        share = right / found
        spread = sqrt(z2 * (share * (1 - share) + z2 / (4 * found)) / found)
        return (share + z2 / (2 * found) - spread) / (1 + z2 / found)


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table and writes it where the library reads it.

    After a change of the kinds of facets, empty the two `weights` of the old file first.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=OPEN_PART, help="labelled addresses (JSON)")
    parser.add_argument("--dry-run", action="store_true", help=f"do not write {WEIGHTS.name}")
    options = parser.parse_args(arguments)
    document = weights_document(read_addresses(options.data))
    text = _pretty(document)
    print(text)
    if not options.dry_run:
        WEIGHTS.write_text(text, encoding="ascii")
    return 0


def weights_document(file: AddressFile) -> dict[str, Any]:
    """The content of postal.json, learned on `file`."""
    return {
        "version": "1",
        "learned_on": {"sha256": file.digest, "measured": f"{FOLDS} folds, by street"},
        "named": _table(fit(file.persons, named=True)),
        "address": _table(fit(file.addresses, named=False)),
    }


def fit(task: Task, *, named: bool) -> Fit:
    """Learns one table from a task, and measures it by learning it again without each fold."""
    pairs = [pair for pair in token_pairs(task) if _named(pair) == named]
    found, right = Counter[Band](), Counter[Band]()
    for held_out in range(FOLDS):
        for pair, band in unseen_bands(task, pairs, held_out, named=named):
            found[band] += 1
            right[band] += pair.same
    return Fit(
        weighting=learn(task, pairs, named=named),
        bands={band: (found[band], right[band]) for band in Band},
        true_pairs=sum(pair.same for pair in pairs),
    )


def unseen_bands(
    task: Task, pairs: Sequence[Pair], held_out: int, *, named: bool
) -> Iterator[tuple[Pair, Band]]:
    """The pairs that a table learned without the streets of one fold finds among them."""
    weighting = learn(
        task,
        [
            pair
            for pair in pairs
            if held_out not in {task.queries[pair.query].fold, task.records[pair.record].fold}
        ],
        named=named,
    )
    unseen = [pair for pair in pairs if task.queries[pair.query].fold == held_out]
    for pair, points in zip(unseen, _points(weighting, unseen), strict=True):
        if points >= weighting.thresholds.strong:
            yield pair, Band.STRONG
        elif points >= weighting.thresholds.likely:
            yield pair, Band.LIKELY


def learn(
    task: Task,
    pairs: Sequence[Pair],
    *,
    named: bool,
    likely_precision: float = LIKELY_PRECISION,
    strong_precision: float = STRONG_PRECISION,
) -> Weighting:
    """A table learned from all pairs of a task that have (or lack) names on both sides.

    "likely" is the threshold with the best F among those of at least `likely_precision`, "strong"
    the lowest of at least `strong_precision`. The precision in the result is that of the training.
    """
    chosen = [pair for pair in pairs if _named(pair) == named]
    numbers = [number for number in POSTAL_FACETS if named or number not in NAME_FACETS]
    features = _features(chosen, numbers)
    same = np.array([pair.same for pair in chosen])
    solution = np.round(TENTHS_OF_A_BIT * _regression(features, same)).astype(int)
    facets = {
        number: (
            int(one),
            int(one + two),
            int(differs),
        )
        for number, (one, two, differs) in zip(
            numbers, solution[:-1].reshape(-1, _FEATURES_OF_A_FACET), strict=True
        )
    }
    bias = int(solution[-1])
    weighting = Weighting(bias, Thresholds(0, 0), facets, {})
    curve = _Curve.of(_points(weighting, chosen), same, int(same.sum()))
    likely = curve.best_f1(likely_precision)
    strong = max(likely, curve.lowest(strong_precision))
    precision = {
        Band.LIKELY: curve.precision_at(likely),
        Band.STRONG: curve.precision_at(strong),
    }
    return Weighting(bias, Thresholds(likely, strong), facets, precision)


@dataclass(frozen=True, slots=True)
class _Curve:
    """Precision and recall at every threshold that a pair's points allow."""

    thresholds: NDArray[np.int64]  # descending
    right: NDArray[np.int64]
    found: NDArray[np.int64]
    true_pairs: int

    @classmethod
    def of(cls, points: NDArray[np.int64], same: Flags, true_pairs: int) -> "_Curve":
        order = np.argsort(-points, kind="stable")
        descending = points[order]
        last = np.append(descending[1:] != descending[:-1], True)
        return cls(
            thresholds=descending[last],
            right=np.cumsum(same[order])[last],
            found=np.arange(1, len(points) + 1)[last],
            true_pairs=true_pairs,
        )

    def best_f1(self, precision: float) -> int:
        f1 = 2 * self.right / (self.found + self.true_pairs)
        return int(self.thresholds[np.argmax(np.where(self._reach(precision), f1, 0.0))])

    def lowest(self, precision: float) -> int:
        return int(self.thresholds[self._reach(precision)].min())

    def precision_at(self, threshold: int) -> float:
        place = int(np.flatnonzero(self.thresholds == threshold)[0])
        return float(self.right[place] / self.found[place])

    def _reach(self, precision: float) -> Flags:
        reached: Flags = self.right / self.found >= precision
        return reached if reached.any() else self.right >= 0


def _named(pair: Pair) -> bool:
    return not (
        NAME_FACETS.isdisjoint(pair.query_facets) or NAME_FACETS.isdisjoint(pair.record_facets)
    )


def _features(pairs: Sequence[Pair], numbers: Sequence[int]) -> Matrix:
    features = np.zeros((len(pairs), _FEATURES_OF_A_FACET * len(numbers)))
    for row, pair in enumerate(pairs):
        for place, number in enumerate(numbers):
            if number in pair.query_facets and number in pair.record_facets:
                count = pair.agreeing.get(number, 0)
                start = _FEATURES_OF_A_FACET * place
                features[row, start] = count >= 1
                features[row, start + 1] = count >= _TWO
                features[row, start + 2] = count == 0
    return features


def _regression(features: Matrix, same: Flags) -> Matrix:
    """Ridge logistic regression: agreeing >= 0, differing <= 0, the bias last and free."""
    columns = features.shape[1]

    def loss(weights: Matrix) -> tuple[float, Matrix]:
        odds = features @ weights[:-1] + weights[-1]
        penalty = RIDGE * weights[:-1]
        value = np.logaddexp(0.0, np.where(same, -odds, odds)).sum()
        error = 1 / (1 + np.exp(-odds)) - same
        slope = np.append(features.T @ error + penalty, error.sum())
        return float(value + weights[:-1] @ penalty / 2), slope

    signs = [(0, None), (0, None), (None, 0)] * (columns // _FEATURES_OF_A_FACET)
    found = minimize(
        loss,
        np.zeros(columns + 1),
        jac=True,
        method="L-BFGS-B",
        bounds=[*signs, (None, None)],
        options={"maxiter": 1000},
    )
    solution: Matrix = found.x
    return solution


def _points(weighting: Weighting, pairs: Sequence[Pair]) -> NDArray[np.int64]:
    points = np.full(len(pairs), weighting.bias, dtype=np.int64)
    for row, pair in enumerate(pairs):
        for number in pair.query_facets & pair.record_facets:
            one, two, differs = weighting.facets.get(number, (0, 0, 0))
            count = pair.agreeing.get(number, 0)
            points[row] += (differs, one, two)[min(count, _TWO)]
    return points


def _table(fitted: Fit) -> dict[str, Any]:
    weighting = fitted.weighting
    at_least = {band: fitted.at_least(band) for band in Band}
    return {
        "bias": weighting.bias,
        "likely": weighting.thresholds.likely,
        "strong": weighting.thresholds.strong,
        "precision": {band.value: round(fitted.precision_in(band), 3) for band in Band},
        "pairs_in_band": {band.value: fitted.bands[band][0] for band in Band},
        "at_least": {
            band.value: {
                "precision": round(reached.precision, 4),
                "recall": round(reached.recall, 4),
            }
            for band, reached in at_least.items()
        },
        "weights": {
            POSTAL_FACETS[number]: list(points) for number, points in weighting.facets.items()
        },
    }


def _pretty(document: dict[str, Any]) -> str:
    """JSON with one facet on a line."""
    text = json.dumps(document, indent=1)
    for opening, closing in (("[\n", "]"),):
        parts = text.split(opening)
        text = parts[0] + "".join(
            "["
            + " ".join(part.partition(closing)[0].split())
            + closing
            + part.partition(closing)[2]
            for part in parts[1:]
        )
    return text + "\n"


if __name__ == "__main__":
    sys.exit(main())

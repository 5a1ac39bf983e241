"""Log-linear models of weekly counts, with errors that allow for bursts and memory.

Quasi-Poisson regression by iteratively reweighted least squares (P. McCullagh, J. Nelder,
"Generalized Linear Models", 2nd ed. 1989, 2.5 and 6.2), sandwich errors with a memory of up to LAGS
rows after Newey and West (1987), never smaller than those of quasi-Poisson. Three or four columns
and a year or a few of weeks: plain Python, no matrix library on the platform.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log

from app.barriers.methods.series import LAGS

_ROWS_A_LAG = 6  # a memory can't be told from fewer
_ROUNDS = 60
_CLOSE = 1e-10
_STEEPEST = 30.0  # of a predictor: beyond it the counts are all but zero

Matrix = list[list[float]]


class CannotFitError(ValueError):
    """The counts do not determine the model. Take a longer time, or fewer columns."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """Coefficients on the scale of logarithms, their variances, and what the weeks vary by.

    `dispersion` is Pearson's, 1 for independent counts; `freedom` its degrees of freedom.
    """

    coefficients: Sequence[float]
    variances: Sequence[float]
    dispersion: float
    freedom: int


def loglinear(counts: Sequence[float], columns: Sequence[Sequence[float]]) -> Fitted:
    """Fit log(mean) = sum of coefficient times column; `columns` has one entry a count each.

    Raises CannotFitError.
    """
    rows = list(zip(*columns, strict=True))
    freedom = len(counts) - len(columns)
    if freedom < 1 or len(rows) != len(counts) or sum(counts) <= 0:
        raise CannotFitError("There are too few counts for this model.")
    beta = _solve(counts, rows)
    means = [exp(_dot(row, beta)) for row in rows]
    bread = inverse(_weighted(rows, means))
    residuals = [count - mean for count, mean in zip(counts, means, strict=True)]
    pearson = sum(r**2 / m for r, m in zip(residuals, means, strict=True)) / freedom
    scores = [[x * residual for x in row] for row, residual in zip(rows, residuals, strict=True)]
    meat = _meat(scores)
    correction = len(counts) / freedom
    sandwich = _product(_product(bread, meat), bread)
    variances = [
        max(correction * sandwich[place][place], max(1.0, pearson) * bread[place][place])
        for place in range(len(beta))
    ]
    return Fitted(beta, variances, pearson, freedom)


def inverse(matrix: Matrix) -> Matrix:
    """Of a symmetric positive definite matrix, by Gauss and Jordan. Raises CannotFitError."""
    size = len(matrix)
    wide = [
        [*row, *(1.0 if place == each else 0.0 for each in range(size))]
        for place, row in enumerate(matrix)
    ]
    scale = max(abs(matrix[place][place]) for place in range(size))
    for place in range(size):
        best = max(range(place, size), key=lambda row: abs(wide[row][place]))
        wide[place], wide[best] = wide[best], wide[place]
        pivot = wide[place][place]
        if abs(pivot) <= scale * 1e-13:
            raise CannotFitError("Two columns of the model say the same.")
        wide[place] = [each / pivot for each in wide[place]]
        for row in range(size):
            if row != place:
                factor = wide[row][place]
                wide[row] = [a - factor * b for a, b in zip(wide[row], wide[place], strict=True)]
    return [row[size:] for row in wide]


def _solve(counts: Sequence[float], rows: Sequence[Sequence[float]]) -> list[float]:
    means = [count + 0.5 for count in counts]
    predictors = [log(mean) for mean in means]
    beta = [0.0] * len(rows[0])
    for _ in range(_ROUNDS):
        working = [
            p + (count - mean) / mean
            for p, count, mean in zip(predictors, counts, means, strict=True)
        ]
        right = [
            sum(m * row[place] * w for m, row, w in zip(means, rows, working, strict=True))
            for place in range(len(beta))
        ]
        now = [_dot(row, right) for row in inverse(_weighted(rows, means))]
        moved = max(abs(a - b) for a, b in zip(now, beta, strict=True))
        beta = now
        predictors = [max(-_STEEPEST, min(_STEEPEST, _dot(row, beta))) for row in rows]
        means = [exp(each) for each in predictors]
        if moved < _CLOSE:
            return beta
    raise CannotFitError("The counts are zero where the model needs some.")


def _weighted(rows: Sequence[Sequence[float]], weights: Sequence[float]) -> Matrix:
    size = len(rows[0])
    return [
        [
            sum(w * row[a] * row[b] for w, row in zip(weights, rows, strict=True))
            for b in range(size)
        ]
        for a in range(size)
    ]


def _meat(scores: Sequence[Sequence[float]]) -> Matrix:
    size = len(scores[0])
    total = [[0.0] * size for _ in range(size)]
    lags = min(LAGS, len(scores) // _ROWS_A_LAG)
    for lag in range(lags + 1):
        weight = 1 - lag / (lags + 1)
        for a in range(size):
            for b in range(size):
                both = sum(
                    now[a] * then[b] for now, then in zip(scores[lag:], scores, strict=False)
                )
                total[a][b] += weight * both
                if lag:
                    total[b][a] += weight * both
    return total


def _product(left: Matrix, right: Matrix) -> Matrix:
    return [
        [
            sum(a * b for a, b in zip(row, column, strict=True))
            for column in zip(*right, strict=True)
        ]
        for row in left
    ]


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))

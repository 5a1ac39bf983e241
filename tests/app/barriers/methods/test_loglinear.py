"""The regression against the values of statsmodels 0.15.0."""

import pytest

from app.barriers.methods.loglinear import CannotFitError, inverse, loglinear

BURSTS = [
    *(40, 52, 61, 58, 70, 66, 31, 22, 18, 25, 30, 45),
    *(60, 72, 80, 77, 50, 41, 20, 16, 12, 19, 33, 47),
]
STEP = [12, 15, 9, 14, 11, 16, 18, 13, 10, 12, 7, 6, 9, 5, 8, 4, 7, 6, 3, 8, 5, 6, 4, 7]
ONES = [1.0] * 24
WEEKS = [week - 11.5 for week in range(24)]


def test_coefficients_and_dispersion_are_those_of_statsmodels() -> None:
    found = loglinear(STEP, [ONES, WEEKS, [float(week >= 10) for week in range(24)]])
    assert found.coefficients == pytest.approx(
        [2.4917375467989444, -0.010395158076628053, -0.6370456557468407]
    )
    assert found.dispersion == pytest.approx(0.5496921172253344)
    # Never below independent counts: statsmodels' quasi-Poisson variance over its scale of 0.55.
    assert found.variances == pytest.approx(
        [each / 0.5496921172253344 for each in (0.0154854317, 0.000224208918, 0.0425357466)]
    )


def test_a_series_with_memory_has_the_errors_of_newey_and_west() -> None:
    found = loglinear(BURSTS, [ONES, WEEKS])
    assert found.coefficients == pytest.approx([3.7637661872024717, -0.02040156381554437])
    assert found.dispersion == pytest.approx(10.118973140115715)
    assert found.variances == pytest.approx([0.024326592314266978, 0.00024043299525533683])


def test_two_columns_that_say_the_same_are_refused() -> None:
    with pytest.raises(CannotFitError, match="say the same"):
        loglinear(STEP, [ONES, [2.0] * 24])


@pytest.mark.parametrize("counts", [[0.0] * 24, STEP[:2]])
def test_too_few_counts_are_refused(counts: list[float]) -> None:
    with pytest.raises(CannotFitError):
        loglinear(counts, [[1.0] * len(counts), [float(n) for n in range(len(counts))]])


def test_an_inverse_times_its_matrix_is_one() -> None:
    assert inverse([[4.0, 1.0], [1.0, 3.0]]) == [
        pytest.approx([3 / 11, -1 / 11]),
        pytest.approx([-1 / 11, 4 / 11]),
    ]

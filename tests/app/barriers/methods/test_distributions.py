"""Student's t and the rest against values that scipy 1.17.1 and statsmodels 0.15.0 give."""

from math import inf

import pytest

from app.barriers.methods.distributions import (
    any_false,
    beta_below,
    false_discovery,
    quantile,
    two_sided,
)


@pytest.mark.parametrize(
    ("statistic", "freedom", "expected"),
    [
        (2.0, 5, 0.10193947882985835),
        (-2.0, 5, 0.10193947882985835),
        (1.0, 1, 0.5),
        (3.3, 18.5, 0.0038696244871381353),
        (0.1, 2.5, 0.9278065440624897),
        (12, 3, 0.0012450158007893362),
        (0, 4, 1.0),
        (1.959963984540054, inf, 0.05),
    ],
)
def test_the_probability_of_a_t_is_that_of_scipy(
    statistic: float, freedom: float, expected: float
) -> None:
    assert two_sided(statistic, freedom) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("freedom", "expected"),
    [
        (1, 12.706204736174694),
        (2.5, 3.5746548420036817),
        (4.5, 2.6589123472044034),
        (30, 2.0422724563012378),
        (200, 1.9718962236339088),
        (inf, 1.959963984540054),
    ],
)
def test_an_interval_reaches_as_far_as_that_of_scipy(freedom: float, expected: float) -> None:
    assert quantile(freedom) == pytest.approx(expected, rel=1e-9)


def test_the_incomplete_beta_function_is_that_of_scipy_on_both_sides_of_its_middle() -> None:
    assert beta_below(2.5, 7, 0.3) == pytest.approx(0.6412224629717214)
    assert beta_below(40, 0.5, 0.97) == pytest.approx(0.11967313713874)
    assert (beta_below(2, 3, 0), beta_below(2, 3, 1)) == (0, 1)


def test_many_probabilities_are_corrected_as_statsmodels_corrects_them() -> None:
    assert false_discovery([0.01, 0.04, 0.03, 0.005, 0.5]) == pytest.approx(
        [0.025, 0.05, 0.05, 0.025, 0.5]
    )
    assert any_false([0.01, 0.04, 0.03, 0.005, 0.5]) == pytest.approx(
        [0.04, 0.09, 0.09, 0.025, 0.5]
    )
    assert false_discovery([]) == any_false([]) == []

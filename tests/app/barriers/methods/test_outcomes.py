"""Outcomes have denominators, and small numbers stay untold."""

import pytest

from app.barriers.methods.outcomes import Share, difference, shares
from app.small_counts import Counts, wilson


def test_each_step_is_a_share_of_the_step_before_it() -> None:
    found = shares(Counts(told=90, asked=80, located=60, held=40, examined=50, found=20))
    assert [(each.step, each.of, each.count, each.whole) for each in found] == [
        ("located", "asked", 60, 80),
        ("held", "located", 40, 60),
        ("examined", "located", 50, 60),
        ("found", "examined", 20, 50),
    ]
    assert found[3].interval == wilson(20, 50)


@pytest.mark.parametrize(("found", "examined"), [(4, 50), (47, 50), (0, 50)])
def test_a_small_number_and_a_small_rest_are_not_told(found: int, examined: int) -> None:
    counts = Counts(told=90, asked=80, located=60, held=40, examined=examined, found=found)
    assert shares(counts)[3] == Share("found", "examined", None, examined, None)


def test_a_small_denominator_is_not_told_either() -> None:
    assert shares(Counts(told=9, asked=4, located=4))[0] == Share(
        "located", "asked", None, None, None
    )


def test_all_of_many_is_told() -> None:
    assert shares(Counts(asked=30, located=30))[0].count == 30


def test_two_shares_differ_as_newcombe_says() -> None:
    # statsmodels 0.15.0: confint_proportions_2indep(56, 70, 48, 80, method="newcomb")
    found = difference((48, 80), (56, 70))
    assert found.difference.value == pytest.approx(0.2)
    assert found.difference.low == pytest.approx(0.05243147240236498)
    assert found.difference.high == pytest.approx(0.33387265403690614)
    assert found.shown


def test_a_difference_that_may_be_none_is_not_shown() -> None:
    assert not difference((10, 20), (12, 20)).shown

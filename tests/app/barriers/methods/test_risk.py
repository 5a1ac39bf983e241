"""Risk is a figure with an interval; bands and ranks follow from it."""

import pytest

from app.barriers.methods.risk import Rank, Weights, ranks, risk
from postern.vocabulary import Substance

WEIGHTS = Weights((1, 4, 16, 64), {Substance.MDMA: 3, Substance.FENTANYL: 5, Substance.LSD: 1})


def test_a_rate_is_told_for_four_weeks_with_an_interval_around_it() -> None:
    found = risk([5.0] * 12, {Substance.MDMA: 60}, WEIGHTS)
    assert found.likelihood.figure.value == pytest.approx(20)
    assert found.likelihood.figure.low < 20 < found.likelihood.figure.high
    assert found.likelihood.band == 4
    assert found.impact.band == 3
    assert found.score == 12
    assert found.expected.value == pytest.approx(60)


def test_no_report_is_a_rate_of_zero_that_may_be_more() -> None:
    found = risk([0.0] * 12, {}, WEIGHTS)
    assert found.likelihood.figure.value == found.likelihood.figure.low == 0
    assert found.likelihood.figure.high > 0.5
    assert found.likelihood.band == 1
    assert (found.impact.lowest, found.impact.highest) == (1, 5)


def test_bursts_make_a_rate_less_sure() -> None:
    even = risk([5.0] * 12, {Substance.MDMA: 60}, WEIGHTS).likelihood.figure
    bursts = risk([20.0, 0.0, 0.0, 0.0] * 3, {Substance.MDMA: 60}, WEIGHTS).likelihood.figure
    assert bursts.high - bursts.low > 1.5 * (even.high - even.low)


def test_a_substance_that_is_not_known_widens_the_impact() -> None:
    known = risk([5.0], {Substance.MDMA: 30, Substance.FENTANYL: 30}, WEIGHTS).impact
    half = risk(
        [5.0], {Substance.MDMA: 30, Substance.FENTANYL: 30, Substance.UNKNOWN: 60}, WEIGHTS
    ).impact
    assert known.figure.value == half.figure.value == pytest.approx(4)
    assert half.figure.low == pytest.approx(known.figure.low / 2 + 0.5)
    assert half.figure.high == pytest.approx(known.figure.high / 2 + 2.5)


def test_one_known_substance_says_little() -> None:
    found = risk([1.0], {Substance.FENTANYL: 1, Substance.OTHER: 3}, WEIGHTS).impact
    assert (found.band, found.lowest, found.highest) == (5, 1, 5)


def test_weights_change_the_bands_and_the_ranking() -> None:
    worse = Weights((100, 200, 300, 400), {Substance.LSD: 5})
    found = risk([5.0] * 12, {Substance.LSD: 60}, worse)
    assert (found.likelihood.band, found.impact.band) == (1, 5)


def test_ranks_tell_where_a_risk_may_stand() -> None:
    risks = {
        "large": risk([50.0] * 12, {Substance.MDMA: 600}, WEIGHTS),
        "middle": risk([5.0] * 12, {Substance.MDMA: 60}, WEIGHTS),
        "like it": risk([5.5] * 12, {Substance.MDMA: 60}, WEIGHTS),
        "small": risk([0.1] * 12, {Substance.LSD: 20}, WEIGHTS),
    }
    assert ranks(risks) == {
        "large": Rank(1, 1, 1),
        "like it": Rank(2, 2, 3),
        "middle": Rank(3, 2, 3),
        "small": Rank(4, 4, 4),
    }


def test_without_weeks_there_is_no_rate() -> None:
    with pytest.raises(ValueError, match="no week"):
        risk([], {}, WEIGHTS)

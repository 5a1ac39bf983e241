"""A barrier's effect is found where one was planted, and not where the place was falling before."""

import pytest

from app.barriers.methods.comparison import TooFewSeriesError, compared
from app.barriers.methods.effect import Verdict, alone, effect
from app.barriers.methods.series import Window
from tests.app.barriers.methods.weeks import WEEKS, changed, independent

HALF = Window(0, WEEKS // 2, WEEKS)


@pytest.mark.parametrize(
    ("factor", "verdict"),
    [(0.6, Verdict.FEWER), (1.6, Verdict.MORE), (1.0, Verdict.NOT_SHOWN)],
)
def test_what_was_planted_is_what_is_said(factor: float, verdict: Verdict) -> None:
    series = independent(21)
    series["C"] = changed(series["C"], factor, 24)
    found = effect(series, "C", HALF)
    assert found.verdict is verdict
    assert found.place.ratio.low < factor < found.place.ratio.high
    assert [each.name for each in found.others] == ["A", "B", "D", "E", "F", "G", "H"]


def test_of_many_intervals_as_many_hold_the_truth_as_are_said_to() -> None:
    held = 0
    for seed in range(40):
        series = independent(200 + seed)
        series["C"] = changed(series["C"], 0.7, 24)
        (found,) = compared(series, HALF, only="C")
        held += found.ratio.low <= 0.7 <= found.ratio.high
    assert held >= 35  # 38 are expected


def test_a_place_that_was_falling_already_shows_no_effect() -> None:
    series = independent(22)
    series["C"] = [float(round(count * 0.96**week)) for week, count in enumerate(series["C"])]
    found = effect(series, "C", HALF)
    assert found.verdict is Verdict.DRIFTING
    assert found.earlier is not None
    assert found.earlier.ratio.high < 1


def test_an_earlier_rise_does_not_hide_a_fall() -> None:
    series = independent(23, usual=60)
    series["C"] = changed(changed(series["C"], 1.5, 12), 0.4, 24)
    assert effect(series, "C", HALF).verdict is Verdict.FEWER


def test_five_places_are_enough_and_four_are_not() -> None:
    series = independent(24)
    five = {name: series[name] for name in "ABCDE"}
    assert effect(five, "A", HALF).others == []
    with pytest.raises(TooFewSeriesError):
        effect({name: series[name] for name in "ABCD"}, "A", HALF)


def test_without_a_comparison_a_step_is_told_beside_a_trend() -> None:
    falling = [float(round(60 * 0.98**week)) for week in range(WEEKS)]
    stepped = changed(falling, 0.5, 24)
    assert alone(falling, HALF).ratio.low < 1 < alone(falling, HALF).ratio.high
    found = alone(stepped, HALF)
    assert found.ratio.low < 0.5 < found.ratio.high < 0.7
    assert found.probability < 0.001


def test_what_happens_everywhere_misleads_who_does_not_compare() -> None:
    series = {name: changed(weeks, 0.6, 24) for name, weeks in independent(25).items()}
    assert alone(series["A"], HALF).probability < 0.001
    assert effect(series, "A", HALF).verdict is Verdict.NOT_SHOWN


def test_settling_weeks_do_not_count_without_a_comparison_either() -> None:
    weeks = independent(26)["A"]
    spoilt = [count if not 24 <= week < 28 else 0.0 for week, count in enumerate(weeks)]
    window = Window(0, 24, WEEKS, settling=4)
    assert alone(spoilt, window) == alone(weeks, window)

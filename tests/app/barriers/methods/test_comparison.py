"""One series against the typical one: what moves all cancels out, unrest widens the interval."""

from math import exp
from random import Random

import pytest

from app.barriers.methods.comparison import TooFewSeriesError, compared
from app.barriers.methods.series import LAGS, Window, dispersion, shift
from tests.app.barriers.methods.weeks import PLACES, WEEKS, changed, independent

HALF = Window(0, WEEKS // 2, WEEKS)


def test_a_series_that_fell_is_found_with_its_size_within_the_interval() -> None:
    series = independent(1)
    series["A"] = changed(series["A"], 0.6, HALF.first_after)
    (found,) = compared(series, HALF, only="A")
    assert found.ratio.low < 0.6 < found.ratio.high < 0.75
    assert found.probability < 0.001
    assert found.expected == pytest.approx(found.after / found.ratio.value)


def test_what_happens_everywhere_is_no_change_of_one() -> None:
    series = independent(2)
    everywhere = {name: changed(weeks, 2.0, HALF.first_after) for name, weeks in series.items()}
    (before,) = compared(series, HALF, only="A")
    (after,) = compared(everywhere, HALF, only="A")
    assert after.ratio.value == pytest.approx(before.ratio.value, rel=0.01)


def test_a_fall_of_the_largest_does_not_make_the_others_rise() -> None:
    series = independent(3)
    series["A"] = [count * 5 for count in series["A"]]
    series["A"] = changed(series["A"], 0.4, HALF.first_after)
    others = [each for each in compared(series, HALF) if each.name != "A"]
    assert [each.name for each in others] == list(PLACES[1:])
    assert all(each.ratio.low < 1 < each.ratio.high for each in others)


def test_places_that_differ_by_themselves_make_every_interval_wider() -> None:
    calm = independent(4)
    drawn = Random(5)  # noqa: S311 - made-up counts
    restless = {
        name: changed(weeks, exp(drawn.gauss(0, 0.5)), HALF.first_after)
        for name, weeks in calm.items()
    }
    (narrow,) = compared(calm, HALF, only="A")
    (wide,) = compared(restless, HALF, only="A")
    assert wide.variance > 4 * narrow.variance


def test_a_calm_series_is_never_taken_for_surer_than_independent_counts() -> None:
    flat = {name: [40.0] * WEEKS for name in PLACES}
    (found,) = compared(flat, HALF, only="A")
    sums = 24 * 40.5, 24 * 280
    assert found.variance >= sum(2 / each for each in sums) * 0.99
    assert found.ratio.value == pytest.approx(1, abs=0.001)


def test_weeks_that_go_together_count_as_fewer() -> None:
    drawn = Random(6)  # noqa: S311 - made-up counts
    alternating = [1.0, -1.0] * 20
    bursts = [sign for sign in (1.0, -1.0) for _ in range(10)] * 2
    independent_ones = [drawn.gauss(0, 1) for _ in range(40)]
    assert dispersion([bursts], 39) > 3
    assert dispersion([alternating], 39) == 1
    assert dispersion([independent_ones], 39) < 2
    assert dispersion([[2.0, 2.0, 2.0]] * 10, 30) == 4  # too short to have a memory: no lag
    assert LAGS == 4


def test_weeks_of_settling_are_left_out() -> None:
    series = independent(7)
    spoilt = [count if not 24 <= week < 28 else 9_999.0 for week, count in enumerate(series["A"])]
    rest = series["B"]
    settled = Window(0, 24, WEEKS, settling=4)
    assert shift(spoilt, rest, settled) == shift(series["A"], rest, settled)
    assert shift(spoilt, rest, HALF) != shift(series["A"], rest, HALF)


def test_the_halves_of_a_window_leave_the_change_out() -> None:
    first, second = Window(2, 20, 50, settling=4).halves()
    assert (first.start, first.first_after, first.end) == (2, 11, 20)
    assert (second.start, second.first_after, second.end) == (24, 37, 50)


def test_fewer_than_four_to_compare_with_are_refused() -> None:
    series = independent(8)
    few = {name: series[name] for name in "ABCD"}
    with pytest.raises(TooFewSeriesError):
        compared(few, HALF, only="A")
    assert compared({**few, "E": series["E"]}, HALF, only="A")


def test_a_series_with_few_counts_is_left_out() -> None:
    series = independent(9)
    series["H"] = [0.0] * (WEEKS - 5) + [1.0] * 5
    assert [each.name for each in compared(series, HALF)] == list(PLACES[:-1])
    with pytest.raises(TooFewSeriesError):
        compared(series, HALF, only="H")

"""Trends of several series at once."""

from app.barriers.methods.trend import Direction, trends
from tests.app.barriers.methods.weeks import drifting, independent


def test_a_rise_a_fall_and_neither_are_told_with_their_size() -> None:
    series = independent(31)
    rising = [count * 1.02**week for week, count in enumerate(series["A"])]
    falling = [count * 0.98**week for week, count in enumerate(series["B"])]
    found = trends({"rising": rising, "falling": falling, "flat": series["C"]})
    assert [each.direction for each in found.values()] == [
        Direction.RISING,
        Direction.FALLING,
        Direction.NOT_SHOWN,
    ]
    ratio = found["rising"].ratio
    assert ratio is not None
    assert ratio.low < 1.02**4 < ratio.high


def test_a_short_series_and_one_with_few_counts_have_no_trend() -> None:
    found = trends({"short": [40.0] * 23, "empty": [0.0] * 40, "few": [0.0] * 30 + [1.0] * 10})
    assert {each.direction for each in found.values()} == {Direction.TOO_FEW}
    assert all(each.ratio is None and each.corrected is None for each in found.values())


def test_what_goes_up_and_down_by_itself_is_seldom_taken_for_a_trend() -> None:
    shown = [
        any(each.direction is not Direction.NOT_SHOWN for each in trends(drifting(seed)).values())
        for seed in range(30)
    ]
    assert sum(shown) <= 5  # years of eight places; weeks taken as they come give ten


def test_among_many_series_one_must_stand_out_more() -> None:
    series = independent(32)
    hint = [count * 1.004**week for week, count in enumerate(series["A"])]
    (single,) = trends({"hint": hint}).values()
    many = trends({"hint": hint, **{name: series[name] for name in "BCDEFGH"}})["hint"]
    assert single.corrected is not None
    assert many.corrected is not None
    assert many.corrected > single.corrected


def test_counts_of_which_all_stand_at_the_end_do_not_break_a_trend() -> None:
    found = trends({"sudden": [0.0] * 39 + [400.0]})
    assert found["sudden"].direction in set(Direction)

"""A move needs a fall and a rise; one of them alone is not one."""

import pytest

from app.barriers.methods.comparison import TooFewSeriesError
from app.barriers.methods.displacement import Movement, displacement, merged
from app.barriers.methods.series import Window
from tests.app.barriers.methods.weeks import WEEKS, changed, independent

HALF = Window(0, WEEKS // 2, WEEKS)


def test_a_planted_move_is_found_from_where_to_where() -> None:
    series = independent(11, usual=60)
    series["A"] = changed(series["A"], 0.5, 24)
    series["B"] = changed(series["B"], 1.5, 24)
    found = displacement(series, HALF)
    assert found.movement is Movement.MOVED
    assert [each.compared.name for each in found.falls] == ["A"]
    assert [each.compared.name for each in found.rises] == ["B"]
    assert found.missing is not None
    assert found.regained is not None
    # Of 24 weeks of 60 a half is gone there and came here: about 720.
    assert found.missing.low < 720 < found.missing.high
    assert found.regained.low < found.regained.value < found.regained.high
    assert found.regained.value == pytest.approx(720, rel=0.2)


def test_a_fall_alone_is_a_fall_and_no_move() -> None:
    series = independent(12, usual=60)
    series["A"] = changed(series["A"], 0.5, 24)
    found = displacement(series, HALF)
    assert found.movement is Movement.FELL
    assert found.regained is None


def test_a_rise_alone_is_a_rise_and_no_move() -> None:
    series = independent(13, usual=60)
    series["A"] = changed(series["A"], 1.6, 24)
    found = displacement(series, HALF)
    assert found.movement is Movement.ROSE
    assert found.missing is None


def test_nothing_is_seen_where_nothing_was_planted() -> None:
    found = displacement(independent(14), HALF)
    assert found.movement is Movement.NOTHING_SEEN
    assert len(found.places) == 8
    assert (found.falls, found.rises) == ([], [])


def test_rises_too_small_to_stand_out_alone_stand_out_together() -> None:
    series = independent(15)
    series["A"] = changed(series["A"], 0.5, 24)
    for name in "BCD":
        series[name] = changed(series[name], 1.22, 24)
    alone = displacement(series, HALF)
    together = displacement(series, HALF, together={"neighbours": ("B", "C", "D")})
    assert alone.movement is Movement.FELL
    assert together.movement is Movement.MOVED
    assert [each.compared.name for each in together.rises] == ["neighbours"]


def test_places_together_are_added_up_week_by_week() -> None:
    found = merged({"A": [1, 2], "B": [3, 4], "C": [5, 6]}, {"both": ("A", "C")})
    assert found == {"B": [3, 4], "both": [6, 8]}


def test_one_country_alone_says_nothing_of_a_move() -> None:
    # NL customs, postal items with drugs: 16,500 in 2023 and 13,700 in 2024 (domain facts, 1.3).
    dutch = {"NL": [16_500 / 52] * 52 + [13_700 / 52] * 52}
    with pytest.raises(TooFewSeriesError):
        displacement(dutch, Window(0, 52, 104))

"""What the methods say of what is told, and that they need no more than that."""

from collections.abc import Mapping
from datetime import date, timedelta
from random import Random

from app.barriers.analysing import Asked, Registered, analysed
from app.barriers.board import shipped_weights
from app.barriers.methods.changes import Rival, Setting
from app.barriers.methods.disclosure_control import Figure, first_day
from app.barriers.methods.displacement import Movement
from app.barriers.methods.effect import Verdict
from app.barriers.methods.trend import Direction
from app.barriers.visible_counts import CellName, Kind

PERIODS = range(20, 33)
ORIGINS = ("NL", "BE", "DE", "FR", "ES", "PL", "LU")
CHANGED = first_day(26 * 4)
ASKED = Asked(PERIODS, shipped_weights(), CHANGED)


def test_a_fall_here_and_a_rise_there_is_told_as_a_move() -> None:
    cells = _year({"NL": 0.5, "BE": 1.9})
    found = analysed(cells.get, cells, ASKED).displacement
    assert found is not None
    assert found.movement is Movement.MOVED
    assert [each.compared.name for each in found.falls] == ["NL"]
    assert [each.compared.name for each in found.rises] == ["BE"]


def test_a_quiet_year_has_no_move() -> None:
    cells = _year({})
    found = analysed(cells.get, cells, ASKED).displacement
    assert found is not None
    assert found.movement is Movement.NOTHING_SEEN


def test_an_effective_barrier_is_told_with_what_else_changed() -> None:
    cells = _year({"ES": 0.4})
    ours = _barrier("ours", "ES", CHANGED)
    other = _barrier("other", "ES", CHANGED + timedelta(days=40))
    beside = [each.setting for each in (ours, other)]
    asked = Asked(PERIODS, shipped_weights(), None, [ours, other], {"2": CHANGED}, beside=beside)
    first, second = analysed(cells.get, cells, asked).effects
    assert first.barrier == "ours"
    assert first.effect is not None
    assert first.effect.verdict is Verdict.FEWER
    assert {each.rival for each in first.changes} == {Rival.OTHER_BARRIER, Rival.MODEL_CHANGED}
    assert second.effect is None or second.effect.verdict is not Verdict.MORE


def test_a_barrier_at_a_point_is_compared_with_other_points() -> None:
    cells = {
        CellName(Kind.POINT, name.period, 0, (name.words[0], "bpost", "1")): figure
        for name, figure in _year({"FR": 0.4}).items()
        if name.kind is Kind.ORIGIN
    }
    cells |= {CellName(Kind.TOTAL, period): Figure(500) for period in PERIODS}
    point = ("FR", "bpost", "1")
    setting = Setting("ours", CHANGED, None, 5, "FR bpost 1")
    asked = Asked(PERIODS, shipped_weights(), None, [Registered(setting, "FR", point)])
    (found,) = analysed(cells.get, cells, asked).effects
    assert found.effect is not None
    assert found.effect.verdict is Verdict.FEWER


def test_a_barrier_of_last_week_is_not_judged() -> None:
    cells = _year({"ES": 0.4})
    late = first_day(32 * 4)
    asked = Asked(PERIODS, shipped_weights(), None, [_barrier("ours", "ES", late)])
    (found,) = analysed(cells.get, cells, asked).effects
    assert found.effect is None
    assert not found.changes


def test_only_periods_after_the_last_gap_are_compared() -> None:
    cells = _year({})
    del cells[CellName(Kind.TOTAL, 24)]
    assert list(analysed(cells.get, cells, ASKED).periods) == list(range(25, 33))


def test_nothing_is_said_where_nothing_is_told() -> None:
    found = analysed({}.get, (), ASKED)
    assert not found.periods
    assert not found.steps
    assert found.displacement is None


def test_a_step_with_a_count_that_is_not_told_is_left_out() -> None:
    cells = _year({})
    del cells[CellName(Kind.STEP, 30, 4)]
    assert set(analysed(cells.get, cells, ASKED).steps) == {3}


def test_risk_counts_what_is_not_told_of_substances_as_not_known() -> None:
    cells = _year({})
    whole = analysed(cells.get, cells, ASKED).steps[3].risk
    part = {name: each for name, each in cells.items() if name.kind is not Kind.STEP_SUBSTANCE}
    without = analysed(part.get, part, ASKED).steps[3].risk
    assert whole.likelihood == without.likelihood
    assert (without.impact.figure.low, without.impact.figure.high) == (1, 5)
    assert whole.impact.figure.high < without.impact.figure.high


def test_a_rate_is_of_four_weeks_and_a_rise_is_told() -> None:
    cells = _year({})
    cells |= {CellName(Kind.STEP, p, 4): Figure(20 + 12 * n) for n, p in enumerate(PERIODS)}
    found = analysed(cells.get, cells, ASKED).steps
    assert found[4].trend.direction is Direction.RISING
    assert found[4].risk.likelihood.figure.value == 20 + 12 * 6
    assert found[3].trend.direction is Direction.NOT_SHOWN


def _barrier(key: str, country: str, began: date) -> Registered:
    return Registered(Setting(key, began, None, 5, country), country, None)


def _year(after: Mapping[str, float]) -> dict[CellName, Figure]:
    """Counts of a year; `after` multiplies an origin's from the middle on."""
    drawn = Random(8)  # noqa: S311 - made-up counts
    cells: dict[CellName, Figure] = {}
    for place, period in enumerate(PERIODS):
        total = 0
        for size, origin in enumerate(ORIGINS, 3):
            mean = 10 * size * (after.get(origin, 1.0) if place >= 6 else 1.0)
            weeks = [round(drawn.gauss(mean, mean**0.5)) for _ in range(4)]
            for week, count in enumerate(weeks):
                name = CellName(Kind.ORIGIN_WEEK, period * 4 + week, 0, (origin,))
                cells[name] = Figure(count)
            cells[CellName(Kind.ORIGIN, period, 0, (origin,))] = Figure(sum(weeks))
            total += sum(weeks)
        cells[CellName(Kind.TOTAL, period)] = Figure(total)
        for step in (3, 4):
            count = round(drawn.gauss(400, 20))
            cells[CellName(Kind.STEP, period, step)] = Figure(count)
            name = CellName(Kind.STEP_SUBSTANCE, period, step, ("mdma",))
            cells[name] = Figure(count - 5)
    return cells

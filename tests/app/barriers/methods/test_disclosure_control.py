"""Counts of others are told so that neither a small number nor a competitor's can be had."""

from datetime import date
from random import Random

import pytest

from app.barriers.methods.disclosure_control import (
    ERROR,
    Cell,
    Figure,
    Grain,
    Part,
    Table,
    closed_week,
    computable,
    figure,
    finest,
    first_day,
    period_of,
    told,
    week_of,
    whole_of,
)
from app.barriers.methods.noise import KEY_BITS, VARIANCE, WIDEST, noise
from app.small_counts import LEAST


def cell(drawn: Random, **counts: int) -> Cell:
    return {owner: Part(count, drawn.getrandbits(KEY_BITS)) for owner, count in counts.items()}


@pytest.fixture
def drawn() -> Random:
    return Random(51)  # noqa: S311 - reproducible keys


def joined(*cells: Cell) -> Cell:
    found: dict[str, Part] = {}
    for each in cells:
        for owner, part in each.items():
            found[owner] = found[owner].plus(part) if owner in found else part
    return found


def test_a_large_count_is_told_with_the_noise_of_its_set_and_its_error(drawn: Random) -> None:
    both = cell(drawn, post=60, courier=40)
    keys = sum(part.keys for part in both.values())
    assert figure(both) == Figure(100 + noise(keys), ERROR)
    assert pytest.approx(1.96 * VARIANCE**0.5, rel=0.001) == ERROR


@pytest.mark.parametrize("count", range(LEAST))
def test_a_small_count_is_never_told_whatever_its_noise(count: int) -> None:
    assert {figure({"post": Part(count, keys)}) for keys in range(200)} == {None}


def test_a_count_that_noise_makes_small_is_not_told_and_none_below_the_least_is() -> None:
    shown = [figure({"post": Part(7, keys)}) for keys in range(400)]
    assert None in shown
    assert min(each.count for each in shown if each is not None) == LEAST


def test_a_total_is_not_the_sum_of_its_parts(drawn: Random) -> None:
    differences = set()
    for _ in range(50):
        parts = [cell(drawn, post=30, courier=30) for _ in range(3)]
        figures = [figure(each) for each in parts]
        total = figure(joined(*parts))
        assert total is not None
        differences.add(total.count - sum(each.count for each in figures if each is not None))
    assert len(differences) > 5
    assert max(abs(each) for each in differences) <= 4 * WIDEST


@pytest.mark.parametrize(
    ("counts", "is_told"),
    [
        ({"post": 100}, False),  # one other alone
        ({"post": 100, "courier": 0}, False),
        ({"post": 100, "courier": 19}, False),  # one dominates
        ({"post": 100, "courier": 20}, True),
        ({"post": 100, "courier": 10, "express": 10}, True),
    ],
)
def test_a_competitor_is_not_told_what_is_one_others_number(
    counts: dict[str, int], is_told: bool, drawn: Random
) -> None:
    cells = {"cell": cell(drawn, **counts)}
    assert (told(cells, (), competes=True)["cell"] is not None) is is_told
    assert told(cells, (), competes=False)["cell"] is not None


def test_what_is_not_told_to_a_competitor_cannot_be_subtracted_from_a_total(drawn: Random) -> None:
    parts = {
        "NL": cell(drawn, post=300),
        "BE": cell(drawn, post=40, courier=60),
        "DE": cell(drawn, post=200, courier=300),
    }
    cells = {**parts, "all": joined(*parts.values())}
    shown = told(cells, [Table("all", tuple(parts))], competes=True)
    assert shown["NL"] is None
    assert shown["BE"] is None  # the smallest goes with it: 400 together are still post's
    assert shown["all"] is not None
    open_to_police = told(cells, [Table("all", tuple(parts))], competes=False)
    assert None not in open_to_police.values()


def test_without_a_total_nothing_else_has_to_go(drawn: Random) -> None:
    cells = {"NL": cell(drawn, post=300), "BE": cell(drawn, post=40, courier=60)}
    shown = told(cells, (), competes=True)
    assert (shown["NL"], shown["BE"]) == (None, figure(cells["BE"]))


def test_a_small_betrayal_is_left_to_the_noise(drawn: Random) -> None:
    parts = {"NL": cell(drawn, post=8), "BE": cell(drawn, post=40, courier=60)}
    cells = {**parts, "all": joined(*parts.values())}
    shown = told(cells, [Table("all", tuple(parts))], competes=True)
    assert shown["NL"] is None
    assert shown["BE"] is not None
    assert shown["all"] is not None


def test_what_goes_for_the_sake_of_another_cannot_be_had_from_another_table(drawn: Random) -> None:
    # Steps by countries: with all margins told, one hidden cell takes three others with it.
    inner = {
        ("3", "NL"): cell(drawn, post=300),
        ("3", "BE"): cell(drawn, post=50, courier=70),
        ("5", "NL"): cell(drawn, post=60, courier=80),
        ("5", "BE"): cell(drawn, post=90, courier=90),
    }
    cells = {
        **inner,
        ("3", ""): joined(inner["3", "NL"], inner["3", "BE"], {"courier": Part(200, 7)}),
        ("5", ""): joined(inner["5", "NL"], inner["5", "BE"]),
        ("", "NL"): joined(inner["3", "NL"], inner["5", "NL"]),
        ("", "BE"): joined(inner["3", "BE"], inner["5", "BE"]),
    }
    tables = [
        Table(("3", ""), (("3", "NL"), ("3", "BE"))),
        Table(("5", ""), (("5", "NL"), ("5", "BE"))),
        Table(("", "NL"), (("3", "NL"), ("5", "NL"))),
        Table(("", "BE"), (("3", "BE"), ("5", "BE"))),
    ]
    shown = told(cells, tables, competes=True)
    assert {key for key in inner if shown[key] is None} == set(inner)
    for table in tables:
        gone = [key for key in table.parts if shown[key] is None]
        assert shown[table.total] is None or len(gone) != 1


def test_a_total_that_is_hidden_cannot_be_added_up_from_its_parts(drawn: Random) -> None:
    parts = {"a": cell(drawn, post=40, courier=40), "b": cell(drawn, post=45, courier=45)}
    total = joined(*parts.values())
    above = {"other": cell(drawn, post=900)}
    cells = {**parts, "both": total, **above, "all": joined(total, *above.values())}
    shown = told(cells, [Table("both", ("a", "b")), Table("all", ("both", "other"))], competes=True)
    assert shown["other"] is None
    hidden = {key for key, each in shown.items() if each is None}
    assert "both" not in hidden or hidden & {"a", "b"}
    assert "all" in hidden or "both" in hidden


def test_what_two_tables_together_give_away_is_computable() -> None:
    tables = [Table("ab", ("a", "b")), Table("bc", ("b", "c")), Table("ac", ("a", "c"))]
    assert computable(tables, {"a", "b", "c"}) == {"a", "b", "c"}  # half of ab + ac - bc is a
    assert computable(tables[:2], {"a", "b", "c"}) == set()
    assert computable(tables[:1], {"a"}) == {"a"}
    assert computable(tables[:1], {"ab"}) == {"ab"}
    assert computable(tables, set()) == set()


def test_weeks_lie_within_fours_and_fours_within_years() -> None:
    for week in range(300):
        assert period_of(week, Grain.FOUR_WEEKS) == period_of(week, Grain.WEEK) // 4
        assert period_of(week, Grain.YEAR) == period_of(week, Grain.FOUR_WEEKS) // 13


def test_the_running_week_is_not_counted() -> None:
    monday = first_day(100)
    assert monday.weekday() == 0
    assert week_of(monday) == 100
    assert closed_week(monday) == 99
    assert closed_week(date.fromordinal(monday.toordinal() + 6)) == 99
    assert closed_week(date.fromordinal(monday.toordinal() + 7)) == 100


def test_methods_get_the_shortest_periods_in_which_every_count_is_told() -> None:
    weekly = {"NL": [Figure(9), Figure(8)], "LU": [Figure(6), None]}
    by_fours = {"NL": [Figure(40)], "LU": [Figure(20)]}
    assert finest({Grain.WEEK: weekly, Grain.FOUR_WEEKS: by_fours}) == (
        Grain.FOUR_WEEKS,
        {"NL": [40.0], "LU": [20.0]},
    )
    assert finest({Grain.WEEK: {"NL": weekly["NL"]}, Grain.FOUR_WEEKS: by_fours})[0] is Grain.WEEK


def test_a_series_that_is_not_told_in_the_longest_periods_is_left_out() -> None:
    assert finest({Grain.WEEK: {"NL": [Figure(9)], "LU": [None]}}) == (Grain.WEEK, {"NL": [9.0]})
    with pytest.raises(ValueError, match="no length of time"):
        finest({})


def test_contributions_add_up_with_their_keys() -> None:
    whole = whole_of([{"post": Part(3, 2**KEY_BITS - 1)}, {"post": Part(4, 2), "x": Part(1, 5)}])
    assert whole == Part(8, 6)

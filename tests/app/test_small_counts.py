"""Small counts are hidden, and no arithmetic with what is told brings one back."""

from collections.abc import Iterator
from dataclasses import fields

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.small_counts import LEAST, Counts, Row, Table, sum_of, told, wilson
from tests.deeper import examples

COLUMNS = ("asked", "located", "held", "examined", "found", "not_found", "error")
CHAIN = COLUMNS[1:]  # `asked` stands in no relation to them but that of the sum
Case = tuple[int, ...]


@st.composite
def counts(draw: st.DrawFn, least: int = 0, most: int = 9) -> Counts:
    """Outcomes as they are accepted; the ends of each range come often."""

    def up_to(count: int) -> int:
        return draw(st.one_of(st.sampled_from([0, count]), st.integers(0, count)))

    all_ = draw(st.integers(least, most))
    located = up_to(all_)
    examined = up_to(located)
    found = up_to(examined)
    not_found = up_to(all_ - found)
    return Counts(
        told=all_,
        asked=up_to(all_),
        located=located,
        held=up_to(located),
        examined=examined,
        found=found,
        not_found=not_found,
        error=up_to(all_ - found - not_found),
    )


def fitting(row: Row[str]) -> Iterator[Case]:
    """Every way in which the row may be, to somebody who knows the rules of outcomes."""

    def may(column: str, most: int) -> Iterator[int]:
        cell = getattr(row, column)
        yield from range(most + 1) if cell is None else [cell] if cell <= most else []

    for located in may("located", row.told):
        for examined in may("examined", located):
            for found in may("found", examined):
                for not_found in may("not_found", row.told - found):
                    for error in may("error", row.told - found - not_found):
                        for held in may("held", located):
                            yield located, held, examined, found, not_found, error


def derived(case: Case, all_: int) -> dict[str, int]:
    """What can be counted of a row by sums and differences of its columns."""
    located, held, examined, found, not_found, error = case
    return {
        **dict(zip(CHAIN, case, strict=True)),
        "pending": all_ - found - not_found - error,
        "not located": all_ - located,
        "not held": all_ - held,
        "not examined": all_ - examined,
        "nothing found": all_ - found,
        "located, not held": located - held,
        "located, not examined": located - examined,
        "located, nothing found": located - found,
        "examined, nothing found": examined - found,
    }


def known(table: Table[str], place: int) -> dict[str, set[int]]:
    """What the row at `place` of two may be, from all that is told of both."""
    own, other = table.rows[place], table.rows[1 - place]
    assert table.total
    told_sums = [name for name in CHAIN if getattr(table.total, name) is not None]
    places = [CHAIN.index(name) for name in told_sums]
    sums = [getattr(table.total, name) for name in told_sums]
    others = {tuple(case[at] for at in places) for case in fitting(other)}
    found: dict[str, set[int]] = {}
    for case in fitting(own):
        rest = tuple(total - case[at] for at, total in zip(places, sums, strict=True))
        if rest in others:
            for name, count in derived(case, own.told).items():
                found.setdefault(name, set()).add(count)
    return found


@example(
    Counts(9, 0, 9, 9, 9, 5, 4, 0), Counts(11, 0, 5, 5, 5, 0, 11, 0)
)  # the second finds nothing, as all of it is `not found`
@example(Counts(6, 0, 5, 5, 5, 5, 1, 0), Counts(7, 0, 7, 7, 0, 0, 7, 0))
@given(counts(least=LEAST), counts(least=LEAST))
@examples(40)
def test_no_small_count_can_be_computed_from_what_is_told(one: Counts, two: Counts) -> None:
    table = told({"one": one, "two": two})
    assert [row.key for row in table.rows] == ["one", "two"]
    for place, counted in enumerate((one, two)):
        case = tuple(getattr(counted, name) for name in CHAIN)
        may_be = known(table, place)
        for name, count in derived(case, counted.told).items():
            assert count in may_be[name]
            if 0 < count < LEAST:
                assert len(may_be[name]) > 1, name


@given(st.dictionaries(st.integers(0, 50), counts(most=40), max_size=6))
@examples(200)
def test_what_is_told_is_true_and_large(counted: dict[int, Counts]) -> None:
    table = told(counted)
    whole = sum_of(counted.values())
    if whole.told < LEAST:
        assert table == Table((), None)
        return
    assert table.total
    assert table.total.told == whole.told == sum(row.told for row in table.rows)
    for row in (*table.rows, table.total):
        assert row.told >= LEAST
        for name in COLUMNS:
            cell = getattr(row, name)
            assert cell is None or cell >= LEAST
    for row in table.rows:
        if row.key is not None:
            real = counted[row.key]
            assert all(
                getattr(row, name) in {None, getattr(real, name)} for name in ("told", *COLUMNS)
            )
    for name in COLUMNS:
        assert getattr(table.total, name) in {None, getattr(whole, name)}
    # Every small row is in the one of all others.
    small = sum(each.told for each in counted.values() if each.told < LEAST)
    others = [row for row in table.rows if row.key is None]
    assert (len(others), small > 0) in {(0, False), (1, True)}
    assert all(row.told >= small for row in others)


def test_large_counts_are_told_with_their_interval() -> None:
    one = Counts(60, 60, 50, 20, 40, 30, 20, 5)
    two = Counts(60, 30, 50, 0, 30, 20, 30, 10)
    table = told({"one": one, "two": two})
    assert table.rows[0] == Row("one", 60, 60, 50, 20, 40, 30, 20, 5)
    assert table.rows[1] == Row("two", 60, 30, 50, None, 30, 20, 30, 10)
    assert table.total == Row(None, 120, 90, 100, 20, 70, 50, 50, 15)
    assert table.rows[0].precision == wilson(30, 40)
    assert Row("x", 9, None, None, None, 9, None, None, None).precision is None


def test_few_rows_are_told_together() -> None:
    few = {name: Counts(told=3, asked=3) for name in ("a", "b")}
    assert [(row.key, row.told, row.asked) for row in told(few).rows] == [(None, 6, 6)]
    with_one = {"a": Counts(told=3), "big": Counts(told=20), "middle": Counts(told=7)}
    assert [(row.key, row.told) for row in told(with_one).rows] == [("big", 20), (None, 10)]
    assert told({"a": Counts(told=4), "none": Counts()}) == Table((), None)
    assert told({"a": Counts(told=4), "b": Counts(told=5)}).rows[0].key is None


def test_a_row_that_hides_one_result_tells_only_what_was_found() -> None:
    row = told({"a": Counts(30, 0, 30, 0, 30, 20, 8, 2)}).rows[0]
    assert (row.found, row.not_found, row.error) == (20, None, None)
    row = told({"a": Counts(30, 0, 30, 0, 22, 20, 10, 0)}).rows[0]
    assert (row.examined, row.found, row.not_found) == (22, None, None)
    row = told({"a": Counts(20, 0, 20, 0, 20, 0, 20, 0)}).rows[0]
    assert (row.found, row.not_found, row.error) == (None, 20, None)


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [
        (15, 20, 0.5313, 0.8881),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (5, 50, 0.0435, 0.2136),
    ],
)
def test_wilson_s_interval_is_that_of_the_tables(
    hits: int, trials: int, low: float, high: float
) -> None:
    found = wilson(hits, trials)
    assert found.share == hits / trials
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_counts_add_up() -> None:
    one = Counts(*range(1, 9))
    both = sum_of([one, one])
    assert [getattr(both, each.name) for each in fields(Counts)] == [2 * n for n in range(1, 9)]
    assert Counts(10, 0, 0, 0, 0, 3, 2, 1).pending == 4

"""Figures of patterns as outcomes come in: no two tables differ by a count of one to four."""

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from app.patterns.counting import Examined
from app.patterns.settling import Settled, settled, table
from app.small_counts import LEAST, Row

_PARTS = st.tuples(*(st.integers(0, most) for most in (7, 7, 3)))


def examined(found: int, not_found: int, wrong: int = 0) -> Examined:
    return Examined(found + not_found + wrong, found, not_found, wrong)


def cells(row: Row[int]) -> dict[str, int]:
    """What is told of a row, and what follows from it."""
    shown = {
        name: count
        for name in ("examined", "found", "not_found", "error")
        if (count := getattr(row, name)) is not None
    }
    for wider, narrower in combinations(("examined", "found", "not_found", "error"), 2):
        if wider in shown and narrower in shown:
            shown[f"{wider}-{narrower}"] = shown[wider] - shown[narrower]
    if {"examined", "found", "not_found"} <= shown.keys():
        shown["rest"] = shown["examined"] - shown["found"] - shown["not_found"]
    return shown


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 2), _PARTS), max_size=14))
def test_no_two_tables_differ_by_a_small_count(told: list[tuple[int, tuple[int, ...]]]) -> None:
    seen: dict[int | None, list[dict[str, int]]] = {}
    for length in range(len(told) + 1):
        steps: dict[int, list[Examined]] = {1: [], 2: []}
        for key, parts in told[:length]:
            steps[key].append(examined(*parts))
        made = table(steps)
        for row in (*made.rows, *([made.total] if made.total else [])):
            seen.setdefault(row.key, []).append(cells(row))
    for of_row in seen.values():
        for before, after in combinations(of_row, 2):
            for name in before.keys() & after.keys() - _OF_TWO_PARTS:
                grown = after[name] - before[name]
                assert grown == 0 or abs(grown) >= LEAST, (name, before, after)


_OF_TWO_PARTS = {"found-not_found", "found-error", "not_found-error"}  # differences of no set


def test_what_one_told_waits_for_others() -> None:
    nine, four = examined(9, 0), examined(4, 0)
    assert settled([nine]) == Settled(nine, has_parts=True)
    assert settled([nine, four]) == Settled(nine, has_parts=True)
    later = [nine, four, examined(2, 5)]
    assert settled(later) == Settled(Examined(20, 15, 5, 0), has_parts=True)
    assert settled([*later, examined(5, 4)]).counts == Examined(20, 15, 5, 0)
    # What was not found, and what was wrong, waits longer than their sum.
    more = [examined(5, 5, 5), examined(0, 3, 2)]
    assert settled(more) == Settled(Examined(20, 5, 8, 7), has_parts=False)
    assert settled([*more, examined(0, 2, 3)]) == Settled(Examined(25, 5, 10, 10), has_parts=True)
    (row,) = table({1: more}).rows
    assert (row.examined, row.found, row.not_found, row.error) == (20, 5, None, None)


def test_small_versions_are_left_out_and_sums_hide_what_a_row_hides() -> None:
    made = table({3: [examined(2, 2)], 2: [examined(0, 9), examined(3, 5)], 1: [examined(9, 9)]})
    assert [(row.key, row.examined, row.found) for row in made.rows] == [
        (2, 17, None),
        (1, 18, 9),
    ]
    assert made.total is not None
    assert (made.total.examined, made.total.found) == (35, None)
    assert table({1: [examined(2, 2)]}).total is None

"""Two versions side by side: lines aligned, rules told apart by what became of them."""

import pytest

from app.sharing.policy_text import Policy
from app.sharing.side_by_side import RowKind, rows, rules

ADDED, CHANGED, REMOVED, SAME, SKIPPED = (
    RowKind.ADDED,
    RowKind.CHANGED,
    RowKind.REMOVED,
    RowKind.SAME,
    RowKind.SKIPPED,
)


def rule(id_: str, effect: str = "permit", label: str = "Police see it") -> Policy:
    return Policy(id_, label, 1, {"effect": effect, "annotations": {"label": label}})


def test_a_line_stands_beside_the_one_that_replaced_it() -> None:
    found = rows("one\ntwo\nthree\n", "one\n2\nthree\nfour\n")
    assert [(row.kind, row.before, row.after) for row in found] == [
        (SAME, "one", "one"),
        (CHANGED, "two", "2"),
        (SAME, "three", "three"),
        (ADDED, None, "four"),
    ]
    assert [(row.number_before, row.number_after) for row in found][-1] == (None, 4)


def test_what_is_gone_has_nothing_beside_it() -> None:
    (first, *_) = rows("gone\nkept\n", "kept\n")
    assert (first.kind, first.before, first.after) == (REMOVED, "gone", None)


def test_texts_of_equal_lines_have_no_row() -> None:
    assert rows("one\r\ntwo", "one\ntwo\n") == []


@pytest.mark.parametrize("changed", [0, 50, 99])
def test_far_lines_are_left_out_where_they_are(changed: int) -> None:
    lines = [str(number) for number in range(100)]
    other = [*lines[:changed], "new", *lines[changed + 1 :]]
    found = rows("\n".join(lines), "\n".join(other))
    assert [row.kind for row in found].count(CHANGED) == 1
    skipped = [place for place, row in enumerate(found) if row.kind is SKIPPED]
    expected = {0: [len(found) - 1], 50: [0, len(found) - 1], 99: [0]}
    assert skipped == expected[changed]


def test_rules_are_told_by_what_became_of_them() -> None:
    before = [rule("a/1"), rule("a/2"), rule("a/3")]
    after = [rule("a/4"), rule("a/2"), rule("a/3", "forbid", "Nobody sees it")]
    found = rules(before, after)
    assert [(one.id, one.kind) for one in found] == [
        ("a/4", ADDED),
        ("a/2", SAME),
        ("a/3", CHANGED),
        ("a/1", REMOVED),
    ]
    assert [one.permits for one in found] == [True, True, False, True]
    assert found[2].label == "Nobody sees it"
    assert found[3].label == "Police see it"

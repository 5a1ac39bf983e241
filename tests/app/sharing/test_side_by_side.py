"""Two versions side by side: lines aligned, rules told apart by what became of them."""

import pytest

from app.sharing.policy_text import Policy
from app.sharing.side_by_side import Row, RowKind, RuleChange, rows, rules

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
    numbers = [(row.number_before, row.number_after) for row in found]
    assert numbers == [(1, 1), (2, 2), (3, 3), (None, 4)]


def test_what_is_gone_has_nothing_beside_it() -> None:
    (first, *_) = rows("gone\nkept\n", "kept\n")
    assert (first.kind, first.before, first.after) == (REMOVED, "gone", None)
    assert (first.number_before, first.number_after) == (1, None)


def test_texts_of_equal_lines_have_no_row() -> None:
    assert rows("one\r\ntwo", "one\ntwo\n") == []


@pytest.mark.parametrize("changed", [0, 4, 50, 99])
def test_far_lines_are_left_out_where_they_are(changed: int) -> None:
    lines = [str(number) for number in range(100)]
    other = [*lines[:changed], "new", *lines[changed + 1 :]]
    found = rows("\n".join(lines), "\n".join(other))
    assert [row.kind for row in found].count(CHANGED) == 1
    skipped = [place for place, row in enumerate(found) if row.kind is SKIPPED]
    both = [0, len(found) - 1]
    expected = {0: both[1:], 4: both, 50: both, 99: both[:1]}
    assert skipped == expected[changed]
    assert {found[place] for place in skipped} == {Row(SKIPPED, None, None, None, None)}
    around = [row.kind for row in found].count(SAME)
    assert around == (3 if changed in {0, 99} else 6)


def test_lines_that_come_often_are_aligned_too() -> None:
    old = "the same\n" * 250
    new = "the same\n" * 125 + "new\n" + "the same\n" * 125
    assert [row.kind for row in rows(old, new)] == [
        SKIPPED,
        *[SAME] * 3,
        ADDED,
        *[SAME] * 3,
        SKIPPED,
    ]


def test_a_page_finds_what_became_of_a_line_by_these_words() -> None:
    words = ["changed", "added", "removed", "same", "skipped"]
    assert [kind.value for kind in RowKind] == words


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
    assert [(one.before, one.after) for one in found] == [
        (None, after[0]),
        (before[1], after[1]),
        (before[2], after[2]),
        (before[0], None),
    ]


def test_the_same_said_in_another_order_is_the_same() -> None:
    one, other = rule("a/1"), rule("a/1")
    other = Policy(other.id, other.label, 1, dict(reversed(other.tree.items())))
    assert [each.kind for each in rules([one], [other])] == [SAME]


def test_of_no_rule_nothing_is_told() -> None:
    nothing = RuleChange(SAME, "a/1", None, None)
    assert (nothing.label, nothing.permits) == ("", False)

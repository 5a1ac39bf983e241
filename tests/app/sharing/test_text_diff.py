from app.sharing.text_diff import LineKind, differences


def test_lines_that_came_and_went_are_told_apart() -> None:
    found = differences("one\ntwo\nthree\n", "one\n2\nthree\n")
    assert [(line.kind, line.text) for line in found] == [
        (LineKind.SAME, "one"),
        (LineKind.REMOVED, "two"),
        (LineKind.ADDED, "2"),
        (LineKind.SAME, "three"),
    ]


def test_texts_of_equal_lines_have_no_differences() -> None:
    assert differences("one\ntwo", "one\r\ntwo\n") == []


def test_what_looks_like_a_heading_of_a_comparison_stays_a_line() -> None:
    found = differences("", "++ plus\n@@ at\n-- minus")
    assert [line.text for line in found if line.kind is LineKind.ADDED] == [
        "++ plus",
        "@@ at",
        "-- minus",
    ]


def test_far_lines_that_are_the_same_are_left_out() -> None:
    text = "\n".join(str(number) for number in range(100))
    found = differences(text, text.replace("50", "fifty"))
    assert [line.kind for line in found].count(LineKind.SAME) == 6
    assert (found[0].kind, found[0].text) == (LineKind.SKIPPED, "")


def test_pages_and_clients_know_the_kinds_by_these_words() -> None:
    assert [kind.value for kind in LineKind] == ["added", "removed", "same", "skipped"]

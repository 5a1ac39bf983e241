"""What people write in YAML is read as text with places, within the limits that are given."""

import pytest

from postern.yaml_documents import Entries, Limits, Notes, Refusal, Scalar, SourceError, documents

LIMITS = Limits(
    file=60,
    document=30,
    documents=2,
    nodes=5,
    long_file=Refusal("file", "a"),
    long_document=Refusal("document", "b"),
    many_documents=Refusal("documents", "c"),
    many_nodes=Refusal("nodes", "d"),
)


@pytest.mark.parametrize(
    ("text", "line", "reason", "remedy"),
    [
        ("x" * 61, 1, "file", "a"),
        (f"a: {'x' * 30}\n", 2, "document", "b"),
        ("--- a\n--- b\n--- c\n", 3, "documents", "c"),
        ("- a\n- b\n- c\n- d\n- e\n", 5, "nodes", "d"),
    ],
)
def test_what_is_larger_than_its_limit_is_refused_in_the_words_that_were_given(
    text: str, line: int, reason: str, remedy: str
) -> None:
    with pytest.raises(SourceError) as caught:
        documents(text, LIMITS)
    fault = caught.value.fault
    assert (fault.line, fault.reason, fault.remedy) == (line, reason, remedy)


def test_what_is_as_large_as_its_limit_is_read() -> None:
    assert len(documents("--- a\n--- b\n", LIMITS)) == 2
    assert len(documents("- a\n- b\n- c\n- d\n", LIMITS)) == 1
    (node,) = documents(f"a: {'x' * 27}", LIMITS)
    assert isinstance(node, Entries)


def test_no_and_numbers_stay_the_text_that_was_written() -> None:
    (node,) = documents("{a: NO, b: 010121}", LIMITS)
    assert isinstance(node, Entries)
    values = [value for _, value in node.pairs]
    assert [each.text for each in values if isinstance(each, Scalar)] == ["NO", "010121"]


def test_a_note_stands_at_the_place_of_its_node() -> None:
    (node,) = documents("a: x\nb: y\n", LIMITS)
    assert isinstance(node, Entries)
    notes = Notes()
    notes.only(node, ("a", "bb"))
    assert [str(each) for each in notes.faults] == [
        "line 2, column 1: The key 'b' is not known. Did you mean bb?"
    ]

"""The formatter: one way to write, no change of meaning, no comment lost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postern.patterns import PatternError, formatted, read_rules
from postern.patterns.source import LIMITS
from postern.yaml_documents.source import Entries, Items, Node, Scalar, documents
from tests.postern.patterns.examples import DOCUMENT


def plain(node: Node) -> object:
    """A node without its places; texts of it without space around them."""
    if isinstance(node, Scalar):
        return node.text.strip()
    if isinstance(node, Items):
        return [plain(each) for each in node.items]
    assert isinstance(node, Entries)
    return {key.text: plain(each) for key, each in node.pairs}


def test_a_rule_keeps_its_meaning() -> None:
    before, after = read_rules(DOCUMENT), read_rules(formatted(DOCUMENT))
    assert [(each.selections, each.condition, each.aggregate) for each in before] == [
        (each.selections, each.condition, each.aggregate) for each in after
    ]


def test_keys_stand_in_the_order_of_the_format_and_the_condition_last() -> None:
    text = "level: low\nid: x\ndetection: {condition: a, a: {b: c}}\n"
    assert formatted(text) == "id: x\nlevel: low\ndetection:\n  a: {b: c}\n  condition: a\n"


def test_comments_stay() -> None:
    text = "# first\nid: x # why\nlist:\n  # inside\n  - a\n  - b # that\n# last\n"
    written = formatted(text)
    assert [line.strip() for line in written.splitlines() if "#" in line] == [
        *("# first", "# why", "# inside", "# that", "# last"),
    ]
    assert formatted(written) == written


def test_what_yaml_would_read_as_another_type_is_quoted() -> None:
    assert formatted("a: [NO, 010121, 5, yes it is]") == "a: ['NO', '010121', 5, yes it is]\n"


def test_several_documents_stay_apart() -> None:
    assert formatted("a: b\n---\na: c\n") == "a: b\n---\na: c\n"


def test_what_is_no_yaml_is_refused_with_its_place() -> None:
    with pytest.raises(PatternError, match="line 1, column"):
        formatted("a: {")


TEXTS = st.text(
    st.characters(
        codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029\ufeff"
    ),
    max_size=130,
)
KEYS = st.text("abcdefgh_|", min_size=1, max_size=8)
NODES = st.recursive(
    TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(KEYS, NODES, min_size=1, max_size=5))
def test_whatever_is_written_is_read_back(content: dict[str, object]) -> None:
    text = as_flow(content)
    written = formatted(text)
    assert [plain(each) for each in documents(written, LIMITS)] == [
        plain(each) for each in documents(text, LIMITS)
    ]
    assert formatted(written) == written


def as_flow(content: object) -> str:
    """YAML on one line, with every text in double quotation marks."""
    if isinstance(content, str):
        return '"' + "".join(f"\\U{ord(each):08x}" for each in content) + '"'
    if isinstance(content, list):
        return f"[{', '.join(as_flow(each) for each in content)}]"
    assert isinstance(content, dict)
    return "{" + ", ".join(f'"{key}": {as_flow(each)}' for key, each in content.items()) + "}"

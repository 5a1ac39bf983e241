"""One way to write a rule: order of keys, indentation, quotation marks. Comments stay."""

import re
from collections.abc import Iterator, Sequence

from postern.patterns.errors import PatternError
from postern.patterns.reading import FILTER_KEYS, RULE_KEYS
from postern.patterns.source import LIMITS
from postern.yaml_documents.source import (
    Comment,
    Entries,
    Items,
    Node,
    Scalar,
    SourceError,
    comments,
    documents,
)

_WIDTH = 100  # characters
_INDENT = "  "
_ORDERS = {
    0: tuple(dict.fromkeys((*RULE_KEYS[:5], *RULE_KEYS, *FILTER_KEYS))),
    1: ("by", "within", "having", "hit", "miss"),
}
_OPENED = frozenset({"detection", "aggregate", "tests"})  # always written line by line
# What YAML reads back as the same text without quotation marks, whatever stands around it.
# Numbers with a zero before them, and NO, would be other types to a reader of plain YAML.
_QUOTED = re.compile(r"0[0-9]+|N|NO|ON|OFF|Y|YES|No|On|Off|Yes|TRUE|FALSE|NULL|null", re.ASCII)
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+]*([ -]+[A-Za-z0-9_./+]+)*", re.ASCII)


def formatted(text: str, name: str = "The file") -> str:
    """The same documents, written in the one way. Raises PatternError when it is not YAML."""
    try:
        nodes = documents(text, LIMITS)
        noted = comments(text)
    except SourceError as error:
        raise PatternError(name, [error.fault]) from None
    writer = _Writer(noted)
    written = ["\n".join(writer.document(node)) for node in nodes]
    rest = "".join(f"{line}\n" for line in writer.comments_before(None, ""))
    return "\n---\n".join(written) + "\n" + rest


class _Writer:
    """Writes nodes; a comment is written above what it stood above or beside."""

    def __init__(self, noted: Sequence[Comment]) -> None:
        self._comments = list(noted)

    def document(self, node: Node) -> Iterator[str]:
        if isinstance(node, Entries):
            yield from self._entries(node, 0, "")
        else:
            yield from self.comments_before(node.line, "")
            yield self._flow(node)

    def comments_before(self, line: int | None, indent: str) -> Iterator[str]:
        """The comments up to a line, all that are left when it is None."""
        while self._comments and (line is None or self._comments[0].line <= line):
            yield f"{indent}{self._comments.pop(0).text}"

    def _entries(self, node: Entries, depth: int, indent: str) -> Iterator[str]:
        for key, value in _in_order(node, depth):
            yield from self.comments_before(_first_line(key, value), indent)
            start = f"{indent}{_scalar(key.text)}:"
            yield from self._after(start, value, depth, indent, opened=key.text in _OPENED)

    def _after(
        self, start: str, value: Node, depth: int, indent: str, *, opened: bool
    ) -> Iterator[str]:
        inner = indent + _INDENT
        if isinstance(value, Scalar):
            yield from _text(start, value.text.strip(), inner)
            return
        flow = f"{start} {self._flow(value)}"
        if not opened and len(flow) <= _WIDTH and not self._has_comment(value):
            yield flow
        elif isinstance(value, Entries) and value.pairs:
            yield start
            yield from self._entries(value, depth + 1, inner)
        elif isinstance(value, Items) and value.items:
            yield start
            yield from self._items(value, depth + 1, inner)
        else:
            yield flow

    def _items(self, node: Items, depth: int, indent: str) -> Iterator[str]:
        for item in node.items:
            yield from self.comments_before(item.line, indent)
            lines = list(self._after("-", item, depth, indent, opened=False))
            if lines == ["-"] or lines[0] != "-":
                yield f"{indent}{lines[0]}"
                yield from lines[1:]
            else:  # the first entry stands beside the dash
                yield f"{indent}- {lines[1].lstrip()}"
                yield from lines[2:]

    def _flow(self, node: Node) -> str:
        if isinstance(node, Scalar):
            return _scalar(node.text.strip())
        if isinstance(node, Items):
            return f"[{', '.join(self._flow(item) for item in node.items)}]"
        return (
            "{"
            + ", ".join(f"{_scalar(key.text)}: {self._flow(each)}" for key, each in node.pairs)
            + "}"
        )

    def _has_comment(self, node: Node) -> bool:
        last = _last_line(node)
        return any(node.line < comment.line <= last for comment in self._comments)


def _in_order(node: Entries, depth: int) -> list[tuple[Scalar, Node]]:
    """Entries in the order of their kind; those without one keep theirs. The condition is last."""
    order = _ORDERS.get(depth, ())
    places = {name: place for place, name in enumerate(order)}
    known = [pair for pair in node.pairs if pair[0].text in places]
    known.sort(key=lambda pair: places[pair[0].text])
    others = [pair for pair in node.pairs if pair[0].text not in places]
    others.sort(key=lambda pair: pair[0].text == "condition")
    return known + others


def _text(start: str, text: str, indent: str) -> Iterator[str]:
    lines = text.split("\n")
    if len(lines) > 1 and all(line.isprintable() for line in lines) and lines[0][:1] != " ":
        yield f"{start} |-"
        yield from (f"{indent}{line}" if line else "" for line in lines)
        return
    line = f"{start} {_scalar(text)}"
    if len(line) <= _WIDTH or " ".join(text.split()) != text:
        yield line
        return
    yield f"{start} >-"
    yield from _wrapped(text.split(), indent)


def _wrapped(words: Sequence[str], indent: str) -> Iterator[str]:
    line = ""
    for word in words:
        if line and len(indent) + len(line) + len(word) + 1 > _WIDTH:
            yield indent + line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield indent + line


def _scalar(text: str) -> str:
    if _PLAIN.fullmatch(text) and not _QUOTED.fullmatch(text):
        return text
    if all(character.isprintable() for character in text):
        return "'" + text.replace("'", "''") + "'"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(_escaped(character) for character in escaped) + '"'


def _escaped(character: str) -> str:
    return character if character.isprintable() else f"\\U{ord(character):08x}"


def _first_line(key: Scalar, value: Node) -> int:
    """The line up to which comments belong above an entry: its own, with one that ends it."""
    return value.line if isinstance(value, Scalar) else key.line


def _last_line(node: Node) -> int:
    if isinstance(node, Scalar):
        return node.line
    inner: Sequence[Node] = (
        node.items if isinstance(node, Items) else tuple(each for _, each in node.pairs)
    )
    return max([node.line, *(_last_line(each) for each in inner)])

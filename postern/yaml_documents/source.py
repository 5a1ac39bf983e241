"""YAML as text with places: every scalar is a string, so that NO is a country and 010121 a code.

Anchors, aliases, tags and repeated keys are refused; size and depth are bounded before anything
else is looked at. Nothing is constructed from a tag, so nothing can run.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import yaml

from postern.yaml_documents.faults import Fault

_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is wrong and what to do, of a text that is not looked at further."""

    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a text may be, and what is said of one that is larger.

    `file` and `document` are characters, `documents` those of a file, `nodes` those of a document.
    """

    file: int
    document: int
    documents: int
    nodes: int
    long_file: Refusal
    long_document: Refusal
    many_documents: Refusal
    many_nodes: Refusal


class SourceError(ValueError):
    """The text is not YAML of the allowed kind."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Scalar:
    """One text, from a place that counts from 1."""

    text: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple["Node", ...]
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Entries:
    """A map: keys are all different."""

    pairs: tuple[tuple[Scalar, "Node"], ...]
    line: int
    column: int

    def get(self, name: str) -> "Node | None":
        """What stands under a key."""
        return next((node for key, node in self.pairs if key.text == name), None)

    def key(self, name: str) -> Scalar | None:
        """The key itself, for its place."""
        return next((key for key, _ in self.pairs if key.text == name), None)


Node: TypeAlias = Scalar | Items | Entries


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment with its `#`, and whether nothing stands before it on its line."""

    text: str
    line: int


def documents(text: str, limits: Limits) -> list[Node]:
    """The documents in a text, empty ones left out. Raises SourceError."""
    if len(text) > limits.file:
        raise _refused(1, 1, limits.long_file.reason, limits.long_file.remedy)
    found = []
    try:
        events = iter(yaml.parse(text, Loader=yaml.BaseLoader))
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                start = _index(event.start_mark)
                node = _Composer(events, limits).node(next(events), 0)
                end = next(events)
                if _index(end.end_mark) - start > limits.document:
                    raise _too_much(end, limits.long_document)
                if not (isinstance(node, Scalar) and not node.text):
                    found.append(node)
                if len(found) > limits.documents:
                    raise _too_much(event, limits.many_documents)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise _refused(
            line,
            column,
            f"It is not YAML: {error.problem or error.context}.",
            "Correct the indentation, the quotation marks or the brackets.",
        ) from None
    except yaml.YAMLError:
        raise _refused(
            1, 1, "It holds a character that YAML does not allow.", "Save the file as UTF-8 text."
        ) from None
    return found


def comments(text: str) -> list[Comment]:
    """The comments of a text that `documents` accepts, in order."""
    found: list[Comment] = []
    before = 0
    for token in yaml.scan(text, Loader=yaml.BaseLoader):
        start = token.start_mark.index
        if start > before:
            line = text.count("\n", 0, before)
            for place, piece in enumerate(text[before:start].split("\n")):
                _, mark, comment = piece.partition("#")
                if mark:
                    found.append(Comment(f"#{comment.rstrip()}", line + place + 1))
        before = max(before, token.end_mark.index)
    return found


def _index(mark: Any) -> int:
    """The character of a mark; a text that is read from a string has them all."""
    index: int = mark.index
    return index


class _Composer:
    """Builds one document from events."""

    def __init__(self, events: Iterator[Any], limits: Limits) -> None:
        self._events = events
        self._limits = limits
        self._nodes = 0

    def node(self, event: Any, depth: int) -> Node:
        self._nodes += 1
        if self._nodes > self._limits.nodes:
            raise _too_much(event, self._limits.many_nodes)
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise _at(event, "Anchors and aliases are not allowed.", "Write the part out.")
        if event.tag is not None:
            raise _at(event, "Tags are not allowed.", "Remove what begins with !.")
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if isinstance(event, yaml.ScalarEvent):
            return Scalar(event.value, line, column)
        if depth >= _DEEPEST:
            raise _at(event, f"It is nested deeper than {_DEEPEST}.", "Make it flatter.")
        if isinstance(event, yaml.SequenceStartEvent):
            return Items(tuple(self._items(depth + 1)), line, column)
        return Entries(tuple(self._pairs(depth + 1)), line, column)

    def _items(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self.node(event, depth)

    def _pairs(self, depth: int) -> Iterator[tuple[Scalar, Node]]:
        seen: set[str] = set()
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self.node(event, depth)
            if not isinstance(key, Scalar):
                raise _at(event, "A key is not a plain word.", "Write a name before the colon.")
            if key.text in seen:
                raise _at(
                    event, f"The key {key.text!r} stands here twice.", "Remove or rename one."
                )
            seen.add(key.text)
            yield key, self.node(next(self._events), depth)


def _too_much(event: Any, refusal: Refusal) -> SourceError:
    return _at(event, refusal.reason, refusal.remedy)


def _at(event: Any, reason: str, remedy: str) -> SourceError:
    return _refused(event.start_mark.line + 1, event.start_mark.column + 1, reason, remedy)


def _refused(line: int, column: int, reason: str, remedy: str) -> SourceError:
    return SourceError(Fault(line, column, reason, remedy))

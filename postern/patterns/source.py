"""YAML as text with places: every scalar is a string, so that NO is a country and 010121 a code.

Anchors, aliases, tags and repeated keys are refused; size and depth are bounded before anything
else is looked at. Nothing is constructed from a tag, so nothing can run.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import yaml

from postern.patterns.errors import PatternFault

LARGEST_DOCUMENT = 65_536  # characters
MOST_DOCUMENTS = 200
_LARGEST_FILE = 2_097_152  # characters
_DEEPEST = 8
_MOST_NODES = 5_000  # of one document


class SourceError(ValueError):
    """The text is not YAML of the allowed kind."""

    def __init__(self, fault: PatternFault) -> None:
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


def documents(text: str) -> list[Node]:
    """The documents in a text, empty ones left out. Raises SourceError."""
    if len(text) > _LARGEST_FILE:
        raise _refused(1, 1, "The file is larger than 2 MiB.", "Divide it into several files.")
    found = []
    try:
        events = iter(yaml.parse(text, Loader=yaml.BaseLoader))
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                start = _index(event.start_mark)
                node = _Composer(events).node(next(events), 0)
                end = next(events)
                if _index(end.end_mark) - start > LARGEST_DOCUMENT:
                    raise _at(end, "The rule is longer than 64 KiB.", "Divide it, or shorten it.")
                if not (isinstance(node, Scalar) and not node.text):
                    found.append(node)
                if len(found) > MOST_DOCUMENTS:
                    raise _at(
                        event, f"There are more than {MOST_DOCUMENTS} rules.", "Divide the file."
                    )
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

    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events
        self._nodes = 0

    def node(self, event: Any, depth: int) -> Node:
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            raise _at(event, f"The rule has more than {_MOST_NODES} parts.", "Divide it.")
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


def _at(event: Any, reason: str, remedy: str) -> SourceError:
    return _refused(event.start_mark.line + 1, event.start_mark.column + 1, reason, remedy)


def _refused(line: int, column: int, reason: str, remedy: str) -> SourceError:
    return SourceError(PatternFault(line, column, reason, remedy))


def texts(nodes: Sequence[Node]) -> Iterator[Scalar]:
    """Those of the nodes that are scalars."""
    return (node for node in nodes if isinstance(node, Scalar))

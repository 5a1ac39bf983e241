"""Collects what is wrong with a document while it is read, with near names as a remedy."""

from collections.abc import Collection
from difflib import get_close_matches
from enum import StrEnum
from typing import TypeVar

from postern.yaml_documents.faults import Fault
from postern.yaml_documents.source import Entries, Items, Node, Scalar

Word = TypeVar("Word", bound=StrEnum)


class Notes:
    """The faults of one document; every reader returns None for what it noted."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def fault(self, node: Node, reason: str, remedy: str, *, offset: int = 0) -> None:
        """Note what is wrong at a node."""
        self.faults.append(Fault(node.line, node.column + offset, reason, remedy))

    def only(self, entries: Entries, known: Collection[str]) -> None:
        """Note every key that is not known."""
        for key, _ in entries.pairs:
            if key.text not in known:
                self.fault(key, f"The key {key.text!r} is not known.", one_of(key.text, known))

    def entries(self, parent: Entries, name: str) -> Entries | None:
        """The map under a key that must be there."""
        node = self._needed(parent, name)
        if node is not None and not isinstance(node, Entries):
            self.fault(node, f"{name} is not a map.", "Write names and what belongs to them.")
            return None
        return node

    def text(self, parent: Entries, name: str, *, most: int) -> str | None:
        """The text under a key that must be there, of 1 to `most` characters."""
        node = self._needed(parent, name)
        return None if node is None else self.words_of(node, name, most=most)

    def texts(self, parent: Entries, name: str, *, most: int) -> tuple[str, ...]:
        """The list of texts under a key, 1 to 20 of them; one text may stand without a list."""
        node = self._needed(parent, name)
        if node is None:
            return ()
        items = node.items if isinstance(node, Items) else (node,)
        if not 1 <= len(items) <= _MOST_TEXTS:
            self.fault(node, f"{name} has not 1 to {_MOST_TEXTS} entries.", "Shorten or fill it.")
        found = [self.words_of(item, name, most=most) for item in items]
        return tuple(text for text in found if text is not None)

    def word(self, parent: Entries, name: str, words: type[Word]) -> Word | None:
        """The word of a closed list under a key."""
        node = self._needed(parent, name)
        if node is None:
            return None
        text = node.text if isinstance(node, Scalar) else ""
        if text in set(words):
            return words(text)
        self.fault(node, f"{name} is not a word of its list.", one_of(text, tuple(words)))
        return None

    def words_of(self, node: Node, name: str, *, most: int) -> str | None:
        """The text of a node."""
        if not isinstance(node, Scalar):
            self.fault(node, f"{name} is not a text.", "Write it as one text, without brackets.")
            return None
        if not 1 <= len(node.text.strip()) <= most:
            self.fault(
                node, f"{name} has not 1 to {most} characters.", "Shorten it, or fill it in."
            )
            return None
        return node.text.strip()

    def number(self, node: Node, name: str, *, least: int, most: int) -> int | None:
        """A whole number of a node."""
        text = node.text if isinstance(node, Scalar) else ""
        if text.isascii() and text.isdigit() and least <= int(text[:_DIGITS]) <= most:
            return int(text)
        self.fault(
            node,
            f"{name} is not a whole number from {least} to {most}.",
            "Write such a number, in digits.",
        )
        return None

    def _needed(self, parent: Entries, name: str) -> Node | None:
        node = parent.get(name)
        if node is None:
            self.fault(parent, f"The key {name!r} is missing.", f"Add {name}: ...")
        return node


def one_of(found: str, known: Collection[str]) -> str:
    """The remedy for a word that is not in a list: the nearest, else all of them."""
    near = get_close_matches(found.lower(), sorted(known), n=2, cutoff=0.6)
    if near:
        return f"Did you mean {' or '.join(near)}?"
    return f"Use one of: {', '.join(sorted(known))}."


_MOST_TEXTS = 20
_DIGITS = 18

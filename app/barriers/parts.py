"""The parts that a model's document consists of: keys, texts in its languages, closed words."""

import re
from collections.abc import Iterator

from app.barriers.model import Wording
from postern.yaml_documents import Entries, Fault, Items, Node, Notes, Scalar, one_of

LONGEST_TITLE = 160
LONGEST_TEXT = 600
KEY = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
LONGEST_KEY = 48
_KEY = re.compile(KEY, re.ASCII)
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")


class Parts:
    """Reads parts of one document, and notes what is wrong with them."""

    def __init__(self, notes: Notes, languages: tuple[str, ...]) -> None:
        self.notes = notes
        self._languages = languages

    def wording(self, parent: Entries, name: str, *, most: int) -> Wording | None:
        """A text in every language of the document, under a key that must be there."""
        node = self.notes.entries(parent, name)
        if node is None:
            return None
        for key, _ in node.pairs:
            if key.text not in self._languages:
                self.notes.fault(
                    key,
                    f"{key.text!r} is none of the document's languages.",
                    f"The languages are: {', '.join(self._languages)}.",
                )
        found = [
            (language, text)
            for language in self._languages
            if (text := self.notes.text(node, language, most=most)) is not None
        ]
        return Wording(tuple(found)) if len(found) == len(self._languages) else None

    def number(self, parent: Entries, name: str, *, most: int) -> int | None:
        """A whole number from 1, under a key that must be there."""
        node = parent.get(name)
        if node is None:
            self.notes.fault(parent, f"The key {name!r} is missing.", f"Add {name}: ...")
            return None
        return self.notes.number(node, name, least=1, most=most)

    def key(self, node: Node) -> str | None:
        """A key, by which other parts and other versions name what it stands before."""
        text = node.text if isinstance(node, Scalar) else ""
        if len(text) <= LONGEST_KEY and _KEY.fullmatch(text):
            return text
        self.notes.fault(
            node,
            f"The key is not one of small letters and digits, of 1 to {LONGEST_KEY} characters.",
            "Write words with - between them, beginning with a letter.",
        )
        return None

    def keyed(self, parent: Entries, name: str, *, most: int) -> Iterator[tuple[str, Entries]]:
        """The maps of a map, by their keys."""
        node = self.notes.entries(parent, name)
        if node is None:
            return
        if len(node.pairs) > most:
            self.notes.fault(node, f"{name} has more than {most} entries.", "Remove some.")
        for key, value in node.pairs:
            read = self.key(key)
            if not isinstance(value, Entries):
                self.notes.fault(value, f"{name} has an entry that is not a map.", _INDENT)
            elif read is not None:
                yield read, value

    def listed(self, parent: Entries, name: str, *, most: int) -> Iterator[Entries]:
        """The maps of a list, which may be missing or empty."""
        node = parent.get(name)
        if node is None:
            return
        items = node.items if isinstance(node, Items) else ()
        if not isinstance(node, Items) or len(items) > most:
            self.notes.fault(
                node, f"{name} is not a list of up to {most} entries.", "Begin each with - key:."
            )
        for item in items:
            if isinstance(item, Entries):
                yield item
            else:
                self.notes.fault(item, f"{name} has an entry that is not a map.", _INDENT)

    def known(self, parent: Entries, name: str, known: tuple[str, ...]) -> tuple[str, ...]:
        """Words of a list, each of the known ones and once; nothing where it is missing."""
        node = parent.get(name)
        if node is None:
            return ()
        items = node.items if isinstance(node, Items) else (node,)
        found: list[str] = []
        for item in items:
            text = item.text if isinstance(item, Scalar) else ""
            if text not in known:
                self.notes.fault(
                    item, f"{name} has {text!r}, which is not known.", one_of(text, known)
                )
            elif text in found:
                self.notes.fault(item, f"{name} has {text!r} twice.", "Remove one.")
            else:
                found.append(text)
        return tuple(found)

    def no_mail(self, text: str) -> None:
        """Note every line with an e-mail address: a model is read by many."""
        self.notes.faults += [
            Fault(
                line, 1, "An e-mail address stands here.", "Write no person into what others read."
            )
            for line, each in enumerate(text.split("\n"), 1)
            if _MAIL.search(each)
        ]


_INDENT = "Write key: value lines below it, each further in."

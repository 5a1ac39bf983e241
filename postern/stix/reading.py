"""What others wrote, read on one's own premises: STIX objects out of a file, and rows out of them.

Nothing is dropped without a word: each object becomes a row, or part of one, or is noted as
needing none, or is told as left out with its reason. Rows go on as those of a file do: they are
normalised and pseudonymised here, and only then sent. See docs/stix.md for what becomes what.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from postern.stix.foreign import Translation
from postern.stix.mapped import ForeignRow, Mapped, Unmapped
from postern.stix.parsing import (
    DEEPEST,
    MOST_BYTES,
    StixMalformedError,
    decoder,
    depth_exceeds,
)

__all__ = [
    "ForeignRow",
    "Mapped",
    "StixMalformedError",
    "Unmapped",
    "map_objects",
    "read_bundle",
]

_SPACE = re.compile(r"[ \t\r\n]*")
_PLAIN_OBJECT = re.compile(r"""\{\s*"type"\s*:\s*"(?!bundle")""")


def read_bundle(stream: BinaryIO) -> Iterator[dict[str, Any]]:
    """The objects of a bundle, a TAXII envelope, an array, or JSON Lines of these or of objects.

    One object is held at a time, beside the text, of at most 100 MB. Raises StixMalformedError on
    the way, with the number of the object.
    """
    raw = stream.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise StixMalformedError(
            f"It is larger than {MOST_BYTES:,} bytes.", "Split it into several files."
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise StixMalformedError("It is not in UTF-8.", "Write it in UTF-8.") from None
    del raw
    yield from _Walk(text).objects()


def map_objects(objects: Iterable[dict[str, Any]]) -> Mapped:
    """Rows of what can be compared, and what is left out, in the order of the objects."""
    mapping = Translation()
    for each in objects:
        mapping.take(each)
    return mapping.mapped()


class _Walk:
    """Goes through a JSON text without holding more than one object of it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0
        self._number = 0
        self._decode = decoder().raw_decode

    def objects(self) -> Iterator[dict[str, Any]]:
        self._skip()
        if self._place == len(self._text):
            raise StixMalformedError("It is empty.", "Give a file with STIX objects.")
        while self._place < len(self._text):
            if self._at("["):
                yield from self._listed()
            elif _PLAIN_OBJECT.match(self._text, self._place):
                yield self._checked(self._value())
            elif self._at("{"):
                yield from self._object()
            else:
                raise self._malformed()
            self._skip()

    def _object(self) -> Iterator[dict[str, Any]]:
        """A bundle or an envelope by its members, or an object of its own."""
        members: dict[str, Any] = {}
        has_objects = False
        self._take("{")
        while not self._at("}"):
            if members or has_objects:
                self._take(",")
                self._skip()
            name = self._value()
            self._skip()
            if not isinstance(name, str):
                raise self._malformed()
            self._take(":")
            self._skip()
            if name in members:
                raise self._malformed()
            if name == "objects" and self._at("["):
                has_objects = True
                yield from self._listed()
            else:
                members[name] = self._value()
            self._skip()
        self._take("}")
        if not has_objects and members.get("type") not in {None, "bundle"}:
            yield self._checked(members)

    def _listed(self) -> Iterator[dict[str, Any]]:
        self._take("[")
        self._skip()
        is_first = True
        while not self._at("]"):
            if not is_first:
                self._take(",")
                self._skip()
            is_first = False
            yield self._checked(self._value())
            self._skip()
        self._take("]")

    def _checked(self, found: object) -> dict[str, Any]:
        self._number += 1
        if not isinstance(found, dict):
            raise StixMalformedError(
                f"Object {self._number} is no JSON object.", "Correct it or leave it out."
            )
        if depth_exceeds(found):
            raise StixMalformedError(
                f"Object {self._number} is nested more than {DEEPEST} deep.", "Leave it out."
            )
        return found

    def _value(self) -> Any:
        try:
            found, self._place = self._decode(self._text, self._place)
        except json.JSONDecodeError:
            raise self._malformed() from None
        except RecursionError:
            raise StixMalformedError(
                f"Object {self._number + 1} is nested too deep.", "Leave it out."
            ) from None
        return found

    def _skip(self) -> None:
        found = _SPACE.match(self._text, self._place)
        self._place = found.end() if found else self._place

    def _at(self, sign: str) -> bool:
        self._skip()
        return self._text.startswith(sign, self._place)

    def _take(self, sign: str) -> None:
        if not self._at(sign):
            raise self._malformed()
        self._place += 1
        self._skip()

    def _malformed(self) -> StixMalformedError:
        line = self._text.count("\n", 0, self._place) + 1
        return StixMalformedError(
            f"It is not JSON at line {line}, after {self._number} objects.", "Correct it there."
        )

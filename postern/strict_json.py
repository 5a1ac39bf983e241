"""JSON in which keys are kept: exactly the fields of its form, each once, each of its type."""

import json
from collections.abc import Sequence
from typing import Any, TypeVar

from postern.base64url import from_base64url

Kind = TypeVar("Kind", str, int, list[Any], dict[str, Any])


class MalformedError(ValueError):
    """The JSON is not of its form; the text says which rule it breaks."""


class Object:
    """One JSON object; every reader raises MalformedError."""

    def __init__(self, content: object) -> None:
        if not isinstance(content, dict):
            raise MalformedError("something that should be an object is none")
        self.content: dict[str, Any] = content

    def only(self, *names: str) -> None:
        """Return when these are its fields, no more and no fewer."""
        if self.content.keys() != set(names):
            raise MalformedError("it lacks a field or has one too many")

    def absent(self, name: str) -> bool:
        """Whether the field is null."""
        return self.content.get(name) is None

    def text(self, name: str) -> str:
        """A string."""
        return self._of(str, name)

    def number(self, name: str) -> int:
        """A whole number; true is none."""
        return self._of(int, name)

    def octets(self, name: str, size: int | None = None) -> bytes:
        """Bytes in base64url without padding, of a length when one is given."""
        raw = from_base64url(self.text(name))
        if raw is None or (size is not None and len(raw) != size):
            raise MalformedError(f"its {name} is not base64url of the right length")
        return raw

    def octets_list(self, name: str, size: int, most: int) -> list[bytes]:
        """A list of 1 to `most` byte strings of one size, each in base64url without padding."""
        written: Sequence[object] = self._of(list, name)
        found = [from_base64url(each) if isinstance(each, str) else None for each in written]
        if not 1 <= len(found) <= most:
            raise MalformedError(f"it has not 1 to {most} {name}")
        right = [each for each in found if each is not None and len(each) == size]
        if len(right) != len(found):
            raise MalformedError(f"its {name} are not base64url of the right length")
        return right

    def object(self, name: str) -> "Object":
        """An object inside."""
        return Object(self._of(dict, name))

    def objects(self, name: str, most: int) -> list["Object"]:
        """A list of 1 to `most` objects."""
        found: Sequence[object] = self._of(list, name)
        if not 1 <= len(found) <= most:
            raise MalformedError(f"it has not 1 to {most} {name}")
        return [Object(each) for each in found]

    def _of(self, kind: type[Kind], name: str) -> Kind:
        found = self.content.get(name)
        if type(found) is not kind:
            raise MalformedError(f"its {name} is missing or of the wrong type")
        return found


def parse_object(raw: bytes | str) -> Object:
    """The object in a JSON text. Raises MalformedError."""
    try:
        return Object(json.loads(raw, object_pairs_hook=_once))
    except (ValueError, RecursionError) as error:
        if isinstance(error, MalformedError):
            raise
        raise MalformedError("it is not JSON in UTF-8") from None


def canonical(content: object) -> bytes:
    """RFC 8785 for what keys are written in: strings, whole numbers, null, ASCII field names."""
    return json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedError("a field stands in it twice")
    return found

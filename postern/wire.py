"""Reading JSON that another program wrote: each field of the expected type, or an error with its
place.
"""

import base64
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, TypeVar

from postern.client_errors import AnswerMalformedError

Kind = TypeVar("Kind", str, int, bool, list[Any])


class Fields:
    """The fields of one JSON object; unknown ones are left alone, for a newer platform adds some.

    Every reader raises AnswerMalformedError with the place of the field.
    """

    def __init__(self, content: object, place: str) -> None:
        if not isinstance(content, dict):
            raise AnswerMalformedError(place)
        self.content: dict[str, Any] = content
        self.place = place

    def text(self, name: str) -> str:
        """A string that can be written down: JSON may hold half a surrogate pair."""
        return _whole(_as(str, self.content.get(name), self._at(name)), self._at(name))

    def number(self, name: str) -> int:
        """An integer; true is none."""
        return _as(int, self.content.get(name), self._at(name))

    def truth(self, name: str) -> bool:
        """A truth value."""
        return _as(bool, self.content.get(name), self._at(name))

    def optional_text(self, name: str) -> str | None:
        """A string, or None when it is null or missing."""
        return None if self.content.get(name) is None else self.text(name)

    def optional_number(self, name: str) -> int | None:
        """An integer, or None when it is null or missing."""
        return None if self.content.get(name) is None else self.number(name)

    def fraction(self, name: str) -> float | None:
        """A number with or without decimals, or None when it is null or missing."""
        found = self.content.get(name)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise AnswerMalformedError(self._at(name))
        try:
            return float(found)
        except OverflowError:  # a whole number of more than 308 digits
            raise AnswerMalformedError(self._at(name)) from None

    def moment(self, name: str) -> datetime:
        """An aware moment."""
        try:
            found = datetime.fromisoformat(self.text(name))
        except ValueError:
            raise AnswerMalformedError(self._at(name)) from None
        if found.tzinfo is None:
            raise AnswerMalformedError(self._at(name))
        return found

    def optional_moment(self, name: str) -> datetime | None:
        """An aware moment, or None when it is null or missing."""
        return None if self.content.get(name) is None else self.moment(name)

    def day(self, name: str) -> date:
        """A day."""
        try:
            return date.fromisoformat(self.text(name))
        except ValueError:
            raise AnswerMalformedError(self._at(name)) from None

    def content_bytes(self, name: str, size: int) -> bytes:
        """Exactly `size` bytes of base64url."""
        return _bytes(self.content.get(name), size, self._at(name))

    def octets(self, name: str) -> bytes:
        """Base64url of any length."""
        return _octets(self.content.get(name), self._at(name))

    def optional_octets(self, name: str) -> bytes | None:
        """Base64url of any length, or None when it is null or missing."""
        return None if self.content.get(name) is None else self.octets(name)

    def byte_strings(self, name: str, size: int) -> list[bytes]:
        """A list of byte strings of exactly `size` bytes each."""
        return [_bytes(each, size, self._at(name)) for each in self._list(name)]

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings."""
        found = self._list(name)
        if not all(isinstance(each, str) for each in found):
            raise AnswerMalformedError(self._at(name))
        return tuple(_whole(each, self._at(name)) for each in found)

    def within(self, name: str) -> "Fields":
        """The object in a field."""
        return Fields(self.content.get(name), self._at(name))

    def optional_within(self, name: str) -> "Fields | None":
        """The object in a field, or None when it is null or missing."""
        return None if self.content.get(name) is None else self.within(name)

    def each(self, name: str) -> Iterator["Fields"]:
        """The objects of a list, in order."""
        for place, each in enumerate(self._list(name)):
            yield Fields(each, f"{self._at(name)}.{place}")

    def _list(self, name: str) -> list[Any]:
        return _as(list, self.content.get(name), self._at(name))

    def _at(self, name: str) -> str:
        return f"{self.place}.{name}" if self.place else name


def _as(kind: type[Kind], found: object, place: str) -> Kind:
    if isinstance(found, kind) and type(found) is kind:
        return found
    raise AnswerMalformedError(place)


def _whole(text: str, place: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise AnswerMalformedError(place) from None
    return text


def _bytes(text: object, size: int, place: str) -> bytes:
    content = _octets(text, place)
    if len(content) != size:
        raise AnswerMalformedError(place)
    return content


def _octets(text: object, place: str) -> bytes:
    if not isinstance(text, str) or not text.isascii():
        raise AnswerMalformedError(place)
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise AnswerMalformedError(place) from None

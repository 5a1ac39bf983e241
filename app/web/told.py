"""What the sentences on entries of the access log are made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel.speaklater import LazyString

Record = Mapping[str, Any]
Details = Mapping[str, Any]


@dataclass(frozen=True)
class Told:
    """What a sentence is made of; `count` is the number of results or objects."""

    record: Record
    details: Details
    who: str
    names: Mapping[str, str]

    @property
    def count(self) -> int:
        return int(self.record["n"])


Sentences = Mapping[str, Callable[[Told], str]]


def fixed(pattern: LazyString) -> Callable[[Told], str]:
    """A sentence that needs nothing but who it was."""
    return lambda told: str(pattern) % {"who": told.who}

"""What a received object is, as far as keeping it needs to know."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from postern.stix.names import split_id
from postern.stix.parsing import depth_exceeds
from postern.taxii.moments import sortable

LARGEST_OBJECT = 2**20  # bytes of one object's text
DEEPEST = 64  # objects and lists in one another

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_NEUTRAL = ("type", "spec_version", "id", "created_by_ref", "created", "modified", "revoked")


class State(StrEnum):
    """What an object is to us now. Only of a current one is the content kept."""

    CURRENT = "current"
    WITHDRAWN = "withdrawn"  # its producer revoked it
    EXPIRED = "expired"  # its valid_until is over
    GONE = "gone"  # the server holds it no longer


@dataclass(frozen=True, slots=True)
class Arrived:
    """One version of an object. `version` and `until` sort by time; `tokens`: (facet, token)."""

    id: str
    type: str
    version: str
    state: State
    until: str | None
    line: bytes
    tokens: tuple[tuple[int, str], ...]


class RefusedObjectError(ValueError):
    """An object cannot be kept; `id` is as much of its name as it has."""

    def __init__(self, identifier: str, reason: str) -> None:
        super().__init__(reason)
        self.id = identifier
        self.reason = reason


TokensOf = Callable[[Mapping[str, Any]], Iterable[tuple[int, str]]]
"""The exchange tokens in an object, with the numbers of their facets."""


def arrived(content: object, now: str, tokens_of: TokensOf) -> Arrived:
    """An object as it is kept; `now` sorts as versions do. Raises RefusedObjectError.

    A withdrawn object keeps what names it and nothing of what it said.
    """
    if not isinstance(content, dict):
        raise RefusedObjectError("", "It is no object.")
    identifier = content.get("id")
    name = split_id(identifier)
    shown = str(identifier)[:120] if isinstance(identifier, str) else ""
    if name is None or content.get("type") != name[0]:
        raise RefusedObjectError(shown, "Its id is no STIX id of its type.")
    versioned = [content[key] for key in ("modified", "created") if key in content]
    form = sortable(versioned[0]) if versioned else ""
    if form is None:
        raise RefusedObjectError(shown, "The moment of its version cannot be read.")
    if depth_exceeds(content, DEEPEST):
        raise RefusedObjectError(shown, f"It is nested deeper than {DEEPEST}.")
    until = sortable(content.get("valid_until"))
    state = State.CURRENT
    if content.get("revoked") is True:
        state = State.WITHDRAWN
        content = {key: content[key] for key in _NEUTRAL if key in content}
    elif until is not None and until <= now:
        state = State.EXPIRED
    line = b"" if state is State.EXPIRED else _line(content, shown)
    found = tuple(tokens_of(content)) if state is State.CURRENT else ()
    return Arrived(str(identifier), name[0], form, state, until, line, found)


def _line(content: Mapping[str, Any], shown: str) -> bytes:
    try:
        line = _ENCODER.encode(content).encode() + b"\n"
    except ValueError:
        raise RefusedObjectError(shown, "It holds text or numbers that JSON cannot.") from None
    if len(line) > LARGEST_OBJECT:
        raise RefusedObjectError(shown, f"It is longer than {LARGEST_OBJECT} bytes.")
    return line

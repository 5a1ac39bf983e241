"""Patterns of others that say what one thing is: equalities, joined by OR, or by AND in one thing.

Whatever else STIX patterning can say (comparing, repeating, following) says how things behave
together, and is no value that could become a pseudonym.
"""

import re
from collections.abc import Iterator

Comparison = tuple[str, str, str]
"""Object type, path and constant of `type:path = 'constant'`."""

_EQUALITY = r"([A-Za-z][A-Za-z0-9-]*):([A-Za-z][A-Za-z0-9_.'-]*)\s*=\s*'((?:[^'\\]|\\['\\])*)'"
_COMPARED = re.compile(_EQUALITY, re.ASCII)
_PLAIN = re.sub(r"\((?!\?)", "(?:", _EQUALITY)
_OBSERVED = re.compile(
    rf"\s*\[\s*{_PLAIN}(?:(?:\s+AND\s+{_PLAIN})*|(?:\s+OR\s+{_PLAIN})*)\s*\]\s*", re.ASCII
)
_OR = re.compile(r"OR\b")
_ESCAPED = re.compile(r"\\(['\\])")
_MOST_THINGS = 200


def things_of(pattern: str) -> list[list[Comparison]] | None:
    """What a pattern names: alternatives, each a list of equalities that hold of one thing.

    None when it says something else. `pattern` follows the grammar (`postern.stix.form`).
    """
    things: list[list[Comparison]] = []
    place = 0
    while True:
        observed = _OBSERVED.match(pattern, place)
        if observed is None:
            return None
        things += _alternatives(observed[0])
        place = observed.end()
        if place == len(pattern):
            return things if len(things) <= _MOST_THINGS else None
        joined = _OR.match(pattern, place)
        if joined is None:
            return None
        place = joined.end()


def _alternatives(observation: str) -> Iterator[list[Comparison]]:
    compared: list[Comparison] = [
        (found[1].lower(), found[2].replace("'", ""), _ESCAPED.sub(r"\1", found[3]))
        for found in _COMPARED.finditer(observation)
    ]
    if _is_or(observation):
        yield from ([each] for each in compared)
    else:
        yield compared


def _is_or(observation: str) -> bool:
    """Whether its equalities are alternatives; constants are left out, they may hold any word."""
    return re.search(r"\sOR\s", _COMPARED.sub("x", observation)) is not None

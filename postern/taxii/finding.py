"""Which of the received objects are about a value: computed here, from the value's own tokens.

A value is evaluated blindly as for a lookup (quota, log), and its match tokens are put under the
organisation's exchange key; what comes out stands in the objects that are about it. The platform
learns that something was evaluated, not what was found.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from postern.facets import facets
from postern.matching import Score, score
from postern.normalise import InductionPoint, NormalisationError, normalise
from postern.pseudonym import clear_token
from postern.pseudonymise import Pseudonym
from postern.stix.names import EXTENSIONS
from postern.stix.tokens import EXCHANGE_TOKEN, exchange_token, facet_number
from postern.taxii.folder import Folder
from postern.taxii.index_rows import Kept
from postern.taxii.objects import State
from postern.vocabulary import Kind

_POSTAL = EXTENSIONS["postal-indicator"]
_POINT = EXTENSIONS["induction-point"]
_POINT_SCHEME = "point1."  # of places, which are no secret; it equals no exchange token
_MOST_TOKENS = 64  # of one object: a value has at most 16, some of several facets


@dataclass(frozen=True, slots=True)
class Found:
    """A received object that matches a value, and how strongly."""

    kept: Kept
    content: Mapping[str, Any]
    score: Score


def tokens_in(content: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    """(facet, token) of one of our indicators; nothing of any other object."""
    extensions = content.get("extensions")
    if content.get("type") != "indicator" or not isinstance(extensions, dict):
        return
    point = extensions.get(_POINT)
    if isinstance(point, dict):
        yield from _point_tokens(point)
    postal = extensions.get(_POSTAL)
    tokens = postal.get("tokens") if isinstance(postal, dict) else None
    if not isinstance(tokens, dict):
        return
    left = _MOST_TOKENS
    for name, of_facet in tokens.items():
        number = facet_number(name)
        if number is None or not isinstance(of_facet, list):
            continue
        for token in of_facet[:left]:
            if isinstance(token, str) and EXCHANGE_TOKEN.fullmatch(token):
                left -= 1
                yield number, token


def sought(pseudonym: Pseudonym, key: bytes) -> dict[str, int]:
    """Token -> facet: what stands in the objects that this key's organisation gets of a value."""
    if pseudonym.kind is Kind.INDUCTION_POINT:
        return {_point_token(each.token): each.number for each in pseudonym.facets}
    return {
        exchange_token(key, pseudonym.kind, pseudonym.epoch, each.token): each.number
        for each in pseudonym.facets
    }


def found(
    folder: Folder, sources: Sequence[int], kind: Kind, tokens: Mapping[str, int]
) -> list[Found]:
    """The current objects of sources that match, the strongest first."""
    query = frozenset(tokens.values())
    matches: list[Found] = []
    for (number, identifier), shared in folder.with_tokens(list(tokens)).items():
        if number not in sources:
            continue
        kept = folder.one(number, identifier)
        content = folder.content(kept) if kept and kept.state is State.CURRENT else None
        if kept is None or content is None:
            continue
        agreeing = Counter(facet for token, facet in shared.items() if tokens.get(token) == facet)
        candidate = frozenset(number for number, _ in tokens_in(content))
        scored = score(kind, agreeing, query=query, candidate=candidate)
        if scored.band is not None:
            matches.append(Found(kept, content, scored))
    return sorted(matches, key=lambda each: (-each.score.points, each.kept.id))


def _point_tokens(point: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    parts = [point.get(name) for name in ("operator", "code", "country")]
    if not all(isinstance(part, str) for part in parts):
        return
    try:
        normalised = normalise(InductionPoint(*(str(part) for part in parts)))
    except NormalisationError:
        return
    for each in facets(normalised):
        yield each.number, _point_token(clear_token(Kind.INDUCTION_POINT, each.text))


def _point_token(token: bytes) -> str:
    return _POINT_SCHEME + token.hex()

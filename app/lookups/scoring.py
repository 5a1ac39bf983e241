"""From tokens that matched to hits: which indicator, how well, and in which order.

Works on what `app.sharing.visibility` let through and on nothing else, so what a policy hides
cannot change a score, an order or a count.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from app.lookups.storage import Candidate
from app.sharing.engine import CHAIN
from app.sharing.visibility import Match
from postern.matching import Score, score
from postern.vocabulary import Band, Kind, Level


@dataclass(frozen=True, slots=True)
class Query:
    """A value that is looked up; `tokens` are (facet number, 16 bytes), each token once."""

    id: str
    kind: Kind
    epoch: int
    tokens: Sequence[tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class Scored:
    """An indicator that answers a query well enough to be told of.

    `level` is None where the owner alone is told.
    """

    candidate: Candidate
    level: Level | None
    tells_owner: bool
    grant_reason_id: int
    score: Score
    band: Band


@dataclass(frozen=True, slots=True)
class Ranked:
    """The hits of one query, best first: each a group of which one line is shown.

    A group is one indicator, or at `presence` all of one organisation's, so that their number
    stays hidden.
    """

    groups: list[list[Scored]]
    more: bool


@dataclass(slots=True)
class _Found:
    """What the index gave for one indicator and one query."""

    level: int
    tells_owner: bool
    grant_reason_id: int
    agreeing: dict[int, int]


Found = list[dict[int, _Found]]
"""For each query, indicator id -> what agrees."""


def gather(queries: Sequence[Query], matches: Iterable[Match]) -> Found:
    """Sort the matches of all queries by query and indicator."""
    asked: dict[bytes, list[int]] = {}
    for place, query in enumerate(queries):
        for _, token in query.tokens:
            asked.setdefault(token, []).append(place)
    found: Found = [{} for _ in queries]
    for match in matches:
        for place in asked.get(match.token, ()):
            held = found[place].get(match.indicator_id)
            if held is None:
                held = found[place][match.indicator_id] = _Found(
                    match.level, match.tells_owner, match.grant_reason_id, {}
                )
            held.agreeing[match.facet] = held.agreeing.get(match.facet, 0) + 1
    return found


def rank(
    query: Query, found: Mapping[int, _Found], candidates: Mapping[int, Candidate], most: int
) -> Ranked:
    """The best `most` groups of hits of one query."""
    groups = sorted(_grouped(_scored(query, found, candidates)), key=_order)
    return Ranked(groups[:most], len(groups) > most)


def alerts(
    queries: Sequence[Query], found: Found, candidates: Mapping[int, Candidate]
) -> list[Scored]:
    """Every indicator that answers some query well enough for its owner to be told."""
    kept = {
        each.candidate.id: each
        for query, of_query in zip(queries, found, strict=True)
        for each in _scored(query, of_query, candidates)
    }
    return [kept[indicator_id] for indicator_id in sorted(kept)]


@lru_cache(maxsize=4096)
def numbers(bits: int) -> frozenset[int]:
    """The facet numbers of a column of bits."""
    return frozenset(number for number in range(bits.bit_length()) if bits >> number & 1)


def _scored(
    query: Query, found: Mapping[int, _Found], candidates: Mapping[int, Candidate]
) -> list[Scored]:
    facets = frozenset(facet for facet, _ in query.tokens)
    kept = []
    for indicator_id, held in found.items():
        candidate = candidates.get(indicator_id)
        if candidate is None:
            continue  # its last day is over
        common = numbers(candidate.facets_common)
        scored = score(
            query.kind,
            held.agreeing,
            query=facets,
            candidate=numbers(candidate.facets_stored) | common,
            common=common,
        )
        if scored.band is not None:
            kept.append(
                Scored(
                    candidate,
                    CHAIN[held.level - 1] if held.level else None,
                    held.tells_owner,
                    held.grant_reason_id,
                    scored,
                    scored.band,
                )
            )
    return kept


def _grouped(kept: Sequence[Scored]) -> list[list[Scored]]:
    groups: list[list[Scored]] = []
    present: dict[int, list[Scored]] = {}
    for each in kept:
        if each.level is not Level.PRESENCE:
            groups.append([each])
            continue
        owner = each.candidate.organisation_id
        if owner not in present:
            present[owner] = []
            groups.append(present[owner])
        present[owner].append(each)
    for group in groups:
        group.sort(key=lambda each: (-each.score.points, each.candidate.id))
    return groups


def _order(group: Sequence[Scored]) -> tuple[int, ...]:
    best = group[0]
    strength = 0 if best.band is Band.STRONG else 1
    if best.level is Level.PRESENCE:
        # Points are not told at this level, so the place must not tell them either.
        return strength, 1, 0, best.candidate.organisation_id
    return strength, 0, -best.score.points, best.candidate.id

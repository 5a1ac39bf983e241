"""Tokens really made, indexed and scored: the project's own row of the matching benchmark.

HMAC-SHA256 under a fixed key stands in for the VOPRF: matching depends only on which tokens are
equal, and a pseudo-random function keeps equality whatever the function is.
"""

import hmac
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.matching_sets import Labelled, Task
from postern.facets import evaluation_input, facets
from postern.matching import Score, Weighting, score, weigh
from postern.normalise import NormalisationError
from postern.vocabulary import EvaluationKind, Kind

_KEY = b"bench: stands in for the VOPRF's"
_TOKEN_BYTES = 16


@dataclass(frozen=True, slots=True)
class Tokens:
    """One record as the platform would hold it: (facet number, token), and the numbers it has."""

    pairs: tuple[tuple[int, bytes], ...]
    numbers: frozenset[int]


@dataclass(frozen=True, slots=True)
class Pair:
    """A query and a record that share a token, as the platform would score them."""

    query: int
    record: int
    agreeing: Mapping[int, int]
    query_facets: frozenset[int]
    record_facets: frozenset[int]
    same: bool  # the truth


@dataclass(frozen=True, slots=True)
class Measures:
    """Over pairs of records."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0

    def as_json(self) -> dict[str, float]:
        """For the last line of the benchmark."""
        return {
            "precision": round(self.precision, 4),
            "recall": round(self.recall, 4),
            "f1": round(self.f1, 4),
        }


def measures(found_right: int, found: int, true_pairs: int) -> Measures:
    """Precision and recall from counts of pairs; precision is 1 when nothing was found."""
    return Measures(
        precision=found_right / found if found else 1.0,
        recall=found_right / true_pairs if true_pairs else 1.0,
    )


def token_pairs(task: Task) -> list[Pair]:
    """All pairs that share a token, found by an index of tokens, as the platform finds them."""
    records = [tokens(record) for record in task.records]
    queries = records if task.deduplication else [tokens(query) for query in task.queries]
    index: dict[bytes, list[int]] = defaultdict(list)
    for place, record in enumerate(records):
        for _, token in record.pairs:
            index[token].append(place)
    return [
        Pair(
            query=place,
            record=found,
            agreeing=agreeing,
            query_facets=query.numbers,
            record_facets=records[found].numbers,
            same=task.queries[place].truth == task.records[found].truth,
        )
        for place, query in enumerate(queries)
        for found, agreeing in _candidates(query, index)
        if not task.deduplication or found > place
    ]


def tokens(labelled: Labelled) -> Tokens:
    """The tokens of a record; none when nothing can be read in it."""
    try:
        made = facets(labelled.value)
    except NormalisationError:
        return Tokens((), frozenset())
    return Tokens(
        pairs=tuple(
            (facet.number, _stand_in(evaluation_input(facet, EvaluationKind.POSTAL)))
            for facet in made
        ),
        numbers=frozenset(facet.number for facet in made),
    )


def at_shipped_threshold(
    task: Task, pairs: Sequence[Pair], queries: Collection[int] | None = None
) -> Measures:
    """Precision and recall of what `postern.matching.score` calls at least "likely".

    `queries`: only those, compared with all records.
    """
    if queries is not None:
        pairs = [pair for pair in pairs if pair.query in queries]
        task = Task(task.name, [task.queries[place] for place in queries], task.records)
    return _at_likely(task, pairs, _shipped_score)


def at_threshold_of(task: Task, pairs: Sequence[Pair], weighting: Weighting) -> Measures:
    """Precision and recall of what is at least "likely" under one given table of weights."""
    return _at_likely(
        task,
        pairs,
        lambda pair: weigh(
            weighting, pair.agreeing, query=pair.query_facets, candidate=pair.record_facets
        ),
    )


def _at_likely(task: Task, pairs: Sequence[Pair], scored: Callable[[Pair], Score]) -> Measures:
    found = [pair.same for pair in pairs if scored(pair).band is not None]
    return measures(sum(found), len(found), task.true_pairs())


def _shipped_score(pair: Pair) -> Score:
    return score(Kind.PARTY, pair.agreeing, query=pair.query_facets, candidate=pair.record_facets)


def _candidates(
    query: Tokens, index: Mapping[bytes, Sequence[int]]
) -> Iterator[tuple[int, dict[int, int]]]:
    agreeing: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for number, token in query.pairs:
        for place in index.get(token, ()):
            agreeing[place][number] += 1
    yield from agreeing.items()


def _stand_in(message: bytes) -> bytes:
    return hmac.digest(_KEY, message, "sha256")[:_TOKEN_BYTES]

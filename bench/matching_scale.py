"""The persons task again among 100,000 more records of one city, with and without the cap.

The platform stores at most `POSTINGS` postings of a token; a record that comes later has that facet
marked "common", which is neutral (specification of matching, 6.2).
"""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence

from bench.matching_register import register
from bench.matching_sets import Labelled, Task
from bench.matching_tokens import Measures, Tokens, measures, tokens
from postern.matching import score
from postern.normalise import Party
from postern.vocabulary import Kind

ADDED = 100_000
POSTINGS = 16
_SEED = 20240607


def at_scale(
    task: Task, entities: Sequence[Mapping[str, str]]
) -> tuple[dict[str, Measures], float]:
    """Measures without and with the cap, and candidates per query without it."""
    queries = [tokens(query) for query in task.queries]
    records = [*task.records, *_strangers(entities)]
    chance = random.Random(_SEED)  # noqa: S311 - a simulation
    chance.shuffle(records)
    held = [tokens(record) for record in records]
    truths = [query.truth for query in task.queries]
    found: dict[str, Measures] = {}
    candidates = 0.0
    for name, cap in (("uncapped", len(held)), (f"cap {POSTINGS}", POSTINGS)):
        right, shown, seen = _look_up(queries, truths, held, records, cap)
        found[name] = measures(right, shown, task.true_pairs())
        candidates = max(candidates, seen / len(queries))
    return found, candidates


def _strangers(entities: Sequence[Mapping[str, str]]) -> list[Labelled]:
    """Invented persons at addresses of the made-up register: nobody that is asked for."""
    chance = random.Random(_SEED)  # noqa: S311 - a simulation
    people = [entity["person"].split("|") for entity in entities if "|" in entity["person"]]
    made = []
    for place, address in enumerate(register(entities)[:ADDED]):
        name = f"{chance.choice(people)[0]} {chance.choice(people)[1]}"
        party = Party(name, address.lines, address.postcode, address.city, address.country)
        made.append(Labelled(party, f"stranger {place}", ""))
    return made


def _look_up(
    queries: Sequence[Tokens],
    truths: Sequence[str],
    held: Sequence[Tokens],
    records: Sequence[Labelled],
    cap: int,
) -> tuple[int, int, int]:
    """Right pairs shown, all pairs shown, and candidates looked at."""
    index: dict[bytes, list[int]] = defaultdict(list)
    common: dict[int, set[int]] = defaultdict(set)
    for place, record in enumerate(held):
        for number, token in record.pairs:
            if len(index[token]) < cap:
                index[token].append(place)
            else:
                common[place].add(number)
    right = shown = seen = 0
    for query, truth in zip(queries, truths, strict=True):
        agreeing: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
        for number, token in query.pairs:
            for place in index.get(token, ()):
                agreeing[place][number] += 1
        seen += len(agreeing)
        for place, counts in agreeing.items():
            scored = score(
                Kind.PARTY,
                counts,
                query=query.numbers,
                candidate=held[place].numbers,
                common=common.get(place, frozenset()),
            )
            if scored.band is not None:
                shown += 1
                right += truth == records[place].truth
    return right, shown, seen

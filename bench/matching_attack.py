"""Attack T1 of the specification (matching, 6): who holds the database but not the key.

The attacker has every token of the database grouped by record, knows the kind of each, and owns a
full register of the city's addresses. Without the key he can only count: a record whose tokens
occur c1, c2, .. times is likely to be the address whose facets occur n1, n2, .. times in the
register. He ranks all addresses by the Poisson likelihood of the counts, all kinds jointly.

The register is made up: see bench.matching_register.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from bench.matching_register import register
from postern.facet_kinds import NAME_FACETS, POSTAL_FACETS
from postern.facets import facets
from postern.normalise import Address, NormalisationError

DATABASE_SIZES = (10_000, 100_000)
TARGETS = 1_000
_SEED = 20240607
_IMPOSSIBLE = -50.0  # log likelihood

Counts: TypeAlias = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Attack:
    """Shares of targets whose true address is the first guess, within 10 or within 100."""

    database: int
    top1: float
    top10: float
    top100: float


def attack(entities: Sequence[Mapping[str, str]]) -> tuple[list[Attack], dict[str, float]]:
    """The attack at each database size, and the register's min-entropy in bits per facet kind."""
    texts = _facet_texts(register(entities))
    counts = {number: _occurrences(column) for number, column in texts.items()}
    entropies = {
        POSTAL_FACETS[number]: round(math.log2(len(count) / count.max()), 2)
        for number, count in counts.items()
    }
    return [_attack(texts, counts, size) for size in DATABASE_SIZES], entropies


def _facet_texts(addresses: Sequence[Address]) -> dict[int, list[str]]:
    """Facet number -> its text for each address, "" where the address has none."""
    numbers = [number for number in POSTAL_FACETS if number not in NAME_FACETS]
    texts: dict[int, list[str]] = {number: [] for number in numbers}
    for address in addresses:
        try:
            made = {facet.number: facet.text for facet in facets(address)}
        except NormalisationError:
            made = {}
        for number in numbers:
            texts[number].append(made.get(number, ""))
    return texts


def _occurrences(column: Sequence[str]) -> Counts:
    """How often the text in each place occurs in the column; 0 where there is none."""
    held = Counter(column)
    held[""] = 0
    return np.fromiter((held[text] for text in column), dtype=np.int32, count=len(column))


def _attack(texts: Mapping[int, Sequence[str]], counts: Mapping[int, Counts], size: int) -> Attack:
    total = len(next(iter(texts.values())))
    chance = np.random.default_rng(_SEED)
    stored = chance.choice(total, size, replace=False)
    targets = stored[:TARGETS]
    columns = [
        (
            *np.unique(counts[number], return_inverse=True),
            _occurrences([column[place] for place in stored])[:TARGETS],
        )
        for number, column in texts.items()
    ]
    within = np.zeros(3)
    for row, target in enumerate(targets):
        likelihood = np.zeros(total)
        for distinct, where, seen in columns:
            likelihood += _poisson(distinct, int(seen[row]), size / total)[where]
        within += _share_within(likelihood, int(target))
    top1, top10, top100 = within / len(targets)
    return Attack(size, float(top1), float(top10), float(top100))


def _poisson(in_register: Counts, seen: int, share: float) -> NDArray[np.float64]:
    """Log likelihood that an address with such a count has its token seen so often.

    The record itself is one of those seen; the others were stored with probability `share`.
    """
    if seen == 0:
        return np.where(in_register == 0, 0.0, _IMPOSSIBLE)
    expected = np.maximum(in_register - 1, 1e-9) * share
    likelihood = (seen - 1) * np.log(expected) - expected - math.lgamma(seen)
    return np.where(in_register == 0, _IMPOSSIBLE, likelihood)


def _share_within(likelihood: NDArray[np.float64], target: int) -> NDArray[np.float64]:
    """The chance that the target stands first, within 10, within 100; ties in random order."""
    better = int((likelihood > likelihood[target] + 1e-9).sum())
    tied = int((np.abs(likelihood - likelihood[target]) <= 1e-9).sum())
    return np.array([min(max((limit - better) / tied, 0.0), 1.0) for limit in (1, 10, 100)])

"""The noise of a count: the same for the same set of records, whoever asks, however and whenever.

The cell-key method of the Australian Bureau of Statistics: each record has a secret random number;
the sum of those of a set, the cell key, decides the noise of its count (G. Thompson, S. Broadfoot,
D. Elazar, "Methodology for the automatic confidentialisation of statistical outputs from remote
servers", UNECE work session on statistical data confidentiality, 2013). Asking again therefore
teaches nothing. The noise has mean 0, variance VARIANCE, never more than WIDEST, and of all such it
is the one with most entropy (S. Giessing, Privacy in Statistical Databases 2016, 245-255).

The sum is hashed before it is used: the key of a union is the sum of the keys of its parts, and
without hashing the noise of the parts would say something about the noise of the whole.
"""

from bisect import bisect_right
from hashlib import blake2b
from itertools import accumulate
from math import exp

KEY_BITS = 32
"""Of a record's key, and of a cell key; a sum of a million keys fits in 64 bits."""

WIDEST = 5
VARIANCE = 4.0

_PERSON = b"postern-cell-key"
_HASH_BITS = 64


def noise(cell_key: int) -> int:
    """From -WIDEST to WIDEST. `cell_key` is the sum of the keys of the records, of any size."""
    reduced = cell_key % 2**KEY_BITS
    drawn = blake2b(
        reduced.to_bytes(KEY_BITS // 8, "big"), digest_size=_HASH_BITS // 8, person=_PERSON
    ).digest()
    return bisect_right(_BELOW, int.from_bytes(drawn, "big") / 2**_HASH_BITS) - WIDEST


def most_entropy(widest: int, variance: float) -> list[float]:
    """The probabilities of -widest to widest; proportional to exp(-b d^2), b by bisection."""
    distances = range(-widest, widest + 1)
    low, high = -1.0, 10.0
    for _ in range(200):
        middle = (low + high) / 2
        weights = [exp(-middle * d * d) for d in distances]
        spread = sum(w * d * d for w, d in zip(weights, distances, strict=True)) / sum(weights)
        low, high = (middle, high) if spread > variance else (low, middle)
    return [weight / sum(weights) for weight in weights]


_BELOW = [*accumulate(most_entropy(WIDEST, VARIANCE))][:-1]

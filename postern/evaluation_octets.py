"""Bulk evaluations for screening, as bytes: half the size of JSON, and read without parsing.

Request: the blinded elements, 32 bytes each, 1 to MOST. Answer: for every 1000 elements, in the
order of the request, as many evaluated elements and one proof of 64 bytes for them. How many
evaluations are left, and when the allowance begins again, stand in headers. Where the key is
shared, a request has up to 1000 elements, and the answer as many and a proof of each part: of the
platform, then of holders, whom a header names in the same order.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from postern import voprf
from postern.client_errors import AnswerMalformedError
from postern.group import SIZE

MOST = 10_000  # elements in one request
LEFT_HEADER = "Postern-Screening-Left"  # evaluations of today
RESETS_HEADER = "Postern-Screening-Resets"  # an ISO 8601 moment
PARTS_HEADER = "Postern-Screening-Parts"  # of a shared key: names of parts, with commas


@dataclass(frozen=True, slots=True)
class Proved:
    """What one key made of up to 1000 blinded elements, in their order, with one proof for all."""

    elements: tuple[bytes, ...]
    proof: bytes


def batches(elements: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """The elements as they go under one proof each."""
    for start in range(0, len(elements), voprf.MAX_BATCH):
        yield elements[start : start + voprf.MAX_BATCH]


def split(content: bytes) -> list[bytes]:
    """The elements of a request. Raises ValueError when it is not 1 to MOST of 32 bytes."""
    if len(content) % SIZE or not SIZE <= len(content) <= MOST * SIZE:
        raise ValueError(f"The body is not 1 to {MOST} elements of {SIZE} bytes. Split it.")
    return [content[place : place + SIZE] for place in range(0, len(content), SIZE)]


def packed(parts: Iterable[Proved]) -> bytes:
    """The answer, with `parts` as `batches` cuts them."""
    return b"".join(b"".join((*each.elements, each.proof)) for each in parts)


def unpacked(content: bytes, count: int) -> tuple[Proved, ...]:
    """The unverified parts of an answer to `count` elements. Raises AnswerMalformedError."""
    whole, rest = divmod(count, voprf.MAX_BATCH)
    return _cut(content, [voprf.MAX_BATCH] * whole + [rest] * bool(rest))


def unpacked_shared(content: bytes, count: int, parts: int) -> tuple[Proved, ...]:
    """The unverified parts of a shared key's answer, of `count` elements each.

    Raises AnswerMalformedError.
    """
    return _cut(content, [count] * parts)


def _cut(content: bytes, sizes: Sequence[int]) -> tuple[Proved, ...]:
    if len(content) != sum(sizes) * SIZE + len(sizes) * voprf.PROOF_SIZE:
        raise AnswerMalformedError("an evaluation")
    parts, place = [], 0
    for size in sizes:
        end = place + size * SIZE
        elements = tuple(content[start : start + SIZE] for start in range(place, end, SIZE))
        place = end + voprf.PROOF_SIZE
        parts.append(Proved(elements, content[end:place]))
    return tuple(parts)

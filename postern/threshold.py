"""One evaluation key in several hands: Shamir's shares, Feldman's commitments, Lagrange's weights.

The whole key is k = k_P + f(0). The platform has k_P; holder i, numbered from 1, has f(i) of a
polynomial f of degree t - 1 over the scalar field. Each evaluates as RFC 9497 has it, with a proof
against its own public key, and the client adds up: k*B = k_P*B + sum of weight_i * f(i)*B over any
t holders. Neither the platform alone, nor t - 1 holders with it, nor all holders without it can
evaluate. The commitments a_j*G to the coefficients are public: from them follows every holder's
public key (Feldman 1987), so that a holder that evaluates with anything else is known by name.

Dealing is done once, offline, with integers of Python; it is not constant-time.
"""

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from postern import group
from postern.group import L

LEAST_THRESHOLD = 2  # with one share each holder alone would do
MOST_HOLDERS = 16


class ThresholdError(ValueError):
    """A number of holders or a threshold is out of bounds, or a holder is named twice."""


class ShareRefusedError(Exception):
    """A share is not the one to which the dealer committed."""

    def __init__(self, number: int) -> None:
        super().__init__(
            f"The share of holder {number} does not fit the published commitments. Do not use it: "
            "repeat the ceremony, and find out who changed the file."
        )
        self.number = number


@dataclass(frozen=True, slots=True)
class Dealt:
    """What a dealer makes for one key: 32-byte shares by holder's number, and t commitments."""

    shares: Mapping[int, bytes]
    commitments: tuple[bytes, ...]

    def __repr__(self) -> str:
        return f"Dealt(holders={sorted(self.shares)})"


def deal(threshold: int, numbers: Collection[int], *, constant: bytes | None = None) -> Dealt:
    """Shares of a new random key, or of `constant`, of which `threshold` together evaluate.

    Raises ThresholdError, group.InvalidScalarError.
    """
    check_bounds(threshold, numbers)
    if constant is not None:
        group.check_scalar(constant)
    while True:
        coefficients = [_drawn() for _ in range(threshold)]
        if constant is not None:
            coefficients[0] = int.from_bytes(constant, "little")
        shares = {number: _at(coefficients, number) for number in numbers}
        if all(shares.values()):  # a share of zero, one chance in 2**252, evaluates nothing
            return Dealt(
                {number: _scalar(share) for number, share in shares.items()},
                tuple(group.base(_scalar(each)) for each in coefficients),
            )


def check_bounds(threshold: int, numbers: Collection[int]) -> None:
    """Return when so many holders, so numbered, may share a key. Raises ThresholdError."""
    distinct = set(numbers)
    if len(distinct) != len(numbers) or not all(1 <= each <= MOST_HOLDERS for each in distinct):
        raise ThresholdError(
            f"Holders are not numbered from 1 to {MOST_HOLDERS}, each once. Number them anew."
        )
    if not LEAST_THRESHOLD <= threshold <= len(distinct):
        raise ThresholdError(
            f"A threshold of {threshold} with {len(distinct)} holders is not from "
            f"{LEAST_THRESHOLD} to the number of holders. Use 2 of 3, or more."
        )


def share_key(commitments: Sequence[bytes], number: int) -> bytes:
    """The public key of holder `number`: f(number) * G, from the commitments alone.

    Raises group.InvalidElementError.
    """
    powers = [_scalar(pow(number, power, L)) for power in range(len(commitments))]
    return group.weighted_sum(powers, commitments)


def check_share(share: bytes, number: int, commitments: Sequence[bytes]) -> None:
    """Return when a share is the one that was committed to (Feldman).

    Raises ShareRefusedError, group.InvalidScalarError, group.InvalidElementError.
    """
    if group.base(share) != share_key(commitments, number):
        raise ShareRefusedError(number)


def weights(numbers: Collection[int]) -> dict[int, bytes]:
    """The scalar by which each of these holders' parts enters the sum (Lagrange, at 0).

    Raises ThresholdError when a number stands twice or is out of bounds.
    """
    if len(set(numbers)) != len(numbers) or not all(1 <= each <= MOST_HOLDERS for each in numbers):
        raise ThresholdError("A holder stands twice in a sum, or has no number. Leave one out.")
    found = {}
    for number in numbers:
        above, below = 1, 1
        for other in numbers:
            if other != number:
                above = above * other % L
                below = below * (other - number) % L
        found[number] = _scalar(above * pow(below, -1, L) % L)
    return found


def combine(own: Sequence[bytes], parts: Mapping[int, Sequence[bytes]]) -> list[bytes]:
    """What the whole key makes of the elements: the platform's part and those of t holders.

    Only for parts whose proofs were verified. Raises ThresholdError, ValueError for lists of
    unequal length, group.InvalidElementError.
    """
    numbers = sorted(parts)
    scalars = [weights(numbers)[number] for number in numbers]
    return [
        group.add(mine, group.weighted_sum(scalars, theirs))
        for mine, *theirs in zip(own, *(parts[number] for number in numbers), strict=True)
    ]


def moved(scalars: Sequence[bytes], factor: bytes) -> list[bytes]:
    """Shares, or the platform's key, times the factor of a rotation. Raises InvalidScalarError."""
    return [group.scalar_mul(each, factor) for each in scalars]


def moved_elements(elements: Sequence[bytes], factor: bytes) -> list[bytes]:
    """Commitments and public keys times the factor of a rotation. Raises InvalidElementError."""
    return group.mul_each(factor, elements)


def _at(coefficients: Sequence[int], number: int) -> int:
    value = 0
    for coefficient in reversed(coefficients):
        value = (value * number + coefficient) % L
    return value


def _drawn() -> int:
    return 1 + secrets.randbelow(L - 1)


def _scalar(number: int) -> bytes:
    return number.to_bytes(group.SIZE, "little")

"""The group ristretto255 (RFC 9496) over libsodium: the only unsafe edge of the package.

Elements are 32 bytes, scalars 32 bytes little-endian. Three invariants hold at this edge:

- libsodium never sees a pointer to fewer bytes than it reads or writes;
- an element that enters or leaves is the one canonical encoding of it, and not the identity;
- a scalar that enters is in 1..L-1; only `scalar_add` and `scalar_sub` can return zero.

libsodium 1.0.18 ignores bit 255 of an encoding and all versions take scalars of L and more;
both would give one value two spellings, so both are refused here (RFC 9496, sections 4.3.1, 4.4).
libsodium works in constant time; Python cannot wipe the copies of a scalar that it makes.
"""

import ctypes
from collections.abc import Callable, Iterable, Sequence

from postern import sodium

L = 2**252 + 27742317777372353535851937790883648493
"""The order of the group."""

SIZE = 32  # bytes of an element and of a scalar
WIDE = 64  # bytes of uniform input, for an element or for a scalar
GENERATOR = bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76")
_IDENTITY = bytes(SIZE)

_Buffer = ctypes.c_char * SIZE
_BIT_255 = 0x80  # in the last byte


class InvalidElementError(ValueError):
    """The bytes are not an element that this module accepts; `position` counts from 0 in a list."""

    def __init__(self, position: int = 0) -> None:
        super().__init__(
            f"Element {position} is not a canonical ristretto255 element other than the identity. "
            "Refuse the message it came in and have it sent again."
        )
        self.position = position


class InvalidScalarError(ValueError):
    """The bytes are not a scalar in 1..L-1."""

    def __init__(self) -> None:
        super().__init__(
            "A scalar is not 32 bytes that stand for a number from 1 to L-1. "
            "Refuse the message it came in; if it is a key, restore the key from its backup."
        )


class WideInputError(ValueError):
    """The bytes from which an element or a scalar is to be made are not 64."""

    def __init__(self) -> None:
        super().__init__("Uniform input must be 64 bytes. Pass the whole of a SHA-512 digest.")


def mul(scalar: bytes, element: bytes) -> bytes:
    """The element times the scalar. Raises InvalidScalarError, InvalidElementError."""
    return mul_each(scalar, (element,))[0]


def mul_each(scalar: bytes, elements: Iterable[bytes]) -> list[bytes]:
    """Each element times the same scalar, in order.

    Raises InvalidScalarError, or InvalidElementError with the position of the first bad element.
    """
    check_scalar(scalar)
    scalarmult = _sodium.crypto_scalarmult_ristretto255
    product = _Buffer()
    products = []
    for position, element in enumerate(elements):
        # libsodium decodes the element, and fails on a bad one and on the identity.
        if not _could_be_element(element) or scalarmult(product, scalar, element):
            raise InvalidElementError(position)
        products.append(product.raw)
    return products


def weighted_sum(scalars: Sequence[bytes], elements: Sequence[bytes]) -> bytes:
    """The sum of scalars[i] * elements[i], of one pair or more.

    Raises InvalidScalarError, InvalidElementError (also if the sum is the identity), and
    ValueError for lists of unequal length or none.
    """
    if not scalars:
        raise ValueError("A sum over no element has no encoding here. Pass one pair or more.")
    scalarmult = _sodium.crypto_scalarmult_ristretto255
    core_add = _sodium.crypto_core_ristretto255_add
    total, term = _Buffer(), _Buffer()
    for position, (scalar, element) in enumerate(zip(scalars, elements, strict=True)):
        check_scalar(scalar)
        result = term if position else total
        if not _could_be_element(element) or scalarmult(result, scalar, element):
            raise InvalidElementError(position)
        if position:
            core_add(total, total, term)  # cannot fail: both are encodings libsodium just made
    return _not_identity(total.raw)


def base(scalar: bytes) -> bytes:
    """The generator times the scalar. Raises InvalidScalarError."""
    check_scalar(scalar)
    product = _Buffer()
    _sodium.crypto_scalarmult_ristretto255_base(product, scalar)
    return product.raw


def add(left: bytes, right: bytes) -> bytes:
    """The sum of two elements. Raises InvalidElementError, also if the sum is the identity."""
    for position, element in enumerate((left, right)):
        if not _could_be_element(element) or element == _IDENTITY:
            raise InvalidElementError(position)
    total = _Buffer()
    if _sodium.crypto_core_ristretto255_add(total, left, right):
        raise InvalidElementError
    return _not_identity(total.raw)


def from_hash(uniform: bytes) -> bytes:
    """The element for 64 uniform bytes (RFC 9496, section 4.3.4). Raises WideInputError."""
    _require_wide(uniform)
    element = _Buffer()
    _sodium.crypto_core_ristretto255_from_hash(element, uniform)
    return _not_identity(element.raw)


def reduce(uniform: bytes) -> bytes:
    """The scalar for 64 uniform little-endian bytes, modulo L. Raises WideInputError."""
    _require_wide(uniform)
    scalar = _Buffer()
    _sodium.crypto_core_ristretto255_scalar_reduce(scalar, uniform)
    return scalar.raw


def random_scalar() -> bytes:
    """A uniform scalar in 1..L-1, from the operating system's generator."""
    scalar = _Buffer()
    _sodium.crypto_core_ristretto255_scalar_random(scalar)
    return scalar.raw


def invert(scalar: bytes) -> bytes:
    """The multiplicative inverse modulo L. Raises InvalidScalarError."""
    check_scalar(scalar)
    inverse = _Buffer()
    _sodium.crypto_core_ristretto255_scalar_invert(inverse, scalar)
    return inverse.raw


def scalar_add(left: bytes, right: bytes) -> bytes:
    """The sum modulo L, which may be zero. Raises InvalidScalarError."""
    return _combine(_sodium.crypto_core_ristretto255_scalar_add, left, right)


def scalar_sub(left: bytes, right: bytes) -> bytes:
    """The difference modulo L, which may be zero. Raises InvalidScalarError."""
    return _combine(_sodium.crypto_core_ristretto255_scalar_sub, left, right)


def scalar_mul(left: bytes, right: bytes) -> bytes:
    """The product modulo L. Raises InvalidScalarError."""
    return _combine(_sodium.crypto_core_ristretto255_scalar_mul, left, right)


def check_element(element: bytes) -> None:
    """Return when the bytes are a canonical element other than the identity.

    Raises InvalidElementError otherwise (RFC 9496, section 4.3.1; RFC 9497, section 4.1).
    """
    if (
        not _could_be_element(element)
        or element == _IDENTITY
        or _sodium.crypto_core_ristretto255_is_valid_point(element) != 1
    ):
        raise InvalidElementError


def check_scalar(scalar: bytes) -> None:
    """Return when the bytes are a scalar in 1..L-1. Raises InvalidScalarError otherwise."""
    # The comparison leaks nothing of a uniform scalar: it differs from L in its first digits.
    if not isinstance(scalar, bytes) or len(scalar) != SIZE:
        raise InvalidScalarError
    if not 0 < int.from_bytes(scalar, "little") < L:
        raise InvalidScalarError


def library() -> ctypes.CDLL:
    """The libsodium in use, for its version and for benchmarks; everything else calls the above."""
    return _sodium


def _could_be_element(element: bytes) -> bool:
    """Whether libsodium may decode it: the length is right and bit 255, which 1.0.18 ignores, 0."""
    return isinstance(element, bytes) and len(element) == SIZE and not element[-1] & _BIT_255


def _not_identity(element: bytes) -> bytes:
    if element == _IDENTITY:
        raise InvalidElementError
    return element


def _require_wide(uniform: bytes) -> None:
    if not isinstance(uniform, bytes) or len(uniform) != WIDE:
        raise WideInputError


def _combine(operation: Callable[..., int], left: bytes, right: bytes) -> bytes:
    check_scalar(left)
    check_scalar(right)
    result = _Buffer()
    operation(result, left, right)
    return result.raw


_sodium = sodium.load()

"""RFC 9497, ristretto255-SHA512, mode 1: an oblivious function whose results carry a proof.

The client blinds a value, the server evaluates what it cannot read and proves that it used the
key behind its public key, the client checks the proof and takes the blind off again. Names are
the RFC's; every mode-1 vector of its Appendix A.1.2 passes byte for byte.

Elements are 32 bytes, scalars and keys 32 bytes, proofs 64 bytes (c, then s).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha512

from postern import group

CONTEXT = b"OPRFV1-\x01-ristretto255-SHA512"  # section 3.1; \x01 is the mode
MAX_BATCH = 1000  # elements under one proof; the RFC's own limit is 65535
MAX_INPUT = 2**16 - 1  # bytes
SEED_SIZE = 32
PROOF_SIZE = 2 * group.SIZE

_HASH_TO_GROUP = b"HashToGroup-" + CONTEXT
_HASH_TO_SCALAR = b"HashToScalar-" + CONTEXT
_DERIVE_KEY_PAIR = b"DeriveKeyPair" + CONTEXT
_SEED = b"Seed-" + CONTEXT
_Z_PAD = bytes(128)  # one block of SHA-512


class ProofInvalidError(Exception):
    """The evaluation was not made with the key that belongs to the public key."""

    def __init__(self) -> None:
        super().__init__(
            "The proof does not show that this public key's secret key was used. "
            "Discard the whole answer and report it to your compliance officer."
        )


class BatchSizeError(ValueError):
    """A batch is empty, too long, or its lists have different lengths."""

    def __init__(self) -> None:
        super().__init__(
            f"A batch must have 1 to {MAX_BATCH} elements and as many in each of its lists. "
            "Split it, or ask for the missing elements again."
        )


class InvalidInputError(ValueError):
    """A value or an info string is longer than the RFC allows, or a seed is not 32 bytes."""


class DeriveKeyPairError(Exception):
    """No key came out of 256 attempts (section 3.2.1): does not happen with a sound hash."""


@dataclass(frozen=True, slots=True)
class Finalised:
    """What the client has for one value: the unblinded element N and the RFC's 64-byte output."""

    element: bytes
    output: bytes


def derive_key_pair(seed: bytes, info: bytes) -> tuple[bytes, bytes]:
    """The secret and the public key for a 32-byte seed and a public label (section 3.2.1).

    Raises InvalidInputError for another seed length or too long a label, DeriveKeyPairError.
    """
    if len(seed) != SEED_SIZE:
        raise InvalidInputError("The seed must be 32 bytes. Draw it from a random generator.")
    derive_input = seed + _prefixed(info)
    for counter in range(256):
        secret_key = group.reduce(_expand(derive_input + bytes((counter,)), _DERIVE_KEY_PAIR))
        if any(secret_key):
            return secret_key, group.base(secret_key)
    raise DeriveKeyPairError("No key could be derived from this seed. Use another seed.")


def blind(value: bytes, *, r: bytes | None = None) -> tuple[bytes, bytes]:
    """The blind, to be kept secret, and the blinded element, to be sent (section 3.3.1).

    `r` fixes the blind, for test vectors only: a blind used twice links two values.
    Raises InvalidInputError for more than 65535 bytes.
    """
    element = group.from_hash(_expand(_within(value), _HASH_TO_GROUP))
    r = group.random_scalar() if r is None else r
    return r, group.mul(r, element)


def evaluate(
    secret_key: bytes, public_key: bytes, blinded: Sequence[bytes], *, r: bytes | None = None
) -> tuple[list[bytes], bytes]:
    """The evaluated elements, in order, and one proof for all (BlindEvaluate, section 3.3.2).

    The pair of keys must belong together, or no client will accept the proof.
    Raises BatchSizeError, group.InvalidElementError (with the position), group.InvalidScalarError.
    """
    _check_batch(blinded)
    evaluated = group.mul_each(secret_key, blinded)
    return evaluated, prove(secret_key, public_key, blinded, evaluated, r=r)


def prove(
    k: bytes,
    public: bytes,
    inputs: Sequence[bytes],
    outputs: Sequence[bytes],
    *,
    base: bytes = group.GENERATOR,
    r: bytes | None = None,
) -> bytes:
    """A proof that public = k * base and outputs[i] = k * inputs[i] (GenerateProof, section 2.2.1).

    It does not check that this is so. With `base` another element than the generator it serves
    key rotation: base = old public key, public = new public key, k = the factor between them.
    The RFC's challenge does not cover `base`: the verifier must know it from before the proof.
    `r` is for test vectors only: an `r` used twice gives k away.
    """
    return prove_sums(k, public, inputs, outputs, base=base, r=r)[2]


def prove_sums(
    k: bytes,
    public: bytes,
    inputs: Sequence[bytes],
    outputs: Sequence[bytes],
    *,
    base: bytes = group.GENERATOR,
    r: bytes | None = None,
) -> tuple[bytes, bytes, bytes]:
    """The sums M and Z of `composites`, and the proof of `prove` over them."""
    _check_batch(inputs, outputs)
    # ComputeCompositesFast: who knows k needs no weighted sum over the outputs.
    m = group.weighted_sum(_weights(public, inputs, outputs), inputs)
    z = group.mul(k, m)
    r = group.random_scalar() if r is None else r
    c = _challenge(public, m, z, _times(r, base), group.mul(r, m))
    return m, z, c + group.scalar_sub(r, group.scalar_mul(c, k))


def verify(
    public: bytes,
    inputs: Sequence[bytes],
    outputs: Sequence[bytes],
    proof: bytes,
    *,
    base: bytes = group.GENERATOR,
) -> None:
    """Return when the proof shows what `prove` states (VerifyProof, section 2.2.2).

    Raises ProofInvalidError, BatchSizeError, and group.InvalidElementError for an element that
    is none, whatever the proof says.
    """
    _check_batch(inputs, outputs)
    group.check_element(public)
    group.check_element(base)
    verify_composites(public, *composites(public, inputs, outputs), proof, base=base)


def composites(
    public: bytes, inputs: Sequence[bytes], outputs: Sequence[bytes]
) -> tuple[bytes, bytes]:
    """The weighted sums M and Z over a batch, of which its proof speaks (section 2.2.1).

    Raises BatchSizeError, group.InvalidElementError.
    """
    _check_batch(inputs, outputs)
    weights = _weights(public, inputs, outputs)
    return group.weighted_sum(weights, inputs), group.weighted_sum(weights, outputs)


def verify_composites(
    public: bytes, m: bytes, z: bytes, proof: bytes, *, base: bytes = group.GENERATOR
) -> None:
    """Return when the proof shows that public = k * base and z = k * m, for sums as they are told.

    For who may not see the batch: that the sums are those of certain elements is not shown.
    Raises ProofInvalidError, and group.InvalidElementError for a key that is no element.
    """
    group.check_element(public)
    group.check_element(base)
    c, s = proof[: group.SIZE], proof[group.SIZE :]
    try:
        t2 = group.add(_times(s, base), group.mul(c, public))
        t3 = group.weighted_sum((s, c), (m, z))
    except (group.InvalidScalarError, group.InvalidElementError) as error:
        raise ProofInvalidError from error
    if _challenge(public, m, z, t2, t3) != c:
        raise ProofInvalidError


def unblind(r: bytes, evaluated: bytes) -> bytes:
    """The element N = k * HashToGroup(value): what the key makes of the value, without the blind.

    Only for an element whose proof was verified. Raises group.InvalidElementError,
    group.InvalidScalarError.
    """
    return group.mul(group.invert(r), evaluated)


def output(value: bytes, element: bytes) -> bytes:
    """The RFC's 64-byte output for a value and its unblinded element (section 3.3.1)."""
    return sha512(_prefixed(value) + _prefixed(element) + b"Finalize").digest()


def finalize(
    values: Sequence[bytes],
    blinds: Sequence[bytes],
    blinded: Sequence[bytes],
    evaluated: Sequence[bytes],
    *,
    public_key: bytes,
    proof: bytes,
) -> list[Finalised]:
    """Verify the proof, then take the blinds off (Finalize, section 3.3.2), in order.

    Raises ProofInvalidError, BatchSizeError, group.InvalidElementError; no result is returned
    unless all are proved.
    """
    _check_batch(values, blinds, blinded, evaluated)
    verify(public_key, blinded, evaluated, proof)
    elements = [unblind(r, element) for r, element in zip(blinds, evaluated, strict=True)]
    return [Finalised(n, output(value, n)) for value, n in zip(values, elements, strict=True)]


def _weights(public: bytes, inputs: Sequence[bytes], outputs: Sequence[bytes]) -> list[bytes]:
    """The scalars d_i of ComputeComposites (section 2.2.1), bound to the whole statement."""
    seed = sha512(_prefixed(public) + _prefixed(_SEED)).digest()
    head = _prefixed(seed)
    return [
        _hash_to_scalar(
            b"".join(
                (head, i.to_bytes(2, "big"), _prefixed(ci), _prefixed(di), b"Composite"),
            )
        )
        for i, (ci, di) in enumerate(zip(inputs, outputs, strict=True))
    ]


def _times(scalar: bytes, base: bytes) -> bytes:
    return group.base(scalar) if base == group.GENERATOR else group.mul(scalar, base)


def _challenge(public: bytes, m: bytes, z: bytes, t2: bytes, t3: bytes) -> bytes:
    transcript = b"".join(_prefixed(element) for element in (public, m, z, t2, t3))
    return _hash_to_scalar(transcript + b"Challenge")


def _hash_to_scalar(message: bytes) -> bytes:
    return group.reduce(_expand(message, _HASH_TO_SCALAR))


def _expand(message: bytes, dst: bytes) -> bytes:
    """expand_message_xmd of RFC 9380, section 5.3.1, with SHA-512, for 64 bytes: one block."""
    dst_prime = dst + bytes((len(dst),))
    b_0 = sha512(_Z_PAD + message + b"\x00\x40\x00" + dst_prime).digest()
    return sha512(b_0 + b"\x01" + dst_prime).digest()


def _prefixed(text: bytes) -> bytes:
    return len(_within(text)).to_bytes(2, "big") + text


def _within(text: bytes) -> bytes:
    if len(text) > MAX_INPUT:
        raise InvalidInputError("The input is longer than 65535 bytes. Shorten or refuse it.")
    return text


def _check_batch(*lists: Sequence[bytes]) -> None:
    sizes = {len(each) for each in lists}
    if len(sizes) != 1 or not 1 <= sizes.pop() <= MAX_BATCH:
        raise BatchSizeError

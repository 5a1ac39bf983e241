"""HPKE (RFC 9180), base mode, single shot: bytes that only the holder of one key can read.

Two suites, both with HKDF-SHA256 and AES-256-GCM: MLKEM768-X25519, known as X-Wing (0x647A of
draft-ietf-hpke-pq), for every key made here, and X25519 (0x0020) for keys of others.
"""

import hashlib
import secrets
from dataclasses import dataclass
from enum import IntEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
)
from cryptography.hazmat.primitives.hpke import Suite as Primitives

SEED_SIZE = 32  # bytes of the secret from which a key pair of either suite follows
KID_SIZE = 16  # bytes
TAG_SIZE = 16  # bytes that AES-GCM adds

_MLKEM_PUBLIC_SIZE = 1184  # bytes, before the 32 of X25519
_MLKEM_SEED_SIZE = 64  # bytes of the 96 into which X-Wing expands its seed
_KID_LABEL = b"PN-kid-v1"
_LONGEST_FIELD = 2**16 - 1  # bytes that a two-byte length can announce


class Suite(IntEnum):
    """The KEM, by its number in the HPKE registry; KDF and AEAD are the same for both."""

    MLKEM768_X25519 = 0x647A
    X25519 = 0x0020

    @property
    def public_size(self) -> int:
        """Bytes of a public key."""
        return _SIZES[self][0]

    @property
    def overhead(self) -> int:
        """Bytes by which a ciphertext is longer than its content."""
        return _SIZES[self][1] + TAG_SIZE


_SIZES = {Suite.MLKEM768_X25519: (1216, 1120), Suite.X25519: (32, 32)}  # public key, encapsulation
_PRIMITIVES = {
    Suite.MLKEM768_X25519: Primitives(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM),
    Suite.X25519: Primitives(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM),
}


class PublicKeyError(ValueError):
    """The bytes are no public key of the suite."""


class DecryptionError(ValueError):
    """The ciphertext is for another key or another `info`, or was changed."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key to which anyone can encrypt. Raises PublicKeyError for bytes that are none."""

    suite: Suite
    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != self.suite.public_size:
            raise PublicKeyError(
                f"A public key of {self.suite.name} has {self.suite.public_size} bytes, not "
                f"{len(self.raw)}. Get the key again from its owner."
            )
        self._loaded()

    @property
    def kid(self) -> bytes:
        """The key's name, 16 bytes that follow from the key: no two keys can share one."""
        named = framed(_KID_LABEL, self.suite.to_bytes(2, "big"), self.raw)
        return hashlib.sha256(named).digest()[:KID_SIZE]

    def encrypt(self, content: bytes, info: bytes) -> bytes:
        """enc || ciphertext, bound to `info`. Raises PublicKeyError for a key of low order."""
        try:
            return _PRIMITIVES[self.suite].encrypt(content, self._loaded(), info)
        except ValueError as error:
            raise _no_key(self.suite) from error

    def _loaded(self) -> MLKEM768X25519PublicKey | X25519PublicKey:
        try:
            if self.suite is Suite.X25519:
                return X25519PublicKey.from_public_bytes(self.raw)
            return MLKEM768X25519PublicKey(
                MLKEM768PublicKey.from_public_bytes(self.raw[:_MLKEM_PUBLIC_SIZE]),
                X25519PublicKey.from_public_bytes(self.raw[_MLKEM_PUBLIC_SIZE:]),
            )
        except ValueError as error:
            raise _no_key(self.suite) from error


class SecretKey:
    """The key pair that follows from a 32-byte seed; shows the seed in no text."""

    def __init__(self, suite: Suite, seed: bytes) -> None:
        if len(seed) != SEED_SIZE:
            raise ValueError(f"A seed has {SEED_SIZE} bytes. Read the key again.")
        self.seed = seed
        self._private, raw = _expanded(suite, seed)
        self.public = PublicKey(suite, raw)

    @classmethod
    def new(cls, suite: Suite = Suite.MLKEM768_X25519) -> "SecretKey":
        """A new key from the system's randomness."""
        return cls(suite, secrets.token_bytes(SEED_SIZE))

    def __repr__(self) -> str:
        return f"SecretKey({self.public.suite.name}, kid={self.public.kid.hex()})"

    def decrypt(self, ciphertext: bytes, info: bytes) -> bytes:
        """The content of enc || ciphertext. Raises DecryptionError."""
        try:
            return _PRIMITIVES[self.public.suite].decrypt(ciphertext, self._private, info)
        except (InvalidTag, ValueError) as error:
            raise DecryptionError(
                "The ciphertext does not open with this key and context. Check that it is the one "
                "that was meant."
            ) from error


def framed(*fields: bytes) -> bytes:
    """Fields with a two-byte big-endian length before each: no two lists give the same bytes."""
    if any(len(field) > _LONGEST_FIELD for field in fields):
        raise ValueError(f"A field is longer than {_LONGEST_FIELD} bytes. Shorten it.")
    return b"".join(len(field).to_bytes(2, "big") + field for field in fields)


def _expanded(
    suite: Suite, seed: bytes
) -> tuple[MLKEM768X25519PrivateKey | X25519PrivateKey, bytes]:
    """The private key and the public bytes (draft-connolly-cfrg-xwing-kem, section 5.2)."""
    if suite is Suite.X25519:
        alone = X25519PrivateKey.from_private_bytes(seed)
        return alone, alone.public_key().public_bytes_raw()
    expanded = hashlib.shake_256(seed).digest(_MLKEM_SEED_SIZE + SEED_SIZE)
    lattice = MLKEM768PrivateKey.from_seed_bytes(expanded[:_MLKEM_SEED_SIZE])
    curve = X25519PrivateKey.from_private_bytes(expanded[_MLKEM_SEED_SIZE:])
    raw = lattice.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()
    return MLKEM768X25519PrivateKey(lattice, curve), raw


def _no_key(suite: Suite) -> PublicKeyError:
    return PublicKeyError(
        f"The bytes are no public key of {suite.name}. Get the key again from its owner."
    )

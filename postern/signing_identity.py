"""The key by which an organisation signs: Ed25519 (RFC 8032), each use under its own label."""

import hashlib
import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from postern.hpke import KID_SIZE, SEED_SIZE, framed

SIGNATURE_SIZE = 64  # bytes
VERIFYING_KEY_SIZE = 32  # bytes
_KID_LABEL = b"PN-signing-kid-v1"


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """The public half, 32 bytes. Raises ValueError for another length."""

    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != VERIFYING_KEY_SIZE:
            raise ValueError(
                f"A verifying key has {VERIFYING_KEY_SIZE} bytes. Get the key again from its owner."
            )

    @property
    def kid(self) -> bytes:
        """The key's name, 16 bytes that follow from the key."""
        return hashlib.sha256(framed(_KID_LABEL, self.raw)).digest()[:KID_SIZE]

    def signed(self, signature: bytes, label: bytes, message: bytes) -> bool:
        """Whether the signature is by this key, over this message, for the use of this label."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, framed(label) + message)
        except (InvalidSignature, ValueError):
            return False
        return True


class SigningIdentity:
    """The key pair that follows from a 32-byte seed; shows the seed in no text."""

    def __init__(self, seed: bytes) -> None:
        self.seed = seed
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = VerifyingKey(self._private.public_key().public_bytes_raw())

    @classmethod
    def new(cls) -> "SigningIdentity":
        """A new identity from the system's randomness."""
        return cls(secrets.token_bytes(SEED_SIZE))

    def __repr__(self) -> str:
        return f"SigningIdentity(kid={self.public.kid.hex()})"

    def sign(self, label: bytes, message: bytes) -> bytes:
        """64 bytes; what is signed for one label is never valid for another."""
        return self._private.sign(framed(label) + message)

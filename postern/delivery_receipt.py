"""The proof that a requester opened a delivery: signed on its premises, kept by the platform.

Ed25519 by the requester's signing identity under its own label, over
lp(request id, delivery id, SHA-256 of the envelope, check word). docs/disclosures-on-premises.md
has it for those who write another implementation.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from postern.envelope import DIGEST_SIZE
from postern.hpke import framed
from postern.signing_identity import SigningIdentity, VerifyingKey
from postern.vocabulary import TokenCheck

_LABEL = b"PN-delivery-receipt-v1"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is signed: the ids as they stand in JSON, the envelope's digest, the finding.

    Raises ValueError for a digest that is not of 32 bytes.
    """

    request: str
    delivery: str
    digest: bytes
    check: TokenCheck

    def __post_init__(self) -> None:
        if len(self.digest) != DIGEST_SIZE:
            raise ValueError(f"A digest has {DIGEST_SIZE} bytes. Take SHA-256 of the envelope.")

    def encode(self) -> bytes:
        """The bytes that are signed, each field with its length before it."""
        return framed(
            self.request.encode(), self.delivery.encode(), self.digest, self.check.value.encode()
        )


def signed(receipt: Receipt, identity: SigningIdentity) -> bytes:
    """The signature over a receipt, 64 bytes."""
    return identity.sign(_LABEL, receipt.encode())


def verify(receipt: Receipt, signature: bytes, kid: bytes, keys: Iterable[VerifyingKey]) -> bool:
    """Whether the one of `keys`, the requester's, that is named `kid` signed this receipt."""
    named = [key for key in keys if key.kid == kid]
    return any(key.signed(signature, _LABEL, receipt.encode()) for key in named)

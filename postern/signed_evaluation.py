"""The organisation's own word for an evaluation, which holders of key shares ask for.

A holder does not take the platform's word for who asks: else a platform could spend every member's
allowance. So the organisation signs what is to be evaluated, with the moment and a number used
once, under a label of its own. The case is not signed: a holder has no need of it.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from postern.base64url import to_base64url
from postern.hpke import framed
from postern.signing_identity import SIGNATURE_SIZE, SigningIdentity, VerifyingKey
from postern.vocabulary import EvaluationKind, Purpose

LABEL = b"PN-evaluate-v1"
REQUEST_ID_SIZE = 16  # bytes
TOLERANCE_SECONDS = 300  # between the clock of who signs and that of a holder


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be evaluated; `commitment` is C_0 of the key's sharing, which names the key."""

    organisation: str
    kind: EvaluationKind
    epoch: int
    commitment: bytes
    purpose: Purpose
    elements: Sequence[bytes]

    def message(self, request_id: bytes, asked_at: int) -> bytes:
        """What is signed; `asked_at` in whole seconds since 1970."""
        return framed(
            self.organisation.encode(),
            self.kind.value.encode(),
            self.epoch.to_bytes(4, "big"),
            self.commitment,
            self.purpose.value.encode(),
            request_id,
            asked_at.to_bytes(8, "big"),
            hashlib.sha512(b"".join(self.elements)).digest(),
        )


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature over a question, good once at each holder and for a few minutes."""

    request_id: bytes
    asked_at: int
    signature: bytes

    def word(self) -> str:
        """The signature where a request has no room for more than a word."""
        request_id, signature = to_base64url(self.request_id), to_base64url(self.signature)
        return f"{request_id}.{self.asked_at}.{signature}"

    def is_by(self, key: VerifyingKey, question: Question) -> bool:
        """Whether this key signed this question."""
        if len(self.request_id) != REQUEST_ID_SIZE or len(self.signature) != SIGNATURE_SIZE:
            return False
        message = question.message(self.request_id, self.asked_at)
        return key.signed(self.signature, LABEL, message)

    def is_timely(self, now: datetime) -> bool:
        """Whether it was signed within a few minutes of now."""
        return abs(now.timestamp() - self.asked_at) <= TOLERANCE_SECONDS


class Signs(Protocol):
    """What signs questions for an organisation, such as a `RequestSigner`."""

    def sign(
        self,
        kind: EvaluationKind,
        epoch: int,
        commitment: bytes,
        purpose: Purpose,
        elements: Sequence[bytes],
    ) -> Signed: ...


def sign(identity: SigningIdentity, question: Question, now: datetime) -> Signed:
    """A question signed at a moment, under a new number."""
    request_id, asked_at = secrets.token_bytes(REQUEST_ID_SIZE), int(now.timestamp())
    return Signed(
        request_id, asked_at, identity.sign(LABEL, question.message(request_id, asked_at))
    )

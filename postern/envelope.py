"""The binary form of a sealed envelope, and the context to which it is bound.

    "PNSE" | version 1 | AEAD 0x0002 | signer kid 16 | context digest 32 | commitment 32 | count 1
    for each recipient: suite 2 | kid 16 | wrapped, of the suite's length
    content length 4 | content | signature 64

Numbers are big-endian. Every length follows from what stands before it, so that an envelope has
one form only. docs/keys.md describes it for those who write another implementation.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from postern.hpke import KID_SIZE, TAG_SIZE, Suite, framed
from postern.pseudonym import LARGEST_EPOCH, TOKEN_SIZE
from postern.seal_errors import (
    ContextInvalidError,
    EnvelopeMalformedError,
    EnvelopeSignatureError,
    SignerUnknownError,
)
from postern.signing_identity import SIGNATURE_SIZE, SigningIdentity, VerifyingKey

LARGEST_CONTENT = 10_000_000  # bytes, before padding
MOST_RECIPIENTS = 16
STEP = 256  # bytes to a multiple of which content is padded
SECRET_SIZE = 32  # bytes wrapped for each recipient
DIGEST_SIZE = 32  # bytes of the context digest and of the commitment
LENGTH_SIZE = 4  # bytes that announce the content's length
LARGEST_SEALED = -(-(LENGTH_SIZE + LARGEST_CONTENT) // STEP) * STEP + TAG_SIZE

ORGANISATION = re.compile(r"[a-z0-9-]{2,40}")
"""An organisation's code, as on the platform."""

_START = b"PNSE\x01" + (0x0002).to_bytes(2, "big")
_CONTEXT_LABEL = b"PN-seal-context-v1"
_SIGNED = b"PN-seal-signature-v1"
_REFERENCE = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_RECORD = re.compile(r"[A-Za-z0-9._:/-]{1,128}")
_WORD = re.compile(r"[a-z0-9_]{1,32}")
_PART = re.compile(r"[a-z0-9_]{1,32}(/[0-9]{1,6})?")
_FORMS = {
    "owner": ORGANISATION,
    "kind": _WORD,
    "record": _RECORD,
    "part": _PART,
    "request": _REFERENCE,
    "requester": ORGANISATION,
    "approver": _REFERENCE,
}


@dataclass(frozen=True, slots=True)
class Resealing:
    """For whom and by whose decision an owner seals a content again: a disclosure."""

    request: str
    requester: str
    approver: str

    def __post_init__(self) -> None:
        _check(self)


@dataclass(frozen=True, slots=True)
class Context:
    """Where an envelope belongs; it opens nowhere else. None of it is secret.

    `owner` is an organisation's code, `kind` what the record is about, `epoch` and `token` (16
    bytes) what it is matched by (0, and zeros or no bytes, for a record that is not matched, such
    as a report), `record` its id, `part` what of it: "value", "note", "attachment/1".
    Raises ContextInvalidError.
    """

    owner: str
    kind: str
    epoch: int
    token: bytes
    record: str
    part: str
    resealing: Resealing | None = None

    def __post_init__(self) -> None:
        _check(self)
        if not 0 <= self.epoch <= LARGEST_EPOCH:
            raise ContextInvalidError("epoch")
        if len(self.token) not in (0, TOKEN_SIZE):
            raise ContextInvalidError("token")

    def encode(self) -> bytes:
        """Every field with its length before it; a disclosure has three more."""
        again = self.resealing
        decided = (again.request, again.requester, again.approver) if again else ()
        return framed(
            self.owner.encode(),
            self.kind.encode(),
            self.epoch.to_bytes(4, "big"),
            self.token,
            self.record.encode(),
            self.part.encode(),
            *(word.encode() for word in decided),
        )

    def digest(self) -> bytes:
        """32 bytes by which an envelope in the wrong place is told from a changed one."""
        return hashlib.sha256(framed(_CONTEXT_LABEL) + self.encode()).digest()


@dataclass(frozen=True, slots=True)
class Wrapped:
    """The content's secret as one recipient gets it."""

    suite: Suite
    kid: bytes
    ciphertext: bytes

    def encode(self) -> bytes:
        """The recipient's part of the envelope."""
        return self.suite.to_bytes(2, "big") + self.kid + self.ciphertext


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before the content: who signed, for where, for whom."""

    signer: bytes
    context: bytes
    commitment: bytes
    recipients: tuple[Wrapped, ...]

    def encode(self) -> bytes:
        """The bytes of the head, which the content authenticates."""
        return b"".join(
            (
                _START,
                self.signer,
                self.context,
                self.commitment,
                len(self.recipients).to_bytes(1, "big"),
                *(each.encode() for each in self.recipients),
            )
        )


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope in its parts, which nobody checked yet. `signed` is all but the signature."""

    head: Head
    sealed: memoryview
    signed: memoryview
    signature: bytes

    @classmethod
    def parse(cls, raw: bytes) -> "Envelope":
        """The parts of an envelope, without copying its content. Raises EnvelopeMalformedError."""
        reading = _Reading(raw)
        if reading.take(len(_START)) != _START:
            raise EnvelopeMalformedError("it does not begin like one of a version known here")
        signer, context = reading.take(KID_SIZE), reading.take(DIGEST_SIZE)
        commitment, count = reading.take(DIGEST_SIZE), reading.number(1)
        if not 1 <= count <= MOST_RECIPIENTS:
            raise EnvelopeMalformedError("its number of recipients is out of bounds")
        recipients = tuple(reading.recipient() for _ in range(count))
        length = reading.number(LENGTH_SIZE)
        if not STEP + TAG_SIZE <= length <= LARGEST_SEALED or (length - TAG_SIZE) % STEP:
            raise EnvelopeMalformedError("its content is of a length that no content has")
        sealed = reading.view(length)
        signed, signature = reading.before(), reading.take(SIGNATURE_SIZE)
        reading.end()
        return cls(Head(signer, context, commitment, recipients), sealed, signed, signature)

    def check_signature(self, signers: Iterable[VerifyingKey]) -> None:
        """Return when one of `signers` signed it, which needs no secret key.

        Raises SignerUnknownError, EnvelopeSignatureError.
        """
        known = {key.kid: key for key in signers}
        signer = known.get(self.head.signer)
        if signer is None:
            raise SignerUnknownError(self.head.signer)
        if not signer.signed(self.signature, _SIGNED, _hashed(self.signed)):
            raise EnvelopeSignatureError


def signature(body: bytes, signer: SigningIdentity) -> bytes:
    """What a sealer puts after `body`, 64 bytes."""
    return signer.sign(_SIGNED, _hashed(body))


class _Reading:
    """Takes bytes from the front; too few or any left over are an error."""

    def __init__(self, raw: bytes) -> None:
        self._raw = memoryview(raw)
        self._at = 0

    def view(self, size: int) -> memoryview:
        part = self._raw[self._at : self._at + size]
        if len(part) != size:
            raise EnvelopeMalformedError("it is cut off")
        self._at += size
        return part

    def take(self, size: int) -> bytes:
        return bytes(self.view(size))

    def number(self, size: int) -> int:
        return int.from_bytes(self.view(size), "big")

    def recipient(self) -> Wrapped:
        try:
            suite = Suite(self.number(2))
        except ValueError:
            raise EnvelopeMalformedError("a recipient's suite is not known here") from None
        kid = self.take(KID_SIZE)
        return Wrapped(suite, kid, self.take(SECRET_SIZE + suite.overhead))

    def before(self) -> memoryview:
        return self._raw[: self._at]

    def end(self) -> None:
        if self._at != len(self._raw):
            raise EnvelopeMalformedError("bytes follow after its end")


def _hashed(body: bytes | memoryview) -> bytes:
    """What is signed: a digest, so that a large content is not copied once more."""
    return hashlib.sha512(body).digest()


def _check(context: Context | Resealing) -> None:
    for name, form in _FORMS.items():
        if hasattr(context, name) and not form.fullmatch(getattr(context, name)):
            raise ContextInvalidError(name)

"""Sealed envelopes: content that only its recipients read, in one place, from one known sealer.

The content is encrypted once, by AES-256-GCM under a key that is never used again. The secret from
which that key follows is wrapped for each recipient by HPKE, bound to the context, the recipient
and the signer. The head commits to the secret, so that two recipients can never read two different
contents. The sealer signs everything. `postern.envelope` has the binary form.
"""

import secrets
from collections.abc import Iterable, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from postern.envelope import (
    DIGEST_SIZE,
    LARGEST_CONTENT,
    LENGTH_SIZE,
    MOST_RECIPIENTS,
    SECRET_SIZE,
    STEP,
    Context,
    Envelope,
    Head,
    Resealing,
    Wrapped,
    signature,
)
from postern.hpke import DecryptionError, PublicKey, SecretKey, Suite, framed
from postern.seal_errors import (
    ContentDamagedError,
    ContentTooLargeError,
    ContextMismatchError,
    NotARecipientError,
    RecipientsInvalidError,
    RecipientSwappedError,
)
from postern.signing_identity import SigningIdentity, VerifyingKey

__all__ = ["LARGEST_CONTENT", "Context", "Resealing", "open_envelope", "seal"]

_LABEL = b"PN-seal-v1"
_DERIVED = b"PN-seal-content-v1"
_KEY_SIZE = 32  # bytes of AES-256
_NONCE = bytes(12)  # constant, because each key encrypts one content only


def seal(
    content: bytes, context: Context, recipients: Sequence[PublicKey], signer: SigningIdentity
) -> bytes:
    """An envelope around `content`, up to 10,000,000 bytes, for every recipient's key.

    Its length tells that of the content to 256 bytes only. Raises ContentTooLargeError,
    RecipientsInvalidError, hpke.PublicKeyError.
    """
    if len(content) > LARGEST_CONTENT:
        raise ContentTooLargeError(LARGEST_CONTENT)
    if not 1 <= len({key.kid for key in recipients}) == len(recipients) <= MOST_RECIPIENTS:
        raise RecipientsInvalidError(MOST_RECIPIENTS)
    secret = secrets.token_bytes(SECRET_SIZE)
    key, commitment = _derived(secret)
    signing = signer.public.kid
    wrapped = tuple(
        Wrapped(
            recipient.suite,
            recipient.kid,
            recipient.encrypt(secret, _info(recipient.suite, recipient.kid, signing, context)),
        )
        for recipient in recipients
    )
    head = Head(signing, context.digest(), commitment, wrapped).encode()
    sealed = AESGCM(key).encrypt(_NONCE, _padded(content), head)
    body = head + len(sealed).to_bytes(LENGTH_SIZE, "big") + sealed
    return body + signature(body, signer)


def open_envelope(
    raw: bytes, context: Context, keys: Iterable[SecretKey], signers: Iterable[VerifyingKey]
) -> bytes:
    """The content of an envelope found in `context`, with any of `keys`, by one of `signers`.

    `signers` are the keys, present and earlier, of the one organisation that must have sealed it.
    Raises EnvelopeMalformedError, SignerUnknownError, EnvelopeSignatureError,
    ContextMismatchError, NotARecipientError, RecipientSwappedError, ContentDamagedError, in this
    order: nothing is decrypted before signature and context hold.
    """
    envelope = Envelope.parse(raw)
    envelope.check_signature(signers)
    if not secrets.compare_digest(envelope.head.context, context.digest()):
        raise ContextMismatchError
    secret = _unwrapped(envelope.head, context, keys)
    key, commitment = _derived(secret)
    if not secrets.compare_digest(commitment, envelope.head.commitment):
        raise RecipientSwappedError
    try:
        padded = AESGCM(key).decrypt(_NONCE, envelope.sealed, envelope.head.encode())
    except InvalidTag:
        raise ContentDamagedError from None
    return _unpadded(padded)


def _unwrapped(head: Head, context: Context, keys: Iterable[SecretKey]) -> bytes:
    held = {(key.public.suite, key.public.kid): key for key in keys}
    for part in head.recipients:
        key = held.get((part.suite, part.kid))
        if key is None:
            continue
        try:
            return key.decrypt(part.ciphertext, _info(part.suite, part.kid, head.signer, context))
        except DecryptionError:
            raise RecipientSwappedError from None
    raise NotARecipientError(tuple(part.kid for part in head.recipients))


def _info(suite: Suite, kid: bytes, signer: bytes, context: Context) -> bytes:
    # The signer's key is part of it: else anyone could sign another's envelope as their own.
    return framed(_LABEL, suite.to_bytes(2, "big"), kid, signer) + context.encode()


def _derived(secret: bytes) -> tuple[bytes, bytes]:
    """The content's key, and the commitment to it that tells nothing about it."""
    both = HKDFExpand(SHA256(), _KEY_SIZE + DIGEST_SIZE, _DERIVED).derive(secret)
    return both[:_KEY_SIZE], both[_KEY_SIZE:]


def _padded(content: bytes) -> bytes:
    begun = len(content).to_bytes(LENGTH_SIZE, "big") + content
    return begun + bytes(-len(begun) % STEP)


def _unpadded(padded: bytes) -> bytes:
    length = int.from_bytes(padded[:LENGTH_SIZE], "big")
    content = padded[LENGTH_SIZE : LENGTH_SIZE + length]
    # One content has one padding: a sealer could else mark what it sends to each recipient.
    if length > LARGEST_CONTENT or len(content) != length:
        raise ContentDamagedError
    filling = padded[LENGTH_SIZE + length :]
    if len(filling) >= STEP or any(filling):
        raise ContentDamagedError
    return content

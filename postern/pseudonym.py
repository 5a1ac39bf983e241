"""From the element that an evaluation gives to the token that is matched.

The platform matches tokens only. The element N stays in its vault: it can be moved to the next
key, so it has structure that a value in use must not have. A token is a one-way hash of it.
What goes into an evaluation is written in `postern.facets`.
"""

import re
from functools import lru_cache
from hashlib import sha512

from postern import group, voprf

TOKEN_SIZE = 16  # bytes; an accidental collision among 10**11 tokens stays below 2**-54
LARGEST_EPOCH = 2**32 - 1
NAME = re.compile(r"[a-z0-9_]{1,32}")
"""The name of a kind or of a normaliser version: no separator can be forged in it."""

_LABEL = b"PN-token-v1"
_CLEAR_EPOCH = 0  # no key has this epoch, so that no clear token equals an evaluated one
_LONGEST = 2**16 - 1  # bytes that a two-byte length prefix can announce


class TokenInputError(ValueError):
    """A kind, an epoch or a text cannot be part of a token."""


def token(evaluation_kind: str, epoch: int, element: bytes) -> bytes:
    """The 16-byte token for an unblinded element under the key of a kind and an epoch from 1.

    SHA512("PN-token-v1" || lp(kind) || lp(epoch as 4 bytes, big-endian) || lp(N))[:16], where lp
    is a two-byte big-endian length before the bytes. Only the canonical encoding of N is taken,
    or one value could have two tokens. Raises TokenInputError, group.InvalidElementError.
    """
    group.check_element(element)
    _check_epoch(epoch)
    return _token(evaluation_kind, epoch, element)


def clear_token(kind: str, text: str) -> bytes:
    """The 16-byte token for a canonical text that is no secret, such as an induction point.

    Not a pseudonym: anyone can compute it from a guess. It only lets places of an operator be
    matched by the same index. Epoch 0 and lp(text) stand where `token` has its epoch and lp(N).
    Raises TokenInputError.
    """
    if not text:
        raise TokenInputError("There is no text to make a token of. Leave this facet out.")
    return _token(kind, _CLEAR_EPOCH, _encoded(text))


def derive_epoch_key(seed: bytes, evaluation_kind: str, epoch: int) -> tuple[bytes, bytes]:
    """The secret and the public key of a kind and an epoch, from the platform's 32-byte seed.

    DeriveKeyPair(seed, "PN|kind|epoch") of RFC 9497, section 3.2.1: one key per kind and epoch.
    Raises TokenInputError, voprf.InvalidInputError for another seed length.
    """
    _check_epoch(epoch)
    return voprf.derive_key_pair(seed, b"PN|%b|%d" % (_name(evaluation_kind), epoch))


def _check_epoch(epoch: int) -> None:
    if not 1 <= epoch <= LARGEST_EPOCH:
        raise TokenInputError(f"An epoch is a number from 1 to {LARGEST_EPOCH}. Correct it.")


def _token(kind: str, epoch: int, content: bytes) -> bytes:
    return sha512(_head(kind, epoch) + _prefixed(content)).digest()[:TOKEN_SIZE]


@lru_cache(maxsize=256)
def _head(kind: str, epoch: int) -> bytes:
    """What all tokens of a kind and an epoch begin with: thousands are made of the same."""
    return _LABEL + _prefixed(_name(kind)) + _prefixed(epoch.to_bytes(4, "big"))


def _name(name: str) -> bytes:
    if not NAME.fullmatch(name):
        raise TokenInputError(
            "The name of a kind or of a normaliser version is not 1 to 32 small letters, digits "
            "and underscores. Use a name of the vocabulary."
        )
    return name.encode()


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise TokenInputError("The text has half a surrogate pair. Normalise it first.") from error


def _prefixed(content: bytes) -> bytes:
    if len(content) > _LONGEST:
        raise TokenInputError("The text is longer than 65535 bytes. Leave this facet out.")
    return len(content).to_bytes(2, "big") + content

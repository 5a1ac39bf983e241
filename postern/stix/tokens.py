"""Exchange tokens: what stands in an object in place of a value, under the key of its reader.

A match token never leaves the platform. An exchange token is an HMAC of one under a key that each
reading organisation has for itself: two readers cannot compare what they got, and nobody can
compute one without evaluating the value (quota, log) and having the key. One reader's equal tokens
are equal.
"""

import hmac
import re
from collections.abc import Mapping
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from postern.base64url import to_base64url
from postern.facet_kinds import FACETS
from postern.pseudonym import TOKEN_SIZE
from postern.vocabulary import EVALUATION_KIND, Kind

SCHEME = "postern-exchange-1"
KEY_SIZE = 32  # bytes
EXCHANGE_TOKEN = re.compile(
    r"(?:postal|vendor|pgp|phone|email|payment|item|induction_point)1\.(?:0|[1-9][0-9]{0,9})"
    r"\.[A-Za-z0-9_-]{22}",
    re.ASCII,
)
REFERENCE = re.compile(r"ref1\.[A-Za-z0-9_-]{22}", re.ASCII)

EXACTNESS: tuple[int, ...] = (
    *(7, 9, 11, 10, 5, 6, 8, 13, 2, 1, 12, 4, 3),  # postal, by their weights
    *(26, 27, 28, 29, 21, 23, 22, 20, 24, 25, 30),
)
"""Facet numbers of each kind of value, what tells most first (postern/weights)."""

RANK: Mapping[int, int] = {number: rank for rank, number in enumerate(EXACTNESS)}

_SHOWN = 16  # bytes of the HMAC
_KEY_LABEL = b"PN-exchange-key-v1"
_TOKEN_LABEL = b"PN-exchange-token-v1"
_REFERENCE_LABEL = b"PN-exchange-reference-v1"

_NAMES: Mapping[int, str] = {
    number: kind.lower().replace("*", "_") for number, kind in FACETS.items()
}
_NUMBERS: Mapping[str, int] = {name: number for number, name in _NAMES.items()}


def exchange_key(secret: bytes, organisation_code: str) -> bytes:
    """The 32-byte exchange key of an organisation: HKDF-SHA256 of the platform's secret.

    Raises ValueError for a secret of another size.
    """
    if len(secret) != KEY_SIZE:
        raise ValueError(f"The secret of exchange keys has {KEY_SIZE} bytes. Give it whole.")
    context = _KEY_LABEL + organisation_code.encode()
    return HKDF(SHA256(), KEY_SIZE, salt=None, info=context).derive(secret)


def exchange_token(key: bytes, kind: Kind, epoch: int, token: bytes) -> str:
    """The exchange token of a 16-byte match token; `epoch` is 0 for a kind in clear.

    A party and an address are named alike, because their match tokens are. Raises ValueError.
    """
    if len(key) != KEY_SIZE or len(token) != TOKEN_SIZE:
        raise ValueError("An exchange key has 32 bytes and a match token 16. Give them whole.")
    shown = hmac.digest(key, _TOKEN_LABEL + token, "sha256")[:_SHOWN]
    return f"{EVALUATION_KIND.get(kind, kind)}1.{epoch}.{to_base64url(shown)}"


def reference(key: bytes, public_id: UUID) -> str:
    """What stands in the pattern where the reader may not match: says nothing, names one object."""
    if len(key) != KEY_SIZE:
        raise ValueError("An exchange key has 32 bytes. Give it whole.")
    shown = hmac.digest(key, _REFERENCE_LABEL + public_id.bytes, "sha256")[:_SHOWN]
    return f"ref1.{to_base64url(shown)}"


def facet_name(number: int) -> str:
    """The name of a facet as a key in JSON: `p_h` for P*H. Raises KeyError."""
    return _NAMES[number]


def facet_number(name: str) -> int | None:
    """The facet of a name; None when there is none."""
    return _NUMBERS.get(name)

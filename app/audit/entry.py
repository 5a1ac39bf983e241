"""One audit entry: canonical record, salted disclosures and the leaf that fixes them.

Follows RFC 8785 under a profile that plain `json` meets (ASCII keys, integers below 2^53, no
floats), the digests of RFC 9901 and the leaf of docs/audit.md. Nothing here touches a database.
"""

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from postern.base64url import to_base64url

_LARGEST_INTEGER = 2**53
_SALT_LENGTH = 16  # bytes; once erased, a digest of 128 hidden bits cannot be opened
_NONCE_LENGTH = 12  # bytes
_TAG_LENGTH = 12  # bytes
_TAG_STEP = 4  # audiences are padded to a multiple, so that they cannot be counted


class Outcome(StrEnum):
    """How the act ended."""

    OK = "ok"
    DENIED = "denied"
    ERROR = "error"


class NotCanonicalError(ValueError):
    """A value outside the canonical profile was about to enter the log."""


@dataclass(frozen=True)
class Act:
    """What happened, as the acting room tells it.

    `details` are opened only to the audience and can be erased: actor, case reference, reasons,
    object ids. Never a clear identifier and never a token: a query is told by kinds and counts.
    """

    act: str
    organisation: str
    audience: frozenset[str]
    outcome: Outcome = Outcome.OK
    purpose: str = ""
    basis: str = ""
    object_type: str = ""
    count: int = 0
    results: Sequence[Any] = ()
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """The bytes to store: `record` and `leaf` as hashed, `disclosures` one per detail."""

    record_id: str
    record: bytes
    leaf: bytes
    disclosures: tuple[str, ...]


def make(act: Act, at: int, tag_keys: Mapping[str, bytes]) -> Entry:
    """Build the entry of `act` at `at` (milliseconds since 1970).

    `tag_keys` holds the tag key of each organisation in the audience. NotCanonicalError when a
    value does not fit the canonical profile.
    """
    opened = {name: _disclosure(name, value) for name, value in sorted(act.details.items())}
    if not opened:
        # The record must always carry one salted digest, else outsiders could guess it.
        opened = {"none": _disclosure("none", True)}
    record_id = to_base64url(os.urandom(16))
    record = canonical(
        {
            "v": 1,
            "id": record_id,
            "t": at,
            "act": act.act,
            "org": act.organisation,
            "aud": sorted(act.audience),
            "out": act.outcome.value,
            "basis": act.basis,
            "purpose": act.purpose,
            "obj": act.object_type,
            "n": act.count,
            "rh": to_base64url(hashlib.sha256(canonical(list(act.results))).digest()),
            "f": {name: disclosure_digest(opening) for name, opening in opened.items()},
        }
    )
    nonce = os.urandom(_NONCE_LENGTH)
    leaf = canonical(
        {
            "v": 1,
            "c": to_base64url(hashlib.sha256(record).digest()),
            "n": to_base64url(nonce),
            "a": _tags(nonce, [tag_keys[code] for code in sorted(act.audience)]),
        }
    )
    return Entry(record_id, record, leaf, tuple(opened.values()))


def canonical(value: Any) -> bytes:
    """RFC 8785 bytes of a value within the profile; NotCanonicalError otherwise."""
    _check(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def disclosure_digest(disclosure: str) -> str:
    """The digest that stands in the record for a disclosure (RFC 9901, section 4.2.3)."""
    return to_base64url(hashlib.sha256(disclosure.encode("ascii")).digest())


def open_disclosures(lines: str) -> dict[str, Any]:
    """Field to value of stored disclosures, one a line."""
    opened: dict[str, Any] = {}
    for line in lines.splitlines():
        _salt, name, value = json.loads(base64.urlsafe_b64decode(line + "=" * (-len(line) % 4)))
        opened[name] = value
    return opened


def tag(key: bytes, nonce: bytes) -> str:
    """By which the holder of `key` recognises a leaf that concerns it."""
    return to_base64url(hmac.digest(key, b"audit-tag/v1\n" + nonce, "sha256")[:_TAG_LENGTH])


def _disclosure(name: str, value: Any) -> str:
    return to_base64url(canonical([to_base64url(os.urandom(_SALT_LENGTH)), name, value]))


def _tags(nonce: bytes, keys: Iterable[bytes]) -> list[str]:
    tags = [tag(key, nonce) for key in keys]
    while not tags or len(tags) % _TAG_STEP:
        tags.append(to_base64url(os.urandom(_TAG_LENGTH)))
    return sorted(tags)


def _check(value: Any) -> None:
    match value:
        case None | bool():
            pass
        case int():
            if abs(value) >= _LARGEST_INTEGER:
                raise NotCanonicalError("an integer beyond 2^53 cannot enter the log")
        case str():
            if any("\ud800" <= character <= "\udfff" for character in value):
                raise NotCanonicalError("a lone surrogate cannot enter the log")
        case dict():
            _check_keys(value)
            for item in value.values():
                _check(item)
        case list() | tuple():
            for item in value:
                _check(item)
        case _:
            raise NotCanonicalError(f"a {type(value).__name__} cannot enter the log")


def _check_keys(mapping: Mapping[Any, Any]) -> None:
    for key in mapping:
        if not isinstance(key, str) or not key.isascii():
            raise NotCanonicalError("a key of the log must be ASCII")

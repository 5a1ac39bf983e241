"""The three layers of an audit entry: salted disclosures, the record they open, the leaf.

RFC 8785 under a profile that plain `json` meets (ASCII keys, integers below 2^53, no floats), and
the digests of RFC 9901, section 4.2.3. docs/audit.md describes the layers.
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

from postern.base64url import to_base64url

NONCE_LENGTH = 12  # bytes

_LARGEST_INTEGER = 2**53
_SALT_LENGTH = 16  # bytes; once erased, a digest of 128 hidden bits cannot be opened
_TAG_LENGTH = 12  # bytes
_TAG_STEP = 4  # audiences are padded to a multiple, so that they cannot be counted

_written = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


class NotCanonicalError(ValueError):
    """A value outside the canonical profile."""


class MalformedDisclosureError(ValueError):
    """A disclosure that is not base64url of a list of salt, name and value."""


def canonical(value: Any) -> bytes:
    """RFC 8785 bytes of a value within the profile; NotCanonicalError otherwise."""
    _check(value)
    try:
        return _written(value).encode()
    except UnicodeEncodeError:
        raise NotCanonicalError("a lone surrogate cannot enter the log") from None


def disclosure(name: str, value: Any) -> str:
    """A fresh salted opening of one detail: base64url of canonical [salt, name, value]."""
    return to_base64url(canonical([to_base64url(os.urandom(_SALT_LENGTH)), name, value]))


def disclosure_digest(opening: str) -> str:
    """The digest that stands in the record for a disclosure (RFC 9901, section 4.2.3)."""
    return to_base64url(hashlib.sha256(opening.encode("ascii")).digest())


def open_disclosure(opening: str) -> tuple[str, Any]:
    """Field and value of one disclosure; MalformedDisclosureError when it has not that form."""
    try:
        padded = opening.encode("ascii") + b"=" * (-len(opening) % 4)
        _salt, name, value = json.loads(base64.b64decode(padded, b"-_", validate=True))
    except (binascii.Error, TypeError, UnicodeError, ValueError):
        raise MalformedDisclosureError(
            "A disclosure is not base64url of [salt, name, value]. Fetch the entry again."
        ) from None
    if not isinstance(name, str):
        raise MalformedDisclosureError(
            "The name of a disclosure is not text. Fetch the entry again."
        )
    return name, value


def open_disclosures(lines: str) -> dict[str, Any]:
    """Field to value of stored disclosures, one a line."""
    return dict(map(open_disclosure, lines.splitlines()))


def leaf_of(record: bytes, tag_keys: Iterable[bytes]) -> bytes:
    """A fresh leaf that fixes `record`, tagged for the holders of `tag_keys`."""
    nonce = os.urandom(NONCE_LENGTH)
    tags = [tag(key, nonce) for key in tag_keys]
    while not tags or len(tags) % _TAG_STEP:
        tags.append(to_base64url(os.urandom(_TAG_LENGTH)))
    return canonical(
        {"v": 1, "c": commitment(record), "n": to_base64url(nonce), "a": sorted(tags)},
    )


def commitment(record: bytes) -> str:
    """What the leaf says of the record (`c`): base64url of its SHA-256."""
    return to_base64url(hashlib.sha256(record).digest())


def tag(key: bytes, nonce: bytes) -> str:
    """By which the holder of `key` recognises a leaf that concerns it."""
    return to_base64url(hmac.digest(key, b"audit-tag/v1\n" + nonce, "sha256")[:_TAG_LENGTH])


def _check(value: Any) -> None:
    match value:
        case None | bool() | str():
            pass
        case int():
            if abs(value) >= _LARGEST_INTEGER:
                raise NotCanonicalError("an integer beyond 2^53 cannot enter the log")
        case dict():
            _check_keys(value)
            for item in value.values():
                _check(item)
        case list() | tuple():
            for item in value:
                if type(item) is not str:  # as most are, of the thousands of ids of a page
                    _check(item)
        case _:
            raise NotCanonicalError(f"a {type(value).__name__} cannot enter the log")


def _check_keys(mapping: Mapping[Any, Any]) -> None:
    for key in mapping:
        if not isinstance(key, str) or not key.isascii():
            raise NotCanonicalError("a key of the log must be ASCII")

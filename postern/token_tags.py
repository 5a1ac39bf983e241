"""The tags of a token filter: what stands on it in place of tokens, and how two lists differ.

A tag is the beginning of an HMAC of a token under a salt that only one organisation has: the lists
of two organisations cannot be compared, and a list says nothing of whom it is about to anyone who
cannot have a value evaluated.

A content is one record of 9 bytes for each tag, ascending: the tag's 8 bytes, then the number of
its facet.
"""

import hmac
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from postern.pseudonym import TOKEN_SIZE
from postern.token_filter_errors import FilterMalformedError

SALT_SIZE = 32  # bytes
TAG_SIZE = 8  # bytes: a token that is not listed fits one of n tags with odds of n / 2**64
RECORD_SIZE = TAG_SIZE + 1

Content: TypeAlias = bytes | memoryview
"""Bytes, or a file mapped into memory."""

_COUNT_SIZE = 4  # bytes, big-endian, of the number of added records at the head of changes


def tag(salt: bytes, token: bytes) -> bytes:
    """The 8-byte tag of a 16-byte token: HMAC-SHA256(salt, token)[:8]. Raises ValueError."""
    if len(salt) != SALT_SIZE or len(token) != TOKEN_SIZE:
        raise ValueError("A salt has 32 bytes and a token 16. Give them whole.")
    return hmac.digest(salt, token, "sha256")[:TAG_SIZE]


def content_of(tags: Iterable[tuple[bytes, int]]) -> bytes:
    """The content of (tag, facet number) pairs in any order; of equal tags the least facet stays.

    Whoever builds it in parts orders by tag and facet, and keeps the first of each tag.
    """
    found = sorted(one + bytes((facet,)) for one, facet in tags)
    return b"".join(
        record
        for place, record in enumerate(found)
        if not place or record[:TAG_SIZE] != found[place - 1][:TAG_SIZE]
    )


def records(content: Content) -> Iterator[bytes]:
    """The records of a content, in its order."""
    for place in range(0, len(content), RECORD_SIZE):
        yield bytes(content[place : place + RECORD_SIZE])


def changes(added: Iterable[bytes], revoked: Iterable[bytes]) -> bytes:
    """How the difference of two contents of one salt is written: records that came, tags that went.

    Four bytes with the number of added records, big-endian; these records; the 8-byte tags that
    are revoked; each ascending.
    """
    came = list(added)
    return b"".join((len(came).to_bytes(_COUNT_SIZE, "big"), *came, *revoked))


def changed(older: bytes, change: bytes) -> bytes:
    """The content after the changes. Raises FilterMalformedError when `change` has no such form.

    That it is the right one is proven by the newer header: make a TokenFilter of both.
    """
    head = _COUNT_SIZE + int.from_bytes(change[:_COUNT_SIZE], "big") * RECORD_SIZE
    if len(change) < head or (len(change) - head) % TAG_SIZE or len(change) < _COUNT_SIZE:
        raise FilterMalformedError("its changes have another size")
    revoked = {change[place : place + TAG_SIZE] for place in range(head, len(change), TAG_SIZE)}
    kept = [record for record in records(older) if record[:TAG_SIZE] not in revoked]
    return b"".join(sorted([*kept, *records(change[_COUNT_SIZE:head])]))

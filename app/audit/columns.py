"""Column types that keep the log compact: text by which people see it, fewer bytes in the table.

What was hashed comes back byte for byte. Bytes that are not of a packed form are taken as they are,
so that tampered ones are read and found not to fit, instead of failing to be read.
"""

import re
import zlib
from base64 import urlsafe_b64encode
from typing import Any
from uuid import UUID

from sqlalchemy import Dialect, LargeBinary, TypeDecorator

from postern.base64url import from_base64url, to_base64url

_UUID_LENGTH = 16  # bytes

_PACKED = b"\x01"  # before a packed record or leaf; canonical JSON begins with a brace
_COMMITMENT_LENGTH = 32  # bytes
_TAG_LENGTH = 12  # bytes; the nonce has as many
_LEAF = re.compile(
    rb'\{"a":\[("[\w-]{16}"(?:,"[\w-]{16}")*)\],"c":"([\w-]{43})","n":"([\w-]{16})","v":1\}'
)

_WINDOW = -12  # raw deflate, 4 KiB: more than most records have
_MEMORY = 5
_LEVEL = 6

LONGEST_RECORD = 1 << 22
"""Bytes; no record comes near it, and a forged one cannot fill the memory."""

_RECORD_WORDS = (
    b"indicator.shared.export.list.readreport.submit.withdrawevaluation.evaluatesession.startpolicy"
    b"lookup.listaudit.readpolice_lawcustoms_lawpostal_lawpublic_taskcourt_orderlegal_obligation"
    b"legitimate_interestparcel_screeningcustoms_controlcriminal_intelligencerisk_analysis"
    b'service_security"refusal":"reason":"filters":"viewer":"person":"indicators":"levels":"by":"'
    b'denied","obj":"report","obj":"indicator","act":"indicator.match","aud":["post-be"],"f":{"by":"'
    b'{"act":"lookup.ask","aud":["police-de"],"basis":"criminal_procedure","f":{"actor":"","case":"",'
    b'"hits":"","means":"","objects":"","policies":"","query":""},"id":"","n":1,"obj":"lookup",'
    b'"org":"police-de","out":"ok","purpose":"criminal_investigation","rh":"","t":179,"v":1}'
)
"""What records have in common. It may never change: stored records are read with it."""


class Record(TypeDecorator[bytes]):
    """A canonical record, deflated with the words that all records have in common."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        return None if value is None else packed_record(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> bytes | None:
        return None if value is None else unpacked_record(bytes(value))


class Leaf(TypeDecorator[bytes]):
    """A leaf as the bytes that its base64url stands for."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        return None if value is None else packed_leaf(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> bytes | None:
        return None if value is None else unpacked_leaf(bytes(value))


class Openings(TypeDecorator[str]):
    """Disclosures, one a line; stored as the bytes that base64url stands for, a quarter less.

    Their canonical JSON never holds a line break, so a line stays a line, and base64url of the
    same bytes is the same text: what was hashed comes back exactly.
    """

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else packed(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else unpacked(bytes(value))


class Pseudonym(TypeDecorator[str]):
    """Who acted: 16 bytes of a person's UUID, or a word such as `console` as it is."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else person_key(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        if value is None:
            return None
        key = bytes(value)
        return str(UUID(bytes=key)) if len(key) == _UUID_LENGTH else key.decode()


def packed(openings: str) -> bytes:
    """Lines of base64url as lines of what they stand for."""
    return b"\n".join(from_base64url(line) or b"" for line in openings.splitlines())


def unpacked(stored: bytes) -> str:
    """The lines of base64url again."""
    return "\n".join(to_base64url(line) for line in stored.split(b"\n")) if stored else ""


def person_key(actor: str) -> bytes:
    """How an actor is found: the bytes of a UUID, else the word itself."""
    try:
        return UUID(actor).bytes
    except ValueError:
        return actor.encode()


def packed_record(record: bytes) -> bytes:
    """A record as it is stored."""
    deflating = zlib.compressobj(
        _LEVEL, zlib.DEFLATED, _WINDOW, _MEMORY, zlib.Z_DEFAULT_STRATEGY, _RECORD_WORDS
    )
    return _PACKED + deflating.compress(record) + deflating.flush()


def unpacked_record(stored: bytes) -> bytes:
    """The record again, byte for byte; bytes of another form as they are."""
    if not stored.startswith(_PACKED):
        return stored
    inflating = zlib.decompressobj(_WINDOW, zdict=_RECORD_WORDS)
    try:
        record = inflating.decompress(stored[1:], LONGEST_RECORD)
    except zlib.error:
        return stored
    return record if inflating.eof and not inflating.unused_data else stored


def packed_leaf(leaf: bytes) -> bytes:
    """A leaf as it is stored: a mark, `c`, `n`, the tags. One of another form stays as it is."""
    found = _LEAF.fullmatch(leaf)
    if found is None:
        return leaf
    tags = found[1].decode().strip('"').split('","')
    words = (found[2].decode(), found[3].decode(), *tags)
    packed_ = _PACKED + b"".join(from_base64url(word) or b"" for word in words)
    return packed_ if unpacked_leaf(packed_) == leaf else leaf


def unpacked_leaf(stored: bytes) -> bytes:
    """The leaf again, byte for byte; bytes of another form as they are."""
    at = 1 + _COMMITMENT_LENGTH
    if not stored.startswith(_PACKED) or len(stored) <= at or (len(stored) - at) % _TAG_LENGTH:
        return stored
    fixed = urlsafe_b64encode(stored[1:at]).rstrip(b"=")
    # 12 bytes are 16 characters without filling: what is written at once can be cut afterwards.
    written = urlsafe_b64encode(stored[at:])
    nonce, *tags = (written[start : start + 16] for start in range(0, len(written), 16))
    listed = b'"' + b'","'.join(tags) + b'"' if tags else b""
    return b'{"a":[' + listed + b'],"c":"' + fixed + b'","n":"' + nonce + b'","v":1}'

"""The pieces of text that the log's formats share, each with one spelling only.

A format with one spelling cannot carry two readings, so nothing here is lenient: decimals have no
leading zeroes, base64 (RFC 4648, section 4) is canonical and padded.
"""

import base64
import binascii
import re

from postern.tlog.hashing import HASH_SIZE

LARGEST_SIZE = 2**63 - 1  # entries; what signed 64-bit implementations of the formats can hold
MOST_PROOF_HASHES = 63  # tlog-witness: no more consistency lines; no tree that fits needs more

_REMEDY = "Fetch or export it again; if it stays so, keep it and tell your compliance officer."
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


class MalformedError(ValueError):
    """What was read breaks a rule of its format."""

    def __init__(self, what: str, rule: str, remedy: str = _REMEDY) -> None:
        super().__init__(f"This is no {what}: {rule}. {remedy}")


def decimal_of(text: str) -> int | None:
    """The number, or None when `text` is not the one decimal spelling of 0 to 2^63 - 1."""
    if _DECIMAL.fullmatch(text) is None:
        return None
    number = int(text)
    return number if number <= LARGEST_SIZE else None


def to_base64(raw: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(raw).decode("ascii")


def from_base64(text: str) -> bytes | None:
    """The bytes, or None when `text` is not their one canonical base64 form."""
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if to_base64(raw) == text else None


def hash_of(text: str) -> bytes | None:
    """The 32-byte hash, or None when `text` is not the base64 of one."""
    raw = from_base64(text)
    return raw if raw is not None and len(raw) == HASH_SIZE else None


def first_line(text: bytes, what: str) -> tuple[str, bytes]:
    """The first line without its newline, and what follows it.

    Raises MalformedError, naming `what` was read, when no whole line of ASCII stands there.
    """
    line, newline, rest = text.partition(b"\n")
    if not newline or not line.isascii():
        raise MalformedError(what, "it ends, or leaves ASCII, before its checkpoint")
    return line.decode("ascii"), rest


def proof_lines(text: bytes, what: str) -> tuple[tuple[bytes, ...], bytes]:
    """The hashes, one a line, up to an empty line, and what follows it; raises MalformedError."""
    proof: list[bytes] = []
    line, rest = first_line(text, what)
    while line:
        found = hash_of(line)
        if found is None or len(proof) == MOST_PROOF_HASHES:
            raise MalformedError(what, f"its hash number {len(proof)} is none, or one too many")
        proof.append(found)
        line, rest = first_line(rest, what)
    return tuple(proof), rest


def check_parts(number: int, proof: tuple[bytes, ...], checkpoint: bytes, what: str) -> None:
    """Raise MalformedError unless a size or index, a proof and a checkpoint can be written."""
    if not 0 <= number <= LARGEST_SIZE:
        raise MalformedError(what, f"{number} is out of range")
    if len(proof) > MOST_PROOF_HASHES:
        raise MalformedError(what, f"it has more than {MOST_PROOF_HASHES} hashes")
    if any(len(one) != HASH_SIZE for one in proof):
        raise MalformedError(what, f"a hash in it is not {HASH_SIZE} bytes long")
    if not checkpoint:
        raise MalformedError(what, "no checkpoint follows the hashes")

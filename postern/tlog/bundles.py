"""Bundles: the entries of the log themselves, packed as C2SP tlog-tiles serves them."""

from collections.abc import Iterable

from postern.tlog.strict import MalformedError

LONGEST_ENTRY = 0xFFFF  # bytes; the length before an entry has 16 bits

_LENGTH = 2  # bytes


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """The entries one after the other, each behind its length in 2 bytes, big-endian.

    Raises ValueError when an entry is longer than 65,535 bytes.
    """
    pieces: list[bytes] = []
    for entry in entries:
        if len(entry) > LONGEST_ENTRY:
            raise ValueError(f"An entry has {len(entry)} bytes. The most is {LONGEST_ENTRY}.")
        pieces += (len(entry).to_bytes(_LENGTH, "big"), entry)
    return b"".join(pieces)


def parse_bundle(bundle: bytes, width: int) -> list[bytes]:
    """The `width` entries of a bundle; raises MalformedError when it holds anything else."""
    entries: list[bytes] = []
    at = 0
    while at < len(bundle):
        start = at + _LENGTH
        at = start + int.from_bytes(bundle[at:start], "big")
        if start > len(bundle) or at > len(bundle):
            raise MalformedError("bundle of entries", f"entry {len(entries)} in it is cut short")
        entries.append(bundle[start:at])
    if len(entries) != width:
        raise MalformedError("bundle of entries", f"it has {len(entries)} entries, not {width}")
    return entries

"""A token filter in a file on premises: one line of JSON, its signed header, then its content."""

import json
import mmap
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from postern.private_files import write_private_octets
from postern.token_filter import FilterHeader, TokenFilter, read
from postern.token_filter_errors import FilterMalformedError, TokenFilterError

_LONGEST_HEADER = 65_536  # bytes


class FilterFileError(TokenFilterError):
    """There is no such file, or it cannot be read."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"The token filter {path} cannot be read: {why}. Fetch one with `postern filter fetch`."
        )


def save_filter(path: Path, signed: Mapping[str, object], content: bytes) -> None:
    """Write a filter, mode 0600, so that a crash leaves the old one. Raises OSError."""
    write_private_octets(path, json.dumps(signed).encode(), b"\n", content)


def load_filter(path: Path, fingerprint: str, now: datetime) -> TokenFilter:
    """The filter in a file, checked as a whole; its content is mapped, not read into memory.

    `fingerprint` is that of the pinned directory key. Raises TokenFilterError.
    """
    header, place = read_header(path, fingerprint, now)
    with path.open("rb") as file:
        whole = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return TokenFilter(header, memoryview(whole)[place:])


def read_header(path: Path, fingerprint: str, now: datetime) -> tuple[FilterHeader, int]:
    """The checked header alone, and where the content begins. Raises TokenFilterError."""
    try:
        with path.open("rb") as file:
            line = file.readline(_LONGEST_HEADER)
    except OSError as error:
        raise FilterFileError(path, error.strerror or "it is no file") from None
    if not line.endswith(b"\n"):
        raise FilterMalformedError("it has no header")
    try:
        signed = json.loads(line)
    except (ValueError, RecursionError):
        raise FilterMalformedError("its header is not JSON") from None
    return read(signed, fingerprint, now), len(line)

"""Media types of TAXII 2.1 (section 1.6.8): what a client accepts, and what it sent.

One version is spoken. A type without a version means the newest; a range such as `*/*` is served.
Types and parameter names are read without regard to case, and parameters may be quoted (RFC 9110,
sections 5.6.6 and 12.5.1).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

MEDIA_TYPE = "application/taxii+json;version=2.1"
"""Of every answer."""

STIX_MEDIA_TYPE = "application/stix+json;version=2.1"
"""Of the objects inside."""

_TYPE = "application/taxii+json"
_VERSION = "2.1"
_LONGEST = 1024  # characters of a header
_RANGE = re.compile(r"\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+/[!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*")
_PARAMETER = re.compile(
    r"""\s*;\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=([!#$%&'*+.^_`|~0-9A-Za-z-]+|"[^"\\]*")\s*"""
)
_WEIGHT = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")


@dataclass(frozen=True, slots=True)
class _Range:
    type: str
    version: str | None
    weight: float

    @property
    def closeness(self) -> int:
        """How narrowly the range names what is served here; -1 when it does not at all."""
        if self.type == _TYPE:
            return {None: 2, _VERSION: 3}.get(self.version, -1)
        return {"application/*": 1, "*/*": 0}.get(self.type, -1)


@lru_cache(256)
def is_accepted(header: str | None) -> bool:
    """Whether a client with this Accept header takes TAXII 2.1; without one it takes anything."""
    if header is None or not header.strip():
        return True
    if len(header) > _LONGEST:
        return False
    named = [each for each in _ranges(header) if each.closeness >= 0]
    closest = max(named, key=lambda each: (each.closeness, each.weight), default=None)
    return closest is not None and closest.weight > 0


@lru_cache(256)
def is_taxii(header: str | None) -> bool:
    """Whether a body with this Content-Type is a TAXII 2.1 message."""
    if header is None or len(header) > _LONGEST:
        return False
    found = _read(header)
    return found is not None and found.type == _TYPE and found.version in (None, _VERSION)


def _ranges(header: str) -> Iterator[_Range]:
    for part in header.split(","):  # no parameter of a range that matters here holds a comma
        found = _read(part)
        if found is not None:
            yield found


def _read(text: str) -> _Range | None:
    """One media range; None when it is not one, or a parameter cannot be read."""
    named = _RANGE.match(text)
    if named is None:
        return None
    version, weight, at = None, 1.0, named.end()
    while at < len(text):
        parameter = _PARAMETER.match(text, at)
        if parameter is None:
            return None
        name, value = parameter[1].lower(), parameter[2].strip('"')
        if name == "version":
            version = value
        elif name == "q":
            if not _WEIGHT.fullmatch(value):
                return None
            weight = float(value)
        at = parameter.end()
    return _Range(named[1].lower(), version, weight)

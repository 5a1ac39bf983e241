"""What stands in the address of a TAXII request (sections 3.4 and 3.5), read and bounded.

An argument that is no argument of TAXII is overlooked, as the standard wants of filters that a
server does not know; one that it knows and cannot read is refused with its reason.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from werkzeug.datastructures import MultiDict

from app.exchange.taxii_errors import InvalidFilterError
from postern.stix.form import OBSERVABLES, REQUIRED

DEFAULT_LIMIT = 100  # objects of a page
MOST = 1000  # objects of a page, whatever is asked for
MOST_NAMED = 500  # values of one filter
LONGEST_VALUE = 200_000  # characters of one argument

FIRST, LAST, ALL = "first", "last", "all"
SPEC_VERSION = "2.1"

_MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,30}))?Z", re.ASCII | re.IGNORECASE
)
_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,100})--[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TYPES = frozenset({*REQUIRED, *OBSERVABLES, "marking-definition"})
_SPEC_VERSION = re.compile(r"[0-9]{1,4}\.[0-9]{1,4}")
_WHOLE = re.compile(r"[0-9]{1,100}", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = 10**6
_FARTHEST = 2**53 - 1  # microseconds: in the year 2255


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request for objects, manifests or versions asks for.

    Moments are microseconds since 1970. None of `ids` or `types`: all; an empty set: what can
    never be there. `versions` holds FIRST, LAST, ALL or moments. `is_spoken` is False where only
    other versions of STIX are wanted than the one there is.
    """

    added_after: int | None = None
    ids: frozenset[str] | None = None
    types: frozenset[str] | None = None
    versions: frozenset[str | int] = frozenset({LAST})
    is_spoken: bool = True
    limit: int = DEFAULT_LIMIT
    next: str | None = None

    @property
    def question(self) -> tuple[str, ...]:
        """What a paging token is bound to: everything but how much is taken at once."""
        return (
            str(self.added_after),
            _told(self.ids),
            _told(self.types),
            _told(self.versions),
            str(self.is_spoken),
        )


def read(arguments: MultiDict[str, str], *, filters: frozenset[str]) -> Asked:
    """The arguments of a request of which `filters` are those that count.

    Raises InvalidFilterError with every fault.
    """
    faults: dict[str, str] = {}
    found: dict[str, object] = {}
    for name in sorted(filters):
        given = arguments.getlist(name)
        if not given:
            continue
        try:
            found |= _READERS[name](_bounded(given))
        except ValueError as error:
            faults[name] = str(error)
    if faults:
        raise InvalidFilterError(
            errors=[{"field": name, "reason": reason} for name, reason in faults.items()]
        )
    return Asked(**found)  # type: ignore[arg-type]  # each reader names a field of its type


def microseconds(text: str) -> int | None:
    """A timestamp of RFC 3339 in UTC as microseconds since 1970; what is finer is cut off.

    None for any other text.
    """
    parts = _MOMENT.fullmatch(text)
    if parts is None:
        return None
    year, month, day, hour, minute, second = (int(each) for each in parts.groups()[:6])
    try:
        # A leap second counts as the last second before it.
        moment = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        return None
    if second > 60:  # noqa: PLR2004 - a leap second is the 60th
        return None
    fraction = int((parts[7] or "0").ljust(6, "0")[:6])
    return int((moment - _EPOCH).total_seconds()) * _MICROSECOND + fraction


def written(moment: int) -> str:
    """Microseconds since 1970 as TAXII writes them: six digits, in UTC."""
    seconds, fraction = divmod(moment, _MICROSECOND)
    whole = datetime.fromtimestamp(seconds, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{fraction:06d}Z"


def version_written(moment: int) -> str:
    """A version as the object itself spells it: to the millisecond."""
    return f"{written(moment)[:23]}Z"


def stix_ids(given: frozenset[str]) -> frozenset[str]:
    """Those that have the form of a STIX id; no other can be the id of an object."""
    return frozenset(each for each in given if _ID.fullmatch(each))


def _bounded(given: list[str]) -> list[str]:
    if any(len(each) > LONGEST_VALUE for each in given):
        raise ValueError(f"It is longer than {LONGEST_VALUE} characters.")
    return given


def _added_after(given: list[str]) -> Mapping[str, object]:
    moment = microseconds(given[0]) if len(given) == 1 else None
    if moment is None:
        raise ValueError("Write one moment as 2026-11-24T07:00:00.000Z, in UTC.")
    return {"added_after": _loggable(moment)}


def _loggable(moment: int) -> int:
    """The moment, or the farthest of its side that the log can name: nothing is added there."""
    return max(-_FARTHEST, min(moment, _FARTHEST))


def _limit(given: list[str]) -> Mapping[str, object]:
    if len(given) != 1 or not _WHOLE.fullmatch(given[0]) or not int(given[0]):
        raise ValueError("Write one whole number above 0.")
    return {"limit": min(int(given[0]), MOST)}


def _next(given: list[str]) -> Mapping[str, object]:
    if len(given) != 1 or not given[0]:
        raise ValueError("Send the one token that the page before gave.")
    return {"next": given[0]}


def _ids(given: list[str]) -> Mapping[str, object]:
    return {"ids": stix_ids(frozenset(_several(given)))}


def _types(given: list[str]) -> Mapping[str, object]:
    # Types of STIX only: others are never here, and the log of a filter must hold no value.
    return {"types": _TYPES.intersection(_several(given))}


def _versions(given: list[str]) -> Mapping[str, object]:
    found: set[str | int] = set()
    for each in _several(given):
        moment = each if each in (FIRST, LAST, ALL) else microseconds(each)
        if moment is None:
            raise ValueError(
                "Write first, last, all, or moments as 2026-11-24T07:00:00.000Z, with commas."
            )
        found.add(moment if isinstance(moment, str) else _loggable(moment))
    return {"versions": frozenset({ALL} if ALL in found else found)}


def _spec_versions(given: list[str]) -> Mapping[str, object]:
    named = set(_several(given))
    if not all(_SPEC_VERSION.fullmatch(each) for each in named):
        raise ValueError("Write versions of STIX as 2.1, with commas.")
    return {"is_spoken": SPEC_VERSION in named}


def _several(given: list[str]) -> Iterator[str]:
    """Values between commas; the same argument several times reads as one."""
    found = [each.strip() for text in given for each in text.split(",")]
    if not all(found):
        raise ValueError("A value is empty: write values with commas between them.")
    if len(found) > MOST_NAMED:
        raise ValueError(f"It holds more than {MOST_NAMED} values.")
    return iter(found)


def _told(values: frozenset[str] | frozenset[str | int] | None) -> str:
    return "any" if values is None else ",".join(sorted(map(str, values)))


_READERS = {
    "added_after": _added_after,
    "limit": _limit,
    "next": _next,
    "match[id]": _ids,
    "match[type]": _types,
    "match[version]": _versions,
    "match[spec_version]": _spec_versions,
}

OF_OBJECTS = frozenset(_READERS)
OF_ONE = OF_OBJECTS - {"match[id]", "match[type]"}
OF_VERSIONS = OF_ONE - {"match[version]"}
OF_DELETION = frozenset({"match[version]", "match[spec_version]"})
"""Which arguments each endpoint has (section 5)."""

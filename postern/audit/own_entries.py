"""Entries as an organisation gets them: the record's stored bytes, its leaf, its openings.

One JSON object a line: {"record":{...},"details":{...},"disclosures":[...],"leaf":"...",
"place":n|null,"intact":true}. The record is hashed as the bytes that stand there.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from postern.audit.record import (
    MalformedDisclosureError,
    NotCanonicalError,
    canonical,
    commitment,
    disclosure_digest,
    open_disclosure,
)
from postern.base64url import from_base64url
from postern.tlog.hashing import leaf_hash

ERASE = "audit.erase"
"""The act by which details of entries are erased."""

_OPENING = '{"record":'
_REST = json.JSONDecoder()


class EntryMalformedError(ValueError):
    """A line is no entry; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class OwnEntry:
    """One entry. `record` and `leaf` are bytes as they were hashed; `fields` is the record read.

    `place` is the index in the tree, None while the entry waits for one.
    """

    record: bytes
    fields: Mapping[str, Any]
    disclosures: tuple[str, ...]
    leaf: bytes
    place: int | None

    @property
    def record_id(self) -> str:
        """The random name of the record."""
        return str(self.fields["id"])

    @property
    def at(self) -> int:
        """Milliseconds since 1970."""
        return int(self.fields["t"])

    @property
    def leaf_hash(self) -> bytes:
        """The hash under which the entry stands in the tree."""
        return leaf_hash(self.leaf)


def parse_entry(line: bytes) -> OwnEntry:
    """The entry of one line; raises EntryMalformedError. Nothing in it is verified yet."""
    try:
        text = line.decode("utf-8").strip()
        if not text.startswith(_OPENING):
            raise EntryMalformedError("it does not begin with a record")
        fields, end = _REST.raw_decode(text, len(_OPENING))
        beside = json.loads("{" + text[end + 1 :])
        leaf = from_base64url(beside["leaf"])
        disclosures, place = beside["disclosures"], beside["place"]
    except (AttributeError, ValueError, KeyError, TypeError, RecursionError) as error:
        if isinstance(error, EntryMalformedError):
            raise
        raise EntryMalformedError("it is no JSON object with record, leaf and place") from None
    if leaf is None or not _are_texts(disclosures) or not _is_place(place):
        raise EntryMalformedError("its leaf, its disclosures or its place are in another form")
    _check_fields(fields)
    record = text[len(_OPENING) : end].encode()
    return OwnEntry(record, fields, tuple(disclosures), leaf, place)


def fault_of(entry: OwnEntry) -> str | None:
    """What does not fit in an entry: leaf, record and openings; None when each fixes the next."""
    try:
        leaf = json.loads(entry.leaf)
        if canonical(leaf) != entry.leaf or canonical(entry.fields) != entry.record:
            return "it is not in the form in which the log writes"
        if leaf["c"] != commitment(entry.record):
            return "the record is not the one that its leaf fixes"
    except (ValueError, KeyError, TypeError, RecursionError, NotCanonicalError):
        return "its leaf cannot be read"
    opened: set[str] = set()
    for opening in entry.disclosures:
        try:
            name, _ = open_disclosure(opening)
        except MalformedDisclosureError:
            return "a detail cannot be opened"
        if name in opened or entry.fields["f"].get(name) != disclosure_digest(opening):
            return f"the detail {name!r} is not the one that the record fixes"
        opened.add(name)
    return None


def opened(entry: OwnEntry) -> dict[str, Any]:
    """The details of an entry that has no fault."""
    return dict(map(open_disclosure, entry.disclosures))


def missing_fields(entry: OwnEntry) -> frozenset[str]:
    """The details that the record fixes and nobody opened."""
    shown = {open_disclosure(opening)[0] for opening in entry.disclosures}
    return frozenset(entry.fields["f"].keys() - shown)


def _check_fields(fields: object) -> None:
    is_record = (
        isinstance(fields, dict)
        and isinstance(fields.get("id"), str)
        and isinstance(fields.get("act"), str)
        and isinstance(fields.get("org"), str)
        and type(fields.get("t")) is int
        and isinstance(fields.get("f"), dict)
        and isinstance(fields.get("aud"), list)
    )
    if not is_record:
        raise EntryMalformedError("its record lacks a field, or has one of another type")


def _are_texts(values: object) -> bool:
    return isinstance(values, Sequence) and all(
        isinstance(value, str) and value.isascii() for value in values
    )


def _is_place(value: object) -> bool:
    return value is None or (type(value) is int and value >= 0)

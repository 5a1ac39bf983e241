"""Objects whose content is short or none: what ended, and what was seen again."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from postern.stix.names import TLP_IDS, derived, identity_id, location_name, stix_id, timestamp
from postern.stix.records import EndedRecord, Entry, Rendered, SightingRecord
from postern.stix.support import entry_of, identity_of, tlp_definition
from postern.vocabulary import Kind

_OF_A_SIGHTING = ("type", "spec_version", "id", "created_by_ref", "created", "sighting_of_ref")
_WITHDRAWN = "[user-account:user_id = 'withdrawn']"


def revoked(record: EndedRecord) -> tuple[Entry, ...]:
    """The objects of one that ended, in the order of their `own`, all revoked and empty."""
    name = stix_id("indicator", record.name)
    found = [entry_of(_ended(record, "indicator", record.name) | _withdrawn(record))]
    if record.kind is Kind.INDUCTION_POINT:
        place = location_name(record.name)
        found.append(entry_of(_ended(record, "location", place) | _nowhere()))
        found.append(_link(record, name, stix_id("location", place), "related-to"))
    elif record.kind is Kind.PATTERN:
        way = derived("attack-pattern", str(record.name))
        found.append(entry_of(_ended(record, "attack-pattern", way) | {"name": "Withdrawn"}))
        found.append(_link(record, name, stix_id("attack-pattern", way), "indicates"))
    return tuple(found)


def sighting_of(record: SightingRecord) -> Rendered:
    """A sighting of an indicator by an organisation."""
    content: dict[str, Any] = {
        **head("sighting", record.name, record.by.code, record.created, record.modified),
        "sighting_of_ref": stix_id("indicator", record.of),
        "where_sighted_refs": [identity_id(record.by.code)],
        "count": record.count,
        "object_marking_refs": [TLP_IDS[record.tlp]],
    }
    for field, at in (("first_seen", record.first_seen), ("last_seen", record.last_seen)):
        if at is not None:
            content[field] = timestamp(at)
    return Rendered((identity_of(record.by), tlp_definition(record.tlp)), (entry_of(content),))


def taken_back(text: str, modified: datetime) -> Entry:
    """The sighting of this text as its organisation took it back: it says only of what it was."""
    said = json.loads(text)
    kept = {name: said[name] for name in _OF_A_SIGHTING}
    return entry_of({**kept, "modified": timestamp(modified), "revoked": True})


def head(
    type_: str, name: UUID, owner: str, created: datetime, modified: datetime
) -> dict[str, Any]:
    return {
        "type": type_,
        "spec_version": "2.1",
        "id": stix_id(type_, name),
        "created_by_ref": identity_id(owner),
        "created": timestamp(created),
        "modified": timestamp(modified),
    }


def _ended(record: EndedRecord, type_: str, name: UUID) -> dict[str, Any]:
    said = head(type_, name, record.owner.code, record.created, record.modified)
    return {**said, "revoked": True}


def _withdrawn(record: EndedRecord) -> dict[str, Any]:
    return {
        "name": "Withdrawn",
        "description": "Withdrawn or no longer shared: erase what you keep of it.",
        "indicator_types": ["unknown"],
        "labels": ["postal", f"kind:{record.kind}"],
        "pattern": _WITHDRAWN,
        "pattern_type": "stix",
        "pattern_version": "2.1",
        "valid_from": timestamp(record.created),
    }


def _nowhere() -> dict[str, Any]:
    """A place where no operator is: STIX demands one of a location that was withdrawn, too."""
    return {"name": "Withdrawn", "region": "antarctica"}


def _link(record: EndedRecord, source: str, target: str, type_: str) -> Entry:
    said = {"relationship_type": type_, "source_ref": source, "target_ref": target}
    return entry_of(_ended(record, "relationship", link_name(record.name)) | said)


def link_name(indicator: UUID) -> UUID:
    """The name of the relationship beside an indicator, from the name of the indicator."""
    return derived("relationship", str(indicator))

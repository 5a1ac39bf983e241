"""Objects that many others refer to: organisations, markings, and what our extensions mean.

Every platform writes those that it does not own alike, to the letter.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

from postern.stix.names import (
    EXTENSIONS,
    PLATFORM_ID,
    TLP_EXTENSION,
    TLP_IDS,
    derived,
    identity_id,
    stix_id,
    timestamp,
)
from postern.stix.records import Entry, OwnerRecord
from postern.stix.schema import DESCRIPTIONS, schema_text
from postern.stix.words import STIX_SECTORS
from postern.vocabulary import Handling, PermittedAction, Purpose, Tlp

FIXED = datetime(2026, 1, 1, tzinfo=UTC)
"""When what every platform says alike was made."""

_TLP_MADE = datetime(2022, 10, 1, tzinfo=UTC)
_KEPT = 4096


@lru_cache(maxsize=_KEPT)
def identity_of(owner: OwnerRecord) -> Entry:
    """An organisation. Its version is the moment since which it is called so, if that is told."""
    return entry_of(
        {
            "type": "identity",
            "spec_version": "2.1",
            "id": identity_id(owner.code),
            "created_by_ref": PLATFORM_ID,
            "created": timestamp(FIXED),
            "modified": timestamp(max(owner.since or FIXED, FIXED)),
            "name": owner.name,
            "identity_class": "organization",
            "sectors": [STIX_SECTORS[owner.sector]],
            "labels": [f"code:{owner.code}", f"sector:{owner.sector}", f"country:{owner.country}"],
        }
    )


@cache
def platform_identity() -> Entry:
    """Who defines the extensions and handling markings."""
    return entry_of(
        {
            "type": "identity",
            "spec_version": "2.1",
            "id": PLATFORM_ID,
            "created": timestamp(FIXED),
            "modified": timestamp(FIXED),
            "name": "Postern",
            "description": "Software by which indicators of drugs by post are exchanged.",
            "identity_class": "system",
        }
    )


@cache
def extension_definition(name: str) -> Entry:
    """The definition of one of our extensions, with its JSON schema inside. Raises KeyError."""
    return entry_of(
        {
            "type": "extension-definition",
            "spec_version": "2.1",
            "id": EXTENSIONS[name],
            "created_by_ref": PLATFORM_ID,
            "created": timestamp(FIXED),
            "modified": timestamp(FIXED),
            "name": name,
            "description": DESCRIPTIONS[name],
            "schema": schema_text(name),
            "version": "1.0.0",
            "extension_types": ["property-extension"],
        }
    )


def extension_definitions() -> tuple[Entry, ...]:
    """All definitions of our extensions, after the identity that made them."""
    return (platform_identity(), *map(extension_definition, EXTENSIONS))


@cache
def tlp_definition(tlp: Tlp) -> Entry:
    """The official definition of a marking of TLP 2.0."""
    return entry_of(
        {
            "type": "marking-definition",
            "spec_version": "2.1",
            "id": TLP_IDS[tlp],
            "created": timestamp(_TLP_MADE),
            "name": f"TLP:{tlp}",
            "extensions": {
                TLP_EXTENSION: {
                    "extension_type": "property-extension",
                    "tlp_2_0": tlp.value.lower(),
                }
            },
        }
    )


@lru_cache(maxsize=_KEPT)
def handling_marking(
    handling: tuple[Handling, ...],
    permitted_action: PermittedAction,
    purposes: tuple[Purpose, ...] = (),
    onward: bool | None = None,
) -> Entry:
    """The marking that says how something may be handled; equal words are one object."""
    codes = sorted(set(handling))
    said: dict[str, Any] = {"permitted_action": permitted_action}
    if codes:
        said["handling"] = codes
    if purposes:
        said["purposes"] = sorted(set(purposes))
    if onward is not None:
        said["onward"] = onward
    words = [*codes, f"permitted: {permitted_action}"]
    return entry_of(
        {
            "type": "marking-definition",
            "spec_version": "2.1",
            "id": stix_id("marking-definition", derived("handling", text_of(said))),
            "created_by_ref": PLATFORM_ID,
            "created": timestamp(FIXED),
            "name": f"Handling: {', '.join(words)}",
            "extensions": {
                EXTENSIONS["handling"]: {"extension_type": "property-extension", **said}
            },
        }
    )


def entry_of(content: Mapping[str, Any]) -> Entry:
    """An object as it is stored."""
    version = content.get("modified", content["created"])
    return Entry(content["id"], content["type"], version, text_of(content))


def text_of(content: Mapping[str, Any]) -> str:
    """JSON on one line, ASCII."""
    return json.dumps(content, separators=(",", ":"), allow_nan=False)

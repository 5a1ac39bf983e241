"""The object by which a client submits an indicator to a collection: elements in our extension."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from postern.stix.names import (
    EXTENSIONS,
    KILL_CHAIN,
    PHASES,
    TLP_IDS,
    identity_id,
    stix_id,
    timestamp,
)
from postern.stix.schema import DAYS, INDICATOR_WORDS
from postern.stix.tokens import facet_name
from postern.stix.words import NAMES, ROLE_NAMES
from postern.stix.writing import DESCRIPTION, POINT_DESCRIPTION, pattern_of_place
from postern.vocabulary import Kind, PartyRole, Tlp

SUBMITTED = "[user-account:user_id = 'submitted']"
"""The pattern of an indicator whose token the platform has yet to make."""


def submission_object(  # noqa: PLR0917 - a caller reads best in this order
    name: UUID,
    created: datetime,
    indicator: Mapping[str, Any],
    shipment: Mapping[str, str | None],
    barrier_step: int | None,
    organisation_code: str,
    *,
    modified: datetime | None = None,
    report: UUID | None = None,
) -> dict[str, Any]:
    """The object that submits an indicator, given as it is written in a report.

    `report` is a name of the sender's own: objects that share it, and say the same of the
    shipment, become one report.
    """
    kind, role = Kind(indicator["kind"]), PartyRole(indicator["role"])
    place = indicator.get("place")
    said: dict[str, Any] = {
        key: indicator[key]
        for key in (*INDICATOR_WORDS, "handling", "quality", *DAYS)
        if indicator.get(key)
    }
    if not place:
        elements: dict[str, list[str]] = {}
        for each in indicator["elements"]:
            elements.setdefault(facet_name(each["facet"]), []).append(each["element"])
        said |= {"epoch": indicator["epoch"], "elements": elements}
    shipped: dict[str, Any] = {key: word for key, word in shipment.items() if word}
    if barrier_step is not None:
        shipped["barrier_step"] = barrier_step
    if report is not None:
        shipped["report"] = str(report)
    base = {"extension_type": "property-extension"}
    content: dict[str, Any] = {
        "type": "indicator",
        "spec_version": "2.1",
        "id": stix_id("indicator", name),
        "created_by_ref": identity_id(organisation_code),
        "created": timestamp(created),
        "modified": timestamp(modified or created),
        "name": f"{NAMES[kind]} {ROLE_NAMES[role]}",
        "description": POINT_DESCRIPTION if place else DESCRIPTION,
        "indicator_types": ["anomalous-activity"],
        "pattern": pattern_of_place(place) if place else SUBMITTED,
        "pattern_type": "stix",
        "pattern_version": "2.1",
        "valid_from": timestamp(created),
        "extensions": {
            EXTENSIONS["postal-indicator"]: {**base, "kind": kind.value, **said},
            **({EXTENSIONS["induction-point"]: {**base, **place}} if place else {}),
            **({EXTENSIONS["consignment"]: {**base, **shipped}} if shipped else {}),
        },
    }
    if indicator.get("tlp"):
        content["object_marking_refs"] = [TLP_IDS[Tlp(indicator["tlp"])]]
    if barrier_step is not None:
        phase = PHASES[barrier_step - 1]
        content["kill_chain_phases"] = [{"kill_chain_name": KILL_CHAIN, "phase_name": phase}]
    return content

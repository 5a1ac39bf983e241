"""A second, slow way to the same answer: Cedar asked about one record at a time.

Written without the engine's parts (no projection, no batch, no windows, other ids), so that the
two can disagree.
"""

import json
from functools import cache
from typing import Any

import cedarpy

from app.sharing.classes import ClassAttributes
from app.sharing.engine import Seat
from app.sharing.policy_text import PLATFORM_FILE, SCHEMA_FILE
from postern.vocabulary import Sector

_SCHEMA = cedarpy.Schema.from_str(SCHEMA_FILE.read_text("utf-8"))
_PLATFORM = PLATFORM_FILE.read_text("utf-8")


def reference_level(
    seat: Seat,
    owner: tuple[str, Sector, str],
    policy: str,
    attributes: ClassAttributes,
    age: int,
) -> int:
    """0 to 3, for an indicator of `owner` (code, sector, country) that is `age` days old."""
    code, sector, country = owner
    policies = _parsed(_PLATFORM if code == seat.member.code else _PLATFORM + policy)
    age_band = 0 if age < 7 else 1 if age < 30 else 2 if age < 90 else 3 if age < 365 else 4
    entities = json.dumps(
        [
            {
                "uid": entity("Organisation", seat.member.code),
                "parents": [
                    entity("Sector", seat.member.sector),
                    entity("Country", seat.member.country),
                    *(entity("Community", each) for each in seat.member.communities),
                ],
                "attrs": {},
            },
            *(
                [
                    {
                        "uid": entity("Organisation", code),
                        "parents": [entity("Sector", sector), entity("Country", country)],
                        "attrs": {},
                    }
                ]
                if code != seat.member.code
                else []
            ),
            {
                "uid": entity("Seat", "s"),
                "parents": [entity("Organisation", seat.member.code)],
                "attrs": {
                    "organisation": entity("Organisation", seat.member.code),
                    "sector": entity("Sector", seat.member.sector),
                    "country": entity("Country", seat.member.country),
                    "role": entity("Role", seat.role),
                },
            },
            {
                "uid": entity("ShareClass", "c"),
                "parents": [],
                "attrs": {
                    "owner": entity("Organisation", code),
                    "kind": entity("Kind", attributes.kind),
                    "role": entity("PartyRole", attributes.role),
                    "tlp": entity("Tlp", attributes.tlp),
                    "handling": [entity("Handling", each) for each in attributes.handling],
                    "sourceGrade": entity("SourceGrade", attributes.source_grade),
                    "informationGrade": int(attributes.information_grade),
                    "assertion": entity("Assertion", attributes.assertion),
                    "permittedAction": entity("PermittedAction", attributes.permitted_action),
                    "ageBand": age_band,
                },
            },
        ]
    )
    level = 0
    for number, action in enumerate(("presence", "metadata", "request"), 1):
        answer = cedarpy.is_authorized(
            {
                "principal": entity("Seat", "s"),
                "action": entity("Action", action),
                "resource": entity("ShareClass", "c"),
                "context": {
                    "purpose": {"__entity": entity("Purpose", seat.purpose)},
                    "legalBasis": {"__entity": entity("LegalBasis", seat.legal_basis)},
                },
            },
            policies,
            entities,
            _SCHEMA,
        )
        if not answer.allowed or answer.diagnostics.errors:
            break
        level = number
    return level


@cache
def _parsed(text: str) -> cedarpy.PolicySet:
    return cedarpy.PolicySet.from_str(text)


def entity(kind: str, name: str) -> dict[str, Any]:
    return {"type": kind, "id": str(name)}

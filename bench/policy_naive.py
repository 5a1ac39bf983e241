"""The naive way that policies are held against: fetch what matches, ask Cedar about every row.

As good as it can be made without remembering answers: the policies of each owner are parsed once,
only an owner's own are asked, the reader is built once a lookup, levels stop at the first denial.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cedarpy

from app.sharing.classes import ClassAttributes
from app.sharing.engine import CHAIN_ACTIONS
from app.sharing.policy_text import PLATFORM_FILE, SCHEMA_FILE
from app.sharing.seats import Member, Seat
from postern.vocabulary import Action


@dataclass(frozen=True)
class OwnedClass:
    """A share class and the code of its owner."""

    owner: str
    attributes: ClassAttributes


class NaivePolicies:
    """The policies of all owners, each parsed once with the platform's."""

    def __init__(self, owners: Mapping[str, tuple[Member, str]]) -> None:
        self._schema = cedarpy.Schema.from_str(SCHEMA_FILE.read_text("utf-8"))
        platform = PLATFORM_FILE.read_text("utf-8")
        self._members = {code: owner for code, (owner, _) in owners.items()}
        self._sets = {
            code: cedarpy.PolicySet.from_str(platform + text) for code, (_, text) in owners.items()
        }

    def reader(self, seat: Seat) -> "NaiveReader":
        """A seat that is about to ask."""
        return NaiveReader(self._schema, self._sets, self._members, seat)


class NaiveReader:
    """One seat during one lookup."""

    def __init__(
        self,
        schema: cedarpy.Schema,
        policy_sets: Mapping[str, cedarpy.PolicySet],
        members: Mapping[str, Member],
        seat: Seat,
    ) -> None:
        self._schema = schema
        self._sets = policy_sets
        self._members = members
        self._seat = seat
        self._entities: dict[str, cedarpy.Entities] = {}
        self._context = json.dumps(
            {
                "purpose": {"__entity": _uid("Purpose", seat.purpose.value)},
                "legalBasis": {"__entity": _uid("LegalBasis", seat.legal_basis.value)},
            }
        )

    def rule(self, owned: OwnedClass, band: int) -> tuple[int, bool]:
        """The level of one row, 0 to 3, and whether its owner is told."""
        entities = self._with(owned.owner).with_added_json_str(
            json.dumps([_share_class(owned, band)]), self._schema
        )
        policies = self._sets[owned.owner]
        level = 0
        for action in CHAIN_ACTIONS:
            if not self._is_allowed(action, policies, entities):
                break
            level += 1
        return level, level > 0 and self._is_allowed(Action.TELL_OWNER, policies, entities)

    def _with(self, owner: str) -> cedarpy.Entities:
        if owner not in self._entities:
            seat = self._seat
            told = [_organisation(self._members[owner], is_reader=False)]
            told.append(_organisation(seat.member, is_reader=True))
            told.append(
                {
                    "uid": _uid("Seat", "reader"),
                    "parents": [_uid("Organisation", seat.member.code)],
                    "attrs": {
                        "organisation": _uid("Organisation", seat.member.code),
                        "sector": _uid("Sector", seat.member.sector.value),
                        "country": _uid("Country", seat.member.country),
                        "role": _uid("Role", seat.role.value),
                    },
                }
            )
            self._entities[owner] = cedarpy.Entities.from_json_str(json.dumps(told), self._schema)
        return self._entities[owner]

    def _is_allowed(
        self, action: Action, policies: cedarpy.PolicySet, entities: cedarpy.Entities
    ) -> bool:
        found = cedarpy.is_authorized(
            {
                "principal": 'Seat::"reader"',
                "action": f'Action::"{action.value}"',
                "resource": 'ShareClass::"row"',
                "context": self._context,
            },
            policies,
            entities,
            self._schema,
        )
        return bool(found.allowed and not found.diagnostics.errors)


def _organisation(member: Member, *, is_reader: bool) -> dict[str, Any]:
    parents = [_uid("Sector", member.sector.value), _uid("Country", member.country)]
    if is_reader:
        parents += [_uid("Community", code) for code in member.communities]
    return {"uid": _uid("Organisation", member.code), "parents": parents, "attrs": {}}


def _share_class(owned: OwnedClass, band: int) -> dict[str, Any]:
    described = owned.attributes
    return {
        "uid": _uid("ShareClass", "row"),
        "parents": [],
        "attrs": {
            "owner": _uid("Organisation", owned.owner),
            "kind": _uid("Kind", described.kind.value),
            "role": _uid("PartyRole", described.role.value),
            "tlp": _uid("Tlp", described.tlp.value),
            "handling": [_uid("Handling", code.value) for code in described.handling],
            "sourceGrade": _uid("SourceGrade", described.source_grade.value),
            "informationGrade": int(described.information_grade.value),
            "assertion": _uid("Assertion", described.assertion.value),
            "permittedAction": _uid("PermittedAction", described.permitted_action.value),
            "barrierStep": described.barrier_step,
            "substance": _uid("Substance", described.substance.value),
            "ageBand": band,
        },
    }


def _uid(kind: str, name: str) -> dict[str, str]:
    return {"type": kind, "id": name}

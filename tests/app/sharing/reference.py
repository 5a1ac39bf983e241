"""A second, slow way to the same answer: Cedar asked about one record and one action at a time.

Written without the engine's parts (no projection, no batch, no windows, no memory, other ids), so
that the two can disagree. `small_language` is a third way, without Cedar.
"""

import json
from functools import cache
from typing import Any, NamedTuple

import cedarpy

from app.sharing.classes import ClassAttributes
from app.sharing.policy_text import PLATFORM_FILE, SCHEMA_FILE
from app.sharing.seats import Member, Seat
from postern.vocabulary import Action

_SCHEMA = cedarpy.Schema.from_str(SCHEMA_FILE.read_text("utf-8"))
_PLATFORM = PLATFORM_FILE.read_text("utf-8")


class Expected(NamedTuple):
    """What a reader is to get of a record, in the order of a grant's columns.

    Level 0 that tells the owner: the owner alone is told.
    """

    level: int
    tells_owner: bool = False
    may_screen: bool = False
    may_feed: bool = False


NOTHING = Expected(0)


def reference_ruling(
    seat: Seat, owner: Member, policy: str, attributes: ClassAttributes, age: int
) -> Expected:
    """For an indicator of `owner`, whose policy is the text given, that is `age` days old."""
    asked = _Question(seat, owner, policy, attributes, age)
    if not asked.allows(Action.PRESENCE):
        return Expected(0, asked.allows(Action.ALERT_OWNER))
    level = 1
    if asked.allows(Action.METADATA):
        level = 3 if asked.allows(Action.REQUEST) else 2
    return Expected(
        level,
        asked.allows(Action.TELL_OWNER),
        asked.allows(Action.SCREEN),
        level > 1 and asked.allows(Action.FEED),
    )


def reference_onward(
    seat: Seat, owner: Member, policy: str, attributes: ClassAttributes, age: int, *, to: Member
) -> bool:
    """Whether the reader may pass on to `to` what it sees of such an indicator."""
    asked = _Question(seat, owner, policy, attributes, age, to=to)
    before = (Action.PRESENCE, Action.METADATA)
    return all(asked.allows(action) for action in before) and asked.allows(Action.ONWARD, to)


def band_of(age: int) -> int:
    """The band of an age in days, spelt out."""
    return 0 if age < 7 else 1 if age < 30 else 2 if age < 90 else 3 if age < 365 else 4


def entity(kind: str, name: str) -> dict[str, Any]:
    return {"type": kind, "id": str(name)}


class _Question:
    def __init__(
        self,
        seat: Seat,
        owner: Member,
        policy: str,
        attributes: ClassAttributes,
        age: int,
        *,
        to: Member | None = None,
    ) -> None:
        self._seat = seat
        self._policies = _parsed(
            _PLATFORM if owner.code == seat.member.code else _PLATFORM + policy
        )
        known = {owner.code: _organisation(owner, ())}
        for member in (seat.member, *((to,) if to else ())):
            known[member.code] = _organisation(member, member.communities)
        self._entities = json.dumps(
            [*known.values(), _reader(seat), _record(owner, attributes, band_of(age))]
        )

    def allows(self, action: Action, to: Member | None = None) -> bool:
        context = {
            "purpose": {"__entity": entity("Purpose", self._seat.purpose)},
            "legalBasis": {"__entity": entity("LegalBasis", self._seat.legal_basis)},
        }
        if to is not None:
            context["to"] = {"__entity": entity("Organisation", to.code)}
        answer = cedarpy.is_authorized(
            {
                "principal": entity("Seat", "s"),
                "action": entity("Action", action),
                "resource": entity("ShareClass", "c"),
                "context": context,
            },
            self._policies,
            self._entities,
            _SCHEMA,
        )
        return bool(answer.allowed and not answer.diagnostics.errors)


def _organisation(member: Member, communities: tuple[str, ...]) -> dict[str, Any]:
    return {
        "uid": entity("Organisation", member.code),
        "parents": [
            entity("Sector", member.sector),
            entity("Country", member.country),
            *(entity("Community", each) for each in communities),
        ],
        "attrs": {},
    }


def _reader(seat: Seat) -> dict[str, Any]:
    return {
        "uid": entity("Seat", "s"),
        "parents": [entity("Organisation", seat.member.code)],
        "attrs": {
            "organisation": entity("Organisation", seat.member.code),
            "sector": entity("Sector", seat.member.sector),
            "country": entity("Country", seat.member.country),
            "role": entity("Role", seat.role),
        },
    }


def _record(owner: Member, attributes: ClassAttributes, age_band: int) -> dict[str, Any]:
    return {
        "uid": entity("ShareClass", "c"),
        "parents": [],
        "attrs": {
            "owner": entity("Organisation", owner.code),
            "kind": entity("Kind", attributes.kind),
            "role": entity("PartyRole", attributes.role),
            "tlp": entity("Tlp", attributes.tlp),
            "handling": [entity("Handling", each) for each in attributes.handling],
            "sourceGrade": entity("SourceGrade", attributes.source_grade),
            "informationGrade": int(attributes.information_grade),
            "assertion": entity("Assertion", attributes.assertion),
            "permittedAction": entity("PermittedAction", attributes.permitted_action),
            "barrierStep": attributes.barrier_step,
            "substance": entity("Substance", attributes.substance),
            "ageBand": age_band,
        },
    }


@cache
def _parsed(text: str) -> cedarpy.PolicySet:
    return cedarpy.PolicySet.from_str(text)

"""What the log is filled with: lookups of 28 organisations, and what owners are told of them.

Two thirds are `lookup.ask` of an asking organisation, with person, case, query and policies, as the
service tells them; one third are `indicator.match` at one of twenty owners. Every entry is made by
the service's own `append`; only the storing differs between bench and service.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from unittest.mock import patch
from uuid import UUID

from sqlalchemy.orm import Session

from app.access import Caller, Means
from app.audit import service
from app.audit.entry import Entry
from app.public_ids import new_public_ids
from postern.vocabulary import LegalBasis, Level, Purpose, Role

ASKERS = tuple(f"police-{number:02}" for number in range(8))
OWNERS = tuple(f"post-{number:02}" for number in range(20))
_PEOPLE = 25  # of each asking organisation
_CASES = 400  # open at a time in each
_QUERIES = ({"party": 1}, {"address": 1}, {"party": 1, "address": 1}, {"vendor": 2}, {"party": 20})


@dataclass(frozen=True)
class Told:
    """One entry to be: who calls `append`, and with what."""

    caller: Caller
    act: str
    given: Mapping[str, Any]

    def append(self, session: Session) -> Entry:
        """Append it in the transaction of `session`."""
        return service.append(session, self.caller, self.act, **self.given)


def acts(draw: random.Random, at: datetime) -> Iterator[Told]:
    """Acts without end: a lookup, a second one, and what an owner is told of the second."""
    people = {code: [_person(code, draw) for _ in range(_PEOPLE)] for code in ASKERS}
    while True:
        caller = draw.choice(people[draw.choice(ASKERS)])
        purpose, basis = draw.choice(_GROUNDS)
        lookups = new_public_ids(2, at)
        for lookup, hits in zip(lookups, (0, draw.randrange(1, 4)), strict=True):
            yield Told(caller, "lookup.ask", _asked(draw, lookup, purpose, basis, hits))
        yield Told(caller, "indicator.match", _matched(draw, caller, purpose, basis, at))


def _person(code: str, draw: random.Random) -> Caller:
    return Caller(
        person_id=1,
        person=UUID(int=draw.getrandbits(128), version=4),
        organisation_id=1,
        organisation=code,
        roles=frozenset({Role.ANALYST}),
        scopes=None,
        means=draw.choice((Means.SESSION, Means.TOKEN)),
    )


def _asked(
    draw: random.Random, lookup: UUID, purpose: Purpose, basis: LegalBasis, hits: int
) -> dict[str, Any]:
    query = draw.choice(_QUERIES)
    owners = draw.sample(OWNERS, hits)
    return {
        "purpose": purpose,
        "basis": basis,
        "case": f"PV-2026-{draw.randrange(_CASES):06}",
        "object_type": "lookup",
        "objects": [str(lookup)],
        "count": sum(query.values()),
        "results": [[owner, Level.PRESENCE.value] for owner in owners],
        "details": {
            "query": query,
            "hits": hits,
            "policies": sorted(f"{owner}/{draw.randrange(1, 9)}" for owner in owners),
        },
    }


def _matched(
    draw: random.Random, caller: Caller, purpose: Purpose, basis: LegalBasis, at: datetime
) -> dict[str, Any]:
    owner = draw.choice(OWNERS)
    return {
        "purpose": purpose,
        "basis": basis,
        "audience": [owner],
        "tell_actor": False,
        "object_type": "indicator",
        "objects": [str(each) for each in new_public_ids(draw.choice((1, 1, 1, 2)), at)],
        "details": {
            "viewer": caller.organisation,
            "policy": f"{owner}/{draw.randrange(1, 9)}",
            "policies": ["exchange/known-to-police"],
            "level": Level.PRESENCE.value,
        },
    }


class Rows:
    """What `append` would store, kept instead: stands in for a session on PostgreSQL."""

    def __init__(self) -> None:
        self.info: dict[str, Any] = {}
        self.rows: list[Mapping[str, Any]] = []
        self.name = "postgresql"

    def get_bind(self) -> "Rows":
        """The engine, of which only the name of the dialect is asked."""
        return self

    @property
    def dialect(self) -> "Rows":
        return self

    def keep(self, _session: object, _statement: str, values: Mapping[str, Any]) -> None:
        """Keep a row: stands in for `send_later`."""
        self.rows.append(values)


def rows_of(
    told: Iterator[Told], moments: Sequence[datetime], tag_keys: Mapping[str, bytes]
) -> list[Mapping[str, Any]]:
    """The rows of one act of `told` at each of `moments`."""
    kept = Rows()
    clock = iter(moments)
    with (
        patch.object(service, "now", lambda: next(clock)),
        patch.object(service, "_tag_keys", lambda _session, _audience: tag_keys),
        patch.object(service, "send_later", kept.keep),
    ):
        for _, act in zip(moments, told, strict=False):
            act.append(cast("Session", kept))
            kept.info.clear()
    return kept.rows


_GROUNDS = (
    (Purpose.CRIMINAL_INVESTIGATION, LegalBasis.CRIMINAL_PROCEDURE),
    (Purpose.CRIMINAL_INTELLIGENCE, LegalBasis.POLICE_LAW),
    (Purpose.CUSTOMS_CONTROL, LegalBasis.CUSTOMS_LAW),
)

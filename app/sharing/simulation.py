"""What a policy would change before it takes effect: who gains and who loses what, on live records.

Readers are analysts of every other active organisation, for every purpose on every legal basis
that the platform's rules let them rely on, whether or not they have ever asked. Records are
counted once, by share class and band of age; Cedar is asked once for all that it cannot tell
apart. Nothing is stored.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append
from app.clock import day
from app.sharing import grants, own_assets, readers, service, versions, visibility
from app.sharing.asset_comparison import GIVEN, AssetAtAge
from app.sharing.changes import Compared, Comparison, Example
from app.sharing.classes import AGE_BANDS, age_band
from app.sharing.classes import read as read_class
from app.sharing.comparison import Stocked, World, compare
from app.sharing.policy_text import Fault
from app.sharing.probe import probe
from app.sharing.versions import Version
from app.sharing.visibility import ClassCount
from postern.vocabulary import Kind

MOST_EXAMPLES = 3
"""Indicators that are named for one change."""


@dataclass(frozen=True)
class Simulation:
    """A text compared with the version in force and then with the one that waits, if one does.

    `faults` are why it could not take effect though every policy is valid; `warnings` are what its
    author may not have meant.
    """

    at: datetime
    sha256: str
    comparisons: tuple[Comparison, ...]
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]


def simulate(session: Session, caller: Caller, text: str, at: datetime) -> Simulation:
    """What would change if the text were the caller's organisation's policy at the moment `at`.

    PolicyRefusedError when the text is not valid.
    """
    organisation_id, _ = caller.member
    policies = service.check(session, text)
    members = grants.members(session)
    owner = replace(members[organisation_id], communities=())
    readable = readers.others(session, organisation_id)
    stock = _stock(session, organisation_id, at)
    examples = _Examples(session, at)
    world = World(
        owner,
        readable,
        stock,
        examples.of,
        {kind: _assets(session, organisation_id, at, kind) for kind in GIVEN},
    )
    comparisons = [
        compare(world, version.policies if version else (), policies, against)
        for version, against in _compared(session, organisation_id, at)
    ]
    probed = probe(policies, owner, members.values())
    digest = hashlib.sha256(text.encode()).hexdigest()
    append(
        session,
        caller,
        "policy.simulate",
        object_type="policy",
        objects=[f"{owner.code}/{each.against.version}" for each in comparisons],
        results=[*examples.told(), *_named_assets(comparisons)],
        details={"sha256": digest},
    )
    return Simulation(at, digest, tuple(comparisons), probed.faults, probed.warnings)


def _stock(session: Session, organisation_id: int, at: datetime) -> list[Stocked]:
    """Every class of the organisation at every age, those without a live indicator too.

    But those of patterns and barriers, which are counted apart.
    """
    stock = {
        (each.id, band): Stocked((each.attributes, band))
        for each in grants.classes_of(session, organisation_id)
        if each.attributes.kind not in GIVEN
        for band in range(len(AGE_BANDS))
    }
    for counted in visibility.live_by_class(session, organisation_id, at):
        stock[counted.share_class_id, counted.age_band].counted = counted
    return list(stock.values())


def _assets(session: Session, organisation_id: int, at: datetime, kind: Kind) -> list[AssetAtAge]:
    today = day(at)
    return [
        AssetAtAge(each.id, each.title, (each.attributes, age_band(max(0, today - each.seen_day))))
        for each in own_assets.in_force(session, organisation_id, at, kind)
    ]


def _named_assets(comparisons: Iterable[Comparison]) -> list[str]:
    """The ids of the patterns and barriers that are named as examples."""
    named = {
        str(example.id)
        for each in comparisons
        for reader in (*each.patterns.readers, *each.barriers.readers)
        for example in (*reader.gained, *reader.lost)
    }
    return sorted(named)


class _Examples:
    """Indicators of a class and band, each asked for once, with what is told of them."""

    def __init__(self, session: Session, at: datetime) -> None:
        self._session = session
        self._at = at
        self._known: dict[tuple[int, int], list[Example]] = {}

    def of(self, counted: Iterable[ClassCount]) -> tuple[Example, ...]:
        """Up to MOST_EXAMPLES, of the classes with most indicators first."""
        found: list[Example] = []
        for each in sorted(counted, key=lambda one: (-one.count, one.share_class_id, one.age_band)):
            if len(found) >= MOST_EXAMPLES:
                break
            found += self._read(each)
        return tuple(found[:MOST_EXAMPLES])

    def told(self) -> list[str]:
        """The ids of all that were read."""
        return sorted(str(each.id) for known in self._known.values() for each in known)

    def _read(self, counted: ClassCount) -> list[Example]:
        key = counted.share_class_id, counted.age_band
        if key not in self._known:
            attributes = read_class(counted.attributes)
            self._known[key] = [
                Example(public_id, attributes.kind, attributes.role, attributes.tlp, key[1])
                for public_id in visibility.examples(
                    self._session, counted, self._at, MOST_EXAMPLES
                )
            ]
        return self._known[key]


def _compared(
    session: Session, organisation_id: int, at: datetime
) -> list[tuple[Version | None, Compared]]:
    """The version in force, or that there is none, and the one that waits, if one does."""
    held = versions.in_force(session, organisation_id, at)
    waits = versions.scheduled(session, organisation_id, at)
    found: list[tuple[Version | None, Compared]] = [
        (
            held,
            Compared(
                held.seq if held else 0, held.valid_from if held else None, is_scheduled=False
            ),
        )
    ]
    if waits is not None:
        found.append((waits, Compared(waits.seq, waits.valid_from, is_scheduled=True)))
    return found

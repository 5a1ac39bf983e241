"""Who could read: every other active organisation, in groups that some policies cannot tell apart.

Simulation and explanation ask about everybody, for every purpose and legal basis. What no policy
asks for cannot change an answer, so that one organisation stands for all that are like it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy.orm import Session

from app.organisations.service import directory
from app.sharing import grants
from app.sharing.distinctions import Distinctions, Shape
from app.sharing.engine import CHAIN, Ruling
from app.sharing.policy_text import Policy, platform_policies
from app.sharing.seats import Member, Seat
from postern.vocabulary import LegalBasis, Level, Purpose, Role, Told

Bases: TypeAlias = tuple[LegalBasis, ...]
"""Legal bases with one answer; empty where it is the same on all that the reader may rely on."""


@dataclass(frozen=True, order=True)
class Named:
    """An organisation by its code and name."""

    code: str
    name: str


@dataclass(frozen=True)
class Group:
    """Organisations that the policies cannot tell apart; `member` stands for all of them."""

    organisations: tuple[Named, ...]
    members: tuple[Member, ...]

    @property
    def member(self) -> Member:
        """The one that is asked about."""
        return self.members[0]


@dataclass(frozen=True)
class Access:
    """What a reader gets of an indicator; `level` None is nothing."""

    level: Level | None
    may_screen: bool
    may_feed: bool
    told: Told | None

    @staticmethod
    def of(ruling: Ruling) -> "Access":
        """The access that a ruling gives."""
        level = CHAIN[ruling.level - 1] if ruling.level else None
        return Access(level, ruling.may_screen, ruling.may_feed, ruling.told)

    @property
    def rank(self) -> int:
        """0 for nothing to 3 for request."""
        return CHAIN.index(self.level) + 1 if self.level else 0


@dataclass(frozen=True, order=True)
class Rule:
    """A policy as people are told of it."""

    id: str
    label: str


def others(session: Session, organisation_id: int) -> list[tuple[Named, Member]]:
    """The other active organisations with what policies know of them, in order of their codes."""
    members = grants.members(session)
    found = [
        (Named(each.code, each.name), members[each_id])
        for each_id, each in directory(session).items()
        if each.is_active and each_id != organisation_id
    ]
    return sorted(found, key=lambda pair: pair[0])


def groups(
    distinctions: Distinctions, owner: Member, readers: Iterable[tuple[Named, Member]]
) -> list[Group]:
    """The readers, those alike together, in the order of their first."""
    found: dict[Shape, list[tuple[Named, Member]]] = {}
    for named, member in readers:
        found.setdefault(distinctions.of_member(owner, member), []).append((named, member))
    return [
        Group(tuple(named for named, _ in each), tuple(member for _, member in each))
        for each in found.values()
    ]


def seats(found: Iterable[Group], purposes: Iterable[Purpose] = Purpose) -> list[Seat]:
    """An analyst of each group, for every purpose on every legal basis; nobody else asks."""
    return [
        Seat(group.member, Role.ANALYST, purpose, basis)
        for group in found
        for purpose in purposes
        for basis in LegalBasis
    ]


def told_bases(bases: Iterable[LegalBasis], usable: Iterable[LegalBasis]) -> Bases:
    """The bases as they are shown: empty when they are all that the reader may rely on."""
    named = set(bases)
    return () if named.issuperset(usable) else tuple(each for each in LegalBasis if each in named)


def rules(ids: Iterable[str], policies: Sequence[Policy]) -> tuple[Rule, ...]:
    """The policies that decided, with their labels, in the order of their ids."""
    labels = {policy.id: policy.label for policy in (*platform_policies(), *policies)}
    return tuple(Rule(each, labels[each]) for each in sorted(set(ids)))

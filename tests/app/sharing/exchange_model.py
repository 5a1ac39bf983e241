"""What the exchange ought to answer: a model in plain Python, per record and obviously right.

It knows organisations, versions and records as the machine made them, and nothing of classes,
profiles, grants or SQL.
"""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from uuid import UUID

from app.sharing.classes import ClassAttributes
from app.sharing.seats import Member, Seat
from postern.vocabulary import LegalBasis, Purpose, Role
from tests.app.sharing.reference import NOTHING, Expected, band_of
from tests.app.sharing.small_language import Asked, Clause, expected

_EPOCH = date(1970, 1, 1)


@dataclass
class Version:
    seq: int
    clauses: tuple[Clause, ...]
    valid_from: datetime
    cancelled: bool = False

    def has_begun(self, at: datetime) -> bool:
        """Times of policies are whole seconds."""
        return self.valid_from.replace(microsecond=0) <= at


@dataclass
class Organisation:
    member: Member
    is_active: bool = True
    versions: list[Version] = field(default_factory=list)

    def in_force(self, at: datetime) -> Version | None:
        begun = [each for each in self.versions if not each.cancelled and each.has_begun(at)]
        return begun[-1] if begun else None

    def scheduled(self, at: datetime) -> Version | None:
        waiting = [v for v in self.versions if not v.cancelled and v.valid_from > at]
        return waiting[-1] if waiting else None


@dataclass
class Record:
    public_id: UUID
    report: UUID
    owner: str
    attributes: ClassAttributes
    token: bytes
    seen: date
    expires_on: date


@dataclass
class Model:
    organisations: dict[str, Organisation] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)

    def seat(self, code: str, role: Role, purpose: Purpose, basis: LegalBasis) -> Seat:
        return Seat(self.organisations[code].member, role, purpose, basis)

    def join(self, code: str, community: str) -> None:
        organisation = self.organisations[code]
        communities = {*organisation.member.communities, community}
        self._belongs_to(organisation, communities)

    def leave(self, code: str, community: str) -> None:
        organisation = self.organisations[code]
        self._belongs_to(organisation, {*organisation.member.communities} - {community})

    def publish(
        self, code: str, clauses: tuple[Clause, ...], at: datetime, valid_from: datetime
    ) -> None:
        versions = self.organisations[code].versions
        versions.append(Version(len(versions) + 1, clauses, max(at, valid_from)))

    def gets(self, seat: Seat, record: Record, at: datetime) -> Expected:
        """What the seat is to get of the record, expired or not."""
        reader, owner = self.organisations[seat.member.code], self.organisations[record.owner]
        age = (at.date() - record.seen).days
        if age < 0 or not reader.is_active or not owner.is_active:
            return NOTHING
        version = owner.in_force(at)
        clauses = version.clauses if version else ()
        return expected(clauses, Asked(seat, owner.member, record.attributes, band_of(age)))

    def live(self, at: datetime) -> list[Record]:
        return [record for record in self.records if record.expires_on > at.date()]

    def highest(self, viewer: str, purpose: Purpose, record: Record, at: datetime) -> int:
        """The highest level at which an analyst on any legal basis sees the record."""
        seats = [self.seat(viewer, Role.ANALYST, purpose, basis) for basis in LegalBasis]
        return max(self.gets(seat, record, at).level for seat in seats)

    def _belongs_to(self, organisation: Organisation, communities: set[str]) -> None:
        organisation.member = replace(organisation.member, communities=tuple(sorted(communities)))

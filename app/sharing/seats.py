"""Who reads, as policies know them: an organisation, and somebody of it without the person."""

from dataclasses import dataclass

from postern.vocabulary import LegalBasis, Purpose, Role, Sector


@dataclass(frozen=True)
class Member:
    """An organisation as policies know it; an owner's communities play no part in a decision."""

    code: str
    sector: Sector
    country: str
    communities: tuple[str, ...] = ()


@dataclass(frozen=True)
class Seat:
    """A reader without the person, and why they read."""

    member: Member
    role: Role
    purpose: Purpose
    legal_basis: LegalBasis

"""What is to be written as STIX: values that a caller fills from its rows, and what comes back.

A `name` is the UUID in a STIX id. It is random, or follows from a random one; never from a value.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from postern.vocabulary import (
    Assertion,
    Handling,
    InformationGrade,
    Kind,
    Learned,
    LegalBasis,
    Level,
    PartyRole,
    PermittedAction,
    Purpose,
    Sector,
    SourceGrade,
    SubjectCategory,
    Tlp,
)


class Entry(NamedTuple):
    """One version of one object. `version` is its `modified`, or `created` where it has none."""

    id: str
    type: str
    version: str  # 2026-11-24T07:00:00.000Z
    text: str  # JSON on one line, ASCII


class Rendered(NamedTuple):
    """`support` are objects that `own` refers to and that many others share; each goes before.

    `own` begins with the object itself; what follows exists only beside it and ends with it.
    """

    support: tuple[Entry, ...]
    own: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class OwnerRecord:
    """The organisation that something comes from."""

    code: str  # its STIX identity follows from it
    name: str
    sector: Sector
    country: str  # ISO 3166-1 alpha-2
    since: datetime | None = None  # when it was last renamed or moved, if ever


@dataclass(frozen=True, slots=True)
class ReportRecord:
    """The report of an indicator. `shipment`: fields of ShipmentSchema; None is left out."""

    id: UUID
    barrier_step: int | None = None
    shipment: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IndicatorRecord:
    """An indicator as one reader gets it.

    `tokens`: (facet number, exchange token) in any order, or None where the reader may not match on
    its own premises; then `reference` stands in the pattern. For an induction point `place` does.
    `purposes` and `onward` are what the reader's right says of them; empty and None: not told.
    """

    name: UUID
    created: datetime  # aware; milliseconds are kept
    modified: datetime
    owner: OwnerRecord
    report: ReportRecord
    level: Level
    kind: Kind
    role: PartyRole
    subject_category: SubjectCategory
    assertion: Assertion
    source_grade: SourceGrade
    information_grade: InformationGrade
    learned: Learned
    legal_basis: LegalBasis
    tlp: Tlp
    handling: tuple[Handling, ...]
    permitted_action: PermittedAction
    review_on: date
    expires_on: date
    reference: str  # ref1.<22 characters>, of postern.stix.tokens
    observed_from: date | None = None
    observed_to: date | None = None
    quality: tuple[str, ...] = ()
    epoch: int = 0
    tokens: tuple[tuple[int, str], ...] | None = None
    place: Mapping[str, str] | None = None  # operator, code, country
    purposes: tuple[Purpose, ...] = ()
    onward: bool | None = None


@dataclass(frozen=True, slots=True)
class EndedRecord:
    """An object that was served and is no more: nothing of what it was but its kind.

    `kind` decides which objects stood beside it; PATTERN is a shipping pattern.
    """

    name: UUID
    created: datetime
    modified: datetime
    owner: OwnerRecord
    kind: Kind


@dataclass(frozen=True, slots=True)
class SightingRecord:
    """That an organisation saw again what an indicator is about. `of` is the indicator's name."""

    name: UUID
    created: datetime
    modified: datetime
    by: OwnerRecord
    of: UUID
    tlp: Tlp
    count: int = 1
    first_seen: datetime | None = None
    last_seen: datetime | None = None


@dataclass(frozen=True, slots=True)
class PatternRecord:
    """A shipping pattern: the text of its rule (`parcel-pattern/1`), which is checked.

    Where nobody on a platform owns it, its own author is its producer.
    """

    name: UUID
    created: datetime
    modified: datetime
    owner: OwnerRecord | None
    text: str

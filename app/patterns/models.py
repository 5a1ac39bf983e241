"""Shared shipping patterns: their versions, who subscribes, and what they turned out to be worth.

A pattern is a rule about parcels; no table here knows a person but as the pseudonym of the audit
log. A published version never changes: what is written after it is the next version.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    Date,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, BigInt, Moment, word
from postern.patterns.model import Level
from postern.vocabulary import (
    Assertion,
    InformationGrade,
    LegalBasis,
    Purpose,
    SourceGrade,
    Substance,
    Tlp,
)


class VersionState(StrEnum):
    """How far a version has come; the first two are open."""

    EDITING = "editing"
    PROPOSED = "proposed"  # waits for a second person; its text stands still
    PUBLISHED = "published"
    REFUSED = "refused"
    DISCARDED = "discarded"


class SharedPattern(Base):
    """One rule of an organisation through its versions.

    `rule_id` is the id that its documents carry, from the first publication on. `current_id` is
    the newest published version, what is screened with; not a foreign key, for the two tables
    would hold each other.
    """

    __tablename__ = "pattern"
    __table_args__ = (UniqueConstraint("organisation_id", "rule_id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    rule_id: Mapped[UUID | None] = mapped_column(Uuid)
    created_at: Mapped[datetime] = mapped_column(Moment)
    current_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    deprecated_at: Mapped[datetime | None] = mapped_column(Moment)
    deprecated_by: Mapped[UUID | None] = mapped_column(Uuid)
    deprecation_reason: Mapped[str | None] = mapped_column(String(500))
    superseded_by: Mapped[UUID | None] = mapped_column(Uuid)  # public id of a pattern


class PatternVersion(Base):
    """One text of a pattern.

    `title`, `description`, `level`, `barrier_step`, `tlp` and `expires_on` are what the text says;
    empty as long as it has faults. `share_class_id` and `seen_day` come with the publication. The
    organisation stands here too, for the visibility predicate.
    """

    __tablename__ = "pattern_version"
    __table_args__ = (
        UniqueConstraint("pattern_id", "seq"),
        Index("ix_pattern_version_state_updated_at", "state", "updated_at"),
        Index("ix_pattern_version_organisation_id_expires_on", "organisation_id", "expires_on"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    pattern_id: Mapped[int] = mapped_column(BigInt, ForeignKey("pattern.id", ondelete="CASCADE"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    seq: Mapped[int]  # from 1
    state: Mapped[VersionState] = mapped_column(word(VersionState))
    revision: Mapped[int]  # counts changes, so that none is overwritten or decided on unread
    text: Mapped[str] = mapped_column(Text)
    sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    title: Mapped[str] = mapped_column(String(120))
    description: Mapped[str] = mapped_column(Text)
    level: Mapped[Level | None] = mapped_column(word(Level))
    barrier_step: Mapped[int | None] = mapped_column(SmallInteger)
    tlp: Mapped[Tlp | None] = mapped_column(word(Tlp))
    expires_on: Mapped[date | None] = mapped_column(Date)
    handling: Mapped[list[Any]] = mapped_column(JSON)
    source_grade: Mapped[SourceGrade] = mapped_column(word(SourceGrade))
    information_grade: Mapped[InformationGrade] = mapped_column(word(InformationGrade))
    assertion: Mapped[Assertion] = mapped_column(word(Assertion))
    substance: Mapped[Substance] = mapped_column(word(Substance))
    created_at: Mapped[datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime] = mapped_column(Moment)
    proposed_at: Mapped[datetime | None] = mapped_column(Moment)
    proposed_by: Mapped[UUID | None] = mapped_column(Uuid)
    decided_at: Mapped[datetime | None] = mapped_column(Moment)
    decided_by: Mapped[UUID | None] = mapped_column(Uuid)
    note: Mapped[str | None] = mapped_column(String(500))
    share_class_id: Mapped[int | None] = mapped_column(ForeignKey("share_class.id"), index=True)
    seen_day: Mapped[int | None] = mapped_column(SmallInteger)  # since 1970, of the publication
    reminded_at: Mapped[datetime | None] = mapped_column(Moment)  # that its end is near


class PatternVersionAuthor(Base):
    """Everybody who wrote or proposed a version: none of them may approve it."""

    __tablename__ = "pattern_version_author"

    version_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("pattern_version.id", ondelete="CASCADE"), primary_key=True
    )
    person: Mapped[UUID] = mapped_column(Uuid, primary_key=True)


class PatternSubscription(Base):
    """That an organisation screens with a pattern, and why: its policy is asked by that each time.

    `given` are the numbers of the versions that the organisation got, rising: of these it may tell
    counts. `lost_at` is when it was told that it may not screen with the pattern any more.
    """

    __tablename__ = "pattern_subscription"

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    pattern_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("pattern.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    purpose: Mapped[Purpose] = mapped_column(word(Purpose))
    legal_basis: Mapped[LegalBasis] = mapped_column(word(LegalBasis))
    since: Mapped[datetime] = mapped_column(Moment)
    given: Mapped[list[int]] = mapped_column(JSON)
    lost_at: Mapped[datetime | None] = mapped_column(Moment)

    def note(self, seq: int) -> None:
        """Note that the organisation got a version."""
        if seq not in self.given:
            self.given = sorted((*self.given, seq))


class PatternRun(Base):
    """How many parcels an organisation screened with a version on a day, and how many hit."""

    __tablename__ = "pattern_run"

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    version_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("pattern_version.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    parcels: Mapped[int] = mapped_column(BigInteger)
    hits: Mapped[int] = mapped_column(BigInteger)
    told_at: Mapped[datetime] = mapped_column(Moment)


class PatternOutcome(Base):
    """What became of the parcels of that day that hit and were examined.

    examined = found + not_found + wrong; `wrong` is a hit that the rule should not have made.
    """

    __tablename__ = "pattern_outcome"

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    version_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("pattern_version.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    examined: Mapped[int]
    found: Mapped[int]
    not_found: Mapped[int]
    wrong: Mapped[int]
    told_at: Mapped[datetime] = mapped_column(Moment)

"""The record of personal data breaches: one clock each, and notes that are only ever added."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, SmallInteger, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, BigInt, Moment, word


class Risk(StrEnum):
    """What the breach means for people (GDPR Art. 33(1), 34(1); LED Art. 30(1), 31(1))."""

    UNLIKELY = "unlikely"
    RISK = "risk"
    HIGH = "high"


class BreachStep(StrEnum):
    """What a note of a breach tells."""

    FACT = "fact"
    MEASURE = "measure"
    RISK = "risk"
    AUTHORITY = "authority"
    PEOPLE = "people"
    PARTNERS = "partners"
    CLOSED = "closed"


class Breach(Base):
    """A breach as one organisation records it. Persons are pseudonyms of the log."""

    __tablename__ = "breach"
    __table_args__ = (Index("ix_breach_organisation_id_closed_at", "organisation_id", "closed_at"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    sealed_title: Mapped[bytes] = mapped_column(LargeBinary)
    aware_at: Mapped[datetime] = mapped_column(Moment)  # from when the 72 hours run
    since: Mapped[datetime | None] = mapped_column(Moment)  # when it happened, as far as known
    until: Mapped[datetime | None] = mapped_column(Moment)
    risk: Mapped[Risk | None] = mapped_column(word(Risk))
    opened_at: Mapped[datetime] = mapped_column(Moment)
    opened_by: Mapped[UUID] = mapped_column(Uuid)
    authority_at: Mapped[datetime | None] = mapped_column(Moment)  # when each was told
    people_at: Mapped[datetime | None] = mapped_column(Moment)
    partners_at: Mapped[datetime | None] = mapped_column(Moment)
    reminded_hours: Mapped[int | None] = mapped_column(SmallInteger)  # left at the last reminder
    closed_at: Mapped[datetime | None] = mapped_column(Moment)
    closed_by: Mapped[UUID | None] = mapped_column(Uuid)


class BreachNote(Base):
    """One thing that was found or done, sealed; rows are added and never changed."""

    __tablename__ = "breach_note"

    breach_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("breach.id", ondelete="CASCADE"), primary_key=True
    )
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # 1.. in its breach
    step: Mapped[BreachStep] = mapped_column(word(BreachStep))
    sealed_note: Mapped[bytes] = mapped_column(LargeBinary)
    told_at: Mapped[datetime] = mapped_column(Moment)
    told_by: Mapped[UUID] = mapped_column(Uuid)

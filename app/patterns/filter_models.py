"""Screening filters and what is agreed for screening: tags, counts and days, nothing of a person.

A tag is the beginning of a keyed hash of a token. The salt that it is keyed with is sealed, so that
a copy of the tables alone ties no tag to a token.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    Date,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, BigInt, Moment, word
from postern.vocabulary import EvaluationKind, LegalBasis, Purpose


class FilterState(StrEnum):
    """How a filter stands; its content is given out while it is ready, and never after."""

    BUILDING = "building"
    READY = "ready"
    CALLED_BACK = "called_back"  # an indicator in it was withdrawn: it serves for changes alone
    EXPIRED = "expired"  # its parts are erased
    FAILED = "failed"  # whoever asked for it had no right to it any more


class FilterSalt(Base):
    """The salt of an organisation's filters, one for each set of key epochs."""

    __tablename__ = "filter_salt"
    __table_args__ = (UniqueConstraint("organisation_id", "stamp"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    stamp: Mapped[bytes] = mapped_column(LargeBinary(32))  # of the epochs
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[datetime] = mapped_column(Moment)


class FilterIssue(Base):
    """One filter, made once for one organisation; it is followed by another, never changed.

    `made_at` is the moment at which its content was read, in whole seconds; while it is being
    built, that at which it was asked for.
    """

    __tablename__ = "filter_issue"
    __table_args__ = (
        UniqueConstraint("organisation_id", "seq"),
        Index("ix_filter_issue_expires_at", "expires_at"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    seq: Mapped[int]
    profile_id: Mapped[int] = mapped_column(ForeignKey("profile.id"))
    purpose: Mapped[Purpose] = mapped_column(word(Purpose))
    legal_basis: Mapped[LegalBasis] = mapped_column(word(LegalBasis))
    person_id: Mapped[int] = mapped_column(ForeignKey("person_account.id"))
    salt_id: Mapped[int] = mapped_column(ForeignKey("filter_salt.id"))
    epochs: Mapped[dict[str, Any]] = mapped_column(JSON)  # evaluation kind -> epoch
    state: Mapped[FilterState] = mapped_column(word(FilterState))
    made_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    parts: Mapped[int] = mapped_column(SmallInteger)
    count: Mapped[int | None] = mapped_column(BigInt)  # records
    sha256: Mapped[bytes | None] = mapped_column(LargeBinary(32))  # of the content


class FilterPart(Base):
    """A piece of a filter's content, of at most one MiB; numbers begin with 1."""

    __tablename__ = "filter_part"

    issue_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("filter_issue.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class ScreeningAllowance(Base):
    """What was agreed with an organisation: so many evaluations a day, until a day, and why."""

    __tablename__ = "screening_allowance"

    organisation_id: Mapped[int] = mapped_column(
        ForeignKey("organisation.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[EvaluationKind] = mapped_column(word(EvaluationKind), primary_key=True)
    elements: Mapped[int] = mapped_column(BigInt)  # of a day
    ends_on: Mapped[date] = mapped_column(Date)  # the last day
    reason: Mapped[str] = mapped_column(String(200))
    agreed_at: Mapped[datetime] = mapped_column(Moment)


class ScreeningBudget(Base):
    """Evaluations for screening that an organisation used on one day (UTC)."""

    __tablename__ = "screening_budget"

    organisation_id: Mapped[int] = mapped_column(
        ForeignKey("organisation.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[EvaluationKind] = mapped_column(word(EvaluationKind), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    used: Mapped[int] = mapped_column(BigInt)

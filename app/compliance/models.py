"""Reviews of consultations, and signals that a person must judge.

Persons stand here as the pseudonyms of the log; what people write is sealed.
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
    String,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, BigInt, Moment, word
from postern.vocabulary import SubjectRequestState, SubjectRight


class Verdict(StrEnum):
    """What a person found of a consultation or of a signal."""

    IN_ORDER = "in-order"
    MISTAKE = "mistake"
    BREACH = "breach"
    UNCLEAR = "unclear"


class Wholeness(StrEnum):
    """What was found of the log as a whole."""

    WHOLE = "whole"
    NOT_WHOLE = "not-whole"
    UNTOLD = "untold"  # it cannot be told


class Signal(StrEnum):
    """Why something in the log was brought to a person's attention."""

    BULK = "bulk"
    PROBING = "probing"
    NO_CASE_ACTIVITY = "no-case-activity"
    UNUSUAL_HOURS = "unusual-hours"
    OWN_INTEREST = "own-interest"
    QUOTA = "quota"
    NOT_FOLLOWED_UP = "not-followed-up"
    REFUSALS = "refusals"
    SCREENING = "screening"
    UNUSED = "unused-evaluations"
    WALKING = "walking"
    NEIGHBOURS = "neighbours"
    STEADY = "steady"


class Review(Base):
    """A standing order: each month, so many entries of this kind, drawn at random, are judged."""

    __tablename__ = "review"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    sealed_title: Mapped[bytes] = mapped_column(LargeBinary)
    filters: Mapped[dict[str, Any]] = mapped_column(JSON)  # act, operation, purpose, outcome only
    sample: Mapped[int]
    created_by: Mapped[UUID] = mapped_column(Uuid)
    created_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)


class ReviewRound(Base):
    """One month of a review. The sample follows from `seed`, the root of a signed checkpoint."""

    __tablename__ = "review_round"
    __table_args__ = (UniqueConstraint("review_id", "month"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    review_id: Mapped[int] = mapped_column(ForeignKey("review.id"))
    month: Mapped[date] = mapped_column(Date)  # its first day
    size: Mapped[int] = mapped_column(BigInteger)  # of that checkpoint
    seed: Mapped[bytes] = mapped_column(LargeBinary(32))
    population: Mapped[int]  # entries of the month from which was drawn
    drawn_at: Mapped[datetime] = mapped_column(Moment)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)


class Finding(Base):
    """One drawn entry, and what a person found of it."""

    __tablename__ = "finding"

    round_id: Mapped[int] = mapped_column(
        ForeignKey("review_round.id", ondelete="CASCADE"), primary_key=True
    )
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # 1.. in the sample
    eid: Mapped[int] = mapped_column(BigInt)
    t: Mapped[int] = mapped_column(BigInteger)
    verdict: Mapped[Verdict | None] = mapped_column(word(Verdict))
    sealed_note: Mapped[bytes | None] = mapped_column(LargeBinary)
    judged_by: Mapped[UUID | None] = mapped_column(Uuid)
    judged_at: Mapped[datetime | None] = mapped_column(Moment)


class Anomaly(Base):
    """A signal: a task that a person closes. Nothing follows from it by itself."""

    __tablename__ = "anomaly"
    __table_args__ = (
        Index("ix_anomaly_open", "organisation_id", "closed_at", "found_at"),
        UniqueConstraint("organisation_id", "key"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    signal: Mapped[Signal] = mapped_column(word(Signal))
    key: Mapped[str] = mapped_column(String(64))  # the same finding is told once
    person: Mapped[UUID | None] = mapped_column(Uuid)
    since: Mapped[datetime] = mapped_column(Moment)
    until: Mapped[datetime] = mapped_column(Moment)
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)  # counts, limits and codes
    entries: Mapped[list[int]] = mapped_column(JSON)  # eids that show it, at most fifty
    found_at: Mapped[datetime] = mapped_column(Moment)
    assigned_to: Mapped[UUID | None] = mapped_column(Uuid)  # the officer who looks into it
    due_on: Mapped[date | None] = mapped_column(Date)
    verdict: Mapped[Verdict | None] = mapped_column(word(Verdict))
    sealed_note: Mapped[bytes | None] = mapped_column(LargeBinary)
    closed_by: Mapped[UUID | None] = mapped_column(Uuid)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)


class SubjectRequest(Base):
    """A person asked the organisation for a right of theirs. Who it is stands on premises only.

    Its file reference is in the erasable part of the log.
    """

    __tablename__ = "subject_request"
    __table_args__ = (Index("ix_subject_request_organisation_id", "organisation_id", "state"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    right: Mapped[SubjectRight] = mapped_column(word(SubjectRight))
    state: Mapped[SubjectRequestState] = mapped_column(word(SubjectRequestState))
    sealed_note: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_answer: Mapped[bytes | None] = mapped_column(LargeBinary)
    opened_at: Mapped[datetime] = mapped_column(Moment)
    opened_by: Mapped[UUID] = mapped_column(Uuid)
    due_on: Mapped[date] = mapped_column(Date)
    searched_at: Mapped[datetime | None] = mapped_column(Moment)
    holdings: Mapped[int | None]  # indicators of its own that the last search found
    recipients: Mapped[int | None]
    closed_at: Mapped[datetime | None] = mapped_column(Moment)
    closed_by: Mapped[UUID | None] = mapped_column(Uuid)
    reminded_at: Mapped[datetime | None] = mapped_column(Moment)

"""Counts of reports for the board, as they were when the last week closed. No row names a report.

A *face* is what the visibility predicate knows of an indicator, by weeks: its class, the week in
which it was seen, and the Monday by which it has surely ended. A *set* is the faces of one report:
whoever may see one of them may count the report. Cells, points and signals count the reports of a
set, and add up their keys (app/barriers/methods/noise.py).

All rows are of one closing; the next one writes them anew. Empty text and step 0 are "not told".
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Date,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, BigInt, Moment


class StatClosing(Base):
    """That reports were counted as they stood when this week was over; the newest one is read."""

    __tablename__ = "stat_closing"

    week: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    closed_at: Mapped[datetime] = mapped_column(Moment)
    reports: Mapped[int]


class StatFace(Base):
    """`mark` is random: the sum of the marks of a report's faces tells its set."""

    __tablename__ = "stat_face"
    __table_args__ = (UniqueConstraint("closing", "share_class_id", "week", "ends"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    closing: Mapped[int] = mapped_column(
        SmallInteger, ForeignKey("stat_closing.week", ondelete="CASCADE")
    )
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    share_class_id: Mapped[int] = mapped_column(ForeignKey("share_class.id"))
    week: Mapped[int] = mapped_column(SmallInteger)
    ends: Mapped[date] = mapped_column(Date)
    mark: Mapped[int] = mapped_column(BigInteger)


class StatSet(Base):
    __tablename__ = "stat_set"
    __table_args__ = (UniqueConstraint("closing", "mark"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    closing: Mapped[int] = mapped_column(
        SmallInteger, ForeignKey("stat_closing.week", ondelete="CASCADE")
    )
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    mark: Mapped[int] = mapped_column(BigInteger)


class StatMember(Base):
    """That a face is one of a set."""

    __tablename__ = "stat_member"
    __table_args__ = (Index("ix_stat_member_face_id", "face_id"),)

    set_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("stat_set.id", ondelete="CASCADE"), primary_key=True
    )
    face_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("stat_face.id", ondelete="CASCADE"), primary_key=True
    )


class StatCell(Base):
    """Reports of a set that tell the same of the shipment."""

    __tablename__ = "stat_cell"

    set_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("stat_set.id", ondelete="CASCADE"), primary_key=True
    )
    step: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    origin: Mapped[str] = mapped_column(String(2), primary_key=True)
    destination: Mapped[str] = mapped_column(String(2), primary_key=True)
    substance: Mapped[str] = mapped_column(String(32), primary_key=True)
    concealment: Mapped[str] = mapped_column(String(32), primary_key=True)
    count: Mapped[int]
    keys: Mapped[int] = mapped_column(BigInteger)


class StatPoint(Base):
    """Reports that name an induction point; their set has the faces of that point alone."""

    __tablename__ = "stat_point"

    set_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("stat_set.id", ondelete="CASCADE"), primary_key=True
    )
    country: Mapped[str] = mapped_column(String(2), primary_key=True)
    operator: Mapped[str] = mapped_column(String(40), primary_key=True)
    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    count: Mapped[int]
    keys: Mapped[int] = mapped_column(BigInteger)


class StatSignal(Base):
    """Reports that a person tagged with a signal of the barrier model."""

    __tablename__ = "stat_signal"

    set_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("stat_set.id", ondelete="CASCADE"), primary_key=True
    )
    step: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    signal: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int]
    keys: Mapped[int] = mapped_column(BigInteger)


class StatTold(Base):
    """The counts that a profile was told last, for as long as it may be told the same."""

    __tablename__ = "stat_told"

    profile_id: Mapped[int] = mapped_column(
        ForeignKey("profile.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32))  # of all that decides what is told
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    asked_at: Mapped[datetime] = mapped_column(Moment)

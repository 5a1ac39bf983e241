"""Counts of reports for the board, as they were when the last week closed. No row names a report.

An *intake* is what one organisation told on one day: what is counted at once, and anew when
something of it has changed. A *face* is what the visibility predicate knows of an indicator, in
weeks: its class, how long after the first of its report it was seen, and by when it has surely
ended. A *shape* is the faces of a report: whoever may see one of them may count the report. Cells,
points and signals count the reports of a shape and of a week, the first in which something of them
was seen, and add up their keys (app/barriers/methods/noise.py).

Empty text and step 0 are "not told".
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.database import Base, BigInt, Moment


class StatClosing(Base):
    """That reports are counted as they stood when this week was over.

    The newest one that is done is read; one that is not is being counted.
    """

    __tablename__ = "stat_closing"

    week: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    closed_at: Mapped[datetime] = mapped_column(Moment)
    mark: Mapped[int] = mapped_column(BigInteger)  # random: it tells closings of one week apart
    reports: Mapped[int]
    done_at: Mapped[datetime | None] = mapped_column(Moment)


class StatIntake(Base):
    """What an organisation told on a day, as counted by the closing `since`; read from then on.

    `until` is the closing by which another one takes its place: it is read no more from then on.
    """

    __tablename__ = "stat_intake"
    __table_args__ = (UniqueConstraint("organisation_id", "day", "since"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    day: Mapped[int] = mapped_column(SmallInteger)  # since 1970
    since: Mapped[int] = mapped_column(SmallInteger)
    until: Mapped[int | None] = mapped_column(SmallInteger)
    reports: Mapped[int]  # that are stored, whether or not they are counted
    counted_at: Mapped[datetime | None] = mapped_column(Moment)
    compared_at: Mapped[datetime | None] = mapped_column(Moment)  # with the reports themselves


class StatChange(Base):
    """That a report which the organisation told on this day has changed since it was counted."""

    __tablename__ = "stat_change"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    day: Mapped[int] = mapped_column(SmallInteger)


class StatSeen(Base):
    """What is known of an indicator while it is counted: the same transaction erases it again."""

    __tablename__ = "stat_seen"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    intake_id: Mapped[int] = mapped_column(BigInteger)
    report_id: Mapped[int] = mapped_column(BigInteger)
    organisation_id: Mapped[int]
    share_class_id: Mapped[int]
    week: Mapped[int] = mapped_column(SmallInteger)
    ends: Mapped[int] = mapped_column(SmallInteger)
    country: Mapped[str | None] = mapped_column(String(2))
    operator: Mapped[str | None] = mapped_column(String(40))
    code: Mapped[str | None] = mapped_column(String(40))


class StatShape(Base):
    """`faces` as app/barriers/shapes.py reads them, and the latest of their shifts and ends."""

    __tablename__ = "stat_shape"
    __table_args__ = (UniqueConstraint("organisation_id", "faces"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    faces: Mapped[str] = mapped_column(Text)  # of 20 indicators about 300 characters
    shift: Mapped[int] = mapped_column(SmallInteger)
    ends: Mapped[int] = mapped_column(SmallInteger)


class _Counted:
    """What each table of counts has: of whose intake, which shape, and which week."""

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Index, ...]:
        name = cls.__tablename__  # type: ignore[attr-defined]
        return (
            Index(f"ix_{name}_intake_id", "intake_id"),
            Index(f"ix_{name}_shape_id", "shape_id"),
        )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    intake_id: Mapped[int] = mapped_column(BigInt, ForeignKey("stat_intake.id", ondelete="CASCADE"))
    shape_id: Mapped[int] = mapped_column(BigInt)
    week: Mapped[int] = mapped_column(SmallInteger)
    count: Mapped[int]
    keys: Mapped[int] = mapped_column(BigInteger)


class StatCell(_Counted, Base):
    """Reports that tell the same of the shipment."""

    __tablename__ = "stat_cell"

    step: Mapped[int] = mapped_column(SmallInteger)
    origin: Mapped[str] = mapped_column(String(2))
    destination: Mapped[str] = mapped_column(String(2))
    substance: Mapped[str] = mapped_column(String(32))
    concealment: Mapped[str] = mapped_column(String(32))


class StatPoint(_Counted, Base):
    """Reports that name an induction point; their shape has the faces of that point alone."""

    __tablename__ = "stat_point"

    country: Mapped[str] = mapped_column(String(2))
    operator: Mapped[str] = mapped_column(String(40))
    code: Mapped[str] = mapped_column(String(40))


class StatSignal(_Counted, Base):
    """Reports that a person tagged with a signal of the barrier model."""

    __tablename__ = "stat_signal"

    step: Mapped[int] = mapped_column(SmallInteger)
    signal: Mapped[str] = mapped_column(String(64))


class StatTold(Base):
    """The counts that a profile was told last, for as long as it may be told the same."""

    __tablename__ = "stat_told"

    profile_id: Mapped[int] = mapped_column(
        ForeignKey("profile.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32))  # of all that decides what is told
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    asked_at: Mapped[datetime] = mapped_column(Moment)

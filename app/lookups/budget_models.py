"""Budgets of looking up: how many different values an organisation and its people may ask for."""

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, LargeBinary, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, BigInt, Moment, word
from app.pseudonyms.models import Window
from postern.vocabulary import Kind


class ValueSeen(Base):
    """That a value was asked for on a day, by a keyed digest that serves for this day alone.

    Erased when the next day is over. `person_id` 0 counts the whole organisation. `place`, `named`
    and `turned` are digests of parts of a party or an address, by which the asking of neighbours is
    seen; only rows of persons have them.
    """

    __tablename__ = "value_seen"
    __table_args__ = ({"sqlite_with_rowid": False},)

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(
        ForeignKey("organisation.id", ondelete="CASCADE"), primary_key=True
    )
    person_id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[Kind] = mapped_column(word(Kind), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    counted: Mapped[int] = mapped_column(SmallInteger)  # values that its tokens could stand for
    place: Mapped[bytes | None] = mapped_column(LargeBinary(16))  # postcode and house number
    named: Mapped[bytes | None] = mapped_column(LargeBinary(16))  # the whole name, and a region
    turned: Mapped[bytes | None] = mapped_column(LargeBinary(16))  # house number, digits in order


class ValueBudget(Base):
    """Different values asked for in a window; `person_id` 0 counts the whole organisation."""

    __tablename__ = "value_budget"

    organisation_id: Mapped[int] = mapped_column(
        ForeignKey("organisation.id", ondelete="CASCADE"), primary_key=True
    )
    person_id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[Kind] = mapped_column(word(Kind), primary_key=True)
    window: Mapped[Window] = mapped_column(word(Window), primary_key=True)
    window_start: Mapped[datetime] = mapped_column(Moment, primary_key=True)
    used: Mapped[int] = mapped_column(BigInt)


class ValueAllowance(Base):
    """An organisation's own limit, where it differs from the settings."""

    __tablename__ = "value_allowance"

    organisation_id: Mapped[int] = mapped_column(
        ForeignKey("organisation.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[Kind] = mapped_column(word(Kind), primary_key=True)
    window: Mapped[Window] = mapped_column(word(Window), primary_key=True)
    most: Mapped[int] = mapped_column(BigInt)

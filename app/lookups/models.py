"""Who asked under which profile, and which indicators answered. No value, no token, no case."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Date, ForeignKey, Index, SmallInteger, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, BigInt, Moment, word
from postern.vocabulary import Band


class Lookup(Base):
    __tablename__ = "lookup"
    __table_args__ = (Index("ix_lookup_organisation_id_asked_at", "organisation_id", "asked_at"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person_account.id"))
    profile_id: Mapped[int] = mapped_column(ForeignKey("profile.id"))
    asked_at: Mapped[datetime] = mapped_column(Moment)
    queries: Mapped[int]
    hits: Mapped[int]
    expires_on: Mapped[date] = mapped_column(Date, index=True)


class Hit(Base):
    __tablename__ = "hit"

    lookup_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("lookup.id", ondelete="CASCADE"), primary_key=True
    )
    query: Mapped[int] = mapped_column(primary_key=True)  # place of the query in its lookup
    indicator_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("indicator.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    level: Mapped[int] = mapped_column(SmallInteger)
    points: Mapped[int]
    band: Mapped[Band] = mapped_column(word(Band))
    grant_reason_id: Mapped[int] = mapped_column(ForeignKey("grant_reason.id"))

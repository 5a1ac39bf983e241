"""Tables of what clients add by TAXII: the names they gave, their sightings, and what became of it.

An indicator that a client adds is a report like any other; here stands only what the client calls
it. A name stays as long as its report, as a client key does, so that a retry brings nothing back.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, BigInt, Moment, word

NAME_LENGTH = 80  # characters of a STIX id that is kept


class NameState(StrEnum):
    """What became of the object that a client called by a name."""

    LIVE = "live"
    REVOKED = "revoked"


class ExchangeName(Base):
    """What a client of an organisation calls one of its indicators, and the newest version sent.

    Of a shipping pattern it has the pattern's key in place of a report's, and `indicator` is the
    public id of the pattern.
    """

    __tablename__ = "exchange_name"
    __table_args__ = (
        UniqueConstraint("organisation_id", "stix_id"),
        Index(
            "ix_exchange_name_pattern_id",
            "pattern_id",
            postgresql_where=text("pattern_id IS NOT NULL"),
            sqlite_where=text("pattern_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    stix_id: Mapped[str] = mapped_column(String(NAME_LENGTH))
    created: Mapped[int] = mapped_column(BigInteger)  # microseconds since 1970, as the next
    version: Mapped[int] = mapped_column(BigInteger)  # `modified`
    report_id: Mapped[int | None] = mapped_column(
        ForeignKey("report.id", ondelete="CASCADE"), index=True
    )
    pattern_id: Mapped[int | None] = mapped_column(
        BigInt, ForeignKey("pattern.id", ondelete="CASCADE")
    )
    indicator: Mapped[UUID] = mapped_column(Uuid, index=True)  # public id, which is never reused
    subject_hash: Mapped[bytes] = mapped_column(LargeBinary(32))  # of what no version may change
    content_hash: Mapped[bytes] = mapped_column(LargeBinary(32))  # of all that the version says
    state: Mapped[NameState] = mapped_column(word(NameState))
    created_at: Mapped[datetime] = mapped_column(Moment)


class ExchangeSighting(Base):
    """That an organisation saw again what an indicator is about that it sees; ends with that."""

    __tablename__ = "exchange_sighting"
    __table_args__ = (
        UniqueConstraint("organisation_id", "stix_id"),
        Index("ix_exchange_sighting_indicator", "indicator"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    stix_id: Mapped[str] = mapped_column(String(NAME_LENGTH))
    created: Mapped[int] = mapped_column(BigInteger)  # microseconds since 1970, as the next
    version: Mapped[int] = mapped_column(BigInteger)  # `modified`
    indicator: Mapped[UUID] = mapped_column(Uuid)
    named: Mapped[str] = mapped_column(String(NAME_LENGTH))  # the indicator, as the sighter gets it
    tells_owner: Mapped[bool]
    times: Mapped[int]
    first_seen: Mapped[datetime | None] = mapped_column(Moment)
    last_seen: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_on: Mapped[int] = mapped_column(index=True)  # day since 1970: the indicator's last


class ExchangeStatus(Base):
    """What became of the objects of one envelope, for its organisation, until it expires."""

    __tablename__ = "exchange_status"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    collection: Mapped[UUID] = mapped_column(Uuid)  # public id
    body: Mapped[str] = mapped_column(Text)  # the status resource as it is answered
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)

"""Collections and their logs of entries: what one organisation gets, object by object, in order.

An entry is one version of one STIX object as one reader gets it. Its text is pseudonymised, and
goes with the indicator; of what ended only that it did stays, until the collection ends.
"""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Date,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, BigInt, Moment, word
from postern.vocabulary import Kind, LegalBasis, Purpose


class CollectionKind(StrEnum):
    """What a collection holds: what others share with its organisation, or its own."""

    SHARED = "shared"
    OWN = "own"


class ExchangeCollection(Base):
    """A log of entries that an organisation opened for itself, until a day.

    `last_added` is its clock: whoever adds entries locks the row first, so that dates rise in the
    order of the commits. `mark` names the grants and the day that the entries were compared with.
    """

    __tablename__ = "exchange_collection"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    kind: Mapped[CollectionKind] = mapped_column(word(CollectionKind))
    title: Mapped[str] = mapped_column(String(80))
    description: Mapped[str] = mapped_column(String(500))
    purpose: Mapped[Purpose | None] = mapped_column(word(Purpose))
    legal_basis: Mapped[LegalBasis | None] = mapped_column(word(LegalBasis))
    sealed_case: Mapped[bytes | None] = mapped_column(LargeBinary)
    least: Mapped[int] = mapped_column(SmallInteger)  # 2 metadata, 3 request
    with_revoked: Mapped[bool]
    opened_at: Mapped[datetime] = mapped_column(Moment)
    opened_by: Mapped[UUID] = mapped_column(Uuid)
    expires_on: Mapped[date] = mapped_column(Date, index=True)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_by: Mapped[UUID | None] = mapped_column(Uuid)  # None: its last day was over
    last_added: Mapped[int] = mapped_column(BigInteger)  # microseconds since 1970
    mark: Mapped[bytes] = mapped_column(LargeBinary(32))
    compared_at: Mapped[datetime | None] = mapped_column(Moment)


class ExchangeEntry(Base):
    """One version of one object. `added`, `version` and `created` are microseconds since 1970.

    What is of an indicator has its inner key and public id; what was revoked keeps only the public
    id, and what many objects refer to has neither. What is of a shipping pattern has the pattern's
    inner key instead, `indicator` is its public id, and `amended` the number of its version.
    `level`, `has_tokens` and `amended` are what the text was written from, so that a change of any
    is seen.
    """

    __tablename__ = "exchange_entry"
    __table_args__ = (
        Index("ix_exchange_entry_collection_id_stix_id", "collection_id", "stix_id"),
        # A page asks apart for what is of no indicator: there are few among very many.
        Index(
            "ix_exchange_entry_standing",
            "collection_id",
            "added",
            postgresql_where=text("indicator_id IS NULL"),
            sqlite_where=text("indicator_id IS NULL"),
        ),
        Index(
            "ix_exchange_entry_ended",
            "collection_id",
            "indicator",
            postgresql_where=text("is_revoked"),
            sqlite_where=text("is_revoked"),
        ),
        Index(
            "ix_exchange_entry_day",
            "collection_id",
            "owner_id",
            "first_day",
            postgresql_where=text("is_main"),
            sqlite_where=text("is_main"),
        ),
        *(
            Index(
                f"ix_exchange_entry_{name}",
                *columns,
                postgresql_where=text("pattern_id IS NOT NULL"),
                sqlite_where=text("pattern_id IS NOT NULL"),
            )
            for name, columns in (
                ("patterns", ("collection_id", "added")),
                ("pattern_id", ("pattern_id",)),
            )
        ),
    )

    collection_id: Mapped[int] = mapped_column(
        ForeignKey("exchange_collection.id", ondelete="CASCADE"), primary_key=True
    )
    added: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    stix_id: Mapped[str] = mapped_column(String(80))
    type: Mapped[str] = mapped_column(String(32))
    version: Mapped[int] = mapped_column(BigInteger)
    created: Mapped[int] = mapped_column(BigInteger)
    first_day: Mapped[int] = mapped_column(SmallInteger)  # of the object's first `added`, from 1970
    generation: Mapped[int] = mapped_column(SmallInteger)  # how often it was revoked before
    is_first: Mapped[bool]
    is_last: Mapped[bool]
    is_main: Mapped[bool]  # the object itself, not what stands beside it
    is_revoked: Mapped[bool]
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    indicator_id: Mapped[int | None] = mapped_column(
        BigInt, ForeignKey("indicator.id", ondelete="CASCADE"), index=True
    )
    indicator: Mapped[UUID | None] = mapped_column(Uuid)
    pattern_id: Mapped[int | None] = mapped_column(
        BigInt, ForeignKey("pattern.id", ondelete="CASCADE")
    )
    kind: Mapped[Kind | None] = mapped_column(word(Kind))
    level: Mapped[int] = mapped_column(SmallInteger)
    has_tokens: Mapped[bool]
    amended: Mapped[int] = mapped_column(BigInteger)  # 0: never
    text: Mapped[str] = mapped_column(Text)


class ExchangeEnding(Base):
    """That an object that was served is no more, until the log of its collection says so."""

    __tablename__ = "exchange_ending"

    collection_id: Mapped[int] = mapped_column(
        ForeignKey("exchange_collection.id", ondelete="CASCADE"), primary_key=True
    )
    indicator: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    stix_id: Mapped[str] = mapped_column(String(80))
    version: Mapped[int] = mapped_column(BigInteger)
    created: Mapped[int] = mapped_column(BigInteger)
    first_day: Mapped[int] = mapped_column(SmallInteger)
    generation: Mapped[int] = mapped_column(SmallInteger)
    owner_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    kind: Mapped[Kind] = mapped_column(word(Kind))


class ExchangePoller(Base):
    """When a person's client last asked a collection, to the minute, and how far it had read."""

    __tablename__ = "exchange_poller"

    collection_id: Mapped[int] = mapped_column(
        ForeignKey("exchange_collection.id", ondelete="CASCADE"), primary_key=True
    )
    person: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    last_at: Mapped[datetime] = mapped_column(Moment)
    last_added: Mapped[int | None] = mapped_column(BigInteger)  # None: it was given nothing yet

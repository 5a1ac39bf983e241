"""Members of the exchange and the communities they form. No personal data."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, LargeBinary, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, BigInt, Moment, word
from postern.vocabulary import Sector


class OrganisationStatus(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"  # its people may not sign in, and it sees nothing


class Organisation(Base):
    __tablename__ = "organisation"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(64), unique=True)  # stable; used in policies and log
    name: Mapped[str] = mapped_column(String(200))
    sector: Mapped[Sector] = mapped_column(word(Sector))
    country: Mapped[str] = mapped_column(String(2))  # ISO 3166-1 alpha-2, upper case
    status: Mapped[OrganisationStatus] = mapped_column(word(OrganisationStatus))
    created_at: Mapped[datetime] = mapped_column(Moment)
    # Counts changes of what policies know of it: sector, country, communities.
    facts_seq: Mapped[int] = mapped_column(default=1)


class Community(Base):
    """A group of organisations that policies may name, such as a treaty's parties."""

    __tablename__ = "community"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))


class CommunityMember(Base):
    __tablename__ = "community_member"

    community_id: Mapped[int] = mapped_column(
        ForeignKey("community.id", ondelete="CASCADE"), primary_key=True
    )
    organisation_id: Mapped[int] = mapped_column(
        ForeignKey("organisation.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class OrganisationKey(Base):
    """An entry of a member's chain of public keys; rows are added and never changed.

    `signed` is the entry with its signatures as `postern/organisation_entry.py` writes it.
    """

    __tablename__ = "organisation_key"

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)  # place in the chain, from 1
    signed: Mapped[dict[str, Any]] = mapped_column(JSON)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))  # of the canonical entry
    published_at: Mapped[datetime] = mapped_column(Moment)
    published_by: Mapped[UUID] = mapped_column(Uuid)  # pseudonym in the log


class KeyAlarm(Base):
    """A member found other keys of a member than it had pinned; open until a person closes it."""

    __tablename__ = "key_alarm"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    reporter_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    about_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    number: Mapped[int]  # of the entry that differs
    pinned: Mapped[str] = mapped_column(String(48))  # fingerprint, "" when there was none
    offered: Mapped[str] = mapped_column(String(48))
    made_at: Mapped[datetime] = mapped_column(Moment)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)
    closed_by: Mapped[UUID | None] = mapped_column(Uuid)


class ContactPoint(Base):
    """The desk of a member through which others may talk to it: a function, never a person."""

    __tablename__ = "contact_point"

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    desk: Mapped[str] = mapped_column(String(120))
    mail: Mapped[str] = mapped_column(String(254))  # "" when there is none
    phone: Mapped[str] = mapped_column(String(40))
    hours: Mapped[str] = mapped_column(String(120))
    changed_at: Mapped[datetime] = mapped_column(Moment)
    changed_by: Mapped[UUID] = mapped_column(Uuid)

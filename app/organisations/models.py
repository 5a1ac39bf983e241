"""Members of the exchange and the communities they form. No personal data."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Moment, word
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

"""Policies, share classes and what they decide. No personal data.

A share class is all that a policy may know of an indicator; it is never updated and has no age.
A profile is a reader without the person. `share_grant` is the decision of every policy for every
profile and class, ready to be joined in SQL; a missing row is a denial.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, LargeBinary, SmallInteger, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Moment, word
from postern.vocabulary import LegalBasis, Purpose, Role


class PolicyVersion(Base):
    """Append-only: the newest version of an organisation is the one in force."""

    __tablename__ = "policy_version"
    __table_args__ = (UniqueConstraint("organisation_id", "seq"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    seq: Mapped[int]
    text: Mapped[str] = mapped_column(Text)  # Cedar
    sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    valid_from: Mapped[datetime] = mapped_column(Moment)


class ShareClass(Base):
    __tablename__ = "share_class"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    key: Mapped[bytes] = mapped_column(LargeBinary(16), unique=True)  # of the canonical attributes
    attributes: Mapped[dict[str, Any]] = mapped_column(JSON)


class Profile(Base):
    __tablename__ = "profile"
    __table_args__ = (UniqueConstraint("organisation_id", "role", "purpose", "legal_basis"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    role: Mapped[Role] = mapped_column(word(Role))
    purpose: Mapped[Purpose] = mapped_column(word(Purpose))
    legal_basis: Mapped[LegalBasis] = mapped_column(word(LegalBasis))
    # What the reader's organisation was, and the platform's rules, when its grants were decided.
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)


class ShareGrant(Base):
    """`level` is 1 presence, 2 metadata, 3 request; ages are in days, both ends included."""

    __tablename__ = "share_grant"

    profile_id: Mapped[int] = mapped_column(
        ForeignKey("profile.id", ondelete="CASCADE"), primary_key=True
    )
    share_class_id: Mapped[int] = mapped_column(
        ForeignKey("share_class.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    age_min: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    age_max: Mapped[int] = mapped_column(SmallInteger)
    level: Mapped[int] = mapped_column(SmallInteger)
    policy_version_id: Mapped[int | None] = mapped_column(ForeignKey("policy_version.id"))
    reasons: Mapped[list[str]] = mapped_column(JSON)  # ids of the policies that decided

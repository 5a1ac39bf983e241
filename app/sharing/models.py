"""Policies, share classes and what they decide. No personal data: who wrote and who approved a
policy are the pseudonyms of the audit log.

A share class is all that a policy may know of an indicator; it is never updated and has no age.
A profile is a reader without the person. `share_grant` is the decision of every policy for every
profile and class, ready to be joined in SQL; a missing row is a denial.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Moment, word
from postern.vocabulary import LegalBasis, Purpose, Role


class Cause(StrEnum):
    """How a version came about."""

    CONSOLE = "console"  # an organisation's first policy, put in force by the administrator
    DRAFT = "draft"  # approved by a second person
    STOP = "stop"  # all sharing stopped at once


class DraftStatus(StrEnum):
    EDITING = "editing"
    PROPOSED = "proposed"  # waits for a second person; its text stands still
    APPROVED = "approved"
    REFUSED = "refused"
    DISCARDED = "discarded"


class PolicyVersion(Base):
    """Append-only. In force is the newest whose time has come and that was not cancelled."""

    __tablename__ = "policy_version"
    __table_args__ = (UniqueConstraint("organisation_id", "seq"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    seq: Mapped[int]
    text: Mapped[str] = mapped_column(Text)  # Cedar
    sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    valid_from: Mapped[datetime] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)
    cause: Mapped[Cause] = mapped_column(word(Cause))
    form: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON)  # the rules the text is made of
    draft_id: Mapped[int | None] = mapped_column(ForeignKey("policy_draft.id"))
    author: Mapped[UUID | None] = mapped_column(Uuid)  # who proposed it; None: the console
    approved_by: Mapped[UUID | None] = mapped_column(Uuid)


class PolicyCancellation(Base):
    """Append-only: this version's time had not come, and it will not take effect."""

    __tablename__ = "policy_cancellation"

    policy_version_id: Mapped[int] = mapped_column(
        ForeignKey("policy_version.id"), primary_key=True
    )
    cancelled_at: Mapped[datetime] = mapped_column(Moment)
    cancelled_by: Mapped[UUID | None] = mapped_column(Uuid)


class PolicyDraft(Base):
    """A text on its way to be in force. `revision` counts changes, so that none is overwritten."""

    __tablename__ = "policy_draft"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    title: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    form: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON)
    base_seq: Mapped[int]  # the version that was newest when the text was last compared with it
    status: Mapped[DraftStatus] = mapped_column(word(DraftStatus))
    revision: Mapped[int]
    activate_at: Mapped[datetime | None] = mapped_column(Moment)  # None: with the approval
    created_at: Mapped[datetime] = mapped_column(Moment)
    created_by: Mapped[UUID] = mapped_column(Uuid)
    updated_at: Mapped[datetime] = mapped_column(Moment)
    proposed_at: Mapped[datetime | None] = mapped_column(Moment)
    proposed_by: Mapped[UUID | None] = mapped_column(Uuid)
    decided_at: Mapped[datetime | None] = mapped_column(Moment)
    decided_by: Mapped[UUID | None] = mapped_column(Uuid)
    reason: Mapped[str | None] = mapped_column(String(500))


class PolicyDraftAuthor(Base):
    """Everybody who ever wrote or proposed a draft: none of them may approve it."""

    __tablename__ = "policy_draft_author"

    draft_id: Mapped[int] = mapped_column(
        ForeignKey("policy_draft.id", ondelete="CASCADE"), primary_key=True
    )
    person: Mapped[UUID] = mapped_column(Uuid, primary_key=True)


class ShareClass(Base):
    __tablename__ = "share_class"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    key: Mapped[bytes] = mapped_column(LargeBinary(16), unique=True)  # of the canonical attributes
    attributes: Mapped[dict[str, Any]] = mapped_column(JSON)


class Profile(Base):
    """`facts`, `facts_seq` and `rules`: what the reader's organisation was, and the platform's
    rules, when its grants were decided."""

    __tablename__ = "profile"
    __table_args__ = (UniqueConstraint("organisation_id", "role", "purpose", "legal_basis"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    role: Mapped[Role] = mapped_column(word(Role))
    purpose: Mapped[Purpose] = mapped_column(word(Purpose))
    legal_basis: Mapped[LegalBasis] = mapped_column(word(LegalBasis))
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    facts_seq: Mapped[int]
    rules: Mapped[str] = mapped_column(String(16))


class GrantReason(Base):
    """Which policies of which version decided; None as version: the platform's rules alone.

    Rows are never changed, so a hit that names one is explained for ever as it was decided.
    """

    __tablename__ = "grant_reason"

    id: Mapped[int] = mapped_column(primary_key=True)
    policy_version_id: Mapped[int | None] = mapped_column(ForeignKey("policy_version.id"))
    reasons: Mapped[list[str]] = mapped_column(JSON)  # ids of the policies
    key: Mapped[bytes] = mapped_column(LargeBinary(16), unique=True)  # of both


class ShareGrant(Base):
    """`level` is 1 presence, 2 metadata, 3 request, and 0 where the owner alone is told.

    Ages are in days, both included; times in seconds since 1970, the last not included.
    """

    __tablename__ = "share_grant"

    profile_id: Mapped[int] = mapped_column(
        ForeignKey("profile.id", ondelete="CASCADE"), primary_key=True
    )
    share_class_id: Mapped[int] = mapped_column(
        ForeignKey("share_class.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    age_min: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    valid_from: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    age_max: Mapped[int] = mapped_column(SmallInteger)
    valid_until: Mapped[int] = mapped_column(BigInteger)
    level: Mapped[int] = mapped_column(SmallInteger)
    tells_owner: Mapped[bool]
    may_screen: Mapped[bool]
    may_feed: Mapped[bool]
    grant_reason_id: Mapped[int] = mapped_column(ForeignKey("grant_reason.id"))

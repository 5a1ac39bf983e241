"""Ways in beside a password: an emergency's account, single sign-on, and one-time links."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, LargeBinary, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Moment, word


class BreakGlass(Base):
    """The emergency account of an organisation: at most one, entered by a sealed secret.

    The secret opens it from its first use until `ends_at`, never later. Then two people look at
    what was done (`first_by`, `second_by`) before another secret is made.
    """

    __tablename__ = "break_glass"

    person_id: Mapped[int] = mapped_column(
        ForeignKey("person_account.id", ondelete="CASCADE"), primary_key=True
    )
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), unique=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    minutes: Mapped[int]  # for how long it is open after its first use
    sealed_at: Mapped[datetime] = mapped_column(Moment)
    opened_at: Mapped[datetime | None] = mapped_column(Moment)
    ends_at: Mapped[datetime | None] = mapped_column(Moment)
    uses: Mapped[int]  # sign-ins since it was sealed
    first_by: Mapped[UUID | None] = mapped_column(Uuid)
    first_is_officer: Mapped[bool | None]
    second_by: Mapped[UUID | None] = mapped_column(Uuid)


class ProviderState(StrEnum):
    PROPOSED = "proposed"
    LIVE = "live"
    ENDED = "ended"


class SignOnProvider(Base):
    """An OpenID provider that an administrator proposed and a second person confirmed.

    `roles` maps what the provider says in `role_claim` to roles; what it does not name is nothing.
    """

    __tablename__ = "sign_on_provider"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    issuer: Mapped[str] = mapped_column(String(300))
    client_id: Mapped[str] = mapped_column(String(200))
    sealed_secret: Mapped[bytes] = mapped_column(LargeBinary)
    role_claim: Mapped[str] = mapped_column(String(64))
    roles: Mapped[dict[str, Any]] = mapped_column(JSON)  # {"told by the provider": ["analyst"]}
    strong: Mapped[list[str]] = mapped_column(JSON)  # values of acr and amr: a second factor
    state: Mapped[ProviderState] = mapped_column(word(ProviderState))
    proposed_by: Mapped[UUID] = mapped_column(Uuid)
    proposed_at: Mapped[datetime] = mapped_column(Moment)
    decided_by: Mapped[UUID | None] = mapped_column(Uuid)
    decided_at: Mapped[datetime | None] = mapped_column(Moment)


class SignOnLink(Base):
    """Whom (issuer, sub) of a provider is here: made by the person, from a session of theirs."""

    __tablename__ = "sign_on_link"
    __table_args__ = (UniqueConstraint("provider_id", "person_id"),)

    # A keyed digest of issuer and subject, so that the provider's name of a person is not stored.
    subject_index: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    provider_id: Mapped[int] = mapped_column(ForeignKey("sign_on_provider.id", ondelete="CASCADE"))
    person_id: Mapped[int] = mapped_column(
        ForeignKey("person_account.id", ondelete="CASCADE"), index=True
    )
    linked_at: Mapped[datetime] = mapped_column(Moment)


class OneTimeLink(Base):
    """An administrator lets a person choose a password themselves: by this link, once, in time."""

    __tablename__ = "one_time_link"

    person_id: Mapped[int] = mapped_column(
        ForeignKey("person_account.id", ondelete="CASCADE"), primary_key=True
    )
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    made_by: Mapped[UUID] = mapped_column(Uuid)
    made_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)

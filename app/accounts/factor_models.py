"""Second factors: passkeys, authenticator apps, recovery codes, and what waits for one of them."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import JSON, BigInteger, ForeignKey, LargeBinary, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Moment, word


class FactorKind(StrEnum):
    """What a person has beside their password; the words also stand in `WebSession.proved_by`."""

    TOTP = "totp"  # a code of an app, RFC 6238
    PASSKEY = "passkey"  # Web Authentication


class SecondFactor(Base):
    """`sealed` is {"name", "secret"} of an app, {"name", "id", "key"} of a passkey."""

    __tablename__ = "second_factor"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    person_id: Mapped[int] = mapped_column(
        ForeignKey("person_account.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[FactorKind] = mapped_column(word(FactorKind))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    # A keyed digest of a passkey's id, by which it is found.
    credential_index: Mapped[bytes | None] = mapped_column(LargeBinary(32), unique=True)
    # The newest time step whose code was taken, or the authenticator's count of signatures.
    counter: Mapped[int] = mapped_column(BigInteger)
    added_at: Mapped[datetime] = mapped_column(Moment)
    last_used_at: Mapped[datetime | None] = mapped_column(Moment)


class RecoveryCode(Base):
    """One row for each code that is left; a code that was used is gone."""

    __tablename__ = "recovery_code"

    person_id: Mapped[int] = mapped_column(
        ForeignKey("person_account.id", ondelete="CASCADE"), primary_key=True
    )
    code_index: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)  # keyed digest


class PendingSignIn(Base):
    """A right first proof that waits for the second; it is no session and opens nothing."""

    __tablename__ = "pending_sign_in"

    name_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    person_id: Mapped[int] = mapped_column(
        ForeignKey("person_account.id", ondelete="CASCADE"), index=True
    )
    proved_by: Mapped[list[str]] = mapped_column(JSON)
    sealed_device: Mapped[bytes | None] = mapped_column(LargeBinary)
    roles_bound: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    provider_id: Mapped[int | None] = mapped_column(
        ForeignKey("sign_on_provider.id", ondelete="CASCADE")
    )
    provider_session: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)


class SpentChallenge(Base):
    """What counts once: a challenge that a passkey signed, a provider's message of a sign-out.

    Kept until it would have ended.
    """

    __tablename__ = "spent_challenge"

    challenge_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)


class FactorReset(Base):
    """An administrator proposes that a person's second factors go; another officer decides."""

    __tablename__ = "factor_reset"

    person_id: Mapped[int] = mapped_column(
        ForeignKey("person_account.id", ondelete="CASCADE"), primary_key=True
    )
    proposed_by: Mapped[UUID] = mapped_column(Uuid)
    proposed_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)

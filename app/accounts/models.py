"""People, how they prove who they are, and what they may do.

Personal data (sign-in name, display name) is sealed under the accounts key; `login_index` finds an
account without opening any. Everything else knows a person by `public_id`, a pseudonym.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, LargeBinary, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Moment, word
from postern.vocabulary import Role


class AccountStatus(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"  # for a time: neither sessions nor tokens open anything
    CLOSED = "closed"


class CredentialKind(StrEnum):
    PASSWORD = "password"  # noqa: S105 - the name of a kind, not a secret


class PersonAccount(Base):
    __tablename__ = "person_account"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    login_index: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    sealed_profile: Mapped[bytes] = mapped_column(LargeBinary)  # {"login", "name"}
    language: Mapped[str] = mapped_column(String(8))  # of the pages; empty until one was chosen
    status: Mapped[AccountStatus] = mapped_column(word(AccountStatus))
    failures: Mapped[int] = mapped_column(default=0)  # wrong passwords since the last right one
    locked_until: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)
    last_sign_in_on: Mapped[int | None]  # day since 1970: enough to find unused accounts


class Credential(Base):
    __tablename__ = "credential"

    person_id: Mapped[int] = mapped_column(
        ForeignKey("person_account.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[CredentialKind] = mapped_column(word(CredentialKind), primary_key=True)
    secret_hash: Mapped[str] = mapped_column(String(256))  # Argon2id in PHC form
    changed_at: Mapped[datetime] = mapped_column(Moment)
    # Of a password that somebody else has seen: it opens the page of a new one only, until then.
    expires_at: Mapped[datetime | None] = mapped_column(Moment)


class RoleGrant(Base):
    __tablename__ = "role_grant"

    person_id: Mapped[int] = mapped_column(
        ForeignKey("person_account.id", ondelete="CASCADE"), primary_key=True
    )
    role: Mapped[Role] = mapped_column(word(Role), primary_key=True)
    granted_at: Mapped[datetime] = mapped_column(Moment)


class RoleProposal(Base):
    """A role that an administrator proposed for a person and that a second person must confirm."""

    __tablename__ = "role_proposal"

    person_id: Mapped[int] = mapped_column(
        ForeignKey("person_account.id", ondelete="CASCADE"), primary_key=True
    )
    role: Mapped[Role] = mapped_column(word(Role), primary_key=True)
    proposed_by: Mapped[UUID] = mapped_column(Uuid)  # pseudonym in the log
    proposed_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)


class WebSession(Base):
    """The cookie carries a random name; only its SHA-256 is stored."""

    __tablename__ = "web_session"

    name_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    person_id: Mapped[int] = mapped_column(
        ForeignKey("person_account.id", ondelete="CASCADE"), index=True
    )
    started_at: Mapped[datetime] = mapped_column(Moment)
    last_seen_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)
    proved_by: Mapped[list[str]] = mapped_column(JSON)  # "password", "totp", "passkey", ...
    proved_at: Mapped[datetime] = mapped_column(Moment)  # the last proof: of sign-in or step-up
    sealed_device: Mapped[bytes | None] = mapped_column(LargeBinary)  # a browser and a system
    # Of single sign-on: roles that the provider grants. Those granted here bound them, and
    # the reverse. None where the provider was not asked.
    roles_bound: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    provider_id: Mapped[int | None] = mapped_column(
        ForeignKey("sign_on_provider.id", ondelete="CASCADE")
    )
    # A keyed digest of what the provider calls its own session (`sid`), where it does.
    provider_session: Mapped[bytes | None] = mapped_column(LargeBinary(32))


class ApiToken(Base):
    """Shown once as `pst_PUBLICID_SECRET`; only the SHA-256 of the secret (256 bits) is stored.

    `networks` and `certificate` bound it: whence, and with which certificate, it opens anything.
    After a rotation the former secret opens the same until `former_until`.
    """

    __tablename__ = "api_token"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    person_id: Mapped[int] = mapped_column(
        ForeignKey("person_account.id", ondelete="CASCADE"), index=True
    )
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    scopes: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)
    last_used_on: Mapped[int | None]  # day since 1970: enough to find unused tokens
    last_network: Mapped[str] = mapped_column(String(48), default="")  # of a /16 or /32, see origin
    networks: Mapped[list[str]] = mapped_column(JSON, default=list)  # CIDR; empty for anywhere
    certificate: Mapped[bytes | None] = mapped_column(LargeBinary(32))  # x5t#S256, RFC 8705
    certificate_suffices: Mapped[bool] = mapped_column(default=False)  # without the secret
    former_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    former_until: Mapped[datetime | None] = mapped_column(Moment)
    rotated_at: Mapped[datetime | None] = mapped_column(Moment)
    warned_at: Mapped[datetime | None] = mapped_column(Moment)  # that it ends soon

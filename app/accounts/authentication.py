"""Who is calling: reads the session or the API token of a request, and changes nothing.

A closed account, a suspended organisation, a revoked token or a session that ended counts from the
next request on, because nothing about a caller is remembered between requests.
"""

import hashlib
import hmac
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from flask import g
from sqlalchemy import Connection, FromClause, Select, bindparam, column, func, select
from sqlalchemy.orm import Session

from app import clock, row_security
from app.access import PLATFORM, Caller, Means
from app.accounts.models import (
    AccountStatus,
    ApiToken,
    Credential,
    CredentialKind,
    PersonAccount,
    RoleGrant,
    WebSession,
)
from app.accounts.scopes import scopes_of
from app.organisations.models import Organisation, OrganisationStatus
from app.origin import Origin
from app.prepared import Prepared
from app.runtime import runtime
from postern.base64url import from_base64url, to_base64url
from postern.vocabulary import Role, Scope

_TOKEN = re.compile(r"pst_([A-Za-z0-9_-]{22})_([A-Za-z0-9_-]{43}|)")
_NOBODY = UUID(int=0)
_SEEN_AFTER = timedelta(minutes=1)
"""How stale `last_seen_at` may be: a session may so end up to a minute before its idle time."""


BY_PASSWORD = "password"  # noqa: S105 - the name of a means, not a secret
BY_BREAK_GLASS = "break-glass"
BY_SINGLE_SIGN_ON = "single-sign-on"
"""What may have proved a session, beside the second factors."""

STRONG = frozenset({"passkey", "totp", "recovery", "second-factor-elsewhere", BY_BREAK_GLASS})
"""What proves more than a password does."""

PRIVILEGED = frozenset({Role.ADMINISTRATOR, Role.APPROVER, Role.COMPLIANCE, Role.POLICY_OWNER})
"""Roles that need a second factor where `sign_in.second_factor` is "privileged"."""


class Refusal(StrEnum):
    """Why a credential was refused; told to the log, never to the caller."""

    MALFORMED = "malformed"
    UNKNOWN = "unknown"
    SECRET = "secret"  # noqa: S105 - the name of a reason: the token's secret part is wrong
    PASSWORD = "password"  # noqa: S105 - the name of a reason
    SECOND_FACTOR = "second-factor"  # a wrong code, or a passkey whose answer does not hold
    LOCKED = "locked"
    REVOKED = "revoked"
    EXPIRED = "expired"
    ROTATED = "rotated"  # the former secret, after its overlap
    NETWORK = "network"  # from an address outside of the token's networks
    CERTIFICATE = "certificate"  # without the certificate to which the token is bound
    CLOSED = "closed"
    DISABLED = "disabled"
    SUSPENDED = "suspended"


@dataclass(frozen=True)
class SignedIn:
    """The caller and the credential that proved it: a session's hash or a token's id is set.

    `must_change`: the session was begun with a one-time password. Until the person has chosen
    another, the caller holds no role. `must_add_factor`: their roles need a second factor and the
    session was begun without; until they added one, the caller holds no role either.
    """

    caller: Caller
    expires_at: datetime
    last_seen_at: datetime | None = None
    session_hash: bytes | None = None
    token_id: int | None = None
    last_used_on: int | None = None
    network: str = ""  # from which a token is used now, coarse
    last_network: str = ""
    language: str = ""  # of the pages, empty when the person never chose one
    country: str = ""  # of the organisation, for a web session
    must_change: bool = False
    must_add_factor: bool = False
    proved_at: datetime | None = None  # the last proof of a web session

    @property
    def is_seen_long_ago(self) -> bool:
        """Whether the credential's last use ought to be noted again: by minute, tokens by day."""
        if self.last_seen_at is not None:
            return clock.now() - self.last_seen_at >= _SEEN_AFTER
        return (self.last_used_on, self.last_network) != (clock.day(clock.now()), self.network)


@dataclass(frozen=True)
class RefusedToken:
    """A token that opened nothing; the last two are known when its first part is some token's."""

    reason: Refusal
    token: UUID | None = None
    organisation: str | None = None


def signed_in() -> SignedIn | None:
    """What the request in progress proved, None when nothing."""
    found: SignedIn | None = g.get("signed_in")
    return found


def by_session(session: Session, name: str) -> SignedIn | None:
    """The person whose live session has this name; None for every other name."""
    name_hash = session_hash(name)
    row_security.present(name_hash, session)
    row = session.execute(
        _of_person(WebSession, PersonAccount, Organisation, Credential.expires_at)
        .join(WebSession, WebSession.person_id == PersonAccount.id)
        .outerjoin(
            Credential,
            (Credential.person_id == PersonAccount.id)
            & (Credential.kind == CredentialKind.PASSWORD),
        )
        .where(WebSession.name_hash == name_hash)
    ).one_or_none()
    if row is None:
        return None
    web, person, organisation, expires_at = row
    idle = timedelta(minutes=runtime().settings.session.idle_minutes)
    if clock.now() >= min(web.expires_at, web.last_seen_at + idle):
        return None
    if refusal_of(person, organisation) is not None:
        return None
    must_change = expires_at is not None and BY_PASSWORD in web.proved_by
    roles: frozenset[Role] = frozenset() if must_change else roles_of(session, person.id)
    must_add_factor = must_have_factor(roles) and STRONG.isdisjoint(web.proved_by)
    if must_add_factor:
        roles = frozenset()
    if web.roles_bound is not None:
        roles = frozenset(role for role in roles if role in web.roles_bound)
    return SignedIn(
        caller=caller_of(person, organisation, roles, means_of(web.proved_by)),
        expires_at=web.expires_at,
        last_seen_at=web.last_seen_at,
        session_hash=name_hash,
        language=person.language,
        country=organisation.country,
        must_change=must_change,
        must_add_factor=must_add_factor,
        proved_at=web.proved_at,
    )


def by_token(connection: Connection, text: str, origin: Origin) -> SignedIn | RefusedToken:
    """The person and scopes of a presented token, or why it is refused.

    Every refusal costs the same reads and the same comparisons. In place of its secret a token may
    carry none (`pst_ID_`), where it was made so that its certificate suffices.
    """
    parts = _TOKEN.fullmatch(text)
    public_id = _public_id(parts[1]) if parts else None
    asked = _BY_TOKEN[connection.dialect.name]
    rows = asked.execute(connection, {"public_id": public_id or _NOBODY})
    offered = parts[2] if parts else ""
    proof = _proof(rows[0] if rows else None, offered, origin)
    if not rows:
        return RefusedToken(Refusal.MALFORMED if public_id is None else Refusal.UNKNOWN)
    row = rows[0]
    refusal = _refusal_of_token(row, proof, origin) or _refusal(
        row.person_status, row.organisation_status
    )
    if refusal is not None:
        return RefusedToken(refusal, public_id, row.code)
    roles = frozenset(each.role for each in rows if each.role is not None)
    granted = frozenset(Scope(scope) for scope in row.scopes)
    caller = Caller(
        person_id=row.person_id,
        person=row.person,
        organisation_id=row.organisation_id,
        organisation=row.code,
        roles=roles,
        scopes=granted & scopes_of(roles),
        means=Means.TOKEN,
    )
    return SignedIn(
        caller=caller,
        expires_at=row.expires_at,
        token_id=row.token_id,
        last_used_on=row.last_used_on,
        network=origin.coarse,
        last_network=row.last_network,
    )


def session_hash(name: str) -> bytes:
    """What is stored of a session's name (256 random bits, so a plain SHA-256 suffices)."""
    return hashlib.sha256(name.encode()).digest()


def means_of(proved_by: Collection[str]) -> Means:
    """How the acts of a session so proved are marked in the log."""
    return Means.BREAK_GLASS if BY_BREAK_GLASS in proved_by else Means.SESSION


def secret_hash(secret: str) -> bytes:
    """What is stored of a token's secret (256 random bits, so a plain SHA-256 suffices)."""
    return hashlib.sha256(secret.encode()).digest()


def token_text(public_id: UUID, secret: str) -> str:
    """The token as its person keeps it: `pst_`, 22 characters, `_`, 43 characters."""
    return f"pst_{to_base64url(public_id.bytes)}_{secret}"


def refusal_of(person: PersonAccount, organisation: Organisation) -> Refusal | None:
    """Why this person may not act at all, None when they may."""
    return _refusal(person.status, organisation.status)


def roles_of(session: Session, person_id: int) -> frozenset[Role]:
    """The roles that a person holds now."""
    held = session.scalars(select(RoleGrant.role).where(RoleGrant.person_id == person_id))
    return frozenset(held)


def must_have_factor(roles: Collection[Role]) -> bool:
    """Whether who holds these roles needs a second factor, by `sign_in.second_factor`."""
    asked = runtime().settings.sign_in.second_factor
    return asked == "all" or (asked == "privileged" and not PRIVILEGED.isdisjoint(roles))


def caller_of(
    person: PersonAccount,
    organisation: Organisation,
    roles: Iterable[Role],
    means: Means,
    scopes: frozenset[Scope] | None = None,
) -> Caller:
    """The person as the rooms above know them."""
    return Caller(
        person_id=person.id,
        person=person.public_id,
        organisation_id=organisation.id,
        organisation=organisation.code,
        roles=frozenset(roles),
        scopes=scopes,
        means=means,
    )


def stranger(means: Means) -> Caller:
    """Nobody in particular: under whom refused credentials are logged, by the platform."""
    return Caller(
        person_id=None,
        person=None,
        organisation_id=None,
        organisation=PLATFORM,
        roles=frozenset(),
        scopes=frozenset(),
        means=means,
    )


def _of_person(*columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(PersonAccount)
        .join(Organisation, Organisation.id == PersonAccount.organisation_id)
    )


def _public_id(text: str) -> UUID | None:
    raw = from_base64url(text)
    return None if raw is None else UUID(bytes=raw)


def _refusal(person: AccountStatus, organisation: OrganisationStatus) -> Refusal | None:
    if person is AccountStatus.DISABLED:
        return Refusal.DISABLED
    if person is not AccountStatus.ACTIVE:
        return Refusal.CLOSED
    if organisation is not OrganisationStatus.ACTIVE:
        return Refusal.SUSPENDED
    return None


class _Proof(StrEnum):
    """What a presented token showed of the stored one."""

    NONE = "none"
    SECRET = "secret"  # noqa: S105 - the name of a proof
    FORMER = "former"
    CERTIFICATE = "certificate"


def _proof(token: Any, offered: str, origin: Origin) -> _Proof:
    """All three comparisons are made, in constant time, whatever the first of them says."""
    nothing = bytes(32)
    presented, certificate = secret_hash(offered), origin.certificate or nothing
    bound = (token.certificate if token else None) or b""
    is_present = hmac.compare_digest(presented, token.secret_hash if token else nothing)
    is_former = hmac.compare_digest(presented, (token.former_hash if token else None) or nothing)
    is_certified = hmac.compare_digest(certificate, bound)
    if is_present:
        return _Proof.SECRET
    if is_former:
        return _Proof.FORMER
    if token and not offered and token.certificate_suffices and is_certified:
        return _Proof.CERTIFICATE
    return _Proof.NONE


def _refusal_of_token(token: Any, proof: _Proof, origin: Origin) -> Refusal | None:
    moment = clock.now()
    if proof is _Proof.NONE:
        return Refusal.SECRET
    if token.revoked_at is not None:
        return Refusal.REVOKED
    if moment >= token.expires_at:
        return Refusal.EXPIRED
    if proof is _Proof.FORMER and (token.former_until is None or moment >= token.former_until):
        return Refusal.ROTATED
    return _refusal_of_origin(token, origin)


def _refusal_of_origin(token: Any, origin: Origin) -> Refusal | None:
    if token.networks and not origin.is_within(token.networks):
        return Refusal.NETWORK
    certificate = origin.certificate or b""
    if token.certificate and not hmac.compare_digest(token.certificate, certificate):
        return Refusal.CERTIFICATE
    return None


def _by_token(token: FromClause) -> Select[Any]:
    """One row for each role: every request of a program runs this, so it is one statement."""
    return (
        select(
            token.c.id.label("token_id"),
            token.c.secret_hash,
            token.c.scopes,
            token.c.expires_at,
            token.c.revoked_at,
            token.c.last_used_on,
            token.c.last_network,
            token.c.networks,
            token.c.certificate,
            token.c.certificate_suffices,
            token.c.former_hash,
            token.c.former_until,
            PersonAccount.id.label("person_id"),
            PersonAccount.public_id.label("person"),
            PersonAccount.status.label("person_status"),
            Organisation.id.label("organisation_id"),
            Organisation.code,
            Organisation.status.label("organisation_status"),
            RoleGrant.role,
        )
        .join(PersonAccount, PersonAccount.id == token.c.person_id)
        .join(Organisation, Organisation.id == PersonAccount.organisation_id)
        .outerjoin(RoleGrant, RoleGrant.person_id == PersonAccount.id)
        .where(token.c.public_id == bindparam("public_id"))
    )


# On PostgreSQL the row is asked for through the keyhole of migration 0017: nobody is known yet.
_BY_TOKEN = {
    "sqlite": Prepared(_by_token(ApiToken.__table__)),
    "postgresql": Prepared(
        _by_token(
            func.token_presented(bindparam("public_id"))
            .table_valued(*(column(each.name, each.type) for each in ApiToken.__table__.c))
            .alias("api_token")
        )
    ),
}

"""API tokens: made once, shown once, rotated and revoked at any time.

A token acts for its person with at most the scopes that the person's roles allow (`scopes.py`), and
within its bounds only (`token_bounds.py`).
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app import clock
from app.access import Caller, Means
from app.accounts.authentication import RefusedToken, roles_of, secret_hash, stranger, token_text
from app.accounts.models import AccountStatus, ApiToken, PersonAccount
from app.accounts.own_notices import tell_own
from app.accounts.records import (
    Account,
    AccountClosedError,
    account_of,
    day_of,
    find_account,
    in_order,
    refuse_break_glass,
)
from app.accounts.scopes import scopes_of
from app.accounts.token_bounds import ANYWHERE, Bounds, faults_of
from app.audit.entry import Outcome
from app.audit.service import append
from app.errors import ConflictError, InvalidRequestError, NotFoundError
from app.organisations.models import Organisation
from app.runtime import runtime
from postern.vocabulary import Scope

_SECRET_LENGTH = 32  # bytes; 43 characters of base64url


class UnknownTokenError(NotFoundError):
    code = "token-unknown"
    title = "There is no such API token for you"
    remedy = "List your tokens and use the id of one of them."


class TokenEndedError(ConflictError):
    code = "token-ended"
    title = "The token has ended or was revoked"
    remedy = "Make a new token instead."


@dataclass(frozen=True)
class Token:
    """What may be known of an API token after it was made; `last_used_on` is a day in UTC.

    `last_network` is the coarse network of that use, `former_until` when a rotated secret dies.
    """

    id: UUID
    person_id: int
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_on: date | None
    last_network: str = ""
    bounds: Bounds = ANYWHERE
    rotated_at: datetime | None = None
    former_until: datetime | None = None

    @property
    def networks(self) -> tuple[str, ...]:
        """Networks from which it opens anything; empty for anywhere."""
        return self.bounds.networks

    @property
    def certificate(self) -> str | None:
        """The thumbprint (`x5t#S256`) of the certificate that it demands."""
        return self.bounds.thumbprint

    @property
    def certificate_suffices(self) -> bool:
        """Whether the certificate opens it without the secret."""
        return self.bounds.certificate_suffices

    @property
    def is_unused(self) -> bool:
        """Whether it is live and nobody used it for `token.unused_days`."""
        last = self.last_used_on or self.created_at.date()
        days = (clock.now().date() - last).days
        return self.state == "live" and days >= runtime().settings.token.unused_days

    @property
    def state(self) -> str:
        """ "live", "revoked" or "expired"."""
        if self.revoked_at is not None:
            return "revoked"
        return "live" if clock.now() < self.expires_at else "expired"


@dataclass(frozen=True, repr=False)
class NewToken:
    """A token at the only moment at which its text is known."""

    text: str
    token: Token


def create_own_token(
    session: Session,
    caller: Caller,
    *,
    scopes: Iterable[Scope],
    days: int,
    bounds: Bounds = ANYWHERE,
) -> NewToken:
    """Make an API token for the caller; InvalidRequestError for a scope beyond their roles."""
    person = session.get_one(PersonAccount, caller.member[1])
    owner = (person, caller.organisation)
    return _create(session, caller, owner, frozenset(scopes), days=days, bounds=bounds)


def create_token(
    session: Session,
    caller: Caller,
    login: str,
    *,
    scopes: Iterable[Scope],
    days: int,
    bounds: Bounds = ANYWHERE,
) -> NewToken:
    """Make an API token for the person `login`; errors as for `create_own_token`."""
    person, code = find_account(session, login)
    if person.status is AccountStatus.CLOSED:
        raise AccountClosedError
    return _create(session, caller, (person, code), frozenset(scopes), days=days, bounds=bounds)


def rotate_own_token(
    session: Session, caller: Caller, token: UUID, *, overlap_hours: int
) -> NewToken:
    """Give a token of the caller a new secret; the old one opens it for `overlap_hours` more.

    Scopes, bounds and end stay. A secret that was former already dies at once. Raises
    UnknownTokenError for another's as for none, TokenEndedError, InvalidRequestError.
    """
    condition = ApiToken.person_id == caller.member[1]
    return _rotate(session, caller, token, overlap_hours, condition)


def rotate_token(session: Session, caller: Caller, token: UUID, *, overlap_hours: int) -> NewToken:
    """Give anybody's token a new secret, as `rotate_own_token`. For the console."""
    return _rotate(session, caller, token, overlap_hours)


def list_own_tokens(session: Session, caller: Caller) -> list[Token]:
    """The caller's own tokens, newest first, dead ones too."""
    found = tokens_of(session, ApiToken.person_id == caller.member[1])
    append(session, caller, "token.list", object_type="token", count=len(found))
    return found


def list_tokens(session: Session, caller: Caller) -> list[tuple[Token, Account]]:
    """All tokens with their persons, newest first; for the console."""
    found = tokens_of(session)
    owners = {
        person.id: account_of(person, code, ())
        for person, code in session.execute(
            select(PersonAccount, Organisation.code).join(Organisation)
        )
    }
    append(session, caller, "token.list", object_type="token", count=len(found))
    return [(token, owners[token.person_id]) for token in found]


def list_organisation_tokens(session: Session, caller: Caller) -> list[tuple[Token, Account]]:
    """All tokens of the caller's organisation with their persons: the living first, newest first.

    For its administrators and compliance officers.
    """
    organisation_id, _ = caller.member
    found = tokens_of(session, ApiToken.organisation_id == organisation_id)
    owners = {
        person.id: account_of(person, caller.organisation, ())
        for person in session.scalars(
            select(PersonAccount).where(PersonAccount.organisation_id == organisation_id)
        )
    }
    append(session, caller, "token.list", object_type="token", count=len(found))
    found.sort(key=lambda token: token.state != "live")
    return [(token, owners[token.person_id]) for token in found]


def revoke_organisation_token(session: Session, caller: Caller, token: UUID) -> None:
    """Revoke a token of anybody of the caller's organisation; UnknownTokenError for others'."""
    _revoke(session, caller, token, ApiToken.organisation_id == caller.member[0])


def revoke_own_token(session: Session, caller: Caller, token: UUID) -> None:
    """Revoke a token of the caller; UnknownTokenError for another's as for none."""
    _revoke(session, caller, token, ApiToken.person_id == caller.member[1])


def revoke_token(session: Session, caller: Caller, token: UUID) -> None:
    """Revoke anybody's token; UnknownTokenError when there is none. For the console."""
    _revoke(session, caller, token)


def refuse_token(session: Session, refused: RefusedToken) -> None:
    """Log that a presented token was refused; its organisation is told when it has one."""
    details = {"refusal": refused.reason.value}
    if refused.token is not None:
        details["token"] = str(refused.token)
    append(
        session,
        stranger(Means.TOKEN),
        "token.refuse",
        audience=[] if refused.organisation is None else [refused.organisation],
        outcome=Outcome.DENIED,
        details=details,
    )


def tokens_of(session: Session, *conditions: ColumnElement[bool]) -> list[Token]:
    """The tokens that meet the conditions, newest first."""
    rows = session.scalars(
        select(ApiToken).where(*conditions).order_by(ApiToken.created_at.desc(), ApiToken.id.desc())
    )
    return [_token(row) for row in rows]


def _create(
    session: Session,
    caller: Caller,
    owner: tuple[PersonAccount, str],
    scopes: frozenset[Scope],
    *,
    days: int,
    bounds: Bounds,
) -> NewToken:
    person, organisation = owner
    refuse_break_glass(session, person.id)
    _check(scopes, scopes_of(roles_of(session, person.id)), days, bounds)
    secret, moment = secrets.token_urlsafe(_SECRET_LENGTH), clock.now()
    row = ApiToken(
        public_id=uuid4(),
        person_id=person.id,
        organisation_id=person.organisation_id,
        secret_hash=secret_hash(secret),
        scopes=[scope.value for scope in in_order(scopes)],
        created_at=moment,
        expires_at=moment + timedelta(days=days),
        networks=list(bounds.networks),
        certificate=bounds.certificate,
        certificate_suffices=bounds.certificate_suffices,
        last_network="",
    )
    session.add(row)
    session.flush()
    append(
        session,
        caller,
        "token.create",
        audience=[organisation],
        object_type="token",
        objects=[str(row.public_id)],
        details={
            "person": str(person.public_id),
            "scopes": list(row.scopes),
            "days": days,
            **bounds.details(),
        },
    )
    tell_own(session, caller, person, "token.create")
    return NewToken(token_text(row.public_id, secret), _token(row))


def _rotate(
    session: Session,
    caller: Caller,
    token: UUID,
    overlap_hours: int,
    *conditions: ColumnElement[bool],
) -> NewToken:
    longest = runtime().settings.token.overlap_hours
    if not 0 <= overlap_hours <= longest:
        reason = f"The former secret lives 0 to {longest} hours more."
        raise InvalidRequestError(
            "The token cannot be rotated", errors=[{"field": "overlap_hours", "reason": reason}]
        )
    row, person, organisation = _found(session, token, *conditions)
    if _token(row).state != "live":
        raise TokenEndedError
    secret, moment = secrets.token_urlsafe(_SECRET_LENGTH), clock.now()
    row.former_hash = row.secret_hash if overlap_hours else None
    row.former_until = moment + timedelta(hours=overlap_hours) if overlap_hours else None
    row.secret_hash, row.rotated_at = secret_hash(secret), moment
    append(
        session,
        caller,
        "token.rotate",
        audience=[organisation],
        object_type="token",
        objects=[str(token)],
        details={"person": str(person.public_id), "overlap_hours": overlap_hours},
    )
    tell_own(session, caller, person, "token.rotate")
    return NewToken(token_text(row.public_id, secret), _token(row))


def _check(scopes: frozenset[Scope], allowed: frozenset[Scope], days: int, bounds: Bounds) -> None:
    longest = runtime().settings.token.longest_days
    errors = faults_of(bounds)
    if not scopes:
        errors.append({"field": "scopes", "reason": "A token needs at least one scope."})
    if beyond := scopes - allowed:
        words = ", ".join(in_order(beyond))
        errors.append({"field": "scopes", "reason": f"The person's roles do not allow: {words}."})
    if not 1 <= days <= longest:
        errors.append({"field": "days", "reason": f"A token lives 1 to {longest} days."})
    if errors:
        raise InvalidRequestError("The token cannot be made", errors=errors)


def _revoke(
    session: Session, caller: Caller, token: UUID, *conditions: ColumnElement[bool]
) -> None:
    found, person, organisation = _found(session, token, *conditions)
    found.revoked_at = found.revoked_at or clock.now()
    append(
        session,
        caller,
        "token.revoke",
        audience=[organisation],
        object_type="token",
        objects=[str(token)],
        details={"person": str(person.public_id)},
    )
    tell_own(session, caller, person, "token.revoke")


def _found(
    session: Session, token: UUID, *conditions: ColumnElement[bool]
) -> tuple[ApiToken, PersonAccount, str]:
    """The row, locked, its person and the organisation's code; UnknownTokenError when none."""
    row = session.execute(
        select(ApiToken, PersonAccount, Organisation.code)
        .join(PersonAccount, PersonAccount.id == ApiToken.person_id)
        .join(Organisation, Organisation.id == PersonAccount.organisation_id)
        .where(ApiToken.public_id == token, *conditions)
        .with_for_update(of=ApiToken)
    ).one_or_none()
    if row is None:
        raise UnknownTokenError
    return row[0], row[1], row[2]


def _token(row: ApiToken) -> Token:
    return Token(
        id=row.public_id,
        person_id=row.person_id,
        scopes=tuple(Scope(scope) for scope in row.scopes),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_on=day_of(row.last_used_on),
        last_network=row.last_network,
        bounds=Bounds(tuple(row.networks), row.certificate, row.certificate_suffices),
        rotated_at=row.rotated_at,
        former_until=row.former_until,
    )

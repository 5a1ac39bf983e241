"""API tokens: made once, shown once, revoked at any time.

A token acts for its person with at most the scopes that the person's roles allow (`scopes.py`).
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
from app.accounts.records import (
    Account,
    AccountClosedError,
    account_of,
    day_of,
    find_account,
    in_order,
)
from app.accounts.scopes import scopes_of
from app.audit.entry import Outcome
from app.audit.service import append
from app.errors import InvalidRequestError, NotFoundError
from app.organisations.models import Organisation
from app.runtime import runtime
from postern.vocabulary import Scope

_SECRET_LENGTH = 32  # bytes; 43 characters of base64url


class UnknownTokenError(NotFoundError):
    code = "token-unknown"
    title = "There is no such API token for you"
    remedy = "List your tokens and use the id of one of them."


@dataclass(frozen=True)
class Token:
    """What may be known of an API token after it was made; `last_used_on` is a day in UTC."""

    id: UUID
    person_id: int
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_on: date | None

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
    session: Session, caller: Caller, *, scopes: Iterable[Scope], days: int
) -> NewToken:
    """Make an API token for the caller; InvalidRequestError for a scope beyond their roles."""
    person = session.get_one(PersonAccount, caller.member[1])
    return _create(session, caller, (person, caller.organisation), frozenset(scopes), days)


def create_token(
    session: Session, caller: Caller, login: str, *, scopes: Iterable[Scope], days: int
) -> NewToken:
    """Make an API token for the person `login`; errors as for `create_own_token`."""
    person, code = find_account(session, login)
    if person.status is AccountStatus.CLOSED:
        raise AccountClosedError
    return _create(session, caller, (person, code), frozenset(scopes), days)


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
    days: int,
) -> NewToken:
    person, organisation = owner
    _check(scopes, scopes_of(roles_of(session, person.id)), days)
    secret, moment = secrets.token_urlsafe(_SECRET_LENGTH), clock.now()
    row = ApiToken(
        public_id=uuid4(),
        person_id=person.id,
        organisation_id=person.organisation_id,
        secret_hash=secret_hash(secret),
        scopes=[scope.value for scope in in_order(scopes)],
        created_at=moment,
        expires_at=moment + timedelta(days=days),
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
        details={"person": str(person.public_id), "scopes": list(row.scopes), "days": days},
    )
    return NewToken(token_text(row.public_id, secret), _token(row))


def _check(scopes: frozenset[Scope], allowed: frozenset[Scope], days: int) -> None:
    longest = runtime().settings.token.longest_days
    errors = []
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
    row = session.execute(
        select(ApiToken, PersonAccount.public_id, Organisation.code)
        .join(PersonAccount, PersonAccount.id == ApiToken.person_id)
        .join(Organisation, Organisation.id == PersonAccount.organisation_id)
        .where(ApiToken.public_id == token, *conditions)
    ).one_or_none()
    if row is None:
        raise UnknownTokenError
    found, person, organisation = row
    found.revoked_at = found.revoked_at or clock.now()
    append(
        session,
        caller,
        "token.revoke",
        audience=[organisation],
        object_type="token",
        objects=[str(token)],
        details={"person": str(person)},
    )


def _token(row: ApiToken) -> Token:
    return Token(
        id=row.public_id,
        person_id=row.person_id,
        scopes=tuple(Scope(scope) for scope in row.scopes),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_on=day_of(row.last_used_on),
    )

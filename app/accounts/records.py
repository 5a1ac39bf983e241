"""An account's row as a value, and how it is found: what the verbs of this room share."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app import clock, row_security
from app.accounts.entry_models import BreakGlass, OneTimeLink
from app.accounts.models import AccountStatus, Credential, CredentialKind, PersonAccount
from app.accounts.profiles import fold_login, profiles
from app.errors import ConflictError, NotFoundError
from app.organisations.models import Organisation
from postern.vocabulary import Role, Scope

Word = TypeVar("Word", Role, Scope)
_EPOCH = date(1970, 1, 1)


class UnknownAccountError(NotFoundError):
    code = "account-unknown"
    title = "No account has this sign-in name"
    remedy = "List the accounts with: flask --app wsgi accounts list"


class AccountClosedError(ConflictError):
    code = "account-closed"
    title = "The account is closed"
    remedy = "Create a new account under another sign-in name."


class BreakGlassAccountError(ConflictError):
    code = "break-glass-account"
    title = "The account is for emergencies: it has no password, no token and no other role"
    remedy = "It is made, sealed and ended with: flask --app wsgi break-glass"


@dataclass(frozen=True, repr=False)
class Account:
    """An account as the console and its own person see it; the names are personal data."""

    person_id: int
    public_id: UUID
    organisation: str
    login: str
    name: str
    roles: tuple[Role, ...]
    status: AccountStatus
    locked_until: datetime | None
    created_at: datetime
    last_sign_in_on: date | None  # in UTC


def find_account(session: Session, login: str) -> tuple[PersonAccount, str]:
    """The row and the organisation's code of a sign-in name; UnknownAccountError when none."""
    index = profiles().index(fold_login(login))
    row = session.execute(
        select(PersonAccount, Organisation.code)
        .join(Organisation)
        .where(PersonAccount.login_index == index)
    ).one_or_none()
    if row is None:
        raise UnknownAccountError
    return row[0], row[1]


def act_for_person(session: Session, person_id: int) -> None:
    """Let the transaction see what belongs to the organisation of whoever is signing in."""
    if row_security.is_asked_for(session):
        person = session.get_one(PersonAccount, person_id)
        row_security.act_for(session, person.organisation_id)


def account_of(person: PersonAccount, organisation: str, roles: Iterable[Role]) -> Account:
    """The account with its names opened."""
    profile = profiles().open(person.sealed_profile, person.public_id)
    return Account(
        person_id=person.id,
        public_id=person.public_id,
        organisation=organisation,
        login=profile.login,
        name=profile.name,
        roles=tuple(in_order(roles)),
        status=person.status,
        locked_until=person.locked_until,
        created_at=person.created_at,
        last_sign_in_on=day_of(person.last_sign_in_on),
    )


def day_of(number: int | None) -> date | None:
    """The day that stands as a number of days since 1970."""
    return None if number is None else _EPOCH + timedelta(days=number)


def store_secret(
    session: Session, person_id: int, secret: str, expires_at: datetime | None = None
) -> None:
    """Make `secret`, a password's hash, the only one that counts for the person.

    With `expires_at` it is a one-time password: good until then, and for choosing another only. A
    one-time link of the person opens nothing afterwards.
    """
    session.execute(delete(OneTimeLink).where(OneTimeLink.person_id == person_id))
    session.merge(
        Credential(
            person_id=person_id,
            kind=CredentialKind.PASSWORD,
            secret_hash=secret,
            changed_at=clock.now(),
            expires_at=expires_at,
        )
    )


def has_one_time_password(session: Session, person_id: int) -> bool:
    """Whether the person has yet to choose a password that nobody else has seen."""
    stored = session.get(Credential, (person_id, CredentialKind.PASSWORD))
    return stored is not None and stored.expires_at is not None


def is_break_glass(session: Session, person_id: int) -> bool:
    """Whether the account is that of an emergency, which is entered by its sealed secret alone."""
    return session.get(BreakGlass, person_id) is not None


def refuse_break_glass(session: Session, person_id: int) -> None:
    """BreakGlassAccountError when the account is that of an emergency."""
    if is_break_glass(session, person_id):
        raise BreakGlassAccountError


def in_order(words: Iterable[Word]) -> list[Word]:
    """Words of a closed list in alphabetical order, for people and for the log."""
    return sorted(words, key=lambda word: word.value)

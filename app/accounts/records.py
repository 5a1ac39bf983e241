"""An account's row as a value, and how it is found: what the verbs of this room share."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.models import AccountStatus, Credential, CredentialKind, PersonAccount
from app.accounts.profiles import fold_login, profiles
from app.errors import ConflictError, NotFoundError
from app.organisations.models import Organisation
from postern.vocabulary import Role, Scope

Word = TypeVar("Word", Role, Scope)


class UnknownAccountError(NotFoundError):
    code = "account-unknown"
    title = "No account has this sign-in name"
    remedy = "List the accounts with: flask --app wsgi accounts list"


class AccountClosedError(ConflictError):
    code = "account-closed"
    title = "The account is closed"
    remedy = "Create a new account under another sign-in name."


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
    )


def store_secret(session: Session, person_id: int, secret: str) -> None:
    """Make `secret`, a password's hash, the only one that counts for the person."""
    session.merge(
        Credential(
            person_id=person_id,
            kind=CredentialKind.PASSWORD,
            secret_hash=secret,
            changed_at=clock.now(),
        )
    )


def in_order(words: Iterable[Word]) -> list[Word]:
    """Words of a closed list in alphabetical order, for people and for the log."""
    return sorted(words, key=lambda word: word.value)

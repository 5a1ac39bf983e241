"""The verbs of accounts: who has one, which roles they hold, when it ends.

A person is `public_id` everywhere outside this room. Signing in is in `sign_in.py`, API tokens are
in `tokens.py`. Hashing a password takes long, so it happens before a transaction (`new_secret`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.accounts import passwords as rule
from app.accounts.authentication import roles_of
from app.accounts.entry_models import OneTimeLink
from app.accounts.factor_models import RecoveryCode, SecondFactor
from app.accounts.models import (
    AccountStatus,
    ApiToken,
    Credential,
    PersonAccount,
    RoleGrant,
    WebSession,
)
from app.accounts.open_sessions import OpenSession, sessions_of
from app.accounts.own_notices import tell_own
from app.accounts.passwords import passwords
from app.accounts.profiles import Profile, check_name, normalise_login, profiles
from app.accounts.records import (
    Account,
    AccountClosedError,
    account_of,
    find_account,
    has_one_time_password,
    in_order,
    refuse_break_glass,
    store_secret,
)
from app.accounts.scopes import scopes_of
from app.accounts.sign_on import link_of
from app.accounts.tokens import Token, tokens_of
from app.audit.service import append
from app.errors import ConflictError
from app.organisations.models import Organisation
from app.organisations.service import Member, directory, find
from postern.vocabulary import Role, Scope


class AccountExistsError(ConflictError):
    code = "account-exists"
    title = "An account already has this sign-in name"
    remedy = "Choose another sign-in name; that of a closed account is not given again."


@dataclass(frozen=True, repr=False)
class OwnAccount:
    """What a person sees of themselves; `scopes` are those their tokens may have.

    `must_change`: they came with a one-time password and have yet to choose their own.
    """

    account: Account
    organisation: Member
    sessions: Sequence[OpenSession]
    tokens: Sequence[Token]
    scopes: Sequence[Scope]
    must_change: bool
    sign_on: bool | None  # linked or not; None without a provider of the organisation


def new_secret(login: str, password: str, former: str | None = None) -> str:
    """The hash of a new password for `login`; PasswordRefusedError when it breaks the rule.

    `former` is the one that it replaces, where that is known.
    """
    rule.check(password, normalise_login(login), former)
    return passwords().hash(password)


def create(
    session: Session,
    caller: Caller,
    *,
    organisation: str,
    login: str,
    name: str,
    roles: Iterable[Role],
    secret: str,
    expires_at: datetime | None = None,
) -> Account:
    """Give a person of the organisation with this code an account; `secret` is of `new_secret`.

    With `expires_at` the password is a one-time one: good until then, for choosing another only.

    Raises InvalidRequestError, UnknownOrganisationError, and AccountExistsError for a sign-in name
    that is taken in any organisation. Any role may be held in any sector: what a role may see is
    the policies' matter.
    """
    login, name = normalise_login(login), check_name(name)
    organisation_id, _member = find(session, organisation)
    index = profiles().index(login)
    taken = select(PersonAccount.id).where(PersonAccount.login_index == index)
    if session.scalar(taken) is not None:
        raise AccountExistsError
    moment, public_id = clock.now(), uuid4()
    person = PersonAccount(
        public_id=public_id,
        organisation_id=organisation_id,
        login_index=index,
        sealed_profile=profiles().seal(Profile(login, name), public_id),
        language="",
        status=AccountStatus.ACTIVE,
        failures=0,
        created_at=moment,
    )
    session.add(person)
    session.flush()
    store_secret(session, person.id, secret, expires_at)
    held = frozenset(roles)
    session.add_all(RoleGrant(person_id=person.id, role=role, granted_at=moment) for role in held)
    session.flush()
    _tell(session, caller, "account.create", person, organisation, roles=in_order(held))
    return account_of(person, organisation, held)


def list_accounts(
    session: Session, caller: Caller, organisation: str | None = None
) -> list[Account]:
    """All accounts, or those of one organisation, in order of organisation and sign-in name."""
    chosen = select(PersonAccount, Organisation.code).join(Organisation)
    if organisation is not None:
        chosen = chosen.where(PersonAccount.organisation_id == find(session, organisation)[0])
    grants: dict[int, set[Role]] = {}
    for grant in session.scalars(select(RoleGrant)):
        grants.setdefault(grant.person_id, set()).add(grant.role)
    found = [
        account_of(person, code, grants.get(person.id, ()))
        for person, code in session.execute(chosen)
    ]
    audience = [] if organisation is None else [organisation]
    append(
        session,
        caller,
        "account.list",
        audience=audience,
        object_type="account",
        count=len(found),
    )
    return sorted(found, key=lambda account: (account.organisation, account.login))


def set_roles(
    session: Session,
    caller: Caller,
    login: str,
    *,
    grant: Iterable[Role] = (),
    withdraw: Iterable[Role] = (),
) -> frozenset[Role]:
    """Grant and withdraw roles; returns those held then. Takes effect with the next request."""
    person, code = find_account(session, login)
    refuse_break_glass(session, person.id)
    before = roles_of(session, person.id)
    after = (before | frozenset(grant)) - frozenset(withdraw)
    session.execute(
        delete(RoleGrant).where(RoleGrant.person_id == person.id, RoleGrant.role.not_in(after))
    )
    moment = clock.now()
    session.add_all(
        RoleGrant(person_id=person.id, role=role, granted_at=moment) for role in after - before
    )
    _tell(session, caller, "account.role", person, code, roles=in_order(after))
    return after


def close(session: Session, caller: Caller, login: str) -> None:
    """Close an account for good: its sessions end, its tokens are revoked, its password goes."""
    person, code = find_account(session, login)
    person.status = AccountStatus.CLOSED
    session.execute(delete(WebSession).where(WebSession.person_id == person.id))
    session.execute(delete(OneTimeLink).where(OneTimeLink.person_id == person.id))
    session.execute(delete(Credential).where(Credential.person_id == person.id))
    session.execute(delete(SecondFactor).where(SecondFactor.person_id == person.id))
    session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person.id))
    session.execute(
        update(ApiToken)
        .where(ApiToken.person_id == person.id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=clock.now())
    )
    _tell(session, caller, "account.status", person, code, status=AccountStatus.CLOSED.value)


def unlock(session: Session, caller: Caller, login: str) -> None:
    """Forget the wrong passwords of an account, so that its person may try again at once."""
    person, code = find_account(session, login)
    person.failures, person.locked_until = 0, None
    _tell(session, caller, "account.status", person, code, status="unlocked")


def reset_password(session: Session, caller: Caller, login: str, secret: str) -> None:
    """Replace a password by another (`secret` is of `new_secret`); every session ends."""
    person, code = find_account(session, login)
    if person.status is AccountStatus.CLOSED:
        raise AccountClosedError
    refuse_break_glass(session, person.id)
    store_secret(session, person.id, secret)
    person.failures, person.locked_until = 0, None
    session.execute(delete(WebSession).where(WebSession.person_id == person.id))
    _tell(session, caller, "account.password", person, code)
    tell_own(session, caller, person, "password")


def choose_language(session: Session, caller: Caller, language: str) -> None:
    """Let the pages speak `language` (ISO 639-1) to the caller in every browser from now on."""
    session.get_one(PersonAccount, caller.member[1]).language = language
    append(
        session,
        caller,
        "account.language",
        object_type="account",
        count=1,
        details={"language": language},
    )


def read_membership(session: Session, caller: Caller) -> Member:
    """The organisation that the caller acts for."""
    member = directory(session)[caller.member[0]]
    append(session, caller, "interface.read", object_type="account", count=1)
    return member


def read_own(session: Session, caller: Caller, current: bytes | None = None) -> OwnAccount:
    """The caller's own account; `current` is the hash of the session that asks."""
    person = session.get_one(PersonAccount, caller.member[1])
    own = OwnAccount(
        account=account_of(person, caller.organisation, roles_of(session, person.id)),
        organisation=directory(session)[person.organisation_id],
        sessions=sessions_of(session, person.id, current),
        tokens=tokens_of(session, ApiToken.person_id == person.id),
        scopes=in_order(scopes_of(caller.roles)),
        must_change=has_one_time_password(session, person.id),
        sign_on=link_of(session, caller),
    )
    append(session, caller, "interface.read", object_type="account", count=1)
    return own


def _tell(
    session: Session,
    caller: Caller,
    act: str,
    person: PersonAccount,
    organisation: str,
    **details: Any,
) -> None:
    append(
        session,
        caller,
        act,
        audience=[organisation],
        object_type="account",
        objects=[str(person.public_id)],
        details=details,
    )

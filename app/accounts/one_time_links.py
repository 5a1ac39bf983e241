"""One-time links: by one of them a person who cannot sign in, or is new, chooses a password.

The threat is an administrator, or who reads over their shoulder, that enters in the person's place.
A link is shown once, stored as a digest, counts once and ends after a day; making one asks for a
fresh proof and is told to every compliance officer and to the person. It replaces the password and
nothing else: second factors stay and are asked for, and fall only by two people
(`factor_resets.py`). So a link alone opens an account that has no second factor, as a one-time
password does, with the difference that nobody but the person has seen the password.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app import clock, row_security
from app.access import Caller, Means
from app.accounts.authentication import Refusal, refusal_of, session_hash, stranger
from app.accounts.entry_models import OneTimeLink
from app.accounts.factor_models import PendingSignIn
from app.accounts.models import PersonAccount, WebSession
from app.accounts.own_notices import tell_own
from app.accounts.people import colleague_row, tell_officers
from app.accounts.profiles import profiles
from app.accounts.records import act_for_person, store_secret
from app.audit.entry import Outcome
from app.audit.service import append
from app.jobs.notifications import notify
from app.organisations.models import Organisation
from app.runtime import runtime
from postern.vocabulary import Role

LIVES = timedelta(hours=24)
_LENGTH = 32  # bytes of a secret


@dataclass(frozen=True, repr=False)
class Waiting:
    """A link that may be used: the sign-in name, for the rule that a password is not it."""

    login: str


def make(session: Session, caller: Caller, person: UUID) -> str:
    """Make a link for a colleague, in the place of any other; returns its secret, this once.

    Raises NotFoundError, OwnAccountError, AccountClosedError, BreakGlassAccountError.
    """
    row = colleague_row(session, caller, person)
    secret, moment = secrets.token_urlsafe(_LENGTH), clock.now()
    session.execute(delete(OneTimeLink).where(OneTimeLink.person_id == row.id))
    session.add(
        OneTimeLink(
            person_id=row.id,
            secret_hash=session_hash(secret),
            made_by=caller.person,
            made_at=moment,
            expires_at=moment + LIVES,
        )
    )
    append(session, caller, "account.link", object_type="account", objects=[str(person)])
    tell_officers(session, caller, person, "link")
    tell_own(session, caller, row, "link")
    return secret


def waiting(secret: str) -> Waiting | None:
    """The account for which the link is good now; None for every other. Changes nothing."""
    name_hash = session_hash(secret)
    row_security.present(name_hash)
    with runtime().database.reading() as session:
        row = _row(session, name_hash)
        if row is None:
            return None
        person = session.get_one(PersonAccount, row.person_id)
        return Waiting(profiles().open(person.sealed_profile, person.public_id).login)


def use(session: Session, secret: str, password: str) -> bool:
    """Make `password` (of `service.new_secret`) that of the link's person; the link is spent.

    False when the link is not good any more; then that is logged, and the transaction must be
    committed. Sessions end, and a lock is lifted, as when an administrator sets a password.
    """
    name_hash = session_hash(secret)
    row_security.present(name_hash, session)
    row = _row(session, name_hash)
    if row is None:
        _refuse(session, Refusal.UNKNOWN, None)
        return False
    act_for_person(session, row.person_id)
    person, organisation = session.execute(
        select(PersonAccount, Organisation)
        .join(Organisation, Organisation.id == PersonAccount.organisation_id)
        .where(PersonAccount.id == row.person_id)
        .with_for_update(of=PersonAccount)
    ).one()
    refusal = refusal_of(person, organisation)
    if refusal is not None:
        _refuse(session, refusal, organisation)
        return False
    spent = session.scalar(
        delete(OneTimeLink)
        .where(OneTimeLink.secret_hash == name_hash)
        .returning(OneTimeLink.person_id)
    )
    if spent is None:  # somebody used it while this one waited for the account
        _refuse(session, Refusal.UNKNOWN, organisation)
        return False
    store_secret(session, person.id, password)
    person.failures, person.locked_until = 0, None
    for table in (WebSession, PendingSignIn):
        session.execute(delete(table).where(table.person_id == person.id))
    by = stranger(Means.SESSION)
    append(
        session,
        by,
        "account.link-used",
        audience=[organisation.code],
        object_type="account",
        objects=[str(person.public_id)],
    )
    facts, address = {"change": "link-used"}, f"/people/{person.public_id}"
    notify(session, organisation.id, Role.COMPLIANCE, "account.change", facts, address)
    tell_own(session, by, person, "link-used")
    return True


def refuse_password(session: Session) -> None:
    """Log that a password was refused, which leaves the link as it is."""
    _refuse(session, Refusal.PASSWORD, None)


def _row(session: Session, name_hash: bytes) -> OneTimeLink | None:
    return session.scalar(
        select(OneTimeLink).where(
            OneTimeLink.secret_hash == name_hash, OneTimeLink.expires_at > clock.now()
        )
    )


def _refuse(session: Session, refusal: Refusal, organisation: Organisation | None) -> None:
    append(
        session,
        stranger(Means.SESSION),
        "account.link-used",
        audience=[] if organisation is None else [organisation.code],
        outcome=Outcome.DENIED,
        details={"refusal": refusal.value},
    )

"""Signing in and out: passwords judged, sessions started and ended.

A password is compared before a transaction begins (`compare`), and the result is judged inside the
transaction that counts the failure: parallel guesses find the lock that the first ones closed.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app import clock, row_security
from app.access import CONSOLE, Caller, Means
from app.accounts.authentication import (
    BY_BREAK_GLASS,
    BY_PASSWORD,
    Refusal,
    SignedIn,
    caller_of,
    means_of,
    refusal_of,
    roles_of,
    session_hash,
    stranger,
)
from app.accounts.devices import devices
from app.accounts.factor_models import PendingSignIn, SecondFactor
from app.accounts.models import (
    ApiToken,
    Credential,
    CredentialKind,
    PersonAccount,
    WebSession,
)
from app.accounts.own_notices import tell_own
from app.accounts.passwords import passwords
from app.accounts.profiles import fold_login, profiles
from app.accounts.records import UnknownAccountError, in_order, is_break_glass, store_secret
from app.audit.entry import Outcome
from app.audit.service import append
from app.errors import NotAllowedError
from app.organisations.models import Organisation
from app.runtime import runtime
from postern.base64url import to_base64url
from postern.vocabulary import Role

_NAME_LENGTH = 32  # bytes of a session's name
_NO_ORGANISATION = 0  # an id that none has
_SECOND_STEP = timedelta(minutes=5)
"""How long a right password waits for the second factor."""


@dataclass(frozen=True, repr=False)
class Pending:
    """A sign-in that waits for a second factor; `name` is to be kept by the browser alone."""

    name: str


@dataclass(frozen=True)
class AtProvider:
    """The session at a provider from which one here was begun; `session` is a digest, or None."""

    provider_id: int
    session: bytes | None


@dataclass(frozen=True, repr=False)
class Attempt:
    """A password that was compared; `renewed` is its new hash when the stored one is outdated."""

    login_index: bytes
    compared: str | None
    is_right: bool
    renewed: str | None


def compare(login: str, password: str) -> Attempt:
    """Compare a password with that of `login`, outside of any transaction.

    An unknown name takes the same time. Whether the account is locked is judged later, in the
    transaction that also counts the failure, so that parallel guesses gain nothing.
    """
    index = profiles().index(fold_login(login))
    with runtime().database.reading() as session:
        _act_for_login(session, index)
        compared = session.scalar(
            select(Credential.secret_hash)
            .join(PersonAccount, PersonAccount.id == Credential.person_id)
            .where(PersonAccount.login_index == index, Credential.kind == CredentialKind.PASSWORD)
        )
    is_right = passwords().is_right(compared, password)
    is_outdated = is_right and compared is not None and passwords().is_outdated(compared)
    return Attempt(index, compared, is_right, passwords().hash(password) if is_outdated else None)


def own_login(caller: Caller) -> str:
    """The sign-in name of the caller, for the page on which they change their password."""
    with runtime().database.reading() as session:
        person = session.get_one(PersonAccount, caller.member[1])
        return profiles().open(person.sealed_profile, person.public_id).login


def sign_in(session: Session, attempt: Attempt, device: str = "") -> str | Pending | None:
    """Start a session; returns its name, to be kept by the browser alone.

    Pending where the person has a second factor. None when the sign-in is refused; then the failure
    is counted and logged, and the transaction must be committed.
    """
    found = _attempted(session, attempt)
    if found is None:
        _tell_refusal(session, attempt, Refusal.UNKNOWN)
        return None
    person, organisation = found
    asks = needs_second_factor(session, person)
    refusal = _judge(session, person, organisation, attempt, forgives=not asks)
    if refusal is not None:
        _tell_refusal(session, attempt, refusal, person, organisation)
        return None
    proved_by = frozenset({BY_PASSWORD})
    if asks:
        return begin_second_step(session, person, organisation, proved_by=proved_by, device=device)
    return start_session(session, person, organisation, proved_by=proved_by, device=device)


def needs_second_factor(session: Session, person: PersonAccount) -> bool:
    """Whether the person has a second factor, without which no session begins."""
    row_security.act_for(session, person.organisation_id)
    found = session.scalar(
        select(SecondFactor.id).where(SecondFactor.person_id == person.id).limit(1)
    )
    return found is not None


def begin_second_step(
    session: Session,
    person: PersonAccount,
    organisation: Organisation,
    *,
    proved_by: frozenset[str],
    device: str = "",
    roles_bound: frozenset[Role] | None = None,
    there: AtProvider | None = None,
) -> Pending:
    """Let a right first proof wait for the second; it opens nothing. Logged."""
    name = secrets.token_urlsafe(_NAME_LENGTH)
    name_hash = session_hash(name)
    session.add(
        PendingSignIn(
            name_hash=name_hash,
            person_id=person.id,
            proved_by=sorted(proved_by),
            sealed_device=devices().seal(device, name_hash),
            roles_bound=None if roles_bound is None else in_order(roles_bound),
            provider_id=there.provider_id if there else None,
            provider_session=there.session if there else None,
            expires_at=clock.now() + _SECOND_STEP,
        )
    )
    caller = caller_of(person, organisation, roles_of(session, person.id), Means.SESSION)
    append(session, caller, "session.await", object_type="session", count=1)
    return Pending(name)


def is_locked(person: PersonAccount) -> bool:
    """Whether nobody may try a password or a code now."""
    return person.locked_until is not None and clock.now() < person.locked_until


def count_failure(person: PersonAccount) -> None:
    """Count a wrong password or code, and lock the account after too many of them."""
    limits = runtime().settings.sign_in
    person.failures += 1
    if person.failures >= limits.failures_before_lock:
        # The count stays: after the lock, each further failure locks again at once.
        person.locked_until = clock.now() + timedelta(minutes=limits.lock_minutes)


def start_session(
    session: Session,
    person: PersonAccount,
    organisation: Organisation,
    *,
    proved_by: frozenset[str],
    device: str = "",
    roles_bound: frozenset[Role] | None = None,
    there: AtProvider | None = None,
    until: datetime | None = None,
) -> str:
    """Start a session of who has proved who they are; returns its name. Logged.

    `device` is of `devices.device_of`. `roles_bound` are the only roles that the session may use,
    of those that the person holds, and `there` whence they came with them; `until` ends it earlier
    than others. NotAllowedError when a break-glass account would be entered by anything but its
    sealed secret, or the reverse.
    """
    row_security.act_for(session, organisation.id)
    if is_break_glass(session, person.id) != (BY_BREAK_GLASS in proved_by):
        raise NotAllowedError
    roles = roles_of(session, person.id)
    if roles_bound is not None:
        roles &= roles_bound
    caller = caller_of(person, organisation, roles, means_of(proved_by))
    name, moment = secrets.token_urlsafe(_NAME_LENGTH), clock.now()
    name_hash = session_hash(name)
    longest = moment + timedelta(hours=runtime().settings.session.absolute_hours)
    person.last_sign_in_on = clock.day(moment)
    session.add(
        WebSession(
            name_hash=name_hash,
            person_id=person.id,
            started_at=moment,
            last_seen_at=moment,
            expires_at=longest if until is None else min(longest, until),
            proved_by=sorted(proved_by),
            proved_at=moment,
            sealed_device=devices().seal(device, name_hash),
            roles_bound=None if roles_bound is None else in_order(roles_bound),
            provider_id=there.provider_id if there else None,
            provider_session=there.session if there else None,
        )
    )
    told = {"proved_by": sorted(proved_by)}
    append(session, caller, "session.start", object_type="session", count=1, details=told)
    return name


def change_password(
    session: Session, caller: Caller, attempt: Attempt, secret: str, keep: bytes
) -> bool:
    """Replace the caller's own password and end all sessions but the one with hash `keep`.

    False when the present password is wrong or the account is locked; then the failure is counted
    and logged, and the transaction must be committed.
    """
    found = _attempted(session, attempt)
    if found is None or found[0].id != caller.member[1]:
        raise UnknownAccountError
    person, organisation = found
    refusal = _judge(session, person, organisation, attempt)
    if refusal is not None:
        append(
            session,
            caller,
            "account.password",
            outcome=Outcome.DENIED,
            details={"refusal": refusal.value},
        )
        return False
    store_secret(session, person.id, secret)
    _end_others(session, person.id, keep)
    append(session, caller, "account.password", object_type="account", objects=[str(caller.person)])
    tell_own(session, caller, person, "password")
    return True


def sign_out(session: Session, caller: Caller, name_hash: bytes) -> None:
    """End a session; its cookie opens nothing from then on, whoever holds a copy."""
    session.execute(delete(WebSession).where(WebSession.name_hash == name_hash))
    append(session, caller, "session.end", object_type="session", count=1)


def end_other_sessions(session: Session, caller: Caller, keep: bytes) -> int:
    """End all sessions of the caller but the one with hash `keep`; returns how many ended."""
    ended = _end_others(session, caller.member[1], keep)
    append(session, caller, "session.end", object_type="session", count=ended)
    return ended


def forget_ended_sessions(session: Session) -> int:
    """Remove the rows of sessions past their end; returns how many. A duty, not an act of a person.

    They open nothing already: `authentication.by_session` asks for the time at each request.
    """
    moment = clock.now()
    idle = timedelta(minutes=runtime().settings.session.idle_minutes)
    ended = session.scalars(
        delete(WebSession)
        .where((WebSession.expires_at <= moment) | (WebSession.last_seen_at <= moment - idle))
        .returning(WebSession.person_id)
    ).all()
    if ended:
        append(session, CONSOLE, "session.expire", object_type="session", count=len(ended))
    return len(ended)


def note_use(session: Session, proof: SignedIn) -> None:
    """Note when a credential was used last: a session by minute, a token by day. Not an act."""
    if proof.session_hash is not None:
        session.execute(
            update(WebSession)
            .where(WebSession.name_hash == proof.session_hash)
            .values(last_seen_at=clock.now())
        )
    else:
        session.execute(
            update(ApiToken)
            .where(ApiToken.id == proof.token_id)
            .values(last_used_on=clock.day(clock.now()), last_network=proof.network)
        )


def _attempted(session: Session, attempt: Attempt) -> tuple[PersonAccount, Organisation] | None:
    _act_for_login(session, attempt.login_index)
    # The account is locked until commit, so that failures of parallel attempts are all counted.
    row = session.execute(
        select(PersonAccount, Organisation)
        .join(Organisation, Organisation.id == PersonAccount.organisation_id)
        .where(PersonAccount.login_index == attempt.login_index)
        .with_for_update(of=PersonAccount)
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def _act_for_login(session: Session, login_index: bytes) -> None:
    """Let the transaction see what is kept of the account; the same steps where there is none."""
    if row_security.is_asked_for(session):
        organisation_id = session.scalar(
            select(PersonAccount.organisation_id).where(PersonAccount.login_index == login_index)
        )
        row_security.act_for(session, organisation_id or _NO_ORGANISATION)


def _judge(
    session: Session,
    person: PersonAccount,
    organisation: Organisation,
    attempt: Attempt,
    *,
    forgives: bool = True,
) -> Refusal | None:
    """Why the attempt fails, None when it succeeds; keeps the count of failures.

    Success ends the count where it `forgives`: not where a second factor is still due.
    """
    moment = clock.now()
    if (refusal := refusal_of(person, organisation)) is not None:
        return refusal
    if is_locked(person):
        return Refusal.LOCKED
    stored = session.get(Credential, (person.id, CredentialKind.PASSWORD))
    if not attempt.is_right or stored is None or stored.secret_hash != attempt.compared:
        count_failure(person)
        return Refusal.PASSWORD
    if stored.expires_at is not None and moment >= stored.expires_at:
        return Refusal.EXPIRED
    if forgives:
        person.failures, person.locked_until = 0, None
    if attempt.renewed is not None:
        stored.secret_hash = attempt.renewed
    return None


def _tell_refusal(
    session: Session,
    attempt: Attempt,
    refusal: Refusal,
    person: PersonAccount | None = None,
    organisation: Organisation | None = None,
) -> None:
    details = {"refusal": refusal.value, "login_index": to_base64url(attempt.login_index)}
    if person is not None:
        details["person"] = str(person.public_id)
    append(
        session,
        stranger(Means.SESSION),
        "session.refuse",
        audience=[] if organisation is None else [organisation.code],
        outcome=Outcome.DENIED,
        details=details,
    )


def _end_others(session: Session, person_id: int, keep: bytes) -> int:
    ended = session.scalars(
        delete(WebSession)
        .where(WebSession.person_id == person_id, WebSession.name_hash != keep)
        .returning(WebSession.name_hash)
    ).all()
    return len(ended)

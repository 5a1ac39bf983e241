"""The second step of a sign-in: what waits after a right password, and a passkey without one.

A right password does not forgive wrong ones while a second factor is due: wrong codes and wrong
passwords count together until both were right, so who has the password cannot try codes for ever.
"""

from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app import clock, row_security
from app.access import CONSOLE, Means
from app.accounts import factors
from app.accounts.authentication import Refusal, refusal_of, session_hash, stranger
from app.accounts.devices import devices
from app.accounts.entry_models import OneTimeLink
from app.accounts.factor_models import FactorKind, FactorReset, PendingSignIn, SpentChallenge
from app.accounts.factors import Proof
from app.accounts.models import PersonAccount
from app.accounts.passkeys import Purpose
from app.accounts.records import act_for_person
from app.accounts.sign_in import AtProvider, count_failure, is_locked, start_session
from app.audit.entry import Outcome
from app.audit.service import append
from app.organisations.models import Organisation
from postern.vocabulary import Role


@dataclass(frozen=True, repr=False)
class Waiting:
    """A sign-in that waits: whose it is, and by what it is found."""

    person_id: int
    name_hash: bytes


def waiting(session: Session, name: str) -> Waiting | None:
    """The sign-in of this name that waits for a second factor; None when it ended."""
    row = _pending(session, name)
    if row is None or clock.now() >= row.expires_at:
        return None
    return Waiting(row.person_id, row.name_hash)


def complete(session: Session, name: str, proof: Proof) -> str | None:
    """Start the session of a sign-in that waits; returns its name.

    None when it ended or the proof fails; then the failure is counted and logged, and the
    transaction must be committed.
    """
    row = _pending(session, name)
    if row is None or clock.now() >= row.expires_at:
        _tell_refusal(session, Refusal.EXPIRED)
        return None
    person, organisation = _held(session, row.person_id)
    refusal = refusal_of(person, organisation)
    if refusal is None and is_locked(person):
        refusal = Refusal.LOCKED
    proved = None
    if refusal is None:
        proved = factors.use(session, person, proof, Purpose.SECOND, row.name_hash)
    if proved is None:
        if refusal is None:
            count_failure(person)
        _tell_refusal(session, refusal or Refusal.SECOND_FACTOR, person, organisation)
        return None
    person.failures, person.locked_until = 0, None
    device = devices().open(row.sealed_device, row.name_hash)
    bound = None if row.roles_bound is None else frozenset(map(Role, row.roles_bound))
    proved_by = frozenset({*row.proved_by, proved})
    there = None
    if row.provider_id is not None:
        there = AtProvider(row.provider_id, row.provider_session)
    session.delete(row)
    return start_session(
        session,
        person,
        organisation,
        proved_by=proved_by,
        device=device,
        roles_bound=bound,
        there=there,
    )


def enter_by_passkey(session: Session, answer: str, device: str) -> str | None:
    """Start a session for the person whose passkey signed, with no password; as `complete`.

    Wrong passwords of others do not keep the person out: a signature cannot be guessed.
    """
    person_id = factors.enter_with(session, answer)
    if person_id is None:
        _tell_refusal(session, Refusal.SECOND_FACTOR)
        return None
    person, organisation = _held(session, person_id)
    refusal = refusal_of(person, organisation)
    if refusal is not None:
        _tell_refusal(session, refusal, person, organisation)
        return None
    proved_by = frozenset({FactorKind.PASSKEY.value})
    return start_session(session, person, organisation, proved_by=proved_by, device=device)


def forget_ended(session: Session) -> int:
    """Remove sign-ins, challenges, proposals and links that nobody completed in time. A duty."""
    moment, gone = clock.now(), 0
    for table in (PendingSignIn, SpentChallenge, FactorReset, OneTimeLink):
        gone += session.execute(  # type: ignore[attr-defined]  # a deletion tells its count
            delete(table).where(table.expires_at <= moment)
        ).rowcount
    if gone:
        append(session, CONSOLE, "session.expire", object_type="session", count=gone)
    return gone


def _pending(session: Session, name: str) -> PendingSignIn | None:
    name_hash = session_hash(name)
    row_security.present(name_hash, session)
    row = session.get(PendingSignIn, name_hash)
    if row is not None:
        act_for_person(session, row.person_id)
    return row


def _held(session: Session, person_id: int) -> tuple[PersonAccount, Organisation]:
    act_for_person(session, person_id)
    # Locked until commit, so that failures of parallel attempts are all counted.
    row = session.execute(
        select(PersonAccount, Organisation)
        .join(Organisation, Organisation.id == PersonAccount.organisation_id)
        .where(PersonAccount.id == person_id)
        .with_for_update(of=PersonAccount)
    ).one()
    return row[0], row[1]


def _tell_refusal(
    session: Session,
    refusal: Refusal,
    person: PersonAccount | None = None,
    organisation: Organisation | None = None,
) -> None:
    details = {"refusal": refusal.value}
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

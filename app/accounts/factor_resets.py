"""When everything is lost: an administrator proposes, a compliance officer agrees, factors go.

The threat is one administrator who takes an account over: a new password alone opens nothing while
the second factor stands, and the second factor falls only with another person's word. Where a
member has nobody left to agree, the platform's administrator does it at the console.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.accounts import factors
from app.accounts.factor_models import FactorReset, PendingSignIn
from app.accounts.models import AccountStatus, PersonAccount, RoleProposal, WebSession
from app.accounts.own_notices import tell_own
from app.accounts.people import OwnProposalError
from app.accounts.records import AccountClosedError, find_account
from app.audit.service import append
from app.errors import ConflictError, NotFoundError
from app.jobs.notifications import notify
from postern.vocabulary import Role

PROPOSED_FOR = timedelta(days=3)


class NoFactorError(ConflictError):
    code = "factor-none"
    title = "The person has no second factor"
    remedy = "Nothing needs to be done: their password is all that is asked for."


class ResetGoneError(ConflictError):
    code = "factor-reset-gone"
    title = "The removal of second factors is not proposed any more"
    remedy = "Somebody decided already, or it lapsed; an administrator may propose it again."


@dataclass(frozen=True)
class Reset:
    """How the second factors of a person stand for those who keep the organisation's people."""

    has_factor: bool
    proposed_by: UUID | None
    expires_at: datetime | None
    may_decide: bool


def read(session: Session, caller: Caller, person: UUID) -> Reset:
    """For the page of a person, which logs that it was read."""
    row = _found(session, caller, person, even_closed=True)
    proposal = session.get(FactorReset, row.id)
    if proposal is not None and proposal.expires_at <= clock.now():
        proposal = None
    return Reset(
        has_factor=factors.has_factor(session, row.id),
        proposed_by=proposal.proposed_by if proposal else None,
        expires_at=proposal.expires_at if proposal else None,
        may_decide=proposal is not None
        and Role.COMPLIANCE in caller.roles
        and caller.person not in {proposal.proposed_by, person},
    )


def waiting_count(session: Session, caller: Caller) -> int:
    """How many proposed resets and roles of colleagues wait for the decision of this person."""
    return sum(
        session.scalar(
            select(func.count())
            .select_from(proposal)
            .join(PersonAccount, PersonAccount.id == proposal.person_id)
            .where(
                PersonAccount.organisation_id == caller.member[0],
                PersonAccount.public_id != caller.person,
                proposal.proposed_by != caller.person,
                proposal.expires_at > clock.now(),
            )
        )
        or 0
        for proposal in (FactorReset, RoleProposal)
    )


def propose(session: Session, caller: Caller, person: UUID) -> None:
    """Propose that the factors of a colleague go; NoFactorError, OwnProposalError for oneself."""
    row = _found(session, caller, person)
    if row.public_id == caller.person:
        raise OwnProposalError
    if not factors.has_factor(session, row.id):
        raise NoFactorError
    session.merge(
        FactorReset(
            person_id=row.id,
            proposed_by=caller.person,
            proposed_at=clock.now(),
            expires_at=clock.now() + PROPOSED_FOR,
        )
    )
    _tell(session, caller, row, "proposed")


def decide(session: Session, caller: Caller, person: UUID, *, agrees: bool) -> None:
    """Agree or refuse as a second person; with agreement factors, codes and sessions are gone.

    Raises ResetGoneError, and OwnProposalError for who proposed it or lost the factor.
    """
    row = _found(session, caller, person)
    proposal = session.get(FactorReset, row.id)
    if proposal is None or proposal.expires_at <= clock.now():
        raise ResetGoneError
    if caller.person in {proposal.proposed_by, row.public_id}:
        raise OwnProposalError
    session.delete(proposal)
    if agrees:
        _forget(session, row.id)
    _tell(session, caller, row, "confirmed" if agrees else "refused")


def force(session: Session, caller: Caller, login: str) -> int:
    """Remove the factors of an account at the console; returns how many. UnknownAccountError."""
    person, code = find_account(session, login)
    gone = _forget(session, person.id)
    append(
        session,
        caller,
        "factor.reset",
        audience=[code],
        object_type="account",
        objects=[str(person.public_id)],
        details={"step": "console"},
    )
    tell_own(session, caller, person, "factor.reset")
    facts = {"change": "factor.reset"}
    for role in (Role.COMPLIANCE, Role.ADMINISTRATOR):
        address = f"/people/{person.public_id}"
        notify(session, person.organisation_id, role, "account.change", facts, address)
    return gone


def _forget(session: Session, person_id: int) -> int:
    for table in (WebSession, PendingSignIn):
        session.execute(delete(table).where(table.person_id == person_id))
    return factors.forget_all(session, person_id)


def _found(
    session: Session, caller: Caller, person: UUID, *, even_closed: bool = False
) -> PersonAccount:
    row = session.scalar(
        select(PersonAccount)
        .where(
            PersonAccount.public_id == person,
            PersonAccount.organisation_id == caller.member[0],
        )
        .with_for_update()
    )
    if row is None:
        raise NotFoundError
    if row.status is AccountStatus.CLOSED and not even_closed:
        raise AccountClosedError
    return row


def _tell(session: Session, caller: Caller, row: PersonAccount, step: str) -> None:
    details, person = {"step": step}, row.public_id
    append(
        session,
        caller,
        "factor.reset",
        object_type="account",
        objects=[str(person)],
        details=details,
    )
    change = "factor.reset" if step == "confirmed" else f"factor.reset-{step}"
    tell_own(session, caller, row, change)
    facts = {"change": change}
    for role in (Role.COMPLIANCE, Role.ADMINISTRATOR):
        notify(session, caller.member[0], role, "account.change", facts, f"/people/{person}")

"""The people of one organisation, as its administrators keep them and its officers watch over it.

The threat is an administrator who gains unseen what the role does not give. Therefore
1. nobody changes roles, state or password of their own account here;
2. the role that reads the log is granted by two: an administrator proposes it, and a compliance
   officer who is neither proposer nor proposed confirms it;
3. whatever else an administrator changes takes effect, is logged and is told to every compliance
   officer of the organisation in the same transaction;
4. a password made here opens the page of a new one and nothing else, and ends after a week;
5. the last person who administers or who watches can be neither shut out nor stripped of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from app import clock
from app.access import CONSOLE, Caller
from app.accounts import service
from app.accounts.authentication import roles_of
from app.accounts.entry_models import BreakGlass, OneTimeLink
from app.accounts.factor_models import RecoveryCode, SecondFactor
from app.accounts.models import (
    AccountStatus,
    ApiToken,
    Credential,
    PersonAccount,
    RoleGrant,
    RoleProposal,
    WebSession,
)
from app.accounts.own_notices import tell_own
from app.accounts.records import (
    Account,
    AccountClosedError,
    account_of,
    in_order,
    refuse_break_glass,
    store_secret,
)
from app.audit.service import append
from app.errors import ConflictError, NotAllowedError, NotFoundError
from app.jobs.notifications import notify
from app.organisations.models import Organisation
from app.runtime import runtime
from postern.vocabulary import Role

KEEPERS = (Role.ADMINISTRATOR, Role.COMPLIANCE)
"""Who sees the people of their organisation: one keeps them, the other watches over it."""

GUARDED = frozenset({Role.COMPLIANCE})
"""Roles that one person alone cannot grant: they read what everybody did."""

LASTING = frozenset({Role.ADMINISTRATOR, Role.COMPLIANCE})
"""Roles that somebody of an organisation must be left with."""

ONE_TIME = timedelta(days=7)
"""For how long a password made by an administrator opens the page of a new one."""

PROPOSED_FOR = timedelta(days=14)


class OwnAccountError(ConflictError):
    code = "own-account"
    title = "Nobody changes the roles, the state or the password of their own account here"
    remedy = "Ask another administrator of your organisation, or that of the platform."


class LastHolderError(ConflictError):
    code = "last-holder"
    title = "Nobody else of your organisation holds a role that somebody must hold"
    remedy = "Give the role to another person first, then repeat the step."


class RolesChangedError(ConflictError):
    code = "roles-changed"
    title = "Somebody has changed the roles of this person since you read them"
    remedy = "Look at the present roles and choose again."


class ProposalGoneError(ConflictError):
    code = "proposal-gone"
    title = "The role is not proposed any more"
    remedy = "Somebody decided already, or it lapsed; an administrator may propose it again."


class OwnProposalError(NotAllowedError):
    code = "own-proposal"
    title = "You proposed this role or would hold it, so somebody else must decide"
    remedy = "Ask another compliance officer of your organisation."


@dataclass(frozen=True)
class Proposal:
    """A role that waits for a second person; `may_decide` is of the caller."""

    role: Role
    proposed_by: UUID
    proposed_at: datetime
    expires_at: datetime
    may_decide: bool


@dataclass(frozen=True, repr=False)
class Colleague:
    """A person of the caller's organisation; `tokens` counts living ones.

    `password_until`: the password is one that an administrator made, and ends then.
    """

    account: Account
    sessions: int
    tokens: int
    proposals: Sequence[Proposal]
    password_until: datetime | None
    is_self: bool

    @property
    def state(self) -> str:
        """ "closed", "disabled", "locked", "invited" or "active"."""
        if self.account.status is not AccountStatus.ACTIVE:
            return self.account.status.value
        moment = clock.now()
        if self.account.locked_until is not None and self.account.locked_until > moment:
            return "locked"
        return "active" if self.password_until is None else "invited"


@dataclass(frozen=True)
class Difference:
    """What choosing other roles would do; `dropped` are proposals that would be withdrawn."""

    granted: Sequence[Role]
    withdrawn: Sequence[Role]
    proposed: Sequence[Role] = field(default=())
    dropped: Sequence[Role] = field(default=())

    @property
    def is_none(self) -> bool:
        """Whether nothing would change."""
        return not (self.granted or self.withdrawn or self.proposed or self.dropped)


def list_people(session: Session, caller: Caller) -> list[Colleague]:
    """Everybody of the caller's organisation by name, closed accounts last; logged."""
    found = _colleagues(session, caller)
    append(session, caller, "account.list", object_type="account", count=len(found))
    closed = AccountStatus.CLOSED
    return sorted(
        found,
        key=lambda each: (
            each.account.status is closed,
            each.account.name.casefold(),
            each.account.login,
        ),
    )


def read_person(session: Session, caller: Caller, person: UUID) -> Colleague:
    """One person of the caller's organisation; NotFoundError for every other. Logged."""
    found = _colleagues(session, caller, PersonAccount.public_id == person)
    if not found:
        raise NotFoundError
    append(session, caller, "account.read", object_type="account", objects=[str(person)])
    return found[0]


def foresee(colleague: Colleague, wanted: frozenset[Role]) -> Difference:
    """What giving the person exactly the roles `wanted` would change, proposals included."""
    pending = frozenset(each.role for each in colleague.proposals)
    return _difference(frozenset(colleague.account.roles), pending, wanted)


def add(
    session: Session,
    caller: Caller,
    *,
    login: str,
    name: str,
    roles: frozenset[Role],
    secret: str,
) -> UUID:
    """Give a person of the caller's organisation an account with a one-time password.

    Guarded roles are proposed. Errors as for `service.create`. Returns the person's pseudonym.
    """
    _hold_organisation(session, caller)
    made = service.create(
        session,
        caller,
        organisation=caller.organisation,
        login=login,
        name=name,
        roles=roles - GUARDED,
        secret=secret,
        expires_at=clock.now() + ONE_TIME,
    )
    _propose(session, caller, made.person_id, made.public_id, roles & GUARDED)
    granted, proposed = in_order(roles - GUARDED), in_order(roles & GUARDED)
    tell_officers(session, caller, made.public_id, "created", granted=granted, proposed=proposed)
    return made.public_id


def change_roles(
    session: Session,
    caller: Caller,
    person: UUID,
    wanted: frozenset[Role],
    seen: frozenset[Role],
) -> Difference:
    """Give a colleague exactly the roles `wanted`; `seen` are those that the caller was shown.

    Guarded roles are proposed instead of granted. Raises OwnAccountError, AccountClosedError,
    RolesChangedError when the person holds others than `seen`, and LastHolderError.
    """
    row = colleague_row(session, caller, person)
    before = roles_of(session, row.id)
    if before != seen:
        raise RolesChangedError
    change = _difference(before, _pending(session, row.id), wanted)
    _require_left(session, row, frozenset(change.withdrawn))
    _grant(session, row.id, change.granted)
    _withdraw(session, row.id, change.withdrawn)
    _drop(session, row.id, change.dropped)
    told = {
        "granted": list(change.granted),
        "withdrawn": list(change.withdrawn),
    }
    held = in_order((before | frozenset(change.granted)) - frozenset(change.withdrawn))
    _log(session, caller, "account.role", row.public_id, roles=held, **told)
    _propose(session, caller, row.id, row.public_id, frozenset(change.proposed))
    if not change.is_none:
        proposed = list(change.proposed)
        tell_officers(session, caller, row.public_id, "roles", **told, proposed=proposed)
    return change


def decide(session: Session, caller: Caller, person: UUID, role: Role, *, agrees: bool) -> None:
    """Confirm or refuse a proposed role, as a second person.

    Raises AccountClosedError, ProposalGoneError, and OwnProposalError for who proposed it or would
    hold it.
    """
    _hold_organisation(session, caller)
    row = _found(session, caller, person)
    if row.status is AccountStatus.CLOSED:
        raise AccountClosedError
    proposal = session.get(RoleProposal, (row.id, role))
    if proposal is None or proposal.expires_at <= clock.now():
        raise ProposalGoneError
    if caller.person in {proposal.proposed_by, row.public_id}:
        raise OwnProposalError
    session.delete(proposal)
    if agrees:
        _grant(session, row.id, [role])
    step = "confirmed" if agrees else "refused"
    _log(session, caller, "account.decide", row.public_id, roles=[role.value], step=step)
    tell_officers(session, caller, row.public_id, step, granted=[role.value])
    _tell(session, caller, Role.ADMINISTRATOR, row.public_id, step, granted=[role.value])


def disable(session: Session, caller: Caller, person: UUID) -> None:
    """Shut a colleague out for a time: sessions end, tokens open nothing meanwhile; repeatable."""
    row = colleague_row(session, caller, person)
    _require_left(session, row, roles_of(session, row.id))
    row.status = AccountStatus.DISABLED
    _end_sessions(session, row)
    _log(session, caller, "account.status", row.public_id, status=row.status.value)
    tell_officers(session, caller, row.public_id, "disabled")


def enable(session: Session, caller: Caller, person: UUID) -> None:
    """Let a disabled colleague in again, with the roles and living tokens of before."""
    row = colleague_row(session, caller, person)
    row.status = AccountStatus.ACTIVE
    row.failures, row.locked_until = 0, None
    _log(session, caller, "account.status", row.public_id, status=row.status.value)
    tell_officers(session, caller, row.public_id, "enabled")


def close(session: Session, caller: Caller, person: UUID) -> None:
    """End a colleague's account for good: sessions and password go, tokens are revoked."""
    row = colleague_row(session, caller, person)
    _require_left(session, row, roles_of(session, row.id))
    row.status = AccountStatus.CLOSED
    _end_sessions(session, row)
    _drop(session, row.id, list(Role))
    session.execute(delete(OneTimeLink).where(OneTimeLink.person_id == row.id))
    session.execute(delete(Credential).where(Credential.person_id == row.id))
    session.execute(delete(SecondFactor).where(SecondFactor.person_id == row.id))
    session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == row.id))
    session.execute(
        update(ApiToken)
        .where(ApiToken.person_id == row.id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=clock.now())
    )
    _log(session, caller, "account.status", row.public_id, status=row.status.value)
    tell_officers(session, caller, row.public_id, "closed")


def end_sessions(session: Session, caller: Caller, person: UUID) -> int:
    """Sign a colleague out everywhere; returns how many sessions ended."""
    row = colleague_row(session, caller, person)
    ended = _end_sessions(session, row)
    append(
        session,
        caller,
        "session.end",
        object_type="session",
        objects=[str(row.public_id)],
        count=ended,
    )
    return ended


def reset_password(session: Session, caller: Caller, person: UUID, secret: str) -> None:
    """Replace a colleague's password by a one-time one (`secret` is of `service.new_secret`).

    A lock is lifted and every session ends; the person notices, since theirs opens nothing more.
    """
    row = colleague_row(session, caller, person)
    store_secret(session, row.id, secret, clock.now() + ONE_TIME)
    row.failures, row.locked_until = 0, None
    _end_sessions(session, row)
    _log(session, caller, "account.password", row.public_id)
    tell_own(session, caller, row, "password")
    tell_officers(session, caller, row.public_id, "password")


def login_of(session: Session, caller: Caller, person: UUID) -> str:
    """The sign-in name of a colleague, for the rule that a new password is not it."""
    row = _found(session, caller, person)
    return account_of(row, caller.organisation, ()).login


def lapse_proposals(session: Session) -> int:
    """Remove proposals that nobody decided in time; returns how many. A duty."""
    lapsed = session.execute(
        select(RoleProposal, PersonAccount.public_id, Organisation.code)
        .join(PersonAccount, PersonAccount.id == RoleProposal.person_id)
        .join(Organisation, Organisation.id == PersonAccount.organisation_id)
        .where(RoleProposal.expires_at <= clock.now())
    ).all()
    for proposal, person, code in lapsed:
        session.delete(proposal)
        append(
            session,
            CONSOLE,
            "account.decide",
            audience=[code],
            object_type="account",
            objects=[str(person)],
            details={"roles": [proposal.role.value], "step": "lapsed"},
        )
    return len(lapsed)


def _colleagues(
    session: Session, caller: Caller, *conditions: ColumnElement[bool]
) -> list[Colleague]:
    organisation_id, own_id = caller.member
    is_own = PersonAccount.organisation_id == organisation_id
    rows = session.execute(
        select(PersonAccount, Credential.expires_at)
        .outerjoin(Credential, Credential.person_id == PersonAccount.id)
        .where(is_own, *conditions)
    ).all()
    ids = [row.id for row, _ in rows]
    grants: dict[int, list[Role]] = {}
    for grant in session.scalars(select(RoleGrant).where(RoleGrant.person_id.in_(ids))):
        grants.setdefault(grant.person_id, []).append(grant.role)
    sessions, tokens = _live_sessions(session, ids), _live_tokens(session, organisation_id)
    proposals = _proposals(session, caller, rows=[row for row, _ in rows])
    return [
        Colleague(
            account=account_of(row, caller.organisation, grants.get(row.id, ())),
            sessions=sessions.get(row.id, 0),
            tokens=tokens.get(row.id, 0),
            proposals=proposals.get(row.id, ()),
            password_until=expires_at,
            is_self=row.id == own_id,
        )
        for row, expires_at in rows
    ]


def _live_sessions(session: Session, ids: Sequence[int]) -> Mapping[int, int]:
    moment = clock.now()
    idle = timedelta(minutes=runtime().settings.session.idle_minutes)
    found = session.execute(
        select(WebSession.person_id, func.count())
        .where(
            WebSession.person_id.in_(ids),
            WebSession.expires_at > moment,
            WebSession.last_seen_at > moment - idle,
        )
        .group_by(WebSession.person_id)
    )
    return {person: count for person, count in found}  # noqa: C416 - rows are no pairs to dict


def _live_tokens(session: Session, organisation_id: int) -> Mapping[int, int]:
    found = session.execute(
        select(ApiToken.person_id, func.count())
        .where(
            ApiToken.organisation_id == organisation_id,
            ApiToken.revoked_at.is_(None),
            ApiToken.expires_at > clock.now(),
        )
        .group_by(ApiToken.person_id)
    )
    return {person: count for person, count in found}  # noqa: C416 - rows are no pairs to dict


def _proposals(
    session: Session, caller: Caller, *, rows: Sequence[PersonAccount]
) -> Mapping[int, list[Proposal]]:
    by_id = {row.id: row.public_id for row in rows}
    found: dict[int, list[Proposal]] = {}
    for each in session.scalars(
        select(RoleProposal).where(
            RoleProposal.person_id.in_(by_id), RoleProposal.expires_at > clock.now()
        )
    ):
        is_second = caller.person not in {each.proposed_by, by_id[each.person_id]}
        found.setdefault(each.person_id, []).append(
            Proposal(
                each.role,
                each.proposed_by,
                each.proposed_at,
                each.expires_at,
                may_decide=Role.COMPLIANCE in caller.roles and is_second,
            )
        )
    return found


def _difference(
    before: frozenset[Role], pending: frozenset[Role], wanted: frozenset[Role]
) -> Difference:
    granted = wanted - before
    return Difference(
        granted=in_order(granted - GUARDED),
        withdrawn=in_order(before - wanted),
        proposed=in_order(granted & GUARDED - pending),
        dropped=in_order(pending - wanted),
    )


def _hold_organisation(session: Session, caller: Caller) -> None:
    """Of two changes at once one waits: two administrators cannot shut each other out."""
    session.execute(
        select(Organisation.id)
        .where(Organisation.id == caller.member[0])
        .with_for_update(key_share=True)  # whoever only refers to it need not wait
    )


def _found(session: Session, caller: Caller, person: UUID) -> PersonAccount:
    row = session.scalar(
        select(PersonAccount).where(
            PersonAccount.public_id == person,
            PersonAccount.organisation_id == caller.member[0],
        )
    )
    if row is None:
        raise NotFoundError
    return row


def colleague_row(session: Session, caller: Caller, person: UUID) -> PersonAccount:
    """A colleague whose account is not closed; changes of the organisation wait for this one."""
    _hold_organisation(session, caller)
    row = _found(session, caller, person)
    if row.id == caller.member[1]:
        raise OwnAccountError
    if row.status is AccountStatus.CLOSED:
        raise AccountClosedError
    refuse_break_glass(session, row.id)
    return row


def _require_left(session: Session, row: PersonAccount, lost: frozenset[Role]) -> None:
    """LastHolderError unless an active person is left with each lasting role that is lost."""
    for role in in_order(lost & LASTING):
        another = (
            select(RoleGrant.person_id)
            .join(PersonAccount, PersonAccount.id == RoleGrant.person_id)
            .where(
                RoleGrant.role == role,
                PersonAccount.organisation_id == row.organisation_id,
                PersonAccount.status == AccountStatus.ACTIVE,
                PersonAccount.id != row.id,
                PersonAccount.id.not_in(select(BreakGlass.person_id)),
            )
            .limit(1)
        )
        if session.execute(another).first() is None:
            raise LastHolderError(role=role.value)


def _pending(session: Session, person_id: int) -> frozenset[Role]:
    return frozenset(
        session.scalars(
            select(RoleProposal.role).where(
                RoleProposal.person_id == person_id, RoleProposal.expires_at > clock.now()
            )
        )
    )


def _grant(session: Session, person_id: int, roles: Sequence[Role]) -> None:
    moment = clock.now()
    for role in roles:
        session.merge(RoleGrant(person_id=person_id, role=role, granted_at=moment))


def _withdraw(session: Session, person_id: int, roles: Sequence[Role]) -> None:
    session.execute(
        delete(RoleGrant).where(RoleGrant.person_id == person_id, RoleGrant.role.in_(roles))
    )


def _drop(session: Session, person_id: int, roles: Sequence[Role]) -> None:
    session.execute(
        delete(RoleProposal).where(
            RoleProposal.person_id == person_id, RoleProposal.role.in_(roles)
        )
    )


def _propose(
    session: Session, caller: Caller, person_id: int, person: UUID, roles: frozenset[Role]
) -> None:
    moment = clock.now()
    for role in in_order(roles):
        session.merge(
            RoleProposal(
                person_id=person_id,
                role=role,
                proposed_by=caller.person,
                proposed_at=moment,
                expires_at=moment + PROPOSED_FOR,
            )
        )
    if roles:
        _log(session, caller, "account.propose", person, roles=in_order(roles))


def _end_sessions(session: Session, row: PersonAccount) -> int:
    ended = session.scalars(
        delete(WebSession).where(WebSession.person_id == row.id).returning(WebSession.name_hash)
    ).all()
    return len(ended)


def _log(session: Session, caller: Caller, act: str, person: UUID, **details: Any) -> None:
    append(session, caller, act, object_type="account", objects=[str(person)], details=details)


def tell_officers(
    session: Session, caller: Caller, person: UUID, change: str, **roles: Sequence[str]
) -> None:
    """Tell the compliance officers of a change of a person's account, and of its roles."""
    _tell(session, caller, Role.COMPLIANCE, person, change, **roles)


def _tell(
    session: Session,
    caller: Caller,
    role: Role,
    person: UUID,
    change: str,
    **roles: Sequence[str],
) -> None:
    facts = {"change": change} | {name: list(held) for name, held in roles.items() if held}
    notify(session, caller.member[0], role, "account.change", facts, f"/people/{person}")

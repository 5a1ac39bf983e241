"""Single sign-on: an organisation's OpenID provider, whom it may let in, and with which roles.

The threat is a provider, or whoever administers it, that lets in more than was meant. Therefore
1. an administrator proposes a provider and a second person confirms it; before, it opens nothing;
2. a session so begun uses only roles that the provider names AND that were granted here: what the
   provider says can narrow and never widen;
3. a person is found by (issuer, subject) alone, never by a mail address, and only after they have
   linked the two themselves from a session of their own; only people of the provider's own
   organisation can be linked;
4. when another provider is confirmed, the links of the former go with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app import clock, row_security
from app.access import Caller, Means
from app.accounts.authentication import (
    BY_SINGLE_SIGN_ON,
    refusal_of,
    stranger,
)
from app.accounts.entry_models import ProviderState, SignOnLink, SignOnProvider
from app.accounts.factor_models import PendingSignIn
from app.accounts.models import PersonAccount, WebSession
from app.accounts.oidc import Claims, Client, SignOnError, SignOnRefusal, issuer_fault
from app.accounts.own_notices import tell_caller, tell_own
from app.accounts.records import in_order, refuse_break_glass
from app.accounts.sign_in import (
    AtProvider,
    Pending,
    begin_second_step,
    needs_second_factor,
    start_session,
)
from app.audit.entry import Outcome
from app.audit.service import append
from app.errors import ConflictError, InvalidRequestError, NotAllowedError, NotFoundError
from app.jobs.notifications import notify
from app.organisations.models import Organisation
from app.runtime import runtime
from app.secret_files import Sealer
from postern.vocabulary import Role

SECOND_FACTOR = "second-factor-elsewhere"
"""In `proved_by`: the provider says that it asked for more than one factor."""

MOST_ROLES = 50  # lines of the map of roles
_SECRET_CONTEXT = b"postern/sign_on_provider/v1/"
_INDEX_CONTEXT = b"sign-on\n"
_SESSION_CONTEXT = b"sign-on session\n"
_PAGE = "/sign-on"


class SignOnOwnProposalError(NotAllowedError):
    code = "sign-on-own-proposal"
    title = "You proposed this provider, so somebody else must decide"
    remedy = "Ask another administrator or a compliance officer of your organisation."


class SignOnLinkedError(ConflictError):
    code = "sign-on-linked"
    title = "This account of the provider is linked to somebody else"
    remedy = "Sign out at the provider, sign in there as yourself and try again."


class SignOnGoneError(ConflictError):
    code = "sign-on-gone"
    title = "No provider waits for a decision"
    remedy = "Look at the page again: somebody decided already."


class SignOnSealer:
    """Seals secrets of providers, and finds subjects; one for the process."""

    def __init__(self, key: bytes) -> None:
        self._sealer = Sealer(key)

    def seal(self, secret: str, provider: UUID) -> bytes:
        """Sealed bytes that open only for this provider."""
        return self._sealer.seal(secret.encode(), _SECRET_CONTEXT + provider.bytes)

    def open(self, sealed: bytes, provider: UUID) -> str:
        """The secret; ValueError when the bytes belong to another provider or key."""
        return self._sealer.open(sealed, _SECRET_CONTEXT + provider.bytes).decode()

    def index(self, issuer: str, subject: str) -> bytes:
        """32 bytes by which a subject is found."""
        return self._sealer.index(_INDEX_CONTEXT + issuer.encode() + b"\n" + subject.encode())

    def session_index(self, issuer: str, name: str) -> bytes:
        """32 bytes by which sessions are found that were begun from one of the provider's."""
        return self._sealer.index(_SESSION_CONTEXT + issuer.encode() + b"\n" + name.encode())


@dataclass(frozen=True, repr=False)
class Wanted:
    """A provider as it is proposed; `roles` maps what it says to roles."""

    issuer: str
    client_id: str
    secret: str
    role_claim: str
    roles: Mapping[str, Sequence[Role]]
    strong: Sequence[str]


@dataclass(frozen=True)
class Known:
    """A provider as its organisation sees it, without its secret."""

    id: UUID
    issuer: str
    client_id: str
    role_claim: str
    roles: Mapping[str, Sequence[str]]
    strong: Sequence[str]
    state: ProviderState
    proposed_by: UUID
    proposed_at: datetime
    may_decide: bool


@dataclass(frozen=True, repr=False)
class Entry:
    """A provider in force, as signing in needs it."""

    row_id: int
    id: UUID
    organisation_id: int
    client: Client
    role_claim: str


def propose(session: Session, caller: Caller, wanted: Wanted) -> None:
    """Propose a provider, in the place of any other proposal; InvalidRequestError names faults."""
    organisation_id, _ = caller.member
    errors = [
        {"field": name, "reason": reason} for name, reason in _faults(wanted).items() if reason
    ]
    if errors:
        raise InvalidRequestError(errors=errors, remedy="Correct it and try again.")
    proposed = SignOnProvider.state == ProviderState.PROPOSED
    session.execute(
        delete(SignOnProvider).where(SignOnProvider.organisation_id == organisation_id, proposed)
    )
    public_id = uuid4()
    session.add(
        SignOnProvider(
            public_id=public_id,
            organisation_id=organisation_id,
            issuer=wanted.issuer,
            client_id=wanted.client_id,
            sealed_secret=_sealer().seal(wanted.secret, public_id),
            role_claim=wanted.role_claim,
            roles={name: in_order(roles) for name, roles in wanted.roles.items()},
            strong=list(wanted.strong),
            state=ProviderState.PROPOSED,
            proposed_by=caller.person,
            proposed_at=clock.now(),
        )
    )
    _changed(session, caller, "sign-on.propose", public_id, "proposed", issuer=wanted.issuer)


def decide(session: Session, caller: Caller, which: str, *, agrees: bool) -> None:
    """Confirm or refuse the proposed provider `which`, as a second person.

    What was in force ends with its links and sessions. SignOnGoneError; SignOnOwnProposalError.
    """
    row = _of(session, caller, ProviderState.PROPOSED)
    if row is None or str(row.public_id) != which:
        raise SignOnGoneError
    if row.proposed_by == caller.person or caller.means is Means.BREAK_GLASS:
        raise SignOnOwnProposalError
    row.decided_by, row.decided_at = caller.person, clock.now()
    if agrees:
        end_live(session, caller, caller.member[0])
        row.state = ProviderState.LIVE
    else:
        row.state = ProviderState.ENDED
    step = "confirmed" if agrees else "refused"
    _changed(session, caller, "sign-on.decide", row.public_id, step, step=step)


def end(session: Session, caller: Caller) -> None:
    """End the provider in force, with its links and the sessions that it began; NotFoundError."""
    row = _of(session, caller, ProviderState.LIVE)
    if row is None:
        raise NotFoundError
    end_live(session, caller, row.organisation_id)
    _changed(session, caller, "sign-on.end", row.public_id, "ended")


def read(session: Session, caller: Caller) -> Sequence[Known]:
    """The provider in force and the proposed one, of the caller's organisation. Logged."""
    found = [
        _known(row, caller)
        for state in (ProviderState.LIVE, ProviderState.PROPOSED)
        if (row := _of(session, caller, state)) is not None
    ]
    append(session, caller, "sign-on.read", object_type="provider", count=len(found))
    return found


def entry(session: Session, which: str) -> Entry | None:
    """The provider in force with this id; None for every other."""
    try:
        public_id = UUID(which)
    except ValueError:
        return None
    row = session.scalar(
        select(SignOnProvider).where(
            SignOnProvider.public_id == public_id, SignOnProvider.state == ProviderState.LIVE
        )
    )
    return None if row is None else _entry(row)


def own_entry(session: Session, caller: Caller) -> Entry | None:
    """The provider in force of the caller's organisation."""
    row = _of(session, caller, ProviderState.LIVE)
    return None if row is None else _entry(row)


def link_of(session: Session, caller: Caller) -> bool | None:
    """Whether the caller has linked their account; None without a provider in force."""
    if _of(session, caller, ProviderState.LIVE) is None:
        return None
    linked = select(SignOnLink.person_id).where(SignOnLink.person_id == caller.member[1])
    return session.scalar(linked) is not None


def link(session: Session, caller: Caller, which: UUID, claims: Claims) -> None:
    """Link the caller's account with the subject, in the place of any other. Logged.

    SignOnError when the provider is not in force for the caller's organisation; SignOnLinkedError.
    """
    row = _live(session, which)
    if row is None or row.organisation_id != caller.member[0]:
        raise SignOnError(SignOnRefusal.PROVIDER)
    refuse_break_glass(session, caller.member[1])
    index = _sealer().index(row.issuer, claims.subject)
    row_security.present(index, session)
    former = session.get(SignOnLink, index)
    if former is not None and former.person_id != caller.member[1]:
        raise SignOnLinkedError
    session.execute(delete(SignOnLink).where(SignOnLink.person_id == caller.member[1]))
    session.add(
        SignOnLink(
            subject_index=index,
            provider_id=row.id,
            person_id=caller.member[1],
            linked_at=clock.now(),
        )
    )
    _log(session, caller, "sign-on.link", row.public_id)
    tell_caller(session, caller, "sign-on.link")


def unlink(session: Session, caller: Caller) -> None:
    """Undo it; that there is no link is no fault. Logged."""
    gone = session.scalars(
        delete(SignOnLink)
        .where(SignOnLink.person_id == caller.member[1])
        .returning(SignOnLink.person_id)
    ).all()
    append(session, caller, "sign-on.unlink", object_type="provider", count=len(gone))
    if gone:
        tell_caller(session, caller, "sign-on.unlink")


def enter(session: Session, which: UUID, claims: Claims, device: str) -> str | Pending:
    """Start a session of whom the subject is here; returns its name. SignOnError.

    Pending where the person has a second factor here and the provider asked for none.
    """
    row = _live(session, which)
    if row is None:
        raise SignOnError(SignOnRefusal.PROVIDER)
    row_security.act_for(session, row.organisation_id)
    found = session.execute(
        select(PersonAccount, Organisation)
        .join(SignOnLink, SignOnLink.person_id == PersonAccount.id)
        .join(Organisation, Organisation.id == PersonAccount.organisation_id)
        .where(
            SignOnLink.subject_index == _sealer().index(row.issuer, claims.subject),
            SignOnLink.provider_id == row.id,
            PersonAccount.organisation_id == row.organisation_id,
        )
    ).one_or_none()
    if found is None or refusal_of(found[0], found[1]) is not None:
        raise SignOnError(SignOnRefusal.UNLINKED)
    granted = [Role(each) for name in claims.roles for each in row.roles.get(name, ())]
    if not granted:
        raise SignOnError(SignOnRefusal.UNMAPPED)
    is_strong = not claims.told.isdisjoint(row.strong)
    proved_by = frozenset({BY_SINGLE_SIGN_ON} | ({SECOND_FACTOR} if is_strong else set()))
    named = _sealer().session_index(row.issuer, claims.session) if claims.session else None
    waits = not is_strong and needs_second_factor(session, found[0])
    begin = begin_second_step if waits else start_session
    return begin(
        session,
        found[0],
        found[1],
        proved_by=proved_by,
        device=device,
        roles_bound=frozenset(granted),
        there=AtProvider(row.id, named),
    )


def tell_refusal(session: Session, refusal: SignOnRefusal, organisation_id: int | None) -> None:
    """Tell the log of a sign-in that failed, for the organisation of the provider to read."""
    organisation = None
    if organisation_id is not None:
        organisation = session.get(Organisation, organisation_id)
    append(
        session,
        stranger(Means.SESSION),
        "session.refuse",
        audience=[] if organisation is None else [organisation.code],
        outcome=Outcome.DENIED,
        details={"refusal": refusal.value},
    )


def _faults(wanted: Wanted) -> Mapping[str, str]:
    def is_line(text: str, longest: int) -> bool:
        return 0 < len(text) <= longest and text.isprintable()

    role_names = list(wanted.roles)
    are_roles = 0 < len(role_names) <= MOST_ROLES and all(is_line(each, 200) for each in role_names)
    return {
        "issuer": issuer_fault(wanted.issuer),
        "client_id": "" if is_line(wanted.client_id, 200) else "Write the client id, in one line.",
        "secret": "" if is_line(wanted.secret, 500) else "Write the client secret, in one line.",
        "role_claim": ""
        if is_line(wanted.role_claim, 64)
        else "Name the claim in which the provider tells groups or roles.",
        "roles": ""
        if are_roles
        else f"Write 1 to {MOST_ROLES} lines such as: customs-analysts = analyst, submitter",
        "strong": "" if all(is_line(each, 200) for each in wanted.strong) else "Write words.",
    }


def _of(session: Session, caller: Caller, state: ProviderState) -> SignOnProvider | None:
    return session.scalar(
        select(SignOnProvider)
        .where(
            SignOnProvider.organisation_id == caller.member[0],
            SignOnProvider.state == state,
        )
        .order_by(SignOnProvider.id.desc())
        .limit(1)
    )


def _live(session: Session, which: UUID) -> SignOnProvider | None:
    return session.scalar(
        select(SignOnProvider).where(
            SignOnProvider.public_id == which, SignOnProvider.state == ProviderState.LIVE
        )
    )


def end_live(session: Session, caller: Caller, organisation_id: int) -> None:
    """End the provider in force of an organisation: its links, its sessions, what waits for them.

    Who was linked is told. The log and the organisation's keepers are the caller's matter.
    """
    own = SignOnProvider.organisation_id == organisation_id
    live = select(SignOnProvider.id).where(own, SignOnProvider.state == ProviderState.LIVE)
    linked = session.scalars(
        select(PersonAccount)
        .join(SignOnLink, SignOnLink.person_id == PersonAccount.id)
        .where(SignOnLink.provider_id.in_(live))
    ).all()
    for person in linked:
        tell_own(session, caller, person, "sign-on.ended")
    session.execute(delete(SignOnLink).where(SignOnLink.provider_id.in_(live)))
    for table in (WebSession, PendingSignIn):
        session.execute(delete(table).where(table.provider_id.in_(live)))
    session.execute(
        update(SignOnProvider)
        .where(own, SignOnProvider.state == ProviderState.LIVE)
        .values(state=ProviderState.ENDED)
    )


def _entry(row: SignOnProvider) -> Entry:
    origin = runtime().settings.platform.origin
    client = Client(
        issuer=row.issuer,
        client_id=row.client_id,
        secret=_sealer().open(row.sealed_secret, row.public_id),
        redirect=f"{origin}/sign-on/callback?provider={row.public_id}",
        left=f"{origin}/sign-on/left",
    )
    return Entry(row.id, row.public_id, row.organisation_id, client, row.role_claim)


def _known(row: SignOnProvider, caller: Caller) -> Known:
    is_second = row.proposed_by != caller.person and caller.means is not Means.BREAK_GLASS
    return Known(
        id=row.public_id,
        issuer=row.issuer,
        client_id=row.client_id,
        role_claim=row.role_claim,
        roles=row.roles,
        strong=row.strong,
        state=row.state,
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        may_decide=row.state is ProviderState.PROPOSED and is_second,
    )


def tell_keepers(session: Session, organisation_id: int, change: str) -> None:
    """Tell administrators and compliance officers what became of a provider."""
    for role in (Role.COMPLIANCE, Role.ADMINISTRATOR):
        notify(session, organisation_id, role, "sign-on.change", {"change": change}, _PAGE)


def _changed(
    session: Session, caller: Caller, act: str, provider: UUID, change: str, **details: Any
) -> None:
    _log(session, caller, act, provider, **details)
    tell_keepers(session, caller.member[0], change)


def _log(session: Session, caller: Caller, act: str, provider: UUID, **details: Any) -> None:
    append(session, caller, act, object_type="provider", objects=[str(provider)], details=details)


def _sealer() -> SignOnSealer:
    return runtime().part(SignOnSealer)

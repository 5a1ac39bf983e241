"""The end of what a provider began: told by it, by the person who signs out, or at the console.

A provider may say by itself that somebody signed out there (OpenID Connect Back-Channel Logout
1.0): their sessions from it end with the very next request. Such a message ends sessions and does
nothing else, counts once, and is believed for the provider's own people alone.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import clock, row_security
from app.access import CONSOLE, Caller, Means
from app.accounts.authentication import stranger
from app.accounts.entry_models import ProviderState, SignOnLink, SignOnProvider
from app.accounts.factor_models import PendingSignIn, SpentChallenge
from app.accounts.models import PersonAccount, WebSession
from app.accounts.oidc import MESSAGE_LIFE, SignedOut, SignOnError, SignOnRefusal
from app.accounts.own_notices import tell_own
from app.accounts.records import account_of, find_account
from app.accounts.sign_on import SignOnSealer, end_live, tell_keepers
from app.audit.entry import Outcome
from app.audit.service import append
from app.errors import NotFoundError
from app.organisations.models import Organisation
from app.organisations.service import find
from app.runtime import runtime


class NoProviderError(NotFoundError):
    code = "sign-on-none"
    title = "No provider of sign-in is in force for this organisation"
    remedy = "List them with: flask --app wsgi sso show"


class NotLinkedError(NotFoundError):
    code = "sign-on-not-linked"
    title = "This account is not linked with a provider of sign-in"
    remedy = "List the linked ones with: flask --app wsgi sso show --organisation CODE"


@dataclass(frozen=True)
class Standing:
    """A provider as the platform's administrator sees it, without its secret."""

    organisation: str
    issuer: str
    client_id: str
    state: ProviderState
    proposed_at: datetime
    links: int
    sessions: int


@dataclass(frozen=True, repr=False)
class Linked:
    """An account that is linked with the provider in force of its organisation."""

    login: str
    person: UUID
    linked_at: datetime
    sessions: int


def provider_of(session: Session, name_hash: bytes) -> UUID | None:
    """The provider from which the session with this hash was begun; None for any other session."""
    return session.scalar(
        select(SignOnProvider.public_id)
        .join(WebSession, WebSession.provider_id == SignOnProvider.id)
        .where(WebSession.name_hash == name_hash)
    )


def end_told(session: Session, which: UUID, told: SignedOut) -> int:
    """End what the provider says has ended; returns how many sessions, and logs it.

    With a session of the provider: those begun from it, and those of the subject of which none is
    known. SignOnError for a provider that is not in force, and for a message that was used.
    """
    row = session.scalar(
        select(SignOnProvider).where(
            SignOnProvider.public_id == which, SignOnProvider.state == ProviderState.LIVE
        )
    )
    if row is None:
        raise SignOnError(SignOnRefusal.PROVIDER)
    row_security.act_for(session, row.organisation_id)
    _spend(session, row, told)
    sealer = runtime().part(SignOnSealer)
    person = None
    if told.subject:
        person = session.scalar(
            select(SignOnLink.person_id).where(
                SignOnLink.subject_index == sealer.index(row.issuer, told.subject),
                SignOnLink.provider_id == row.id,
            )
        )
    named = sealer.session_index(row.issuer, told.session) if told.session else None
    ended = 0
    for table in (WebSession, PendingSignIn):
        is_meant = _meant(table, person, named)
        if is_meant is None:
            continue
        gone = session.scalars(
            delete(table).where(table.provider_id == row.id, is_meant).returning(table.name_hash)
        ).all()
        ended += len(gone)
    code = session.get_one(Organisation, row.organisation_id).code
    append(
        session,
        stranger(Means.SESSION),
        "sign-on.told",
        audience=[code],
        object_type="provider",
        objects=[str(row.public_id)],
        count=ended,
    )
    return ended


def tell_told_refusal(
    session: Session, refusal: SignOnRefusal, organisation_id: int | None
) -> None:
    """Tell the log of a message that was not believed, for the provider's organisation to read."""
    found = None if organisation_id is None else session.get(Organisation, organisation_id)
    append(
        session,
        stranger(Means.SESSION),
        "sign-on.told",
        audience=[] if found is None else [found.code],
        outcome=Outcome.DENIED,
        details={"refusal": refusal.value},
    )


def read_all(session: Session, caller: Caller = CONSOLE) -> list[Standing]:
    """Every provider in force or proposed, by organisation; logged."""
    rows = session.execute(
        select(SignOnProvider, Organisation.code)
        .join(Organisation, Organisation.id == SignOnProvider.organisation_id)
        .where(SignOnProvider.state != ProviderState.ENDED)
        .order_by(Organisation.code, SignOnProvider.id)
    ).all()
    links, sessions = (_counted(session, table) for table in (SignOnLink, WebSession))
    append(session, caller, "sign-on.read", object_type="provider", count=len(rows))
    return [
        Standing(
            organisation=code,
            issuer=row.issuer,
            client_id=row.client_id,
            state=row.state,
            proposed_at=row.proposed_at,
            links=links.get(row.id, 0),
            sessions=sessions.get(row.id, 0),
        )
        for row, code in rows
    ]


def read_links(session: Session, organisation: str, caller: Caller = CONSOLE) -> list[Linked]:
    """Who of an organisation is linked with its provider, by sign-in name; logged.

    UnknownOrganisationError; NoProviderError.
    """
    row = _live(session, organisation)
    counted = session.execute(
        select(WebSession.person_id, func.count())
        .where(WebSession.provider_id == row.id)
        .group_by(WebSession.person_id)
    )
    sessions = {person: count for person, count in counted}  # noqa: C416 - rows are no pairs to dict
    found = session.execute(
        select(PersonAccount, SignOnLink.linked_at)
        .join(SignOnLink, SignOnLink.person_id == PersonAccount.id)
        .where(SignOnLink.provider_id == row.id)
    ).all()
    append(
        session,
        caller,
        "sign-on.read",
        audience=[organisation],
        object_type="provider",
        objects=[str(row.public_id)],
        count=len(found),
    )
    linked = [
        Linked(
            login=account_of(person, organisation, ()).login,
            person=person.public_id,
            linked_at=linked_at,
            sessions=sessions.get(person.id, 0),
        )
        for person, linked_at in found
    ]
    return sorted(linked, key=lambda each: each.login)


def end_provider(session: Session, organisation: str, caller: Caller = CONSOLE) -> None:
    """End the provider in force of an organisation with its links and sessions.

    UnknownOrganisationError; NoProviderError. Its keepers and who was linked are told.
    """
    row = _live(session, organisation)
    end_live(session, caller, row.organisation_id)
    _log(session, caller, "sign-on.end", organisation, row, ending="provider")
    tell_keepers(session, row.organisation_id, "ended")


def end_sessions(session: Session, organisation: str, caller: Caller = CONSOLE) -> int:
    """End every session that an organisation's provider began; links stay. Returns how many."""
    row = _live(session, organisation)
    ended = 0
    for table in (WebSession, PendingSignIn):
        gone = session.scalars(
            delete(table).where(table.provider_id == row.id).returning(table.name_hash)
        ).all()
        ended += len(gone)
    _log(session, caller, "sign-on.end", organisation, row, ending="sessions", sessions=ended)
    return ended


def end_link(session: Session, login: str, caller: Caller = CONSOLE) -> int:
    """End the link of one account and the sessions begun by it; returns how many sessions.

    UnknownAccountError; NotLinkedError. The person is told.
    """
    person, code = find_account(session, login)
    provider_id = session.scalar(
        delete(SignOnLink)
        .where(SignOnLink.person_id == person.id)
        .returning(SignOnLink.provider_id)
    )
    if provider_id is None:
        raise NotLinkedError
    ended = 0
    for table in (WebSession, PendingSignIn):
        gone = session.scalars(
            delete(table)
            .where(table.person_id == person.id, table.provider_id.is_not(None))
            .returning(table.name_hash)
        ).all()
        ended += len(gone)
    append(
        session,
        caller,
        "sign-on.unlink",
        audience=[code],
        object_type="account",
        objects=[str(person.public_id)],
        details={"sessions": ended},
    )
    tell_own(session, caller, person, "sign-on.unlink")
    return ended


def _live(session: Session, organisation: str) -> SignOnProvider:
    organisation_id, _ = find(session, organisation)
    row = session.scalar(
        select(SignOnProvider).where(
            SignOnProvider.organisation_id == organisation_id,
            SignOnProvider.state == ProviderState.LIVE,
        )
    )
    if row is None:
        raise NoProviderError
    return row


def _meant(
    table: type[WebSession] | type[PendingSignIn], person: int | None, named: bytes | None
) -> ColumnElement[bool] | None:
    """Which rows of the provider are meant; None for no row."""
    if named is None:
        return None if person is None else table.person_id == person
    begun_from_it: ColumnElement[bool] = table.provider_session == named
    if person is None:
        return begun_from_it
    return (table.person_id == person) & or_(begun_from_it, table.provider_session.is_(None))


def _spend(session: Session, row: SignOnProvider, told: SignedOut) -> None:
    """Let the message count once; SignOnError when it did before."""
    named = b"logout\n" + row.public_id.bytes + told.id.encode()
    spent = SpentChallenge(
        challenge_hash=hashlib.sha256(named).digest(), expires_at=clock.now() + MESSAGE_LIFE
    )
    try:
        with session.begin_nested():
            session.add(spent)
    except IntegrityError:
        raise SignOnError(SignOnRefusal.USED) from None


def _counted(
    session: Session, table: type[SignOnLink] | type[WebSession]
) -> Mapping[int | None, int]:
    """How many rows there are of each provider."""
    found = session.execute(
        select(table.provider_id, func.count())
        .where(table.provider_id.is_not(None))
        .group_by(table.provider_id)
    )
    return {provider: count for provider, count in found}  # noqa: C416 - rows are no pairs to dict


def _log(
    session: Session,
    caller: Caller,
    act: str,
    organisation: str,
    row: SignOnProvider,
    **details: object,
) -> None:
    append(
        session,
        caller,
        act,
        audience=[organisation],
        object_type="provider",
        objects=[str(row.public_id)],
        details=details,
    )

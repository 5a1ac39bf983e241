"""The emergency account of an organisation: behind glass, loud when it is used, and short.

It is for the day on which nobody can sign in: the provider is down, the only administrator is gone.
The threat is that it becomes the quiet way in. Therefore
1. its secret is made at the platform's console, shown once and kept on paper; it is no password;
2. it holds the role of an administrator and no other, makes no token, and no second factor, no
   password and no role can be given to it;
3. each use is told at once to all administrators and compliance officers of the organisation and
   of who runs the platform, by every channel they have, and stands in red on their pages;
4. everything done with it is marked `break-glass` in the log;
5. it ends by itself after its minutes, whatever was begun;
6. another secret is made only after two people, one of them a compliance officer, have said that
   they have read what was done.
"""

import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app import clock, row_security
from app.access import Caller, Means
from app.accounts import service
from app.accounts.authentication import (
    BY_BREAK_GLASS,
    Refusal,
    refusal_of,
    secret_hash,
    stranger,
)
from app.accounts.entry_models import BreakGlass
from app.accounts.models import Credential, PersonAccount, WebSession
from app.accounts.profiles import EMERGENCY_LOGIN, EMERGENCY_NAME
from app.accounts.sign_in import start_session
from app.audit.entry import Outcome
from app.audit.service import append
from app.errors import ConflictError, InvalidRequestError, NotAllowedError, NotFoundError
from app.jobs.notifications import notify
from app.organisations.models import Organisation
from app.organisations.service import find
from app.runtime import runtime
from postern.base64url import from_base64url, to_base64url
from postern.vocabulary import Role

ROLE = Role.ADMINISTRATOR
LONGEST = 480  # minutes

_TOLD = (Role.COMPLIANCE, Role.ADMINISTRATOR)
_PAGE = "/break-glass"
_SECRET = re.compile(r"glass_([A-Za-z0-9_-]{22})_([A-Za-z0-9_-]{43})")
_SECRET_LENGTH = 32  # bytes
_NO_HASH = bytes(32)


class BreakGlassExistsError(ConflictError):
    code = "break-glass-exists"
    title = "The organisation has an emergency account already"
    remedy = "See how it stands with: flask --app wsgi break-glass show"


class BreakGlassSealedError(ConflictError):
    code = "break-glass-sealed"
    title = "The emergency account is sealed: there is nothing to end or to look at"
    remedy = "It waits for an emergency; nothing needs to be done."


class BreakGlassOpenError(ConflictError):
    code = "break-glass-open"
    title = "The emergency account is open"
    remedy = "Wait until it ends, or end it; then two people look at what was done."


class BreakGlassUnseenError(ConflictError):
    code = "break-glass-unseen"
    title = "Two people have not yet said that they read what was done"
    remedy = (
        "Let two of the organisation, one a compliance officer, do so on the page /break-glass."
    )


class BreakGlassSameError(NotAllowedError):
    code = "break-glass-same"
    title = "The second person must be another one, and one of the two a compliance officer"
    remedy = "Ask a colleague to look at what was done."


@dataclass(frozen=True)
class Glass:
    """How the emergency account of an organisation stands: "sealed", "open" or "broken".

    `seen_by` counts the people who said that they read what was done; with two it may be sealed.
    """

    organisation: str
    person: UUID
    state: str
    minutes: int
    sealed_at: datetime
    opened_at: datetime | None
    ends_at: datetime | None
    uses: int
    seen_by: int
    may_see: bool  # the caller may say so as the next


def make(session: Session, caller: Caller, code: str, minutes: int) -> str:
    """Give an organisation its emergency account; returns the secret, which is kept nowhere.

    UnknownOrganisationError, BreakGlassExistsError; InvalidRequestError for the minutes.
    """
    if not 1 <= minutes <= LONGEST:
        reason = f"It is open for 1 to {LONGEST} minutes."
        raise InvalidRequestError(errors=[{"field": "minutes", "reason": reason}])
    organisation_id, _ = find(session, code)
    if _row(session, organisation_id) is not None:
        raise BreakGlassExistsError
    made = service.create(
        session,
        caller,
        organisation=code,
        login=f"{EMERGENCY_LOGIN}{code}",
        name=EMERGENCY_NAME,
        roles=[ROLE],
        secret="",  # it gets no password: the row goes at once
    )
    session.execute(delete(Credential).where(Credential.person_id == made.person_id))
    public_id, text, hashed = _new_secret()
    session.add(
        BreakGlass(
            person_id=made.person_id,
            organisation_id=organisation_id,
            public_id=public_id,
            secret_hash=hashed,
            minutes=minutes,
            sealed_at=clock.now(),
            uses=0,
        )
    )
    _log(session, caller, "break-glass.seal", code, made.public_id, minutes=minutes)
    return text


def seal(session: Session, caller: Caller, code: str) -> str:
    """Make another secret after a use; returns it. The former opens nothing any more.

    NotFoundError without an account, BreakGlassOpenError, BreakGlassUnseenError before two people
    have looked. What was never used is sealed anew without them: so a lost paper is voided.
    """
    row = _required(session, find(session, code)[0])
    if row.opened_at is not None:
        if _is_open(row):
            raise BreakGlassOpenError
        if row.second_by is None:
            raise BreakGlassUnseenError
    row.public_id, text, row.secret_hash = _new_secret()
    row.sealed_at, row.uses = clock.now(), 0
    row.opened_at = row.ends_at = row.first_by = row.first_is_officer = row.second_by = None
    person = session.get_one(PersonAccount, row.person_id)
    _log(session, caller, "break-glass.seal", code, person.public_id, minutes=row.minutes)
    _tell(session, row.organisation_id, "break-glass.sealed", {"organisation": code})
    return text


def enter(session: Session, text: str, device: str) -> str | None:
    """Break the glass: start a session with the secret; returns its name. Everybody is told.

    None when it is refused; that is logged, and the transaction must be committed.
    """
    parts = _SECRET.fullmatch(text.strip())
    raw = from_base64url(parts[1]) if parts else None
    row = None
    if raw is not None:
        row_security.present(raw, session)
        named = BreakGlass.public_id == UUID(bytes=raw)
        row = session.scalar(select(BreakGlass).where(named).with_for_update())
    is_right = hmac.compare_digest(
        secret_hash(parts[2] if parts else ""), row.secret_hash if row else _NO_HASH
    )
    if row is None:
        _refuse(session, Refusal.UNKNOWN, None)
        return None
    row_security.act_for(session, row.organisation_id)
    person = session.get_one(PersonAccount, row.person_id)
    organisation = session.get_one(Organisation, row.organisation_id)
    refusal = _refusal(row, person, organisation, is_right=is_right)
    if refusal is not None:
        _refuse(session, refusal, organisation.code)
        return None
    moment = clock.now()
    if row.opened_at is None or row.ends_at is None:
        row.opened_at, row.ends_at = moment, moment + timedelta(minutes=row.minutes)
    row.uses += 1
    name = start_session(
        session,
        person,
        organisation,
        proved_by=frozenset({BY_BREAK_GLASS}),
        device=device,
        until=row.ends_at,
    )
    append(
        session,
        stranger(Means.BREAK_GLASS),
        "break-glass.open",
        audience=_audience(organisation.code),
        object_type="account",
        objects=[str(person.public_id)],
        details={"uses": row.uses, "until": row.ends_at.isoformat()},
    )
    facts = {
        "organisation": organisation.code,
        "minutes": row.minutes,
        "use": row.uses,
        "at": moment.isoformat(),
    }
    _tell(session, row.organisation_id, "break-glass.opened", facts)
    return name


def end(session: Session, caller: Caller, code: str) -> None:
    """End an open account now, with its sessions; BreakGlassSealedError when it was not used.

    NotFoundError without one. Once more changes nothing.
    """
    row = _required(session, find(session, code)[0])
    if row.opened_at is None:
        raise BreakGlassSealedError
    if _is_open(row):
        row.ends_at = clock.now()
    session.execute(delete(WebSession).where(WebSession.person_id == row.person_id))
    person = session.get_one(PersonAccount, row.person_id)
    _log(session, caller, "break-glass.end", code, person.public_id)


def look(session: Session, caller: Caller) -> None:
    """Say that one has read what was done with it, as the first or the second person.

    NotFoundError, BreakGlassSealedError, BreakGlassOpenError; BreakGlassSameError for who said so
    already, for whoever uses the account itself, and when neither is a compliance officer.
    """
    row = _required(session, caller.member[0])
    if row.opened_at is None:
        raise BreakGlassSealedError
    if _is_open(row):
        raise BreakGlassOpenError
    if not _may_look(row, caller):
        raise BreakGlassSameError
    if row.first_by is None:
        row.first_by, row.first_is_officer = caller.person, Role.COMPLIANCE in caller.roles
    else:
        row.second_by = caller.person
    person = session.get_one(PersonAccount, row.person_id)
    _log(session, caller, "break-glass.look", caller.organisation, person.public_id)
    facts = {"organisation": caller.organisation, "people": 1 if row.second_by is None else 2}
    _tell(session, row.organisation_id, "break-glass.looked", facts)


def read(session: Session, caller: Caller) -> Glass | None:
    """How the account of the caller's organisation stands, None without one. Logged."""
    row = _row(session, caller.member[0])
    append(session, caller, "break-glass.read", object_type="account", count=int(row is not None))
    return None if row is None else _glass(session, row, caller.organisation, caller)


def read_all(session: Session, caller: Caller) -> Sequence[Glass]:
    """How those of all organisations stand, for the console. Logged."""
    rows = session.execute(
        select(BreakGlass, Organisation.code)
        .join(Organisation, Organisation.id == BreakGlass.organisation_id)
        .order_by(Organisation.code)
    ).all()
    append(session, caller, "break-glass.read", object_type="account", count=len(rows))
    return [_glass(session, row, code, caller) for row, code in rows]


def warning(session: Session, caller: Caller) -> Glass | None:
    """The account of the caller's organisation if it was used and nobody sealed it anew since.

    For the red words on the pages of those who are to know; None for everybody else.
    """
    if caller.organisation_id is None or not caller.roles.intersection(_TOLD):
        return None
    row = _row(session, caller.organisation_id)
    if row is None or row.opened_at is None:
        return None
    return _glass(session, row, caller.organisation, caller)


def _row(session: Session, organisation_id: int) -> BreakGlass | None:
    return session.scalar(select(BreakGlass).where(BreakGlass.organisation_id == organisation_id))


def _required(session: Session, organisation_id: int) -> BreakGlass:
    row = session.scalar(
        select(BreakGlass).where(BreakGlass.organisation_id == organisation_id).with_for_update()
    )
    if row is None:
        raise NotFoundError
    return row


def _is_open(row: BreakGlass) -> bool:
    return row.ends_at is not None and clock.now() < row.ends_at


def _may_look(row: BreakGlass, caller: Caller) -> bool:
    if caller.means is Means.BREAK_GLASS or caller.person is None or row.second_by is not None:
        return False
    if row.first_by is None:
        return True
    is_officer = Role.COMPLIANCE in caller.roles or bool(row.first_is_officer)
    return caller.person != row.first_by and is_officer


def _glass(session: Session, row: BreakGlass, code: str, caller: Caller) -> Glass:
    state = "sealed" if row.opened_at is None else "open" if _is_open(row) else "broken"
    return Glass(
        organisation=code,
        person=session.get_one(PersonAccount, row.person_id).public_id,
        state=state,
        minutes=row.minutes,
        sealed_at=row.sealed_at,
        opened_at=row.opened_at,
        ends_at=row.ends_at,
        uses=row.uses,
        seen_by=sum(each is not None for each in (row.first_by, row.second_by)),
        may_see=state == "broken" and _may_look(row, caller),
    )


def _refusal(
    row: BreakGlass, person: PersonAccount, organisation: Organisation, *, is_right: bool
) -> Refusal | None:
    if not is_right:
        return Refusal.SECRET
    if row.ends_at is not None and not _is_open(row):
        return Refusal.EXPIRED
    return refusal_of(person, organisation)


def _refuse(session: Session, refusal: Refusal, code: str | None) -> None:
    append(
        session,
        stranger(Means.BREAK_GLASS),
        "break-glass.refuse",
        audience=[] if code is None else _audience(code),
        outcome=Outcome.DENIED,
        details={"refusal": refusal.value},
    )


def _new_secret() -> tuple[UUID, str, bytes]:
    """Its name, its text as it stands on paper, and what is stored of it."""
    public_id, secret = uuid4(), secrets.token_urlsafe(_SECRET_LENGTH)
    return public_id, f"glass_{to_base64url(public_id.bytes)}_{secret}", secret_hash(secret)


def _audience(code: str) -> list[str]:
    operator = runtime().settings.audit.operator
    return sorted({code, operator} - {""})


def _log(
    session: Session, caller: Caller, act: str, code: str, person: UUID, **details: Any
) -> None:
    append(
        session,
        caller,
        act,
        audience=_audience(code),
        object_type="account",
        objects=[str(person)],
        details=details,
    )


def _tell(session: Session, organisation_id: int, kind: str, facts: dict[str, Any]) -> None:
    """Tell the organisation and whoever runs the platform, by every channel that they have."""
    operator = runtime().settings.audit.operator
    concerned = {organisation_id}
    if operator:
        found = session.scalar(select(Organisation.id).where(Organisation.code == operator))
        concerned |= set() if found is None else {found}
    for each in sorted(concerned):
        for role in _TOLD:
            notify(session, each, role, kind, facts, _PAGE)

"""Alarms about keys: a member's program was offered other keys than those it had pinned.

An alarm accuses nobody. It stays open until a compliance officer of who raised it closes it, after
a call to the member concerned.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.audit.service import append
from app.errors import ConflictError, NotFoundError
from app.jobs.notifications import notify
from app.organisations.models import KeyAlarm
from app.organisations.service import directory
from app.public_ids import new_public_id
from app.runtime import runtime
from postern.vocabulary import Role

MOST_OPEN = 50  # of one reporter; it can name only so many members' keys before it must look
MOST_LISTED = 200

_PAGE = "/keys"
_TOLD = (Role.COMPLIANCE, Role.ADMINISTRATOR)


class TooManyAlarmsError(ConflictError):
    """The reporter has so many open alarms that another would hide the others."""

    code = "too-many-key-alarms"
    title = "Your organisation has too many open alarms about keys"
    remedy = "Let your compliance officer look at the page of keys and close what was cleared up."


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm as those concerned see it; fingerprints are "" where there was no entry."""

    id: UUID
    reporter: str
    about: str
    number: int
    pinned: str
    offered: str
    made_at: datetime
    closed_at: datetime | None
    may_close: bool  # by a compliance officer of the caller's organisation


def report_swap(
    session: Session, caller: Caller, code: str, *, number: int, pinned: str, offered: str
) -> tuple[Alarm, bool]:
    """Note that entry `number` of a member was offered as another one than pinned.

    Returns the alarm and whether it is new: the same one that is still open is not noted twice.
    NotFoundError when there is no such member, TooManyAlarmsError.
    """
    reporter_id, _ = caller.member
    members = directory(session)
    about_id = next((key for key, member in members.items() if member.code == code), None)
    if about_id is None:
        raise NotFoundError
    of_reporter = session.scalars(
        select(KeyAlarm)
        .where(KeyAlarm.reporter_id == reporter_id, KeyAlarm.closed_at.is_(None))
        .order_by(KeyAlarm.id)
    ).all()
    said = (about_id, number, pinned, offered)
    for row in of_reporter:
        if (row.about_id, row.number, row.pinned, row.offered) == said:
            _log(session, caller, row, code)
            return _alarm(row, caller.organisation, code, caller), False
    if len(of_reporter) >= MOST_OPEN:
        raise TooManyAlarmsError
    at = clock.now()
    row = KeyAlarm(
        public_id=new_public_id(at),
        reporter_id=reporter_id,
        about_id=about_id,
        number=number,
        pinned=pinned,
        offered=offered,
        made_at=at,
        closed_at=None,
        closed_by=None,
    )
    session.add(row)
    session.flush()
    _log(session, caller, row, code)
    facts = {"reporter": caller.organisation, "about": code, "number": number}
    operator = runtime().settings.audit.operator
    concerned = {reporter_id, about_id} | {
        key for key, member in members.items() if member.code == operator
    }
    for organisation_id in sorted(concerned):
        for role in _TOLD:
            notify(session, organisation_id, role, "key.alarm", facts, _PAGE)
    return _alarm(row, caller.organisation, code, caller), True


def list_alarms(session: Session, caller: Caller) -> list[Alarm]:
    """Those that concern the caller's organisation, open ones first, then newest first.

    It raised them, they are about it, or it runs the platform. The caller logs the reading.
    """
    organisation_id, _ = caller.member
    wanted = select(KeyAlarm)
    if caller.organisation != runtime().settings.audit.operator:
        wanted = wanted.where(
            or_(KeyAlarm.reporter_id == organisation_id, KeyAlarm.about_id == organisation_id)
        )
    rows = session.scalars(
        wanted.order_by(KeyAlarm.closed_at.is_not(None), KeyAlarm.id.desc()).limit(MOST_LISTED)
    )
    members = directory(session)
    return [
        _alarm(row, members[row.reporter_id].code, members[row.about_id].code, caller)
        for row in rows
    ]


def close(session: Session, caller: Caller, alarm: UUID) -> None:
    """Close an alarm of one's own organisation; once more changes nothing.

    NotFoundError for any other.
    """
    organisation_id, _ = caller.member
    row = session.scalar(
        select(KeyAlarm)
        .where(KeyAlarm.public_id == alarm, KeyAlarm.reporter_id == organisation_id)
        .with_for_update()
    )
    if row is None:
        raise NotFoundError
    if row.closed_at is None:
        row.closed_at, row.closed_by = clock.now(), caller.person
    code = directory(session)[row.about_id].code
    append(
        session,
        caller,
        "key.close-alarm",
        audience=_audience(code),
        object_type="key-alarm",
        objects=[str(alarm)],
        details={"about": code, "number": row.number},
    )


def _log(session: Session, caller: Caller, row: KeyAlarm, code: str) -> None:
    append(
        session,
        caller,
        "key.alarm",
        audience=_audience(code),
        object_type="key-alarm",
        objects=[str(row.public_id)],
        details={
            "about": code,
            "number": row.number,
            "pinned": row.pinned,
            "offered": row.offered,
        },
    )


def _audience(code: str) -> Collection[str]:
    operator = runtime().settings.audit.operator
    return {code, operator} if operator else {code}


def _alarm(row: KeyAlarm, reporter: str, about: str, caller: Caller) -> Alarm:
    return Alarm(
        id=row.public_id,
        reporter=reporter,
        about=about,
        number=row.number,
        pinned=row.pinned,
        offered=row.offered,
        made_at=row.made_at,
        closed_at=row.closed_at,
        may_close=reporter == caller.organisation and row.closed_at is None,
    )

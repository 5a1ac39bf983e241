"""Signals: what the rules see in an organisation's own entries becomes a task for its officers.

A duty looks every hour. Each finding is told once; a person closes it with a verdict and a note.
Nothing else follows from a signal: nobody is locked, slowed down or reported by it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import clock
from app.access import CONSOLE, Caller
from app.accounts.models import AccountStatus, PersonAccount, RoleGrant
from app.audit import reading
from app.audit.models import AuditEntry
from app.audit.reading import ReadEntry
from app.audit.service import append
from app.clock import milliseconds
from app.compliance.abuse_rules import found_of
from app.compliance.abuse_signals import found_by_counting
from app.compliance.models import Anomaly, Signal, Verdict
from app.compliance.sealing import clean_note, notes, wrong
from app.compliance.signal_events import DAY, SCREENED, Event, Picture, load
from app.compliance.signal_rules import MOST_SHOWN, Found, found_in
from app.errors import ConflictError, NotAllowedError, NotFoundError
from app.jobs.notifications import notify
from app.organisations.service import directory
from app.patterns import screening_quota
from app.pseudonyms.quota import WHOLE_ORGANISATION, Used, used_above
from app.public_ids import new_public_id
from app.runtime import runtime
from postern.vocabulary import Role

QUOTA_PERCENT = 80  # of a window's evaluations, above which it is told
PAGE = 50  # signals of one list
USUAL_DUE = timedelta(days=14)  # offered where a signal is given to somebody
LATEST_DUE = timedelta(days=366)

_QUOTA_LOOKED_BACK = timedelta(days=1)


class UnknownSignalError(NotFoundError):
    code = "signal-unknown"
    title = "There is no such signal for you"
    remedy = "List the signals of your organisation at /api/v1/signals."


class SignalClosedError(ConflictError):
    code = "signal-closed"
    title = "The signal was closed already"
    remedy = "Read it: it names who closed it, with which verdict."


class OwnSignalError(NotAllowedError):
    code = "signal-own"
    title = "The signal is about your own acts, so somebody else must close it"
    remedy = "Ask another compliance officer of your organisation."


@dataclass(frozen=True)
class Task:
    """A signal as its organisation reads it; `person` is a pseudonym of the log.

    `is_own`: it is about the reader; `is_mine`: it is the reader's to close by `due_on`. `entries`
    are filled where one signal is read.
    """

    id: UUID
    signal: Signal
    person: UUID | None
    since: datetime
    until: datetime
    facts: Mapping[str, Any]
    found_at: datetime
    assigned_to: UUID | None
    due_on: date | None
    verdict: Verdict | None
    note: str
    closed_by: UUID | None
    closed_at: datetime | None
    is_own: bool
    is_mine: bool
    entries: Sequence[ReadEntry] = ()

    @property
    def is_overdue(self) -> bool:
        """Whether it is open after the day by which it was to be closed."""
        return self.closed_at is None and bool(self.due_on and self.due_on < clock.now().date())


def look(session: Session) -> int:
    """Look at the log of every active organisation; returns how many signals are new."""
    now = clock.now()
    return sum(
        _look_at(session, organisation_id, member.code, now)
        for organisation_id, member in directory(session).items()
        if member.is_active
    )


def list_signals(
    session: Session,
    caller: Caller,
    *,
    is_open: bool | None = None,
    is_mine: bool = False,
    before: UUID | None = None,
) -> list[Task]:
    """Up to PAGE signals of the caller's organisation, newest first.

    `is_open` None lists closed ones too, `is_mine` only those that are the caller's to close;
    `before` is the id of the last of the page before.
    """
    organisation_id, _ = caller.member
    wanted = select(Anomaly).where(Anomaly.organisation_id == organisation_id)
    if is_open is not None:
        wanted = wanted.where(
            Anomaly.closed_at.is_(None) if is_open else Anomaly.closed_at.is_not(None)
        )
    if is_mine:
        wanted = wanted.where(Anomaly.assigned_to == caller.person)
    if before is not None:
        place = select(Anomaly.id).where(
            Anomaly.public_id == before, Anomaly.organisation_id == organisation_id
        )
        wanted = wanted.where(Anomaly.id < place.scalar_subquery())
    rows = session.scalars(wanted.order_by(Anomaly.id.desc()).limit(PAGE)).all()
    append(session, caller, "signal.list", object_type="signal", count=len(rows))
    return [_task(caller, row) for row in rows]


def read(session: Session, caller: Caller, signal_id: UUID) -> Task:
    """One signal with the entries that show it; UnknownSignalError for another's as for none."""
    row = _own(session, caller, signal_id)
    entries = _entries(session, caller, row)
    append(
        session,
        caller,
        "signal.read",
        object_type="signal",
        objects=[str(signal_id)],
        count=len(entries),
        results=[each.fields["id"] for each in entries],
    )
    return _task(caller, row, entries)


def assign(
    session: Session, caller: Caller, signal_id: UUID, *, to: UUID | None, due_on: date | None
) -> Task:
    """Give an open signal to an officer of the organisation, or back to all of them (None).

    UnknownSignalError, SignalClosedError, OwnSignalError for whom it is about, and
    InvalidRequestError for a person who is no such officer or a day that has passed.
    """
    row = _own(session, caller, signal_id)
    if row.closed_at is not None:
        raise SignalClosedError
    if to is not None and to == row.person:
        raise OwnSignalError
    if to is not None and to not in officers(session, row.organisation_id):
        raise wrong("to", "Choose a compliance officer of your organisation.")
    today = clock.now().date()
    if due_on is not None and not today <= due_on <= today + LATEST_DUE:
        raise wrong("due_on", "Choose a day from today to at most a year away.")
    row.assigned_to, row.due_on = to, due_on if to else None
    session.flush()
    append(
        session,
        caller,
        "signal.assign",
        object_type="signal",
        objects=[str(signal_id)],
        details={
            "signal": row.signal.value,
            **({"to": str(to)} if to else {}),
            **({"due_on": due_on.isoformat()} if to and due_on else {}),
        },
    )
    return _task(caller, row, _entries(session, caller, row))


def officers(session: Session, organisation_id: int) -> list[UUID]:
    """The compliance officers of an organisation who can sign in, as pseudonyms of the log."""
    return list(
        session.scalars(
            select(PersonAccount.public_id)
            .join(RoleGrant, RoleGrant.person_id == PersonAccount.id)
            .where(
                PersonAccount.organisation_id == organisation_id,
                PersonAccount.status == AccountStatus.ACTIVE,
                RoleGrant.role == Role.COMPLIANCE,
            )
            .order_by(PersonAccount.id)
        )
    )


def close(
    session: Session, caller: Caller, signal_id: UUID, *, verdict: Verdict, note: str
) -> Task:
    """Close a signal with what was found.

    UnknownSignalError, SignalClosedError, OwnSignalError for the person whom it is about, and
    InvalidRequestError without a note.
    """
    row = _own(session, caller, signal_id)
    if row.closed_at is not None:
        raise SignalClosedError
    if row.person is not None and row.person == caller.person:
        raise OwnSignalError
    text = clean_note(note)
    if not text:
        raise wrong("note", "Say in a note what you found.")
    row.verdict, row.sealed_note = verdict, notes().seal(text, signal_id)
    row.closed_by, row.closed_at = caller.pseudonym, clock.now()
    session.flush()
    append(
        session,
        caller,
        "signal.close",
        object_type="signal",
        objects=[str(signal_id)],
        details={"signal": row.signal.value, "verdict": verdict.value},
    )
    return _task(caller, row, _entries(session, caller, row))


@dataclass(frozen=True)
class Waiting:
    """Open signals: how many, how many are the reader's to close, how many are past their day."""

    open: int
    mine: int
    overdue: int


def waiting(session: Session, caller: Caller) -> Waiting:
    """What waits for the officers of the caller's organisation."""
    organisation_id, _ = caller.member
    row = session.execute(
        select(
            func.count(),
            func.count(Anomaly.id).filter(Anomaly.assigned_to == caller.person),
            func.count(Anomaly.id).filter(Anomaly.due_on < clock.now().date()),
        ).where(Anomaly.organisation_id == organisation_id, Anomaly.closed_at.is_(None))
    ).one()
    return Waiting(*row)


def _look_at(session: Session, organisation_id: int, organisation: str, now: datetime) -> int:
    events = load(session, organisation, now)
    picture = Picture(events, now)
    found = [
        *found_in(picture),
        *found_of(picture, runtime().settings.abuse),
        *found_by_counting(session, organisation_id, events, now),
        *_quota(session, organisation_id, events, now),
        *_screening_quota(session, organisation_id, events, now),
    ]
    keys = {_key(each): each for each in found}
    known = {
        row.key: row
        for row in session.scalars(
            select(Anomaly).where(Anomaly.organisation_id == organisation_id, Anomaly.key.in_(keys))
        )
    }
    for key, each in keys.items():
        if key in known:
            _grow(known[key], each)
        else:
            _raise(session, organisation_id, organisation, key, each)
    session.flush()
    return len(keys) - len(known)


def _key(found: Found) -> str:
    """64 characters by which one finding is told once."""
    return hashlib.sha256(f"{found.signal.value}/{found.about}".encode()).hexdigest()


def _grow(row: Anomaly, found: Found) -> None:
    """Let an open signal show what came after it was first seen; nobody is told again."""
    begins, ends = _moment(found.since), _moment(found.until)
    if row.closed_at is None and row.since == begins and row.until < ends:
        row.until, row.facts, row.entries = ends, dict(found.facts), list(found.entries)


def _raise(
    session: Session, organisation_id: int, organisation: str, key: str, found: Found
) -> None:
    now = clock.now()
    public_id = new_public_id(now)
    session.add(
        Anomaly(
            public_id=public_id,
            organisation_id=organisation_id,
            signal=found.signal,
            key=key,
            person=found.person,
            since=_moment(found.since),
            until=_moment(found.until),
            facts=dict(found.facts),
            entries=list(found.entries),
            found_at=now,
            assigned_to=None,
            due_on=None,
            verdict=None,
            sealed_note=None,
            closed_by=None,
            closed_at=None,
        )
    )
    append(
        session,
        CONSOLE,
        "signal.raise",
        audience=[organisation],
        object_type="signal",
        objects=[str(public_id)],
        details={
            "signal": found.signal.value,
            "facts": dict(found.facts),
            **({"person": str(found.person)} if found.person else {}),
        },
    )
    notify(
        session,
        organisation_id,
        Role.COMPLIANCE,
        "signal.raised",
        {"signal": found.signal.value},
        f"/signals/{public_id}",
    )


def _quota(
    session: Session, organisation_id: int, events: Sequence[Event], now: datetime
) -> list[Found]:
    """Windows of evaluations of which more than QUOTA_PERCENT was used, from the counters."""
    used = used_above(
        session,
        runtime().settings.quota,
        organisation_id,
        QUOTA_PERCENT,
        now - _QUOTA_LOOKED_BACK,
    )
    ids = {each.person_id for each in used} - {WHOLE_ORGANISATION}
    accounts = select(PersonAccount.id, PersonAccount.public_id).where(PersonAccount.id.in_(ids))
    people = dict(session.execute(accounts).all())
    return [_nearly_spent(each, people.get(each.person_id), events) for each in used]


def _nearly_spent(used: Used, person: UUID | None, events: Sequence[Event]) -> Found:
    begins, ends = milliseconds(used.begins), milliseconds(used.ends)
    who = used.person_id or "all"
    seen = [
        each
        for each in events
        if each.act == "evaluation.evaluate"
        and begins <= each.t < ends
        and person in (None, each.person)
    ]
    latest = sorted(seen, key=lambda each: (each.t, each.eid))[-MOST_SHOWN:]
    return Found(
        Signal.QUOTA,
        f"{who}/{used.kind.value}/{used.window.value}/{used.begins.isoformat()}",
        person,
        begins,
        latest[-1].t if latest else begins,
        {
            "used": used.used,
            "limit": used.limit,
            "percent": used.used * 100 // used.limit if used.limit else 100,
            "kind": used.kind.value,
            "window": used.window.value,
        },
        [each.eid for each in latest],
    )


def _screening_quota(
    session: Session, organisation_id: int, events: Sequence[Event], now: datetime
) -> list[Found]:
    """Kinds of which more than QUOTA_PERCENT was used of what is agreed for screening on a day.

    Told once a month, for who screens every night may need nearly all of it every night.
    """
    used = screening_quota.used_above(
        session, organisation_id, QUOTA_PERCENT, (now - _QUOTA_LOOKED_BACK).date()
    )
    return [
        Found(
            Signal.QUOTA,
            f"screening/{each.kind.value}/{each.day:%Y-%m}",
            None,
            begins,
            latest[-1].t if latest else begins,
            {
                "used": each.used,
                "limit": each.limit,
                "percent": each.used * 100 // each.limit,
                "kind": each.kind.value,
                "window": "screening",
            },
            [event.eid for event in latest],
        )
        for each in used
        for begins in (milliseconds(datetime.combine(each.day, time(), UTC)),)
        for latest in (
            [
                event
                for event in events
                if event.act == SCREENED and begins <= event.t < begins + DAY
            ][-MOST_SHOWN:],
        )
    ]


def _own(session: Session, caller: Caller, signal_id: UUID) -> Anomaly:
    organisation_id, _ = caller.member
    row = session.scalar(
        select(Anomaly)
        .where(Anomaly.public_id == signal_id, Anomaly.organisation_id == organisation_id)
        .with_for_update()
    )
    if row is None:
        raise UnknownSignalError
    return row


def _entries(session: Session, caller: Caller, row: Anomaly) -> list[ReadEntry]:
    """The entries that show the signal, oldest first, as far as they are still there."""
    places = session.execute(
        select(AuditEntry.t.label("at"), AuditEntry.eid).where(
            AuditEntry.eid.in_(row.entries),
            AuditEntry.t >= milliseconds(row.since),
            AuditEntry.t <= milliseconds(row.until),
        )
    ).all()
    shown = reading.chosen(session, caller.organisation, [(each.at, each.eid) for each in places])
    return [shown[eid] for eid in sorted(shown)]


def _task(caller: Caller, row: Anomaly, entries: Sequence[ReadEntry] = ()) -> Task:
    sealed = row.sealed_note
    return Task(
        id=row.public_id,
        signal=row.signal,
        person=row.person,
        since=row.since,
        until=row.until,
        facts=row.facts,
        found_at=row.found_at,
        assigned_to=row.assigned_to,
        due_on=row.due_on,
        verdict=row.verdict,
        note=notes().open(bytes(sealed), row.public_id) if sealed else "",
        closed_by=row.closed_by,
        closed_at=row.closed_at,
        is_own=row.person is not None and row.person == caller.person,
        is_mine=row.assigned_to is not None and row.assigned_to == caller.person,
        entries=entries,
    )


def _moment(t: int) -> datetime:
    return datetime.fromtimestamp(t / 1000, UTC)

"""The record of personal data breaches of an organisation, each with the clock of 72 hours.

Every breach is recorded, whether or not the authority must be told (GDPR Art. 33(5), LED
Art. 30(5)). What is written is sealed, and only ever added to. The ledger tells which partners may
be concerned, in counts. The platform notifies nobody outside: that is a person's act.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app import clock
from app.access import CONSOLE, Caller
from app.audit.service import append
from app.compliance.breach_models import Breach, BreachNote, BreachStep, Risk
from app.compliance.sealing import clean_note, clean_title, notes, wrong
from app.errors import ConflictError, NotFoundError
from app.indicators import ledger_spans
from app.jobs.notifications import notify
from app.organisations.service import directory
from app.public_ids import new_public_id
from postern.vocabulary import Role

HOURS = 72
"""To tell the authority, from the moment of becoming aware (GDPR Art. 33(1), LED Art. 30(1))."""

KEPT = timedelta(days=5 * 366)
"""After its closing the record is erased; the log keeps that there was one."""

PAGE = 50
MOST_NOTES = 500  # of one breach, beside those that move its handling on

_REMINDED = (48, 24, 12, 4, 0)  # hours left, at which officers are reminded
_OLDEST = timedelta(days=366)
_BATCH = 200


class UnknownBreachError(NotFoundError):
    code = "breach-unknown"
    title = "There is no such breach for you"
    remedy = "List the breaches of your organisation at /breaches."


class BreachClosedError(ConflictError):
    code = "breach-closed"
    title = "The breach was closed already"
    remedy = "Read it: it tells how it ended. Open a new one for what came up since."


class BreachNotReadyError(ConflictError):
    code = "breach-not-ready"
    title = "The breach cannot be closed yet"
    remedy = "Note what it means for people first, and that those who must be told were told."


@dataclass(frozen=True)
class Written:
    """One note as it is read; `by` is a pseudonym of the log."""

    step: BreachStep
    text: str
    at: datetime
    by: UUID


@dataclass(frozen=True)
class Affected:
    """What the ledger says of the time: codes of organisations with counts of indicators."""

    own: int
    to: Mapping[str, int]
    came_from: Mapping[str, int]


@dataclass(frozen=True)
class Standing:
    """Breaches that are open; `due_at` is None when no authority is to be told any more."""

    open: int
    due_at: datetime | None


@dataclass(frozen=True)
class Recorded:
    """A breach as its organisation reads it; `notes` and `affected` where one is read."""

    id: UUID
    title: str
    aware_at: datetime
    since: datetime | None
    until: datetime | None
    risk: Risk | None
    opened_at: datetime
    opened_by: UUID
    authority_at: datetime | None
    people_at: datetime | None
    partners_at: datetime | None
    closed_at: datetime | None
    closed_by: UUID | None
    notes: Sequence[Written] = ()
    affected: Affected | None = None

    @property
    def due_at(self) -> datetime:
        """When the authority must have been told."""
        return self.aware_at + timedelta(hours=HOURS)

    @property
    def is_open(self) -> bool:
        """Whether something may still be noted."""
        return self.closed_at is None

    @property
    def hours_left(self) -> int:
        """Whole hours until the authority must have been told; negative when that has passed."""
        return int((self.due_at - clock.now()).total_seconds() // 3600)

    @property
    def clock_runs(self) -> bool:
        """Whether the authority is still to be told, as far as it was judged."""
        return self.is_open and self.authority_at is None and self.risk is not Risk.UNLIKELY


def open_breach(
    session: Session,
    caller: Caller,
    *,
    title: str,
    aware_at: datetime,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Recorded:
    """Record that the organisation became aware of a breach; InvalidRequestError."""
    organisation_id, _ = caller.member
    now = clock.now()
    title = clean_title(title)
    if not now - _OLDEST <= aware_at <= now:
        raise wrong("aware_at", "Write a moment of the last year that has passed.")
    if since and (since > now or (until and until < since)):
        raise wrong("since", "It begins in the past and before its end.")
    public_id = new_public_id(now)
    row = Breach(
        public_id=public_id,
        organisation_id=organisation_id,
        sealed_title=notes().seal(title, public_id),
        aware_at=aware_at,
        since=since,
        until=until,
        opened_at=now,
        opened_by=caller.pseudonym,
    )
    session.add(row)
    session.flush()
    append(
        session,
        caller,
        "breach.open",
        object_type="breach",
        objects=[str(public_id)],
        details={"due": _due(row).isoformat(timespec="minutes")},
    )
    notify(
        session,
        organisation_id,
        Role.COMPLIANCE,
        "breach.opened",
        {"hours": _hours_left(row, now)},
        f"/breaches/{public_id}",
    )
    return _recorded(row)


def list_breaches(
    session: Session, caller: Caller, *, is_open: bool, before: UUID | None = None
) -> list[Recorded]:
    """Up to PAGE breaches of the organisation, newest first, after `before`; logged."""
    organisation_id, _ = caller.member
    ended = Breach.closed_at.is_(None) if is_open else Breach.closed_at.is_not(None)
    wanted = select(Breach).where(Breach.organisation_id == organisation_id, ended)
    if before is not None:
        last = select(Breach.id).where(
            Breach.public_id == before, Breach.organisation_id == organisation_id
        )
        wanted = wanted.where(Breach.id < last.scalar_subquery())
    rows = session.scalars(wanted.order_by(Breach.id.desc()).limit(PAGE)).all()
    append(session, caller, "breach.list", object_type="breach", count=len(rows))
    return [_recorded(row) for row in rows]


def read(session: Session, caller: Caller, breach_id: UUID) -> Recorded:
    """One breach with its notes and who may be concerned; UnknownBreachError; logged."""
    row = _own(session, caller, breach_id)
    append(session, caller, "breach.read", object_type="breach", objects=[str(breach_id)])
    found = session.scalars(
        select(BreachNote).where(BreachNote.breach_id == row.id).order_by(BreachNote.place)
    )
    return _recorded(row, [_written(row, each) for each in found], _affected(session, row))


def add_note(
    session: Session,
    caller: Caller,
    breach_id: UUID,
    *,
    step: BreachStep,
    text: str,
    risk: Risk | None = None,
) -> None:
    """Add what was found or done; a step that tells somebody notes that it was done now.

    UnknownBreachError, BreachClosedError, BreachNotReadyError for an end too early, and
    InvalidRequestError for no text, or no risk where the risk is judged. Who is told of a breach
    after 72 hours says why (GDPR Art. 33(1)): the note is the reason.
    """
    row = _own(session, caller, breach_id)
    if row.closed_at is not None:
        raise BreachClosedError
    clean = clean_note(text)
    if not clean:
        raise wrong("note", "Say in a note what was found or done.")
    if (step is BreachStep.RISK) != (risk is not None):
        raise wrong("risk", "Choose what it means for people, with the step of judging the risk.")
    now = clock.now()
    if step is BreachStep.CLOSED and not _is_ready(row):
        raise BreachNotReadyError
    before = _stands(row)
    match step:
        case BreachStep.RISK:
            row.risk = risk
        case BreachStep.AUTHORITY:
            row.authority_at = row.authority_at or now
        case BreachStep.PEOPLE:
            row.people_at = row.people_at or now
        case BreachStep.PARTNERS:
            row.partners_at = row.partners_at or now
        case BreachStep.CLOSED:
            row.closed_at, row.closed_by = now, caller.pseudonym
        case _:
            pass
    # What moves the breach on is taken however many notes there are: else it would stay open.
    _write(session, caller, row, step, clean, is_bounded=_stands(row) == before)
    act = "breach.close" if step is BreachStep.CLOSED else "breach.note"
    told = {"step": step.value} | ({"risk": risk.value} if risk else {})
    append(session, caller, act, object_type="breach", objects=[str(breach_id)], details=told)


def standing(session: Session, organisation_id: int) -> Standing:
    """How many breaches are open, and by when the next authority must have been told."""
    rows = session.execute(
        select(Breach.aware_at, Breach.authority_at, Breach.risk).where(
            Breach.organisation_id == organisation_id, Breach.closed_at.is_(None)
        )
    ).all()
    untold = [
        row.aware_at + timedelta(hours=HOURS)
        for row in rows
        if row.authority_at is None and row.risk is not Risk.UNLIKELY
    ]
    return Standing(len(rows), min(untold, default=None))


def remind(session: Session) -> int:
    """Tell officers at 48, 24, 12 and 4 hours left, and when the time is over; how many."""
    now, told = clock.now(), 0
    rows = session.scalars(
        select(Breach)
        .where(Breach.closed_at.is_(None), Breach.authority_at.is_(None))
        .order_by(Breach.id)
        .with_for_update(skip_locked=True)
    )
    for row in rows:
        left = _hours_left(row, now)
        passed = [each for each in _REMINDED if left <= each]
        if row.risk is Risk.UNLIKELY or not passed:
            continue
        if row.reminded_hours is None or passed[-1] < row.reminded_hours:
            row.reminded_hours = passed[-1]
            facts, address = {"hours": max(0, left)}, f"/breaches/{row.public_id}"
            notify(session, row.organisation_id, Role.COMPLIANCE, "breach.due", facts, address)
            told += 1
    session.flush()
    return told


def expire(session: Session) -> int:
    """Erase records that were closed longer ago than KEPT, at most a batch; returns how many."""
    old = (
        select(Breach.id)
        .where(Breach.closed_at < clock.now() - KEPT)
        .order_by(Breach.id)
        .limit(_BATCH)
    )
    ids = list(session.scalars(old))
    if not ids:
        return 0
    session.execute(delete(BreachNote).where(BreachNote.breach_id.in_(ids)))
    gone = delete(Breach).where(Breach.id.in_(ids))
    erased: dict[int, list[str]] = {}
    for organisation_id, public_id in session.execute(
        gone.returning(Breach.organisation_id, Breach.public_id)
    ):
        erased.setdefault(organisation_id, []).append(str(public_id))
    members = directory(session)
    for organisation_id, objects in sorted(erased.items()):
        append(
            session,
            CONSOLE,
            "breach.expire",
            audience=[members[organisation_id].code],
            object_type="breach",
            objects=sorted(objects),
        )
    return len(ids)


def _own(session: Session, caller: Caller, breach_id: UUID) -> Breach:
    organisation_id, _ = caller.member
    row = session.scalar(
        select(Breach)
        .where(Breach.public_id == breach_id, Breach.organisation_id == organisation_id)
        .with_for_update()
    )
    if row is None:
        raise UnknownBreachError
    return row


def _is_ready(row: Breach) -> bool:
    """Whether those who must be told were told, by the risk that was judged."""
    if row.risk is None:
        return False
    is_told = row.risk is Risk.UNLIKELY or row.authority_at is not None
    return is_told and (row.risk is not Risk.HIGH or row.people_at is not None)


def _stands(row: Breach) -> tuple[object, ...]:
    """How far its handling is."""
    return row.risk, row.authority_at, row.people_at, row.partners_at, row.closed_at


def _write(
    session: Session,
    caller: Caller,
    row: Breach,
    step: BreachStep,
    text: str,
    *,
    is_bounded: bool = True,
) -> None:
    last = session.scalar(select(func.max(BreachNote.place)).where(BreachNote.breach_id == row.id))
    place = (last or 0) + 1
    if is_bounded and place > MOST_NOTES:
        raise wrong("note", f"A breach has at most {MOST_NOTES} notes: keep the rest in your file.")
    session.add(
        BreachNote(
            breach_id=row.id,
            place=place,
            step=step,
            sealed_note=notes().seal(text, row.public_id, place),
            told_at=clock.now(),
            told_by=caller.pseudonym,
        )
    )
    session.flush()


def _written(row: Breach, note: BreachNote) -> Written:
    text = notes().open(bytes(note.sealed_note), row.public_id, note.place)
    return Written(note.step, text, note.told_at, note.told_by)


def _affected(session: Session, row: Breach) -> Affected:
    """By the ledger, from when it began, or a year before it was noticed, until its end or now."""
    since = row.since or row.aware_at - _OLDEST
    span = ledger_spans.between(session, row.organisation_id, since, row.until or clock.now())
    members = directory(session)
    return Affected(
        span.own,
        {members[each].code: count for each, count in span.to.items()},
        {members[each].code: count for each, count in span.came_from.items()},
    )


def _due(row: Breach) -> datetime:
    return row.aware_at + timedelta(hours=HOURS)


def _hours_left(row: Breach, now: datetime) -> int:
    return ceil((_due(row) - now).total_seconds() / 3600)


def _recorded(
    row: Breach, written: Sequence[Written] = (), affected: Affected | None = None
) -> Recorded:
    return Recorded(
        id=row.public_id,
        title=notes().open(bytes(row.sealed_title), row.public_id),
        aware_at=row.aware_at,
        since=row.since,
        until=row.until,
        risk=row.risk,
        opened_at=row.opened_at,
        opened_by=row.opened_by,
        authority_at=row.authority_at,
        people_at=row.people_at,
        partners_at=row.partners_at,
        closed_at=row.closed_at,
        closed_by=row.closed_by,
        notes=written,
        affected=affected,
    )

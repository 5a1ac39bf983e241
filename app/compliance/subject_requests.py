"""Requests of persons for their rights: opened, answered in time, and forgotten after a while.

GDPR Art. 12(3) gives one month from receipt; LED Art. 12(3) says "without undue delay" and leaves
the days to the law of the member state, so the same month is the default here. Who the person is
stands on premises: here are a sealed note, what was found as counts, and the days.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app import clock
from app.access import CONSOLE, Caller
from app.audit.service import append
from app.compliance.models import SubjectRequest
from app.compliance.sealing import clean_note, notes, wrong
from app.errors import ConflictError, NotFoundError
from app.jobs.notifications import notify
from app.organisations.service import directory
from app.public_ids import new_public_id
from postern.vocabulary import Role, SubjectRequestState, SubjectRight

REMINDED = timedelta(days=7)
"""Before its day, compliance is told of a request; and once more on the day."""

KEPT = timedelta(days=3 * 365)
"""After its closing a request is erased; the log keeps that there was one."""

_BATCH = 500
_ANSWER = 1  # the place of the answer among what is sealed of a request


class UnknownSubjectRequestError(NotFoundError):
    code = "subject-request-unknown"
    title = "There is no such subject request for you"
    remedy = "List the requests of your organisation at /api/v1/subject-requests."


class SubjectRequestClosedError(ConflictError):
    code = "subject-request-closed"
    title = "The subject request was closed already"
    remedy = "Read it: it tells how it ended. Open a new one if the person asked again."


@dataclass(frozen=True)
class Asked:
    """A request as its organisation reads it; persons are pseudonyms of the log.

    `holdings` and `recipients` are the counts of the last search, None before the first.
    """

    id: UUID
    right: SubjectRight
    state: SubjectRequestState
    note: str
    answer: str
    opened_at: datetime
    opened_by: UUID
    due_on: date
    searched_at: datetime | None
    holdings: int | None
    recipients: int | None
    closed_at: datetime | None
    closed_by: UUID | None

    @property
    def is_open(self) -> bool:
        """Whether it waits for an answer."""
        return self.state is SubjectRequestState.OPEN

    @property
    def days_left(self) -> int:
        """Until its day; negative when that has passed."""
        return (self.due_on - clock.now().date()).days


@dataclass(frozen=True)
class Page:
    """Requests, newest first; `next` is the cursor of the following page, None on the last."""

    requests: list[Asked]
    next: UUID | None


def open_request(
    session: Session, caller: Caller, *, right: SubjectRight, case: str, note: str
) -> Asked:
    """Note that a person asked today. `case` enters the erasable part of the log alone."""
    organisation_id, _ = caller.member
    now = clock.now()
    public_id = new_public_id(now)
    row = SubjectRequest(
        public_id=public_id,
        organisation_id=organisation_id,
        right=right,
        state=SubjectRequestState.OPEN,
        sealed_note=notes().seal(clean_note(note), public_id),
        sealed_answer=None,
        opened_at=now,
        opened_by=caller.pseudonym,
        due_on=month_after(now.date()),
        searched_at=None,
        holdings=None,
        recipients=None,
        closed_at=None,
        closed_by=None,
        reminded_at=None,
    )
    session.add(row)
    session.flush()
    append(
        session,
        caller,
        "subject.open",
        case=case,
        object_type="subject-request",
        objects=[str(public_id)],
        details={"right": right.value, "due": row.due_on.isoformat()},
    )
    return _asked(row)


def list_requests(
    session: Session,
    caller: Caller,
    limit: int,
    cursor: UUID | None = None,
    state: SubjectRequestState | None = None,
    *,
    is_open: bool | None = None,
) -> Page:
    """The organisation's requests, newest first; `cursor` is the last id of the page before.

    Of one state, or those that wait for an answer, or those that do not.
    """
    organisation_id, _ = caller.member
    wanted = select(SubjectRequest).where(SubjectRequest.organisation_id == organisation_id)
    if state is not None:
        wanted = wanted.where(SubjectRequest.state == state)
    if is_open is not None:
        waits = SubjectRequest.state == SubjectRequestState.OPEN
        wanted = wanted.where(waits if is_open else ~waits)
    if cursor is not None:
        last = select(SubjectRequest.id).where(
            SubjectRequest.public_id == cursor, SubjectRequest.organisation_id == organisation_id
        )
        wanted = wanted.where(SubjectRequest.id < last.scalar_subquery())
    rows = session.scalars(wanted.order_by(SubjectRequest.id.desc()).limit(limit + 1)).all()
    shown = rows[:limit]
    append(session, caller, "subject.list", object_type="subject-request", count=len(shown))
    return Page([_asked(row) for row in shown], shown[-1].public_id if len(rows) > limit else None)


def read_request(session: Session, caller: Caller, request_id: UUID) -> Asked:
    """One request; UnknownSubjectRequestError for another's as for none."""
    row = own(session, caller, request_id)
    append(
        session, caller, "subject.read", object_type="subject-request", objects=[str(request_id)]
    )
    return _asked(row)


def close(
    session: Session,
    caller: Caller,
    request_id: UUID,
    *,
    state: SubjectRequestState,
    note: str,
) -> Asked:
    """Close a request as answered or refused, with what the person was told.

    UnknownSubjectRequestError, SubjectRequestClosedError, and InvalidRequestError for another state
    or without a note: a refusal is in writing and says why (LED Art. 15(3), GDPR Art. 12(4)).
    """
    row = own(session, caller, request_id)
    if row.state is not SubjectRequestState.OPEN:
        raise SubjectRequestClosedError
    if state is SubjectRequestState.OPEN:
        raise wrong("state", "Choose how it ends: answered or refused.")
    text = clean_note(note)
    if not text:
        raise wrong("note", "Say in a note what the person was told.")
    row.state, row.sealed_answer = state, notes().seal(text, request_id, _ANSWER)
    row.closed_by, row.closed_at = caller.pseudonym, clock.now()
    session.flush()
    append(
        session,
        caller,
        "subject.close",
        object_type="subject-request",
        objects=[str(request_id)],
        details={"right": row.right.value, "state": state.value},
    )
    return _asked(row)


def open_count(session: Session, organisation_id: int) -> int:
    """How many requests of the organisation wait for an answer."""
    return session.execute(
        select(func.count())
        .select_from(SubjectRequest)
        .where(
            SubjectRequest.organisation_id == organisation_id,
            SubjectRequest.state == SubjectRequestState.OPEN,
        )
    ).scalar_one()


def own(session: Session, caller: Caller, request_id: UUID) -> SubjectRequest:
    """The row of the organisation's own request, locked; UnknownSubjectRequestError."""
    organisation_id, _ = caller.member
    row = session.scalar(
        select(SubjectRequest)
        .where(
            SubjectRequest.public_id == request_id,
            SubjectRequest.organisation_id == organisation_id,
        )
        .with_for_update()
    )
    if row is None:
        raise UnknownSubjectRequestError
    return row


def remind(session: Session) -> int:
    """Tell compliance of requests whose day is near, and of those whose day it is; how many."""
    now = clock.now()
    today = now.date()
    rows = session.scalars(
        select(SubjectRequest)
        .where(
            SubjectRequest.state == SubjectRequestState.OPEN,
            SubjectRequest.due_on <= today + REMINDED,
        )
        .order_by(SubjectRequest.id)
        .with_for_update(skip_locked=True)
    ).all()
    told = [row for row in rows if _is_to_be_told(row, today)]
    for row in told:
        row.reminded_at = now
        facts = {"right": row.right.value, "days": max((row.due_on - today).days, 0)}
        address = f"/subjects/{row.public_id}"
        notify(session, row.organisation_id, Role.COMPLIANCE, "subject.due", facts, address)
    session.flush()
    return len(told)


def expire(session: Session) -> int:
    """Erase requests that were closed longer ago than KEPT, at most a batch; returns how many."""
    old = (
        select(SubjectRequest.id)
        .where(SubjectRequest.closed_at < clock.now() - KEPT)
        .order_by(SubjectRequest.id)
        .limit(_BATCH)
        .scalar_subquery()
    )
    columns = SubjectRequest.organisation_id, SubjectRequest.public_id
    gone = delete(SubjectRequest).where(SubjectRequest.id.in_(old)).returning(*columns)
    erased: dict[int, list[str]] = {}
    for organisation_id, public_id in session.execute(gone):
        erased.setdefault(organisation_id, []).append(str(public_id))
    members = directory(session) if erased else {}
    for organisation_id, ids in sorted(erased.items()):
        append(
            session,
            CONSOLE,
            "subject.expire",
            audience=[members[organisation_id].code],
            object_type="subject-request",
            objects=sorted(ids),
        )
    return sum(map(len, erased.values()))


def month_after(day: date) -> date:
    """The same day of the next month, or its last one (Regulation 1182/71, Art. 3(2)(c))."""
    year, month = divmod(day.year * 12 + day.month, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _is_to_be_told(row: SubjectRequest, today: date) -> bool:
    """Whether nobody was told yet, or not since its day came."""
    if row.reminded_at is None:
        return True
    return today >= row.due_on > row.reminded_at.date()


def _asked(row: SubjectRequest) -> Asked:
    sealed = row.sealed_answer
    return Asked(
        id=row.public_id,
        right=row.right,
        state=row.state,
        note=notes().open(bytes(row.sealed_note), row.public_id),
        answer=notes().open(bytes(sealed), row.public_id, _ANSWER) if sealed else "",
        opened_at=row.opened_at,
        opened_by=row.opened_by,
        due_on=row.due_on,
        searched_at=row.searched_at,
        holdings=row.holdings,
        recipients=row.recipients,
        closed_at=row.closed_at,
        closed_by=row.closed_by,
    )

"""Doing what the outbox asks for: one row at a time, each try counted before it begins.

1. One transaction takes the oldest row that is due, counts the try and leases the row. Others pass
   it over: on PostgreSQL they skip what is locked, on SQLite there is one writer.
2. The row is done: in a second transaction that also marks it, or outside of any (see Errand).
3. The mark compares the lease, so a worker that was thought dead marks nothing any more, and what
   it did in that transaction is undone.

A worker that dies leaves its row leased; after the lease the row is due again. A row whose tries
are used up is dead: a person looks at it (`jobs dead`), and `jobs retry` begins anew. Of an error
only its type is kept, since its text may quote personal data.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import structlog
from sqlalchemy import ColumnElement, and_, delete, func, or_, select
from sqlalchemy.orm import Session

from app.access import CONSOLE, Caller
from app.audit.service import append
from app.clock import now
from app.errors import NotFoundError
from app.jobs.models import JobState, Outbox
from app.jobs.outbox import CAUSE, Ending, Errand, Handler, Handlers, Payload, parted
from app.jobs.worker_metrics import count_job
from app.runtime import Runtime

log = structlog.get_logger(__name__)

KEPT_DONE = timedelta(days=7)
KEPT_DEAD = timedelta(days=180)
MOST_LISTED = 200

_BATCH = 1000
_ERROR_LENGTH = 200
_LOST = "WorkerLost"  # in place of an error's type: the worker died in the last try


class HopelessError(Exception):
    """Raised by what does a row when no further try could help: the row is dead at once."""


class LeaseLostError(Exception):
    """The row was taken over by another worker while this one did it."""


class UnknownJobError(NotFoundError):
    title = "There is no dead job with this number"
    remedy = "List the dead jobs with: flask --app wsgi jobs dead"


@dataclass(frozen=True)
class Pace:
    """How patiently rows are done. With these, the twelfth try is about twelve hours later."""

    lease: timedelta = timedelta(minutes=3)  # an errand outside takes less
    first_pause: timedelta = timedelta(seconds=30)  # doubled after each failed try ...
    longest_pause: timedelta = timedelta(hours=4)  # ... up to this
    tries: int = 12
    held_back: timedelta = timedelta(minutes=1)  # what else waits for a way that has just failed


@dataclass(frozen=True)
class TopicStanding:
    """How the rows of a topic stand; `lag` is how long the oldest has been due that nobody does.

    What is under way waits, and is due again at the end of its lease.
    """

    topic: str
    waiting: int
    due: int
    lag: timedelta
    failing: int  # that wait, and whose last try failed
    dead: int
    is_handled: bool  # by this version of the platform


@dataclass(frozen=True)
class DeadJob:
    """A row whose tries are used up; `error` is the type of the last error."""

    id: int
    topic: str
    tries: int
    made_at: datetime
    ended_at: datetime | None
    error: str


@dataclass(frozen=True)
class FailingJob:
    """A row whose last try failed and that is tried again at `due_at`; `error` is a type."""

    id: int
    topic: str
    tries: int
    due_at: datetime
    error: str


@dataclass(frozen=True)
class _Taken:
    """A row under lease, and what to do after this commit; `do` None: it is over already."""

    id: int
    topic: str
    cause: str | None  # id of the request that asked for it
    lease: UUID
    do: Callable[[], None] | None


def drain(runtime: Runtime, is_ending: Callable[[], bool] = lambda: False) -> int:
    """Do rows until none is due or `is_ending`; returns how many tries were made."""
    tries = 0
    while not is_ending() and run_one(runtime):
        tries += 1
    return tries


def run_one(runtime: Runtime) -> bool:
    """Try the row that has been due longest; False when none is due.

    What is said of it in the log carries the id of the request that asked for it.
    """
    with runtime.database.transaction() as session:
        taken = _take(session, runtime)
    if taken is None:
        return False
    if taken.do is not None:
        with _said_for(taken.cause):
            _do(runtime, taken, taken.do)
    return True


def _do(runtime: Runtime, taken: _Taken, do: Callable[[], None]) -> None:
    try:
        do()
    except LeaseLostError:
        log.warning("job taken over", topic=taken.topic, job=taken.id)
    except Exception as error:  # whatever it raises, the other rows must go on
        log.warning("job failed", topic=taken.topic, job=taken.id, exc_info=error)
        _note_failure(runtime, taken, error)
    else:
        count_job(taken.topic, Ending.DONE)
        log.info("job done", topic=taken.topic, job=taken.id)


@contextmanager
def _said_for(cause: str | None) -> Iterator[None]:
    """Lines of the log, and what is asked for, carry the id of the request that is the cause."""
    structlog.contextvars.unbind_contextvars(CAUSE)
    if cause is None:
        yield
        return
    with structlog.contextvars.bound_contextvars(**{CAUSE: cause}):
        yield


def has_due(session: Session, runtime: Runtime) -> bool:
    """Whether a row that this process can do is due."""
    return session.scalar(select(Outbox.id).where(_is_due(runtime, now())).limit(1)) is not None


def standings(session: Session, runtime: Runtime) -> list[TopicStanding]:
    """How each topic stands that has rows or a handler, by name."""
    at = now()
    is_waiting = Outbox.state == JobState.WAITING
    is_due = and_(is_waiting, Outbox.due_at <= at)
    rows = {
        row.of: row
        for row in session.execute(
            select(
                Outbox.topic.label("of"),
                func.count().filter(is_waiting).label("waiting"),
                func.count().filter(is_due).label("due"),
                func.min(Outbox.due_at).filter(is_due).label("oldest"),
                func.count().filter(is_waiting, Outbox.error.is_not(None)).label("failing"),
                func.count().filter(Outbox.state == JobState.DEAD).label("dead"),
            )
            # Named one by one, they are found by the index; those that are done are many.
            .where(Outbox.state.in_([JobState.WAITING, JobState.DEAD]))
            .group_by(Outbox.topic)
        )
    }
    handled = runtime.part(Handlers).by_topic
    return [
        TopicStanding(
            topic=topic,
            waiting=rows[topic].waiting if topic in rows else 0,
            due=rows[topic].due if topic in rows else 0,
            lag=at - rows[topic].oldest if topic in rows and rows[topic].due else timedelta(),
            failing=rows[topic].failing if topic in rows else 0,
            dead=rows[topic].dead if topic in rows else 0,
            is_handled=topic in handled,
        )
        for topic in sorted(rows.keys() | handled.keys())
    ]


def dead(session: Session) -> list[DeadJob]:
    """The rows that are dead, the newest first, at most MOST_LISTED."""
    rows = session.scalars(
        select(Outbox)
        .where(Outbox.state == JobState.DEAD)
        .order_by(Outbox.ended_at.desc(), Outbox.id.desc())
        .limit(MOST_LISTED)
    )
    return [
        DeadJob(row.id, row.topic, row.tries, row.made_at, row.ended_at, row.error or "")
        for row in rows
    ]


def failing(session: Session) -> list[FailingJob]:
    """The rows that are tried again after a failure, the next first, at most MOST_LISTED."""
    rows = session.scalars(
        select(Outbox)
        .where(Outbox.state == JobState.WAITING, Outbox.error.is_not(None))
        .order_by(Outbox.due_at, Outbox.id)
        .limit(MOST_LISTED)
    )
    return [FailingJob(row.id, row.topic, row.tries, row.due_at, row.error or "") for row in rows]


def retry(session: Session, job: int, caller: Caller = CONSOLE) -> None:
    """Let a dead row begin anew, with all its tries; UnknownJobError when there is none."""
    row = session.scalar(
        select(Outbox).where(Outbox.id == job, Outbox.state == JobState.DEAD).with_for_update()
    )
    if row is None:
        raise UnknownJobError
    row.state, row.tries, row.due_at = JobState.WAITING, 0, now()
    row.lease = row.leased_until = row.error = row.ended_at = None
    append(
        session,
        caller,
        "job.retry",
        object_type="job",
        objects=[str(job)],
        details={"topic": row.topic},
    )


def tidy(session: Session) -> int:
    """Remove rows that ended long ago, at most a batch; returns how many."""
    at = now()
    old = (
        select(Outbox.id)
        .where(
            or_(
                and_(Outbox.state == JobState.DONE, Outbox.ended_at < at - KEPT_DONE),
                and_(Outbox.state == JobState.DEAD, Outbox.ended_at < at - KEPT_DEAD),
            )
        )
        .limit(_BATCH)
        .scalar_subquery()
    )
    removed = session.execute(delete(Outbox).where(Outbox.id.in_(old)).returning(Outbox.id))
    return len(removed.all())


def _is_due(runtime: Runtime, at: datetime) -> ColumnElement[bool]:
    return and_(
        Outbox.state == JobState.WAITING,
        Outbox.due_at <= at,  # of a leased row, that is the end of its lease
        # What a newer version asks for waits for a worker of that version.
        Outbox.topic.in_(sorted(runtime.part(Handlers).by_topic)),
    )


def _take(session: Session, runtime: Runtime) -> _Taken | None:
    """Lease the oldest row that is due, and count the try."""
    pace, at = runtime.part(Pace), now()
    row = session.scalar(
        select(Outbox)
        .where(_is_due(runtime, at))
        .order_by(Outbox.due_at, Outbox.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if row is None:
        return None
    run = runtime.part(Handlers).by_topic[row.topic]
    lease, (payload, cause) = uuid4(), parted(row.payload)
    if row.tries >= pace.tries:  # it was leased and never marked: whoever tried it last is gone
        with _said_for(cause):
            _end(session, row, run, _LOST)
        return _Taken(row.id, row.topic, cause, lease, None)
    row.tries += 1
    # Whoever is killed with it leaves it behind what has been due by then, not before all else.
    row.lease, row.leased_until, row.due_at = lease, at + pace.lease, at + pace.lease
    with _said_for(cause):
        do = _prepared(session, runtime, row, run, payload)
    return _Taken(row.id, row.topic, cause, lease, do)


def _prepared(
    session: Session, runtime: Runtime, row: Outbox, run: Handler | Errand, payload: Payload
) -> Callable[[], None] | None:
    """What is to be done after the commit; None when the row is over with it."""
    job, topic, lease = row.id, row.topic, row.lease
    if not isinstance(run, Errand):
        return lambda: _run_inside(runtime, job, lease, run)
    try:
        with session.begin_nested():
            act = run.prepare(session, payload, row.tries)
    except Exception as error:  # as any other failed try
        log.warning("job failed", topic=topic, job=job, exc_info=error)
        _fail(session, runtime, row, error)
        return None
    if act is None:
        _mark_done(row)
        return None
    return lambda: _run_outside(runtime, job, lease, run, act)


def _run_inside(runtime: Runtime, job: int, lease: UUID | None, run: Handler) -> None:
    with runtime.database.transaction() as session:
        row = _held(session, job, lease)
        run(session, parted(row.payload)[0])
        _mark_done(row)


def _run_outside(
    runtime: Runtime, job: int, lease: UUID | None, run: Errand, act: Callable[[], None]
) -> None:
    act()
    with runtime.database.transaction() as session:
        row = _held(session, job, lease)
        run.conclude(session, parted(row.payload)[0], Ending.DONE, "")
        _mark_done(row)


def _note_failure(runtime: Runtime, taken: _Taken, error: Exception) -> None:
    with runtime.database.transaction() as session:
        try:
            row = _held(session, taken.id, taken.lease)
        except LeaseLostError:
            return
        _fail(session, runtime, row, error)


def _held(session: Session, job: int, lease: UUID | None) -> Outbox:
    """The row, locked to the end of the transaction; LeaseLostError when it is another's."""
    row = session.scalar(
        select(Outbox)
        .where(Outbox.id == job, Outbox.lease == lease, Outbox.state == JobState.WAITING)
        .with_for_update()
    )
    if row is None:
        raise LeaseLostError
    return row


def _mark_done(row: Outbox) -> None:
    row.state, row.ended_at = JobState.DONE, now()
    row.lease = row.leased_until = row.error = None


def _fail(session: Session, runtime: Runtime, row: Outbox, error: Exception) -> None:
    """Note a failed try: it is tried again later, or dead."""
    pace, run = runtime.part(Pace), runtime.part(Handlers).by_topic[row.topic]
    name = type(error).__name__[:_ERROR_LENGTH]
    if isinstance(error, HopelessError) or row.tries >= pace.tries:
        _end(session, row, run, name)
        return
    count_job(row.topic, Ending.AGAIN)
    row.due_at = now() + pause_after(pace, row.tries)
    row.error, row.lease, row.leased_until = name, None, None
    if isinstance(run, Errand):
        run.conclude(session, parted(row.payload)[0], Ending.AGAIN, name)


def pause_after(pace: Pace, tries: int) -> timedelta:
    """How long to wait after so many failed tries: doubled each time, and never quite the same.

    Between half and one and a half of it, so that what failed together does not come back together.
    """
    whole = min(pace.longest_pause, pace.first_pause * float(2 ** (tries - 1)))
    return whole * (0.5 + secrets.randbelow(1001) / 1000)


def _end(session: Session, row: Outbox, run: Handler | Errand, error: str) -> None:
    row.state, row.error, row.ended_at = JobState.DEAD, error, now()
    row.lease = row.leased_until = None
    count_job(row.topic, Ending.DEAD)
    log.error("job dead", topic=row.topic, job=row.id, error=error)
    if not isinstance(run, Errand):
        return
    try:
        with session.begin_nested():
            run.conclude(session, parted(row.payload)[0], Ending.DEAD, error)
    except Exception as failure:  # the row is dead all the same, or it would be taken for ever
        log.warning("ending of a job failed", topic=row.topic, job=row.id, exc_info=failure)

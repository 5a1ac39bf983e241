"""Periodic duties: rooms register them at start, `flask --app wsgi jobs run` performs them.

A duty runs in one transaction together with the note of when it is due again, so it is done once
however many processes run duties. What it does to members' data it appends to the audit log itself.
"""

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from app.clock import now
from app.database import Database
from app.jobs.models import DutyRun
from app.runtime import Runtime

log = structlog.get_logger(__name__)

_RETRY = timedelta(minutes=5)
_BATCHES = 20  # of one run, so that its transaction stays short
_ROUNDS = 100  # of duties that have more to do, before others are looked at again

_has_more: ContextVar[bool] = ContextVar("has_more")
"""Whether the duty in progress left something undone; see `in_batches`."""


@dataclass(frozen=True)
class Duty:
    """Something to do every so often. `run` does a bounded part and returns how much it did."""

    name: str
    every: timedelta
    run: Callable[[Session], int]


@dataclass(frozen=True)
class Performed:
    """A duty that was due, and how much it did; None when it failed. `is_done`: for this time."""

    name: str
    count: int | None
    is_done: bool = True


@dataclass(frozen=True)
class Standing:
    """How a duty stands: `due_at` is None before its first run."""

    name: str
    every: timedelta
    due_at: datetime | None
    finished_at: datetime | None
    failures: int


@dataclass
class Duties:
    """The duties of one process, by name."""

    by_name: dict[str, Duty] = field(default_factory=dict)


def duty(runtime: Runtime, name: str, every: timedelta, run: Callable[[Session], int]) -> None:
    """Register a duty, from a room's `start`. `run` is called in an application context.

    Its session is a transaction of its own; it returns how many things it did. Whatever it raises
    undoes its work and is tried again soon. LookupError when the name is taken.
    """
    duties = runtime.part(Duties).by_name
    if name in duties:
        raise LookupError(f"there is a duty {name} already")
    duties[name] = Duty(name, every, run)


def in_batches(erase: Callable[[], int], size: int, most: int = _BATCHES) -> int:
    """Call `erase`, which erases up to `size`, until nothing is left or the run is long enough.

    In the second case the duty is due again at once: what waits goes away as fast as it can.
    """
    erased = 0
    for _ in range(most):
        batch = erase()
        erased += batch
        if batch < size:
            return erased
    leave_more()
    return erased


def leave_more() -> None:
    """Say, within a duty, that something is left to do: it is due again at once."""
    _has_more.set(True)


def run_due(runtime: Runtime) -> Iterator[Performed]:
    """Perform every duty that is due, one transaction each; a failure does not stop the others.

    Those that have more to do take turns until nothing is left, or for a while.
    """
    waiting = list(runtime.part(Duties).by_name.values())
    for _ in range(_ROUNDS):
        more = []
        for each in waiting:
            performed = _perform(runtime.database, each)
            if performed is not None:
                yield performed
                if not performed.is_done:
                    more.append(each)
        if not more:
            return
        waiting = more


def standings(session: Session, runtime: Runtime) -> list[Standing]:
    """How every registered duty stands, by name."""
    rows = {row.name: row for row in session.scalars(select(DutyRun))}
    return [
        Standing(
            name=name,
            every=each.every,
            due_at=rows[name].due_at if name in rows else None,
            finished_at=rows[name].finished_at if name in rows else None,
            failures=rows[name].failures if name in rows else 0,
        )
        for name, each in sorted(runtime.part(Duties).by_name.items())
    ]


def _perform(database: Database, each: Duty) -> Performed | None:
    try:
        with database.transaction() as session:
            began = now()
            if not _claim(session, each, began):
                return None
            _has_more.set(False)
            count = each.run(session)
            is_done = not _has_more.get()
            due_at = began + each.every if is_done else began
            _note(session, each, due_at=due_at, finished_at=now(), failures=0)
    except Exception:  # whatever a duty raises, the others must go on
        log.exception("duty failed", duty=each.name)
        _postpone(database, each)
        return Performed(each.name, None)
    log.info("duty done", duty=each.name, count=count)
    return Performed(each.name, count, is_done)


def _claim(session: Session, each: Duty, began: datetime) -> bool:
    """Whether the duty is due and now locked by this transaction."""
    _ensure_row(session, each, began)
    claimed = (
        select(DutyRun.name)
        .where(DutyRun.name == each.name, DutyRun.due_at <= began)
        .with_for_update(skip_locked=True)
    )
    return session.execute(claimed).first() is not None


def _postpone(database: Database, each: Duty) -> None:
    with database.transaction() as session:
        _ensure_row(session, each, now())
        again = now() + min(each.every, _RETRY)
        _note(session, each, due_at=again, failures=DutyRun.failures + 1)


def _ensure_row(session: Session, each: Duty, due_at: datetime) -> None:
    make = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    row = {"name": each.name, "due_at": due_at, "failures": 0}
    session.execute(make(DutyRun).values(row).on_conflict_do_nothing())


def _note(session: Session, each: Duty, **columns: object) -> None:
    session.execute(update(DutyRun).where(DutyRun.name == each.name).values(columns))

"""The outbox: what a transaction wants done after its commit, as rows of the same transaction.

A row is the truth: what it asks for is done at least once, whatever becomes of a worker, so what
handles a topic must bear being called again. Payloads hold ids and codes, never personal data.
How rows are done stands in draining.py.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import structlog
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from app.clock import now
from app.jobs.models import JobState, Outbox
from app.runtime import Runtime

Payload = Mapping[str, Any]

CAUSE = "request_id"
"""Where a payload holds the id of the request that asked for it, for the log's lines alone."""

Handler = Callable[[Session, Payload], None]
"""Does what one row asks for, in a transaction of its own that also marks the row as done."""


class Ending(StrEnum):
    """How a try to do a row outside of the database ended."""

    DONE = "done"
    AGAIN = "again"  # it failed and is tried again
    DEAD = "dead"  # it failed for the last time


@dataclass(frozen=True)
class Errand:
    """What is done outside of the database, where no transaction may wait for it.

    `prepare` gets the number of the try and runs in the transaction that counts the try; it returns
    what to do after that commit, or None when nothing is left to do. `conclude` runs in the
    transaction that notes how it ended, with the name of the error, "" for none. A worker that dies
    between the two leaves a try without an ending.
    """

    prepare: Callable[[Session, Payload, int], Callable[[], None] | None]
    conclude: Callable[[Session, Payload, Ending, str], None]


@dataclass
class Handlers:
    """Who handles which topic, in this process."""

    by_topic: dict[str, Handler | Errand] = field(default_factory=dict)


def handle(runtime: Runtime, topic: str, run: Handler | Errand) -> None:
    """Register who handles a topic, from a room's `start`. LookupError when somebody does."""
    handlers = runtime.part(Handlers).by_topic
    if topic in handlers:
        raise LookupError(f"there is a handler for {topic} already")
    handlers[topic] = run


def put(
    session: Session,
    topic: str,
    payload: Payload,
    *,
    key: str | None = None,
    due_at: datetime | None = None,
) -> None:
    """Ask for `topic` to be done after the commit, or from `due_at` on.

    With a `key`, what is asked for under the same topic and key already is not asked for twice,
    until a week after it was done.
    """
    at = now()
    cause = structlog.contextvars.get_contextvars().get("request_id")
    row = {
        "topic": topic,
        "key": key,
        "payload": dict(payload) if cause is None else {**payload, CAUSE: cause},
        "state": JobState.WAITING,
        "tries": 0,
        "made_at": at,
        "due_at": due_at or at,
    }
    make = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    statement = make(Outbox).values(row)
    session.execute(statement.on_conflict_do_nothing() if key is not None else statement)


def parted(stored: Payload) -> tuple[dict[str, Any], str | None]:
    """What a row asks for, and the id of the request that asked for it, if one did."""
    payload = dict(stored)
    return payload, payload.pop(CAUSE, None)


def hold_back(session: Session, topic: str, beginning: str, until: datetime) -> None:
    """Let what waits under keys that begin so, and is not under way, be due no earlier."""
    session.execute(
        update(Outbox)
        .where(
            Outbox.topic == topic,
            Outbox.key.startswith(beginning, autoescape=True),
            Outbox.state == JobState.WAITING,
            Outbox.lease.is_(None),
            Outbox.due_at < until,
        )
        .values(due_at=until)
    )

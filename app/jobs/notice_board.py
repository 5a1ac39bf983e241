"""The page of notifications: chosen, a screenful at a time, and marked as seen all at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, update
from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.audit.service import append
from app.errors import NotFoundError
from app.jobs.models import Notification
from app.jobs.notifications import Notice, merged, own

PER_PAGE = 50
MOST_MARKED = 500
"""How many are marked as seen at once: their ids enter the log."""


class Box(StrEnum):
    WAITING = "waiting"
    SEEN = "seen"


class Subject(StrEnum):
    """About what it is; `of_subject` says which kinds belong to it."""

    DISCLOSURES = "disclosures"
    WATCHES = "watches"
    FOLLOW_UP = "follow-up"
    PATTERNS = "patterns"
    BARRIERS = "barriers"
    LOG = "log"
    OVERSIGHT = "oversight"
    PERSONS = "persons"
    ACCESS = "access"


OF_SUBJECT: Mapping[Subject, Sequence[str]] = {
    Subject.DISCLOSURES: ("disclosure",),
    Subject.WATCHES: ("watch", "deconfliction", "indicator"),
    Subject.FOLLOW_UP: ("outcome", "recall", "sighting"),
    Subject.PATTERNS: ("pattern", "filter"),
    Subject.BARRIERS: ("barrier", "model"),
    Subject.LOG: ("log",),
    Subject.OVERSIGHT: ("review", "signal"),
    Subject.PERSONS: ("subject", "hold", "breach"),
    Subject.ACCESS: (
        *("account", "break-glass", "token", "sign-on"),
        *("channel", "exchange", "key", "server"),
    ),
}
"""How the kinds of a subject begin, up to their point; a test finds each kind in one of them."""


@dataclass(frozen=True)
class NoticePage:
    """`newest` and `following` name a notification: up to where to mark, and where to go on."""

    notices: Sequence[Notice]
    newest: UUID | None
    following: UUID | None


def page(
    session: Session, caller: Caller, box: Box, subject: Subject | None, before: UUID | None
) -> NoticePage:
    """PER_PAGE rows of the caller's, newest first, those after `before`; the reading is logged.

    Rows that say the same for two roles of the caller are one notice. A `before` that is not the
    caller's begins at the newest.
    """
    chosen = _chosen(caller, box, subject)
    last = None if before is None else session.scalar(own(caller).where(_is(before)))
    if last is not None:
        chosen = chosen.where(
            or_(
                Notification.made_at < last.made_at,
                and_(Notification.made_at == last.made_at, Notification.id < last.id),
            )
        )
    rows = session.scalars(
        chosen.order_by(Notification.made_at.desc(), Notification.id.desc()).limit(PER_PAGE + 1)
    ).all()
    shown = merged(rows[:PER_PAGE])
    append(session, caller, "notification.read", object_type="notification", count=len(shown))
    return NoticePage(
        notices=shown,
        newest=rows[0].public_id if rows else None,
        following=rows[PER_PAGE - 1].public_id if len(rows) > PER_PAGE else None,
    )


def mark_all_seen(session: Session, caller: Caller, subject: Subject | None, newest: UUID) -> int:
    """Note that the caller saw what waits up to `newest`, which the page named; returns how many.

    What was written after the page was shown stays unseen, so nothing is marked that nobody saw.
    At most MOST_MARKED at once, the oldest first. NotFoundError when `newest` is not the caller's.
    """
    last = session.scalar(own(caller).where(_is(newest)))
    if last is None:
        raise NotFoundError
    rows = session.scalars(
        _chosen(caller, Box.WAITING, subject)
        .where(Notification.made_at <= last.made_at)
        .order_by(Notification.made_at, Notification.id)
        .limit(MOST_MARKED)
    ).all()
    session.execute(
        update(Notification)
        .where(Notification.id.in_([row.id for row in rows]), Notification.seen_at.is_(None))
        .values(seen_by=caller.person, seen_at=clock.now())
    )
    append(
        session,
        caller,
        "notification.seen",
        object_type="notification",
        objects=[str(row.public_id) for row in rows],
        details={"kinds": sorted({row.kind for row in rows})},
    )
    return len(rows)


def _chosen(caller: Caller, box: Box, subject: Subject | None) -> Select[Notification]:
    chosen = own(caller)
    unseen = Notification.seen_at.is_(None)
    chosen = chosen.where(unseen if box is Box.WAITING else ~unseen)
    if subject is None:
        return chosen
    begins = [Notification.kind.startswith(f"{each}.") for each in OF_SUBJECT[subject]]
    return chosen.where(or_(*begins))


def _is(notification: UUID) -> ColumnElement[bool]:
    return Notification.public_id == notification

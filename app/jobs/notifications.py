"""Notifications: what people of one role of an organisation should know, until one of them saw it.

Some are for one person alone: that something about how they sign in was changed.

A room writes one in the transaction of what it tells; it carries codes and counts, no personal
data. What it says in words stands in app/web/notices.py, by its kind. Where an organisation has
channels, what is to leave by them is asked for in the same transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Select, and_, delete, or_, select, update
from sqlalchemy.orm import Session

from app import clock, row_security
from app.access import Caller
from app.audit.service import append
from app.errors import NotFoundError
from app.jobs.models import Channel, Dispatch, Notification
from app.jobs.outbox import put
from postern.vocabulary import DispatchState, Role

KEPT = timedelta(days=180)
MOST_LISTED = 200

DISPATCH = "notification.dispatch"
"""Topic of the outbox: the sending of one notification by one channel."""

_BATCH = 1000
_TOLD = "channels_told"  # key of Session.info: what the transaction sends by which channel


@dataclass(frozen=True)
class Notice:
    """A notification as it is shown; `roles` are the caller's for which it was written.

    There are none of one that was written for a person alone.
    """

    id: UUID
    roles: tuple[Role, ...]
    kind: str
    facts: Mapping[str, Any]
    address: str
    made_at: datetime
    seen_at: datetime | None


def notify(  # noqa: PLR0917 - the parts of one row, in the order in which they are read
    session: Session,
    organisation_id: int,
    role: Role,
    kind: str,
    facts: Mapping[str, Any],
    address: str,
    *,
    on_pages_only: bool = False,
) -> None:
    """Tell the people of a role of an organisation, in the transaction of what is told.

    `kind` names the sentence, `facts` are the codes and counts in it, `address` is the path of the
    page to open. The same fact for two roles is two calls with equal facts: who holds both roles
    sees it once, and a channel for both carries it once. `on_pages_only` keeps it from channels.
    """
    row = written(session, organisation_id, role, kind, facts, address)
    if on_pages_only:
        return
    live = (
        select(Channel)
        .where(Channel.organisation_id == organisation_id, Channel.stopped_at.is_(None))
        .order_by(Channel.id)
    )
    told: set[tuple[object, ...]] = session.info.setdefault(_TOLD, set())
    for channel in session.scalars(live):
        told_already = (channel.id, *_key(row))
        if role.value in channel.roles and told_already not in told:
            told.add(told_already)
            dispatch(session, row, channel)


def written(  # noqa: PLR0917 - as above
    session: Session,
    organisation_id: int,
    role: Role,
    kind: str,
    facts: Mapping[str, Any],
    address: str,
) -> Notification:
    """The row of a notification, for the pages alone."""
    return _written(session, organisation_id, role, None, (kind, facts, address))


def notify_person(  # noqa: PLR0917 - as above
    session: Session,
    organisation_id: int,
    person: UUID,
    kind: str,
    facts: Mapping[str, Any],
    address: str,
) -> UUID:
    """Tell one person (a pseudonym) of an organisation, on their pages; returns its id.

    No channel carries it: channels are of roles.
    """
    return _written(session, organisation_id, None, person, (kind, facts, address)).public_id


def _written(
    session: Session,
    organisation_id: int,
    role: Role | None,
    person: UUID | None,
    said: tuple[str, Mapping[str, Any], str],
) -> Notification:
    kind, facts, address = said
    row_security.act_for(session, organisation_id)
    row = Notification(
        public_id=uuid4(),
        organisation_id=organisation_id,
        role=role,
        person=person,
        kind=kind,
        facts=dict(facts),
        address=address,
        made_at=clock.now(),
        seen_by=None,
        seen_at=None,
    )
    session.add(row)
    session.flush()
    return row


def dispatch(session: Session, notification: Notification, channel: Channel) -> None:
    """Ask for the notification to be sent by the channel, once this transaction is committed."""
    made = Dispatch(
        public_id=uuid4(),
        notification_id=notification.id,
        channel_id=channel.id,
        state=DispatchState.WAITING,
        tries=0,
        made_at=clock.now(),
        tried_at=None,
        error=None,
    )
    session.add(made)
    session.flush()
    put(
        session,
        DISPATCH,
        {"dispatch": str(made.public_id)},
        key=f"{of_channel(channel)}{notification.public_id}",
    )


def of_channel(channel: Channel) -> str:
    """How the keys of a channel's rows in the outbox begin."""
    return f"{channel.public_id}/"


def unseen_count(session: Session, caller: Caller) -> int:
    """How many notifications wait for the caller, each counted once."""
    return len(merged(session.scalars(_waiting(caller)).all()))


def read(session: Session, caller: Caller) -> list[Notice]:
    """The caller's notifications, those nobody saw first, then newest first; the reading is logged.

    At most MOST_LISTED rows are looked at.
    """
    rows = session.scalars(
        own(caller)
        .order_by(
            Notification.seen_at.is_not(None), Notification.made_at.desc(), Notification.id.desc()
        )
        .limit(MOST_LISTED)
    ).all()
    found = merged(rows)
    append(session, caller, "notification.read", object_type="notification", count=len(found))
    return found


def mark_seen(session: Session, caller: Caller, notification: UUID) -> None:
    """Note that the caller saw it, in every role of theirs; safe to repeat.

    NotFoundError when it is not for the caller.
    """
    row = session.scalar(own(caller).where(Notification.public_id == notification))
    if row is None:
        raise NotFoundError
    same = [
        each.id
        for each in session.scalars(_waiting(caller).where(Notification.kind == row.kind))
        if _key(each) == _key(row)
    ]
    session.execute(
        update(Notification)
        .where(Notification.id.in_(same), Notification.seen_at.is_(None))
        .values(seen_by=caller.person, seen_at=clock.now())
    )
    append(
        session,
        caller,
        "notification.seen",
        object_type="notification",
        objects=[str(notification)],
        details={"kind": row.kind},
    )


def expire(session: Session) -> int:
    """Remove notifications older than KEPT, at most a batch; returns how many."""
    old = (
        select(Notification.id)
        .where(Notification.made_at < clock.now() - KEPT)
        .limit(_BATCH)
        .scalar_subquery()
    )
    removed = session.execute(
        delete(Notification).where(Notification.id.in_(old)).returning(Notification.id)
    )
    return len(removed.all())


def own(caller: Caller) -> Select[Notification]:
    """The notifications of the caller's organisation and roles, and those for them alone."""
    mine: ColumnElement[bool] = and_(
        Notification.organisation_id == caller.organisation_id,
        Notification.role.in_(sorted(caller.roles)),
    )
    if caller.person is not None:
        mine = or_(mine, Notification.person == caller.person)
    return select(Notification).where(mine)


def _waiting(caller: Caller) -> Select[Notification]:
    return own(caller).where(Notification.seen_at.is_(None)).limit(MOST_LISTED)


def _key(row: Notification) -> tuple[str, str, str]:
    return row.kind, repr(sorted(row.facts.items())), row.address


def merged(rows: Sequence[Notification]) -> list[Notice]:
    """One notice for equal rows that were written for several of the caller's roles."""
    by_key: dict[tuple[object, ...], list[Notification]] = {}
    for row in rows:
        by_key.setdefault((*_key(row), row.seen_at is None), []).append(row)
    return [
        Notice(
            id=same[0].public_id,
            roles=tuple(dict.fromkeys(each.role for each in same if each.role is not None)),
            kind=same[0].kind,
            facts=same[0].facts,
            address=same[0].address,
            made_at=same[0].made_at,
            seen_at=same[0].seen_at,
        )
        for same in by_key.values()
    ]

"""A person's sessions as they see them: on which device, proved how, and ended one by one.

Each request reads the row of its session anew, and no process remembers one: what ends here is
ended on all workers with the very next request, and in the midst of a long answer too.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.accounts.devices import devices
from app.accounts.models import WebSession
from app.audit.service import append
from app.runtime import runtime

_ID_CONTEXT = b"postern/web_session/id/v1/"


@dataclass(frozen=True)
class OpenSession:
    """One of a person's sessions; `is_current` is the one that asks.

    `id` names it on the page and opens nothing. `device` is "" where it was not told.
    """

    id: UUID
    device: str
    proved_by: tuple[str, ...]
    started_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    is_current: bool


def sessions_of(session: Session, person_id: int, current: bytes | None) -> Sequence[OpenSession]:
    """The live sessions of a person, newest first."""
    moment, idle = clock.now(), timedelta(minutes=runtime().settings.session.idle_minutes)
    rows = session.scalars(
        select(WebSession)
        .where(
            WebSession.person_id == person_id,
            WebSession.expires_at > moment,
            WebSession.last_seen_at > moment - idle,
        )
        .order_by(WebSession.started_at.desc())
    )
    return [
        OpenSession(
            id=session_id(row.name_hash),
            device=devices().open(row.sealed_device, row.name_hash),
            proved_by=tuple(row.proved_by),
            started_at=row.started_at,
            last_seen_at=row.last_seen_at,
            expires_at=row.expires_at,
            is_current=row.name_hash == current,
        )
        for row in rows
    ]


def end(session: Session, caller: Caller, which: str) -> int:
    """End the caller's session with this id; returns how many ended: none is no fault. Logged."""
    own = session.scalars(
        select(WebSession.name_hash).where(WebSession.person_id == caller.member[1])
    ).all()
    named = [name_hash for name_hash in own if str(session_id(name_hash)) == which]
    session.execute(delete(WebSession).where(WebSession.name_hash.in_(named)))
    append(session, caller, "session.end", object_type="session", count=len(named))
    return len(named)


def end_all(session: Session, caller: Caller) -> int:
    """End every session of the caller, the one that asks too; returns how many. Logged."""
    ended = session.scalars(
        delete(WebSession)
        .where(WebSession.person_id == caller.member[1])
        .returning(WebSession.name_hash)
    ).all()
    append(session, caller, "session.end", object_type="session", count=len(ended))
    return len(ended)


def session_id(name_hash: bytes) -> UUID:
    """By what a session is named on a page; neither its name nor the hash follows from it."""
    return UUID(bytes=hashlib.sha256(_ID_CONTEXT + name_hash).digest()[:16])

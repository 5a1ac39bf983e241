"""What an organisation received from a server that it polls: shown, and erased in time.

No policy of this platform speaks of it: it is the receiving organisation's own, for which its
people answer to the server it came from. It never enters the indicators of this platform.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app import clock
from app.access import CONSOLE, Caller
from app.audit.service import append
from app.exchange import subscriptions
from app.exchange.received_forms import IDENTITY
from app.exchange.server_models import ExchangeServer, ReceivedObject
from app.exchange.subscriptions import ShownServer
from app.organisations.service import directory

PAGE = 50  # objects
_BATCH = 1000


@dataclass(frozen=True)
class ShownObject:
    """What is kept of one object; `content` is empty for one that was revoked."""

    stix_id: str
    type: str
    version: str
    is_revoked: bool
    received_at: datetime
    expires_on: date
    owner: str  # the name that its server tells, "" for none
    content: Mapping[str, Any]


@dataclass(frozen=True)
class Received:
    """A page of what is kept, the newest first; `next` begins the page after it."""

    server: ShownServer
    objects: Sequence[ShownObject]
    next: int | None


def read(session: Session, caller: Caller, server: UUID, *, before: int | None = None) -> Received:
    """What is kept of a server's objects, a page of it; NotFoundError; logged."""
    organisation_id, _ = caller.member
    row = subscriptions.own(session, organisation_id, server)
    asked = (
        select(ReceivedObject)
        .where(ReceivedObject.server_id == row.id, ReceivedObject.type != IDENTITY)
        .order_by(ReceivedObject.id.desc())
        .limit(PAGE + 1)
    )
    if before is not None:
        asked = asked.where(ReceivedObject.id < before)
    found = session.scalars(asked).all()
    shown = found[:PAGE]
    append(
        session,
        caller,
        "server.received",
        object_type="server",
        objects=[str(server)],
        count=len(shown),
        details={"received": [each.stix_id for each in shown]},
    )
    names = _names(session, row, shown)
    return Received(
        subscriptions.shown(session, row),
        [_shown(each, names) for each in shown],
        shown[-1].id if len(found) > PAGE else None,
    )


def expire(session: Session) -> int:
    """Erase what ended, at most a batch, and log it per organisation; returns how much it was."""
    ended = session.execute(
        select(ReceivedObject.id, ExchangeServer.organisation_id)
        .join(ExchangeServer, ExchangeServer.id == ReceivedObject.server_id)
        .where(ReceivedObject.expires_on <= clock.now().date())
        .order_by(ReceivedObject.expires_on)
        .limit(_BATCH)
    ).all()
    if not ended:
        return 0
    session.execute(delete(ReceivedObject).where(ReceivedObject.id.in_([row.id for row in ended])))
    members = directory(session)
    for organisation_id, count in Counter(row.organisation_id for row in ended).items():
        append(
            session,
            CONSOLE,
            "server.erase",
            audience=[members[organisation_id].code],
            object_type="server",
            count=count,
        )
    return len(ended)


def _names(
    session: Session, row: ExchangeServer, shown: Sequence[ReceivedObject]
) -> Mapping[str, str]:
    """The names that the server tells of the organisations that the objects come from."""
    owners = {str(each.content.get("owner", "")) for each in shown} - {""}
    found = session.scalars(
        select(ReceivedObject).where(
            ReceivedObject.server_id == row.id, ReceivedObject.stix_id.in_(owners)
        )
    )
    return {each.stix_id: str(each.content.get("name", "")) for each in found}


def _shown(row: ReceivedObject, names: Mapping[str, str]) -> ShownObject:
    return ShownObject(
        stix_id=row.stix_id,
        type=row.type,
        version=row.version,
        is_revoked=row.is_revoked,
        received_at=row.received_at,
        expires_on=row.expires_on,
        owner=names.get(str(row.content.get("owner", "")), ""),
        content=row.content,
    )

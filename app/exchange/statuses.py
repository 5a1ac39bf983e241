"""Status resources (TAXII 2.1, section 4.3): what became of each object of an envelope.

Everything is decided before the answer, so a status is complete when it is made. It is kept for
its organisation for some days and then erased.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.access import CONSOLE, Caller
from app.audit.service import append
from app.clock import now
from app.errors import NotFoundError
from app.exchange.adding_models import ExchangeStatus
from postern.stix.names import timestamp

KEPT_FOR = timedelta(days=7)
EVERY = timedelta(hours=1)  # when they are swept
SWEPT = 1000  # statuses that one call of `sweep` erases


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one object; `message` says what the client may want to know of it."""

    id: str
    version: str
    is_success: bool
    message: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """A status resource: its id and its JSON text."""

    id: UUID
    text: str


def keep(
    session: Session, caller: Caller, collection: UUID, at: datetime, outcomes: Sequence[Outcome]
) -> Status:
    """Keep what became of the objects of an envelope that came `at`."""
    successes = [_detail(each) for each in outcomes if each.is_success]
    failures = [_detail(each) for each in outcomes if not each.is_success]
    status_id = uuid4()
    resource: dict[str, Any] = {
        "id": str(status_id),
        "status": "complete",
        "request_timestamp": timestamp(at),
        "total_count": len(outcomes),
        "success_count": len(successes),
        "failure_count": len(failures),
        "pending_count": 0,
    }
    # The standard forbids empty lists.
    resource |= {name: each for name, each in _lists(successes, failures) if each}
    text = json.dumps(resource)
    session.add(
        ExchangeStatus(
            id=status_id,
            organisation_id=caller.member[0],
            collection=collection,
            body=text,
            created_at=at,
            expires_at=at + KEPT_FOR,
        )
    )
    return Status(status_id, text)


def read(session: Session, caller: Caller, status_id: UUID) -> Status:
    """A status of the caller's organisation; NotFoundError for any other and for one too old."""
    text = session.scalar(
        select(ExchangeStatus.body).where(
            ExchangeStatus.id == status_id,
            ExchangeStatus.organisation_id == caller.member[0],
            ExchangeStatus.expires_at > now(),
        )
    )
    if text is None:
        raise NotFoundError
    append(
        session, caller, "exchange.status", object_type="exchange-status", objects=[str(status_id)]
    )
    return Status(status_id, text)


def sweep(session: Session) -> int:
    """Erase statuses whose time is over; how many. A duty calls it until nothing is left."""
    over = session.scalars(
        select(ExchangeStatus.id).where(ExchangeStatus.expires_at <= now()).limit(SWEPT)
    ).all()
    if over:
        session.execute(delete(ExchangeStatus).where(ExchangeStatus.id.in_(over)))
        append(session, CONSOLE, "exchange.sweep", object_type="exchange-status", count=len(over))
    return len(over)


def _lists(*of: list[dict[str, str]]) -> list[tuple[str, list[dict[str, str]]]]:
    return list(zip(("successes", "failures"), of, strict=True))


def _detail(outcome: Outcome) -> dict[str, str]:
    found = {"id": outcome.id, "version": outcome.version}
    if outcome.message:
        found["message"] = outcome.message
    return found

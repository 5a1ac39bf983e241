"""What others fetched of an organisation's own indicators as feeds, and what its programs added.

Of a recipient the owner learns what the ledger tells it: only gifts of which its policy lets it be
told, and of recalls only those recipients whom it may name.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append
from app.disclosures.models import Acknowledgement, Recall
from app.exchange.adding_models import ExchangeStatus
from app.indicators.models import Given
from app.organisations.service import Member, directory
from app.sharing.engine import CHAIN
from postern.vocabulary import AcknowledgementState, Level, Role, Way

READERS = (Role.SUBMITTER, Role.COMPLIANCE)
MOST_ADDED = 20  # envelopes that are shown
MOST_RECALLS = 20

_AT_ONCE = 1000  # rows that are read at once
_COUNTS = ("total_count", "success_count", "failure_count")


@dataclass(frozen=True, slots=True)
class Fetched:
    """By one organisation: how many of one's indicators, up to which level, and how often."""

    organisation: Member
    indicators: int
    level: Level | None
    times: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class FedRecall:
    """A recall that feeds carry: how many recipients one may name got it, of how many."""

    id: UUID
    made_at: datetime
    recipients: int
    received: int


@dataclass(frozen=True, slots=True)
class Added:
    """One envelope that a program of the organisation sent, by its counts."""

    id: UUID
    sent_at: datetime
    total: int
    succeeded: int
    failed: int


@dataclass(frozen=True, slots=True)
class Fed:
    fetched: Sequence[Fetched]
    recalls: Sequence[FedRecall]
    added: Sequence[Added]


def read(session: Session, caller: Caller) -> Fed:
    """All three, the newest first; logged."""
    organisation_id, _ = caller.member
    found = Fed(
        _fetched(session, organisation_id),
        _recalls(session, organisation_id),
        _added(session, organisation_id),
    )
    codes = [each.organisation.code for each in found.fetched]
    append(session, caller, "exchange.fed", count=len(codes), details={"recipients": codes})
    return found


def _fetched(session: Session, organisation_id: int) -> list[Fetched]:
    members = directory(session)
    rows = session.execute(
        select(
            Given.recipient_id,
            func.count().label("indicators"),
            func.max(Given.level).label("level"),
            func.sum(Given.times).label("times"),
            func.max(Given.last_at).label("last_at"),
        )
        .where(
            Given.owner_id == organisation_id,
            Given.way == Way.FEED,
            Given.tells_owner,
            Given.ended.is_(None),
        )
        .group_by(Given.recipient_id)
    ).all()
    found = [
        Fetched(
            members[row.recipient_id],
            row.indicators,
            CHAIN[row.level - 1] if row.level <= len(CHAIN) else None,
            int(row.times),
            row.last_at,
        )
        for row in rows
    ]
    return sorted(found, key=lambda each: each.last_at, reverse=True)


def _recalls(session: Session, organisation_id: int) -> list[FedRecall]:
    wanted = (
        select(Recall.public_id, Recall.made_at, Acknowledgement.state, Acknowledgement.ways)
        .join(Acknowledgement, Acknowledgement.recall_id == Recall.id)
        .where(Recall.owner_id == organisation_id, Acknowledgement.named)
        .order_by(Recall.id.desc())
        .execution_options(yield_per=_AT_ONCE)
    )
    found: dict[UUID, FedRecall] = {}
    with session.execute(wanted) as rows:
        for row in rows:
            if Way.FEED.value not in row.ways:
                continue
            if len(found) == MOST_RECALLS and row.public_id not in found:
                break
            known = found.get(row.public_id) or FedRecall(row.public_id, row.made_at, 0, 0)
            has_it = row.state is not AcknowledgementState.OPEN
            found[row.public_id] = FedRecall(
                known.id, known.made_at, known.recipients + 1, known.received + int(has_it)
            )
    return list(found.values())


def _added(session: Session, organisation_id: int) -> list[Added]:
    rows = session.scalars(
        select(ExchangeStatus)
        .where(ExchangeStatus.organisation_id == organisation_id)
        .order_by(ExchangeStatus.created_at.desc())
        .limit(MOST_ADDED)
    )
    return [Added(row.id, row.created_at, *_counts(row.body)) for row in rows]


def _counts(body: str) -> tuple[int, ...]:
    status = json.loads(body)
    return tuple(int(status.get(name, 0)) for name in _COUNTS)

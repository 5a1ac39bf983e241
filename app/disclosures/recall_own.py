"""Recalls as their owner has them: who must still answer, and what the others said they did.

An owner is shown those recipients alone of which its policy lets it be told. Of the others nothing
shows, not a count and not a delay: a recall is complete here when those that are shown are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.audit.service import append
from app.disclosures.models import Acknowledgement, Recall
from app.errors import NotFoundError
from app.organisations.service import Member, directory
from postern.vocabulary import (
    AcknowledgementState,
    RecallKind,
    RecallReason,
    Rectification,
    Way,
)


@dataclass(frozen=True, slots=True)
class RecipientState:
    """How far one recipient is; one that is suspended must answer all the same."""

    organisation: Member
    ways: Sequence[Way]
    state: AcknowledgementState
    done: Rectification | None
    acknowledged_at: datetime | None
    completed_at: datetime | None

    @property
    def is_suspended(self) -> bool:
        return not self.organisation.is_active


@dataclass(frozen=True, slots=True)
class Own:
    """A recall of one's own; `completed` counts the recipients that completed it."""

    id: UUID
    indicator: UUID
    kind: RecallKind
    reason: RecallReason
    changes: Mapping[str, Any]
    made_at: datetime
    due_at: datetime
    is_overdue: bool
    recipients: Sequence[RecipientState]

    @property
    def completed(self) -> int:
        return sum(each.completed_at is not None for each in self.recipients)

    @property
    def completed_at(self) -> datetime | None:
        """When the last of the recipients completed it; None while one has not."""
        ends = [each.completed_at for each in self.recipients]
        told = [end for end in ends if end is not None]
        return max(told) if len(told) == len(ends) else None


@dataclass(frozen=True, slots=True)
class OwnPage:
    """Recalls, newest first; `next` is the cursor of the following page, None on the last."""

    recalls: list[Own]
    next: UUID | None


def own(
    session: Session,
    caller: Caller,
    *,
    is_open: bool | None,
    limit: int,
    cursor: UUID | None = None,
) -> OwnPage:
    """The organisation's own recalls: those that wait for an answer, those that do not, or all."""
    organisation_id, _ = caller.member
    wanted = select(Recall).where(Recall.owner_id == organisation_id, _named())
    if is_open is not None:
        waits = _named(Acknowledgement.state != AcknowledgementState.COMPLETED)
        wanted = wanted.where(waits if is_open else ~waits)
    if cursor is not None:
        wanted = wanted.where(Recall.public_id < cursor)
    rows = session.scalars(wanted.order_by(Recall.public_id.desc()).limit(limit + 1)).all()
    found = _shown(session, rows[:limit])
    append(
        session,
        caller,
        "recall.list",
        object_type="recall",
        objects=[str(each.id) for each in found],
        details={"box": "own"},
    )
    return OwnPage(found, found[-1].id if len(rows) > limit else None)


def read(session: Session, caller: Caller, recall_id: UUID) -> Own:
    """One of the organisation's own recalls; NotFoundError for any other."""
    organisation_id, _ = caller.member
    row = session.scalar(
        select(Recall).where(
            Recall.owner_id == organisation_id, Recall.public_id == recall_id, _named()
        )
    )
    if row is None:
        raise NotFoundError
    append(
        session,
        caller,
        "recall.read",
        object_type="recall",
        objects=[str(recall_id), str(row.indicator)],
        count=1,
    )
    return _shown(session, [row])[0]


def of_indicator(session: Session, organisation_id: int, indicator: UUID) -> list[Own]:
    """The organisation's own recalls of one indicator, newest first; nothing is logged."""
    rows = session.scalars(
        select(Recall)
        .where(Recall.owner_id == organisation_id, Recall.indicator == indicator, _named())
        .order_by(Recall.public_id.desc())
    ).all()
    return _shown(session, rows)


def open_count(session: Session, organisation_id: int) -> int:
    """How many of the organisation's own recalls wait for an answer."""
    waits = _named(Acknowledgement.state != AcknowledgementState.COMPLETED)
    return session.execute(
        select(func.count()).select_from(Recall).where(Recall.owner_id == organisation_id, waits)
    ).scalar_one()


def _named(*more: ColumnElement[bool]) -> ColumnElement[bool]:
    """That there is a recipient of which the owner may be told, of which `more` holds."""
    return (
        select(Acknowledgement.recall_id)
        .where(Acknowledgement.recall_id == Recall.id, Acknowledgement.named, *more)
        .exists()
    )


def _shown(session: Session, rows: Sequence[Recall]) -> list[Own]:
    members, at = directory(session), clock.now()
    recipients: dict[int, list[RecipientState]] = {row.id: [] for row in rows}
    found = session.scalars(
        select(Acknowledgement).where(
            Acknowledgement.recall_id.in_(recipients), Acknowledgement.named
        )
    )
    for each in found:
        recipients[each.recall_id].append(
            RecipientState(
                members[each.organisation_id],
                [Way(way) for way in each.ways],
                each.state,
                each.done,
                each.acknowledged_at,
                each.completed_at,
            )
        )
    return [_own(row, recipients[row.id], at) for row in rows]


def _own(row: Recall, recipients: list[RecipientState], at: datetime) -> Own:
    is_open = any(each.completed_at is None for each in recipients)
    return Own(
        id=row.public_id,
        indicator=row.indicator,
        kind=row.kind,
        reason=row.reason,
        changes=row.changes,
        made_at=row.made_at,
        due_at=row.due_at,
        is_overdue=is_open and row.due_at <= at,
        recipients=sorted(recipients, key=lambda each: each.organisation.code),
    )

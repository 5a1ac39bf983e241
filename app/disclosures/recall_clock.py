"""The clock of recalls: reminders at half the time, escalation when it is over, the end at last.

A recall that nobody answers stays open however long that takes, so its ledger stays too.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, cast, delete, func, or_, select
from sqlalchemy.orm import Session

from app import clock
from app.access import CONSOLE
from app.audit.service import append
from app.disclosures.models import Acknowledgement, Recall
from app.indicators.models import Given, Tombstone
from app.jobs.notifications import notify
from app.jobs.service import in_batches
from app.organisations.service import Member, directory
from postern.vocabulary import AcknowledgementState, Role

KEPT = timedelta(days=365)
"""For so long the ledger stays after an indicator ended and its last recall was complete."""

BATCH = 500


@dataclass(frozen=True, slots=True)
class _Due:
    """One answer that is missing."""

    recall: Recall
    own: Acknowledgement


def remind(session: Session) -> int:
    """Remind recipients once half the time is over, and escalate once all of it is.

    Returns how many missing answers that was about.
    """
    at = clock.now()
    return _remind(session, at) + _escalate(session, at)


def expire(session: Session) -> int:
    """Erase what is over of the ledger and of recalls; returns how many indicators and recalls.

    The rows of an indicator go when it ended, and its last recall was complete, KEPT ago.
    """
    before = clock.now() - KEPT
    given = in_batches(lambda: _erase_given(session, before), BATCH)
    return given + in_batches(lambda: _erase_recalls(session, before), BATCH)


def _remind(session: Session, at: datetime) -> int:
    half_over = [
        recall_id
        for recall_id, made_at, due_at in session.execute(
            select(Recall.id, Recall.made_at, Recall.due_at).where(
                Recall.completed_at.is_(None),
                Recall.due_at > at,
                _missing(Acknowledgement.reminders == 0),
            )
        )
        if made_at + (due_at - made_at) / 2 <= at
    ]
    due = _locked(session, Recall.id.in_(half_over[:BATCH]), Acknowledgement.reminders == 0)
    members = directory(session)
    for organisation_id, found in _by_recipient(due).items():
        for each in found:
            each.own.reminders += 1
        facts = {"count": len(found)}
        for role in (Role.ANALYST, Role.COMPLIANCE):
            notify(session, organisation_id, role, "recall.reminder", facts, "/recalls")
        _log(session, "recall.remind", members[organisation_id], found)
    session.flush()
    return len(due)


def _escalate(session: Session, at: datetime) -> int:
    """To the officers of both: once, whatever happens afterwards."""
    due = _locked(session, Recall.due_at <= at, Acknowledgement.escalated_at.is_(None))
    members = directory(session)
    for organisation_id, found in _by_recipient(due).items():
        for each in found:
            each.own.escalated_at = at
        facts = {"count": len(found)}
        notify(session, organisation_id, Role.COMPLIANCE, "recall.overdue", facts, "/recalls")
        _log(session, "recall.escalate", members[organisation_id], found)
    named = [each for each in due if each.own.named]
    for owner_id, count in sorted(Counter(each.recall.owner_id for each in named).items()):
        facts = {"count": count}
        address = "/recalls?box=own"
        notify(session, owner_id, Role.COMPLIANCE, "recall.unanswered", facts, address)
        of_owner = [each for each in named if each.recall.owner_id == owner_id]
        _log(session, "recall.escalate", members[owner_id], of_owner)
    session.flush()
    return len(due)


def _missing(*more: ColumnElement[bool]) -> ColumnElement[bool]:
    return (
        select(Acknowledgement.recall_id)
        .where(
            Acknowledgement.recall_id == Recall.id,
            Acknowledgement.state != AcknowledgementState.COMPLETED,
            *more,
        )
        .exists()
    )


def _locked(session: Session, *conditions: ColumnElement[bool]) -> list[_Due]:
    """Up to BATCH missing answers; one that is being answered now is left for the next time."""
    rows = session.execute(
        select(Recall, Acknowledgement)
        .join(Acknowledgement, Acknowledgement.recall_id == Recall.id)
        .where(Acknowledgement.state != AcknowledgementState.COMPLETED, *conditions)
        .order_by(Acknowledgement.recall_id, Acknowledgement.organisation_id)
        .limit(BATCH)
        .with_for_update(of=Acknowledgement, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return [_Due(recall, own) for recall, own in rows]


def _by_recipient(due: Sequence[_Due]) -> Mapping[int, Sequence[_Due]]:
    found: dict[int, list[_Due]] = {}
    for each in sorted(due, key=lambda one: one.own.organisation_id):
        found.setdefault(each.own.organisation_id, []).append(each)
    return found


def _log(session: Session, act: str, member: Member, found: Sequence[_Due]) -> None:
    append(
        session,
        CONSOLE,
        act,
        audience=[member.code],
        object_type="recall",
        objects=sorted({str(each.recall.public_id) for each in found}),
        count=len(found),
    )


def _erase_given(session: Session, before: datetime) -> int:
    """Of up to BATCH indicators; of each owner an entry that names them."""
    is_called_back = (
        select(Recall.id)
        .where(
            Recall.indicator == Given.indicator,
            or_(Recall.completed_at.is_(None), Recall.completed_at > before),
        )
        .exists()
    )
    named = func.max(cast(Given.tells_owner, Integer)).label("named")
    over = session.execute(
        select(Given.owner_id.label("owner_id"), Given.indicator.label("indicator"), named)
        .join(Tombstone, Tombstone.public_id == Given.indicator)
        .where(Tombstone.ended_at <= before, ~is_called_back)
        .group_by(Given.owner_id, Given.indicator)
        .order_by(Given.owner_id, Given.indicator)
        .limit(BATCH)
    ).all()
    if not over:
        return 0
    session.execute(delete(Given).where(Given.indicator.in_([row.indicator for row in over])))
    # An owner that may not be told of any recipient is not told that there was one.
    told: dict[int | None, list[UUID]] = {}
    for row in over:
        told.setdefault(row.owner_id if row.named else None, []).append(row.indicator)
    members = directory(session)
    for owner_id, indicators in told.items():
        append(
            session,
            CONSOLE,
            "ledger.expire",
            audience=[] if owner_id is None else [members[owner_id].code],
            object_type="indicator",
            objects=[str(each) for each in indicators],
        )
    return len(over)


def _erase_recalls(session: Session, before: datetime) -> int:
    """Up to BATCH recalls that have been complete for long; their answers go with them."""
    over = session.scalars(
        select(Recall.id).where(Recall.completed_at <= before).order_by(Recall.id).limit(BATCH)
    ).all()
    session.execute(delete(Recall).where(Recall.id.in_(over)))
    return len(over)

"""Recalls as a recipient has them: what it must erase or correct, and what it says it did.

Neither the platform nor the owner can see whether something was erased on another's premises: the
answer is a statement of a named person, which stands in the log of both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.audit.service import append
from app.disclosures.models import Acknowledgement, Recall
from app.errors import ConflictError, InvalidRequestError, NotFoundError
from app.indicators.models import Indicator
from app.jobs.notifications import notify
from app.organisations.service import Member, directory
from app.sharing.models import Profile
from app.sharing.service import profile_id
from app.sharing.visibility import visible_indicators
from postern.vocabulary import (
    AcknowledgementState,
    RecallKind,
    RecallReason,
    Rectification,
    Role,
    Way,
)

TO_DO = (AcknowledgementState.OPEN, AcknowledgementState.ACKNOWLEDGED)

_FITTING: Mapping[RecallKind, tuple[Rectification, ...]] = {
    RecallKind.WITHDRAWAL: (
        Rectification.ERASED,
        Rectification.NOT_KEPT,
        Rectification.KEPT_BY_LAW,
    ),
    RecallKind.CORRECTION: (
        Rectification.CORRECTED,
        Rectification.ERASED,
        Rectification.NOT_KEPT,
        Rectification.KEPT_BY_LAW,
    ),
}


class RecallAnsweredError(ConflictError):
    """The organisation has said already what it did; that is not changed."""

    code = "recall-answered"
    title = "Your organisation has completed this recall already"
    remedy = "Read it: it tells what was done and when. Tell its owner if that was wrong."


@dataclass(frozen=True, slots=True)
class Received:
    """A recall as one recipient has it.

    `changed` names the fields that a correction is about; `changes` are their new words, None when
    no policy lets the recipient see the indicator any more.
    """

    id: UUID
    owner: Member
    indicator: UUID
    kind: RecallKind
    reason: RecallReason
    changed: Sequence[str]
    changes: Mapping[str, Any] | None
    ways: Sequence[Way]
    made_at: datetime
    due_at: datetime
    is_overdue: bool
    state: AcknowledgementState
    done: Rectification | None
    acknowledged_at: datetime | None
    completed_at: datetime | None

    @property
    def fitting(self) -> Sequence[Rectification]:
        """What may be said to have been done."""
        return _FITTING[self.kind]


@dataclass(frozen=True, slots=True)
class ReceivedPage:
    """Recalls; `next` is the cursor of the following page, None on the last."""

    recalls: list[Received]
    next: UUID | None


def received(
    session: Session,
    caller: Caller,
    states: Sequence[AcknowledgementState],
    limit: int,
    cursor: UUID | None = None,
    *,
    oldest_first: bool = False,
) -> ReceivedPage:
    """The recalls that reached the organisation, newest first, in any of `states`.

    A cursor is a place in the order of ids and need not name anything.
    """
    organisation_id, _ = caller.member
    wanted = _reaching(organisation_id).where(Acknowledgement.state.in_(states))
    if cursor is not None:
        is_later = Recall.public_id > cursor if oldest_first else Recall.public_id < cursor
        wanted = wanted.where(is_later)
    order = Recall.public_id.asc() if oldest_first else Recall.public_id.desc()
    rows = session.execute(wanted.order_by(order).limit(limit + 1)).all()
    pairs = [(row[0], row[1]) for row in rows[:limit]]
    found = _shown(session, organisation_id, pairs)
    append(
        session,
        caller,
        "recall.list",
        object_type="recall",
        objects=[str(each.id) for each in found],
        details={"box": "received"},
    )
    return ReceivedPage(found, found[-1].id if len(rows) > limit else None)


def answer(
    session: Session,
    caller: Caller,
    recall_id: UUID,
    *,
    state: AcknowledgementState,
    done: Rectification | None,
) -> Received:
    """Acknowledge a recall, or complete it with what was done; the same again changes nothing.

    When the last recipient completes, the recall is complete. NotFoundError for one that did not
    reach the organisation, InvalidRequestError for an answer that does not fit,
    RecallAnsweredError when something else was said already.
    """
    organisation_id, _ = caller.member
    at = clock.now()
    recall, own = _locked(session, organisation_id, recall_id)
    _check(recall, state, done)
    if own.state is AcknowledgementState.COMPLETED:
        if (state, done) != (own.state, own.done):
            raise RecallAnsweredError
    else:
        own.acknowledged_at = own.acknowledged_at or at
        own.state = state
        if state is AcknowledgementState.COMPLETED:
            own.done, own.completed_at, own.completed_by = done, at, caller.person
            session.flush()
            _complete(session, recall, own, at)
        session.flush()
    _log(session, caller, recall, own)
    return _shown(session, organisation_id, [(recall, own)])[0]


def receive_by_feed(session: Session, caller: Caller, indicators: Sequence[UUID]) -> int:
    """Acknowledge the open recalls of indicators of which a feed has just told the organisation.

    What was done about them is still to be said. Returns how many were open: one entry of all.
    """
    organisation_id, _ = caller.member
    rows = session.execute(
        select(Recall, Acknowledgement)
        .join(Acknowledgement, Acknowledgement.recall_id == Recall.id)
        .where(
            Recall.indicator.in_(indicators),
            Acknowledgement.organisation_id == organisation_id,
            Acknowledgement.state == AcknowledgementState.OPEN,
        )
        .order_by(Recall.id)
        .with_for_update(of=Acknowledgement)
    ).all()
    if not rows:
        return 0
    at = clock.now()
    for _, own in rows:
        own.state, own.acknowledged_at = AcknowledgementState.ACKNOWLEDGED, at
    session.flush()
    details = {"state": AcknowledgementState.ACKNOWLEDGED.value, "by": Way.FEED.value}
    append(
        session,
        caller,
        "recall.answer",
        object_type="recall",
        objects=[str(recall.public_id) for recall, _ in rows],
        details=details,
    )
    members = directory(session)
    told: dict[int, list[str]] = {}
    for recall, own in rows:
        if own.named:
            told.setdefault(recall.owner_id, []).append(str(recall.public_id))
    for owner_id, objects in sorted(told.items()):
        append(
            session,
            caller,
            "recall.answered",
            audience=[members[owner_id].code],
            tell_actor=False,
            object_type="recall",
            objects=objects,
            details={**details, "recipient": caller.organisation},
        )
    return len(rows)


def to_do_count(session: Session, organisation_id: int) -> int:
    """How many recalls the organisation has not completed."""
    return session.execute(
        select(func.count()).where(
            Acknowledgement.organisation_id == organisation_id, Acknowledgement.state.in_(TO_DO)
        )
    ).scalar_one()


def _reaching(organisation_id: int) -> Select[Recall, Acknowledgement]:
    return (
        select(Recall, Acknowledgement)
        .join(Acknowledgement, Acknowledgement.recall_id == Recall.id)
        .where(Acknowledgement.organisation_id == organisation_id)
    )


def _locked(
    session: Session, organisation_id: int, recall_id: UUID
) -> tuple[Recall, Acknowledgement]:
    """Both as they stand now; whoever answers the same recall waits."""
    row = session.execute(
        _reaching(organisation_id)
        .where(Recall.public_id == recall_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if row is None:
        raise NotFoundError
    return row[0], row[1]


def _check(recall: Recall, state: AcknowledgementState, done: Rectification | None) -> None:
    if state is AcknowledgementState.OPEN:
        raise _wrong("state", "Say acknowledged, or completed with what was done.")
    if state is AcknowledgementState.ACKNOWLEDGED and done is not None:
        raise _wrong("done", "Leave it out until it is done: then the state is completed.")
    if state is AcknowledgementState.COMPLETED and done not in _FITTING[recall.kind]:
        raise _wrong("done", "Choose what was done; what was withdrawn cannot be corrected.")


def _wrong(field: str, reason: str) -> InvalidRequestError:
    return InvalidRequestError(errors=[{"field": f"json.{field}", "reason": reason}])


def _complete(session: Session, recall: Recall, own: Acknowledgement, at: datetime) -> None:
    """Close the recall with its last answer; tell its owner with the last one that it may know."""
    waiting = session.scalars(
        select(Acknowledgement.named).where(
            Acknowledgement.recall_id == recall.id,
            Acknowledgement.state != AcknowledgementState.COMPLETED,
        )
    ).all()
    if not waiting:
        recall.completed_at = at
    if own.named and not any(waiting):
        facts = {"recall": recall.kind.value, "reason": recall.reason.value}
        address = f"/recalls/own/{recall.public_id}"
        for role in (Role.SUBMITTER, Role.COMPLIANCE):
            notify(session, recall.owner_id, role, "recall.completed", facts, address)


def _log(session: Session, caller: Caller, recall: Recall, own: Acknowledgement) -> None:
    objects = [str(recall.public_id), str(recall.indicator)]
    details = {"state": own.state.value, **({"done": own.done.value} if own.done else {})}
    append(
        session,
        caller,
        "recall.answer",
        object_type="recall",
        objects=objects,
        count=1,
        details=details,
    )
    if own.named:
        append(
            session,
            caller,
            "recall.answered",
            audience=[directory(session)[recall.owner_id].code],
            tell_actor=False,
            object_type="recall",
            objects=objects,
            count=1,
            details={**details, "recipient": caller.organisation},
        )


def _shown(
    session: Session, organisation_id: int, rows: Sequence[tuple[Recall, Acknowledgement]]
) -> list[Received]:
    members, at = directory(session), clock.now()
    corrected = [recall.indicator for recall, _ in rows if recall.changes]
    visible = _visible_now(session, organisation_id, corrected, at)
    return [
        Received(
            id=recall.public_id,
            owner=members[recall.owner_id],
            indicator=recall.indicator,
            kind=recall.kind,
            reason=recall.reason,
            changed=sorted(recall.changes),
            changes=recall.changes if recall.indicator in visible else None,
            ways=[Way(way) for way in own.ways],
            made_at=recall.made_at,
            due_at=recall.due_at,
            is_overdue=own.state in TO_DO and recall.due_at <= at,
            state=own.state,
            done=own.done,
            acknowledged_at=own.acknowledged_at,
            completed_at=own.completed_at,
        )
        for recall, own in rows
    ]


def _visible_now(
    session: Session, organisation_id: int, indicators: Sequence[UUID], at: datetime
) -> frozenset[UUID]:
    """Those that some profile of the organisation's analysts sees: a correction tells no more.

    A correction can be what takes an indicator out of sight.
    """
    left, seen = set(indicators), set[UUID]()
    if not left:
        return frozenset()
    seats = session.execute(
        select(Profile.purpose.label("purpose"), Profile.legal_basis.label("basis"))
        .where(Profile.organisation_id == organisation_id, Profile.role == Role.ANALYST)
        .order_by(Profile.id)
    ).all()
    for seat in seats:
        # By this its grants are renewed where the facts of the organisation have changed.
        profile = profile_id(session, organisation_id, Role.ANALYST, seat.purpose, seat.basis)
        visible = visible_indicators(profile, at).subquery()
        found = session.scalars(
            select(Indicator.public_id)
            .join(visible, visible.c.indicator_id == Indicator.id)
            .where(Indicator.public_id.in_(sorted(left)))
        ).all()
        seen.update(found)
        left.difference_update(found)
        if not left:
            break
    return frozenset(seen)

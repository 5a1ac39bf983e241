"""Legal holds: that a report is kept beyond its time, for its owner alone, until a day.

A hold changes nothing while a report lives. When the time of an indicator is over, or its report is
withdrawn, it is restricted instead of erased; when no hold stands any more, the sweep erases it
(LED Art. 16(3), GDPR Art. 18). The reference of the case stands in the log alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append
from app.clock import now
from app.errors import ConflictError, InvalidRequestError, NotFoundError
from app.indicators import own
from app.indicators.ending import holds_on
from app.indicators.models import Indicator, LegalHold, Report
from app.jobs.notifications import notify
from app.public_ids import new_public_id
from postern.vocabulary import HoldReason, Role

LONGEST_YEARS = 5
REMINDED = timedelta(days=14)
"""Before its last day, compliance is told that a hold ends."""

_BATCH = 1000


class NothingToHoldError(ConflictError):
    code = "hold-of-nothing"
    title = "Nothing of the report is left that could be kept"
    remedy = "Look the report up: it was withdrawn, or its indicators have ended."


class HoldEndedError(ConflictError):
    code = "hold-ended"
    title = "The hold has ended already"
    remedy = "Place a new hold if something of the report is still there."


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold as its organisation reads it; `restricted` counts what it keeps beyond its time."""

    id: UUID
    report: UUID
    reason: HoldReason
    until: date
    stands: bool
    restricted: int
    made_at: datetime
    made_by: UUID
    released_at: datetime | None
    released_by: UUID | None


@dataclass(frozen=True, slots=True)
class Page:
    """Holds, newest first; `next` is the cursor of the following page, None on the last."""

    holds: list[Hold]
    next: UUID | None


def place(
    session: Session, caller: Caller, report: UUID, *, reason: HoldReason, until: date, case: str
) -> Hold:
    """Keep a report of one's own beyond its time, through the day `until`.

    InvalidRequestError for a day that has passed or is further than LONGEST_YEARS away,
    NotFoundError for a report of another, NothingToHoldError when nothing of it is left.
    """
    organisation_id, _ = caller.member
    at = now()
    if not at.date() <= until <= longest(at.date()):
        reason_why = f"Choose a day from today to at most {LONGEST_YEARS} years away."
        raise InvalidRequestError(errors=[{"field": "json.until", "reason": reason_why}])
    report_id = own.row_id(session, organisation_id, report)
    if report_id is None:
        raise NotFoundError
    left = select(Indicator.id).where(Indicator.report_id == report_id).limit(1)
    if session.scalar(left) is None:
        raise NothingToHoldError
    hold_id = new_public_id(at)
    session.add(
        LegalHold(
            public_id=hold_id,
            organisation_id=organisation_id,
            report_id=report_id,
            reason=reason,
            until=until,
            made_at=at,
            made_by=caller.pseudonym,
            released_at=None,
            released_by=None,
            reminded_at=None,
        )
    )
    session.flush()
    append(
        session,
        caller,
        "hold.place",
        case=case,
        object_type="hold",
        objects=[str(hold_id), str(report)],
        count=1,
        details={"reason": reason.value, "until": until.isoformat()},
    )
    return _one(session, organisation_id, hold_id, at.date())


def list_holds(session: Session, caller: Caller, limit: int, cursor: UUID | None = None) -> Page:
    """The organisation's holds, newest first; `cursor` is the last id of the page before."""
    organisation_id, _ = caller.member
    today = now().date()
    wanted = _holds(organisation_id, today).order_by(LegalHold.id.desc()).limit(limit + 1)
    if cursor is not None:
        last = (
            select(LegalHold.id)
            .where(LegalHold.public_id == cursor, LegalHold.organisation_id == organisation_id)
            .scalar_subquery()
        )
        wanted = wanted.where(LegalHold.id < last)
    found = [_hold(row) for row in session.execute(wanted)]
    append(session, caller, "hold.list", object_type="hold", count=len(found[:limit]))
    return Page(found[:limit], found[limit - 1].id if len(found) > limit else None)


def release(session: Session, caller: Caller, hold: UUID) -> Hold:
    """End a hold before its day; the sweep erases what it alone has kept.

    NotFoundError for another's as for none, HoldEndedError when it does not stand any more.
    """
    organisation_id, _ = caller.member
    at = now()
    row = session.scalar(
        select(LegalHold)
        .where(LegalHold.public_id == hold, LegalHold.organisation_id == organisation_id)
        .with_for_update()
    )
    if row is None:
        raise NotFoundError
    if row.released_at is not None or row.until < at.date():
        raise HoldEndedError
    row.released_at, row.released_by = at, caller.pseudonym
    session.flush()
    released = _one(session, organisation_id, hold, at.date())
    append(
        session,
        caller,
        "hold.release",
        object_type="hold",
        objects=[str(hold), str(released.report)],
        count=1,
    )
    return released


def of_reports(session: Session, organisation_id: int, reports: Sequence[UUID]) -> list[Hold]:
    """The holds on reports of the organisation's own, newest first."""
    wanted = _holds(organisation_id, now().date()).where(Report.public_id.in_(reports))
    return [_hold(row) for row in session.execute(wanted.order_by(LegalHold.id.desc()))]


def remind(session: Session) -> int:
    """Tell compliance, once, of each hold that ends within REMINDED; returns how many."""
    at = now()
    rows = session.scalars(
        select(LegalHold)
        .where(
            holds_on(at.date()),
            LegalHold.until <= at.date() + REMINDED,
            LegalHold.reminded_at.is_(None),
        )
        .order_by(LegalHold.id)
        .limit(_BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.reminded_at = at
        facts = {"hold": str(row.public_id), "until": row.until.isoformat()}
        notify(session, row.organisation_id, Role.COMPLIANCE, "hold.ending", facts, "/holds")
    session.flush()
    return len(rows)


def longest(today: date) -> date:
    """The last day until which something may be held that is placed today."""
    year = today.year + LONGEST_YEARS
    is_leap_day = (today.month, today.day) == (2, 29)
    return today.replace(year=year, day=28) if is_leap_day else today.replace(year=year)


def _one(session: Session, organisation_id: int, hold: UUID, today: date) -> Hold:
    wanted = _holds(organisation_id, today).where(LegalHold.public_id == hold)
    return _hold(session.execute(wanted).one())


def _holds(organisation_id: int, today: date) -> Select[Any]:
    restricted = (
        select(func.count())
        .where(Indicator.report_id == LegalHold.report_id, Indicator.restricted_at.is_not(None))
        .scalar_subquery()
    )
    return (
        select(
            LegalHold.public_id.label("id"),
            Report.public_id.label("report"),
            LegalHold.reason,
            LegalHold.until,
            holds_on(today).label("stands"),
            restricted.label("restricted"),
            LegalHold.made_at,
            LegalHold.made_by,
            LegalHold.released_at,
            LegalHold.released_by,
        )
        .join(Report, Report.id == LegalHold.report_id)
        .where(LegalHold.organisation_id == organisation_id)
    )


def _hold(row: Row[Any]) -> Hold:
    columns = row._asdict()
    return Hold(**{**columns, "stands": bool(columns["stands"])})

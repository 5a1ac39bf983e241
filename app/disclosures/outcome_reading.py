"""Outcomes read back: what became of one's own reports, and what one's own organisation told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.audit.service import append
from app.disclosures.models import Outcome
from app.indicators.models import Report
from app.organisations.service import Member, directory
from postern.vocabulary import Kind, OutcomeResult, Step, Substance, Unit

RECENT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class ShownOutcome:
    """One outcome; `other` is who told it, or to whom it was told where one's own is listed.

    `report` is the owner's own and None where another's indicator is told of.
    """

    id: UUID
    other: Member
    indicator: UUID
    report: UUID | None
    request: UUID | None
    kind: Kind
    asked: Step
    located: Step
    held: Step
    examined: Step
    result: OutcomeResult
    substance: Substance | None
    quantity: Decimal | None
    unit: Unit | None
    made_at: datetime
    replaced_at: datetime | None


@dataclass(frozen=True, slots=True)
class OutcomePage:
    """Outcomes, newest first; `next` is the cursor of the following page, None on the last."""

    outcomes: list[ShownOutcome]
    next: UUID | None


@dataclass(frozen=True, slots=True)
class Tally:
    """Outcomes that stand, and of how many each step was taken and each result told."""

    told: int
    asked: int
    located: int
    held: int
    examined: int
    found: int
    not_found: int
    error: int
    pending: int


@dataclass(frozen=True, slots=True)
class ReportOutcomes:
    """What became of one report; `latest` is the newest outcome that stands."""

    report: UUID
    created_at: datetime
    tally: Tally
    latest: ShownOutcome


@dataclass(frozen=True, slots=True)
class Became:
    """What became of one's own reports: of `reports` in all, `with_outcome` have one."""

    reports: int
    with_outcome: int
    tally: Tally
    rows: list[ReportOutcomes]
    next: UUID | None


def on_own(
    session: Session,
    caller: Caller,
    *,
    indicator: UUID | None = None,
    report: UUID | None = None,
    limit: int,
    cursor: UUID | None = None,
) -> OutcomePage:
    """What was told of the organisation's own indicators, replaced outcomes too.

    What is not its own is like what nobody told of. A cursor is a place in the order of ids.
    """
    organisation_id, _ = caller.member
    conditions = [Outcome.owner_id == organisation_id]
    if indicator is not None:
        conditions.append(Outcome.indicator == indicator)
    if report is not None:
        conditions.append(Outcome.report == report)
    return _page(session, caller, "own", conditions, limit=limit, cursor=cursor)


def told(session: Session, caller: Caller, limit: int, cursor: UUID | None = None) -> OutcomePage:
    """What the organisation itself told, of its own indicators and of others'."""
    organisation_id, _ = caller.member
    conditions = [Outcome.teller_id == organisation_id]
    return _page(session, caller, "told", conditions, limit=limit, cursor=cursor)


def became(session: Session, caller: Caller, limit: int, cursor: UUID | None = None) -> Became:
    """The organisation's own reports of which an outcome stands, newest first, with counts."""
    organisation_id, _ = caller.member
    standing = Outcome.owner_id == organisation_id, Outcome.replaced_at.is_(None)
    later = () if cursor is None else (Outcome.report < cursor,)
    rows = session.execute(
        select(Outcome.report.label("report"), *_COUNTS)
        .where(*standing, *later)
        .group_by(Outcome.report)
        .order_by(Outcome.report.desc())
        .limit(limit + 1)
    ).all()
    reports = [row.report for row in rows[:limit]]
    latest = _latest(session, reports)
    made = dict(
        session.execute(
            select(Report.public_id, Report.created_at).where(Report.public_id.in_(reports))
        ).all()
    )
    all_reports = select(func.count()).where(Report.organisation_id == organisation_id)
    distinct = select(func.count(Outcome.report.distinct())).where(*standing)
    append(
        session,
        caller,
        "outcome.list",
        object_type="outcome",
        count=len(reports),
        details={"box": "reports"},
    )
    return Became(
        reports=session.execute(all_reports).scalar_one(),
        with_outcome=session.execute(distinct).scalar_one(),
        tally=tally(session, *standing),
        rows=[
            ReportOutcomes(row.report, made[row.report], _tally(row), latest[row.report])
            for row in rows[:limit]
        ],
        next=reports[-1] if len(rows) > limit else None,
    )


def of_reports(
    session: Session, organisation_id: int, reports: Sequence[UUID]
) -> dict[UUID, ReportOutcomes]:
    """What became of those of the organisation's own reports of which an outcome stands."""
    standing = Outcome.owner_id == organisation_id, Outcome.replaced_at.is_(None)
    rows = session.execute(
        select(Outcome.report.label("report"), Report.created_at.label("created_at"), *_COUNTS)
        .join(Report, Report.public_id == Outcome.report)
        .where(*standing, Outcome.report.in_(reports))
        .group_by(Outcome.report, Report.created_at)
    ).all()
    latest = _latest(session, [row.report for row in rows])
    return {
        row.report: ReportOutcomes(row.report, row.created_at, _tally(row), latest[row.report])
        for row in rows
    }


def tally(session: Session, *conditions: ColumnElement[bool]) -> Tally:
    """The outcomes of `conditions`, counted."""
    return _tally(session.execute(select(*_COUNTS).select_from(Outcome).where(*conditions)).one())


def recent_count(session: Session, organisation_id: int) -> int:
    """How many outcomes others told of the organisation's own in the last 30 days."""
    return session.execute(
        select(func.count()).where(
            Outcome.owner_id == organisation_id,
            Outcome.teller_id != organisation_id,
            Outcome.made_at > clock.now() - RECENT,
        )
    ).scalar_one()


def _page(
    session: Session,
    caller: Caller,
    box: str,
    conditions: Sequence[ColumnElement[bool]],
    *,
    limit: int,
    cursor: UUID | None,
) -> OutcomePage:
    later = () if cursor is None else (Outcome.public_id < cursor,)
    rows = session.scalars(
        select(Outcome)
        .where(*conditions, *later)
        .order_by(Outcome.public_id.desc())
        .limit(limit + 1)
    ).all()
    organisation_id, _ = caller.member
    members = directory(session)
    found = [
        _shown(row, members[row.owner_id if box == "told" else row.teller_id], organisation_id)
        for row in rows[:limit]
    ]
    append(
        session,
        caller,
        "outcome.list",
        object_type="outcome",
        objects=[str(each.id) for each in found],
        details={"box": box},
    )
    return OutcomePage(found, found[-1].id if len(rows) > limit else None)


def _latest(session: Session, reports: Sequence[UUID]) -> dict[UUID, ShownOutcome]:
    newest = (
        select(func.max(Outcome.id))
        .where(Outcome.report.in_(reports), Outcome.replaced_at.is_(None))
        .group_by(Outcome.report)
    )
    members = directory(session)
    rows = session.scalars(select(Outcome).where(Outcome.id.in_(newest))).all()
    return {row.report: _shown(row, members[row.teller_id], row.owner_id) for row in rows}


def _shown(row: Outcome, other: Member, reader_id: int) -> ShownOutcome:
    return ShownOutcome(
        id=row.public_id,
        other=other,
        indicator=row.indicator,
        report=row.report if row.owner_id == reader_id else None,
        request=row.request,
        kind=row.kind,
        asked=row.asked,
        located=row.located,
        held=row.held,
        examined=row.examined,
        result=row.result,
        substance=row.substance,
        quantity=row.quantity,
        unit=row.unit,
        made_at=row.made_at,
        replaced_at=row.replaced_at,
    )


def _tally(row: Any) -> Tally:
    return Tally(**{name: getattr(row, name) for name in Tally.__slots__})


_COUNTS = (
    func.count().label("told"),
    func.count().filter(Outcome.asked == Step.YES).label("asked"),
    func.count().filter(Outcome.located == Step.YES).label("located"),
    func.count().filter(Outcome.held == Step.YES).label("held"),
    func.count().filter(Outcome.examined == Step.YES).label("examined"),
    func.count().filter(Outcome.result == OutcomeResult.FOUND).label("found"),
    func.count().filter(Outcome.result == OutcomeResult.NOT_FOUND).label("not_found"),
    func.count().filter(Outcome.result == OutcomeResult.ERROR).label("error"),
    func.count().filter(Outcome.result == OutcomeResult.PENDING).label("pending"),
)

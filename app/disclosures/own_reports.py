"""An organisation's own reports as its people follow them: where each stands, what came of it.

The reports are those of `app.indicators.service`, in their order; what is added here is how a
report stands, who got something of it as far as the owner may know, and what was told of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.orm import Session

from app.access import Caller
from app.clock import now
from app.disclosures import outcome_reading
from app.disclosures.models import Outcome
from app.disclosures.outcome_reading import ReportOutcomes
from app.indicators import holds, ledger, service
from app.indicators.ending import holds_on
from app.indicators.models import Indicator, LegalHold, Report, ReportStatus
from app.indicators.own import SOON, OwnReport
from postern.vocabulary import Kind, Role

LEDGER_READERS = frozenset({Role.SUBMITTER, Role.COMPLIANCE})
OUTCOME_READERS = frozenset({Role.ANALYST, Role.SUBMITTER, Role.COMPLIANCE})
"""Who is told of readers, and who of outcomes, as the interface for programs tells them."""


class Standing(StrEnum):
    """Where a report stands. A report that is held may be any of the others too."""

    LIVE = "live"
    SOON = "soon"  # of what is live, something ends within 30 days
    ENDED = "ended"
    WITHDRAWN = "withdrawn"


class Shelf(StrEnum):
    """Which reports are listed."""

    LIVE = "live"
    SOON = "soon"
    ENDED = "ended"
    WITHDRAWN = "withdrawn"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Filters:
    """Which of them; None is no matter. Submitted from `since` on, and before `until`."""

    shelf: Shelf | None = None
    kind: Kind | None = None
    step: int | None = None  # 0: those without one
    has_outcome: bool | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class FollowedReport:
    """One report: `ends_on` is the first day on which something live of it ends.

    `readers` counts organisations that got something of what is live and of which the owner may
    know; `is_amended`: an indicator of it was changed after it was sent.
    """

    report: OwnReport
    standing: Standing
    ends_on: date | None
    is_held: bool
    is_amended: bool
    readers: int
    outcomes: ReportOutcomes | None


@dataclass(frozen=True, slots=True)
class FollowedPage:
    """Reports, newest first; `next` is the cursor of the following page, None on the last."""

    rows: list[FollowedReport]
    next: UUID | None


def follow(
    session: Session, caller: Caller, filters: Filters, limit: int, cursor: UUID | None = None
) -> FollowedPage:
    """The organisation's own reports that fit, with what became of them."""
    organisation_id, _ = caller.member
    today = now().date()
    conditions = _conditions(organisation_id, filters, today)
    page = service.list_own(session, caller, limit, cursor, narrowed=conditions)
    return FollowedPage(_followed(session, caller, page.reports, today), page.next)


def follow_one(session: Session, caller: Caller, report_id: UUID) -> FollowedReport:
    """One of them; NotFoundError for what is not the organisation's own."""
    report = service.read_own(session, caller, report_id)
    return _followed(session, caller, [report], now().date())[0]


def _followed(
    session: Session, caller: Caller, reports: Sequence[OwnReport], today: date
) -> list[FollowedReport]:
    organisation_id, _ = caller.member
    ids = [report.id for report in reports]
    indicators = [each["id"] for report in reports for each in live(report)]
    got = ledger.recipients_of(session, indicators) if caller.roles & LEDGER_READERS else {}
    is_told = bool(caller.roles & OUTCOME_READERS)
    told = outcome_reading.of_reports(session, organisation_id, ids) if is_told else {}
    standing = holds.of_reports(session, organisation_id, ids)
    held = {hold.report for hold in standing if hold.stands}
    return [_row(report, today, got, told, is_held=report.id in held) for report in reports]


def live(report: OwnReport) -> list[Mapping[str, Any]]:
    """The indicators of a report that others may still be told of."""
    return [each for each in report.indicators if each["restricted_at"] is None]


def _row(
    report: OwnReport,
    today: date,
    got: Mapping[UUID, Sequence[ledger.Recipient]],
    told: Mapping[UUID, ReportOutcomes],
    *,
    is_held: bool,
) -> FollowedReport:
    standing_now = live(report)
    ends_on = min((each["expires_on"] for each in standing_now), default=None)
    readers = {
        recipient.organisation_id
        for each in standing_now
        for recipient in got.get(each["id"], ())
        if recipient.is_named
    }
    return FollowedReport(
        report=report,
        standing=_standing(report, ends_on, today),
        ends_on=ends_on,
        is_held=is_held,
        is_amended=any(each["amended_at"] is not None for each in report.indicators),
        readers=len(readers),
        outcomes=told.get(report.id),
    )


def _standing(report: OwnReport, ends_on: date | None, today: date) -> Standing:
    if report.status is ReportStatus.WITHDRAWN:
        return Standing.WITHDRAWN
    if ends_on is None:
        return Standing.ENDED
    return Standing.SOON if ends_on <= today + SOON else Standing.LIVE


def _conditions(organisation_id: int, filters: Filters, today: date) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.shelf is not None:
        conditions.append(_on_shelf(filters.shelf, today))
    if filters.kind is not None:
        conditions.append(
            exists().where(Indicator.report_id == Report.id, Indicator.kind == filters.kind)
        )
    if filters.step is not None:
        step = Report.barrier_step
        conditions.append(step == filters.step if filters.step else step.is_(None))
    if filters.has_outcome is not None:
        told = exists().where(
            Outcome.report == Report.public_id,
            Outcome.owner_id == organisation_id,
            Outcome.replaced_at.is_(None),
        )
        conditions.append(told if filters.has_outcome else ~told)
    if filters.since is not None:
        conditions.append(Report.created_at >= filters.since)
    if filters.until is not None:
        conditions.append(Report.created_at < filters.until)
    return conditions


def _on_shelf(shelf: Shelf, today: date) -> ColumnElement[bool]:
    is_live = and_(
        Report.status == ReportStatus.ACTIVE,
        _has_indicator(Indicator.expires_on > today),
    )
    if shelf is Shelf.LIVE:
        return is_live
    if shelf is Shelf.SOON:
        soon = _has_indicator(Indicator.expires_on > today, Indicator.expires_on <= today + SOON)
        return and_(Report.status == ReportStatus.ACTIVE, soon)
    if shelf is Shelf.ENDED:
        over = ~_has_indicator(Indicator.expires_on > today)
        return and_(Report.status == ReportStatus.ACTIVE, over)
    if shelf is Shelf.WITHDRAWN:
        return Report.status == ReportStatus.WITHDRAWN
    held = select(LegalHold.report_id).where(holds_on(today))
    return Report.id.in_(held)


def _has_indicator(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(
        Indicator.report_id == Report.id, Indicator.restricted_at.is_(None), *conditions
    )

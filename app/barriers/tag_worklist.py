"""The reports of one's own that nobody has tagged: how many, and the next of them."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from app.access import Caller
from app.barriers.models import StepTag
from app.clock import now
from app.indicators import service
from app.indicators.models import Indicator, Report, ReportStatus
from app.indicators.own import Page

MOST_COUNTED = 1_000  # reports: so that the page is quick however many wait


@dataclass(frozen=True, slots=True)
class Waiting:
    """`count` reports wait in all, or more if `is_more`; `page` holds the newest after a cursor."""

    count: int
    is_more: bool
    page: Page


def waiting(session: Session, caller: Caller, limit: int, cursor: UUID | None = None) -> Waiting:
    """One's own reports of which something lives, with no step and no tag, newest first.

    Who said that a report is at none of the steps has tagged it. A cursor that is no report of
    one's own gives no report.
    """
    organisation_id, _ = caller.member
    conditions = _waits()
    some = (
        select(Report.id)
        .where(Report.organisation_id == organisation_id, *conditions)
        .limit(MOST_COUNTED + 1)
        .subquery()
    )
    count = session.execute(select(func.count()).select_from(some)).scalar_one()
    page = service.list_own(session, caller, limit, cursor, narrowed=conditions)
    return Waiting(min(count, MOST_COUNTED), count > MOST_COUNTED, page)


def _waits() -> tuple[ColumnElement[bool], ...]:
    return (
        Report.status == ReportStatus.ACTIVE,
        Report.barrier_step.is_(None),
        ~exists().where(StepTag.report_id == Report.id),
        exists().where(
            Indicator.report_id == Report.id,
            Indicator.restricted_at.is_(None),
            Indicator.expires_on > now().date(),
        ),
    )

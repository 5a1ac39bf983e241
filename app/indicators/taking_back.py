"""Withdrawing some of a report's indicators, where what is left of it still stands."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append
from app.clock import now
from app.errors import NotFoundError
from app.indicators import ending, own, service, storage
from app.indicators.models import Indicator, ReportStatus
from postern.vocabulary import RecallReason


def take_back(
    session: Session,
    caller: Caller,
    report: UUID,
    indicators: Sequence[UUID],
    recall: RecallReason,
) -> int:
    """Erase these indicators of one of the organisation's own reports; how many there were.

    Whoever got something of them is called upon to erase it. When none is left the report is
    withdrawn, as by `service.withdraw`. What a legal hold keeps is restricted instead. Those that
    are over already are left as they are. NotFoundError for a report that is not theirs.
    """
    organisation_id, _ = caller.member
    report_id = own.row_id(session, organisation_id, report)
    if report_id is None:
        raise NotFoundError
    held = Indicator.report_id == report_id
    there = set(
        session.scalars(select(Indicator.public_id).where(held, Indicator.restricted_at.is_(None)))
    )
    named = sorted(there.intersection(indicators))
    if not named:
        return 0
    if len(named) == len(there):
        service.withdraw(session, caller, report, "obsolete", recall)
        return len(named)
    at = now()
    condition = held & Indicator.public_id.in_(named)
    service.tell_ending(session, caller, storage.owned(session, condition), at, recall)
    restricted = bool(ending.held_reports(session, [report_id], at.date()))
    if restricted:
        ending.restrict(session, condition, at.date(), at)
    else:
        storage.erase(session, condition, ReportStatus.WITHDRAWN, at)
    append(
        session,
        caller,
        "indicator.withdraw",
        object_type="indicator",
        objects=[str(each) for each in named],
        details={
            "report": str(report),
            "recall": recall.value,
            **({"restricted": len(named)} if restricted else {}),
        },
    )
    return len(named)

"""That a report which was counted has changed, noted with the change: a closing counts it anew.

Only its organisation and the day on which it was told are noted. New reports are not: a closing
knows them by their day; nor what ends on its day, which is left out when somebody reads.
"""

from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.access import Caller
from app.barriers.counting import told_day
from app.barriers.stat_models import StatChange
from app.indicators.hooks import Amended, Ending
from app.indicators.models import Indicator, Report


def on_amended(session: Session, _caller: Caller, amended: Amended) -> None:
    """An indicator, or its report, has other words now."""
    of_report = select(Indicator.report_id).where(Indicator.public_id == amended.indicator)
    _note(session, Report.id.in_(of_report))


def on_ending(session: Session, _caller: Caller, ending: Ending) -> None:
    """Indicators end before their day."""
    if ending.recalled is not None:
        of_reports = select(Indicator.report_id).where(Indicator.public_id.in_(ending.indicators))
        _note(session, Report.id.in_(of_reports))


def on_tagged(session: Session, report_id: int) -> None:
    """A report shows other signals now."""
    _note(session, Report.id == report_id)


def _note(session: Session, condition: Any) -> None:
    told = select(Report.organisation_id, told_day(session)).where(condition).distinct()
    session.execute(insert(StatChange).from_select(["organisation_id", "day"], told))

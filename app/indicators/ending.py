"""Statements of what ends: which indicators are over, which a hold keeps, and what goes with them.

Whoever ends, amends or holds something locks the report first and its indicators after it, in the
order of their keys.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, delete, exists, select, update
from sqlalchemy.orm import Session

from app.database import among
from app.indicators.models import Envelope, Indicator, LegalHold, Report, ReportStatus
from app.indicators.storage import by_owner, delete_postings
from app.pseudonyms.models import ElementVault


def due(session: Session, today: date, most: int) -> dict[int, int]:
    """Up to `most` indicators whose last day is over, those first that ended first; id -> report.

    Those that a hold has restricted are not among them. Their reports are locked until the commit,
    as whoever withdraws, amends or holds locks them first; what another has locked is left out.
    """
    return _locked(
        session, [Indicator.expires_on <= today, Indicator.restricted_at.is_(None)], most
    )


def released(session: Session, today: date, most: int) -> dict[int, int]:
    """Up to `most` restricted indicators whose report no hold keeps any more; id -> report.

    Their reports are locked until the commit.
    """
    held = exists().where(LegalHold.report_id == Indicator.report_id, holds_on(today))
    return _locked(
        # A restricted one is over: the days keep the search to the short end of an index.
        session,
        [Indicator.expires_on <= today, Indicator.restricted_at.is_not(None), ~held],
        most,
    )


def held_reports(session: Session, report_ids: Collection[int], today: date) -> set[int]:
    """Those of the reports that a legal hold keeps; the caller has locked them."""
    return set(
        session.scalars(
            select(LegalHold.report_id).where(
                among(session, LegalHold.report_id, report_ids), holds_on(today)
            )
        )
    )


def holds_on(today: date) -> ColumnElement[bool]:
    """The condition that a legal hold stands; it does through its last day."""
    return and_(LegalHold.released_at.is_(None), LegalHold.until >= today)


def withdrawn_of(session: Session, report_ids: Collection[int]) -> set[int]:
    """Those of the reports that are withdrawn."""
    return set(
        session.scalars(
            select(Report.id).where(
                among(session, Report.id, report_ids), Report.status == ReportStatus.WITHDRAWN
            )
        )
    )


def mark_withdrawn(session: Session, report_id: int) -> None:
    """Mark a report as withdrawn; what it told stays, for a hold keeps it."""
    session.execute(
        update(Report).where(Report.id == report_id).values(status=ReportStatus.WITHDRAWN)
    )


def empty_reports(session: Session, report_ids: Collection[int], fields: Iterable[str]) -> None:
    """Mark reports as withdrawn and forget what they told; their keys stay: none can return."""
    session.execute(
        update(Report)
        .where(among(session, Report.id, report_ids))
        .values(status=ReportStatus.WITHDRAWN, **dict.fromkeys(fields))
    )


def erase_attachments(session: Session, report_ids: Collection[int]) -> None:
    """Erase what belongs to those of the reports of which no indicator is left."""
    session.execute(
        delete(Envelope).where(
            among(session, Envelope.report_id, report_ids),
            ~exists().where(Indicator.report_id == Envelope.report_id),
        )
    )


def restrict(session: Session, condition: Any, today: date, at: datetime) -> dict[int, list[UUID]]:
    """Keep the indicators of `condition` for their owner alone; organisation -> ids.

    Their postings and vaulted elements are deleted; from today on they are over, as the one
    predicate of what is live sees it. Those that are restricted already are left as they are.
    """
    found = session.execute(
        select(Indicator.id, Indicator.public_id, Indicator.organisation_id, Indicator.tokens)
        .where(condition, Indicator.restricted_at.is_(None))
        .order_by(Indicator.id)
        .with_for_update()
    ).all()
    if not found:
        return {}
    ids = [row.id for row in found]
    delete_postings(session, [(bytes(tokens), id_) for id_, _, _, tokens in found])
    session.execute(delete(ElementVault).where(among(session, ElementVault.indicator_id, ids)))
    ends = case((Indicator.expires_on > today, today), else_=Indicator.expires_on)
    session.execute(
        update(Indicator)
        .where(among(session, Indicator.id, ids))
        .values(restricted_at=at, expires_on=ends)
    )
    return by_owner(found)


def _locked(session: Session, conditions: Sequence[Any], most: int) -> dict[int, int]:
    """Indicators of the conditions, oldest first, with their reports; both are locked."""
    wanted = session.execute(
        select(Indicator.id, Indicator.report_id)
        .where(*conditions)
        .order_by(Indicator.expires_on, Indicator.id)
        .limit(most)
    ).all()
    if not wanted:
        return {}
    reports = session.scalars(
        select(Report.id)
        .where(among(session, Report.id, {row.report_id for row in wanted}))
        .order_by(Report.id)
        .with_for_update(skip_locked=True)
    ).all()
    # Asked again: what changed before the lock was had.
    still = session.execute(
        select(Indicator.id, Indicator.report_id)
        .where(
            among(session, Indicator.id, [row.id for row in wanted]),
            among(session, Indicator.report_id, reports),
            *conditions,
        )
        .order_by(Indicator.id)
        .with_for_update()
    )
    return {row.id: row.report_id for row in still}

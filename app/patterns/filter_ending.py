"""How filters end: called back with an indicator that was in them, over after a week, forgotten.

Those of an organisation that is suspended end at once.

A withdrawal reaches the holders of filters as any recipient, by a recall. Here their filters are
stopped: none of them is given out any more, and the next one tells what was revoked.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, exists, or_, select
from sqlalchemy.orm import Session

from app import clock
from app.access import CONSOLE, Caller
from app.audit.service import append
from app.indicators.hooks import Ending
from app.indicators.models import Given
from app.jobs.notifications import notify
from app.organisations.service import directory
from app.patterns.filter_models import FilterIssue, FilterPart, FilterSalt, FilterState
from postern.vocabulary import Role, Way

KEPT = timedelta(days=180)
"""After which the row of a filter goes, which says that it was made and for what."""

BATCH = 50
"""Filters that one call ends or forgets."""

_CHUNK = 5000  # ids of one statement


def on_ending(session: Session, caller: Caller, ending: Ending) -> None:
    """Stop every filter into which an indicator went that its owner withdraws."""
    if ending.recalled is None:
        return
    found: dict[int, FilterIssue] = {}
    for start in range(0, len(ending.indicators), _CHUNK):
        went_in = exists().where(
            Given.indicator.in_(ending.indicators[start : start + _CHUNK]),
            Given.recipient_id == FilterIssue.organisation_id,
            Given.way == Way.FILTER,
            Given.first_at <= FilterIssue.made_at,
            Given.last_at >= FilterIssue.made_at,
        )
        rows = session.scalars(
            select(FilterIssue)
            .where(FilterIssue.state == FilterState.READY, went_in)
            .order_by(FilterIssue.id)
            .with_for_update()
        )
        found |= {issue.id: issue for issue in rows}
    for issue in found.values():
        issue.state = FilterState.CALLED_BACK
    session.flush()
    stopped = [found[key] for key in sorted(found)]
    _log(session, caller, "filter.call-back", stopped)
    newest = {issue.organisation_id: issue.public_id for issue in stopped}
    for organisation_id, public_id in sorted(newest.items()):
        facts = {"filter": str(public_id)}
        notify(session, organisation_id, Role.ANALYST, "filter.called-back", facts, "/filters")


def expire(session: Session, caller: Caller = CONSOLE) -> int:
    """Erase the content of filters that are over, or of a suspended organisation; how many."""
    suspended = [key for key, member in directory(session).items() if not member.is_active]
    over = session.scalars(
        select(FilterIssue)
        .where(
            or_(FilterIssue.expires_at <= clock.now(), FilterIssue.organisation_id.in_(suspended)),
            FilterIssue.state.not_in((FilterState.EXPIRED, FilterState.FAILED)),
        )
        .order_by(FilterIssue.expires_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    for issue in over:
        issue.state, issue.parts = FilterState.EXPIRED, 0
    session.execute(delete(FilterPart).where(FilterPart.issue_id.in_([each.id for each in over])))
    session.flush()
    _log(session, caller, "filter.expire", over)
    return len(over)


def forget(session: Session) -> int:
    """Erase the rows of filters that ended long ago, and salts that none has; returns how many."""
    old = session.scalars(
        select(FilterIssue.id)
        .where(
            FilterIssue.expires_at <= clock.now() - KEPT,
            FilterIssue.state.in_((FilterState.EXPIRED, FilterState.FAILED)),
        )
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    session.execute(delete(FilterIssue).where(FilterIssue.id.in_(old)))
    session.execute(
        delete(FilterSalt).where(
            FilterSalt.made_at <= clock.now() - KEPT,
            ~exists().where(FilterIssue.salt_id == FilterSalt.id),
        )
    )
    return len(old)


def _log(session: Session, caller: Caller, act: str, issues: Sequence[FilterIssue]) -> None:
    """An entry for each organisation, of its filters, that names nobody."""
    members = directory(session)
    by_organisation: dict[int, list[UUID]] = {}
    for issue in issues:
        by_organisation.setdefault(issue.organisation_id, []).append(issue.public_id)
    for organisation_id, ids in sorted(by_organisation.items()):
        append(
            session,
            caller,
            act,
            audience=[members[organisation_id].code],
            tell_actor=False,
            object_type="filter",
            objects=[str(each) for each in ids],
        )

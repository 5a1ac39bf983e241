"""What ends patterns by itself: reminders, drafts that nobody goes on with, and erasure.

A version ends on the day that its document names: then nobody else knows of it, without anything
running. Its record and what was counted are kept for a while, and erased.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.orm import Session

from app.access import CONSOLE
from app.audit.service import append
from app.clock import now
from app.indicators.models import Given
from app.jobs.notifications import notify
from app.organisations.service import directory
from app.patterns.models import PatternVersion, SharedPattern, VersionState
from postern.vocabulary import Role

REMINDED = timedelta(days=30)  # before the end of a version in force
DECISION_TIME = timedelta(days=30)  # a proposal that nobody decides on is discarded after it
DRAFT_TIME = timedelta(days=180)  # a draft that nobody goes on with is discarded after it
KEPT = timedelta(days=366)  # of what is over, from its end
BATCH = 200  # of one call


def remind(session: Session) -> int:
    """Tell owners once that a version in force ends within REMINDED; up to BATCH, how many."""
    at = now()
    rows = session.execute(
        select(PatternVersion, SharedPattern.public_id)
        .join(SharedPattern, SharedPattern.current_id == PatternVersion.id)
        .where(
            SharedPattern.deprecated_at.is_(None),
            PatternVersion.reminded_at.is_(None),
            PatternVersion.expires_on > at.date(),
            PatternVersion.expires_on <= at.date() + REMINDED,
        )
        .order_by(PatternVersion.id)
        .limit(BATCH)
    ).all()
    for version, public_id in rows:
        version.reminded_at = at
        ends = version.expires_on
        facts = {
            "pattern": str(public_id),
            "version": version.seq,
            "until": ends.isoformat() if ends else "",
        }
        for role in (Role.ANALYST, Role.POLICY_OWNER):
            address = f"/patterns/{public_id}"
            notify(session, version.organisation_id, role, "pattern.expiring", facts, address)
    session.flush()
    return len(rows)


def discard_stale(session: Session) -> int:
    """Discard up to BATCH open versions that nobody decided on or went on with; how many."""
    at = now()
    rows = session.execute(
        select(PatternVersion, SharedPattern.public_id)
        .join(SharedPattern, SharedPattern.id == PatternVersion.pattern_id)
        .where(
            or_(
                (PatternVersion.state == VersionState.PROPOSED)
                & (PatternVersion.updated_at <= at - DECISION_TIME),
                (PatternVersion.state == VersionState.EDITING)
                & (PatternVersion.updated_at <= at - DRAFT_TIME),
            )
        )
        .order_by(PatternVersion.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True, of=PatternVersion)
    ).all()
    members = directory(session) if rows else {}
    for version, public_id in rows:
        version.state, version.decided_at, version.updated_at = VersionState.DISCARDED, at, at
        version.revision += 1
        _log(
            session,
            members[version.organisation_id].code,
            "pattern.draft",
            [public_id],
            {"step": "expire", "version": version.seq, "revision": version.revision},
        )
    session.flush()
    return len(rows)


def erase(session: Session) -> int:
    """Erase up to BATCH patterns that were over KEPT ago, with counts and ledger; how many.

    Over are: the end of the version in force, a deprecation, and of what was never published the
    last change. Nothing that has an open version is erased.
    """
    before = now() - KEPT
    opened = select(PatternVersion.pattern_id).where(
        PatternVersion.state.in_((VersionState.EDITING, VersionState.PROPOSED))
    )
    rows = session.execute(
        select(SharedPattern.id, SharedPattern.public_id, SharedPattern.organisation_id)
        .outerjoin(PatternVersion, PatternVersion.id == SharedPattern.current_id)
        .where(SharedPattern.id.not_in(opened), _was_over(before))
        .order_by(SharedPattern.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True, of=SharedPattern)
    ).all()
    if not rows:
        return 0
    session.execute(delete(SharedPattern).where(SharedPattern.id.in_([row.id for row in rows])))
    session.execute(delete(Given).where(Given.indicator.in_([row.public_id for row in rows])))
    session.expire_all()
    members = directory(session)
    by_owner: dict[str, list[UUID]] = {}
    for row in rows:
        by_owner.setdefault(members[row.organisation_id].code, []).append(row.public_id)
    for code, public_ids in sorted(by_owner.items()):
        _log(session, code, "pattern.erase", public_ids, {})
    return len(rows)


def _was_over(before: datetime) -> ColumnElement[bool]:
    changed_later = select(PatternVersion.pattern_id).where(PatternVersion.updated_at > before)
    return or_(
        SharedPattern.deprecated_at <= before,
        PatternVersion.expires_on <= before.date(),
        SharedPattern.current_id.is_(None) & SharedPattern.id.not_in(changed_later),
    )


def _log(
    session: Session, code: str, act: str, public_ids: list[UUID], details: dict[str, object]
) -> None:
    append(
        session,
        CONSOLE,
        act,
        audience=[code],
        object_type="pattern",
        objects=[str(each) for each in public_ids],
        details=details,
    )

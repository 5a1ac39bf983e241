"""Who may see one of one's own patterns: the version in force, or the draft, were it published."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import case, select
from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.service import append
from app.clock import day
from app.errors import NotFoundError
from app.patterns import documents, storage
from app.patterns.beside import beside
from app.patterns.models import PatternVersion, SharedPattern, VersionState
from app.sharing import explanation
from app.sharing.classes import ClassAttributes, age_band
from app.sharing.explanation import Explained


@dataclass(frozen=True, slots=True)
class PatternAudience:
    """`attributes` and `explained` are None for a draft that says too little to be judged."""

    id: UUID
    title: str
    is_draft: bool
    attributes: ClassAttributes | None
    explained: Explained | None


def audience(session: Session, caller: Caller, public_id: UUID, at: datetime) -> PatternAudience:
    """Of the open version if there is one, for that is still to be decided; else that in force.

    NotFoundError for a pattern that is not the caller's organisation's.
    """
    version = _version(session, caller.member[0], public_id)
    is_draft = version.state is not VersionState.PUBLISHED
    rule = documents.check(version.text, at.date()).rule
    if rule is None:
        append(session, caller, "policy.explain", object_type="pattern", objects=[str(public_id)])
        return PatternAudience(public_id, version.title, is_draft, None, None)
    attributes = beside(version).share_class(rule)
    age = max(0, day(at) - (version.seen_day or day(at)))
    explained = explanation.audience_of_class(session, caller, attributes, age_band(age), at)
    return PatternAudience(public_id, version.title, is_draft, attributes, explained)


def _version(session: Session, organisation_id: int, public_id: UUID) -> PatternVersion:
    is_open = PatternVersion.state.in_(storage.OPEN)
    found = session.scalars(
        select(PatternVersion)
        .join(SharedPattern, SharedPattern.id == PatternVersion.pattern_id)
        .where(SharedPattern.public_id == public_id)
        .where(SharedPattern.organisation_id == organisation_id)
        .where(is_open | (PatternVersion.id == SharedPattern.current_id))
        .order_by(case((is_open, 0), else_=1), PatternVersion.seq.desc())
    ).first()
    if found is None:
        raise NotFoundError
    return found

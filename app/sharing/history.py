"""The versions of one's own policy as its organisation reads them, with what became of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.audit.service import append
from app.organisations import service as organisations
from app.sharing import versions
from app.sharing.models import PolicyDraft
from app.sharing.versions import Version


class VersionState(StrEnum):
    """What a version is at a moment."""

    IN_FORCE = "in_force"
    SCHEDULED = "scheduled"  # takes effect at its time, of itself
    CANCELLED = "cancelled"  # before its time; it never took effect
    PAST = "past"


@dataclass(frozen=True)
class KeptVersion:
    """A version, what it is now, and the draft that it was."""

    version: Version
    state: VersionState
    draft: UUID | None


def read_history(session: Session, caller: Caller) -> list[KeptVersion]:
    """All versions of the caller's organisation, newest first."""
    return read_history_of(session, caller, caller.organisation)


def read_version(session: Session, caller: Caller, seq: int) -> KeptVersion:
    """One version of the caller's organisation; UnknownVersionError."""
    return read_version_of(session, caller, caller.organisation, seq)


def read_history_of(session: Session, caller: Caller, code: str) -> list[KeptVersion]:
    """All versions of the organisation with this code, newest first; UnknownOrganisationError."""
    organisation_id, _ = organisations.find(session, code)
    found = _kept(session, organisation_id, versions.history(session, organisation_id))
    _tell(session, caller, code, found)
    return found


def read_version_of(session: Session, caller: Caller, code: str, seq: int) -> KeptVersion:
    """One version of an organisation; UnknownOrganisationError and UnknownVersionError."""
    organisation_id, _ = organisations.find(session, code)
    found = _kept(session, organisation_id, [versions.version(session, organisation_id, seq)])
    _tell(session, caller, code, found)
    return found[0]


def _kept(session: Session, organisation_id: int, found: Sequence[Version]) -> list[KeptVersion]:
    now = clock.now()
    held = versions.in_force(session, organisation_id, now)
    drafts = _draft_ids(session, [each.draft_id for each in found if each.draft_id is not None])
    return [
        KeptVersion(
            each,
            _state(each, held, now),
            None if each.draft_id is None else drafts[each.draft_id],
        )
        for each in found
    ]


def _state(version: Version, held: Version | None, now: datetime) -> VersionState:
    if version.cancelled_at is not None:
        return VersionState.CANCELLED
    if version.valid_from > now:
        return VersionState.SCHEDULED
    is_held = held is not None and held.seq == version.seq
    return VersionState.IN_FORCE if is_held else VersionState.PAST


def _draft_ids(session: Session, ids: Sequence[int]) -> dict[int, UUID]:
    rows = select(PolicyDraft.id, PolicyDraft.public_id).where(PolicyDraft.id.in_(ids))
    return {row.id: row.public_id for row in session.execute(rows)}


def _tell(session: Session, caller: Caller, code: str, read: Sequence[KeptVersion]) -> None:
    append(
        session,
        caller,
        "policy.read",
        audience=[code],
        object_type="policy",
        objects=[f"{code}/{each.version.seq}" for each in read],
    )

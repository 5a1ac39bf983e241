"""The versions of an organisation's policy: which holds, which is to come, and who made them.

A version is never changed. It takes effect at its time, of itself; until then it can be cancelled.
At most one is to come, so that the newest version is always the one that was decided on last.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.audit.service import append
from app.errors import ConflictError, NotFoundError
from app.organisations.service import directory
from app.sharing import eras, grants
from app.sharing.models import Cause, PolicyCancellation, PolicyVersion
from app.sharing.policy_text import Policy, PolicyRefusedError, read


class ScheduledPolicyError(ConflictError):
    code = "policy-scheduled"
    title = "A version of the policy is already waiting for its time"
    remedy = "Cancel that version first, or wait until it has taken effect."


class UnknownVersionError(NotFoundError):
    code = "policy-version-unknown"
    title = "The policy has no such version"
    remedy = "List the versions at /api/v1/policies/versions."


class NotScheduledError(ConflictError):
    code = "policy-not-scheduled"
    title = "This version does not wait for its time"
    remedy = "To go back to an earlier version, make a draft of it; to stop all sharing, use stop."


@dataclass(frozen=True)
class Version:
    """A version as its organisation reads it; persons are the pseudonyms of the audit log.

    `policies` is empty and `is_valid` False when the present schema no longer accepts the text:
    such a version shares nothing.
    """

    id: int
    seq: int
    text: str
    sha256: bytes
    valid_from: datetime
    created_at: datetime
    cause: Cause
    form: list[dict[str, Any]] | None
    draft_id: int | None
    author: UUID | None
    approved_by: UUID | None
    cancelled_at: datetime | None
    policies: tuple[Policy, ...]
    is_valid: bool


def in_force(session: Session, organisation_id: int, at: datetime) -> Version | None:
    """The version that holds at the moment `at`; None when none was ever published by then."""
    return _one(
        session,
        _VERSIONS.where(
            PolicyVersion.organisation_id == organisation_id,
            PolicyVersion.valid_from <= at,
            eras.stands(PolicyVersion),
        )
        .order_by(PolicyVersion.seq.desc())
        .limit(1),
    )


def scheduled(session: Session, organisation_id: int, at: datetime) -> Version | None:
    """The version that waits for its time, if there is one.

    There are several where the clock went back: then the last of them.
    """
    return _one(
        session,
        _VERSIONS.where(
            PolicyVersion.organisation_id == organisation_id,
            PolicyVersion.valid_from > at,
            eras.stands(PolicyVersion),
        )
        .order_by(PolicyVersion.seq.desc())
        .limit(1),
    )


def history(session: Session, organisation_id: int) -> list[Version]:
    """All versions, newest first, cancelled ones too."""
    rows = session.execute(
        _VERSIONS.where(PolicyVersion.organisation_id == organisation_id).order_by(
            PolicyVersion.seq.desc()
        )
    )
    return [_version(row) for row in rows]


def version(session: Session, organisation_id: int, seq: int) -> Version:
    """One version by its number; UnknownVersionError when there is none."""
    found = _one(
        session,
        _VERSIONS.where(PolicyVersion.organisation_id == organisation_id, PolicyVersion.seq == seq),
    )
    if found is None:
        raise UnknownVersionError
    return found


def newest_seq(session: Session, organisation_id: int) -> int:
    """The number of the newest version that was not cancelled; 0 when there is none."""
    found = session.scalar(
        select(func.max(PolicyVersion.seq)).where(
            PolicyVersion.organisation_id == organisation_id, eras.stands(PolicyVersion)
        )
    )
    return found or 0


def put_in_force(
    session: Session,
    caller: Caller,
    organisation_id: int,
    text: str,
    cause: Cause,
    *,
    valid_from: datetime | None = None,
    form: list[dict[str, Any]] | None = None,
    draft_id: int | None = None,
    author: UUID | None = None,
    approved_by: UUID | None = None,
) -> int:
    """Make a version of a text that was checked; returns its number.

    It takes effect with this transaction, or at `valid_from`, a whole second, when that lies ahead;
    every decision on what the organisation shares is made anew. ScheduledPolicyError while another
    waits.
    """
    code = directory(session)[organisation_id].code
    grants.hold_owner(session, organisation_id)
    now = clock.now()
    if scheduled(session, organisation_id, now) is not None:
        raise ScheduledPolicyError
    newest = session.scalar(
        select(func.max(PolicyVersion.seq)).where(PolicyVersion.organisation_id == organisation_id)
    )
    made = PolicyVersion(
        organisation_id=organisation_id,
        seq=(newest or 0) + 1,
        text=text,
        sha256=hashlib.sha256(text.encode()).digest(),
        valid_from=max(now, valid_from or now),
        created_at=now,
        cause=cause,
        form=form,
        draft_id=draft_id,
        author=author,
        approved_by=approved_by,
    )
    session.add(made)
    lay_out_owner(session, organisation_id)
    details: dict[str, Any] = {
        "sha256": made.sha256.hex(),
        "policies": [policy.id for policy in read(text)],
        "cause": cause.value,
        "valid_from": made.valid_from.isoformat(timespec="seconds"),
    }
    if author is not None:
        details["author"] = str(author)
    append(
        session,
        caller,
        "policy.publish",
        audience=[code],
        object_type="policy",
        objects=[f"{code}/{made.seq}"],
        details=details,
    )
    return made.seq


def cancel(session: Session, caller: Caller, organisation_id: int, seq: int) -> None:
    """Take back a version whose time has not come; the one in force stays.

    Raises UnknownVersionError, and NotScheduledError when it does not wait.
    """
    grants.hold_owner(session, organisation_id)
    found = version(session, organisation_id, seq)
    now = clock.now()
    if found.valid_from <= now or found.cancelled_at is not None:
        raise NotScheduledError
    _cancel(session, caller, organisation_id, found, now)
    lay_out_owner(session, organisation_id)


def stop(session: Session, caller: Caller, organisation_id: int) -> int:
    """Share nothing from the end of this transaction on; the number of the empty version.

    A version that waits is cancelled with it. Nobody needs to approve: it only narrows.
    """
    grants.hold_owner(session, organisation_id)
    now = clock.now()
    while (waiting := scheduled(session, organisation_id, now)) is not None:
        _cancel(session, caller, organisation_id, waiting, now)
        session.flush()
    return put_in_force(session, caller, organisation_id, "", Cause.STOP, author=caller.person)


def lay_out_owner(session: Session, organisation_id: int) -> None:
    """Decide anew on everything that the organisation shares."""
    grants.clear_owner(session, organisation_id)
    grants.lay_out(
        session,
        grants.owner(session, organisation_id),
        grants.readers(session),
        grants.classes_of(session, organisation_id),
    )


_VERSIONS = select(PolicyVersion, PolicyCancellation.cancelled_at).outerjoin(
    PolicyCancellation, PolicyCancellation.policy_version_id == PolicyVersion.id
)


def _one(session: Session, statement: Select[PolicyVersion, datetime]) -> Version | None:
    row = session.execute(statement).one_or_none()
    return _version(row) if row else None


def _version(row: Any) -> Version:
    stored, cancelled_at = row
    policies: tuple[Policy, ...] = ()
    is_valid = True
    try:
        policies = tuple(read(stored.text))
    except PolicyRefusedError:
        is_valid = False
    return Version(
        id=stored.id,
        seq=stored.seq,
        text=stored.text,
        sha256=bytes(stored.sha256),
        valid_from=stored.valid_from,
        created_at=stored.created_at,
        cause=stored.cause,
        form=stored.form,
        draft_id=stored.draft_id,
        author=stored.author,
        approved_by=stored.approved_by,
        cancelled_at=cancelled_at,
        policies=policies,
        is_valid=is_valid,
    )


def _cancel(
    session: Session, caller: Caller, organisation_id: int, found: Version, at: datetime
) -> None:
    session.add(
        PolicyCancellation(policy_version_id=found.id, cancelled_at=at, cancelled_by=caller.person)
    )
    code = directory(session)[organisation_id].code
    append(
        session,
        caller,
        "policy.cancel",
        audience=[code],
        object_type="policy",
        objects=[f"{code}/{found.seq}"],
    )

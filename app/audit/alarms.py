"""Alarms about the log itself: raised once, open until somebody closes them, seen by all."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access import CONSOLE, Caller
from app.audit.models import AlarmKind, AuditAlarm, AuditOrgKey
from app.audit.service import append
from app.clock import milliseconds, now
from app.errors import NotFoundError

_REASON_LENGTH = 500


def raise_alarm(
    session: Session,
    kind: AlarmKind,
    reason: str,
    evidence: str = "",
    witness_id: int | None = None,
) -> bool:
    """Raise an alarm unless the same one is open; returns whether it is new."""
    same = select(AuditAlarm.id).where(
        AuditAlarm.kind == kind,
        AuditAlarm.witness_id == witness_id,
        AuditAlarm.closed_at.is_(None),
    )
    if session.execute(same).first():
        return False
    session.add(
        AuditAlarm(
            kind=kind,
            witness_id=witness_id,
            raised_at=milliseconds(now()),
            reason=reason[:_REASON_LENGTH],
            evidence=evidence,
            told_at=None,
            closed_at=None,
        )
    )
    session.flush()
    _tell(session, CONSOLE, kind, "raised")
    return True


def open_alarms(session: Session) -> Sequence[AuditAlarm]:
    """The alarms that nobody has closed, newest first."""
    return session.scalars(
        select(AuditAlarm)
        .where(AuditAlarm.closed_at.is_(None))
        .order_by(AuditAlarm.raised_at.desc(), AuditAlarm.id.desc())
    ).all()


def close_alarms(
    session: Session, caller: Caller, kind: AlarmKind, witness_id: int | None = None
) -> int:
    """Close the open alarms of a kind about one witness, or about none; returns how many."""
    found = session.scalars(
        select(AuditAlarm).where(
            AuditAlarm.kind == kind,
            AuditAlarm.witness_id == witness_id,
            AuditAlarm.closed_at.is_(None),
        )
    ).all()
    for alarm in found:
        _close(session, caller, alarm)
    return len(found)


def close_alarm(session: Session, caller: Caller, number: int) -> None:
    """Close one alarm, after what it tells was cleared up; NotFoundError when it is not open."""
    alarm = session.get(AuditAlarm, number)
    if alarm is None or alarm.closed_at is not None:
        raise NotFoundError
    _close(session, caller, alarm)


def _close(session: Session, caller: Caller, alarm: AuditAlarm) -> None:
    alarm.closed_at = milliseconds(now())
    session.flush()
    _tell(session, caller, alarm.kind, "closed")


def _tell(session: Session, caller: Caller, kind: AlarmKind, change: str) -> None:
    """An entry that every organisation reads: the log is everybody's."""
    members = session.scalars(select(AuditOrgKey.org).distinct()).all()
    append(
        session,
        caller,
        "audit.alarm",
        audience=members,
        object_type="audit-alarm",
        count=1,
        details={"alarm": kind.value, "change": change},
    )

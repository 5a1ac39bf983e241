"""The state of the log for people: its newest checkpoint, its witnesses, and what is wrong.

Nothing here decides: alarms are raised where the evidence is, and told here to all organisations.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.audit import alarms, tree, watching, witnesses
from app.audit.models import AlarmKind, AuditAlarm, AuditCheckpoint, AuditQueue
from app.audit.service import append
from app.audit.witnesses import Standing
from app.clock import milliseconds, moment
from app.config import AuditSettings
from app.jobs.notifications import notify
from app.organisations.service import directory
from postern.tlog.checkpoint import open_checkpoint
from postern.tlog.notes import NoteError, VerifierKey, verified
from postern.vocabulary import Role

TOLD_ROLES = (Role.COMPLIANCE, Role.ADMINISTRATOR)
ADDRESS = "/log"

_TOLD_AT_ONCE = 20  # alarms of one run


@dataclass(frozen=True)
class Head:
    """A signed checkpoint: how many entries, their root, since when, and which keys signed it."""

    size: int
    root: bytes
    at: datetime
    signed_by: tuple[VerifierKey, ...]


@dataclass(frozen=True)
class Cosigned:
    """The newest checkpoint that meets the quorum, and when it last was cosigned."""

    size: int
    at: datetime


@dataclass(frozen=True)
class Alarm:
    """An open alarm; `notes` are the signed checkpoints that prove it, if any do."""

    kind: AlarmKind
    raised_at: datetime
    reason: str
    organisation: str | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class LogState:
    """`waiting` counts entries without a place, `oldest` is when the first of them was made.

    `needed` organisations make a quorum, of `counting` that have a witness and are not the
    operator; `needed` is 0 while there is none.
    """

    origin: str
    head: Head | None
    waiting: int
    oldest: datetime | None
    witnesses: Sequence[Standing]
    operator: str
    needed: int
    counting: int
    cosigned: Cosigned | None
    alarms: Sequence[Alarm]
    read_at: datetime

    @property
    def lag(self) -> timedelta:
        """For how long the entry that has waited longest has had no place in the tree."""
        return max(self.read_at - self.oldest, timedelta()) if self.oldest else timedelta()


def read(session: Session, caller: Caller, settings: AuditSettings) -> LogState:
    """The log as it stands now; the reading is logged."""
    silent_after = timedelta(hours=settings.silent_hours)
    waiting, oldest = session.execute(select(func.count(), func.min(AuditQueue.t))).one()
    living = [each for each in witnesses.standings(session, silent_after) if each.until is None]
    found = witnesses.newest_cosigned(session, settings.operator)
    met_at = witnesses.quorum_met_at(session, settings.operator)
    state = LogState(
        origin=settings.name,
        head=_head(session),
        waiting=waiting,
        oldest=None if oldest is None else moment(oldest),
        witnesses=living,
        operator=settings.operator,
        needed=witnesses.quorum(session, settings.operator),
        counting=len({each.organisation for each in living} - {settings.operator}),
        cosigned=Cosigned(found.size, met_at) if found and met_at else None,
        alarms=[_alarm(session, each) for each in alarms.open_alarms(session)],
        read_at=clock.now(),
    )
    append(session, caller, "log.read", object_type="audit-log", count=len(living))
    return state


def watch(session: Session, settings: AuditSettings) -> int:
    """Raise and close the alarms about silence; returns how many are new."""
    return watching.watch(session, timedelta(hours=settings.silent_hours), settings.operator)


def tell(session: Session) -> int:
    """Notify every organisation of the open alarms of which none was notified; returns how many."""
    untold = session.scalars(
        select(AuditAlarm)
        .where(AuditAlarm.told_at.is_(None), AuditAlarm.closed_at.is_(None))
        .order_by(AuditAlarm.id)
        .limit(_TOLD_AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    members = [id_ for id_, member in directory(session).items() if member.is_active]
    for alarm in untold:
        about = witnesses.alarm_witness(session, alarm)
        facts = {"alarm": alarm.kind.value, "number": alarm.id}
        if about:
            facts["organisation"] = about.org
        for member in members:
            for role in TOLD_ROLES:
                notify(session, member, role, "log.alarm", facts, ADDRESS)
        alarm.told_at = milliseconds(clock.now())
    return len(untold)


def _head(session: Session) -> Head | None:
    found = tree.newest(session)
    if found is None:
        return None
    at = session.execute(
        select(AuditCheckpoint.t.label("at")).where(AuditCheckpoint.size == found.size)
    ).scalar_one()
    return Head(found.size, found.root, moment(at), _signers(session, found.note))


def _signers(session: Session, note: bytes) -> tuple[VerifierKey, ...]:
    """The log's keys that really signed it; none when the note does not verify."""
    keys = tree.log_keys(session)
    try:
        _checkpoint, opened = open_checkpoint(note, keys)
        return tuple(each.key for each in verified(opened, keys))
    except NoteError:
        return ()


def _alarm(session: Session, row: AuditAlarm) -> Alarm:
    about = witnesses.alarm_witness(session, row)
    return Alarm(
        kind=row.kind,
        raised_at=moment(row.raised_at),
        reason=row.reason,
        organisation=about.org if about else None,
        notes=_notes(row.evidence),
    )


def _notes(evidence: str) -> tuple[str, ...]:
    if not evidence:
        return ()
    document = json.loads(evidence)
    return (*document["handed_in"], document["published"])

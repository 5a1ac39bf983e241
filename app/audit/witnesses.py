"""Witnesses of the log: who they are, how they stand, and how many make a quorum.

A witness is a key of a member's compliance officer, who checks that the log only ever grows and
cosigns its checkpoints (C2SP tlog-witness). What the operator's own organisation cosigns counts for
nothing: a quorum is a majority of the other organisations that have a witness.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.audit.models import (
    AuditAlarm,
    AuditCheckpoint,
    AuditCosignature,
    AuditKey,
    AuditOrgKey,
    AuditWitness,
    KeyUse,
)
from app.audit.service import append
from app.audit.tree import Published, checkpoint
from app.clock import milliseconds, moment
from app.errors import ConflictError, InvalidRequestError, NotFoundError
from postern.tlog.notes import KIND_COSIGNATURE, NoteError, VerifierKey
from postern.tlog.policy import NO_QUORUM, GroupLine, LogLine, Policy, WitnessLine

LONGEST_KEY = 256  # characters of a written key
LATE = timedelta(minutes=15)
"""A witness that runs cosigns every minute; after this long without, something is amiss."""

_ADDRESS = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?")
_QUORUM = "quorum"
_KEPT_UNCOSIGNED = timedelta(days=7)
_THINNED = 5000  # checkpoints of one round


class WitnessExistsError(ConflictError):
    code = "witness-exists"
    title = "This key is registered as a witness already"
    remedy = "Look at the list of witnesses; a key that was ended is never taken again."


class WitnessState(StrEnum):
    """How a witness stands."""

    OK = "ok"
    LATE = "late"
    SILENT = "silent"
    NEVER = "never"  # has not cosigned yet, and is not overdue
    ENDED = "ended"


@dataclass(frozen=True)
class Standing:
    """A witness as everybody sees it; `size` and `seen_at` are of its newest cosignature."""

    organisation: str
    key: str
    name: str
    address: str | None
    since: datetime
    until: datetime | None
    size: int
    seen_at: datetime | None
    state: WitnessState


def register(
    session: Session,
    caller: Caller,
    vkey: str,
    organisation: str,
    address: str | None = None,
) -> AuditWitness:
    """Let a key be a witness of the log for an organisation, from now on.

    InvalidRequestError for what is no key of a witness (C2SP cosignature/v1, kind 0x04), bears the
    log's own name or has an address that is none; WitnessExistsError for a key that is known.
    """
    key = _checked_key(session, vkey.strip())
    if address is not None and not _ADDRESS.fullmatch(address):
        raise _wrong("address", "Write the witness's address as https://HOST/PATH.")
    known = session.scalars(select(AuditWitness.vkey)).all()
    if any(VerifierKey.parse(each).public == key.public for each in known):
        raise WitnessExistsError
    row = AuditWitness(
        org=organisation,
        vkey=str(key),
        address=address,
        since=milliseconds(clock.now()),
        until=None,
        size=0,
        seen=None,
    )
    session.add(row)
    session.flush()
    _tell(session, caller, row, "begins")
    return row


def end(session: Session, caller: Caller, vkey: str, organisation: str | None = None) -> None:
    """Let a witness count no more; what it cosigned stays. Safe to repeat.

    NotFoundError when there is no such witness, or none of `organisation`.
    """
    row = session.scalar(select(AuditWitness).where(AuditWitness.vkey == vkey.strip()))
    if row is None or organisation not in (None, row.org):
        raise NotFoundError
    if row.until is None:
        row.until = milliseconds(clock.now())
        session.flush()
    _tell(session, caller, row, "ends")


def living(session: Session) -> Sequence[AuditWitness]:
    """The witnesses that count, in order of organisation and age."""
    return session.scalars(
        select(AuditWitness)
        .where(AuditWitness.until.is_(None))
        .order_by(AuditWitness.org, AuditWitness.id)
    ).all()


def standings(session: Session, silent_after: timedelta) -> list[Standing]:
    """How every witness stands, those that were ended last."""
    return [_standing(row, silent_after) for row in all_witnesses(session)]


def all_witnesses(session: Session) -> Sequence[AuditWitness]:
    """Every witness there ever was, those that were ended last."""
    return session.scalars(
        select(AuditWitness).order_by(
            AuditWitness.until.is_not(None), AuditWitness.org, AuditWitness.id
        )
    ).all()


def state_of(row: AuditWitness, silent_after: timedelta) -> WitnessState:
    """How one witness stands now; before its first cosignature its age is counted."""
    if row.until is not None:
        return WitnessState.ENDED
    since = row.since if row.seen is None else row.seen
    age = timedelta(milliseconds=milliseconds(clock.now()) - since)
    if age > silent_after:
        return WitnessState.SILENT
    if row.seen is None:
        return WitnessState.NEVER
    return WitnessState.LATE if age > LATE else WitnessState.OK


def quorum(session: Session, operator: str) -> int:
    """How many organisations must have cosigned: a majority of those other than the operator.

    0 while no such organisation has a witness: then nobody but the platform vouches for the log.
    """
    return _majority(_counting(living(session), operator))


def policy(session: Session, operator: str) -> Policy:
    """The trust policy in force (C2SP tlog-policy): the log's keys, the witnesses, the quorum.

    Of an organisation with several witnesses one is enough. The operator's are named and count
    for nothing.
    """
    witnesses = living(session)
    counting = _counting(witnesses, operator)
    names = {row.id: f"{row.org}/{row.id}" for row in witnesses}
    groups = [
        GroupLine(f"member/{org}", 1, tuple(names[row.id] for row in witnesses if row.org == org))
        for org in counting
    ]
    needed = _majority(counting)
    if needed:
        groups.append(GroupLine(_QUORUM, needed, tuple(group.name for group in groups)))
    keys = session.scalars(
        select(AuditKey.vkey)
        .where(AuditKey.used_for == KeyUse.LOG, AuditKey.until.is_(None))
        .order_by(AuditKey.since)
    )
    return Policy(
        logs=tuple(LogLine(VerifierKey.parse(vkey)) for vkey in keys),
        witnesses=tuple(
            WitnessLine(names[row.id], VerifierKey.parse(row.vkey)) for row in witnesses
        ),
        groups=tuple(groups),
        quorum=_QUORUM if needed else NO_QUORUM,
    )


def newest_cosigned(session: Session, operator: str) -> Published | None:
    """The newest checkpoint that meets the quorum in force; None when none does, or it is 0."""
    needed = quorum(session, operator)
    if not needed:
        return None
    size = session.scalar(_cosigned_sizes(needed, operator).limit(1))
    return None if size is None else checkpoint(session, size)


def quorum_met_at(session: Session, operator: str) -> datetime | None:
    """When the newest checkpoint that meets the quorum was last cosigned; None when none does.

    By the clocks of the witnesses.
    """
    needed = quorum(session, operator)
    size = session.scalar(_cosigned_sizes(needed, operator).limit(1)) if needed else None
    if size is None:
        return None
    newest = select(func.max(AuditCosignature.t)).where(AuditCosignature.size == size)
    at = session.scalar(newest)
    return None if at is None else moment(at * 1000)


def thin(session: Session) -> int:
    """Remove checkpoints older than a week that nobody cosigned, never the newest; how many.

    A batch at a time. The tiles still give the root of every size; a trigger refuses the rest.
    """
    old = milliseconds(clock.now() - _KEPT_UNCOSIGNED)
    cosigned = select(AuditCosignature.size).where(AuditCosignature.size == AuditCheckpoint.size)
    newest = select(func.max(AuditCheckpoint.size)).scalar_subquery()
    sizes = session.scalars(
        select(AuditCheckpoint.size)
        .where(AuditCheckpoint.t < old, ~cosigned.exists(), AuditCheckpoint.size != newest)
        .order_by(AuditCheckpoint.size)
        .limit(_THINNED)
    ).all()
    for start in range(0, len(sizes), 1000):
        batch = sizes[start : start + 1000]
        session.execute(delete(AuditCheckpoint).where(AuditCheckpoint.size.in_(batch)))
    return len(sizes)


def members(session: Session) -> list[str]:
    """The codes of all organisations that have a part in the log."""
    return list(session.scalars(select(AuditOrgKey.org).distinct().order_by(AuditOrgKey.org)))


def alarm_witness(session: Session, alarm: AuditAlarm) -> AuditWitness | None:
    """The witness that an alarm is about, if it is about one."""
    return session.get(AuditWitness, alarm.witness_id) if alarm.witness_id else None


def _checked_key(session: Session, vkey: str) -> VerifierKey:
    try:
        key = VerifierKey.parse(vkey)
    except NoteError:
        raise _wrong(
            "vkey", "Write the key as NAME+ID+KEY, as `postern witness init` prints it."
        ) from None
    if key.kind != KIND_COSIGNATURE or len(vkey) > LONGEST_KEY:
        raise _wrong("vkey", "It is not the key of a witness. Make one with: postern witness init")
    names = {VerifierKey.parse(each).name for each in session.scalars(select(AuditKey.vkey))}
    if key.name in names:
        raise _wrong("vkey", "It bears the name of the log. Give the witness a name of its own.")
    return key


def _standing(row: AuditWitness, silent_after: timedelta) -> Standing:
    return Standing(
        organisation=row.org,
        key=row.vkey,
        name=VerifierKey.parse(row.vkey).name,
        address=row.address,
        since=moment(row.since),
        until=None if row.until is None else moment(row.until),
        size=row.size,
        seen_at=None if row.seen is None else moment(row.seen),
        state=state_of(row, silent_after),
    )


def _counting(witnesses: Iterable[AuditWitness], operator: str) -> list[str]:
    return sorted({row.org for row in witnesses if row.org != operator})


def _majority(organisations: Sequence[str]) -> int:
    return len(organisations) // 2 + 1 if organisations else 0


def _cosigned_sizes(needed: int, operator: str) -> Select[int]:
    return (
        select(AuditCosignature.size)
        .join(AuditWitness, AuditWitness.id == AuditCosignature.witness_id)
        .where(AuditWitness.until.is_(None), AuditWitness.org != operator)
        .group_by(AuditCosignature.size)
        .having(func.count(AuditWitness.org.distinct()) >= needed)
        .order_by(AuditCosignature.size.desc())
    )


def _tell(session: Session, caller: Caller, row: AuditWitness, change: str) -> None:
    append(
        session,
        caller,
        "audit.witness",
        audience=[row.org],
        object_type="audit-witness",
        count=1,
        details={"change": change, "key": row.vkey, "address": row.address or ""},
    )


def _wrong(field: str, reason: str) -> InvalidRequestError:
    return InvalidRequestError(errors=[{"field": field, "reason": reason}])

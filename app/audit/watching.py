"""Whether the log is what its witnesses saw: evidence against it, and witnesses that fell silent.

Evidence must prove itself: a note signed by the log's own key that the stored log contradicts.
Nobody's word is enough to raise an alarm of that kind, and nobody's silence keeps one down.
"""

import json
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.orm import Session

from app import clock
from app.access import CONSOLE, Caller
from app.audit.alarms import close_alarms, raise_alarm
from app.audit.models import AlarmKind, AuditWitness
from app.audit.service import append
from app.audit.tree import EMPTY, head, log_keys, newest, reader
from app.audit.witnesses import WitnessState, all_witnesses, living, quorum, quorum_met_at, state_of
from app.clock import milliseconds
from app.errors import InvalidRequestError
from postern.tlog.checkpoint import Checkpoint, open_checkpoint
from postern.tlog.notes import NoteError, VerifierKey
from postern.tlog.tiles import root

MOST_NOTES = 8
LONGEST_NOTE = 32_768  # characters


class EvidenceRefusedError(InvalidRequestError):
    code = "evidence-proves-nothing"
    title = "The checkpoints do not contradict the log"
    remedy = (
        "Hand in whole notes signed by the log's key: two of one size with different roots, or one "
        "that the published log does not contain."
    )


def take_evidence(session: Session, caller: Caller, notes: Sequence[str]) -> AlarmKind:
    """Raise the alarm that these signed checkpoints prove; returns its kind.

    A checkpoint that is larger than the log proves that the log shrank (ROLLBACK); one with
    another root than the log has, or had, at its size proves that there are two logs (SPLIT_VIEW).
    EvidenceRefusedError when they prove neither.
    """
    signed = [_signed(session, note) for note in notes]
    found = _contradiction(session, signed)
    if found is None:
        raise EvidenceRefusedError
    kind, reason = found
    evidence = json.dumps({"handed_in": list(notes), "published": _published(session)})
    raise_alarm(session, kind, reason, evidence)
    append(
        session,
        caller,
        "audit.evidence",
        object_type="audit-checkpoint",
        count=len(signed),
        details={"alarm": kind.value, "sizes": [each.size for each in signed]},
    )
    return kind


def watch(session: Session, silent_after: timedelta, operator: str) -> int:
    """Raise and close the alarms about silence, as things are now; returns how many are new."""
    raised = 0
    for row in all_witnesses(session):
        if state_of(row, silent_after) is WitnessState.SILENT:
            reason = (
                f"The witness {VerifierKey.parse(row.vkey).name} of {row.org} has not cosigned for"
                f" {_hours(silent_after)} hours."
            )
            raised += raise_alarm(session, AlarmKind.WITNESS_SILENT, reason, witness_id=row.id)
        else:
            close_alarms(session, CONSOLE, AlarmKind.WITNESS_SILENT, row.id)
    if _is_without_quorum(session, silent_after, operator):
        reason = (
            f"No checkpoint of the last {_hours(silent_after)} hours was cosigned by"
            f" {quorum(session, operator)} organisations other than the operator."
        )
        raised += raise_alarm(session, AlarmKind.NO_QUORUM, reason)
    else:
        close_alarms(session, CONSOLE, AlarmKind.NO_QUORUM)
    return raised


def _signed(session: Session, note: str) -> Checkpoint:
    if len(note) > LONGEST_NOTE:
        raise EvidenceRefusedError(f"A note is longer than {LONGEST_NOTE} characters.")
    try:
        found, _ = open_checkpoint(note.encode("utf-8", "replace"), log_keys(session))
    except NoteError as error:
        raise EvidenceRefusedError(
            f"A note is no checkpoint that the log signed: {error.reason}."
        ) from None
    return found


def _contradiction(session: Session, signed: Sequence[Checkpoint]) -> tuple[AlarmKind, str] | None:
    ours = head(session)
    for each in signed:
        if each.size > ours.size:
            return AlarmKind.ROLLBACK, (
                f"The log's key signed a log of {each.size} entries, and the published one has"
                f" {ours.size}."
            )
        read = reader(session)
        if each.root != (root(read, each.size) if each.size else EMPTY.root):
            return AlarmKind.SPLIT_VIEW, (
                f"The log's key signed two different logs of {each.size} entries: the published"
                " one and another."
            )
    by_size: dict[int, bytes] = {}
    for each in signed:
        if by_size.setdefault(each.size, each.root) != each.root:
            return AlarmKind.SPLIT_VIEW, (
                f"The log's key signed two different logs of {each.size} entries."
            )
    return None


def _published(session: Session) -> str:
    found = newest(session)
    return found.note.decode() if found else ""


def _is_without_quorum(session: Session, silent_after: timedelta, operator: str) -> bool:
    if not quorum(session, operator):
        return False
    met = quorum_met_at(session, operator)
    begun = max((row.since for row in living(session) if _counts(row, operator)), default=0)
    last = max(milliseconds(met) if met else 0, begun)
    return milliseconds(clock.now()) - last > silent_after / timedelta(milliseconds=1)


def _counts(row: AuditWitness, operator: str) -> bool:
    return row.org != operator


def _hours(period: timedelta) -> int:
    return int(period / timedelta(hours=1))

"""One round of a witness: check what is shown, keep it, cosign it.

The order matters: what is held is durable before a cosignature exists, so that no crash can make
the witness cosign two histories.
"""

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass

from postern.tlog.checkpoint import Checkpoint
from postern.tlog.notes import Note, Signature
from postern.tlog.strict import MalformedError
from postern.tlog.witnessing import AddCheckpoint
from postern.witness.errors import (
    CosignatureFailedError,
    LogContradictsItselfError,
    LogUnknownError,
)
from postern.witness.platform import LogPlatform
from postern.witness.rules import (
    ACCEPTED,
    MALFORMED,
    Held,
    Verdict,
    Watched,
    Wrong,
    judge,
    origin_of,
)
from postern.witness.state import Store

AGAIN_AFTER = 3600
"""Seconds after which a log that has not grown is cosigned again, so that its age can be told."""


@dataclass(frozen=True)
class Answer:
    """A verdict, the size that was held before it, and the cosignature or the alarm it led to."""

    verdict: Verdict
    size: int
    line: Signature | None = None
    alarm: LogContradictsItselfError | None = None


@dataclass(frozen=True)
class Round:
    """What a round came to: the checkpoint that is held, and whether it was cosigned in it."""

    checkpoint: Checkpoint
    cosigned: bool


def pull(
    store: Store,
    origin: str,
    platform: LogPlatform,
    clock: Callable[[], float] = time.time,
) -> Round:
    """Fetch what is pending from the platform, check it, cosign it and hand that in.

    Raises LogContradictsItselfError, with evidence, when what the platform shows contradicts what
    was cosigned; CosignatureFailedError for a checkpoint that cannot be cosigned; ClientError.
    """
    asked = _watched(store, origin).size
    request = platform.pending(asked)
    now = int(clock())
    with store.turn():
        watched = _watched(store, origin)
        if watched.size != asked and watched.held:
            return Round(watched.held.checkpoint, cosigned=False)  # another process was faster
        verdict = judge(watched, request)
        if verdict.wrong:
            path, is_new = store.keep_evidence(watched, verdict.note, verdict.wrong, verdict.reason)
            raise LogContradictsItselfError(verdict.reason, path, is_new=is_new)
        if verdict.checkpoint is None or verdict.status != ACCEPTED:
            raise CosignatureFailedError(verdict.reason)
        is_same = watched.held is not None and verdict.checkpoint.size == watched.size
        if is_same and watched.held and now - watched.held.at < AGAIN_AFTER:
            return Round(verdict.checkpoint, cosigned=False)
        line = _cosigned(store, watched, verdict, now, given_at=0)
    platform.cosign(line, verdict.checkpoint.size)
    with store.turn():
        watched = _watched(store, origin)
        if watched.held and watched.size == verdict.checkpoint.size:
            given = dataclasses.replace(watched.held, at=now)
            store.keep(dataclasses.replace(watched, held=given))
    return Round(verdict.checkpoint, cosigned=True)


def answer(store: Store, body: bytes, clock: Callable[[], float] = time.time) -> Answer:
    """What an add-checkpoint request is answered; the cosignature when it is accepted.

    A checkpoint of another history is kept as evidence. Anybody may send an older checkpoint, so
    that a request shows less than was cosigned proves nothing.
    """
    try:
        request = AddCheckpoint.parse(body)
    except MalformedError as error:
        return Answer(Verdict(MALFORMED, str(error)), 0)
    origin, now = origin_of(request), int(clock())
    with store.turn():
        watched = store.watched(origin)
        verdict = judge(watched, request)
        size = watched.size if watched else 0
        if watched and verdict.wrong is Wrong.SPLIT_VIEW:
            path, is_new = store.keep_evidence(watched, verdict.note, verdict.wrong, verdict.reason)
            alarm = LogContradictsItselfError(verdict.reason, path, is_new=is_new)
            return Answer(verdict, size, alarm=alarm)
        if watched is None or verdict.status != ACCEPTED:
            return Answer(verdict, size)
        line = _cosigned(store, watched, verdict, now, given_at=now)
    return Answer(verdict, size, line)


def _watched(store: Store, origin: str) -> Watched:
    watched = store.watched(origin)
    if watched is None:
        raise LogUnknownError(
            f"The log {origin} is not watched here. Begin with: postern witness init"
        )
    return watched


def _cosigned(
    store: Store, watched: Watched, verdict: Verdict, at: int, *, given_at: int
) -> Signature:
    """Keep the checkpoint, durably, and only then sign it."""
    if verdict.checkpoint is None:
        raise LookupError("only an accepted checkpoint is cosigned")
    held = Held(verdict.checkpoint, verdict.note, given_at)
    store.keep(dataclasses.replace(watched, held=held))
    return store.key().cosign(Note.parse(verdict.note).text, at)

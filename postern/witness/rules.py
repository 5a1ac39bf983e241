"""What a witness demands of a checkpoint before it cosigns. Pure: no clock, no file, no network.

Source: C2SP tlog-witness v1.0.0, add-checkpoint; the statuses are those of its answers.
"""

from dataclasses import dataclass
from enum import StrEnum

from postern.tlog.checkpoint import Checkpoint, open_checkpoint
from postern.tlog.hashing import EMPTY_ROOT
from postern.tlog.notes import Note, NoteError, VerifierKey
from postern.tlog.tree import ProofError, verify_consistency
from postern.tlog.witnessing import AddCheckpoint

ACCEPTED, MALFORMED, NOT_SIGNED, UNKNOWN_LOG, CONFLICT, INCONSISTENT = 200, 400, 403, 404, 409, 422


class Wrong(StrEnum):
    """What a signed checkpoint shows against the log that signed it."""

    SPLIT_VIEW = "split-view"  # another log than the one that was cosigned
    ROLLBACK = "rollback"  # a smaller log than the one that was cosigned


@dataclass(frozen=True)
class Held:
    """The newest checkpoint that the witness cosigned: the whole note.

    `at` is when its cosignature was last given to somebody, in seconds since 1970; 0 before.
    """

    checkpoint: Checkpoint
    note: bytes
    at: int


@dataclass(frozen=True)
class Watched:
    """One log as the witness knows it: its origin, the keys it may sign with, what is held."""

    origin: str
    keys: tuple[VerifierKey, ...]
    held: Held | None

    @property
    def size(self) -> int:
        """Entries of the newest checkpoint that was cosigned, 0 before the first."""
        return self.held.checkpoint.size if self.held else 0


@dataclass(frozen=True)
class Verdict:
    """What follows from a request: a status, and the checkpoint to cosign when it is ACCEPTED.

    `wrong` is what the request shows against the log, `reason` says it in a sentence.
    """

    status: int
    reason: str
    checkpoint: Checkpoint | None = None
    note: bytes = b""
    wrong: Wrong | None = None


def judge(watched: Watched | None, request: AddCheckpoint) -> Verdict:
    """Whether the witness may cosign the checkpoint of `request`, given what it holds of the log.

    `watched` is None for a log that the witness does not know.
    """
    if watched is None:
        return Verdict(UNKNOWN_LOG, "The witness does not know this log.")
    try:
        shown, note = open_checkpoint(request.checkpoint, watched.keys)
    except NoteError as error:
        return Verdict(NOT_SIGNED, str(error))
    if shown.origin != watched.origin:
        return Verdict(NOT_SIGNED, "The checkpoint is of another log than its key.")
    return _compared(watched, shown, _own_note(note, watched), request)


def origin_of(request: AddCheckpoint) -> str:
    """The origin that the request's checkpoint claims: its first line, whatever follows."""
    return request.checkpoint.partition(b"\n")[0].decode("utf-8", "replace")


def _compared(watched: Watched, shown: Checkpoint, note: bytes, request: AddCheckpoint) -> Verdict:
    held = watched.size
    if shown.size < max(held, request.old):
        status = MALFORMED if shown.size < request.old else CONFLICT
        wrong = Wrong.ROLLBACK if shown.size < held else None
        reason = f"The log shows {shown.size} entries, and {held} were cosigned."
        return Verdict(status, reason, shown, note, wrong)
    if request.old != held:
        return Verdict(CONFLICT, f"The witness has cosigned {held} entries.", shown, note)
    if shown.size == held:
        return _of_same_size(watched, shown, note, request)
    try:
        if watched.held:
            root = watched.held.checkpoint.root
            verify_consistency(held, root, shown.size, shown.root, request.proof)
    except ProofError as error:
        reason = (
            f"It is not shown that the log of {shown.size} entries begins with the {held} that"
            f" were cosigned. {error}"
        )
        return Verdict(INCONSISTENT, reason, shown, note, Wrong.SPLIT_VIEW)
    return Verdict(ACCEPTED, f"The log grew from {held} to {shown.size} entries.", shown, note)


def _of_same_size(
    watched: Watched, shown: Checkpoint, note: bytes, request: AddCheckpoint
) -> Verdict:
    root = watched.held.checkpoint.root if watched.held else EMPTY_ROOT
    if shown.root != root:
        reason = f"The log's key signed two different logs of {shown.size} entries."
        return Verdict(CONFLICT, reason, shown, note, Wrong.SPLIT_VIEW)
    if request.proof:
        return Verdict(INCONSISTENT, "A proof between equal sizes must be empty.", shown, note)
    return Verdict(ACCEPTED, "Nothing was added.", shown, note)


def _own_note(note: Note, watched: Watched) -> bytes:
    """The note with the log's own signatures only: what is kept, and what proves against it."""
    known = {(key.name, key.key_id) for key in watched.keys}
    kept = tuple(each for each in note.signatures if (each.name, each.key_id) in known)
    return Note(note.text, kept).encode()

"""The checks of the log as a whole: SIGNATURE, QUORUM and CONSIST of docs/verify.md.

Each returns its finding; what contradicts is returned with it, to be kept as evidence.
"""

from collections.abc import Callable
from dataclasses import dataclass

from postern.audit.findings import Check, Finding, cannot_tell, failed, not_asked, ok
from postern.audit.sources import NotThereError
from postern.audit.trust import Trust
from postern.tlog.checkpoint import Checkpoint, open_checkpoint
from postern.tlog.notes import NoteError, Verified, verified
from postern.tlog.tiles import MalformedError, TileReader, consistency_proof
from postern.tlog.tree import ProofError, verify_consistency

OLDEST_COSIGNATURE = 24 * 3600  # seconds
LATEST_COSIGNATURE = 900  # seconds after which what came since must be cosigned too


@dataclass(frozen=True, slots=True)
class Opened:
    """A checkpoint that the log signed, its note, and who of the known keys signed it."""

    checkpoint: Checkpoint
    note: bytes
    signed: tuple[Verified, ...]


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two notes of one log that cannot both be true of a log that only grows."""

    held: bytes
    served: bytes
    reason: str


def open_signed(note: bytes, trust: Trust) -> Opened:
    """The checkpoint of a note that a trusted key of the log signed; raises NoteError."""
    checkpoint, parsed = open_checkpoint(note, trust.log_keys)
    return Opened(checkpoint, note, tuple(verified(parsed, trust.policy.keys)))


def signature(note: bytes, trust: Trust) -> tuple[Finding, Opened | None]:
    """SIGNATURE: a confirmed key of the log signed the checkpoint under the log's name."""
    try:
        opened = open_signed(note, trust)
    except NoteError as error:
        return failed(
            Check.SIGNATURE,
            f"The checkpoint is not signed by a key of the log that is trusted: {error.reason}. "
            "If the operator announced a new key, compare it with them and confirm it "
            "(`postern audit keys --accept`).",
        ), None
    if opened.checkpoint.origin != trust.origin:
        return failed(Check.SIGNATURE, "The checkpoint is that of another log."), None
    if not trust.confirmed:
        return cannot_tell(
            Check.SIGNATURE,
            "The signature fits a key that came with the log itself; nobody compared that key with "
            "the operator by another way, so anybody could have made it.",
            entries=opened.checkpoint.size,
        ), opened
    return ok(
        Check.SIGNATURE,
        f"The log {opened.checkpoint.origin} signed its checkpoint of "
        f"{opened.checkpoint.size:,} entries with the key that was confirmed.",
        entries=opened.checkpoint.size,
    ), opened


def quorum(opened: Opened | None, trust: Trust, *, size: int, now: int | None = None) -> Finding:
    """QUORUM: enough witnesses cosigned a checkpoint, none too long ago.

    `opened` is the newest checkpoint that they cosigned, `size` that of the log. `now` in seconds;
    None when what is verified is of a past moment, whose age does not count.
    """
    if not trust.has_quorum:
        return cannot_tell(
            Check.QUORUM,
            "No other organisation vouches for this log: whether everybody is shown the same one "
            "is its own word.",
        )
    witnesses = {each.key for each in opened.signed if each.time is not None} if opened else set()
    counts = {"cosignatures": len(witnesses), "witnesses": len(trust.policy.witnesses)}
    until = trust.vouched_until(opened.signed) if opened else None
    if opened is None or until is None:
        return failed(
            Check.QUORUM,
            f"{len(witnesses)} of {len(trust.policy.witnesses)} witnesses vouch for the log, fewer "
            "than agreed: it may be another log than they see. Ask them what they saw last.",
            **counts,
        )
    if now is not None and until + OLDEST_COSIGNATURE < now:
        hours = (now - until) // 3600
        return failed(
            Check.QUORUM,
            f"The witnesses last vouched for the log {hours:,} hours ago, longer than 24: what is "
            "shown may be an old state of it. Ask them what they saw last.",
            **counts,
        )
    uncovered = size - opened.checkpoint.size
    counts["not covered yet"] = max(uncovered, 0)
    if uncovered > 0 and (now is None or until + LATEST_COSIGNATURE < now):
        return cannot_tell(
            Check.QUORUM,
            f"The witnesses vouch for the first {opened.checkpoint.size:,} entries; for the "
            f"{uncovered:,} after them nobody does yet. Verify again when the witnesses cosigned; "
            "if they do not, ask them why.",
            **counts,
        )
    names = ", ".join(sorted({trust.owner(key) for key in witnesses}))
    return ok(
        Check.QUORUM,
        f"The agreed number of other organisations saw the same log ({names}).",
        **counts,
    )


def consistency(
    held: Opened | None, served: Opened, read: TileReader
) -> tuple[Finding, Contradiction | None]:
    """CONSIST: what is served extends what was seen last; `read` reads served tiles."""
    if held is None:
        return not_asked(
            Check.CONSIST,
            "It was not seen before on this machine; from now on it must only grow.",
        ), None
    before, now = held.checkpoint, served.checkpoint
    if now.size < before.size:
        reason = f"the log shrank from {before.size:,} to {now.size:,} entries"
        return _contradiction(held, served, reason)
    if before.size == 0:
        return ok(Check.CONSIST, "The log was empty when it was seen last."), None
    try:
        proof = consistency_proof(read, before.size, now.size)
        verify_consistency(before.size, before.root, now.size, now.root, proof)
    except (ProofError, MalformedError, NotThereError):
        reason = f"its {now.size:,} entries do not begin with the {before.size:,} seen before"
        return _contradiction(held, served, reason)
    return ok(
        Check.CONSIST,
        f"It is the log of {before.size:,} entries that was seen last, and "
        f"{now.size - before.size:,} more.",
        before=before.size,
        now=now.size,
    ), None


def fsck(entries: int, wrong: tuple[int | None, str] | None, *, first: int = 0) -> Finding:
    """FSCK: the leaves give the signed root; `wrong` is the first place that does not, and why.

    `entries` were hashed now, those before `first` at an earlier time.
    """
    if wrong:
        place, reason = wrong
        where = "" if place is None else f", first at the place {place:,}"
        return failed(
            Check.FSCK,
            f"The entries are not those that the log signed{where}: {reason}.",
            entries=entries,
        )
    what = (
        f"The {entries:,} newest entries were hashed; with those hashed before they"
        if first
        else f"All {entries:,} entries were hashed; they"
    )
    return ok(Check.FSCK, f"{what} give exactly what was signed.", entries=entries)


def same_log(
    other: Opened, size: int, root_at: Callable[[int], bytes], held: Opened
) -> Contradiction | None:
    """Whether a checkpoint is one of the tree of `size` whose roots `root_at` gives; None if so."""
    if other.checkpoint.size > size or root_at(other.checkpoint.size) == other.checkpoint.root:
        return None
    return Contradiction(
        held.note,
        other.note,
        f"there are two different logs of {other.checkpoint.size:,} entries, both signed",
    )


def _contradiction(held: Opened, served: Opened, reason: str) -> tuple[Finding, Contradiction]:
    return failed(
        Check.CONSIST,
        f"This is not the log that was seen before: {reason}. Both signed checkpoints are kept as "
        "evidence; show them to the other members.",
        before=held.checkpoint.size,
        now=served.checkpoint.size,
    ), Contradiction(held.note, served.note, reason)

"""Single proofs and foreign checkpoints: what one entry, or another member's view, shows."""

from dataclasses import dataclass

from postern.audit import log_checks
from postern.audit.log_checks import Contradiction, Opened
from postern.audit.mirror import Mirror
from postern.audit.own_entries import EntryMalformedError, fault_of, parse_entry
from postern.audit.sources import LogSource
from postern.audit.trust import AuditError, Trust
from postern.tlog.checkpoint import Checkpoint
from postern.tlog.hashing import leaf_hash
from postern.tlog.notes import Note, NoteError
from postern.tlog.proof_file import ProofFile
from postern.tlog.strict import MalformedError
from postern.tlog.tiles import inclusion_proof, root
from postern.tlog.tree import ProofError, verify_inclusion


def prove(mirror: Mirror, place: int) -> bytes | None:
    """A proof file of the entry at a place from the own copy, with its leaf as `extra`.

    Against the newest checkpoint that was cosigned if it covers the place. None when the copy does
    not reach so far.
    """
    size = mirror.tree.size
    last, cosigned = mirror.state.last, mirror.state.cosigned
    if last is None or place >= size:
        return None
    note = last.note
    if cosigned is not None:
        checkpoint = Checkpoint.parse(Note.parse(cosigned).text)
        if place < checkpoint.size <= size:
            note, size = cosigned, checkpoint.size
    proof = inclusion_proof(mirror.tree.tile, place, size)
    return ProofFile(place, tuple(proof), note, mirror.tree.leaf(place)).encode()


@dataclass(frozen=True, slots=True)
class Proven:
    """What a proof file shows: the place, the checkpoint and who cosigned it."""

    place: int
    opened: Opened
    vouched: bool  # by the agreed number of witnesses


class NotProvenError(ValueError):
    """A proof does not show what it should; the message says why."""


def check_proof(
    written: bytes, trust: Trust, *, entry: bytes | None = None, mirror: Mirror | None = None
) -> Proven:
    """What a proof file shows of an entry.

    The leaf is that of `entry` (a line of an export, whose record and details are checked too),
    else the file's `extra`, else that of the own copy. Raises NotProvenError, and AuditError when
    no leaf is there or the file is none.
    """
    try:
        file = ProofFile.parse(written)
    except MalformedError as error:
        raise AuditError(str(error)) from None
    leaf = _leaf(file, entry, mirror)
    try:
        opened = log_checks.open_signed(file.checkpoint, trust)
        checkpoint = opened.checkpoint
        verify_inclusion(file.index, checkpoint.size, leaf_hash(leaf), file.proof, checkpoint.root)
    except (NoteError, ProofError) as error:
        raise NotProvenError(str(error)) from None
    return Proven(file.index, opened, trust.vouched_since(opened.signed) is not None)


def compare(
    note: bytes, trust: Trust, mirror: Mirror, source: LogSource | None
) -> Contradiction | str | None:
    """Whether another member's checkpoint is of the log that was seen here.

    None when it is; a contradiction, which two signed notes prove, when it is not; in words why
    that cannot be told. Raises NoteError when the log did not sign it.
    """
    other = log_checks.open_signed(note, trust)
    last, files = mirror.state.last, mirror.tree
    if last is None or not files.size:
        return "there is no copy of the log here yet; make one with `postern audit mirror`"
    held = Opened(last.checkpoint, last.note, ())
    size = other.checkpoint.size
    if size <= files.size:
        return log_checks.same_log(other, files.size, lambda at: root(files.tile, at), held)
    if source is None:
        return "it is newer than the copy here; bring that up to date with `postern audit mirror`"
    if log_checks.open_signed(source.newest(), trust).checkpoint.size < size:
        return "it is newer than what the platform shows; ask for both again in some minutes"
    _, contradiction = log_checks.consistency(held, other, source.tile)
    return contradiction


def _leaf(file: ProofFile, entry: bytes | None, mirror: Mirror | None) -> bytes:
    if entry is not None:
        try:
            parsed = parse_entry(entry)
        except EntryMalformedError as error:
            raise AuditError(
                f"The entry cannot be read: {error}. Give one line of entries.jsonl."
            ) from None
        fault = fault_of(parsed)
        if fault:
            raise NotProvenError(f"The entry is not as it was logged: {fault}.")
        return parsed.leaf
    if file.extra:
        return file.extra
    if mirror is not None and file.index < mirror.tree.size:
        return mirror.tree.leaf(file.index)
    raise AuditError(
        "The proof file does not hold the entry. Give it with --entry, as a line of entries.jsonl."
    )

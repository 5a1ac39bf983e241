"""Taking cosignatures: what a witness is asked to check, and the lines that it answers.

Source: C2SP tlog-witness v1.0.0 (the body), tlog-cosignature v1.0.1 (the lines).
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from app.audit.models import AuditCheckpoint, AuditCosignature, AuditWitness
from app.audit.tree import NoSuchTileError, Published, checkpoint, newest, reader
from app.audit.witnesses import living
from app.clock import milliseconds, now
from app.errors import InvalidRequestError, NotFoundError
from postern.tlog.notes import Note, NoteError, Signature, VerifierKey, parse_signatures, verified
from postern.tlog.tiles import consistency_proof
from postern.tlog.witnessing import AddCheckpoint

LARGEST_ANSWER = 16_384  # bytes of signature lines

_TIME_SIZE = 8  # bytes at the beginning of a cosignature
_SLACK = 300  # seconds by which a witness's clock may differ from ours
_REFRESHED_AFTER = 6 * 3600  # seconds; an idle log is cosigned again, so that its age can be told


class CosignatureRefusedError(InvalidRequestError):
    code = "cosignature-refused"
    title = "No line is a cosignature of a registered witness"
    remedy = "Register the witness's key, ask for the pending checkpoint again and cosign that."


def due(session: Session, turn: int, old: int = 0) -> Published | None:
    """The checkpoint that witnesses are asked to cosign now; None before the first.

    For `turn` seconds all are asked for the same one, the newest from before the turn began: if
    each got the newest of its moment, no checkpoint of a busy log would ever be cosigned by many.
    Who has cosigned more than that, `old` entries, or comes before there is one, gets the newest.
    """
    began = milliseconds(now()) // (turn * 1000) * (turn * 1000) if turn else 0
    size = session.scalar(
        select(AuditCheckpoint.size)
        .where(AuditCheckpoint.t < began)
        .order_by(AuditCheckpoint.size.desc())
        .limit(1)
    )
    return newest(session) if size is None or size < old else checkpoint(session, size)


def pending(session: Session, old: int, turn: int = 0) -> bytes:
    """What a witness that has cosigned `old` entries is asked to check next; NotFoundError before
    the first checkpoint.

    A witness that has seen more than there is gets the newest checkpoint without a proof: it is
    the evidence of a log that shrank.
    """
    found = due(session, turn, old)
    if found is None:
        raise NotFoundError
    return request_for(session, found, old).encode()


def request_for(session: Session, found: Published, old: int) -> AddCheckpoint:
    """The same for one checkpoint, with nobody's cosignatures."""
    proof = consistency_proof(reader(session), old, found.size) if old <= found.size else []
    note = Note.parse(found.note)
    origin = note.text.partition("\n")[0]
    own = tuple(each for each in note.signatures if each.name == origin)
    return AddCheckpoint(old, tuple(proof), Note(note.text, own).encode())


def accept(session: Session, lines: bytes, size: int | None = None) -> list[VerifierKey]:
    """Keep the cosignatures among `lines` for the checkpoint of a size, the newest by default.

    Returns the keys of the witnesses. Lines of unknown keys are left out; to send a line again is
    no harm. NotFoundError when there is no such checkpoint; CosignatureRefusedError when no line
    is by a registered witness, when one that claims to be is not, and when it states a time that
    is not between the checkpoint and now.
    """
    signatures = _parsed(lines)
    found = _checkpoint(session, size)
    text = Note.parse(found.note).text
    known = {VerifierKey.parse(row.vkey): row for row in living(session)}
    try:
        cosigned = verified(Note(text, tuple(signatures)), known)
    except NoteError as error:
        raise CosignatureRefusedError(f"A line is not what it claims: {error.reason}.") from None
    times = {one.key: one.time for one in cosigned if one.time is not None}
    if not times:
        raise CosignatureRefusedError
    _check_times(session, found.size, times.values())
    for key, at in times.items():
        _keep(session, known[key], found.size, at, _line(signatures, key, at))
    return list(times)


def _parsed(lines: bytes) -> Sequence[Signature]:
    if len(lines) > LARGEST_ANSWER:
        raise CosignatureRefusedError(f"The body is longer than {LARGEST_ANSWER} bytes.")
    try:
        return parse_signatures(lines)
    except NoteError as error:
        raise CosignatureRefusedError(
            f"The body is not lines of signatures: {error.reason}."
        ) from None


def _checkpoint(session: Session, size: int | None) -> Published:
    try:
        found = newest(session) if size is None else checkpoint(session, size)
    except NoSuchTileError:
        found = None
    if found is None:
        raise NotFoundError
    return found


def _check_times(session: Session, size: int, times: Iterable[int]) -> None:
    """Cosignatures date the entries below them, so a clock that is wrong must not."""
    made = session.execute(
        select(AuditCheckpoint.t).where(AuditCheckpoint.size == size)
    ).scalar_one()
    earliest, latest = made // 1000 - _SLACK, milliseconds(now()) // 1000 + _SLACK
    if any(not earliest <= at <= latest for at in times):
        raise CosignatureRefusedError(
            "A cosignature states a time that is not between the checkpoint and now.",
            remedy="Set the clock of the witness by NTP and cosign again.",
        )


def _line(signatures: Sequence[Signature], key: VerifierKey, at: int) -> str:
    time = at.to_bytes(_TIME_SIZE, "big")
    return next(
        each.line
        for each in signatures
        if (each.name, each.key_id) == (key.name, key.key_id) and each.blob.startswith(time)
    )


def _keep(session: Session, witness: AuditWitness, size: int, at: int, line: str) -> None:
    """The first line for a size stays, unless a much later one shows that nothing followed."""
    make = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    row = {"size": size, "witness_id": witness.id, "t": at, "line": line}
    fresh = make(AuditCosignature).values(row)
    session.execute(
        fresh.on_conflict_do_update(
            index_elements=["size", "witness_id"],
            set_={"t": fresh.excluded.t, "line": fresh.excluded.line},
            where=AuditCosignature.t + _REFRESHED_AFTER <= fresh.excluded.t,
        )
    )
    session.execute(
        update(AuditWitness)
        .where(AuditWitness.id == witness.id, AuditWitness.size < size)
        .values(size=size)
    )
    session.execute(
        update(AuditWitness).where(AuditWitness.id == witness.id).values(seen=milliseconds(now()))
    )

"""Taking entries back into the log that a restored database has lost, from copies of them.

Record and leaf alone: details, which may concern persons, are not among the copies, and the tree
verifies without them. Nothing is believed: the tree that results must be the one that the log's
own key signed.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.orm import Session

from app.audit import months
from app.audit.high_water import Head, StoredMismatchError
from app.audit.models import (
    AuditAudience,
    AuditCheckpoint,
    AuditEntry,
    AuditQueue,
    AuditSeq,
    AuditState,
)
from app.audit.sequencer import write_tiles
from app.audit.tree import head, reader
from app.clock import milliseconds, moment, now
from postern.tlog.checkpoint import open_checkpoint
from postern.tlog.hashing import leaf_hash
from postern.tlog.notes import NoteError, VerifierKey
from postern.tlog.tiles import grown


@dataclass(frozen=True)
class Copied:
    """One entry as its copy has it; `idx` is its place in the tree."""

    idx: int
    eid: int
    t: int
    record: bytes
    leaf: bytes


def adopt(
    session: Session, copies: Sequence[Copied], note: bytes, keys: Sequence[VerifierKey]
) -> Head:
    """Give `copies` the places behind the stored tree, under the checkpoint `note`.

    `copies` are consecutive; those whose place is taken are left out. StoredMismatchError when the
    tree that results is not the one that the note signs; nothing is changed then.
    """
    before = head(session)
    fresh = [each for each in copies if each.idx >= before.size]
    try:
        signed, _ = open_checkpoint(note, keys)
    except NoteError as refusal:
        raise StoredMismatchError(
            f"The journal's checkpoint is not of this log: {refusal}."
        ) from None
    if not fresh:
        return before
    if [each.idx for each in fresh] != list(range(before.size, before.size + len(fresh))):
        raise StoredMismatchError(
            f"The journal has a gap behind the place {before.size}. Look for its missing files."
        )
    growth = grown(reader(session), before.size, [leaf_hash(each.leaf) for each in fresh])
    if (growth.size, growth.root) != (signed.size, signed.root):
        raise StoredMismatchError(
            f"The entries of the journal are not those of the signed tree of {signed.size} entries."
        )
    _make_months(session, fresh)
    _store(session, fresh)
    write_tiles(session, growth.tiles)
    session.execute(
        insert(AuditCheckpoint).values(
            size=growth.size, root=growth.root, t=milliseconds(now()), note=note
        )
    )
    session.execute(update(AuditState).values(size=growth.size))
    return Head(growth.size, growth.root)


def _store(session: Session, fresh: Sequence[Copied]) -> None:
    eids = [each.eid for each in fresh]
    waiting = set(session.scalars(select(AuditEntry.eid).where(AuditEntry.eid.in_(eids))))
    session.execute(delete(AuditQueue).where(AuditQueue.eid.in_(eids)))
    for each in fresh:
        session.execute(insert(AuditSeq).values(idx=each.idx, eid=each.eid, t=each.t))
        if each.eid in waiting:  # it had no place yet when the backup was made
            continue
        told = json.loads(each.record)
        session.execute(
            insert(AuditEntry).values(
                eid=each.eid,
                t=each.t,
                act=told["act"],
                org=told["org"],
                rec=each.record,
                leaf=each.leaf,
            )
        )
        for code in told["aud"]:
            session.execute(
                insert(AuditAudience).values(
                    org=code,
                    t=each.t,
                    eid=each.eid,
                    act=told["act"],
                    doer=told["org"],
                    out=told["out"],
                    purpose=told["purpose"],
                    basis=told["basis"],
                    obj=told["obj"],
                )
            )
    if session.get_bind().dialect.name == "postgresql":
        highest = session.scalar(select(func.max(AuditEntry.eid)))
        session.execute(
            text("SELECT setval(pg_get_serial_sequence('audit_entry', 'eid'), :highest)"),
            {"highest": highest},
        )


def _make_months(session: Session, fresh: Sequence[Copied]) -> None:
    first = moment(min(each.t for each in fresh))
    months.make_ahead(session, first)
    months.make_ahead(session, now())

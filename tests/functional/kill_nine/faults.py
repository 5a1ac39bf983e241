"""Known faults, put in on purpose: a trial that does not notice them would show nothing."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.audit import sequencer
from app.audit.high_water import Head, HighWater
from app.audit.models import AuditEntry, AuditQueue, AuditSeq

EARLY_ACKNOWLEDGEMENT = "early-acknowledgement"
LOST_HIGH_WATER = "lost-high-water"

_take, _announce = sequencer._take, HighWater.announce
_WINDOW = 0.05  # seconds for which a fault leaves things half done, as a slow disk would


@contextmanager
def above_last() -> Iterator[None]:
    """Take what is numbered above the last placed entry, instead of what waits."""

    def take(session: Session, most: int) -> list[sequencer._Waiting]:
        last = session.execute(select(func.max(AuditSeq.eid))).scalar() or 0
        rows = session.execute(
            select(AuditEntry.eid, AuditEntry.t.label("at"), AuditEntry.leaf)
            .where(AuditEntry.eid > last)
            .order_by(AuditEntry.eid)
            .limit(most)
        ).all()
        eids = [row.eid for row in rows]
        session.execute(delete(AuditQueue).where(AuditQueue.eid.in_(eids)))
        return [sequencer._Waiting(row.eid, row.at, bytes(row.leaf)) for row in rows]

    with patch.object(sequencer, "_take", take):
        yield


@contextmanager
def emptied_first() -> Iterator[None]:
    """Empty the queue in a transaction of its own, before what stood there has its place."""

    def take(session: Session, most: int) -> list[sequencer._Waiting]:
        taken = _take(session, most)
        connection = session.connection()
        connection.exec_driver_sql("COMMIT")
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        if taken:
            time.sleep(_WINDOW)
        return taken

    with patch.object(sequencer, "_take", take):
        yield


@contextmanager
def published_first() -> Iterator[None]:
    """Tell the signed head before its tree is committed."""

    def announce(log: HighWater, committed: Head, pending: Head) -> None:
        _announce(log, committed, pending)
        sys.stdout.write(
            f"The stored log verifies: {pending.size} entries, root {pending.root.hex()}\n"
        )
        sys.stdout.flush()
        time.sleep(_WINDOW)

    with patch.object(HighWater, "announce", announce):
        yield


IN_THE_SEQUENCER = {
    "above-last": above_last,
    "emptied-first": emptied_first,
    "published-first": published_first,
}
FAULTS = (*IN_THE_SEQUENCER, EARLY_ACKNOWLEDGEMENT, LOST_HIGH_WATER)

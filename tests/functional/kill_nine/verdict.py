"""What must hold afterwards, reckoned anew from the rows and from what the processes wrote down.

The tree is hashed here with hashlib alone, not by the code that is tried.
"""

import base64
import hashlib
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select, text

from app.audit.high_water import StoredMismatchError
from app.audit.models import AuditEntry, AuditSeq
from app.audit.sequencer import Sequencer
from app.audit.tree import reader
from app.database import Database
from postern.base64url import from_base64url
from postern.tlog.checkpoint import open_checkpoint
from postern.tlog.notes import Note, NoteError, VerifierKey, verified
from postern.tlog.tiles import consistency_proof
from postern.tlog.tree import ProofError, verify_consistency

_VERIFIES = re.compile(r"The stored log verifies: (\d+) entries, root ([0-9a-f]{64})")
_TOLD = 5  # examples of each fault


@dataclass
class Verdict:
    """Figures, and what was found to be wrong: nothing, if all is well."""

    figures: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def demand(self, holds: bool, what: str) -> None:
        """Note `what` as wrong unless it holds."""
        if not holds:
            self.wrong.append(what)


def judge(database: Database, log: Sequencer, notes: Path, receipts: VerifierKey) -> Verdict:
    """Everything that must hold after the last round, once no process runs any more."""
    verdict = Verdict()
    places = _places(database)
    _judge_places(verdict, database, places)
    hashes = [hashlib.sha256(b"\0" + leaf).digest() for _, _, leaf in places]
    _judge_acts(verdict, hashes, notes, receipts)
    _judge_checkpoints(verdict, database, log, hashes, notes)
    try:
        log.check(whole=True)
    except StoredMismatchError as mismatch:
        verdict.wrong.append(f"the log does not verify: {mismatch}")
    return verdict


def _places(database: Database) -> list[tuple[int, int, bytes]]:
    with database.reading() as session:
        rows = session.execute(
            select(AuditSeq.idx, AuditSeq.eid, AuditEntry.leaf)
            .join(AuditEntry, (AuditEntry.eid == AuditSeq.eid) & (AuditEntry.t == AuditSeq.t))
            .order_by(AuditSeq.idx)
        )
        return [(row.idx, row.eid, bytes(row.leaf)) for row in rows]


def _judge_places(
    verdict: Verdict, database: Database, places: Sequence[tuple[int, int, bytes]]
) -> None:
    counts = {
        name: _count(database, f"SELECT count(*) FROM audit_{name}")  # noqa: S608 - our own names
        for name in ("entry", "detail", "queue", "seq")
    }
    verdict.figures["entries"] = counts["entry"]
    verdict.demand(
        [place for place, _, _ in places] == list(range(len(places))), "places have gaps"
    )
    verdict.demand(len({eid for _, eid, _ in places}) == len(places), "an entry has two places")
    verdict.demand(counts["seq"] == len(places), "a place without entry")
    without = counts["entry"] - len(places)
    verdict.demand(not without, f"{without} entries without a place")
    verdict.demand(not counts["queue"], f"{counts['queue']} entries still wait")
    verdict.demand(counts["detail"] == counts["entry"], "an entry without its details")
    lonely = _count(
        database,
        "SELECT count(*) FROM audit_entry e WHERE NOT EXISTS"
        " (SELECT 1 FROM audit_audience a WHERE a.eid = e.eid AND a.t = e.t)",
    )
    verdict.demand(not lonely, f"{lonely} entries without audience")


def _judge_acts(
    verdict: Verdict, hashes: Sequence[bytes], notes: Path, receipts: VerifierKey
) -> None:
    """Every acknowledged act stands in the tree exactly once; none that was rolled back does."""
    standing = Counter(hashes)
    acknowledged = Counter(
        _acknowledged(line["receipt"], receipts)
        for kind in ("answered", "written")
        for line in _lines(notes, kind)
    )
    undone = [bytes.fromhex(leaf) for line in _lines(notes, "undone") for leaf in line["leaves"]]
    lost = [leaf for leaf in acknowledged if not standing[leaf]]
    verdict.figures |= {
        "acknowledged": len(acknowledged),
        "answered": len(_lines(notes, "answered")),
        "rolled_back": len(undone),
        "lost": len(lost),
        "duplicates": sum(count - 1 for count in standing.values()),
    }
    verdict.demand(not lost, f"{len(lost)} acknowledged acts have no entry in the tree")
    verdict.demand(not verdict.figures["duplicates"], "an entry stands twice in the tree")
    verdict.demand(max(acknowledged.values(), default=1) == 1, "a receipt was given twice")
    returned = sum(leaf in standing for leaf in undone)
    verdict.demand(not returned, f"{returned} acts stand there that were rolled back")


def _judge_checkpoints(
    verdict: Verdict, database: Database, log: Sequencer, hashes: Sequence[bytes], notes: Path
) -> None:
    """Every checkpoint that anybody saw is of this very tree, and every two are consistent."""
    keys = [key.verifier for key in log.keys]
    watched = _lines(notes, "watched")
    seen: dict[int, bytes] = {}
    for line in watched:
        for fault in ("vanished", "shrank"):
            verdict.demand(fault not in line, f"a checkpoint {fault}: {line.get(fault)}")
        if "checkpoint" in line:
            signed, _ = open_checkpoint(line["checkpoint"].encode(), keys)
            verdict.demand(
                seen.setdefault(signed.size, signed.root) == signed.root,
                f"two roots were seen for {signed.size} entries",
            )
    told = [
        (int(size), bytes.fromhex(root))
        for file in notes.glob("output-*")
        for size, root in _VERIFIES.findall(file.read_text("utf-8"))
    ]
    with database.reading() as session:
        rows = session.execute(text("SELECT size, root, note FROM audit_checkpoint ORDER BY size"))
        stored = {row.size: (bytes(row.root), bytes(row.note)) for row in rows}
    roots = _roots(hashes)
    for size, (root, note) in stored.items():
        signed, _ = open_checkpoint(note, keys)
        verdict.demand((signed.size, signed.root) == (size, root), f"row {size} is not its note")
    all_seen = [*seen.items(), *told, *((size, root) for size, (root, _) in stored.items())]
    forks = [size for size, root in all_seen if roots.get(size) != root]
    verdict.demand(not forks, f"checkpoints of another tree: {forks[:_TOLD]}")
    gone = [size for size in {*seen, *(size for size, _ in told if size)} if size not in stored]
    verdict.demand(not gone, f"checkpoints that were seen are gone: {gone[:_TOLD]}")
    with database.reading() as session:
        read = reader(session)
        for old, new in itertools.pairwise(sorted(set(seen) | set(stored))):
            proof = consistency_proof(read, old, new)
            try:
                verify_consistency(old, roots[old], new, roots[new], proof)
            except (KeyError, ProofError):
                verdict.wrong.append(f"{old} and {new} entries are not consistent")
    verdict.figures |= {
        "checkpoints": len(stored),
        "checkpoints_seen": len(seen),
        "heads_told_at_starts": len(told),
        "forks": len(forks),
    }


def _acknowledged(receipt: str, key: VerifierKey) -> bytes:
    """The leaf hash that a receipt promises; NoteError when it is not the platform's."""
    note = Note.parse(from_base64url(receipt) or b"")
    if not verified(note, [key]):
        raise NoteError("a receipt is not signed by the platform")
    return base64.b64decode(note.text.splitlines()[1].removeprefix("entry "))


def _roots(hashes: Sequence[bytes]) -> dict[int, bytes]:
    """The root of every tree of the first leaves (RFC 9162, section 2.1.1), by its size."""
    roots = {0: hashlib.sha256().digest()}
    edge: list[tuple[int, bytes]] = []  # full subtrees from the left: height and hash
    for size, leaf in enumerate(hashes, 1):
        height, node = 0, leaf
        while edge and edge[-1][0] == height:
            node = _node(edge.pop()[1], node)
            height += 1
        edge.append((height, node))
        root = edge[-1][1]
        for _, left in edge[-2::-1]:
            root = _node(left, root)
        roots[size] = root
    return roots


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def _count(database: Database, query: str) -> int:
    with database.reading() as session:
        return int(session.execute(text(query)).scalar_one())


def _lines(notes: Path, kind: str) -> list[dict[str, Any]]:
    return list(itertools.chain.from_iterable(map(_read, sorted(notes.glob(f"{kind}*")))))


def _read(file: Path) -> Iterator[dict[str, Any]]:
    for line in file.read_text("utf-8").splitlines():
        yield json.loads(line)

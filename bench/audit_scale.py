"""What a log of many entries weighs, and what proving and verifying it takes."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from sqlalchemy import text

from app.audit.archive import Archivist
from app.audit.growth import measure
from app.audit.sequencer import Sequencer
from app.audit.shelves import sealer
from app.audit.tree import head, leaves, newest, published_tile, reader
from app.database import Database
from app.runtime import Runtime
from bench.audit_acts import ASKERS
from postern.audit.scanning import Sought, scan
from postern.audit.tree_files import TreeFiles
from postern.tlog.hashing import leaf_hash
from postern.tlog.tiles import bundles_of, consistency_proof, inclusion_proof, root, tiles_of
from postern.tlog.tree import verify_consistency, verify_inclusion

_PROOFS = 300
_ARCHIVES = 2  # that are sealed, of 65,536 places each


def weight(runtime: Runtime) -> dict[str, Any]:
    """Bytes of an entry in the database with all indexes, and of that each table's part."""
    with runtime.database.reading() as session:
        growth = measure(session, runtime.settings)
    return {
        "entries": growth.live,
        "bytes_live": round(growth.entry_bytes),
        "bytes_by_table": {
            table.name: round(table.size / growth.live, 1)
            for table in sorted(growth.tables, key=lambda table: -table.size)
            if table.size >= growth.live
        },
    }


def proofs(database: Database) -> dict[str, float]:
    """Milliseconds to make and to verify a proof, medians over random places and sizes.

    Each is made by a reader that has no tile in memory, as a request would.
    """
    draw = random.Random(7)  # noqa: S311 - variety, not secrecy
    spent: dict[str, list[float]] = {}
    with database.reading() as session:
        newest_head = head(session)
        size, signed = newest_head.size, newest_head.root
        for _ in range(_PROOFS):
            place, old = draw.randrange(size), draw.randrange(1, size)
            leaf = leaf_hash(leaves(session, place, 1)[0])
            old_root = root(reader(session), old)
            with _timing(spent, "inclusion"):
                proof = inclusion_proof(reader(session), place, size)
            with _timing(spent, "inclusion_verified"):
                verify_inclusion(place, size, leaf, proof, signed)
            with _timing(spent, "consistency"):
                proof = consistency_proof(reader(session), old, size)
            with _timing(spent, "consistency_verified"):
                verify_consistency(old, old_root, size, signed, proof)
    return {f"{name}_ms": round(median(each) * 1000, 3) for name, each in spent.items()}


def verification(database: Database, log: Sequencer) -> dict[str, float]:
    """Seconds of a full verification: on a member's mirror, and on the platform's database.

    The member's recomputes the tree of all leaves and looks for its own tags among them.
    """
    with TemporaryDirectory(prefix="postern-bench-") as folder:
        files, signed = _mirrored(database, Path(folder))
        sought = Sought(tag_keys=(_tag_key(database),))
        start = perf_counter()
        found = scan(files, signed, sought)
        mirrored = perf_counter() - start
    assert found.wrong is None, found.reason
    assert found.leaves == files.size
    start = perf_counter()
    log.check(whole=True)
    return {
        "verify_s": round(mirrored, 3),
        "verify_own": len(found.tagged),
        "check_s": round(perf_counter() - start, 3),
    }


def archived(runtime: Runtime) -> dict[str, float]:
    """Bytes of an entry in sealed archives, and seconds to seal a million."""
    archivist = Archivist(
        database=runtime.database,
        directory=Path(runtime.settings.audit.archive),
        sealer=sealer(runtime),
        kept_months=0,
    )
    start = perf_counter()
    for _ in range(_ARCHIVES):
        archivist.seal_next()
    seconds = perf_counter() - start
    with runtime.database.reading() as session:
        growth = measure(session, runtime.settings)
    return {
        "bytes_archive": round(growth.archived_entry_bytes),
        "archived": growth.archived,
        "seal_1m_s": round(seconds / growth.archived * 1_000_000),
    }


@contextmanager
def _timing(spent: dict[str, list[float]], name: str) -> Iterator[None]:
    start = perf_counter()
    yield
    spent.setdefault(name, []).append(perf_counter() - start)


def _mirrored(database: Database, directory: Path) -> tuple[TreeFiles, bytes]:
    """The log as files, as a member's mirror keeps it, and the root of its checkpoint."""
    with database.reading() as session:
        published = newest(session)
        if published is None:
            raise LookupError("there is no checkpoint to mirror")
        files = TreeFiles(directory, published.size)
        for of_size in (tiles_of, bundles_of):
            for tile in of_size(published.size):
                files.write(tile, published_tile(session, tile))
    files.commit(published.note, published.size)
    return files, published.root


def _tag_key(database: Database) -> bytes:
    with database.reading() as session:
        found = session.execute(
            text("SELECT key FROM audit_org_key WHERE org = :org"), {"org": ASKERS[0]}
        ).scalar_one()
        return bytes(found)

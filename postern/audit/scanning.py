"""One pass over all leaves of a log that is kept as files: hashes, own tags, kept receipts.

Every leaf is hashed and compared with its tile, every tile with the one above it, and the right
edge with the signed root: together they fix every byte. Several processes share the work.
"""

import os
from base64 import urlsafe_b64decode
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from postern.audit.record import tag
from postern.audit.tree_files import MissingFileError, TreeFiles
from postern.tlog.hashing import HASH_SIZE, leaf_hash, peaks
from postern.tlog.tiles import TILE_WIDTH, MalformedError, Tile, bundles_of, root, tiles_of

_BUNDLES = 64  # that one task takes
_WORTH_PROCESSES = 400_000  # leaves; below, starting a process takes longer than the work
_WAITING = 8  # tasks for each process
_MOST_PROCESSES = 4

# A leaf in canonical form ends with `"n":"` and 12 bytes in 16 characters, `","v":1}`.
_NONCE, _AFTER_NONCE = b'"n":"', b'","v":1}'
_WRITTEN_NONCE = slice(-24, -8)
_BEFORE_NONCE = slice(-29, -24)


@dataclass(frozen=True, slots=True)
class Sought:
    """What to look for: leaves with a tag of one of these keys, and these leaf hashes."""

    tag_keys: tuple[bytes, ...] = ()
    leaf_hashes: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True)
class Scan:
    """What the leaves said.

    `wrong` is the first place whose leaf or tile does not lead to the signed root, with `reason` in
    words; None when all do. `tagged` are the places with a tag sought, `found` the hashes.
    """

    leaves: int
    tagged: frozenset[int]
    found: frozenset[bytes]
    wrong: int | None = None
    reason: str = ""


def scan(
    files: TreeFiles,
    signed_root: bytes,
    sought: Sought,
    *,
    first: int = 0,
    told: Callable[[int], None] | None = None,
    processes: int | None = None,
) -> Scan:
    """All leaves of `files` from `first` (rounded down to a bundle) against the signed root.

    `told` hears how many more leaves are done. Leaves that are missing or malformed are `wrong`.
    """
    start = first - first % TILE_WIDTH
    bundles = islice(bundles_of(files.size), start // TILE_WIDTH, None)
    leaves, tagged, found = 0, set[int](), set[bytes]()
    wrong = _wrong_tile(files, signed_root)
    with _workers(files.size - start, processes) as run:
        for part in run(_tasks(files, sought, bundles)):
            leaves += part.leaves
            tagged |= part.tagged
            found |= part.found
            if part.wrong is not None and (wrong is None or part.wrong < wrong[0]):
                wrong = part.wrong, part.reason
            if told:
                told(part.leaves)
    place, reason = wrong or (None, "")
    return Scan(leaves, frozenset(tagged), frozenset(found), place, reason)


@dataclass(frozen=True, slots=True)
class _Task:
    directory: Path
    size: int
    bundles: tuple[Tile, ...]
    sought: Sought


_Runner = Callable[[Iterator[_Task]], Iterator[Scan]]


def _tasks(files: TreeFiles, sought: Sought, bundles: Iterator[Tile]) -> Iterator[_Task]:
    while taken := tuple(islice(bundles, _BUNDLES)):
        yield _Task(files.directory, files.size, taken, sought)


def scan_part(task: _Task) -> Scan:
    """The leaves of some bundles against their tiles."""
    files = TreeFiles(task.directory, task.size)
    leaves, tagged, found = 0, set[int](), set[bytes]()
    for bundle in task.bundles:
        start = bundle.index * TILE_WIDTH
        try:
            content = files.leaves(bundle)
            row = files.tile(Tile(0, bundle.index, bundle.width))[: bundle.width * HASH_SIZE]
        except (MissingFileError, MalformedError) as error:
            return Scan(leaves, frozenset(tagged), frozenset(found), start, str(error))
        hashes = [leaf_hash(leaf) for leaf in content]
        if b"".join(hashes) != row:
            at = next(
                number
                for number, one in enumerate(hashes)
                if one != row[number * HASH_SIZE : (number + 1) * HASH_SIZE]
            )
            reason = "the entry is not the one that the tree was made of"
            return Scan(leaves, frozenset(tagged), frozenset(found), start + at, reason)
        leaves += len(content)
        if task.sought.tag_keys:
            tagged |= {
                start + number
                for number, leaf in enumerate(content)
                if _is_tagged(leaf, task.sought.tag_keys)
            }
        if task.sought.leaf_hashes:
            found |= task.sought.leaf_hashes.intersection(hashes)
    return Scan(leaves, frozenset(tagged), frozenset(found))


def _wrong_tile(files: TreeFiles, signed_root: bytes) -> tuple[int, str] | None:
    """The first place under a tile that does not lead to the root, and why; None when all do."""
    try:
        if root(files.tile, files.size) != signed_root:
            return 0, "the hashes do not lead to the signed root"
        for tile in tiles_of(files.size):
            if tile.width == TILE_WIDTH:
                above = Tile(tile.level + 1, tile.index // TILE_WIDTH, tile.index % TILE_WIDTH + 1)
                place = (above.width - 1) * HASH_SIZE
                if files.tile(above)[place : place + HASH_SIZE] != peaks(files.tile(tile))[0]:
                    return tile.index * TILE_WIDTH ** (tile.level + 1), (
                        f"{tile.path} does not lead to the signed root"
                    )
    except (MissingFileError, MalformedError) as error:
        return 0, str(error)
    return None


def _is_tagged(leaf: bytes, keys: Sequence[bytes]) -> bool:
    """Whether a leaf concerns the holder of one of the keys; False for one in another form."""
    if not leaf.endswith(_AFTER_NONCE) or leaf[_BEFORE_NONCE] != _NONCE:
        return False  # no leaf of the canonical form
    try:
        nonce = urlsafe_b64decode(leaf[_WRITTEN_NONCE])
    except ValueError:
        return False
    # 96 bits that look random stand nowhere in a leaf by chance: no need to parse it.
    return any(tag(key, nonce).encode() in leaf for key in keys)


@contextmanager
def _workers(leaves: int, processes: int | None) -> Iterator[_Runner]:
    """Runs tasks in processes when there is enough to do, else here; results in order."""
    wanted = processes if processes is not None else min(os.cpu_count() or 1, _MOST_PROCESSES)
    if leaves < _WORTH_PROCESSES or wanted == 1:
        yield lambda tasks: map(scan_part, tasks)
        return
    # Started afresh: a copy of a process with threads may wait for ever for a lock of theirs.
    pool = ProcessPoolExecutor(wanted, mp_context=get_context("spawn"))
    try:
        yield lambda tasks: _spread(pool, tasks, wanted * _WAITING)
    finally:
        pool.shutdown(cancel_futures=True)


def _spread(pool: Executor, tasks: Iterator[_Task], most: int) -> Iterator[Scan]:
    waiting: deque[Future[Scan]] = deque()
    for task in tasks:
        waiting.append(pool.submit(scan_part, task))
        if len(waiting) > most:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()

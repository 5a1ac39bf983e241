"""Roots of trees, and whether a proof leads where it says.

Source: RFC 6962, section 2.1; RFC 9162, sections 2.1.3.2 (inclusion) and 2.1.4.2 (consistency).
"""

from collections.abc import Iterable, Sequence
from itertools import islice

from postern.tlog.hashing import HASH_SIZE, node_hash, peaks, root_under

_ROW = 256  # hashes folded at once: a complete subtree of height 8


class ProofError(ValueError):
    """A proof does not show what it should; nothing that rests on it may be believed."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The proof fails: {reason}. Do not rely on what it should prove; keep it and the "
            "checkpoint as evidence, and compare the checkpoint with another member's."
        )


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """The root, 32 bytes, over leaf hashes of 32 bytes each; memory grows with log(n) only.

    Raises ValueError when a leaf hash has another length.
    """
    hashes = iter(leaf_hashes)
    complete: list[bytes] = []  # roots of complete subtrees from the left, each smaller in height
    rows = 0
    while row := list(islice(hashes, _ROW)):
        joined = _joined(row)
        if len(row) < _ROW:
            return root_under([*peaks(joined), *reversed(complete)])
        (peak,) = peaks(joined)
        above = rows
        while above % 2:  # each trailing one-bit of the count is a subtree of the same height
            peak = node_hash(complete.pop(), peak)
            above //= 2
        complete.append(peak)
        rows += 1
    return root_under(complete[::-1])


def verify_inclusion(
    index: int, size: int, leaf_hash: bytes, proof: Sequence[bytes], root: bytes
) -> None:
    """Return when the leaf stands at `index` of the tree of `size` leaves under `root`.

    Raises ProofError when the proof does not show it (RFC 9162, section 2.1.3.2).
    """
    _check_hashes(leaf_hash, root, *proof)
    if not 0 <= index < size:
        raise ProofError(f"a tree of {size} entries has no entry {index}")
    node, last = index, size - 1
    found = leaf_hash
    for sibling in proof:
        if last == 0:
            raise ProofError("it has more hashes than the path to the root")
        if node % 2 or node == last:
            found = node_hash(sibling, found)
            while node % 2 == 0 and node:
                node >>= 1
                last >>= 1
        else:
            found = node_hash(found, sibling)
        node >>= 1
        last >>= 1
    if last:
        raise ProofError("it has fewer hashes than the path to the root")
    if found != root:
        raise ProofError(f"it does not lead from entry {index} to the root of size {size}")


def verify_consistency(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Return when the new tree begins with all the leaves of the old one.

    Raises ProofError when the proof does not show it (RFC 9162, section 2.1.4.2), and for
    `old_size` 0 as well: every tree extends the empty one, so such a proof would say nothing.
    """
    _check_hashes(old_root, new_root, *proof)
    if not 0 < old_size <= new_size:
        raise ProofError(f"sizes {old_size} and {new_size} are not those of a growing log")
    if old_size == new_size:
        if proof:
            raise ProofError("the sizes are the same, so it must be empty")
        if old_root != new_root:
            raise ProofError(f"there are two different roots for the one size {old_size}")
        return
    old_found, new_found = _both_roots(old_size, new_size, old_root, proof)
    if old_found != old_root:
        raise ProofError(f"it does not lead to the root of the earlier size {old_size}")
    if new_found != new_root:
        raise ProofError(f"it does not lead to the root of the later size {new_size}")


def _both_roots(
    old_size: int, new_size: int, old_root: bytes, proof: Sequence[bytes]
) -> tuple[bytes, bytes]:
    if not proof:
        raise ProofError("it is empty, but the log grew")
    is_power_of_two = old_size & (old_size - 1) == 0
    path = [old_root, *proof] if is_power_of_two else list(proof)
    node, last = old_size - 1, new_size - 1
    while node % 2:
        node >>= 1
        last >>= 1
    old_found = new_found = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofError("it has more hashes than the path to the root")
        if node % 2 or node == last:
            old_found = node_hash(sibling, old_found)
            new_found = node_hash(sibling, new_found)
            while node % 2 == 0 and node:
                node >>= 1
                last >>= 1
        else:
            new_found = node_hash(new_found, sibling)
        node >>= 1
        last >>= 1
    if last:
        raise ProofError("it has fewer hashes than the path to the root")
    return old_found, new_found


def _check_hashes(*hashes: bytes) -> None:
    if any(len(one) != HASH_SIZE for one in hashes):
        raise ProofError(f"a hash in it is not {HASH_SIZE} bytes long")


def _joined(row: list[bytes]) -> bytes:
    if any(len(one) != HASH_SIZE for one in row):
        raise ValueError(f"A leaf hash is not {HASH_SIZE} bytes long. Hash entries with leaf_hash.")
    return b"".join(row)

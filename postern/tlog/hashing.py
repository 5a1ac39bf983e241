"""The hashes of the log's tree: SHA-256 with a prefix that keeps leaves and nodes apart.

Source: RFC 6962, section 2.1 (the same as RFC 9162, section 2.1.1).
"""

import hashlib

HASH_SIZE = 32  # bytes
LEAF_PREFIX = b"\x00"
NODE_PREFIX = b"\x01"
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry as a leaf, 32 bytes."""
    return hashlib.sha256(LEAF_PREFIX + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of the node above two hashes of 32 bytes each, 32 bytes."""
    return hashlib.sha256(NODE_PREFIX + left + right).digest()


def row_above(row: bytes) -> bytes:
    """The row of nodes above an even number of hashes that stand one after the other."""
    sha256 = hashlib.sha256
    return b"".join(
        [
            sha256(NODE_PREFIX + row[at : at + 2 * HASH_SIZE]).digest()
            for at in range(0, len(row), 2 * HASH_SIZE)
        ]
    )


def peaks(row: bytes) -> list[bytes]:
    """The roots of the largest complete subtrees over a row of hashes, the rightmost first.

    A row of 2^k hashes has one peak, its root; an empty row has none.
    """
    found: list[bytes] = []
    while row:
        if len(row) // HASH_SIZE % 2:
            found.append(row[-HASH_SIZE:])
            row = row[:-HASH_SIZE]
        row = row_above(row)
    return found


def root_under(peaks_from_the_right: list[bytes]) -> bytes:
    """The root over the peaks of a tree, the rightmost first; EMPTY_ROOT when there are none."""
    if not peaks_from_the_right:
        return EMPTY_ROOT
    root, *others = peaks_from_the_right
    for peak in others:
        root = node_hash(peak, root)
    return root

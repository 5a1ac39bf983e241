"""The log as a third party reads and checks it: RFC 6962 and C2SP formats, with hashlib alone.

Nothing of the platform's or the client's own code is used, and no tile of hashes is believed.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_WIDTH = 256  # leaves of a bundle
_LENGTH = 2  # bytes before each leaf
_ED25519 = 1  # kind of a key in a vkey


def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + leaf).digest()


def leaves_of(bundle: bytes) -> list[bytes]:
    """The leaves of one `tile/entries` answer."""
    found, at = [], 0
    while at < len(bundle):
        length = int.from_bytes(bundle[at : at + _LENGTH], "big")
        found.append(bundle[at + _LENGTH : at + _LENGTH + length])
        at += _LENGTH + length
    return found


def bundles(size: int) -> list[str]:
    """Paths below /audit/log/tile/ of all leaves of a tree of this size."""
    named = [f"entries/{_index(n)}" for n in range(size // _WIDTH)]
    if size % _WIDTH:
        named.append(f"entries/{_index(size // _WIDTH)}.p/{size % _WIDTH}")
    return named


def _index(number: int) -> str:
    parts = [f"{number % 1000:03}"]
    while number >= 1000:
        number //= 1000
        parts.insert(0, f"x{number % 1000:03}")
    return "/".join(parts)


def roots(hashes: Iterable[bytes], sizes: Iterable[int]) -> Mapping[int, bytes]:
    """The root over the first n leaves, for each n of `sizes`, in one pass."""
    wanted, found = set(sizes), {}
    full: list[tuple[int, bytes]] = []  # (leaves below, hash) of perfect subtrees, left to right
    if 0 in wanted:
        found[0] = hashlib.sha256(b"").digest()
    for count, each in enumerate(hashes, start=1):
        below, node = 1, each
        while full and full[-1][0] == below:
            _, left = full.pop()
            node, below = _node(left, node), below * 2
        full.append((below, node))
        if count in wanted:
            root = full[-1][1]
            for _, left in reversed(full[:-1]):
                root = _node(left, root)
            found[count] = root
    return found


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def signed_head(note: str, vkeys: Iterable[str]) -> tuple[int, str] | None:
    """Size and root (base64) of a checkpoint, None when none of these keys signed it."""
    text, _, signatures = note.partition("\n\n")
    _origin, size, root = text.split("\n")[:3]
    for vkey in vkeys:
        name, _, rest = vkey.partition("+")
        key = base64.b64decode(rest.partition("+")[2])
        if key[0] != _ED25519:
            continue
        for line in signatures.strip().split("\n"):
            signer, _, encoded = line.removeprefix("\u2014 ").partition(" ")
            if signer != name:
                continue
            try:
                public = Ed25519PublicKey.from_public_bytes(key[1:])
                public.verify(base64.b64decode(encoded)[4:], f"{text}\n".encode())
            except InvalidSignature:
                continue
            return int(size), root
    return None

"""Receipts: the platform's signed promise that an entry is durable and will enter the tree.

Who keeps one can prove that an entry was dropped before it had a place: the only removal that the
tree itself does not show. The form is a C2SP signed note by a key of its own.
"""

import base64
from functools import lru_cache

from app.runtime import runtime
from postern.base64url import to_base64url
from postern.tlog.hashing import leaf_hash
from postern.tlog.notes import Note, SigningKey, VerifierKey


def receipt(leaf: bytes, at: int) -> str:
    """The receipt of the entry with this leaf, appended at `at` (milliseconds), as base64url."""
    key = _signing_key(_name(), runtime().secrets.audit_receipt)
    hashed = base64.b64encode(leaf_hash(leaf)).decode()
    text = f"{key.verifier.name}\nentry {hashed}\ntime {at // 1000}\n"
    return to_base64url(Note(text, (key.sign(text),)).encode())


def receipt_key() -> VerifierKey:
    """The public key of receipts."""
    return _signing_key(_name(), runtime().secrets.audit_receipt).verifier


def _name() -> str:
    return runtime().settings.audit.name + "/receipt"


@lru_cache(maxsize=4)
def _signing_key(name: str, seed: bytes) -> SigningKey:
    return SigningKey(name, seed)

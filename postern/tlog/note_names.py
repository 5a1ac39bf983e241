"""Who signs a note: names and public keys, as they are written, read and told apart.

Source: C2SP signed-note v1.0.0, "Verifier keys" and "Signatures".
"""

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property

from postern.tlog.strict import from_base64, to_base64

KIND_ED25519 = 0x01
KIND_COSIGNATURE = 0x04
KEY_ID_SIZE = 4  # bytes

_NAME = re.compile(r"[^\s+\x00-\x1f\ud800-\udfff]+")
_PUBLIC_SIZE = 32  # bytes of an Ed25519 public key
_PARTS = 3  # of a written key: name, id, key


class NoteError(ValueError):
    """A note, a key or a checkpoint is out of format, or not signed by whom it should be."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The note is not accepted: {reason}. Fetch it again; if it stays so, keep it as "
            "evidence and ask another member to compare."
        )
        self.reason = reason


@dataclass(frozen=True)
class VerifierKey:
    """A public key with its name: a log's (kind 0x01) or a witness's (kind 0x04)."""

    name: str
    kind: int
    public: bytes

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.kind not in {KIND_ED25519, KIND_COSIGNATURE}:
            raise NoteError(f"the key {self.name} is of kind {self.kind:#04x}, not 0x01 or 0x04")
        if len(self.public) != _PUBLIC_SIZE:
            raise NoteError(f"the key {self.name} is not {_PUBLIC_SIZE} bytes long")

    @cached_property
    def key_id(self) -> bytes:
        """Four bytes that tell this key from others of its name; no proof of anything."""
        named = self.name.encode() + b"\n" + bytes((self.kind,)) + self.public
        return hashlib.sha256(named).digest()[:KEY_ID_SIZE]

    def __str__(self) -> str:
        encoded = to_base64(bytes((self.kind,)) + self.public)
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    @classmethod
    def parse(cls, vkey: str) -> "VerifierKey":
        """The key of `name+id+base64`; raises NoteError when it is none or its id does not fit."""
        parts = vkey.split("+", _PARTS - 1)
        raw = from_base64(parts[-1])
        if len(parts) != _PARTS or not raw:
            raise NoteError("a key is not NAME+ID+KEY")
        key = cls(parts[0], raw[0], raw[1:])
        if str(key) != vkey:
            raise NoteError(f"the id of the key {key.name} does not fit it")
        return key


def check_name(name: str) -> None:
    """Raise NoteError unless `name` can stand in a signature line."""
    if not _NAME.fullmatch(name):
        raise NoteError("a key's name is empty or has a space, a plus or a control character in it")

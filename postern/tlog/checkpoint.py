"""Checkpoints: what a log signs, namely its origin, how many entries it has and their root.

Source: C2SP tlog-checkpoint v1.0.0.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from postern.tlog.hashing import HASH_SIZE
from postern.tlog.notes import KIND_ED25519, Note, NoteError, VerifierKey, verified
from postern.tlog.strict import LARGEST_SIZE, decimal_of, hash_of, to_base64

_LINES = 3  # origin, size, root; what follows is an extension


@dataclass(frozen=True)
class Checkpoint:
    """The head of a log: its origin, its size in entries and its root, 32 bytes."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        if not self.origin or any(mark < " " for mark in self.origin):
            raise NoteError("its origin is empty or has a control character in it")
        if not 0 <= self.size <= LARGEST_SIZE:
            raise NoteError(f"{self.size} is no size of a log")
        if len(self.root) != HASH_SIZE:
            raise NoteError(f"its root is not {HASH_SIZE} bytes long")

    @property
    def text(self) -> str:
        """The text that is signed: three lines, no extension."""
        return f"{self.origin}\n{self.size}\n{to_base64(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """The checkpoint of a note's text; raises NoteError when it is none.

        Extension lines are allowed and left out: verify and cosign the text of the note itself.
        """
        lines = text.split("\n")
        if len(lines) <= _LINES or lines.pop() or "" in lines:
            raise NoteError("its text is not three whole lines or more, none of them empty")
        size, root = decimal_of(lines[1]), hash_of(lines[2])
        if size is None:
            raise NoteError("its second line is no size in plain decimal")
        if root is None:
            raise NoteError("its third line is no root in base64")
        return cls(lines[0], size, root)


def open_checkpoint(note_bytes: bytes, log_keys: Sequence[VerifierKey]) -> tuple[Checkpoint, Note]:
    """The checkpoint of a note that one of `log_keys` signed, and the note.

    Raises NoteError when the note is out of format, when a signature of one of these keys is bad,
    and when no key (kind 0x01) whose name is the checkpoint's origin signed it.
    """
    note = Note.parse(note_bytes)
    checkpoint = Checkpoint.parse(note.text)
    signed_by = {one.key.name for one in verified(note, log_keys) if one.key.kind == KIND_ED25519}
    if checkpoint.origin not in signed_by:
        raise NoteError(f"no known key of the log signed the checkpoint of size {checkpoint.size}")
    return checkpoint, note

"""Signed notes: a text, and lines under it by which named keys sign it.

Source: C2SP signed-note v1.0.0 (format, kind 0x01) and tlog-cosignature v1.0.1 (kind 0x04), with
the limits of the Go package x/mod/sumdb/note.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from postern.tlog.note_names import (
    KEY_ID_SIZE,
    KIND_COSIGNATURE,
    KIND_ED25519,
    NoteError,
    VerifierKey,
    check_name,
)
from postern.tlog.strict import LARGEST_SIZE, from_base64, to_base64

__all__ = [
    "KIND_COSIGNATURE",
    "KIND_ED25519",
    "Note",
    "NoteError",
    "Signature",
    "SigningKey",
    "Verified",
    "VerifierKey",
    "parse_signatures",
    "verified",
]

_DASH = "\u2014 "  # an em dash and a space begin each signature line
_BARRED = re.compile(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]")
_MOST_SIGNATURES = 100
_LONGEST_NOTE = 1_000_000  # bytes
_ED25519_SIZE = 64  # bytes of a signature
_TIME_SIZE = 8  # bytes before the signature of a cosignature: seconds since 1970, big-endian


@dataclass(frozen=True)
class Signature:
    """One line under a note: who signed, with which key (4 bytes of its id), and the signature."""

    name: str
    key_id: bytes
    blob: bytes

    def __post_init__(self) -> None:
        check_name(self.name)
        if len(self.key_id) != KEY_ID_SIZE or not self.blob:
            raise NoteError(f"the line of {self.name} is too short for a signature")

    @property
    def line(self) -> str:
        """The line as it stands in a note, without its newline."""
        return f"{_DASH}{self.name} {to_base64(self.key_id + self.blob)}"

    @classmethod
    def parse(cls, line: str) -> "Signature":
        """The signature of one line; raises NoteError when it is anything else."""
        name, separator, encoded = line.removeprefix(_DASH).partition(" ")
        raw = from_base64(encoded)
        if not line.startswith(_DASH) or not separator or raw is None:
            raise NoteError("a line under the text is not a dash, a name and a signature in base64")
        return cls(name, raw[:KEY_ID_SIZE], raw[KEY_ID_SIZE:])


@dataclass(frozen=True)
class Note:
    """A text, which ends with a newline, and the signatures under it, which nobody checked yet."""

    text: str
    signatures: tuple[Signature, ...]

    def __post_init__(self) -> None:
        _check_text(self.text)
        if len(self.signatures) > _MOST_SIGNATURES:
            raise NoteError(f"it has more than {_MOST_SIGNATURES} signatures")

    @classmethod
    def parse(cls, note: bytes | str) -> "Note":
        """The note in its parts; raises NoteError when it is not in the format. Checks no key."""
        written = _decoded(note)
        head, separator, under = written.rpartition("\n\n")
        if not separator:
            raise NoteError("no empty line stands between a text and its signatures")
        return cls(head + "\n", parse_signatures(under))

    def encode(self) -> bytes:
        """The note as it is stored and sent; raises NoteError when it bears no signature."""
        if not self.signatures:
            raise NoteError("it bears no signature")
        lines = "".join(f"{signature.line}\n" for signature in self.signatures)
        return f"{self.text}\n{lines}".encode()


@dataclass(frozen=True)
class Verified:
    """A key that signed the note, and for a cosignature when, in seconds since 1970."""

    key: VerifierKey
    time: int | None


class SigningKey:
    """A private key with the name under which it signs; shows its seed to nobody."""

    def __init__(self, name: str, seed: bytes, kind: int = KIND_ED25519) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier = VerifierKey(name, kind, self._private.public_key().public_bytes_raw())

    def __repr__(self) -> str:
        return f"SigningKey({self.verifier})"

    def sign(self, text: str) -> Signature:
        """A signature under a text; NoteError for a witness's key or a text not in format."""
        self._check_kind(KIND_ED25519)
        _check_text(text)
        return self._signature(self._private.sign(text.encode()))

    def cosign(self, text: str, at: int) -> Signature:
        """A witness's signature that it saw `text` at a time, in seconds since 1970.

        Raises NoteError for a key that is not a witness's, a text out of format or a time outside
        0 to 2^63 - 1. Sign only what was verified to extend everything cosigned before.
        """
        self._check_kind(KIND_COSIGNATURE)
        _check_text(text)
        if not 0 <= at <= LARGEST_SIZE:
            raise NoteError(f"{at} is no time that a cosignature can state")
        signed = self._private.sign(_cosigned(text, at))
        return self._signature(at.to_bytes(_TIME_SIZE, "big") + signed)

    def _check_kind(self, kind: int) -> None:
        if self.verifier.kind != kind:
            raise NoteError(f"the key {self.verifier.name} is not one that signs in this way")

    def _signature(self, blob: bytes) -> Signature:
        return Signature(self.verifier.name, self.verifier.key_id, blob)


def parse_signatures(lines: bytes | str) -> tuple[Signature, ...]:
    """The signatures of one or more whole lines, such as a witness answers.

    Raises NoteError when a line is anything else or none ends the last one.
    """
    written = _decoded(lines)
    if not written.endswith("\n"):
        raise NoteError("its last line does not end")
    split = written[:-1].split("\n")
    if len(split) > _MOST_SIGNATURES:
        raise NoteError(f"it has more than {_MOST_SIGNATURES} signatures")
    return tuple(Signature.parse(line) for line in split)


def verified(note: Note, keys: Iterable[VerifierKey]) -> list[Verified]:
    """Who of `keys` signed the note, each key once, in the order of the lines.

    Signatures of other keys are ignored, so the list may be empty: then nobody known vouches for
    the text. Of several cosignatures by one key the newest counts. Raises NoteError when a
    signature that claims to be by one of `keys` is not.
    """
    known = {(key.name, key.key_id): key for key in keys}
    found: dict[VerifierKey, Verified] = {}
    for signature in dict.fromkeys(note.signatures):
        key = known.get((signature.name, signature.key_id))
        if key is None:
            continue
        time = _checked(note.text, signature, key)
        earlier = found.get(key)
        if earlier is None or (time or 0) > (earlier.time or 0):
            found[key] = Verified(key, time)
    return list(found.values())


def _checked(text: str, signature: Signature, key: VerifierKey) -> int | None:
    blob, time, message = signature.blob, None, text.encode()
    if key.kind == KIND_COSIGNATURE:
        time = int.from_bytes(blob[:_TIME_SIZE], "big")
        blob = blob[_TIME_SIZE:]
        message = _cosigned(text, time)
    if len(blob) != _ED25519_SIZE or (time or 0) > LARGEST_SIZE:
        raise NoteError(f"the signature of {key.name} has not the form of its kind of key")
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(blob, message)
    except InvalidSignature:
        raise NoteError(f"the signature of {key.name} does not fit the text") from None
    return time


def _cosigned(text: str, at: int) -> bytes:
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def _decoded(note: bytes | str) -> str:
    if len(note) > _LONGEST_NOTE:
        raise NoteError(f"it is longer than {_LONGEST_NOTE} bytes")
    if isinstance(note, str):
        return note
    try:
        return note.decode("utf-8")
    except UnicodeDecodeError:
        raise NoteError("it is not UTF-8") from None


def _check_text(text: str) -> None:
    if not text.endswith("\n"):
        raise NoteError("its text does not end with a newline")
    if _BARRED.search(text):
        raise NoteError("its text has a control character, or cannot be written in UTF-8")

"""Passphrases: which are strong enough, and the key that follows from one by Argon2id (RFC 9106).

What an attacker may try is limited by nothing but this: whoever has a copy of a key file guesses
offline. So a passphrase is long, and each guess costs 64 MiB of memory.
"""

import unicodedata
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from postern.client_errors import ClientError
from postern.private_files import others_may_read

SALT_SIZE = 16  # bytes
LEAST_LENGTH = 16  # characters
LONGEST = 1024  # characters

_KEY_SIZE = 32  # bytes
_LEAST_DIFFERENT = 8  # characters
_LEAST_UNKNOWN = 12  # characters that are left without what anyone would guess
_LONGEST_RUN = 5  # characters in the order of an alphabet, a keyboard or a row of digits
_ROWS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")
_GUESSED = ("password", "passphrase", "passwort", "motdepasse", "wachtwoord", "postern", "secret")


class WeakPassphraseError(ClientError):
    """A new passphrase is too easy to guess."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The new passphrase is refused: {reason}. Use six or more words that you draw by "
            f"chance, or {LEAST_LENGTH} or more characters made by a password manager."
        )


class PassphraseFileError(ClientError):
    """The file with a passphrase is missing, readable by others, or holds none."""


class CostRefusedError(ClientError):
    """A key file asks for less work than is safe, or for more than this machine should give."""

    def __init__(self, name: str, least: int, most: int) -> None:
        super().__init__(
            f"The key file sets the cost of a passphrase out of bounds: {name} is not from {least} "
            f"to {most}. It was not made by postern or was changed; use a copy from a backup."
        )


@dataclass(frozen=True, slots=True)
class Cost:
    """The work of one guess: memory in KiB, passes over it, lanes. Raises CostRefusedError.

    The least is the second choice of RFC 9106, section 4, with one lane, because browsers have no
    threads for more; the most keeps a forged file from taking a machine's memory.
    """

    memory: int = 65_536
    passes: int = 3
    lanes: int = 1

    def __post_init__(self) -> None:
        for name, (least, most) in _BOUNDS.items():
            if not least <= getattr(self, name) <= most:
                raise CostRefusedError(name, least, most)


_BOUNDS = {"memory": (65_536, 262_144), "passes": (3, 8), "lanes": (1, 4)}


def derived(passphrase: str, salt: bytes, cost: Cost) -> bytes:
    """32 bytes that follow from a passphrase, in Unicode form NFKC, and a 16-byte salt."""
    return Argon2id(
        salt=salt,
        length=_KEY_SIZE,
        iterations=cost.passes,
        lanes=cost.lanes,
        memory_cost=cost.memory,
    ).derive(unicodedata.normalize("NFKC", passphrase).encode())


def check_new(passphrase: str, *known: str) -> None:
    """Return when a passphrase may protect a key. Raises WeakPassphraseError with the reason.

    `known` are words that an attacker tries first: the organisation's code, the member's name.
    """
    plain = unicodedata.normalize("NFKC", passphrase)
    if len(plain) > LONGEST:
        raise WeakPassphraseError(f"it has more than {LONGEST} characters")
    if len(plain) < LEAST_LENGTH:
        raise WeakPassphraseError(f"it has fewer than {LEAST_LENGTH} characters")
    if not plain.isprintable() or plain != plain.strip():
        raise WeakPassphraseError("it begins or ends with a space, or holds a control character")
    if len(set(plain)) < _LEAST_DIFFERENT:
        raise WeakPassphraseError(f"it has fewer than {_LEAST_DIFFERENT} different characters")
    if plain in (plain + plain)[1:-1]:
        raise WeakPassphraseError("it repeats one piece")
    left = _without_guessed(plain.lower(), known)
    if len(left) < _LEAST_UNKNOWN:
        raise WeakPassphraseError(
            "without well-known words, names of this key file and rows of the keyboard too little "
            "of it is left"
        )


def read_passphrase_file(path: Path) -> str:
    """The passphrase in a file that only its owner may read. Raises PassphraseFileError."""
    try:
        if others_may_read(path):
            raise PassphraseFileError(
                f"Others may read the passphrase file {path}. Run `chmod 600` on it; if others "
                "were on this machine, change the passphrase."
            )
        with path.open(encoding="utf-8") as file:
            text = file.read(LONGEST + 2).removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise PassphraseFileError(
            f"The passphrase file {path} cannot be read: {reason}. Name a file that holds the "
            "passphrase, alone."
        ) from None
    if not text or len(text) > LONGEST or "\n" in text:
        raise PassphraseFileError(
            f"The passphrase file {path} does not hold one passphrase. Put it into the file on one "
            "line, alone."
        )
    return text


def _without_guessed(text: str, known: tuple[str, ...]) -> str:
    for word in (*known, *_GUESSED):
        text = text.replace(word.lower(), "")
    for row in (*_ROWS, *(row[::-1] for row in _ROWS)):
        for start in range(len(row) - _LONGEST_RUN + 1):
            text = text.replace(row[start : start + _LONGEST_RUN], "")
    return text

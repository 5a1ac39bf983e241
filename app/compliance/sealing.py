"""What compliance officers write: titles of reviews and notes on findings, sealed when stored.

Such text may tell of persons, so no table and no log holds it in clear.
"""

import hmac
import unicodedata
from uuid import UUID

from app.errors import InvalidRequestError
from app.runtime import runtime
from app.secret_files import Sealer

LONGEST_TITLE = 200  # characters
LONGEST_NOTE = 2000  # characters

_CONTEXT = b"postern/compliance/v1/"


class Notes:
    """Seals and opens text under a key of its own, derived from `key`; one for the process."""

    def __init__(self, key: bytes) -> None:
        self._sealer = Sealer(hmac.digest(key, b"postern/compliance/v1", "sha256"))

    def seal(self, text: str, about: UUID, place: int = 0) -> bytes:
        """Sealed bytes that open only for the record `about` and the place in it."""
        return self._sealer.seal(text.encode(), _context(about, place))

    def open(self, sealed: bytes, about: UUID, place: int = 0) -> str:
        """The text; ValueError when the bytes belong to another record, place or key."""
        return self._sealer.open(sealed, _context(about, place)).decode()


def notes() -> Notes:
    """The sealer of the process."""
    return runtime().part(Notes)


def clean_title(title: str) -> str:
    """The title without space around it; InvalidRequestError."""
    title = title.strip()
    if not title or len(title) > LONGEST_TITLE or not _is_plain(title):
        raise wrong("title", f"A title has 1 to {LONGEST_TITLE} characters of one line.")
    return title


def clean_note(note: str) -> str:
    """The note without space around it, empty when nothing is left; InvalidRequestError."""
    note = note.replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(note) > LONGEST_NOTE or not _is_plain(note.replace("\n", "")):
        raise wrong("note", f"A note has up to {LONGEST_NOTE} characters of plain text.")
    return note


def wrong(field: str, reason: str) -> InvalidRequestError:
    """The refusal of one field."""
    return InvalidRequestError(errors=[{"field": field, "reason": reason}])


def _context(about: UUID, place: int) -> bytes:
    return _CONTEXT + about.bytes + place.to_bytes(4, "big")


def _is_plain(text: str) -> bool:
    return not any(unicodedata.category(character) in {"Cc", "Cs"} for character in text)

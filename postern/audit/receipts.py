"""Receipts: the platform's signed promises that acts are in the log, kept until they are proven.

Who keeps them can show that an entry was dropped before it had a place in the tree: the one removal
that the tree itself does not show. The form of a receipt is in docs/verify.md.
"""

import json
import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from postern.audit.findings import Check, Finding, cannot_tell, failed, not_asked, ok
from postern.base64url import from_base64url
from postern.private_files import PRIVATE, write_private
from postern.tlog.notes import Note, NoteError, VerifierKey, verified
from postern.tlog.strict import decimal_of, hash_of

LONGEST = 2048  # characters of a header that is kept
LARGEST_FILE = 32 * 2**20  # bytes, then the older half goes
PATIENCE = 65  # seconds within which a promise must be kept

_LINES = 3


@dataclass(frozen=True, slots=True)
class Receipt:
    """A promise: the hash of the leaf, and the second since 1970 at which it was given."""

    leaf_hash: bytes
    at: int
    text: str  # as it was received: base64url of the signed note


class ReceiptFile:
    """Receipts of one platform, one a line, private, added to by every answer.

    Nothing here raises: an act that happened must not seem to have failed because its receipt
    could not be kept. `trouble` says what went wrong last.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.trouble: str | None = None

    def keep(self, text: str) -> None:
        """Add one receipt, as the header had it; anything that cannot be one is left out."""
        if len(text) > LONGEST or from_base64url(text) is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE)
            with os.fdopen(descriptor, "wb") as file:
                file.write(json.dumps({"receipt": text}).encode() + b"\n")
                file.flush()
                is_full = os.fstat(file.fileno()).st_size > LARGEST_FILE // 2
            if is_full:
                self.path.replace(self._older)
        except OSError as error:
            self.trouble = error.strerror or type(error).__name__

    def texts(self) -> list[str]:
        """All that are kept, oldest first; lines that were cut off are left out."""
        return [text for path in self._paths for text in _texts_of(path)]

    def prune(self, proven: Collection[str]) -> None:
        """Forget receipts that were found in the signed log. Raises OSError."""
        if not proven:
            return
        # What is added meanwhile goes to a new file; a crash leaves all three to be read.
        if self.path.exists():
            self.path.replace(self._taken)
        left = [text for path in (self._older, self._taken) for text in _texts_of(path)]
        lines = [json.dumps({"receipt": text}) for text in left if text not in proven]
        write_private(self._older, "".join(f"{line}\n" for line in lines))
        self._taken.unlink(missing_ok=True)

    @property
    def _older(self) -> Path:
        return self.path.with_name(f"{self.path.name}.older")

    @property
    def _taken(self) -> Path:
        return self.path.with_name(f"{self.path.name}.taken")

    @property
    def _paths(self) -> tuple[Path, ...]:
        return (self._older, self._taken, self.path)


def open_receipt(text: str, keys: Sequence[VerifierKey]) -> Receipt:
    """The promise in a receipt that one of `keys` signed; raises NoteError."""
    raw = from_base64url(text)
    if raw is None:
        raise NoteError("it is no base64url")
    note = Note.parse(raw)
    names = {each.key.name for each in verified(note, keys)}
    lines = note.text.split("\n")
    if len(lines) != _LINES + 1 or lines[0] not in names:
        raise NoteError("no known key of receipts signed it")
    hashed = hash_of(lines[1].removeprefix("entry "))
    at = decimal_of(lines[2].removeprefix("time "))
    if hashed is None or at is None or f"entry {lines[1][6:]}\ntime {at}" != "\n".join(lines[1:3]):
        raise NoteError("it names no entry and time")
    return Receipt(hashed, at, text)


def opened(texts: Sequence[str], keys: Sequence[VerifierKey]) -> tuple[list[Receipt], int]:
    """The receipts that one of `keys` signed, and how many are of nobody known."""
    found: list[Receipt] = []
    unknown = 0
    for text in texts:
        try:
            found.append(open_receipt(text, keys))
        except NoteError:
            unknown += 1
    return found, unknown


def finding(
    receipts: Sequence[Receipt], unknown: int, found: Collection[bytes], *, covered_until: int
) -> Finding:
    """RECEIPT: every receipt that the signed log is old enough to cover is in it.

    `covered_until` is the second since 1970 at which the log was asked for.
    """
    missing = [
        each
        for each in receipts
        if each.leaf_hash not in found and each.at + PATIENCE < covered_until
    ]
    proven = sum(each.leaf_hash in found for each in receipts)
    counts = {
        "receipts": len(receipts),
        "in the log": proven,
        "missing": len(missing),
        "of unknown keys": unknown,
    }
    if missing:
        return failed(
            Check.RECEIPT,
            f"{len(missing):,} of {len(receipts):,} acts were promised to be in the log and are "
            "not there: an entry was dropped or altered. Keep the receipts.",
            **counts,
        )
    if unknown:
        return cannot_tell(
            Check.RECEIPT,
            f"{unknown:,} receipts are signed by no key that was confirmed. Compare the keys with "
            "the operator (`postern audit keys`), then verify again.",
            **counts,
        )
    if not receipts:
        return not_asked(Check.RECEIPT, "No receipt is kept on this machine.")
    waiting = len(receipts) - proven
    newer = f" {waiting:,} are newer than the checkpoint." if waiting else ""
    return ok(Check.RECEIPT, f"Every promised entry is in the log.{newer}", **counts)


def _texts_of(path: Path) -> Iterator[str]:
    try:
        content = path.read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return
    for line in content.splitlines():
        try:
            told = json.loads(line)
            yield str(told["receipt"])
        except (ValueError, KeyError, TypeError):
            continue  # cut off while it was written

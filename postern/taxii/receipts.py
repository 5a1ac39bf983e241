"""Receipts of another Postern: each page must come with a new one, signed by the key that was told.

Which were taken is kept beside what was received, before the page itself: a page that is asked for
again after a crash has a receipt of its own.
"""

import json
from collections.abc import Callable
from pathlib import Path

from postern.audit.receipt_memory import ReceiptMemory, RepeatedReceiptError
from postern.audit.receipts import LONGEST, open_receipt
from postern.private_files import write_private
from postern.taxii.errors import ServerReceiptError
from postern.tlog.notes import NoteError, VerifierKey

FILE = "receipts.json"
"""In the folder of received objects: server -> the receipts of it that were taken."""

Demand = Callable[[str | None], None]


class Receipts:
    """Takes the receipt of each page of one server. A call raises ServerReceiptError, OSError."""

    def __init__(self, key: VerifierKey, folder: Path, server: str) -> None:
        self._key = key
        self._path = folder / FILE
        self._server = server
        self.taken = 0

    def __call__(self, told: str | None) -> None:
        """Take the header of a page; what is missing, forged or repeated is refused."""
        if not told:
            raise ServerReceiptError("the page came without one")
        if len(told) > LONGEST:
            raise ServerReceiptError("it is too long to be one")
        try:
            receipt = open_receipt(told, [self._key])
        except NoteError:
            raise ServerReceiptError("it is not signed by that key") from None
        kept = self._kept()
        try:
            memory = ReceiptMemory.of(kept.get(self._server))
            memory.take(receipt)
        except RepeatedReceiptError:
            raise ServerReceiptError("it was given for an earlier page") from None
        except (ValueError, TypeError, KeyError):
            raise self._damaged() from None
        kept[self._server] = memory.as_json()
        write_private(self._path, json.dumps(kept))
        self.taken += 1

    def _kept(self) -> dict[str, object]:
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError:
            raise self._damaged() from None
        if not isinstance(found, dict):
            raise self._damaged()
        return found

    def _damaged(self) -> ServerReceiptError:
        return ServerReceiptError(
            f"{self._path} is damaged, so it is not known which were taken; delete it to begin anew"
        )

"""The largest tree that was ever signed, kept in a file outside the database.

A database restored from an old backup verifies by itself: it would be extended and signed again,
another log under the same name. The file is written before a checkpoint is committed, so that no
published checkpoint is ever above it; `pending` is what a crash may have left uncommitted.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from postern.base64url import from_base64url, to_base64url
from postern.private_files import sync_directory


class StoredMismatchError(Exception):
    """What is stored does not verify: nothing may be signed. The text says what and what to do."""


@dataclass(frozen=True)
class Head:
    """Size and root of a tree."""

    size: int
    root: bytes


@dataclass(frozen=True)
class HighWater:
    """The file: the last head known to be committed, and the one that was about to be."""

    path: Path

    def announce(self, committed: Head, pending: Head) -> None:
        """Write durably that `pending` is about to be committed on top of `committed`.

        Called with the sequencer's turn: StoredMismatchError when a larger tree was signed.
        """
        with self._turn():
            _demand_not_above(self._signed(), committed)
            self._write(committed, pending)

    def confirm(self, committed: Head) -> None:
        """Write durably that `committed` is; a rival's larger one stays."""
        with self._turn():
            if self._signed() < committed.size:
                self._write(committed, committed)

    def adopt(self, head: Head) -> None:
        """Write that `head` is the newest, whatever stood there."""
        with self._turn():
            self._write(head, head)

    def check(self, head: Head, root_at: Callable[[int], bytes]) -> None:
        """StoredMismatchError when the tree that ends at `head` does not contain what was signed.

        `root_at` gives the root of the stored tree at a size not above that of `head`.
        """
        heads = self._read()
        if heads is None:
            if head.size:
                raise StoredMismatchError(
                    f"The high-water file {self.path.name} is missing, and a log of {head.size}"
                    " entries was signed. Restore the file, or compare the newest checkpoint with"
                    " members and run: flask --app wsgi audit adopt"
                )
            return
        committed, pending = heads
        _demand_not_above(committed.size, head)
        _demand_same(committed, root_at(committed.size))
        if head.size == pending.size:
            _demand_same(pending, head.root)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Sequencers of one machine write one after the other."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_name(self.path.name + ".lock").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _signed(self) -> int:
        heads = self._read()
        return heads[0].size if heads else 0

    def _write(self, committed: Head, pending: Head) -> None:
        document = {"committed": _written(committed), "pending": _written(pending)}
        draft = self.path.with_name(self.path.name + ".new")
        with draft.open("w", encoding="utf-8") as file:
            json.dump(document, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)
        sync_directory(self.path.parent)

    def _read(self) -> tuple[Head, Head] | None:
        try:
            document = json.loads(self.path.read_text("utf-8"))
            return _head(document["committed"]), _head(document["pending"])
        except FileNotFoundError:
            return None
        except (KeyError, TypeError, ValueError):
            raise StoredMismatchError(
                f"The high-water file {self.path.name} cannot be read. Restore it from its own"
                " backup; without it an old database cannot be told from the newest."
            ) from None


def _written(head: Head) -> dict[str, object]:
    return {"size": head.size, "root": to_base64url(head.root)}


def _head(document: dict[str, object]) -> Head:
    root = from_base64url(str(document["root"]))
    if root is None:
        raise ValueError("not base64url")
    return Head(int(str(document["size"])), root)


def _demand_not_above(signed: int, head: Head) -> None:
    if signed > head.size:
        raise StoredMismatchError(
            f"The database holds a log of {head.size} entries, and one of {signed} was"
            " signed: an old backup was restored, or entries were removed. Restore the newest"
            " state, or fetch the missing entries from a member's mirror."
        )


def _demand_same(signed: Head, root: bytes) -> None:
    if root != signed.root:
        raise StoredMismatchError(
            f"The stored tree of {signed.size} entries has another root than the one that was"
            " signed: entries were changed. Nothing is signed. Compare with a member's mirror."
        )

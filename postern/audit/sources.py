"""Where a log is read from: what any source of it can tell."""

from collections.abc import Iterator
from typing import Protocol

from postern.audit.trust import Trust
from postern.tlog.tiles import Tile


class NotThereError(LookupError):
    """The source does not have it: a checkpoint, a tile or a bundle."""


class LogSource(Protocol):
    """The log as every member sees it. What it returns is unverified."""

    def published_trust(self) -> Trust:
        """The keys and the policy that the platform publishes, confirmed by nobody."""
        ...

    def newest(self) -> bytes:
        """The note of the newest checkpoint; NotThereError before the first."""
        ...

    def newest_cosigned(self) -> bytes | None:
        """The note of the newest checkpoint that a quorum cosigned; None when there is none."""
        ...

    def cosigned_after(self, size: int) -> Iterator[bytes]:
        """Notes of cosigned checkpoints larger than `size`, smallest first."""
        ...

    def tile(self, tile: Tile) -> bytes:
        """A tile or a bundle; NotThereError."""
        ...


class EntrySource(Protocol):
    """The own entries of the organisation, as the platform shows them to it."""

    def organisation(self) -> str:
        """Its code."""
        ...

    def tag_keys(self) -> tuple[bytes, ...]:
        """The keys by which it recognises its leaves."""
        ...

    def pages(
        self, since: int | None, cursor: str | None
    ) -> Iterator[tuple[list[bytes], str | None]]:
        """Lines of entries, oldest first, page by page, each with the cursor of the next page.

        `since` is a time in milliseconds, None for all; `cursor` goes on where a page ended.
        """
        ...

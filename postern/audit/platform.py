"""The log and the own entries as a platform serves them, over the client's transport."""

from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlencode

from postern.audit.sources import NotThereError
from postern.audit.trust import AuditError, Trust, published
from postern.base64url import from_base64url
from postern.client_errors import AnswerMalformedError, RequestRefusedError
from postern.tlog.tiles import Tile
from postern.transport import Transport
from postern.wire import Fields

_LOG = "/audit/log"
_OWN = "/api/v1/audit"
_NOT_FOUND = 404


class PlatformLog:
    """The log of a platform, as every member sees it. Every method raises ClientError too."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def published_trust(self) -> Trust:
        """The keys and the policy that the platform publishes, confirmed by nobody."""
        return published(self._transport.get(f"{_LOG}/keys").content)

    def newest(self) -> bytes:
        """The note of the newest checkpoint; NotThereError before the first."""
        return self._bytes(f"{_LOG}/checkpoint")

    def newest_cosigned(self) -> bytes | None:
        """The note of the newest checkpoint that a quorum cosigned; None when there is none."""
        try:
            return self._bytes(f"{_LOG}/checkpoint/cosigned")
        except NotThereError:
            return None

    def cosigned_after(self, size: int) -> Iterator[bytes]:
        """Notes of cosigned checkpoints larger than `size`, smallest first."""
        after: int | None = size
        while after is not None:
            fields = Fields(
                self._transport.get(f"{_LOG}/checkpoints?after={after}").content, "checkpoints"
            )
            for note in fields.texts("checkpoints"):
                yield note.encode()
            following = fields.optional_number("next")
            if following is not None and following <= after:
                raise AnswerMalformedError("checkpoints.next")  # it would go round for ever
            after = following

    def tile(self, tile: Tile) -> bytes:
        """A tile or a bundle; NotThereError."""
        return self._bytes(f"{_LOG}/{tile.path}")

    def _bytes(self, path: str) -> bytes:
        try:
            return self._transport.get_bytes(path)
        except RequestRefusedError as refused:
            if refused.status == _NOT_FOUND:
                raise NotThereError(path) from None
            raise


class PlatformEntries:
    """What a platform shows an organisation of its own entries. Raises ClientError."""

    def __init__(self, transport: Transport, organisation: str) -> None:
        self._transport = transport
        self._organisation = organisation

    def organisation(self) -> str:
        """Its code."""
        return self._organisation

    def tag_keys(self) -> tuple[bytes, ...]:
        """The keys by which it recognises its leaves."""
        fields = Fields(self._transport.get(f"{_OWN}/tag-keys").content, "tag-keys")
        if fields.text("organisation") != self._organisation:
            raise AuditError(
                "The platform answers with the keys of another organisation. Tell its operator."
            )
        keys = [from_base64url(each.text("key")) for each in fields.each("keys")]
        return tuple(key for key in keys if key)

    def pages(
        self, since: int | None, cursor: str | None
    ) -> Iterator[tuple[list[bytes], str | None]]:
        """Lines of entries, oldest first, page by page, each with the cursor of the next page."""
        asked = {"format": "jsonl"}
        if since is not None:
            asked["from"] = datetime.fromtimestamp(since / 1000, UTC).isoformat()
        while True:
            place = {"cursor": cursor} if cursor else {}
            answer = self._transport.get_page(f"{_OWN}/export?{urlencode({**asked, **place})}")
            content: bytes = answer.content
            if answer.following is not None and answer.following == cursor:
                raise AnswerMalformedError("export.next")  # it would go round for ever
            cursor = answer.following
            yield content.splitlines(keepends=True), cursor
            if cursor is None:
                return

    def proof(self, place: int) -> bytes:
        """The proof that the entry at a place stands in the log; NotThereError."""
        try:
            return self._transport.get_bytes(f"{_OWN}/proofs/{place}")
        except RequestRefusedError as refused:
            if refused.status == _NOT_FOUND:
                raise NotThereError(str(place)) from None
            raise

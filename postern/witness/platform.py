"""What a witness asks of the platform and hands in to it, over the client's transport."""

from collections.abc import Sequence
from dataclasses import dataclass

from postern.client_errors import AnswerMalformedError, NotThePlatformError
from postern.tlog.notes import NoteError, Signature, VerifierKey
from postern.tlog.strict import MalformedError
from postern.tlog.witnessing import AddCheckpoint
from postern.transport import Transport
from postern.wire import Fields

_LOG = "/audit/log"
_WITNESSES = "/api/v1/audit/witnesses"


@dataclass(frozen=True, slots=True)
class LogKeys:
    """What the platform says of its log: the name and the keys of its checkpoints."""

    origin: str
    keys: tuple[VerifierKey, ...]


class LogPlatform:
    """The log of one platform, by one token. Every method raises ClientError."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def keys(self) -> LogKeys:
        """The log's name and keys as the platform tells them; compare before you pin them.

        There are none until the log is kept for the first time.
        """
        fields = Fields(self._transport.get(f"{_LOG}/keys").content, "keys")
        origin = fields.text("origin")
        try:
            keys = tuple(VerifierKey.parse(each) for each in fields.texts("log"))
        except NoteError:
            raise AnswerMalformedError("keys.log") from None
        if any(key.name != origin for key in keys):
            raise AnswerMalformedError("keys.log")
        return LogKeys(origin, keys)

    def pending(self, old: int) -> AddCheckpoint:
        """What is to be checked next by a witness that has cosigned `old` entries."""
        body = self._transport.get_bytes(f"{_LOG}/witness/pending?old={old}")
        try:
            return AddCheckpoint.parse(body)
        except MalformedError:
            raise NotThePlatformError("what it gives a witness is no checkpoint") from None

    def cosign(self, line: Signature, size: int) -> None:
        """Hand in a cosignature of the checkpoint of a size."""
        self._transport.post_lines(f"{_LOG}/witness/cosign?size={size}", f"{line.line}\n".encode())

    def accuse(self, notes: Sequence[bytes]) -> str:
        """Hand in signed checkpoints as evidence; the alarm that the platform raised."""
        payload = {"notes": [note.decode() for note in notes]}
        answer = self._transport.post(f"{_LOG}/witness/alarm", payload, repeatable=True)
        return Fields(answer.content, "alarm").text("alarm")

    def register(self, key: VerifierKey) -> None:
        """Register a witness of the token's organisation."""
        self._transport.post(_WITNESSES, {"vkey": str(key)}, repeatable=False)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

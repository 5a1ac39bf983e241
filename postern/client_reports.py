"""One's own reports over HTTP: their sealed content, and the ids of what they hold."""

from dataclasses import dataclass
from urllib.parse import quote

from postern.client_disclosures import SealedAt, sealed_at
from postern.client_errors import AnswerMalformedError
from postern.transport import Transport
from postern.vocabulary import RecallReason
from postern.wire import Fields


@dataclass(frozen=True, slots=True)
class StoredAttachment:
    """A file that went in: its envelope's id and its number in the report."""

    id: str
    number: int
    size: int


class OwnReports:
    """Sealed content of one's own reports. Every method raises ClientError."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def client_key(self, report: str) -> str:
        """The key under which a report was submitted: the record of its files."""
        return Fields(self._transport.get(_of(report)).content, "report").text("client_key")

    def first_indicator(self, report: str) -> str:
        """The id of the first indicator of a report."""
        fields = Fields(self._transport.get(_of(report)).content, "report")
        found = next(fields.each("indicators"), None)
        if found is None:
            raise AnswerMalformedError("report.indicators")
        return found.text("id")

    def envelopes(self, report: str) -> tuple[SealedAt, ...]:
        """The envelopes that lie at the platform of a report."""
        fields = Fields(self._transport.get(_of(report, "envelopes")).content, "report")
        return tuple(sealed_at(each) for each in fields.each("envelopes"))

    def envelope(self, report: str, envelope: str) -> bytes:
        """One of them; each fetch is logged."""
        return self._transport.get_bytes(_of(report, "envelopes", envelope))

    def attach(self, report: str, number: int, sealed: bytes) -> StoredAttachment:
        """Store a file's envelope under a number; the same one again is not stored twice."""
        path = f"{_of(report, 'attachments')}?number={number}"
        fields = Fields(self._transport.post_octets(path, sealed).content, "attachment")
        return StoredAttachment(fields.text("id"), fields.number("number"), fields.number("size"))

    def withdraw(self, report: str, *, reason: str, recall: RecallReason) -> None:
        """Withdraw a report; whoever got something of it is called upon to erase that.

        `reason` is error, unlawful or obsolete. Again changes nothing.
        """
        told = {"reason": reason, "recall": recall.value}
        self._transport.post(_of(report, "withdraw"), told, repeatable=True)


def _of(report: str, *more: str) -> str:
    return "/".join(("/api/v1/reports", *(quote(each, safe="") for each in (report, *more))))

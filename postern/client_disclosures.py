"""Disclosure requests over HTTP: ask, decide, deliver, receive. What is told in them is sealed.

Nothing here opens an envelope (`postern.disclosing`), and nothing that the platform says of one is
believed: it opens in its own context or not at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from postern.base64url import to_base64url
from postern.client import Organisation, read_organisation
from postern.envelope import DIGEST_SIZE, Context, Resealing
from postern.pseudonym import TOKEN_SIZE
from postern.transport import Transport
from postern.vocabulary import (
    Answer,
    DecisionReason,
    RequestedAction,
    SealedPart,
    TokenCheck,
    Urgency,
)
from postern.wire import Fields

_DISCLOSURES = "/api/v1/disclosures"


@dataclass(frozen=True, slots=True)
class SealedAt:
    """An envelope as the platform speaks of it: where it belongs, its size and its digest."""

    id: str
    part: str
    number: int  # of an attachment, from 1; else 0
    kind: str
    epoch: int
    token: bytes
    record: str
    size: int
    digest: bytes

    @property
    def part_name(self) -> str:
        """The part as a context names it: value, note, attachment/1."""
        is_file = self.part == SealedPart.ATTACHMENT.value
        return f"{self.part}/{self.number}" if is_file else self.part

    def context(self, owner: str, resealing: Resealing | None = None) -> Context:
        """The context in which it must open. Raises ContextInvalidError."""
        return Context(
            owner, self.kind, self.epoch, self.token, self.record, self.part_name, resealing
        )


@dataclass(frozen=True, slots=True)
class SealedMessage:
    """A message of a request; `sealed` is None once it is erased. `sender` is a member's code."""

    id: str
    kind: str
    sender: str
    record: str
    at: datetime
    sealed: bytes | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A part that was released, sealed to the requester."""

    envelope: SealedAt
    is_available: bool
    expires_at: datetime
    received_at: datetime | None
    check: str | None
    is_erased: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, or is proposed to a second person."""

    id: str
    answer: str
    reason: str
    state: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Request:
    """A disclosure request as either side sees it. Words are the platform's, of closed lists."""

    id: str
    state: str
    requester: Organisation
    owner: Organisation
    indicator: str
    kind: str
    role: str
    purpose: str
    legal_basis: str
    urgency: str
    asked: tuple[str, ...]
    action: str
    made_at: datetime
    due_at: datetime
    lapses_at: datetime
    messages: tuple[SealedMessage, ...]
    decision: Decision | None
    deliveries: tuple[Delivery, ...]
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Received:
    """A request to one's own organisation, with the envelopes that it holds of what is asked."""

    request: Request
    envelopes: tuple[SealedAt, ...]


@dataclass(frozen=True, slots=True)
class RequestPage:
    """Requests, in the platform's order; `next` is the cursor of the following page, if any."""

    requests: tuple[Request, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of the owner of one indicator that a lookup found."""

    lookup: str
    indicator: str
    case: str
    urgency: Urgency
    asked: tuple[SealedPart, ...]
    action: RequestedAction


@dataclass(frozen=True, slots=True)
class Written:
    """A sealed message on its way, and the record in its context."""

    record: str
    sealed: bytes

    def on_wire(self) -> dict[str, str]:
        """Its fields in a request's body."""
        return {"record": self.record, "message": to_base64url(self.sealed)}


class Disclosures:
    """The verbs of both sides. Every method raises ClientError."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def ask(self, ask: Ask, message: Written) -> Request:
        """The request that was made. It is logged, so it is not repeated unasked."""
        payload = {
            "lookup": ask.lookup,
            "indicator": ask.indicator,
            "case": ask.case,
            "urgency": ask.urgency.value,
            "asked": [part.value for part in ask.asked],
            "action": ask.action.value,
            **message.on_wire(),
        }
        answer = self._transport.post(_DISCLOSURES, payload, repeatable=False)
        return _request(Fields(answer.content, "request"))

    def asked(self, state: str | None = None, cursor: str | None = None) -> RequestPage:
        """A page of what one's own organisation asked of others."""
        return self._page("asked", state, cursor)

    def received(self, state: str | None = None, cursor: str | None = None) -> RequestPage:
        """A page of what others ask of one's own organisation."""
        return self._page("received", state, cursor)

    def one_asked(self, request: str) -> Request:
        """One request of one's own organisation."""
        answer = self._transport.get(_of("asked", request))
        return _request(Fields(answer.content, "request"))

    def one_received(self, request: str) -> Received:
        """One request to one's own organisation, with the envelopes of what is asked."""
        fields = Fields(self._transport.get(_of("received", request)).content, "request")
        envelopes = tuple(sealed_at(each) for each in fields.each("envelopes"))
        return Received(_request(fields), envelopes)

    def answer(self, request: str, message: Written) -> None:
        """Answer the owner's question."""
        self._post("asked", request, "answer", message.on_wire())

    def withdraw(self, request: str) -> None:
        """Take one's own request back."""
        self._post("asked", request, "withdrawal", {})

    def delivery(self, request: str, delivery: str) -> bytes:
        """The envelope of a delivery; each fetch is logged before it leaves."""
        return self._transport.get_bytes(_of("asked", request, "deliveries", delivery))

    def receive(
        self, request: str, delivery: str, *, signature: bytes, kid: bytes, check: TokenCheck
    ) -> None:
        """Give the signed receipt of a delivery."""
        payload = {
            "signature": to_base64url(signature),
            "kid": to_base64url(kid),
            "check": check.value,
        }
        path = _of("asked", request, "deliveries", delivery, "receipt")
        self._transport.post(path, payload, repeatable=True)

    def envelope(self, request: str, envelope: str) -> bytes:
        """An envelope of one's own that a request is about; each fetch is logged."""
        return self._transport.get_bytes(_of("received", request, "envelopes", envelope))

    def question(self, request: str, message: Written) -> None:
        """Ask the requester back; the clock stands still until the answer."""
        self._post("received", request, "question", message.on_wire())

    def decide(
        self,
        request: str,
        *,
        answer: Answer,
        reason: DecisionReason,
        parts: Sequence[tuple[str, bytes]] = (),
        message: Written | None = None,
    ) -> Request:
        """The request after the decision; `parts` are ids of envelopes, sealed again."""
        payload: dict[str, Any] = {
            "answer": answer.value,
            "reason": reason.value,
            "parts": [
                {"envelope": envelope, "sealed": to_base64url(sealed)} for envelope, sealed in parts
            ],
            **(message.on_wire() if message else {}),
        }
        return self._post("received", request, "decision", payload)

    def confirm(self, request: str, decision: str, *, agrees: bool) -> Request:
        """The request after a second person agreed to a decision, or did not."""
        payload = {"decision": decision, "agrees": agrees}
        return self._post("received", request, "confirmation", payload)

    def _page(self, box: str, state: str | None, cursor: str | None) -> RequestPage:
        asked = {"state": state, "cursor": cursor}
        query = urlencode({name: text for name, text in asked.items() if text})
        path = f"{_DISCLOSURES}/{box}"
        fields = Fields(self._transport.get(f"{path}?{query}" if query else path).content, "")
        found = tuple(_request(each) for each in fields.each("requests"))
        return RequestPage(found, fields.optional_text("next"))

    def _post(self, box: str, request: str, verb: str, payload: Mapping[str, Any]) -> Request:
        answer = self._transport.post(_of(box, request, verb), payload, repeatable=False)
        return _request(Fields(answer.content, "request"))


def sealed_at(fields: Fields) -> SealedAt:
    """An envelope's place in an answer. Raises AnswerMalformedError."""
    return SealedAt(
        id=fields.text("id"),
        part=fields.text("part"),
        number=fields.number("number"),
        kind=fields.text("kind"),
        epoch=fields.number("epoch"),
        token=fields.content_bytes("token", TOKEN_SIZE),
        record=fields.text("record"),
        size=fields.number("size"),
        digest=fields.content_bytes("digest", DIGEST_SIZE),
    )


def _of(box: str, request: str, *more: str) -> str:
    return "/".join((_DISCLOSURES, box, *(quote(each, safe="") for each in (request, *more))))


def _request(fields: Fields) -> Request:
    decision = fields.optional_within("decision")
    return Request(
        id=fields.text("id"),
        state=fields.text("state"),
        requester=read_organisation(fields.within("requester")),
        owner=read_organisation(fields.within("owner")),
        indicator=fields.text("indicator"),
        kind=fields.text("kind"),
        role=fields.text("role"),
        purpose=fields.text("purpose"),
        legal_basis=fields.text("legal_basis"),
        urgency=fields.text("urgency"),
        asked=fields.texts("asked"),
        action=fields.text("action"),
        made_at=fields.moment("made_at"),
        due_at=fields.moment("due_at"),
        lapses_at=fields.moment("lapses_at"),
        messages=tuple(_message(each) for each in fields.each("messages")),
        decision=_decision(decision) if decision else None,
        deliveries=tuple(_delivery(each) for each in fields.each("deliveries")),
        raw=fields.content,
    )


def _message(fields: Fields) -> SealedMessage:
    return SealedMessage(
        id=fields.text("id"),
        kind=fields.text("kind"),
        sender=fields.text("organisation"),
        record=fields.text("record"),
        at=fields.moment("at"),
        sealed=fields.optional_octets("sealed"),
    )


def _decision(fields: Fields) -> Decision:
    return Decision(
        id=fields.text("id"),
        answer=fields.text("answer"),
        reason=fields.text("reason"),
        state=fields.text("state"),
        made_at=fields.moment("made_at"),
    )


def _delivery(fields: Fields) -> Delivery:
    return Delivery(
        envelope=sealed_at(fields),
        is_available=fields.truth("available"),
        expires_at=fields.moment("expires_at"),
        received_at=fields.optional_moment("received_at"),
        check=fields.optional_text("check"),
        is_erased=fields.truth("erased"),
    )

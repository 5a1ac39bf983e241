"""Disclosure on premises: opening what one's own organisation sealed, sealing it to a requester,
and, on the other side, opening a delivery and deriving its token again.

Nothing that the platform says is believed. An envelope has the announced digest and opens in the
announced context, signed by keys that are pinned, or not at all.
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from postern.client_disclosures import Delivery, Request, SealedAt, SealedMessage, Written
from postern.client_errors import ClientError, EpochClosedError
from postern.envelope import Context, Resealing
from postern.key_errors import NoKeyError
from postern.normalise import Normalised
from postern.organisation_entry import Entry
from postern.organisation_keys import OrganisationKeys
from postern.pseudonymise import Pseudonym
from postern.seal import open_envelope, seal
from postern.sealed_content import Content, SealedContentError, Value, opened, tokens_again
from postern.sealed_message import (
    Asked,
    Message,
    context_of,
    new_record,
    open_message,
    seal_message,
)
from postern.signing_identity import VerifyingKey
from postern.vocabulary import MessageKind, SealedPart, TokenCheck

_OF_REQUESTER = frozenset({MessageKind.ASK.value, MessageKind.ANSWER.value})


class EnvelopeExchangedError(ClientError):
    """The platform gave other bytes than it announced."""

    def __init__(self, part: str) -> None:
        super().__init__(
            f"What the platform gave as the sealed {part} is not what it announced. Do not use it; "
            "tell your compliance officer and the platform's operator."
        )


class MessageMisplacedError(ClientError):
    """A message stands where none of its kind and sender can stand."""

    def __init__(self, kind: str) -> None:
        super().__init__(
            f"The platform shows a message of the kind {kind!r} that this request cannot have. Do "
            "not use it; tell your compliance officer and the platform's operator."
        )


@dataclass(frozen=True, slots=True)
class Opened:
    """What an envelope held, where it belongs, and the bytes that were sealed."""

    sealed_at: SealedAt
    context: Context
    plaintext: bytes
    content: Content


@dataclass(frozen=True, slots=True)
class Side:
    """The two organisations of a request, seen from premises that hold the keys of one of them."""

    keys: OrganisationKeys
    other: Entry  # the present one of the other organisation
    other_signers: tuple[VerifyingKey, ...]

    @property
    def own(self) -> str:
        """One's own code."""
        return self.keys.entry.organisation

    def write(
        self, owner: str, kind: MessageKind, message: Message, request: str | None
    ) -> Written:
        """A message sealed to both organisations; `request` is None for the ask that makes one."""
        record = new_record(request)
        recipients = (*self.keys.entry.recipients, *self.other.recipients)
        sealed = seal_message(
            message, context_of(owner, kind, record), recipients, self.keys.identity
        )
        return Written(record, sealed)

    def read(self, request: Request, message: SealedMessage) -> Message | None:
        """A message of a request, None once it is erased. Raises SealError, SealedContentError.

        The sender must be who can have sent it, and the message one of this request.
        """
        sender = request.requester if message.kind in _OF_REQUESTER else request.owner
        expected = "ask" if message.kind == MessageKind.ASK.value else request.id
        is_placed = message.record.partition("/")[0] == expected
        if message.sender != sender.code or message.kind not in set(MessageKind) or not is_placed:
            raise MessageMisplacedError(message.kind)
        if message.sealed is None:
            return None
        signers = self.keys.signers if sender.code == self.own else self.other_signers
        context = context_of(request.owner.code, MessageKind(message.kind), message.record)
        return open_message(message.sealed, context, self.keys.opening_keys, signers)


def differences(request: Request, about: Asked) -> tuple[str, ...]:
    """Names of what the platform shows otherwise than the requester signed it."""
    shown = {
        "indicator": (request.indicator, about.indicator),
        "urgency": (request.urgency, about.urgency),
        "asked": (sorted(request.asked), sorted(about.asked)),
        "action": (request.action, about.action),
    }
    return tuple(name for name, (theirs, signed) in shown.items() if theirs != signed)


def open_own(sealed_at: SealedAt, raw: bytes, keys: OrganisationKeys) -> Opened:
    """What one's own organisation sealed at submission.

    Raises EnvelopeExchangedError, SealError, SealedContentError.
    """
    context = sealed_at.context(keys.entry.organisation)
    return _opened(sealed_at, raw, context, keys, keys.signers)


def seal_again(found: Opened, request: Request, requester: Entry, keys: OrganisationKeys) -> bytes:
    """The same content sealed to the requester alone, for one request and one decision."""
    owner = keys.entry.organisation
    resealing = Resealing(request.id, requester.organisation, owner)
    context = found.sealed_at.context(owner, resealing)
    return seal(found.plaintext, context, requester.recipients, keys.identity)


def open_delivery(
    delivery: Delivery,
    raw: bytes,
    request: Request,
    keys: OrganisationKeys,
    owner_signers: Sequence[VerifyingKey],
) -> Opened:
    """What an owner sealed again for this request.

    Raises EnvelopeExchangedError, SealError, SealedContentError.
    """
    owner = request.owner.code
    resealing = Resealing(request.id, keys.entry.organisation, owner)
    context = delivery.envelope.context(owner, resealing)
    return _opened(delivery.envelope, raw, context, keys, owner_signers)


def check_token(
    found: Opened, pseudonymise: Callable[[Normalised], Pseudonym], present_epoch: int | None
) -> TokenCheck:
    """Whether a disclosed value is the one under whose token it was shared.

    `pseudonymise` evaluates in the present epoch, which is None when none is known. A value that
    does not read as one of its kind differs; what is no value, or of another epoch, is not checked.
    """
    value = found.content
    if not isinstance(value, Value):
        return TokenCheck.NOT_CHECKED
    if value.kind.value != found.context.kind:
        return TokenCheck.DIFFERS
    if present_epoch != found.context.epoch:
        return TokenCheck.NOT_CHECKED
    try:
        pseudonym = pseudonymise(tokens_again(value))
    except SealedContentError:
        return TokenCheck.DIFFERS
    except (EpochClosedError, NoKeyError):
        return TokenCheck.NOT_CHECKED
    return _compared(found.context, pseudonym)


def _compared(context: Context, pseudonym: Pseudonym) -> TokenCheck:
    if pseudonym.epoch != context.epoch:
        return TokenCheck.NOT_CHECKED
    # The first facet is the one whose token stands in the context (`postern.report_form`).
    derived = pseudonym.facets[0].token if pseudonym.facets else b""
    is_same = secrets.compare_digest(derived, context.token)
    return TokenCheck.MATCHES if is_same else TokenCheck.DIFFERS


def is_asked(sealed_at: SealedAt, request: Request) -> bool:
    """Whether an envelope is of a part that a request asks for."""
    return sealed_at.part in request.asked and sealed_at.part in set(SealedPart)


def _opened(
    sealed_at: SealedAt,
    raw: bytes,
    context: Context,
    keys: OrganisationKeys,
    signers: Sequence[VerifyingKey],
) -> Opened:
    if not secrets.compare_digest(hashlib.sha256(raw).digest(), sealed_at.digest):
        raise EnvelopeExchangedError(sealed_at.part_name)
    plaintext = open_envelope(raw, context, keys.opening_keys, signers)
    return Opened(sealed_at, context, plaintext, opened(context.part, plaintext))

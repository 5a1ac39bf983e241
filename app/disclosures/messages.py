"""Sealed messages of a request, and what the platform checks of every envelope that it takes.

A message is for both organisations, sealed by one of them. The platform knows its place, its
signer and its recipients, never what it says.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.disclosures.models import DisclosureMessage, DisclosureRequest
from app.disclosures.telling import Sides
from app.errors import ConflictError, InvalidRequestError
from app.organisations import keys
from app.organisations.envelope_checks import expected, misfit
from app.organisations.service import Member
from app.public_ids import new_public_id
from postern.envelope import Context
from postern.organisation_entry import Entry
from postern.pseudonym import TOKEN_SIZE
from postern.vocabulary import MessageKind

LARGEST_MESSAGE = 65_536  # bytes of an envelope
MOST_MESSAGES = 40  # of one request

_KIND = "message"
_NAME = r"[A-Za-z0-9_-]{22}"


class KeysNotPublishedError(ConflictError):
    """One of the organisations has published no keys, so nothing can be sealed to it."""

    code = "keys-not-published"
    title = "An organisation of the request has not published its keys"
    remedy = "Have it publish them with `postern keys publish`; until then nothing can be sealed."


class TooManyMessagesError(ConflictError):
    """The request has as many messages as a request may have."""

    code = "disclosure-messages"
    title = "The request has as many messages as a request may have"
    remedy = "Decide it, or withdraw it and ask anew."


@dataclass(frozen=True, slots=True)
class Sent:
    """A sealed message as it came in; `record` is of its context."""

    sealed: bytes
    record: str


@dataclass(frozen=True, slots=True)
class Keys:
    """The entries that both sides may use now; KeysNotPublishedError where one has none."""

    requester: Sequence[Entry]
    owner: Sequence[Entry]


def sent(message: bytes | None, record: str | None) -> Sent | None:
    """A message with its record, or neither; InvalidRequestError for one without the other."""
    if message is None and record is None:
        return None
    if message is None or record is None:
        raise wrong("record", "A message and its record are sent together or not at all.")
    return Sent(message, record)


def usable(session: Session, request: DisclosureRequest, between: Sides, at: datetime) -> Keys:
    """The keys of both sides; KeysNotPublishedError names the organisation that has none."""
    return Keys(
        entries(session, request.requester_id, between.requester, at),
        entries(session, request.owner_id, between.owner, at),
    )


def entries(
    session: Session, organisation_id: int, member: Member, at: datetime
) -> Sequence[Entry]:
    """The entries that one organisation may use now; KeysNotPublishedError."""
    found = keys.usable(session, organisation_id, at)
    if not found:
        raise KeysNotPublishedError(organisation=member.code)
    return found


def add(
    session: Session,
    request: DisclosureRequest,
    between: Sides,
    message: Sent,
    kind: MessageKind,
    *,
    by_owner: bool,
    at: datetime,
) -> None:
    """Store a message of one side. InvalidRequestError when it is not what it should be."""
    beginning = "ask" if kind is MessageKind.ASK else str(request.public_id)
    if not re.fullmatch(rf"{beginning}/{_NAME}", message.record):
        raise wrong("record", f"It is not {beginning}/ and 22 random characters of base64url.")
    stored = select(func.count(), func.count().filter(DisclosureMessage.record == message.record))
    count, same = session.execute(stored.where(DisclosureMessage.request_id == request.id)).one()
    if same:
        raise wrong("record", "Another message of the request has this record.")
    if count >= MOST_MESSAGES:
        raise TooManyMessagesError
    both = usable(session, request, between, at)
    own, other = (both.owner, both.requester) if by_owner else (both.requester, both.owner)
    context = Context(between.owner.code, _KIND, 0, bytes(TOKEN_SIZE), message.record, kind.value)
    refused = misfit(message.sealed, context, expected(own, other))
    if refused is not None:
        raise InvalidRequestError(
            errors=[{"field": "json.message", "reason": refused.reason, "remedy": refused.remedy}]
        )
    session.add(
        DisclosureMessage(
            public_id=new_public_id(at),
            request_id=request.id,
            organisation_id=request.owner_id if by_owner else request.requester_id,
            kind=kind,
            record=message.record,
            sealed=message.sealed,
            made_at=at,
        )
    )


def wrong(field: str, reason: str, **more: Any) -> InvalidRequestError:
    """The refusal of one field."""
    return InvalidRequestError(errors=[{"field": f"json.{field}", "reason": reason, **more}])

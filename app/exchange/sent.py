"""An indicator as a client sent it, and what is known of it from before."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.access import Caller
from app.database import among
from app.exchange.adding_models import ExchangeName, NameState
from app.exchange.statuses import Outcome
from app.exchange.taxii_schemas import microseconds
from app.indicators.models import Report
from postern.stix.checking import (
    Ignored,
    Refused,
    SentIndicator,
    SentPattern,
    SentSighting,
    classify,
)
from postern.stix.names import timestamp

NAMES_AT_ONCE = 500  # of one statement

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=1)  # that a client's clock may be fast
_IN_THE_FUTURE = "modified: It lies in the future, so nothing could ever follow it. Correct it."
_SUBJECT = ("kind", "role", "epoch", "elements", "place", "learned", "legal_basis", "quality")
"""What an indicator is of: no later version may change it."""


class _Fault(Protocol):
    """A fault of any room: the place, what is wrong there and what to do."""

    @property
    def field(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def remedy(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Sent:
    """An indicator of an envelope: its place there, and digests of what it says."""

    place: int
    object: SentIndicator
    version: int  # microseconds since 1970
    text: str  # the version as it was spelt
    subject: bytes
    content: bytes

    def outcome(self, message: str = "", *, is_success: bool = True) -> Outcome:
        return Outcome(self.object.id, self.text, is_success, message)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an object that the organisation added before."""

    name: ExchangeName
    report: UUID


@dataclass(frozen=True, slots=True)
class Run:
    """One envelope being taken in; `done` counts what was done, by words of the log."""

    session: Session
    caller: Caller
    at: datetime
    done: Counter[str] = field(default_factory=Counter)

    @property
    def organisation_id(self) -> int:
        return self.caller.member[0]


@dataclass(frozen=True, slots=True)
class Seen:
    """A sighting of an envelope: its place there, its version as it was spelt, what it says."""

    place: int
    text: str
    version: int  # microseconds since 1970
    object: SentSighting


@dataclass(frozen=True, slots=True)
class Ruled:
    """A shipping pattern of an envelope: its place there, its version as it was spelt."""

    place: int
    text: str
    version: int  # microseconds since 1970
    object: SentPattern
    content: bytes

    def outcome(self, message: str = "", *, is_success: bool = True) -> Outcome:
        return Outcome(self.object.id, self.text, is_success, message)


def read(place: int, given: dict[str, Any], at: datetime) -> Sent | Seen | Ruled | Outcome:
    """What an object is to become; an outcome where nothing is to be done with it."""
    text, found = _version_of(given, at), classify(given)
    # Without an id where it could follow from a value: the place in the envelope names it.
    id_ = found.id or f"objects.{place}"
    if isinstance(found, Ignored):
        return Outcome(id_, text, is_success=True, message=found.reason)
    if isinstance(found, Refused):
        return Outcome(id_, text, is_success=False, message=told(found.faults))
    if found.modified > at + _AHEAD or found.created > at + _AHEAD:
        return Outcome(id_, text, is_success=False, message=_IN_THE_FUTURE)
    version = microseconds_of(found.modified)
    if isinstance(found, SentSighting):
        return Seen(place, text, version, found)
    if isinstance(found, SentPattern):
        return Ruled(place, text, version, found, _digest([found.text]))
    subject = _digest([found.indicator.get(name) for name in _SUBJECT])
    more = {name: each for name, each in found.indicator.items() if name not in _SUBJECT}
    whole = [subject.hex(), more, found.shipment, found.barrier_step, found.revoked]
    return Sent(place, found, version, text, subject, _digest(whole))


def _version_of(given: Mapping[str, Any], at: datetime) -> str:
    """`modified` as it is spelt, else `created`, else the moment at which it came."""
    for name in ("modified", "created"):
        text = given.get(name)
        if isinstance(text, str) and microseconds(text) is not None:
            return text
    return timestamp(at)


def microseconds_of(at: datetime) -> int:
    """An aware moment as microseconds since 1970."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def told(faults: Iterable[_Fault]) -> str:
    """Faults as one message of a status."""
    return " ".join(f"{fault.field}: {fault.reason} {fault.remedy}" for fault in faults)


def _digest(content: list[Any]) -> bytes:
    return hashlib.sha256(_encode(content).encode()).digest()


def known_names(
    session: Session, organisation_id: int, stix_ids: Iterable[str]
) -> dict[str, Known]:
    """What the organisation added before under these ids, by id."""
    wanted = sorted(set(stix_ids))
    found: dict[str, Known] = {}
    for start in range(0, len(wanted), NAMES_AT_ONCE):
        rows = session.execute(
            select(ExchangeName, Report.public_id)
            .join(Report, Report.id == ExchangeName.report_id)
            .where(
                ExchangeName.organisation_id == organisation_id,
                among(session, ExchangeName.stix_id, wanted[start : start + NAMES_AT_ONCE]),
            )
        )
        found |= {name.stix_id: Known(name, report) for name, report in rows}
    return found


def note_version(session: Session, name: ExchangeName, sent: Sent, state: NameState) -> None:
    """Note which version of a known object was taken last."""
    session.execute(
        update(ExchangeName)
        .where(ExchangeName.id == name.id)
        .values(version=sent.version, content_hash=sent.content, state=state)
    )


_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=str).encode

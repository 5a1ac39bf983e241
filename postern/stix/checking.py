"""What a client adds to a collection: pseudonyms in our extension, or it is told why not.

Nothing in clear is taken: every property that could hold free text must be absent or one of the
texts that `postern.stix.writing` writes. What is refused is refused whole, with every reason.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from postern.stix.form import check_object
from postern.stix.names import EXTENSIONS, moment, split_id
from postern.stix.sent_pattern import is_pattern, read_pattern
from postern.stix.sent_reading import (
    KNOWN_OF_SIGHTING,
    MARKED_TLP,
    PUSH,
    SentReading,
    shown,
)
from postern.stix.submitting import submission_object
from postern.terms import Fault

__all__ = [
    "PUSH",
    "Ignored",
    "Refused",
    "Sent",
    "SentIndicator",
    "SentPattern",
    "SentSighting",
    "check_object",
    "classify",
    "submission_object",
]


@dataclass(frozen=True, slots=True)
class SentIndicator:
    """An indicator to submit, or to withdraw when it is `revoked`: then it may say no more.

    `indicator` and `shipment` are as `POST /api/v1/reports` takes them; of a later version it may
    be without elements. Indicators of one `group` belong to one report.
    """

    id: str
    created: datetime
    modified: datetime
    revoked: bool
    indicator: dict[str, Any] = field(default_factory=dict)
    shipment: dict[str, str] = field(default_factory=dict)
    barrier_step: int | None = None
    group: str = ""

    @property
    def has_value(self) -> bool:
        """Whether it says of what it is an indicator, so that it can be submitted as a new one."""
        return bool(self.indicator.get("elements") or self.indicator.get("place"))


@dataclass(frozen=True, slots=True)
class SentPattern:
    """A shipping pattern, by the text of its rule; one that is revoked is a SentIndicator."""

    id: str
    created: datetime
    modified: datetime
    text: str


@dataclass(frozen=True, slots=True)
class SentSighting:
    """That the sender saw again what an indicator, by its STIX id `of`, is about."""

    id: str
    created: datetime
    modified: datetime
    revoked: bool
    of: str
    count: int
    first_seen: datetime | None
    last_seen: datetime | None


@dataclass(frozen=True, slots=True)
class Ignored:
    """Something of which nothing is stored, and that is all right."""

    id: str
    modified: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Something that is not taken. `id` is "" when it has none, or one that is not random."""

    id: str
    modified: datetime | None
    faults: tuple[Fault, ...]


Sent: TypeAlias = SentIndicator | SentPattern | SentSighting | Ignored | Refused


def classify(obj: object) -> Sent:
    """What an object that was sent is to become."""
    faults = check_object(obj)
    if not isinstance(obj, dict):
        return Refused("", None, faults)
    name = _random_id(obj)
    version = moment(obj.get("modified", obj.get("created")))
    if faults:
        return Refused(name, version, _without_quotes(faults))
    read = _READ.get(obj["type"])
    if read is not None:
        not_random = (Fault("id", _NOT_RANDOM, "Write a random UUID."),)
        return read(obj, name) if name else Refused(name, version, not_random)
    reason = _ignored(obj, name)
    if reason:
        return Ignored(name, version, reason)
    return Refused(name, version, (Fault("type", _IN_CLEAR, PUSH),))


_IN_CLEAR = "Objects of this type are not taken: what they say is in clear."
_NOT_OURS = "This indicator has no postal-indicator extension: what it says is in clear."
_NOT_RANDOM = "The id is not random: it may follow from a value."
_RANDOM = (4, 7)  # versions of UUIDs
_MOST_SEEN = 999_999_999
_BODIES = ("organization", "system")


def _indicator(obj: dict[str, Any], name: str) -> Sent:
    created, modified = _moments(obj)
    is_revoked = obj.get("revoked") is True
    extensions = obj.get("extensions", {})
    if is_revoked:
        # Whatever else a withdrawal repeats is not read: only that it withdraws counts.
        return SentIndicator(name, created, modified, revoked=True)
    if is_pattern(obj):
        text, faults = read_pattern(obj)
        return (
            Refused(name, modified, faults)
            if faults
            else SentPattern(name, created, modified, text)
        )
    if EXTENSIONS["postal-indicator"] not in extensions:
        return Refused(name, modified, (Fault("extensions", _NOT_OURS, PUSH),))
    reading = SentReading(obj)
    indicator, shipment, step = reading.read()
    if reading.faults:
        return Refused(name, modified, tuple(reading.faults))
    group = "|".join(
        f"{key}={word}" for key, word in sorted(reading.consignment.items()) if word is not None
    )
    return SentIndicator(
        name,
        created,
        modified,
        revoked=False,
        indicator=indicator,
        shipment=shipment,
        barrier_step=step,
        group=f"{group}|{step}",
    )


def _sighting(obj: dict[str, Any], name: str) -> Sent:
    created, modified = _moments(obj)
    faults = [
        Fault(shown(found), "The property is not taken here.", "Leave it out.")
        for found in sorted(obj.keys() - KNOWN_OF_SIGHTING)
    ]
    if not MARKED_TLP.keys() >= set(obj.get("object_marking_refs", [])):
        reason = "A marking is not known here, so it could not be kept to."
        faults.append(Fault("object_marking_refs", reason, "Use TLP 2.0."))
    of = obj["sighting_of_ref"]
    if not of.startswith("indicator--"):
        reason = "Only indicators are taken as sighted."
        faults.append(Fault("sighting_of_ref", reason, "Name an indicator that you received."))
    count = obj.get("count", 1)
    if type(count) is not int or not 0 <= count <= _MOST_SEEN:
        faults.append(Fault("count", "It is no count.", f"Write 0 to {_MOST_SEEN}."))
    if faults:
        return Refused(name, modified, tuple(faults))
    return SentSighting(
        name,
        created,
        modified,
        obj.get("revoked") is True,
        of,
        count,
        moment(obj.get("first_seen")),
        moment(obj.get("last_seen")),
    )


def _random_id(obj: Mapping[str, Any]) -> str:
    """The id, if its UUID is random: another may follow from a value, and could be guessed."""
    named = split_id(obj.get("id"))
    if named is None or named[0] != obj.get("type") or named[1].version not in _RANDOM:
        return ""
    return str(obj["id"])


def _moments(obj: Mapping[str, Any]) -> tuple[datetime, datetime]:
    created, modified = moment(obj["created"]), moment(obj["modified"])
    if created is None or modified is None:
        raise LookupError("an object was read before it was checked")
    return created, modified


def _ignored(obj: Mapping[str, Any], name: str) -> str | None:
    """Why nothing is stored of an object that is none the worse for it; None: it is refused."""
    extensions = obj.get("extensions", {})
    is_known = {
        "marking-definition": name in MARKED_TLP or EXTENSIONS["handling"] in extensions,
        "extension-definition": name in EXTENSIONS.values(),
    }
    is_of_pattern = {
        "attack-pattern": EXTENSIONS["shipping-pattern"] in extensions,
        "relationship": obj.get("relationship_type") == "indicates"
        and str(obj.get("source_ref")).startswith("indicator--")
        and str(obj.get("target_ref")).startswith("attack-pattern--"),
    }
    is_of_point = {
        "location": EXTENSIONS["induction-point"] in extensions,
        "relationship": str(obj.get("source_ref")).startswith("indicator--")
        and str(obj.get("target_ref")).startswith("location--"),
    }
    type_ = obj["type"]
    if is_known.get(type_):
        return "It is known here."
    if is_of_pattern.get(type_):
        return "What it says stands in the shipping pattern."
    if is_of_point.get(type_):
        return "The place stands in its indicator."
    if type_ == "identity" and obj.get("identity_class") in _BODIES:
        return "The organisation that is signed in is the producer."
    return None


def _without_quotes(faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
    return tuple(Fault(shown(each.field), each.reason, each.remedy) for each in faults)


_READ: Mapping[str, Callable[[dict[str, Any], str], Sent]] = {
    "indicator": _indicator,
    "sighting": _sighting,
}

"""Names in STIX: ids, moments, and the fixed ids of markings, extensions and phases.

Ids have the form of random UUIDs. `derived` makes the same id of the same parts, for objects that
several producers must name alike; its parts are public or random themselves, never a value.
"""

import hashlib
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID

from postern.vocabulary import Tlp

KILL_CHAIN = "postal-barrier-model"

PHASES: tuple[str, ...] = (
    "supply-and-set-up",
    "offer-and-order",
    "pack-and-conceal",
    "label-and-declare",
    "hand-over",
    "carriage-and-border",
    "delivery-and-proceeds",
)
"""The steps 1 to 7 by their keys in policies/barriers/postal-seven-steps.yml."""

TLP_EXTENSION = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"

TLP_IDS: Mapping[Tlp, str] = {
    Tlp.CLEAR: "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    Tlp.GREEN: "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    Tlp.AMBER: "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    Tlp.AMBER_STRICT: "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
    Tlp.RED: "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
}
"""The official definitions of TLP 2.0, of the common objects of OASIS."""

TLP_1_IDS: Mapping[str, Tlp] = {
    "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": Tlp.CLEAR,
    "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": Tlp.GREEN,
    "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82": Tlp.AMBER,
    "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": Tlp.RED,
}
"""TLP 1, of STIX 2.1 section 7.2.1.4, as what it is in TLP 2.0; it is read and never written."""

PLATFORM_ID = "identity--d60db96e-0cba-4881-ac0c-02673b1c282f"
"""Who defines our extensions and handling markings: the software, wherever it runs."""

EXTENSIONS: Mapping[str, str] = {
    "postal-indicator": "extension-definition--6a5b9a98-7b88-404f-a40c-61774a0b75dc",
    "induction-point": "extension-definition--a51b759f-d98e-45ac-9744-22380408bcf9",
    "consignment": "extension-definition--9cddfd9a-6ee6-44a4-a003-8f5776ceedc8",
    "shipping-pattern": "extension-definition--af175000-c6a3-44aa-b7a5-7338c5a45f9d",
    "handling": "extension-definition--e66ba63b-6e15-40ab-94cd-4827ad05ceae",
}
"""Schema name -> id of the extension definition that it belongs to."""

_NAMESPACE = UUID("4ce3af3b-4724-4782-80f6-acb992a47d7d").bytes
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_ID = re.compile(rf"([a-z][a-z0-9]*(?:-[a-z0-9]+)*)--({_UUID})", re.ASCII)
_LONGEST_ID = 250 + 2 + 36  # characters
_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:)([0-9]{2})(?:\.([0-9]{1,9}))?Z", re.ASCII
)
_LONGEST_MOMENT = 30  # characters, of nanoseconds
_LEAP_SECOND = "60"
_MICROSECOND_DIGITS = 6


def new_name() -> UUID:
    """A random name."""
    return uuid.uuid4()


def derived(*parts: str) -> UUID:
    """The name that follows from parts: of the form of version 4, from SHA-256 of all of them."""
    digest = hashlib.sha256(_NAMESPACE)
    for part in parts:
        content = part.encode()
        digest.update(len(content).to_bytes(4, "big") + content)
    return UUID(bytes=digest.digest()[:16], version=4)


def stix_id(type_: str, name: UUID) -> str:
    """The STIX id of an object."""
    return f"{type_}--{name}"


def identity_id(code: str) -> str:
    """The STIX id of an organisation, from the public code that it has on a platform."""
    return stix_id("identity", derived("identity", code))


def location_name(indicator: UUID) -> UUID:
    """The name of the location of an induction point, from the name of its indicator."""
    return derived("location", str(indicator))


def split_id(text: object) -> tuple[str, UUID] | None:
    """Type and name of a STIX id; None when it is none (STIX 2.1, 2.9)."""
    if not isinstance(text, str) or len(text) > _LONGEST_ID:
        return None
    found = _ID.fullmatch(text)
    return (found[1], UUID(found[2])) if found else None


def is_id(text: object) -> bool:
    """Whether `split_id` finds a type and a name; faster."""
    return isinstance(text, str) and len(text) <= _LONGEST_ID and bool(_ID.fullmatch(text))


def timestamp(at: datetime) -> str:
    """An aware moment as STIX writes it, cut to milliseconds."""
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    return at.isoformat(timespec="milliseconds")[:-6] + "Z"


def moment(text: object) -> datetime | None:
    """The moment of a timestamp, cut to microseconds; None when it is none (STIX 2.1, 2.17)."""
    if not isinstance(text, str) or len(text) > _LONGEST_MOMENT:
        return None
    return _moment(text)


@lru_cache(maxsize=4096)  # an object repeats its moments, and a batch its objects' moments
def _moment(text: str) -> datetime | None:
    found = _MOMENT.fullmatch(text)
    if found is None:
        return None
    start, second, fraction = found.groups(default="")
    is_leap = second == _LEAP_SECOND
    try:
        whole = datetime.fromisoformat(f"{start}{'59' if is_leap else second}+00:00")
        return whole + timedelta(
            seconds=int(is_leap),
            microseconds=int(f"{fraction:0<6}"[:_MICROSECOND_DIGITS]),
        )
    except (ValueError, OverflowError):
        return None

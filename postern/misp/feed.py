"""A feed of MISP: events of one day and producer, the manifest that lists them, and their hashes.

An instance fetches an event again only when its timestamp, in whole seconds, is later than that of
its own copy, and takes an object or attribute only when its timestamp is. What was changed within a
second that is not over yet therefore bears the second before: when that second is over, the true
timestamp is later than any copy, and nothing that was added in between is missed.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from postern.misp.objects import matching_values
from postern.misp.tags import SOURCE_TAG, tag
from postern.stix.names import derived, identity_id

MICROSECONDS = 1_000_000
CLOSING = "]}}"
"""What follows the last object of an event."""

UNDEFINED = "4"  # threat level
COMPLETED = "2"  # analysis

_FIRST_DAY = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class EventName:
    """One event of a feed: a collection, an owner, and a day in days since 1970."""

    collection: UUID
    owner: str  # code of the organisation
    owner_name: str
    day: int

    @property
    def uuid(self) -> UUID:
        """Always the same, so that an instance knows the event again."""
        return derived("misp-event", str(self.collection), self.owner, str(self.day))

    @property
    def date(self) -> date:
        """The day."""
        return _FIRST_DAY + timedelta(days=self.day)


def second(added: int, settled: int) -> int:
    """The timestamp for what was added at `added`; both in microseconds since 1970.

    `settled`: before it nothing can be added any more.
    """
    found = added // MICROSECONDS
    return found if found < settled // MICROSECONDS else found - 1


def manifest_entry(name: EventName, timestamp: int) -> dict[str, Any]:
    """What the manifest says of an event."""
    return {
        "Orgc": _producer(name),
        "Tag": [tag(SOURCE_TAG)],
        "info": _info(name),
        "date": name.date.isoformat(),
        "analysis": COMPLETED,
        "threat_level_id": UNDEFINED,
        "timestamp": str(timestamp),
    }


def event(name: EventName, objects: Sequence[Mapping[str, Any]]) -> str:
    """The file of an event of one object at least."""
    timestamp = max(int(each["timestamp"]) for each in objects)
    return f"{opening(name, timestamp)}{','.join(map(written, objects))}{CLOSING}"


def opening(name: EventName, timestamp: int) -> str:
    """The file of an event up to its objects; they follow with commas between, and `CLOSING`."""
    head = {
        "uuid": str(name.uuid),
        **manifest_entry(name, timestamp),
        "publish_timestamp": str(timestamp),
        "published": True,
        "extends_uuid": "",
        "protected": False,
        "Attribute": [],
    }
    return f'{{"Event":{written(head)[:-1]},"Object":['


def hash_lines(uuid: UUID, contents: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The lines of `hashes.csv` for indicators of an event: MD5 of each value that can match.

    MD5 is what the format demands; the values are tokens, which it does not have to protect.
    """
    for each in contents:
        for value in matching_values(each):
            digest = hashlib.md5(value.encode(), usedforsecurity=False).hexdigest()
            yield f"{digest},{uuid}\n"


def written(content: Mapping[str, Any]) -> str:
    """A file of the feed as text."""
    return json.dumps(content, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _producer(name: EventName) -> dict[str, str]:
    return {"uuid": identity_id(name.owner).partition("--")[2], "name": name.owner_name}


def _info(name: EventName) -> str:
    return f"Postal indicators of {name.owner_name}, {name.date.isoformat()}"

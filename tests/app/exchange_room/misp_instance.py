"""What an instance of MISP does with a feed, as its source shows: when it fetches, what it takes.

An event is fetched again when the manifest's timestamp is later than that of the copy. Of an event
that is known, an object or attribute is taken when it is new, or when its timestamp is later; an
object whose uuid is known in another event is dropped; tags are added, and taken away only when
they are told as deleted.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from pymisp import MISPEvent

from app import clock

Get = Callable[[str], str]
"""The text of a file of the feed, by its name."""

Thing = dict[str, Any]


@dataclass
class Instance:
    """Events, objects and attributes by uuid; `fetched` are the events of the last pull."""

    get: Get
    events: dict[str, int] = field(default_factory=dict)
    objects: dict[str, Thing] = field(default_factory=dict)
    attributes: dict[str, Thing] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)

    def pull(self) -> None:
        """Fetch the feed, as the instance's scheduler does."""
        self.fetched = []
        for uuid, told in json.loads(self.get("manifest.json")).items():
            if int(told["timestamp"]) > self.events.get(uuid, 0):
                self._fetch(uuid)

    def living(self) -> list[Thing]:
        """The objects that are not deleted."""
        return [each for each in self.objects.values() if not each["deleted"]]

    def values(self, relation: str) -> set[str]:
        """What stands in attributes of a relation that are not deleted."""
        return {
            each["value"]
            for each in self.attributes.values()
            if each["object_relation"] == relation and not each["deleted"]
        }

    def _fetch(self, uuid: str) -> None:
        text = self.get(f"{uuid}.json")
        MISPEvent().load(text)
        event = json.loads(text)["Event"]
        assert event["uuid"] == uuid
        self.fetched.append(uuid)
        self.events[uuid] = int(event["timestamp"])
        for each in event["Object"]:
            self._take_object(each, uuid)

    def _take_object(self, new: Thing, event: str) -> None:
        known = self.objects.get(new["uuid"])
        if known is not None and known["event"] != event:
            self.dropped.append(new["uuid"])
            return
        if known is not None and int(known["timestamp"]) >= int(new["timestamp"]):
            return
        kept = {name: value for name, value in new.items() if name != "Attribute"}
        self.objects[new["uuid"]] = {**kept, "event": event}
        for each in new["Attribute"]:
            is_gone = bool(new["deleted"] or each["deleted"])
            self._take_attribute({**each, "deleted": is_gone})

    def _take_attribute(self, new: Thing) -> None:
        known = self.attributes.get(new["uuid"])
        if known is not None and int(known["timestamp"]) >= int(new["timestamp"]):
            return
        tags = set(known["tags"]) if known else set()
        for each in new.get("Tag", ()):
            (tags.discard if each.get("deleted") else tags.add)(each["name"])
        self.attributes[new["uuid"]] = {**new, "tags": tags}


def moving_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets seconds go by for the whole platform of this process, without waiting."""
    real, gone = clock.now, timedelta()

    def later() -> datetime:
        return real() + gone

    for name, module in list(sys.modules.items()):
        if name.startswith("app.") and getattr(module, "now", None) is real:
            monkeypatch.setattr(module, "now", later)

    def passed(seconds: float) -> None:
        nonlocal gone
        gone += timedelta(seconds=seconds)

    return passed

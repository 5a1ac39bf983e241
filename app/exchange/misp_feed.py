"""A collection as a feed of MISP: the same entries as by TAXII, decided, held and logged alike.

Revocations are always in it, whatever the collection says of TAXII: an instance that reads the feed
deletes by them.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from app.access import Caller
from app.audit.parts import Part
from app.audit.service import append
from app.errors import NotFoundError
from app.exchange import collections, misp_days, serving
from app.exchange.views import Collection, FeedDay, Filters, Row
from postern.misp.feed import (
    CLOSING,
    EventName,
    hash_lines,
    manifest_entry,
    opening,
    second,
    written,
)
from postern.misp.objects import Shown, object_of

OBJECTS_IN_PART = 250
"""Objects of an event that are made and logged at once: some 2 MB."""

_INDICATORS = ("indicator",)


def manifest(session: Session, caller: Caller, collection_id: UUID) -> str:
    """`manifest.json`: the events, each with its timestamp. NotFoundError for another's."""
    collection = collections.find(session, caller.member[0], collection_id)
    settled = collections.settled(session, collection)
    found = misp_days.days(session, collection)
    _log(session, caller, collection, found)
    serving.note_poll(session, caller, collection_id)
    listed = {}
    for each in found:
        name = _name(collection, each)
        listed[str(name.uuid)] = manifest_entry(name, second(each.changed, settled))
    return written(listed)


@dataclass
class EventParts:
    """An event as its file in the feed, part by part; `following` makes the next one."""

    collection_id: UUID
    event: UUID
    _name: EventName | None = None
    _after: int | None = None

    def first(self, session: Session, caller: Caller) -> Part:
        """The beginning. NotFoundError for an event of which nothing may be seen."""
        collection = collections.find(session, caller.member[0], self.collection_id)
        settled = collections.settled(session, collection)
        day = _day_of_event(session, collection, self.event)
        self._name = _name(collection, day)
        objects, is_last = self._objects(session, caller, settled)
        if not objects:
            raise NotFoundError
        head = opening(self._name, second(day.changed, settled))
        return _part(head + ",".join(objects), is_last=is_last)

    def following(self, session: Session, caller: Caller) -> Part:
        """The next part. NotFoundError when the collection ended meanwhile."""
        collection = collections.find(session, caller.member[0], self.collection_id)
        settled = collections.settled(session, collection)
        objects, is_last = self._objects(session, caller, settled)
        return _part("".join(f",{each}" for each in objects), is_last=is_last)

    def _objects(self, session: Session, caller: Caller, settled: int) -> tuple[list[str], bool]:
        if self._name is None:
            raise LookupError("An event begins with its first part.")
        wanted = Filters(
            types=_INDICATORS,
            owner=self._name.owner,
            day=self._name.day,
            main_only=True,
            revoked=True,
        )
        served = serving.page(
            session, caller, self.collection_id, wanted, OBJECTS_IN_PART, after=self._after
        )
        self._after = served.next
        objects = [
            written(object_of(_shown(row, settled), self.collection_id)) for row in served.rows
        ]
        return objects, not served.more


@dataclass
class HashParts:
    """`hashes.csv`: the hashes of what may match, each with the event that it stands in."""

    collection_id: UUID
    _after: int | None = None

    def make(self, session: Session, caller: Caller) -> Part:
        """The next part, the first too. NotFoundError for a collection of another."""
        served = serving.page(
            session,
            caller,
            self.collection_id,
            Filters(types=_INDICATORS, main_only=True, revoked=False),
            serving.MOST_SERVED,
            after=self._after,
        )
        self._after = served.next
        return Part("".join(self._lines(served.rows)).encode(), is_last=not served.more)

    def _lines(self, rows: Sequence[Row]) -> Iterator[str]:
        uuids: dict[tuple[str, int], UUID] = {}
        for row in rows:
            owner = row.owner or ""
            key = (owner, row.day)
            if key not in uuids:
                uuids[key] = EventName(self.collection_id, owner, "", row.day).uuid
            yield from hash_lines(uuids[key], (json.loads(row.text),))


def _day_of_event(session: Session, collection: Collection, event: UUID) -> FeedDay:
    for owner, day in misp_days.names(session, collection):
        if EventName(collection.id, owner, "", day).uuid == event:
            found = misp_days.day_of(session, collection, owner, day)
            if found is not None:
                return found
    raise NotFoundError


def _name(collection: Collection, day: FeedDay) -> EventName:
    return EventName(collection.id, day.owner, day.owner_name, day.day)


def _shown(row: Row, settled: int) -> Shown:
    return Shown(
        json.loads(row.text),
        second(row.added, settled),
        is_changed=row.is_revoked or not row.is_first,
    )


def _part(text: str, *, is_last: bool) -> Part:
    return Part((text + CLOSING if is_last else text).encode(), is_last=is_last)


def _log(
    session: Session, caller: Caller, collection: Collection, found: Sequence[FeedDay]
) -> None:
    grounds = collection.grounds
    append(
        session,
        caller,
        "exchange.manifest",
        purpose=grounds.purpose if grounds else "",
        basis=grounds.legal_basis if grounds else "",
        case=grounds.case if grounds else "",
        object_type="collection",
        objects=[str(collection.id)],
        count=sum(each.objects + each.revoked for each in found),
        results=[[each.owner, each.day, each.objects, each.revoked] for each in found],
        details={"collection": str(collection.id), "events": len(found)},
    )

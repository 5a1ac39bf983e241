"""Reading a collection to its end, page by page, into a folder; resumable and gentle.

A new round begins after the date of the last object that was told. Where a server's dates can lose
something, because it takes them before it commits or gives one to many objects, the round begins
some minutes earlier, and what is known already is dropped. A server that says that its dates are
exact is believed: what is asked twice would be logged as given twice.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

from postern.taxii.client import PAGE, Collection, Page, Place, TaxiiClient
from postern.taxii.errors import NoProgressError, StalePlaceError
from postern.taxii.folder import Folder
from postern.taxii.index_rows import Source, Taken
from postern.taxii.moments import earlier_by, later, sortable, written

OVERLAP = 300  # seconds that are read again from a server whose dates may lose something
LAST_VERSIONS: Mapping[str, str] = {}
"""The filter that asks for the last version of each object: the default of the standard."""

_IDS_AT_ONCE = 25  # in one address
_MOST_EMPTY = 100  # pages without an object, one after the other, that announce more


@dataclass(frozen=True, slots=True)
class Pull:
    """What a pull of one collection did. `compared`: with the manifest."""

    collection: Collection
    source: Source
    taken: Taken
    pages: int
    is_resumed: bool
    compared: bool = False
    fetched_missing: int = 0


@dataclass(slots=True)
class Pulling:
    """Pulls collections of one server into a folder.

    `since`: where the first round of a new collection begins. `on_page` is told each page's count.
    """

    client: TaxiiClient
    folder: Folder
    is_exact: bool
    limit: int = PAGE
    since: str | None = None
    on_page: Callable[[Taken], None] = lambda _: None
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    def pull(self, collection: Collection, *, compare: bool = False) -> Pull:
        """Read a collection to its present end. Raises TaxiiError, OSError.

        After any of them the folder holds every page that came, and a later pull goes on there.
        `compare` then fetches what the manifest has beyond that, and erases what it has no more.
        """
        server = self.client.address
        source = self.folder.source(server, collection.id, collection.title)
        is_resumed = source.place.next is not None
        if not is_resumed:
            self.folder.begin(source.number, self._beginning(source))
        taken, pages = Taken(), 0
        for of_page in self._pages(collection, source.number):
            taken.add(of_page)
            pages += 1
            self.on_page(of_page)
        missing = self._compare(collection, source.number, taken) if compare else 0
        taken.expired += self.folder.end_expired(self._now())
        self.folder.tidy()
        return Pull(
            collection=collection,
            source=self._source(source.number),
            taken=taken,
            pages=pages,
            is_resumed=is_resumed,
            compared=compare,
            fetched_missing=missing,
        )

    def _beginning(self, source: Source) -> Place:
        seen = source.place.seen
        if seen is None:
            return Place(after=self.since, seen=None)
        after = seen if self.is_exact else earlier_by(seen, OVERLAP)
        return Place(after=after, seen=seen)

    def _pages(self, collection: Collection, number: int) -> Iterator[Taken]:
        may_begin_again = True
        passed: set[Place] = set()
        empty, before = 0, None
        while True:
            place = self._source(number).place
            if place in passed:
                raise NoProgressError
            passed.add(place)
            try:
                page = self.client.page(collection, place, LAST_VERSIONS, limit=self.limit)
            except StalePlaceError:
                if not may_begin_again:
                    raise
                may_begin_again = False  # a server that refuses each of its tokens has no end
                self._begin_again(number)
                passed.clear()
                before = None
                continue
            empty = 0 if page.objects else empty + 1
            if page.more and (empty == _MOST_EMPTY or (page.objects and page.objects == before)):
                raise NoProgressError
            before = page.objects
            yield self.folder.take(
                number, page.objects, self._now(), self._place(page), is_last=not page.more
            )
            if not page.more:
                return

    def _begin_again(self, number: int) -> None:
        """The token of the next page is over: go on by date where that is safe, else anew."""
        source = self._source(number)
        seen = source.place.seen
        after = seen if self.is_exact and seen else source.began_after
        self.folder.begin(number, Place(after=after, seen=seen))

    def _place(self, page: Page) -> Place:
        """The place after a page; a server that tells no dates is believed about its clock."""
        place = page.place
        if page.more or place.seen is not None or not page.objects or page.date is None:
            return place
        return Place(after=place.after, seen=written(page.date))

    def _compare(self, collection: Collection, number: int, taken: Taken) -> int:
        held: dict[str, str] = {}
        for record in self.client.manifest(collection, LAST_VERSIONS, limit=self.limit):
            held[record.id] = later(held.get(record.id), record.version) or record.version
        known = self.folder.versions(number, list(held))
        missing = [
            identifier
            for identifier, version in held.items()
            if identifier not in known or (sortable(version) or "") > known[identifier] != ""
        ]
        fetched = 0
        rest = iter(missing)
        while few := list(islice(rest, _IDS_AT_ONCE)):
            fetched += self._fetch(collection, number, few, taken)
        taken.gone += self.folder.end_gone(number, set(held))
        return fetched

    def _fetch(self, collection: Collection, number: int, few: list[str], taken: Taken) -> int:
        place, fetched = Place(), 0
        passed: set[Place] = set()
        while True:
            if place in passed:
                raise NoProgressError
            passed.add(place)
            page = self.client.page(collection, place, {"match[id]": ",".join(few)})
            of_page = self.folder.take(number, page.objects, self._now(), None, is_last=False)
            taken.add(of_page)
            fetched += len(page.objects)
            if not page.more:
                return fetched
            place = page.place

    def _source(self, number: int) -> Source:
        return next(each for each in self.folder.sources() if each.number == number)

    def _now(self) -> str:
        found = sortable(written(self.clock()))
        if found is None:
            raise LookupError("the clock gives no moment")
        return found

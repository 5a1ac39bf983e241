"""The typed client of a TAXII 2.1 server: one method for each thing that the standard offers."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from postern.taxii.connection import Access, Connection
from postern.taxii.errors import (
    BodyRefusedError,
    NoProgressError,
    NotTaxiiError,
    NotThereError,
    ServerAnswerError,
    ServerRefusedError,
    StalePlaceError,
    plain,
)
from postern.taxii.moments import later, sortable
from postern.taxii.receipts import Demand
from postern.transport import RECEIPT_HEADER

PAGE = 1000  # objects that are asked for at once
DISCOVERY = "/taxii2/"
MOST_SENT = 500  # objects in one request
LARGEST_SENT = 8 * 2**20  # bytes of one request, unless the API root takes less

_LEAST_SENT = 1024  # bytes: a limit below it is no limit that anyone means
_FIRST, _LAST = "X-TAXII-Date-Added-First", "X-TAXII-Date-Added-Last"
_BAD_REQUEST, _NOT_SATISFIABLE = 400, 416
_MANY = 10_000  # collections or roots: a longer list is a fault


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a server says of itself (4.1). `is_exact`: its dates lose nothing (see `pulling`)."""

    title: str
    description: str
    contact: str
    api_roots: tuple[str, ...]  # absolute addresses
    is_exact: bool = False


@dataclass(frozen=True, slots=True)
class ApiRoot:
    """An API root (4.2). `largest` is the most bytes that it takes in one request."""

    address: str
    title: str
    largest: int


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection of an API root (5.1), as far as this credential may use it."""

    root: ApiRoot
    id: str
    title: str
    description: str
    can_read: bool
    can_write: bool
    media_types: tuple[str, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Where it is, with a final slash."""
        return f"{self.root.address}collections/{quote(self.id, safe='')}/"


@dataclass(frozen=True, slots=True)
class Place:
    """How far a collection was read: the parameters of the next request, and what may replace them.

    `after` and `next` go together into the next request; `seen` is the latest date that was told,
    from which a new round begins, and the way on when `next` is no longer taken.
    """

    after: str | None = None
    next: str | None = None
    seen: str | None = None

    def anew(self) -> "Place":
        """The beginning of a new round, after everything that was seen."""
        after = self.seen or self.after
        return Place(after=after, seen=after)


@dataclass(frozen=True, slots=True)
class Page:
    """Objects as a server sent them, unchecked. `place` is where reading goes on after them."""

    objects: Sequence[Any]
    more: bool
    place: Place
    date: datetime | None  # the server's clock


@dataclass(frozen=True, slots=True)
class ManifestRecord:
    """One object in a manifest (5.3)."""

    id: str
    date_added: str
    version: str


@dataclass(frozen=True, slots=True)
class Failure:
    """An object that a server did not take, and why."""

    id: str
    message: str


@dataclass(frozen=True, slots=True)
class Status:
    """What became of objects that were sent (4.3)."""

    id: str
    is_complete: bool
    successes: int
    failures: tuple[Failure, ...]
    pending: int
    failed: int  # may be more than the failures that are told


class TaxiiClient:
    """Speaks to one server. Every method raises TaxiiError."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.demand: Demand | None = None
        """Takes the receipt of each page of objects, or of a manifest, and refuses a wrong one."""

    @classmethod
    def at(
        cls, address: str, access: Access, *, keep_receipt: Callable[[str], None] | None = None
    ) -> "TaxiiClient":
        """A client of the server at the address of its discovery or of one API root.

        `keep_receipt` takes the receipt of each act at a Postern, such as `ReceiptFile.keep`.
        """
        return cls(Connection(address, access, keep_receipt=keep_receipt))

    @property
    def address(self) -> str:
        """Where the server is."""
        return self._connection.address

    def discovery(self) -> Discovery:
        """What the server says of itself; also when the address is that of an API root."""
        answer = self._connection.get(self.address, what="discovery resource").content
        roots = answer.get("api_roots")
        if roots is None and "max_content_length" in answer:
            return Discovery(
                _text(answer, "title"), _text(answer, "description"), "", (self.address,)
            )
        if roots is None and "title" not in answer:
            raise NotTaxiiError("its answer is no discovery resource")
        named = list(_texts(roots, "api_roots")) if roots is not None else []
        if not named and isinstance(answer.get("default"), str):
            named.append(answer["default"])
        own = answer.get("x_postern")
        return Discovery(
            title=_text(answer, "title"),
            description=_text(answer, "description"),
            contact=_text(answer, "contact"),
            api_roots=tuple(dict.fromkeys(self._connection.resolved(each) for each in named)),
            is_exact=isinstance(own, dict) and own.get("exact_cursor") is True,
        )

    def api_root(self, address: str) -> ApiRoot:
        """The API root at an address."""
        answer = self._connection.get(address, what="API root").content
        largest = answer.get("max_content_length")
        if not isinstance(largest, int) or largest < _LEAST_SENT:
            largest = LARGEST_SENT
        return ApiRoot(address, _text(answer, "title"), largest)

    def collections(self, root: ApiRoot) -> list[Collection]:
        """The collections of an API root that this credential may see."""
        answer = self._connection.get(f"{root.address}collections/", what="collections")
        listed = answer.content.get("collections", [])
        if not isinstance(listed, list) or len(listed) > _MANY:
            raise ServerAnswerError("collections")
        return [_collection(root, each) for each in listed]

    def every_collection(self) -> list[Collection]:
        """The collections of every API root of the server."""
        found: list[Collection] = []
        for address in self.discovery().api_roots:
            found += self.collections(self.api_root(address))
        return found

    def page(
        self, collection: Collection, place: Place, filters: Mapping[str, str], *, limit: int = PAGE
    ) -> Page:
        """The objects after a place, at most `limit` of them.

        `filters` are those of the standard (3.4), such as `match[type]`. Raises NoProgressError
        when the server announces more and does not say how to fetch it, StalePlaceError when it
        takes the place's `next` no longer.
        """
        asked = _question(place, filters, limit)
        try:
            answer = self._connection.get(f"{collection.address}objects/", asked, what="collection")
        except ServerRefusedError as refused:
            stale = refused.status in {_BAD_REQUEST, _NOT_SATISFIABLE}
            if place.next is None or not stale:
                raise
            raise StalePlaceError from refused
        self._take_receipt(answer.headers)
        objects = answer.content.get("objects", [])
        if not isinstance(objects, list):
            raise ServerAnswerError("objects")
        more = answer.content.get("more") is True
        return Page(objects, more, _place_after(place, answer.content, answer.headers), answer.date)

    def manifest(
        self, collection: Collection, filters: Mapping[str, str], *, limit: int = PAGE
    ) -> Iterator[ManifestRecord]:
        """What a collection holds, without the objects.

        Raises NoProgressError when the server sends the reader round in a circle.
        """
        place = Place()
        passed: set[tuple[str | None, str | None]] = set()
        while True:
            asked = _question(place, filters, limit)
            answer = self._connection.get(
                f"{collection.address}manifest/", asked, what="collection"
            )
            self._take_receipt(answer.headers)
            records = answer.content.get("objects", [])
            if not isinstance(records, list):
                raise ServerAnswerError("objects")
            yield from map(_record, records)
            if answer.content.get("more") is not True:
                return
            passed.add((place.after, place.next))
            place = _place_after(place, answer.content, answer.headers)
            if (place.after, place.next) in passed:
                raise NoProgressError

    def add(self, collection: Collection, objects: Sequence[Mapping[str, Any]]) -> list[Status]:
        """Send objects; what became of them, for each request that was needed."""
        found: list[Status] = []
        for few in _requests(objects, min(collection.root.largest, LARGEST_SENT)):
            found += self._add(collection, few)
        return found

    def status(self, root: ApiRoot, identifier: str) -> Status:
        """What became of an earlier request."""
        address = f"{root.address}status/{quote(identifier, safe='')}/"
        return _status(self._connection.get(address, what="status").content)

    def delete(self, collection: Collection, identifier: str) -> None:
        """Have an object removed, in all its versions."""
        address = f"{collection.address}objects/{quote(identifier, safe='')}/"
        self._connection.delete(address, {"match[version]": "all"}, what="object")

    def _take_receipt(self, headers: Mapping[str, str]) -> None:
        if self.demand is not None:
            self.demand(headers.get(RECEIPT_HEADER))

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def _add(self, collection: Collection, few: Sequence[bytes]) -> list[Status]:
        body = b'{"objects":[' + b",".join(few) + b"]}"
        try:
            answer = self._connection.post(f"{collection.address}objects/", body, what="collection")
        except BodyRefusedError:
            if len(few) == 1:
                raise
            middle = len(few) // 2
            return [*self._add(collection, few[:middle]), *self._add(collection, few[middle:])]
        return [_status(answer.content)]


def found_collection(collections: Sequence[Collection], named: str) -> Collection:
    """The collection with an id, alias or title. Raises NotThereError."""
    for matches in (
        [each for each in collections if each.id.lower() == named.lower()],
        [each for each in collections if each.raw.get("alias") == named],
        [each for each in collections if each.title == named],
    ):
        if len(matches) == 1:
            return matches[0]
    raise NotThereError("collection of that id, alias or title")


def _question(place: Place, filters: Mapping[str, str], limit: int) -> dict[str, str]:
    """The parameters of a request for what follows a place."""
    asked = {**filters, "limit": str(limit)}
    if place.after is not None:
        asked["added_after"] = place.after
    if place.next is not None:
        asked["next"] = place.next
    return asked


def _place_after(place: Place, content: Mapping[str, Any], headers: Mapping[str, str]) -> Place:
    """Where reading goes on. Raises NoProgressError, ServerAnswerError."""
    told = headers.get(_LAST) or headers.get(_FIRST)  # some leave the last out when it is the first
    seen = later(place.seen, told)
    following = content.get("next")
    if content.get("more") is not True:
        return Place(after=place.after, seen=seen)
    if following is not None:
        if not isinstance(following, str):
            raise ServerAnswerError("next")
        if not content.get("objects") and following == place.next:
            raise NoProgressError
        return Place(after=place.after, next=following, seen=seen)
    if told is None or sortable(told) is None or later(place.after, told) == place.after:
        raise NoProgressError
    return Place(after=told, seen=seen)


def _collection(root: ApiRoot, content: object) -> Collection:
    if not isinstance(content, dict) or not isinstance(content.get("id"), str):
        raise ServerAnswerError("collections")
    media_types = content.get("media_types", [])
    return Collection(
        root=root,
        id=content["id"],
        title=_text(content, "title"),
        description=_text(content, "description"),
        can_read=content.get("can_read") is True,
        can_write=content.get("can_write") is True,
        media_types=tuple(_texts(media_types, "media_types")),
        raw=content,
    )


def _record(content: object) -> ManifestRecord:
    if not isinstance(content, dict):
        raise ServerAnswerError("objects")
    parts = [content.get(name) for name in ("id", "date_added", "version")]
    if not all(isinstance(part, str) for part in parts):
        raise ServerAnswerError("objects")
    return ManifestRecord(*(str(part) for part in parts))


def _status(content: Mapping[str, Any]) -> Status:
    counts = [content.get(f"{name}_count", 0) for name in ("success", "failure", "pending")]
    if not all(isinstance(count, int) and count >= 0 for count in counts):
        raise ServerAnswerError("status")
    failures = content.get("failures", [])
    if not isinstance(failures, list) or not all(isinstance(each, dict) for each in failures):
        raise ServerAnswerError("failures")
    return Status(
        id=_text(content, "id"),
        is_complete=content.get("status") == "complete",
        successes=counts[0],
        failures=tuple(Failure(_text(each, "id"), _text(each, "message")) for each in failures),
        pending=counts[2],
        failed=counts[1],
    )


def _requests(objects: Sequence[Mapping[str, Any]], largest: int) -> Iterator[list[bytes]]:
    """Objects as JSON, in requests of so many and so large that a server takes them."""
    few: list[bytes] = []
    size = 0
    for each in objects:
        text = json.dumps(each, separators=(",", ":")).encode()
        if few and (len(few) == MOST_SENT or size + len(text) + len(few) + 16 > largest):
            yield few
            few, size = [], 0
        few.append(text)
        size += len(text)
    if few:
        yield few


def _text(content: Mapping[str, Any], name: str) -> str:
    found = content.get(name)
    return plain(found) if isinstance(found, str) else ""


def _texts(content: object, place: str) -> Sequence[str]:
    is_list = isinstance(content, list) and len(content) <= _MANY
    if not is_list or not all(isinstance(each, str) for each in content):  # type: ignore[attr-defined]
        raise ServerAnswerError(place)
    return content  # type: ignore[return-value]

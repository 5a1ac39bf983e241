"""The tables of the index of received objects, and their rows."""

from dataclasses import dataclass, fields
from typing import Any

from postern.taxii.client import Place
from postern.taxii.objects import State

VERSION = 1

SOURCE_COLUMNS = (
    "number, server, collection, title, file, octets, blank, began_after, added_after, next, seen, "
    "asked_at, finished_at"
)

TABLES = """
CREATE TABLE IF NOT EXISTS source (
  number INTEGER PRIMARY KEY, server TEXT NOT NULL, collection TEXT NOT NULL, title TEXT NOT NULL,
  file TEXT NOT NULL, octets INTEGER NOT NULL DEFAULT 0, blank INTEGER NOT NULL DEFAULT 0,
  began_after TEXT, added_after TEXT, next TEXT, seen TEXT, asked_at TEXT, finished_at TEXT,
  UNIQUE (server, collection)
);
CREATE TABLE IF NOT EXISTS object (
  number INTEGER PRIMARY KEY,
  source INTEGER NOT NULL REFERENCES source, id TEXT NOT NULL, type TEXT NOT NULL,
  version TEXT NOT NULL, state TEXT NOT NULL, until TEXT, received_at TEXT NOT NULL,
  place INTEGER NOT NULL, octets INTEGER NOT NULL, UNIQUE (source, id)
);
CREATE INDEX IF NOT EXISTS object_until ON object (until) WHERE state = 'current';
CREATE TABLE IF NOT EXISTS token (
  value TEXT NOT NULL, object INTEGER NOT NULL, facet INTEGER NOT NULL,
  PRIMARY KEY (value, object, facet)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS token_of ON token (object);
CREATE TABLE IF NOT EXISTS blank (
  source INTEGER NOT NULL, place INTEGER NOT NULL, octets INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS refused (
  source INTEGER NOT NULL, id TEXT NOT NULL, reason TEXT NOT NULL, received_at TEXT NOT NULL,
  PRIMARY KEY (source, id, reason)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Source:
    """One collection of one server, and how far it was read.

    `began_after`: from where the present round began. `asked_at`: when a page was last taken;
    `finished_at`: when a round last came to its end.
    """

    number: int
    server: str
    collection: str
    title: str
    file: str
    octets: int
    blank: int
    began_after: str | None
    place: Place
    asked_at: str | None
    finished_at: str | None


@dataclass(frozen=True, slots=True)
class Kept:
    """An object in the folder, without its content."""

    source: int
    id: str
    type: str
    version: str
    state: State
    until: str | None
    received_at: str
    place: int
    octets: int


@dataclass(slots=True)
class Taken:
    """What became of the objects of a page or of a pull."""

    fresh: int = 0
    changed: int = 0
    withdrawn: int = 0
    expired: int = 0
    known: int = 0
    gone: int = 0
    refused: int = 0

    def add(self, other: "Taken") -> None:
        """Count another page."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


KEPT_COLUMNS = tuple(each.name for each in fields(Kept))


def source_of(row: tuple[Any, ...]) -> Source:
    """The source in a row of SOURCE_COLUMNS."""
    number, server, collection, title, file, octets, blank, began, *place, asked, finished = row
    return Source(
        *(number, server, collection, title),
        *(file, octets, blank, began),
        Place(after=place[0], next=place[1], seen=place[2]),
        *(asked, finished),
    )


def kept_of(row: tuple[Any, ...]) -> Kept:
    """The object in a row of KEPT_COLUMNS."""
    source, identifier, type_, version, state, until, received_at, place, octets = row
    return Kept(
        *(source, identifier, type_, version),
        State(state),
        *(until, received_at, place, octets),
    )

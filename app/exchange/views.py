"""What is known of a collection and its entries, as the rooms' other modules hand it around."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from app.exchange.models import CollectionKind
from app.indicators.telling import Grounds
from postern.vocabulary import LegalBasis, Level, Purpose

LAST, FIRST, ALL = "last", "first", "all"
"""Words for versions; an exact one is named by its microseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection as its organisation knows it; `key` is its inner key.

    One of what others share has purpose, legal basis and case; one's own needs none. `case` is
    empty where it was not asked for.
    """

    key: int
    id: UUID
    organisation_id: int
    organisation: str
    kind: CollectionKind
    title: str
    description: str
    purpose: Purpose | None
    legal_basis: LegalBasis | None
    level: Level
    with_revoked: bool
    opened_at: datetime
    opened_by: UUID
    expires_on: date
    ended_at: datetime | None
    last_added: int
    compared_at: datetime | None
    case: str = ""

    can_read = True
    alias = None

    @property
    def can_write(self) -> bool:
        """Whether its organisation's people may add objects to it."""
        return self.kind is CollectionKind.OWN

    @property
    def is_own(self) -> bool:
        """Whether it holds what its own organisation submitted."""
        return self.kind is CollectionKind.OWN

    @property
    def grounds(self) -> Grounds | None:
        """Why its organisation reads it; None of its own."""
        if self.purpose is None or self.legal_basis is None:
            return None
        return Grounds(self.purpose, self.legal_basis, self.case)

    def is_open(self, today: date) -> bool:
        """Whether it still serves; it ends at the beginning of its last day."""
        return self.ended_at is None and self.expires_on > today


@dataclass(frozen=True, slots=True)
class Filters:
    """What of a collection is wanted. Dates and versions are microseconds since 1970.

    `before` and `added_after` leave out the moment itself. `revoked` None: as the collection says.
    `owner` is the code of an organisation, `day` the day (from 1970) on which an object first came.
    """

    added_after: int | None = None
    before: int | None = None
    ids: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    versions: tuple[int | str, ...] = (LAST,)
    spec_versions: tuple[str, ...] = ()
    revoked: bool | None = None
    owner: str | None = None
    day: int | None = None
    main_only: bool = False


class Row(NamedTuple):
    """One version of one object as it is served; `text` is empty in a manifest."""

    id: str
    type: str
    added: int
    version: int
    is_first: bool
    is_revoked: bool
    owner: str | None
    day: int
    indicator: UUID | None
    text: str


@dataclass(frozen=True, slots=True)
class Served:
    """A page that may leave: its ledger and log are in the transaction."""

    rows: list[Row]
    more: bool

    @property
    def texts(self) -> list[str]:
        """The objects as JSON."""
        return [row.text for row in self.rows]

    @property
    def added(self) -> list[int]:
        """When each was added."""
        return [row.added for row in self.rows]

    @property
    def first_added(self) -> int | None:
        """When the first of them was added; None of an empty page."""
        return self.rows[0].added if self.rows else None

    @property
    def last_added(self) -> int | None:
        """When the last of them was added; None of an empty page."""
        return self.rows[-1].added if self.rows else None

    @property
    def next(self) -> int | None:
        """Where the following page begins; None on the last."""
        return self.last_added if self.more else None


@dataclass(frozen=True, slots=True)
class FeedDay:
    """The objects of one owner that first came on one day, and when any of them last changed."""

    owner: str
    owner_name: str
    day: int
    changed: int
    objects: int
    revoked: int


@dataclass
class ViewHooks:
    """What is called in the transaction that adds entries: inner key, and the last date added."""

    added: list[Callable[[Session, int, int], None]] = field(default_factory=list)

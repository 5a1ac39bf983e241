"""The verbs of collections: open, close, list, read, let expire; and how one stands.

None exists until an administrator of an organisation opens it, and each ends within a year. Another
organisation's is answered as one that is not there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Row, Select, and_, delete, func, insert, select, update
from sqlalchemy.orm import Session

from app.access import CONSOLE, Caller
from app.audit.service import append
from app.clock import microseconds, now
from app.errors import ConflictError, InvalidRequestError, NotFoundError
from app.exchange import view_queue
from app.exchange.models import (
    CollectionKind,
    ExchangeCollection,
    ExchangeEnding,
    ExchangeEntry,
    ExchangePoller,
)
from app.exchange.rendering import Keys
from app.exchange.views import Collection
from app.indicators.models import Given
from app.indicators.telling import Grounds
from app.organisations.models import Organisation, OrganisationStatus
from app.runtime import runtime
from app.sharing.engine import CHAIN
from postern.vocabulary import Level, Way

MOST_OPEN = 20
"""Collections that an organisation may have open at a time: each is kept up by itself."""

LONGEST_DAYS = 365
LONGEST_TITLE, LONGEST_DESCRIPTION, LONGEST_CASE = 80, 500, 128  # characters
BATCH = 20
"""Collections that one call of `expire` ends."""

_KEPT_ENDED = timedelta(days=90)
_SETTLED = 10_000  # microseconds: more than the dates of one batch reach back


class TooManyCollectionsError(ConflictError):
    code = "exchange-collections"
    title = f"{MOST_OPEN} collections of the organisation are open already"
    remedy = "Close one that nobody polls any more, then open the new one."


@dataclass(frozen=True, slots=True)
class Poller:
    """A person whose client asked a collection; when, to the minute, and how far it had read."""

    person: UUID
    last_at: datetime
    last_added: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a collection stands: objects in their last version, and what ended of them.

    `waiting`: something is still to be written.
    """

    objects: int
    revoked: int
    last_added: int | None
    waiting: bool
    compared_at: datetime | None


@dataclass(frozen=True, slots=True)
class EntryFacts:
    """An entry without its text; `is_served`: a client of the organisation got it by some feed."""

    id: str
    type: str
    added: int
    version: int
    is_first: bool
    is_revoked: bool
    owner: str | None
    is_served: bool


def open_collection(
    session: Session,
    caller: Caller,
    *,
    kind: CollectionKind,
    title: str,
    description: str = "",
    grounds: Grounds | None = None,
    level: Level = Level.METADATA,
    with_revoked: bool = True,
    days: int = LONGEST_DAYS,
) -> Collection:
    """Open a collection for the caller's organisation, for so many days; it fills by itself.

    One of what others share needs grounds, which each page is then served and logged under.
    InvalidRequestError names the field, TooManyCollectionsError is for more than MOST_OPEN.
    """
    organisation_id, _ = caller.member
    at = now()
    _check(kind, title, description, grounds, level=level, days=days)
    # The row of the organisation is what two who open at once wait for.
    session.execute(
        select(Organisation.id)
        .where(Organisation.id == organisation_id)
        .with_for_update(key_share=True)
    )
    if len(collections_of(session, organisation_id)) >= MOST_OPEN:
        raise TooManyCollectionsError
    public_id = uuid4()  # TAXII 2.1, section 2: an identifier is of version 4
    is_shared = kind is CollectionKind.SHARED and grounds is not None
    row: dict[str, Any] = {
        "public_id": public_id,
        "organisation_id": organisation_id,
        "kind": kind,
        "title": title.strip(),
        "description": description.strip(),
        "purpose": grounds.purpose if grounds and is_shared else None,
        "legal_basis": grounds.legal_basis if grounds and is_shared else None,
        "sealed_case": runtime().part(Keys).seal_case(public_id, grounds.case)
        if grounds and is_shared
        else None,
        "least": CHAIN.index(level) + 1,
        "with_revoked": with_revoked,
        "opened_at": at,
        "opened_by": caller.pseudonym,
        "expires_on": at.date() + timedelta(days=days),
        "ended_at": None,
        "ended_by": None,
        "last_added": microseconds(at) // 1000 * 1000,
        "mark": b"",
        "compared_at": None,
    }
    session.execute(insert(ExchangeCollection).values(row))
    collection = find(session, organisation_id, public_id)
    view_queue.ask_comparison(session, collection.key)
    append(
        session,
        caller,
        "exchange.open",
        purpose=row["purpose"] or "",
        basis=row["legal_basis"] or "",
        case=grounds.case if grounds and is_shared else "",
        object_type="collection",
        objects=[str(public_id)],
        details={
            "kind": kind.value,
            "level": level.value,
            "revoked": with_revoked,
            "until": row["expires_on"].isoformat(),
        },
    )
    return collection


def close(session: Session, caller: Caller, public_id: UUID) -> Collection:
    """End a collection at once: it serves nothing more, and its entries are erased.

    What was served stays in the ledger, so that a recall still reaches its organisation. Closing
    it again changes nothing. NotFoundError for another organisation's.
    """
    organisation_id, _ = caller.member
    at = now()
    wanted = _collections(organisation_id).where(ExchangeCollection.public_id == public_id)
    row = session.execute(wanted.with_for_update(of=ExchangeCollection)).one_or_none()
    if row is None:
        raise NotFoundError
    if row.ended_at is None:
        _end(session, [row.key], at, caller.pseudonym)
    append(session, caller, "exchange.close", object_type="collection", objects=[str(public_id)])
    return collection_of(session.execute(wanted).one())


def expire(session: Session) -> int:
    """End up to BATCH collections whose last day is over, and forget ended ones after 90 days."""
    at = now()
    rows = session.execute(
        select(ExchangeCollection.id, ExchangeCollection.public_id, Organisation.code)
        .join(Organisation, Organisation.id == ExchangeCollection.organisation_id)
        .where(ExchangeCollection.ended_at.is_(None), ExchangeCollection.expires_on <= at.date())
        .order_by(ExchangeCollection.id)
        .limit(BATCH)
        .with_for_update(of=ExchangeCollection, skip_locked=True)
    ).all()
    _end(session, [row.id for row in rows], at, None)
    for row in rows:
        append(
            session,
            CONSOLE,
            "exchange.expire",
            audience=[row.code],
            object_type="collection",
            objects=[str(row.public_id)],
        )
    session.execute(
        delete(ExchangeCollection).where(ExchangeCollection.ended_at < at - _KEPT_ENDED)
    )
    return len(rows)


def list_collections(session: Session, caller: Caller, *, ended: bool = False) -> list[Collection]:
    """The organisation's open collections, oldest first; with `ended`, those that ended too."""
    organisation_id, _ = caller.member
    found = _all(session, organisation_id) if ended else collections_of(session, organisation_id)
    append(
        session,
        caller,
        "exchange.list",
        object_type="collection",
        objects=[str(each.id) for each in found],
    )
    return found


def read_collection(session: Session, caller: Caller, public_id: UUID) -> Collection:
    """One of the organisation's collections, open or ended; NotFoundError for any other."""
    organisation_id, _ = caller.member
    row = session.execute(
        _collections(organisation_id).where(ExchangeCollection.public_id == public_id)
    ).one_or_none()
    if row is None:
        raise NotFoundError
    append(session, caller, "exchange.read", object_type="collection", objects=[str(public_id)])
    return collection_of(row)


def collections_of(session: Session, organisation_id: int) -> list[Collection]:
    """The organisation's open collections, oldest first; for within an act that is logged."""
    return [
        collection_of(row)
        for row in session.execute(_collections(organisation_id).where(is_open(now().date())))
    ]


def find(session: Session, organisation_id: int, public_id: UUID) -> Collection:
    """The organisation's open collection with this id; NotFoundError for any other."""
    row = session.execute(
        _collections(organisation_id).where(
            ExchangeCollection.public_id == public_id, is_open(now().date())
        )
    ).one_or_none()
    if row is None:
        raise NotFoundError
    return collection_of(row)


def by_key(session: Session, key: int) -> Collection | None:
    """The collection with this inner key, for who keeps it up; None when that is over.

    It is kept up as long as it is open and its organisation is active.
    """
    row = session.execute(_kept_up().where(ExchangeCollection.id == key)).one_or_none()
    return None if row is None else collection_of(row)


def open_ones(session: Session) -> list[Collection]:
    """Every collection that is kept up, in the order in which they are locked."""
    return [collection_of(row) for row in session.execute(_kept_up())]


def forget_marks(session: Session) -> None:
    """Have the collections of suspended organisations compared when these are active again.

    Meanwhile they stand still: who is suspended reads nothing, and nothing is called back for it.
    """
    suspended = select(Organisation.id).where(Organisation.status != OrganisationStatus.ACTIVE)
    session.execute(
        update(ExchangeCollection)
        .where(
            ExchangeCollection.organisation_id.in_(suspended),
            ExchangeCollection.ended_at.is_(None),
            ExchangeCollection.mark != b"",
        )
        .values(mark=b"")
    )


def pollers(session: Session, collection: Collection) -> list[Poller]:
    """Who asked the collection, the last first."""
    rows = session.execute(
        select(ExchangePoller.person, ExchangePoller.last_at, ExchangePoller.last_added)
        .where(ExchangePoller.collection_id == collection.key)
        .order_by(ExchangePoller.last_at.desc(), ExchangePoller.person)
    )
    return [Poller(*row) for row in rows]


def standing(session: Session, collection: Collection) -> Standing:
    """How the collection stands now."""
    counted = session.execute(
        select(
            func.count().filter(~ExchangeEntry.is_revoked).label("objects"),
            func.count().filter(ExchangeEntry.is_revoked).label("revoked"),
        ).where(
            ExchangeEntry.collection_id == collection.key,
            ExchangeEntry.is_main,
            ExchangeEntry.is_last,
        )
    ).one()
    last = session.scalar(
        select(func.max(ExchangeEntry.added)).where(ExchangeEntry.collection_id == collection.key)
    )
    ending = select(ExchangeEnding.indicator).where(ExchangeEnding.collection_id == collection.key)
    waiting = session.scalar(ending.limit(1)) is not None
    return Standing(
        counted.objects,
        counted.revoked,
        last,
        waiting or collection.compared_at is None,
        collection.compared_at,
    )


def recent(
    session: Session, collection: Collection, limit: int, before: int | None = None
) -> list[EntryFacts]:
    """The newest entries of the collection that were added before a moment, without their text.

    For people of its organisation, within an act that is logged. What is hidden now is among them
    as long as the log holds it: a STIX id, which says nothing.
    """
    is_served = (
        select(Given.indicator)
        .where(
            Given.indicator == ExchangeEntry.indicator,
            Given.recipient_id == collection.organisation_id,
            Given.way == Way.FEED,
        )
        .exists()
    )
    wanted = (
        select(
            ExchangeEntry.stix_id,
            ExchangeEntry.type,
            ExchangeEntry.added,
            ExchangeEntry.version,
            ExchangeEntry.is_first,
            ExchangeEntry.is_revoked,
            Organisation.code,
            is_served.label("is_served"),
        )
        .outerjoin(Organisation, Organisation.id == ExchangeEntry.owner_id)
        .where(ExchangeEntry.collection_id == collection.key)
        .order_by(ExchangeEntry.added.desc())
        .limit(limit)
    )
    if before is not None:
        wanted = wanted.where(ExchangeEntry.added < before)
    return [
        EntryFacts(*row[:5], bool(row.is_revoked), row.code, bool(row.is_served))
        for row in session.execute(wanted)
    ]


def settled(session: Session, collection: Collection) -> int:
    """Microseconds since 1970 before which nothing can be added any more."""
    began = microseconds(now())
    got = session.scalar(
        select(ExchangeCollection.last_added)
        .where(ExchangeCollection.id == collection.key)
        .with_for_update(read=True, skip_locked=True)
    )
    if got is not None:
        return max(int(got), began - _SETTLED)
    last = session.scalar(
        select(ExchangeCollection.last_added).where(ExchangeCollection.id == collection.key)
    )
    return int(last or 0)


def is_open(today: date) -> ColumnElement[bool]:
    """The condition that a collection still serves."""
    return and_(ExchangeCollection.ended_at.is_(None), ExchangeCollection.expires_on > today)


def _kept_up() -> Select[Any]:
    return _collections(None).where(
        is_open(now().date()), Organisation.status == OrganisationStatus.ACTIVE
    )


def _all(session: Session, organisation_id: int) -> list[Collection]:
    return [collection_of(row) for row in session.execute(_collections(organisation_id))]


def _collections(organisation_id: int | None) -> Select[Any]:
    wanted = (
        select(
            ExchangeCollection.id.label("key"),
            ExchangeCollection.public_id.label("id"),
            ExchangeCollection.organisation_id,
            Organisation.code.label("organisation"),
            *(getattr(ExchangeCollection, name) for name in COPIED),
            ExchangeCollection.least,
            ExchangeCollection.sealed_case,
        )
        .join(Organisation, Organisation.id == ExchangeCollection.organisation_id)
        .order_by(ExchangeCollection.id)
    )
    if organisation_id is None:
        return wanted
    return wanted.where(ExchangeCollection.organisation_id == organisation_id)


def collection_of(row: Row[Any]) -> Collection:
    """A collection by its columns: COPIED, key, id, organisation_id, organisation and least."""
    case = ""
    if row.sealed_case is not None:
        case = runtime().part(Keys).open_case(row.id, bytes(row.sealed_case))
    return Collection(
        key=row.key,
        id=row.id,
        organisation_id=row.organisation_id,
        organisation=row.organisation,
        level=CHAIN[row.least - 1],
        case=case,
        **{name: getattr(row, name) for name in COPIED},
    )


def _end(session: Session, keys: Sequence[int], at: datetime, person: UUID | None) -> None:
    if not keys:
        return
    session.execute(
        update(ExchangeCollection)
        .where(ExchangeCollection.id.in_(keys))
        .values(ended_at=at, ended_by=person, sealed_case=None)
    )
    for model in (ExchangeEntry, ExchangeEnding, ExchangePoller):
        session.execute(delete(model).where(model.collection_id.in_(keys)))


def _check(
    kind: CollectionKind,
    title: str,
    description: str,
    grounds: Grounds | None,
    *,
    level: Level,
    days: int,
) -> None:
    faults = []
    if not 1 <= len(title.strip()) <= LONGEST_TITLE:
        faults.append(("title", f"Give it a title of at most {LONGEST_TITLE} characters."))
    if len(description) > LONGEST_DESCRIPTION:
        faults.append(("description", f"Shorten it to {LONGEST_DESCRIPTION} characters."))
    if not 1 <= days <= LONGEST_DAYS:
        faults.append(("days", f"Choose from 1 to {LONGEST_DAYS} days."))
    if level is Level.PRESENCE:
        faults.append(("level", "Choose metadata or request: presence alone is never listed."))
    if kind is CollectionKind.SHARED and grounds is None:
        faults += [
            (name, "What others share is read for a purpose, under a legal basis and in a case.")
            for name in ("purpose", "legal_basis", "case")
        ]
    elif grounds is not None and not 1 <= len(grounds.case.strip()) <= LONGEST_CASE:
        faults.append(("case", f"Name the case in at most {LONGEST_CASE} characters."))
    if faults:
        raise InvalidRequestError(
            errors=[{"field": f"json.{name}", "reason": reason} for name, reason in faults]
        )


COPIED = (
    "kind",
    "title",
    "description",
    "purpose",
    "legal_basis",
    "with_revoked",
    "opened_at",
    "opened_by",
    "expires_on",
    "ended_at",
    "last_added",
    "compared_at",
)
"""Columns of a collection that it has under the same name."""

"""Sightings in the logs of collections: for who sent them, and for the owner where it may be told.

An owner's entry is of its indicator, so that it is decided with it and goes with it; who sent it is
named, for without that leave the owner gets no entry at all. To the sender it is an object of its
own, under the id that its client gave; of what another holds it stands without an indicator, and
is erased with the row of the sighting.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, or_, select
from sqlalchemy.orm import Session

from app.clock import microseconds, now
from app.database import among_pairs
from app.exchange import collections, rendering, view_queue, view_storage
from app.exchange.adding_models import ExchangeSighting
from app.exchange.models import CollectionKind, ExchangeCollection, ExchangeEntry
from app.exchange.view_queue import CHUNK, SIGHT, SIGHTED
from app.exchange.view_reading import SIGHTING
from app.exchange.view_writing import Draft, add
from app.exchange.views import Collection
from app.indicators.ledger import hold
from app.indicators.models import Indicator
from app.organisations.service import Member, directory
from postern.stix import writing
from postern.stix.names import derived, split_id, stix_id
from postern.stix.records import Entry, Rendered, SightingRecord

_MILLISECOND = 1_000  # microseconds


def erase_sent(session: Session, condition: ColumnElement[bool]) -> None:
    """Erase what the logs of their senders hold of sightings of what others hold."""
    rows = session.execute(
        select(ExchangeSighting.organisation_id, ExchangeSighting.stix_id).where(condition)
    ).all()
    of_sender: dict[int, list[str]] = {}
    for row in rows:
        of_sender.setdefault(row.organisation_id, []).append(row.stix_id)
    for sender, names in of_sender.items():
        own = select(ExchangeCollection.id).where(
            ExchangeCollection.organisation_id == sender,
            ExchangeCollection.kind == CollectionKind.OWN,
        )
        for start in range(0, len(names), CHUNK):
            session.execute(
                delete(ExchangeEntry).where(
                    ExchangeEntry.collection_id.in_(own),
                    ExchangeEntry.stix_id.in_(names[start : start + CHUNK]),
                    ExchangeEntry.type == SIGHTING,
                    ExchangeEntry.indicator_id.is_(None),
                )
            )


def _follow(session: Session, payload: Mapping[str, Any]) -> None:
    """Bring some sightings into the logs, and tell there which were taken back."""
    asked = [(int(sender), name, UUID(of)) for sender, name, of in payload["sightings"]]
    there = {
        row.public_id: row
        for row in session.execute(
            select(Indicator.id, Indicator.public_id, Indicator.organisation_id).where(
                Indicator.public_id.in_(sorted({of for _, _, of in asked}))
            )
        )
    }
    hold(session, [row.id for row in there.values()])
    pairs = [(sender, name) for sender, name, _ in asked]
    named = (ExchangeSighting.organisation_id, ExchangeSighting.stix_id)
    rows = _sightings(session, among_pairs(named, pairs))
    kept = {(row.sender_id, row.stix_id) for row in rows}
    gone = [each for each in pairs if each not in kept]
    concerned = {sender for sender, _ in pairs}
    concerned |= {row.organisation_id for row in there.values()}
    for collection in collections.open_ones(session):
        if collection.is_own and collection.organisation_id in concerned:
            _bring(session, collection, rows, gone)


def _bring_all(session: Session, payload: Mapping[str, Any]) -> None:
    """Bring a part of all sightings into the log of a collection."""
    collection = collections.by_key(session, payload["collection"])
    if collection is None or not collection.is_own:
        return
    own = collection.organisation_id
    concerns = or_(
        ExchangeSighting.organisation_id == own,
        and_(Indicator.organisation_id == own, ExchangeSighting.tells_owner),
    )
    rows = _sightings(session, and_(ExchangeSighting.id > payload["after"], concerns), CHUNK)
    hold(session, sorted({row.indicator_id for row in rows}))
    _bring(session, collection, _sightings(session, _among(rows)), ())
    if len(rows) == CHUNK:
        view_queue.ask_sightings_of(session, collection.key, rows[-1].id)


HANDLERS: Mapping[str, Callable[[Session, Mapping[str, Any]], None]] = {
    SIGHT: _follow,
    SIGHTED: _bring_all,
}
"""Who does what the outbox asks for; each bears being called again."""


def _sightings(
    session: Session, condition: ColumnElement[bool], most: int | None = None
) -> Sequence[Any]:
    """Sightings with what their entries need of the indicators, which end with them."""
    return session.execute(
        select(
            ExchangeSighting.id,
            ExchangeSighting.organisation_id.label("sender_id"),
            *(getattr(ExchangeSighting, name) for name in _COPIED),
            Indicator.id.label("indicator_id"),
            Indicator.organisation_id.label("owner_id"),
            Indicator.kind,
            Indicator.tlp,
        )
        .join(Indicator, Indicator.public_id == ExchangeSighting.indicator)
        .where(condition)
        .order_by(ExchangeSighting.id)
        .limit(most)
    ).all()


def _among(rows: Sequence[Any]) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = ExchangeSighting.id.in_([row.id for row in rows])
    return condition


def _bring(
    session: Session,
    collection: Collection,
    rows: Sequence[Any],
    gone: Sequence[tuple[int, str]],
) -> None:
    """Add to the log of a collection of one's own what it lacks of these sightings.

    Their indicators are held; `gone` are those taken back, by sender and STIX id.
    """
    own = collection.organisation_id
    wanted = [
        row for row in rows if row.sender_id == own or (row.owner_id == own and row.tells_owner)
    ]
    last = view_storage.lock_clock(session, collection)
    if last is None or not (wanted or gone):
        return
    members = directory(session)
    over = {_name(collection, members, *each) for each in gone}
    names = {row.id: _name(collection, members, row.sender_id, row.stix_id) for row in wanted}
    held = _held(session, collection, {*over, *names.values()})
    main = view_storage.latest(
        session, collection, [row.indicator_id for row in wanted if row.owner_id == own]
    )
    support: dict[str, Entry] = {}
    drafts: list[Draft] = []
    for row in wanted:
        before = held.get(names[row.id])
        of = main[row.indicator_id].stix_id if row.indicator_id in main else row.named
        is_missing = row.owner_id == own and row.indicator_id not in main
        version = row.version // _MILLISECOND * _MILLISECOND
        if is_missing or (before is not None and (before.is_revoked or before.version >= version)):
            continue
        rendered = _rendered(row, names[row.id], of, members, before)
        support |= {each.id: each for each in rendered.support}
        drafts += [_draft(collection, row, each, before) for each in rendered.own]
    drafts += _taken_back(session, collection, [held[each] for each in over if each in held])
    if drafts:
        add(session, collection, last, [*_support(session, collection, support), *drafts])


def _name(collection: Collection, members: Mapping[int, Member], sender: int, given: str) -> str:
    """What a sighting is called in a collection: by who sent it as its client called it."""
    if sender == collection.organisation_id:
        return given
    return stix_id(SIGHTING, derived(SIGHTING, str(collection.id), members[sender].code, given))


def _held(session: Session, collection: Collection, names: set[str]) -> dict[str, Any]:
    """The last version in the log of each of these sightings, by STIX id."""
    rows = session.execute(
        select(ExchangeEntry.__table__).where(
            ExchangeEntry.collection_id == collection.key,
            ExchangeEntry.stix_id.in_(sorted(names)),
            ExchangeEntry.type == SIGHTING,
            ExchangeEntry.is_last,
        )
    )
    return {row.stix_id: row for row in rows}


def _rendered(row: Any, name: str, of: str, members: Mapping[int, Member], before: Any) -> Rendered:
    split, sighted = split_id(name), split_id(of)
    if split is None or sighted is None:
        raise ValueError(f"{name} or {of} is no STIX id")
    created = min(row.created, row.version) if before is None else before.created
    return writing.sighting_of(
        SightingRecord(
            name=split[1],
            created=rendering.at(created),
            modified=rendering.at(row.version),
            by=rendering.owner_record(members[row.sender_id]),
            of=sighted[1],
            tlp=row.tlp,
            count=row.times,
            first_seen=row.first_seen,
            last_seen=row.last_seen,
        )
    )


def _draft(collection: Collection, row: Any, entry: Entry, before: Any) -> Draft:
    is_of_own = row.owner_id == collection.organisation_id
    return Draft(
        entry,
        row.sender_id,
        None if before is None else before.first_day,
        is_first=before is None,
        created=min(row.created, row.version) if before is None else before.created,
        indicator_id=row.indicator_id if is_of_own else None,
        indicator=row.indicator if is_of_own else None,
        kind=row.kind if is_of_own else None,
    )


def _support(session: Session, collection: Collection, entries: Mapping[str, Entry]) -> list[Draft]:
    """What sightings refer to and the log lacks. Of no owner: it goes with the collection only."""
    known = view_storage.standing_versions(session, collection, entries)
    return [
        Draft(
            entry,
            None,
            known[entry.id][1] if entry.id in known else None,
            is_first=entry.id not in known,
        )
        for entry in entries.values()
        if entry.id not in known or known[entry.id][0] < rendering.version_of(entry)
    ]


def _taken_back(session: Session, collection: Collection, held: Sequence[Any]) -> list[Draft]:
    """Erase what the log holds of sightings that were taken back; what is to be said of them."""
    live = [row for row in held if not row.is_revoked]
    if not live:
        return []
    session.execute(
        delete(ExchangeEntry).where(
            ExchangeEntry.collection_id == collection.key,
            ExchangeEntry.stix_id.in_([row.stix_id for row in live]),
            ExchangeEntry.type == SIGHTING,
        )
    )
    if not collection.with_revoked:
        return []
    at = microseconds(now())
    return [
        Draft(
            writing.taken_back(row.text, rendering.at(max(at, row.version + _MILLISECOND))),
            row.owner_id,
            row.first_day,
            is_first=False,
            is_revoked=True,
            created=row.created,
            indicator_id=row.indicator_id,
            indicator=row.indicator,
            kind=row.kind,
        )
        for row in live
    ]


_COPIED = (
    "stix_id",
    "created",
    "version",
    "indicator",
    "named",
    "tells_owner",
    "times",
    "first_seen",
    "last_seen",
)

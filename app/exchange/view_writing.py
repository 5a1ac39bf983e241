"""Who writes the logs of collections: in the order of the commits, one writer at a time.

An act on indicators only says that something is to be looked at (`view_queue`), and erases at once
what ended. The worker then asks the one predicate what a reader may have, and adds what is not in
the log as it is. Whoever adds to a log locks the row of its collection: dates are taken under that
lock, so none can come before one that a poller has passed. Indicators are locked before it.

What was served and may not be seen any more is revoked; what was not just goes. If it may be seen
again, it comes as a new object, for STIX knows no way back from a revocation.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.access import Caller
from app.clock import microseconds, now
from app.exchange import collections, pattern_storage, rendering, view_queue, view_storage
from app.exchange.models import ExchangeCollection, ExchangeEnding, ExchangeEntry
from app.exchange.rendering import Reading
from app.exchange.view_queue import CHUNK, COMPARE, END, FOLLOW, HIDE
from app.exchange.views import Collection, ViewHooks
from app.indicators.hooks import Amended, Ending, Stored
from app.indicators.ledger import hold
from app.indicators.storage import current_tokens
from app.organisations.service import Member, directory
from app.runtime import runtime
from app.sharing.visibility import fed_windows, postings_of
from postern.stix.names import identity_id, split_id
from postern.stix.records import Entry

_MILLISECOND = 1_000  # microseconds
_DAY = 86_400_000_000  # microseconds


def on_stored(session: Session, _caller: Caller, stored: Stored) -> None:
    """Have new indicators looked at, where any collection is open."""
    if _any_is_open(session):
        view_queue.ask_follow(
            session, stored.organisation_id, [each.id for each in stored.indicators]
        )


def on_amended(session: Session, _caller: Caller, amended: Amended) -> None:
    """Have a changed indicator looked at."""
    if _any_is_open(session):
        keys = view_storage.inner_keys(session, [amended.indicator])
        view_queue.ask_follow(session, amended.organisation_id, keys)


def on_ending(session: Session, _caller: Caller, ending: Ending) -> None:
    """Erase what the logs hold of indicators that end, and have it told where it was served."""
    keys = view_storage.inner_keys(session, ending.indicators)
    touched = view_storage.note_endings(session, ExchangeEntry.indicator_id.in_(keys))
    view_queue.ask_ends(session, touched)


def write_now(session: Session, organisation_id: int, indicators: Sequence[UUID]) -> None:
    """Bring an organisation's own collections up to date with its indicators at once."""
    keys = view_storage.inner_keys(session, indicators)
    for collection in collections.collections_of(session, organisation_id):
        if collection.is_own:
            _bring(session, collection, keys, now())


def compare_due(session: Session) -> int:
    """Ask for a comparison of every collection whose grants, or whose day, have changed.

    Returns how many. It costs a collection that nothing changed for one statement.
    """
    at = now()
    asked = 0
    collections.forget_marks(session)
    for collection in collections.open_ones(session):
        mark = _mark(session, collection, at)
        kept = session.scalar(
            select(ExchangeCollection.mark).where(ExchangeCollection.id == collection.key)
        )
        if mark != kept:
            _set_mark(session, collection, mark)
            view_queue.ask_comparison(session, collection.key)
            asked += 1
    return asked


def fill(session: Session, key: int) -> int:
    """Bring what a collection holds of indicators up to date; returns the entries added.

    For benches and tests: the worker does the same part by part.
    """
    collection = collections.by_key(session, key)
    if collection is None:
        return 0
    added = 0
    after: int | None = 0
    while after is not None:
        ids, after = view_storage.differing(session, collection, after, CHUNK, now())
        added += _bring(session, collection, ids, now())
    while _hide(session, collection):
        pass
    added += _tell_ends(session, collection)
    _note_compared(session, collection)
    return added


def _follow(session: Session, payload: Mapping[str, Any]) -> None:
    ids = sorted(payload["indicators"])
    hold(session, ids)  # all of them before any clock: whoever amends one holds it before a clock
    for collection in collections.open_ones(session):
        if collection.is_own == (collection.organisation_id == payload["owner"]):
            _bring(session, collection, ids, now())


def _compare(session: Session, payload: Mapping[str, Any]) -> None:
    collection = collections.by_key(session, payload["collection"])
    if collection is None:
        return
    at, after = now(), payload["after"]
    if not after:
        _set_mark(session, collection, _mark(session, collection, at))
    ids, following = view_storage.differing(session, collection, after, CHUNK, at)
    _bring(session, collection, ids, at)
    if following is None:
        view_queue.ask_patterns(session, collection.key)
    else:
        view_queue.ask_comparison(session, collection.key, following)


def _hide_part(session: Session, payload: Mapping[str, Any]) -> None:
    collection = collections.by_key(session, payload["collection"])
    if collection is None:
        return
    if _hide(session, collection) == CHUNK:
        view_queue.ask_hiding(session, collection.key)
    else:
        _note_compared(session, collection)
        if collection.is_own:
            view_queue.ask_sightings_of(session, collection.key)


def _end_part(session: Session, payload: Mapping[str, Any]) -> None:
    collection = collections.by_key(session, payload["collection"])
    if collection is not None:
        _tell_ends(session, collection)


HANDLERS: Mapping[str, Callable[[Session, Mapping[str, Any]], None]] = {
    FOLLOW: _follow,
    COMPARE: _compare,
    HIDE: _hide_part,
    END: _end_part,
}
"""Who does what the outbox asks for; each bears being called again."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry before it has a date. `first_day` is None where the object is new to the log."""

    entry: Entry
    owner_id: int | None
    first_day: int | None
    is_first: bool
    is_main: bool = False
    is_revoked: bool = False
    created: int = 0
    generation: int = 0
    indicator_id: int | None = None
    indicator: UUID | None = None
    pattern_id: int | None = None
    kind: Any = None
    level: int = 0
    has_tokens: bool = False
    amended: int = 0


def _bring(session: Session, collection: Collection, ids: Sequence[int], at: datetime) -> int:
    """Add what the log lacks of these indicators; have hidden what may not be seen any more."""
    if not ids:
        return 0
    rows = view_storage.wanted(session, collection, ids, at)
    last = view_storage.lock_clock(session, collection)
    if last is None:
        return 0
    held = view_storage.latest(session, collection, ids)
    if held.keys() - {row["key"] for row in rows}:
        view_queue.ask_hiding(session, collection.key)
    named = view_storage.names(session, collection, [row["id"] for row in rows])
    changed = [row for row in rows if _differs(row, held.get(row["key"]), named.get(row["id"]))]
    if not changed:
        return 0
    drafts = _drafts(session, collection, changed, held=held, named=named, at=at)
    return add(session, collection, last, drafts)


def _differs(row: Mapping[str, Any], held: Any, named: tuple[str, int, int] | None) -> bool:
    return (
        held is None
        or (held.level, held.has_tokens, held.amended)
        != (row["granted_level"], row["may_screen"], _amended(row))
        or (named is not None and held.generation == 0 and named[2] >= held.version + _MILLISECOND)
    )


def _amended(row: Mapping[str, Any]) -> int:
    return 0 if row["amended_at"] is None else microseconds(row["amended_at"])


def _drafts(
    session: Session,
    collection: Collection,
    rows: Sequence[Mapping[str, Any]],
    *,
    held: Mapping[int, Any],
    named: Mapping[UUID, tuple[str, int, int]],
    at: datetime,
) -> list[Draft]:
    new = [row["id"] for row in rows if row["key"] not in held]
    generations = view_storage.generations(session, collection, new) if new else {}
    asked = [
        (token, row["key"])
        for row in rows
        if row["may_screen"]
        for token in current_tokens(bytes(row["tokens"]), row["also_epoch"])
    ]
    postings = postings_of(session, asked)
    members = directory(session)
    reading = Reading(
        collection.organisation,
        collection.id,
        () if collection.purpose is None else (collection.purpose,),
    )
    support: dict[str, Entry] = {}
    own: list[Draft] = []
    for row in rows:
        before = held.get(row["key"])
        generation = before.generation if before else generations.get(row["id"], 0)
        name, created, modified = _named(
            collection, row, before, generation=generation, named=named.get(row["id"]), at=at
        )
        rendered = rendering.render(
            reading,
            row,
            rendering.owner_record(members[row["organisation_id"]]),
            name=name,
            created=created,
            modified=modified,
            postings=postings.get(row["key"]) if row["may_screen"] else None,
        )
        for entry in rendered.support:
            support.setdefault(entry.id, entry)
        own += [
            Draft(
                entry,
                row["organisation_id"],
                None if before is None else before.first_day,
                is_first=before is None,
                is_main=place == 0,
                created=created,
                generation=generation,
                indicator_id=row["key"],
                indicator=row["id"],
                kind=row["kind"],
                level=row["granted_level"],
                has_tokens=row["may_screen"],
                amended=_amended(row),
            )
            for place, entry in enumerate(rendered.own)
        ]
    return [*support_drafts(session, collection, support, members), *own]


def _named(
    collection: Collection,
    row: Mapping[str, Any],
    before: Any,
    *,
    generation: int,
    named: tuple[str, int, int] | None,
    at: datetime,
) -> tuple[UUID, int, int]:
    """Name, `created` and `modified` of an object's new version, in whole milliseconds."""
    name = rendering.name_of(collection.id, row["id"], generation)
    created = microseconds(row["created_at"])
    modified = max(created, _amended(row))
    if named is not None and generation == 0:
        split = split_id(named[0])
        name = name if split is None else split[1]
        created, modified = named[1], named[2]
    if before is not None:
        created = before.created
        if modified < before.version + _MILLISECOND:
            modified = max(microseconds(at), before.version + _MILLISECOND)
    return name, created // _MILLISECOND * _MILLISECOND, modified // _MILLISECOND * _MILLISECOND


def support_drafts(
    session: Session,
    collection: Collection,
    entries: Mapping[str, Entry],
    members: Mapping[int, Member],
) -> list[Draft]:
    """What the objects refer to and the log lacks, in the order in which it is to be stored."""
    known = view_storage.standing_versions(session, collection, entries)
    owner_of = {identity_id(member.code): number for number, member in members.items()}
    return [
        Draft(
            entry,
            owner_of.get(entry.id),
            known[entry.id][1] if entry.id in known else None,
            is_first=entry.id not in known,
        )
        for entry in entries.values()
        if entry.id not in known or known[entry.id][0] < rendering.version_of(entry)
    ]


def add(session: Session, collection: Collection, last: int, drafts: Sequence[Draft]) -> int:
    """Give the drafts dates after `last`, whose row is locked, and store them."""
    dates = next_dates(last, len(drafts), microseconds(now()))
    later = [draft.entry.id for draft in drafts if not draft.is_first]
    if later:
        view_storage.supersede(session, collection, later)
    view_storage.insert_entries(
        session,
        [_row(collection, draft, added) for draft, added in zip(drafts, dates, strict=True)],
    )
    view_storage.set_clock(session, collection, dates[-1])
    for tell in runtime().part(ViewHooks).added:
        tell(session, collection.key, dates[-1])
    return len(drafts)


def next_dates(last: int, count: int, at: int) -> range:
    """`count` dates after `last`, a microsecond apart, of which the last is a whole millisecond.

    They end before the moment `at` where that leaves room: clients that keep whole milliseconds
    come back with exactly the last date of a batch.
    """
    end = at // _MILLISECOND * _MILLISECOND
    if end - count < last:
        end = -(-(last + count) // _MILLISECOND) * _MILLISECOND
    return range(end - count + 1, end + 1)


def _row(collection: Collection, draft: Draft, added: int) -> dict[str, Any]:
    entry = draft.entry
    return {
        "collection_id": collection.key,
        "added": added,
        "stix_id": entry.id,
        "type": entry.type,
        "version": rendering.version_of(entry),
        "created": draft.created,
        "first_day": added // _DAY if draft.first_day is None else draft.first_day,
        "generation": draft.generation,
        "is_first": draft.is_first,
        "is_last": True,
        "is_main": draft.is_main,
        "is_revoked": draft.is_revoked,
        "owner_id": draft.owner_id,
        "indicator_id": draft.indicator_id,
        "indicator": draft.indicator,
        "pattern_id": draft.pattern_id,
        "kind": draft.kind,
        "level": draft.level,
        "has_tokens": draft.has_tokens,
        "amended": draft.amended,
        "text": entry.text,
    }


def _hide(session: Session, collection: Collection) -> int:
    """Take a part of what may not be seen any more from the log; how many indicators.

    Shipping patterns are few: all of those go with the first part.
    """
    at = now()
    gone_patterns = pattern_storage.lock_hidden(session, collection, at)
    if gone_patterns:
        view_storage.note_endings(
            session,
            (ExchangeEntry.collection_id == collection.key)
            & ExchangeEntry.pattern_id.in_(gone_patterns),
        )
    ids = view_storage.hidden(session, collection, CHUNK, at)
    if ids:
        # Whoever is serving one of them is waited for: then the ledger tells that it was served.
        view_storage.lock_hidden(session, ids)
        seen = {row["key"] for row in view_storage.wanted(session, collection, ids, at)}
        gone = [each for each in ids if each not in seen]
        view_storage.note_endings(
            session,
            (ExchangeEntry.collection_id == collection.key) & ExchangeEntry.indicator_id.in_(gone),
        )
    view_storage.forget_owners(session, collection)
    _tell_ends(session, collection)
    return len(ids)


def _tell_ends(session: Session, collection: Collection) -> int:
    """Add to the log that objects which were served are revoked; how many entries."""
    pending = (
        select(ExchangeEnding.indicator)
        .where(ExchangeEnding.collection_id == collection.key)
        .limit(1)
    )
    if session.scalar(pending) is None:
        return 0
    last = view_storage.lock_clock(session, collection)
    if last is None:
        return 0
    rows = session.execute(
        select(ExchangeEnding.__table__)
        .where(ExchangeEnding.collection_id == collection.key)
        .order_by(ExchangeEnding.indicator)
    ).all()
    members, at = directory(session), microseconds(now())
    drafts = [
        draft
        for row in rows
        for draft in _ended(row, rendering.owner_record(members[row.owner_id]), at)
    ]
    session.execute(
        delete(ExchangeEnding).where(
            ExchangeEnding.collection_id == collection.key,
            ExchangeEnding.indicator.in_([row.indicator for row in rows]),
        )
    )
    return add(session, collection, last, drafts) if drafts else 0


def _ended(row: Any, owner: Any, at: int) -> list[Draft]:
    split = split_id(row.stix_id)
    if split is None:
        raise ValueError(f"{row.stix_id} is no STIX id")
    entries = rendering.render_ended(
        owner,
        name=split[1],
        created=row.created,
        modified=max(at, row.version + _MILLISECOND),
        kind=row.kind,
    )
    return [
        Draft(
            entry,
            row.owner_id,
            row.first_day,
            is_first=False,
            is_main=place == 0,
            is_revoked=True,
            created=row.created,
            generation=row.generation,
            indicator=row.indicator,
            kind=row.kind,
        )
        for place, entry in enumerate(entries)
    ]


def _mark(session: Session, collection: Collection, at: datetime) -> bytes:
    """32 bytes that change when what the collection may hold could change by itself."""
    profile = view_storage.reader_profile(session, collection)
    windows = fed_windows(session, profile, at)
    told = json.dumps([profile, at.date().isoformat(), collection.level, windows])
    return hashlib.sha256(told.encode()).digest()


def _set_mark(session: Session, collection: Collection, mark: bytes) -> None:
    session.execute(
        update(ExchangeCollection).where(ExchangeCollection.id == collection.key).values(mark=mark)
    )


def _note_compared(session: Session, collection: Collection) -> None:
    session.execute(
        update(ExchangeCollection)
        .where(ExchangeCollection.id == collection.key)
        .values(compared_at=now())
    )


def _any_is_open(session: Session) -> bool:
    wanted = select(ExchangeCollection.id).where(collections.is_open(now().date())).limit(1)
    return session.scalar(wanted) is not None

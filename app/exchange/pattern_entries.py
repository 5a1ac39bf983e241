"""Shipping patterns in the logs of collections: what others let one screen with, and one's own.

A pattern keeps its name through its versions: a new one is a later `modified`. One that is
deprecated, ends or is no longer shared is told as revoked where it was served, as an indicator is.
Patterns are held before a log is locked, as indicators are.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.clock import microseconds, now
from app.exchange import collections, pattern_storage, rendering, view_queue, view_storage
from app.exchange.pattern_storage import CHUNK
from app.exchange.view_queue import PATTERNS
from app.exchange.view_writing import Draft, add, support_drafts
from app.exchange.views import Collection
from app.organisations.service import Member, directory
from app.patterns.telling import FOLLOW
from postern.stix.names import split_id
from postern.stix.records import Entry, PatternRecord
from postern.stix.shipping_patterns import pattern_of
from postern.vocabulary import Kind

_MILLISECOND = 1_000  # microseconds


def _follow(session: Session, payload: Mapping[str, Any]) -> None:
    """Bring one pattern into the logs, or have it hidden."""
    for collection in collections.open_ones(session):
        _bring(session, collection, [payload["pattern"]], now())


def _compare(session: Session, payload: Mapping[str, Any]) -> None:
    """Bring a part of what the log of a collection lacks; after the last, hide what is to go."""
    collection = collections.by_key(session, payload["collection"])
    if collection is None:
        return
    at = now()
    ids = pattern_storage.differing(session, collection, payload["after"], at)
    _bring(session, collection, ids, at)
    if len(ids) == CHUNK:
        view_queue.ask_patterns(session, collection.key, ids[-1])
    else:
        view_queue.ask_hiding(session, collection.key)


HANDLERS: Mapping[str, Callable[[Session, Mapping[str, Any]], None]] = {
    FOLLOW: _follow,
    PATTERNS: _compare,
}
"""Who does what the outbox asks for; each bears being called again."""


def _bring(session: Session, collection: Collection, ids: Sequence[int], at: datetime) -> None:
    """Add what the log lacks of these patterns; have hidden what may not be seen any more."""
    if not ids:
        return
    rows = pattern_storage.wanted(session, collection, ids, at)
    held = pattern_storage.latest(session, collection, ids)
    if not rows and not held:
        return
    last = view_storage.lock_clock(session, collection)
    if last is None:
        return
    held = pattern_storage.latest(session, collection, ids)
    if held.keys() - {row.key for row in rows}:
        view_queue.ask_hiding(session, collection.key)
    changed = [row for row in rows if _differs(row, held.get(row.key))]
    if changed:
        add(session, collection, last, _drafts(session, collection, changed, held, at))


def _differs(row: Any, held: Any) -> bool:
    return held is None or (held.level, held.amended) != (row.granted_level, row.seq)


def _drafts(
    session: Session,
    collection: Collection,
    rows: Sequence[Any],
    held: Mapping[int, Any],
    at: datetime,
) -> list[Draft]:
    new = [row.id for row in rows if row.key not in held]
    generations = view_storage.generations(session, collection, new) if new else {}
    named = view_storage.names(session, collection, [row.id for row in rows])
    members = directory(session)
    support: dict[str, Entry] = {}
    own: list[Draft] = []
    for row in rows:
        before = held.get(row.key)
        generation = before.generation if before else generations.get(row.id, 0)
        name, created, modified = _named(collection, row, before, generation, named.get(row.id), at)
        rendered = pattern_of(_record(row, members, name, created, modified))
        for entry in rendered.support:
            support.setdefault(entry.id, entry)
        own += [
            Draft(
                entry,
                row.organisation_id,
                None if before is None else before.first_day,
                is_first=before is None,
                is_main=place == 0,
                created=created,
                generation=generation,
                indicator=row.id,
                pattern_id=row.key,
                kind=Kind.PATTERN,
                level=row.granted_level,
                has_tokens=True,
                amended=row.seq,
            )
            for place, entry in enumerate(rendered.own)
        ]
    return [*support_drafts(session, collection, support, members), *own]


def _record(
    row: Any, members: Mapping[int, Member], name: UUID, created: int, modified: int
) -> PatternRecord:
    return PatternRecord(
        name=name,
        created=rendering.at(created),
        modified=rendering.at(modified),
        owner=rendering.owner_record(members[row.organisation_id]),
        text=row.text,
    )


def _named(  # noqa: PLR0917 - of what, as it was before, and when
    collection: Collection,
    row: Any,
    before: Any,
    generation: int,
    named: tuple[str, int, int] | None,
    at: datetime,
) -> tuple[UUID, int, int]:
    """Name, `created` and `modified` of a pattern's new version, in whole milliseconds."""
    name = rendering.name_of(collection.id, row.id, generation)
    created = modified = microseconds(row.decided_at)
    if named is not None and generation == 0:
        split = split_id(named[0])
        name = name if split is None else split[1]
        created, modified = named[1], max(modified, named[1], named[2])
    if before is not None:
        created = before.created
        if modified < before.version + _MILLISECOND:
            modified = max(microseconds(at), before.version + _MILLISECOND)
    return name, created // _MILLISECOND * _MILLISECOND, modified // _MILLISECOND * _MILLISECOND

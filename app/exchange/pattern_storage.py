"""Statements on shipping patterns in collections: what of them a reader may have, rule and all.

They are in bulk there, so their owner's policy must permit `feed`; and their rule leaves, so it
must permit `screen` too. What is deprecated is in no collection.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    Subquery,
    and_,
    bindparam,
    exists,
    or_,
    select,
)
from sqlalchemy.orm import Session

from app.exchange.models import ExchangeEntry
from app.exchange.view_storage import decided_by
from app.exchange.views import Collection
from app.patterns.models import PatternVersion, SharedPattern, VersionState
from app.sharing.visibility import fed_classed

CHUNK = 200
"""Patterns of one part: each has a text of up to 64 KiB."""

_VERSION = (
    PatternVersion.id.label("version_id"),
    PatternVersion.pattern_id,
    PatternVersion.seq,
    PatternVersion.organisation_id,
    PatternVersion.share_class_id,
    PatternVersion.seen_day,
    PatternVersion.expires_on,
)

CURRENT = (
    select(*_VERSION, SharedPattern.public_id)
    .join(SharedPattern, SharedPattern.current_id == PatternVersion.id)
    .where(SharedPattern.deprecated_at.is_(None))
    .subquery("current_version")
)
"""The version in force of each pattern that is used; for `fed_classed`."""

PUBLISHED = (
    select(*_VERSION)
    .where(PatternVersion.state == VersionState.PUBLISHED)
    .subquery("published_version")
)
"""Every version that ever came into force; for `fed_classed`."""


def wanted(session: Session, collection: Collection, ids: Sequence[int], at: datetime) -> list[Any]:
    """What the collection may hold of the patterns with these inner keys, in their order.

    Each is held: it cannot be erased, deprecated or followed by a version until the commit.
    """
    statement = _WANTED_OWN if collection.is_own else _WANTED_SHARED
    parameters = {**decided_by(session, collection, at), "ids": list(ids)}
    return list(session.connection().execute(statement, parameters))


def differing(session: Session, collection: Collection, after: int, at: datetime) -> list[int]:
    """Up to CHUNK patterns after one that may be seen and are not in the log as they are."""
    statement = _DIFFERING_OWN if collection.is_own else _DIFFERING_SHARED
    parameters = {**decided_by(session, collection, at), "after": after}
    return list(session.connection().execute(statement, parameters).scalars())


def latest(session: Session, collection: Collection, ids: Sequence[int]) -> dict[int, Any]:
    """The last version in the log of each of these patterns, by inner key."""
    rows = session.execute(
        select(
            ExchangeEntry.pattern_id,
            ExchangeEntry.version,
            ExchangeEntry.created,
            ExchangeEntry.first_day,
            ExchangeEntry.generation,
            ExchangeEntry.level,
            ExchangeEntry.amended,
        ).where(
            ExchangeEntry.collection_id == collection.key,
            ExchangeEntry.pattern_id.in_(ids),
            ExchangeEntry.is_main,
            ExchangeEntry.is_last,
        )
    )
    return {row.pattern_id: row for row in rows}


def lock_hidden(session: Session, collection: Collection, at: datetime) -> list[int]:
    """Patterns in the log that may not be seen any more, by inner key.

    Whoever is serving one of them is waited for: then the ledger tells that it was served.
    """
    parameters = decided_by(session, collection, at)
    found = list(session.connection().execute(_HIDDEN, parameters).scalars())
    if not found:
        return []
    session.execute(
        select(SharedPattern.id)
        .where(SharedPattern.id.in_(found))
        .order_by(SharedPattern.id)
        .with_for_update()
    )
    seen = {row.key for row in wanted(session, collection, found, at)}
    return [each for each in found if each not in seen]


def _fed() -> Subquery:
    return fed_classed(CURRENT).subquery("fed_pattern")


def _belongs(fed: Subquery, *, own: bool) -> ColumnElement[bool]:
    reader = bindparam("reader", type_=Integer)
    owner = fed.c.organisation_id
    return owner == reader if own else owner != reader


def _wanted(*, own: bool) -> Select[Any]:
    fed = _fed()
    return (
        select(
            fed.c.pattern_id.label("key"),
            fed.c.public_id.label("id"),
            fed.c.organisation_id,
            fed.c.seq,
            fed.c.granted_level,
            PatternVersion.text,
            PatternVersion.decided_at,
        )
        .select_from(fed)
        .join(SharedPattern, SharedPattern.id == fed.c.pattern_id)
        .join(PatternVersion, PatternVersion.id == fed.c.version_id)
        .where(
            SharedPattern.id.in_(bindparam("ids", expanding=True)),
            fed.c.may_screen,
            _belongs(fed, own=own),
        )
        .order_by(SharedPattern.id)
        .with_for_update(read=True, key_share=True, of=SharedPattern)
    )


def _differing(*, own: bool) -> Select[Any]:
    fed = _fed()
    is_it = and_(
        ExchangeEntry.collection_id == bindparam("collection"),
        ExchangeEntry.pattern_id == fed.c.pattern_id,
        ExchangeEntry.indicator == fed.c.public_id,
        ExchangeEntry.is_main,
        ExchangeEntry.is_last,
    )
    return (
        select(fed.c.pattern_id)
        .outerjoin(ExchangeEntry, is_it)
        .where(
            fed.c.may_screen,
            _belongs(fed, own=own),
            fed.c.pattern_id > bindparam("after", type_=BigInteger),
            or_(
                ExchangeEntry.added.is_(None),
                ExchangeEntry.level != fed.c.granted_level,
                ExchangeEntry.amended != fed.c.seq,
            ),
        )
        .order_by(fed.c.pattern_id)
        .limit(CHUNK)
    )


def _hidden() -> Select[Any]:
    fed = _fed()
    is_seen = exists().where(
        fed.c.pattern_id == ExchangeEntry.pattern_id,
        fed.c.public_id == ExchangeEntry.indicator,
        fed.c.may_screen,
    )
    return (
        select(ExchangeEntry.pattern_id)
        .where(
            ExchangeEntry.collection_id == bindparam("collection"),
            ExchangeEntry.is_main,
            ExchangeEntry.is_last,
            ExchangeEntry.pattern_id.is_not(None),
            ~is_seen,
        )
        .order_by(ExchangeEntry.pattern_id)
    )


_WANTED_SHARED, _WANTED_OWN = _wanted(own=False), _wanted(own=True)
_DIFFERING_SHARED, _DIFFERING_OWN = _differing(own=False), _differing(own=True)
_HIDDEN = _hidden()

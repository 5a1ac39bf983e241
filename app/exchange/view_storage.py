"""Statements of who writes the logs: what a reader may have of indicators, and rows of entries."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    Subquery,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session

from app.database import among
from app.exchange.adding_models import ExchangeName
from app.exchange.models import (
    CollectionKind,
    ExchangeCollection,
    ExchangeEnding,
    ExchangeEntry,
)
from app.exchange.views import Collection
from app.indicators.models import Given, Indicator, Report
from app.indicators.own import STORED
from app.indicators.reading import SHIPMENT_FIELDS
from app.sharing.engine import CHAIN
from app.sharing.service import own_profile_id, profile_id
from app.sharing.visibility import fed_indicators, fed_parameters
from app.write_behind import driver
from postern.vocabulary import Role, Way

_CHUNK = 5_000  # ids of one statement; SQLite takes 32,766 parameters
_STRETCHED = 20_000  # indicators that one part of a comparison looks at
_LAST = 2**62
_COPIED_FROM = 50  # rows from which PostgreSQL's COPY is the faster

Rows = Sequence[Mapping[str, Any]]


def reader_profile(session: Session, collection: Collection) -> int:
    """The profile by which a collection is read: its analysts', for what it was opened for."""
    if collection.purpose is None or collection.legal_basis is None:
        return own_profile_id(session, collection.organisation_id, Role.ANALYST)
    return profile_id(
        session,
        collection.organisation_id,
        Role.ANALYST,
        collection.purpose,
        collection.legal_basis,
    )


def decided_by(session: Session, collection: Collection, at: datetime) -> dict[str, Any]:
    """The parameters of every statement that asks the predicate for a collection."""
    least = CHAIN.index(collection.level) + 1
    return {
        **fed_parameters(reader_profile(session, collection), at, least),
        "collection": collection.key,
        "reader": collection.organisation_id,
    }


def wanted(
    session: Session, collection: Collection, ids: Sequence[int], at: datetime
) -> list[dict[str, Any]]:
    """What the collection may hold of the indicators with these inner keys, in their order.

    Each is held: it cannot be erased or changed until the commit.
    """
    statement = _WANTED_OWN if collection.is_own else _WANTED_SHARED
    parameters = {**decided_by(session, collection, at), "ids": list(ids)}
    return [
        {**row, "shipment": {name: row[name] for name in SHIPMENT_FIELDS}}
        for row in session.connection().execute(statement, parameters).mappings()
    ]


def differing(
    session: Session, collection: Collection, after: int, most: int, at: datetime
) -> tuple[list[int], int | None]:
    """Up to `most` indicators after one, that may be seen and are not in the log as they are.

    With it the indicator after which to go on, None at the end. It walks a stretch of indicators
    at a time, so that each part costs as much, however many there are.
    """
    statement = _DIFFERING_OWN if collection.is_own else _DIFFERING_SHARED
    end = session.connection().execute(_STRETCH, {"after": after}).scalar_one_or_none()
    parameters = {
        **decided_by(session, collection, at),
        "after": after,
        "end": _LAST if end is None else end,
        "most": most,
    }
    ids = list(session.connection().execute(statement, parameters).scalars())
    return ids, ids[-1] if len(ids) == most else end


def hidden(session: Session, collection: Collection, most: int, at: datetime) -> list[int]:
    """Up to `most` indicators that are in the log and may not be seen any more."""
    parameters = {**decided_by(session, collection, at), "most": most}
    return list(session.connection().execute(_HIDDEN, parameters).scalars())


def lock_clock(session: Session, collection: Collection) -> int | None:
    """The last date added, locked until the commit; None when the collection ended meanwhile.

    Whoever locks indicators too locks those first.
    """
    return session.scalar(
        select(ExchangeCollection.last_added)
        .where(ExchangeCollection.id == collection.key, ExchangeCollection.ended_at.is_(None))
        .with_for_update(key_share=True)
    )


def set_clock(session: Session, collection: Collection, last: int) -> None:
    """Keep the last date added."""
    session.execute(
        update(ExchangeCollection)
        .where(ExchangeCollection.id == collection.key)
        .values(last_added=last)
    )


def latest(session: Session, collection: Collection, ids: Sequence[int]) -> dict[int, Any]:
    """The last version in the log of each of these indicators, by inner key."""
    rows = session.execute(
        select(
            ExchangeEntry.indicator_id,
            ExchangeEntry.indicator,
            ExchangeEntry.stix_id,
            ExchangeEntry.version,
            ExchangeEntry.created,
            ExchangeEntry.first_day,
            ExchangeEntry.generation,
            ExchangeEntry.level,
            ExchangeEntry.has_tokens,
            ExchangeEntry.amended,
        ).where(
            ExchangeEntry.collection_id == collection.key,
            among(session, ExchangeEntry.indicator_id, ids),
            ExchangeEntry.is_main,
            ExchangeEntry.is_last,
        )
    )
    return {row.indicator_id: row for row in rows}


def generations(
    session: Session, collection: Collection, indicators: Sequence[UUID]
) -> dict[UUID, int]:
    """How often each of these was revoked in the log; those that never were are left out."""
    found: dict[UUID, int] = {}
    for model, condition in (
        (ExchangeEntry, ExchangeEntry.is_revoked),
        (ExchangeEnding, ExchangeEnding.indicator.is_not(None)),
    ):
        rows = session.execute(
            select(model.indicator, func.max(model.generation))
            .where(
                model.collection_id == collection.key,
                among(session, model.indicator, indicators),
            )
            .where(condition)
            .group_by(model.indicator)
        )
        for indicator, generation in rows:
            if indicator is not None:
                found[indicator] = max(found.get(indicator, 0), generation + 1)
    return found


def names(
    session: Session, collection: Collection, indicators: Sequence[UUID]
) -> dict[UUID, tuple[str, int, int]]:
    """What the organisation's clients call its indicators: STIX id, `created` and `modified`."""
    if not collection.is_own:
        return {}
    rows = session.execute(
        select(
            ExchangeName.indicator,
            ExchangeName.stix_id,
            ExchangeName.created,
            ExchangeName.version,
        ).where(
            ExchangeName.organisation_id == collection.organisation_id,
            among(session, ExchangeName.indicator, indicators),
        )
    )
    return {row.indicator: (row.stix_id, row.created, row.version) for row in rows}


def standing_versions(
    session: Session, collection: Collection, stix_ids: Iterable[str]
) -> dict[str, tuple[int, int]]:
    """Version and first day of what many objects refer to, where the log holds it."""
    rows = session.execute(
        select(ExchangeEntry.stix_id, ExchangeEntry.version, ExchangeEntry.first_day).where(
            ExchangeEntry.collection_id == collection.key,
            among(session, ExchangeEntry.stix_id, sorted(stix_ids)),
            ExchangeEntry.is_last,
        )
    )
    return {row.stix_id: (row.version, row.first_day) for row in rows}


def supersede(session: Session, collection: Collection, stix_ids: Sequence[str]) -> None:
    """Mark what is the last version of these objects as not the last."""
    for start in range(0, len(stix_ids), _CHUNK):
        session.execute(
            update(ExchangeEntry)
            .where(
                ExchangeEntry.collection_id == collection.key,
                ExchangeEntry.stix_id.in_(stix_ids[start : start + _CHUNK]),
                ExchangeEntry.is_last,
            )
            .values(is_last=False)
        )


def insert_entries(session: Session, rows: Rows) -> None:
    """Add rows of entries, in the order of their dates."""
    connection = session.connection()
    is_few = len(rows) < _COPIED_FROM
    if connection.dialect.name == "sqlite" or is_few or connection.scalar(_IS_SECURED):
        connection.execute(_INSERT, list(rows))
        return
    with driver(connection).cursor().copy(_COPY) as copy:
        for row in rows:
            copy.write_row([row[name] for name in _COLUMNS])


def note_endings(session: Session, condition: ColumnElement[bool]) -> list[int]:
    """Keep of what `condition` names in any log, and was served, that it ended; then erase it.

    Returns the inner keys of the collections that something of it was in. The caller has locked
    the indicators so that nobody is serving them.
    """
    touched = select(ExchangeEntry.collection_id).where(condition).distinct()
    collections = sorted(session.scalars(touched))
    if not collections:
        return []
    served = exists().where(
        Given.indicator == ExchangeEntry.indicator,
        Given.recipient_id == ExchangeCollection.organisation_id,
        Given.way == Way.FEED,
    )
    ended = (
        select(*(getattr(ExchangeEntry, name) for name in _ENDING))
        .join(ExchangeCollection, ExchangeCollection.id == ExchangeEntry.collection_id)
        .where(
            condition,
            ExchangeEntry.is_main,
            ExchangeEntry.is_last,
            or_(ExchangeCollection.kind == CollectionKind.OWN, served),
        )
    )
    session.execute(insert(ExchangeEnding).from_select(_ENDING, ended))
    session.execute(delete(ExchangeEntry).where(condition))
    return collections


def forget_owners(session: Session, collection: Collection) -> None:
    """Erase the identities of owners of whom the log holds nothing any more."""
    other = ExchangeEntry.__table__.alias()
    has_any = exists().where(
        other.c.collection_id == collection.key,
        other.c.owner_id == ExchangeEntry.owner_id,
        other.c.is_main,
    )
    ending = exists().where(
        ExchangeEnding.collection_id == collection.key,
        ExchangeEnding.owner_id == ExchangeEntry.owner_id,
    )
    session.execute(
        delete(ExchangeEntry).where(
            ExchangeEntry.collection_id == collection.key,
            ExchangeEntry.indicator.is_(None),
            ExchangeEntry.owner_id.is_not(None),
            ExchangeEntry.type != "sighting",  # one's own, of what another holds
            ~has_any,
            ~ending,
        )
    )


def lock_hidden(session: Session, ids: Sequence[int]) -> None:
    """Wait for whoever is serving these indicators, and keep others from it until the commit."""
    session.execute(
        select(Indicator.id).where(Indicator.id.in_(ids)).order_by(Indicator.id).with_for_update()
    )


def inner_keys(session: Session, indicators: Sequence[UUID]) -> list[int]:
    """The inner keys of indicators by their public ids, rising."""
    return [
        found
        for start in range(0, len(indicators), _CHUNK)
        for found in session.scalars(
            select(Indicator.id)
            .where(among(session, Indicator.public_id, indicators[start : start + _CHUNK]))
            .order_by(Indicator.id)
        )
    ]


def _fed() -> Subquery:
    return fed_indicators().subquery("fed")


def _belongs(fed: Subquery, *, own: bool) -> ColumnElement[bool]:
    reader = bindparam("reader", type_=Integer)
    owner = fed.c.organisation_id
    return owner == reader if own else owner != reader


def _wanted(*, own: bool) -> Select[Any]:
    fed = _fed()
    return (
        select(
            Indicator.id.label("key"),
            Indicator.organisation_id,
            *STORED,
            Indicator.tokens,
            Indicator.epoch,
            Indicator.also_epoch,
            Indicator.amended_at,
            Report.public_id.label("report"),
            Report.created_at,
            Report.barrier_step,
            *(getattr(Report, name) for name in SHIPMENT_FIELDS),
            fed.c.granted_level,
            fed.c.may_screen,
        )
        .select_from(fed)
        .join(Indicator, Indicator.id == fed.c.indicator_id)
        .join(Report, Report.id == Indicator.report_id)
        .where(Indicator.id.in_(bindparam("ids", expanding=True)), _belongs(fed, own=own))
        .order_by(Indicator.id)
        .with_for_update(read=True, key_share=True, of=Indicator)
    )


def _differing(*, own: bool) -> Select[Any]:
    fed = _fed()
    is_it = and_(
        ExchangeEntry.collection_id == bindparam("collection"),
        ExchangeEntry.indicator_id == fed.c.indicator_id,
        ExchangeEntry.indicator == fed.c.public_id,
        ExchangeEntry.is_main,
        ExchangeEntry.is_last,
    )
    return (
        select(fed.c.indicator_id)
        .outerjoin(ExchangeEntry, is_it)
        .where(
            _belongs(fed, own=own),
            fed.c.indicator_id > bindparam("after", type_=BigInteger),
            fed.c.indicator_id <= bindparam("end", type_=BigInteger),
            or_(
                ExchangeEntry.added.is_(None),
                ExchangeEntry.level != fed.c.granted_level,
                ExchangeEntry.has_tokens != fed.c.may_screen,
            ),
        )
        .order_by(fed.c.indicator_id)
        .limit(bindparam("most"))
    )


def _hidden() -> Select[Any]:
    fed = _fed()
    is_seen = exists().where(
        fed.c.indicator_id == ExchangeEntry.indicator_id,
        fed.c.public_id == ExchangeEntry.indicator,
    )
    return (
        select(ExchangeEntry.indicator_id)
        .where(
            ExchangeEntry.collection_id == bindparam("collection"),
            ExchangeEntry.is_main,
            ExchangeEntry.is_last,
            ExchangeEntry.indicator_id.is_not(None),
            ~is_seen,
        )
        .order_by(ExchangeEntry.indicator_id)
        .limit(bindparam("most"))
    )


# Made once: what is decided comes with the parameters.
_WANTED_SHARED, _WANTED_OWN = _wanted(own=False), _wanted(own=True)
_DIFFERING_SHARED, _DIFFERING_OWN = _differing(own=False), _differing(own=True)
_HIDDEN = _hidden()
_STRETCH = (
    select(Indicator.id)
    .where(Indicator.id > bindparam("after", type_=BigInteger))
    .order_by(Indicator.id)
    .offset(_STRETCHED - 1)
    .limit(1)
)

_INSERT = insert(cast("Table", ExchangeEntry.__table__))
_COLUMNS = tuple(column.name for column in ExchangeEntry.__table__.columns)
# COPY FROM is refused to a role to which row-level security applies, as that of `jobs run`.
_IS_SECURED = text("SELECT row_security_active('exchange_entry')")
_COPY = f"COPY exchange_entry ({', '.join(_COLUMNS)}) FROM STDIN"
_ENDING = (
    "collection_id",
    "indicator",
    "stix_id",
    "version",
    "created",
    "first_day",
    "generation",
    "owner_id",
    "kind",
)

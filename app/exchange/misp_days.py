"""The days of a feed: which owners something is to be told of, since when, and how lately.

A manifest names no indicator, so none is given by it: it is counted, by the one predicate, and
logged as a count.
"""

from functools import lru_cache
from typing import Any

from sqlalchemy import Integer, Select, and_, bindparam, func, select, union_all
from sqlalchemy.orm import Session

from app.clock import now
from app.exchange import view_storage
from app.exchange.models import ExchangeEntry
from app.exchange.pattern_storage import CURRENT
from app.exchange.views import Collection, FeedDay
from app.organisations.service import directory
from app.sharing.visibility import fed_classed, fed_indicators

_ENTRY = ExchangeEntry.__table__


def days(session: Session, collection: Collection) -> list[FeedDay]:
    """All days of the collection, by owner, of which something may be seen or was revoked."""
    return _days(session, collection, _statement(is_one=False), {})


def day_of(session: Session, collection: Collection, owner: str, day: int) -> FeedDay | None:
    """One of them; None when nothing of it may be seen."""
    owner_id = next((key for key, each in directory(session).items() if each.code == owner), 0)
    one = {"owner": owner_id, "day": day}
    return next(iter(_days(session, collection, _statement(is_one=True), one)), None)


def names(session: Session, collection: Collection) -> list[tuple[str, int]]:
    """Owner and day of every object that ever was in the log, whoever may see it now.

    For finding what an event is called after: nothing may leave by it.
    """
    members = directory(session)
    found = session.execute(
        select(ExchangeEntry.owner_id, ExchangeEntry.first_day)
        .where(ExchangeEntry.collection_id == collection.key, ExchangeEntry.is_main)
        .distinct()
    )
    return [(members[row.owner_id].code, row.first_day) for row in found if row.owner_id]


def _days(
    session: Session, collection: Collection, statement: Select[Any], asked: dict[str, Any]
) -> list[FeedDay]:
    members = directory(session)
    parameters = {**view_storage.decided_by(session, collection, now()), **asked}
    rows = session.connection().execute(statement, parameters)
    return [
        FeedDay(
            members[row.owner_id].code,
            members[row.owner_id].name,
            row.first_day,
            row.changed,
            row.entries - row.revoked,
            row.revoked,
        )
        for row in rows
    ]


@lru_cache
def _statement(*, is_one: bool) -> Select[Any]:
    entry = _ENTRY.c
    fed = fed_indicators().subquery("fed")
    conditions = [
        entry.collection_id == bindparam("collection", type_=Integer),
        entry.is_main,
        entry.type == "indicator",
        entry.is_last,
        entry.owner_id.is_not(None),
    ]
    if is_one:
        conditions += [
            entry.owner_id == bindparam("owner", type_=Integer),
            entry.first_day == bindparam("day", type_=Integer),
        ]
    columns = (entry.owner_id, entry.first_day, entry.added, entry.is_revoked)
    visible = (
        select(*columns)
        .join(
            fed,
            and_(fed.c.indicator_id == entry.indicator_id, fed.c.public_id == entry.indicator),
        )
        .where(*conditions)
    )
    ended = select(*columns).where(*conditions, entry.indicator_id.is_(None), entry.is_revoked)
    fed_pattern = fed_classed(CURRENT).subquery("fed_pattern")
    patterns = (
        select(*columns)
        .join(
            fed_pattern,
            and_(
                fed_pattern.c.pattern_id == entry.pattern_id,
                fed_pattern.c.public_id == entry.indicator,
            ),
        )
        .where(*conditions, fed_pattern.c.may_screen)
    )
    told = union_all(visible, patterns, ended).subquery("told")
    revoked = func.count().filter(told.c.is_revoked)
    return (
        select(
            told.c.owner_id,
            told.c.first_day,
            func.max(told.c.added).label("changed"),
            func.count().label("entries"),
            revoked.label("revoked"),
        )
        .group_by(told.c.owner_id, told.c.first_day)
        .order_by(told.c.first_day, told.c.owner_id)
    )

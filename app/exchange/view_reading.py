"""One statement for one page of a log: what may be seen of it now, held until the commit.

It asks the one predicate for each entry again, whatever the log holds. Statements are made once for
each shape of filters: this is the path of every poll.

A page is entries of indicators and of shipping patterns that are visible, and entries that stand
without one: what many objects refer to, and revocations. What many refer to is hidden as long as
nothing refers to it that may be seen. On PostgreSQL the indicators and the patterns of the page are
then locked in the order of their keys, as everybody locks them; what was erased or changed since
the page was read is left out of it, and comes again, if at all, as a later entry. Where a replica
is read, two statements do the same.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    SmallInteger,
    and_,
    any_,
    bindparam,
    exists,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from app.exchange.models import ExchangeEntry
from app.exchange.pattern_storage import CURRENT, PUBLISHED
from app.exchange.views import ALL, FIRST, LAST, Filters
from app.indicators.models import Indicator
from app.organisations.models import Organisation
from app.patterns.models import SharedPattern
from app.prepared import Prepared
from app.replica import read_fresh
from app.sharing.visibility import fed_classed, fed_indicators

_ENTRY = ExchangeEntry.__table__
_INDICATOR = Indicator.__table__
_PATTERN = SharedPattern.__table__
_WORDS = (LAST, FIRST)

SIGHTING = "sighting"
"""Type of what stands by itself though nothing refers to it: what the organisation itself sent."""


class Shape(NamedTuple):
    """Which filters a statement has: what is asked of each comes as a parameter."""

    ids: int  # 0 none, 1 one, 2 several
    types: bool
    words: frozenset[str]  # of _WORDS; with `exact` empty, all versions
    exact: bool
    revoked: bool
    before: bool
    owner: bool
    day: bool
    main_only: bool
    text: bool
    walks: bool  # PostgreSQL is kept to walking the log
    locks: bool  # what is of the page is locked by the same statement
    most: int

    @property
    def has_lists(self) -> bool:
        """Whether any filter has several values."""
        return self.ids > 1 or self.types or self.exact


class Found(NamedTuple):
    """An entry that may leave, and by what it was decided; level 0 for what stands by itself."""

    added: int
    stix_id: str
    type: str
    version: int
    is_first: bool
    is_revoked: bool
    first_day: int
    indicator: Any
    owner_id: int | None
    owner: str | None
    text: str
    level: int
    grant_reason_id: int | None
    tells_owner: bool
    is_pattern: bool
    in_page: int

    @property
    def is_support(self) -> bool:
        """Whether other objects refer to it, and it is of none of them."""
        return self.indicator is None and self.type != SIGHTING


def page(
    session: Session,
    decided: dict[str, Any],
    filters: Filters,
    *,
    after: int,
    most: int,
    revoked: bool,
    owner_id: int | None = None,
    with_text: bool = True,
) -> tuple[list[Found], bool]:
    """Up to `most` entries added after a date, in their order, and whether more follow.

    `decided` are the parameters of the predicate (`view_storage.decided_by`).
    """
    exact = [each for each in filters.versions if isinstance(each, int)]
    has_all = ALL in filters.versions
    words = frozenset() if has_all else frozenset(_WORDS).intersection(map(str, filters.versions))
    shape = Shape(
        ids=min(len(filters.ids), 2),
        types=bool(filters.types),
        words=words,
        exact=bool(exact) and not has_all,
        revoked=revoked,
        before=filters.before is not None,
        owner=filters.owner is not None,
        day=filters.day is not None,
        main_only=filters.main_only,
        text=with_text,
        walks=session.get_bind().dialect.name == "postgresql",
        locks=False,
        most=most + 1,
    )
    parameters = {**decided, "after": after}
    if shape.ids:
        parameters["ids"] = filters.ids[0] if shape.ids == 1 else list(filters.ids)
    if shape.types:
        parameters["types"] = list(filters.types)
    if shape.exact:
        parameters["versions"] = exact
    if shape.before:
        parameters["before"] = filters.before
    if shape.owner:
        parameters["owner"] = owner_id
    if shape.day:
        parameters["day"] = filters.day

    def read_on(on: Session) -> tuple[bool, Sequence[Any]]:
        # A replica locks nothing: what is of the page is then locked here, in a second statement.
        of_page = shape._replace(locks=shape.walks and on is session)
        connection = on.connection()
        if of_page.has_lists:
            return of_page.locks, connection.execute(_statement(of_page), parameters).all()
        return of_page.locks, _prepared(of_page).execute(connection, parameters)

    is_held, read = read_fresh(session, read_on)
    if shape.walks and not is_held:
        read = _still_standing(session, read)
    codes = _codes(session, {row.owner_id for row in read})
    rows = [
        Found._make((*row[:_OWNED], codes.get(row.owner_id), *row[_OWNED:_TOLD])) for row in read
    ]
    has_more = bool(rows) and rows[0].in_page > most
    return _referred_to(session, decided, rows[:most]), has_more


def _codes(session: Session, owner_ids: set[int | None]) -> Mapping[int | None, str]:
    """The codes of organisations, which never change: from memory where they were read before."""
    known = _KNOWN_CODES.setdefault(session.get_bind(), {})
    missing = owner_ids - known.keys() - {None}
    if missing:
        wanted = select(Organisation.id, Organisation.code).where(Organisation.id.in_(missing))
        known.update(session.execute(wanted).all())
    return known


def _referred_to(session: Session, decided: dict[str, Any], rows: list[Found]) -> list[Found]:
    """Without what nothing refers to that may be seen now, or once was."""
    if not any(row.is_support for row in rows):
        return rows
    seen = {row.owner_id for row in rows if not row.is_support}
    asked = {row.owner_id for row in rows if row.is_support} - seen
    if asked - {None} or (None in asked and not seen):
        connection = session.connection()
        seen |= set(connection.execute(_SEEN_OWNERS, decided).scalars())
        if None in asked and not seen:
            seen |= set(connection.execute(_SENDERS, decided).scalars())
    return [
        row
        for row in rows
        if not row.is_support or row.owner_id in seen or (row.owner_id is None and seen)
    ]


@lru_cache(maxsize=512)
def _prepared(shape: Shape) -> Prepared:
    return Prepared(_statement(shape))


@lru_cache(maxsize=512)
def _statement(shape: Shape) -> Select[Any]:
    both = _page(shape)
    length = select(func.count()).select_from(both).scalar_subquery().label("in_page")
    wanted = select(
        both.c.added,
        both.c.stix_id,
        both.c.type,
        both.c.version,
        both.c.is_first,
        both.c.is_revoked,
        both.c.first_day,
        both.c.indicator,
        both.c.owner_id,
        both.c.text,
        both.c.granted_level,
        both.c.grant_reason_id,
        both.c.tells_owner,
        both.c.pattern_id.is_not(None).label("is_pattern"),
        length,
    ).order_by(both.c.added)
    if not shape.walks:
        return wanted
    if not shape.locks:
        return wanted.add_columns(*(both.c[name] for name in _INNER))
    held = _held(both)
    stands = and_(
        held.c.id.is_not(None),
        held.c.share_class_id == both.c.share_class_id,
        held.c.seen_day == both.c.seen_day,
        held.c.amended_at.is_not_distinct_from(both.c.amended_at),
    )
    pattern = _held_patterns(both)
    is_in_force = and_(pattern.c.current_id == both.c.version_id, pattern.c.deprecated_at.is_(None))
    is_of_neither = and_(both.c.indicator_id.is_(None), both.c.pattern_id.is_(None))
    return (
        wanted.outerjoin(held, held.c.id == both.c.indicator_id)
        .outerjoin(pattern, pattern.c.id == both.c.pattern_id)
        .where(or_(is_of_neither, stands, is_in_force))
    )


def _still_standing(session: Session, read: Sequence[Any]) -> list[Any]:
    """Those rows of a page that hold yet, what they are of being locked; as the statement does."""
    connection = session.connection()
    ids = sorted({row.indicator_id for row in read if row.indicator_id is not None})
    pattern_ids = sorted({row.pattern_id for row in read if row.pattern_id is not None})
    held: dict[int, tuple[Any, ...]] = {}
    in_force: dict[int, int] = {}
    if ids:
        found = _HELD.execute(connection, {"ids": ids})
        held = {each.id: (each.share_class_id, each.seen_day, each.amended_at) for each in found}
    if pattern_ids:
        patterns = _HELD_PATTERNS.execute(connection, {"ids": pattern_ids})
        in_force = {each.id: each.current_id for each in patterns if each.deprecated_at is None}
    return [
        row
        for row in read
        if (row.indicator_id is None and row.pattern_id is None)
        or held.get(row.indicator_id) == (row.share_class_id, row.seen_day, row.amended_at)
        or (row.pattern_id is not None and in_force.get(row.pattern_id) == row.version_id)
    ]


def _held_patterns(both: CTE) -> CTE:
    """The shipping patterns of the page as they are now, locked in the order of their keys."""
    of_page = select(both.c.pattern_id).where(both.c.pattern_id.is_not(None))
    return _locked_patterns(_PATTERN.c.id.in_(of_page)).cte("held_pattern")


def _held(both: CTE) -> CTE:
    """The indicators of the page as they are now, locked in the order of their keys."""
    of_page = select(both.c.indicator_id).where(both.c.indicator_id.is_not(None))
    return _locked(_INDICATOR.c.id.in_(of_page)).cte("held")


def _locked_patterns(wanted: ColumnElement[bool]) -> Select[Any]:
    return (
        select(_PATTERN.c.id, _PATTERN.c.current_id, _PATTERN.c.deprecated_at)
        .where(wanted)
        .order_by(_PATTERN.c.id)
        .with_for_update(read=True, key_share=True)
    )


def _locked(wanted: ColumnElement[bool]) -> Select[Any]:
    indicator = _INDICATOR.c
    return (
        select(indicator.id, indicator.share_class_id, indicator.seen_day, indicator.amended_at)
        .where(wanted)
        .order_by(indicator.id)
        .with_for_update(read=True, key_share=True)
    )


def _page(shape: Shape) -> CTE:
    # The length stands in the statement itself: a plan that is kept for any parameters then fits.
    most: Any = literal_column(str(shape.most))
    parts = [
        part(shape).limit(most).cte(name)
        for name, part in (
            ("visible", _visible),
            ("pattern_entry", _patterns),
            ("standing", _standing),
        )
    ]
    both = union_all(*(select(part) for part in parts)).subquery()
    return select(both).order_by(both.c.added).limit(most).cte("page")


def _visible(shape: Shape) -> Select[Any]:
    """Entries of indicators that may be seen.

    PostgreSQL is kept to walking the log and asking of each entry; SQLite does so by itself.
    """
    fed = fed_indicators().subquery("fed")
    of_entry = and_(
        fed.c.indicator_id == _ENTRY.c.indicator_id, fed.c.public_id == _ENTRY.c.indicator
    )
    seen: Any = fed
    if shape.walks:
        seen = select(fed).where(of_entry).offset(literal_column("0")).lateral("seen")
    return (
        select(
            *_columns(shape),
            _ENTRY.c.indicator_id,
            seen.c.share_class_id,
            seen.c.seen_day,
            seen.c.amended_at,
            seen.c.granted_level,
            seen.c.grant_reason_id,
            seen.c.tells_owner,
            *_NO_PATTERN,
        )
        .select_from(_ENTRY)
        .join(seen, true() if shape.walks else of_entry)
        .where(*_conditions(shape))
        .order_by(_added(shape))
    )


def _patterns(shape: Shape) -> Select[Any]:
    """Entries of shipping patterns of which the version in force may be had, rule and all.

    An entry of an earlier version is decided by that one too. Where a collection has none, the
    index of such entries is empty, and nothing is asked.
    """
    fed = fed_classed(CURRENT).subquery("fed_pattern")
    of_entry = and_(fed.c.pattern_id == _ENTRY.c.pattern_id, fed.c.public_id == _ENTRY.c.indicator)
    seen: Any = fed
    if shape.walks:
        seen = select(fed).where(of_entry).offset(literal_column("0")).lateral("seen_pattern")
    earlier = fed_classed(PUBLISHED).subquery("fed_version")
    is_seen_too = (
        select(literal(1))
        .select_from(earlier)
        .where(
            earlier.c.pattern_id == _ENTRY.c.pattern_id,
            earlier.c.seq == _ENTRY.c.amended,
            earlier.c.may_screen,
        )
        .exists()
    )
    none = null()
    return (
        select(
            *_columns(shape),
            _ENTRY.c.indicator_id,
            seen.c.share_class_id,
            seen.c.seen_day,
            none.cast(Indicator.amended_at.type).label("amended_at"),
            seen.c.granted_level,
            seen.c.grant_reason_id,
            seen.c.tells_owner,
            _ENTRY.c.pattern_id,
            seen.c.version_id,
        )
        .select_from(_ENTRY)
        .join(seen, true() if shape.walks else of_entry)
        .where(
            *_conditions(shape),
            _ENTRY.c.pattern_id.is_not(None),
            seen.c.may_screen,
            or_(_ENTRY.c.amended == seen.c.seq, is_seen_too),
        )
        .order_by(_added(shape))
    )


def _standing(shape: Shape) -> Select[Any]:
    """Entries that are of no indicator and no pattern any more, or never were."""
    none = null()
    told = (
        _ENTRY.c.indicator_id.is_(None)
        if shape.revoked
        else and_(_ENTRY.c.indicator_id.is_(None), _ENTRY.c.indicator.is_(None))
    )
    return (
        select(
            *_columns(shape),
            _ENTRY.c.indicator_id,
            none.cast(Integer).label("share_class_id"),
            none.cast(SmallInteger).label("seen_day"),
            none.cast(Indicator.amended_at.type).label("amended_at"),
            literal(0, SmallInteger).label("granted_level"),
            none.cast(Integer).label("grant_reason_id"),
            literal(value=False).label("tells_owner"),
            *_NO_PATTERN,
        )
        .where(*_conditions(shape), told, _ENTRY.c.pattern_id.is_(None))
        .order_by(_added(shape))
    )


def _seen_owners() -> Select[Any]:
    """The owners of whom the log holds something that may be seen, or that it told was revoked."""
    fed = fed_indicators().subquery("fed")
    fed_pattern = fed_classed(CURRENT).subquery("fed_pattern")
    ended, living = aliased(ExchangeEntry), aliased(ExchangeEntry)
    ruling = aliased(ExchangeEntry)
    collection = bindparam("collection", type_=Integer)
    # OFFSET 0: each is asked one by one, until the first that is seen.
    is_seen = (
        select(literal(1))
        .select_from(fed)
        .where(fed.c.indicator_id == living.indicator_id, fed.c.public_id == living.indicator)
        .offset(literal_column("0"))
        .exists()
    )
    is_ruling = (
        select(literal(1))
        .select_from(fed_pattern)
        .where(
            fed_pattern.c.pattern_id == ruling.pattern_id,
            fed_pattern.c.public_id == ruling.indicator,
            fed_pattern.c.may_screen,
        )
        .exists()
    )
    return select(Organisation.id).where(
        or_(
            exists().where(
                ruling.collection_id == collection,
                ruling.pattern_id.is_not(None),
                ruling.owner_id == Organisation.id,
                ruling.is_main,
                is_ruling,
            ),
            exists().where(
                ended.collection_id == collection,
                ended.owner_id == Organisation.id,
                ended.is_main,
                ended.is_revoked,
            ),
            exists().where(
                living.collection_id == collection,
                living.owner_id == Organisation.id,
                living.is_main,
                is_seen,
            ),
        )
    )


def _senders() -> Select[Any]:
    """Who sent a sighting that stands by itself in the log: that refers to others too."""
    return (
        select(_ENTRY.c.owner_id)
        .where(
            _ENTRY.c.collection_id == bindparam("collection", type_=Integer),
            _ENTRY.c.type == SIGHTING,
            _ENTRY.c.indicator_id.is_(None),
        )
        .limit(1)
    )


def _columns(shape: Shape) -> Sequence[ColumnElement[Any]]:
    return (
        *(_ENTRY.c[name] for name in _SERVED),
        _ENTRY.c.text if shape.text else literal("").label("text"),
    )


def _added(shape: Shape) -> ColumnElement[int]:
    """When an entry was added, by which a page is found and ordered.

    For named objects SQLite, which keeps no statistics here, would walk all that was added after:
    by a sum it knows no index, and uses that of their ids.
    """
    added: ColumnElement[int] = _ENTRY.c.added
    return added + literal_column("0", Integer) if shape.ids and not shape.walks else added


def _conditions(shape: Shape) -> list[ColumnElement[bool]]:
    entry = _ENTRY.c
    conditions: list[ColumnElement[bool]] = [
        entry.collection_id == bindparam("collection", type_=Integer),
        _added(shape) > bindparam("after", type_=BigInteger),
    ]
    if shape.ids == 1:
        conditions.append(entry.stix_id == bindparam("ids"))
    elif shape.ids:
        conditions.append(entry.stix_id.in_(bindparam("ids", expanding=True)))
    if shape.types:
        conditions.append(entry.type.in_(bindparam("types", expanding=True)))
    versions: list[ColumnElement[bool]] = [
        column
        for word, column in ((LAST, entry.is_last), (FIRST, entry.is_first))
        if word in shape.words
    ]
    if shape.exact:
        versions.append(entry.version.in_(bindparam("versions", expanding=True)))
    if versions:
        conditions.append(or_(*versions))
    if shape.before:
        conditions.append(entry.added < bindparam("before", type_=BigInteger))
    if shape.owner:
        conditions.append(entry.owner_id == bindparam("owner", type_=Integer))
    if shape.day:
        conditions.append(entry.first_day == bindparam("day", type_=Integer))
    if shape.main_only:
        conditions.append(entry.is_main)
    return conditions


_NO_PATTERN = (
    null().cast(BigInteger).label("pattern_id"),
    null().cast(BigInteger).label("version_id"),
)
_SEEN_OWNERS = _seen_owners()
_SENDERS = _senders()
_WANTED = bindparam("ids", type_=ARRAY(BigInteger))
_HELD = Prepared(_locked(_INDICATOR.c.id == any_(_WANTED)))
_HELD_PATTERNS = Prepared(_locked_patterns(_PATTERN.c.id == any_(_WANTED)))
_KNOWN_CODES: WeakKeyDictionary[object, dict[int | None, str]] = WeakKeyDictionary()
_SERVED = (
    "added",
    "stix_id",
    "type",
    "version",
    "is_first",
    "is_revoked",
    "first_day",
    "indicator",
    "owner_id",
)
_OWNED = len(_SERVED)  # where the code of the owner comes in
_TOLD = len(Found._fields) - 1  # columns that are told; those that decide follow
_INNER = (
    "indicator_id",
    "share_class_id",
    "seen_day",
    "amended_at",
    "pattern_id",
    "version_id",
)

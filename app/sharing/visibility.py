"""THE visibility predicate: what a profile may see, joined in SQL and nowhere else.

An indicator is visible to a profile when a grant for its share class holds now and covers its age
today, and both the reader's organisation and the owner are active. List, view, count, search,
lookup, export and feed all ask here. It is the only reader of `token` on behalf of anybody but a
token's own owner.

Age is counted in days from `seen_day`; an indicator of the future is not visible yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeVarTuple
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    FromClause,
    Integer,
    LargeBinary,
    Select,
    SmallInteger,
    Uuid,
    and_,
    bindparam,
    case,
    column,
    exists,
    func,
    literal,
    literal_column,
    select,
    table,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from app.clock import day
from app.database import Moment
from app.organisations.models import Organisation, OrganisationStatus
from app.prepared import Prepared
from app.sharing.classes import AGE_BANDS, ClassAttributes, age_band
from app.sharing.classes import read as read_class
from app.sharing.eras import second
from app.sharing.models import Profile, ShareClass, ShareGrant

Columns = TypeVarTuple("Columns")

PRESENCE, METADATA, REQUEST = 1, 2, 3
"""Levels as a grant stores them."""

# The tables that the predicate is about belong to a floor above, whose models are not imported:
# here they are by the columns that decide.
_INDICATOR = table(
    "indicator",
    column("id", BigInteger),
    column("public_id", Uuid),
    column("organisation_id", Integer),
    column("share_class_id", Integer),
    column("seen_day", SmallInteger),
    column("expires_on", Date),
    column("amended_at", Moment),
)
_TOKEN = table(
    "token",
    column("token", LargeBinary),
    column("indicator_id", BigInteger),
    column("share_class_id", Integer),
    column("seen_day", SmallInteger),
    column("facet", SmallInteger),
)

_EPOCH = date(1970, 1, 1)
_SQLITE_CHUNK = 500  # tokens of one statement


@dataclass(frozen=True, slots=True)
class Match:
    """A posting of one of the tokens that were asked for, of which somebody is told.

    Level 0: the owner alone. It must not change anything that the reader gets.
    """

    indicator_id: int
    token: bytes
    facet: int
    level: int  # 1 presence, 2 metadata, 3 request
    tells_owner: bool
    grant_reason_id: int


@dataclass(frozen=True, slots=True)
class ClassCount:
    """How many live indicators a share class has in one band of age."""

    organisation_id: int
    share_class_id: int
    attributes: dict[str, Any]
    age_band: int
    count: int


@dataclass(frozen=True, slots=True)
class OwnSubject:
    """One of an organisation's own live indicators, as policies know it today."""

    indicator_id: int
    share_class_id: int
    attributes: ClassAttributes
    seen_day: int  # days since 1970
    age_band: int


def matching_tokens(
    session: Session, profile_id: int, tokens: Sequence[bytes], at: datetime
) -> list[Match]:
    """The postings of `tokens` of which the profile or the owner is told at the moment `at`.

    In a fixed order, so that nothing hidden can show in it. Indicators may have expired: their
    rows are to be read with `live`.
    """
    asked = list(dict.fromkeys(tokens))
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    statement = _MATCHES_POSTGRESQL if is_postgresql else _MATCHES_SQLITE
    size = len(asked) if is_postgresql else _SQLITE_CHUNK
    chunks = [asked[start : start + size] for start in range(0, len(asked), size or 1)]
    when = {"profile": profile_id, "today": day(at), "second": second(at)}
    found = [
        Match(*row)
        for chunk in chunks
        for row in statement.execute(session.connection(), {**when, "tokens": chunk})
    ]
    return sorted(found, key=lambda match: (match.indicator_id, match.token))


def visible_indicators(
    profile_id: int, at: datetime, least: int = METADATA, *, in_bulk: bool = False
) -> Select[int, int, int, bool, int, int, int]:
    """Select of indicator_id, level, grant_reason_id, tells_owner, and of what kind it is.

    That is: organisation_id, share_class_id and seen_day. To be joined as a subquery. Only live
    indicators visible at `least` or above. A list must not go below metadata: presence answers
    whoever holds the identifier already, and must not tell that others exist. What lists, counts,
    exports or feeds the records of others asks `in_bulk`: their owner must permit that.
    """
    statement = select(
        _INDICATOR.c.id.label("indicator_id"),
        ShareGrant.level,
        ShareGrant.grant_reason_id,
        ShareGrant.tells_owner,
        _INDICATOR.c.organisation_id,
        _INDICATOR.c.share_class_id,
        _INDICATOR.c.seen_day,
    )
    visible = _visible(statement, _INDICATOR, profile_id, at, least)
    return visible.where(ShareGrant.may_feed) if in_bulk else visible


def visible_classed(
    source: FromClause, profile_id: int, at: datetime, least: int = METADATA
) -> Select[Any]:
    """Select of all columns of `source` and what was decided of each row, as of an indicator.

    `source` has share_class_id, seen_day, expires_on and organisation_id. Added are level,
    grant_reason_id, tells_owner, may_screen and may_feed. To be joined as a subquery. Whoever
    lists asks for may_feed or may_screen too.
    """
    statement = select(
        *source.c,
        ShareGrant.level.label("granted_level"),
        ShareGrant.grant_reason_id,
        ShareGrant.tells_owner,
        ShareGrant.may_screen,
        ShareGrant.may_feed,
    )
    return _visible(statement, source, profile_id, at, least)


def fed_indicators() -> Select[Any]:
    """`visible_indicators` in bulk, to be made once and executed often.

    The parameters profile, today (days since 1970), on (the same day as a date), second and least
    come with the execution. Columns indicator_id, public_id, organisation_id, share_class_id,
    seen_day, amended_at, granted_level, grant_reason_id, tells_owner and may_screen.
    """
    return _fed(
        _INDICATOR,
        _INDICATOR.c.id.label("indicator_id"),
        _INDICATOR.c.public_id,
        _INDICATOR.c.organisation_id,
        _INDICATOR.c.share_class_id,
        _INDICATOR.c.seen_day,
        _INDICATOR.c.amended_at,
    )


def fed_classed(source: FromClause) -> Select[Any]:
    """`visible_classed` in bulk, with the parameters of `fed_indicators`, to be made once.

    All columns of `source`, and granted_level, grant_reason_id, tells_owner and may_screen.
    """
    return _fed(source, *source.c)


def _fed(source: FromClause, *columns: ColumnElement[Any]) -> Select[Any]:
    profile = bindparam("profile", type_=Integer)
    today = bindparam("today", type_=Integer)
    second = bindparam("second", type_=BigInteger)
    return (
        select(
            *columns,
            ShareGrant.level.label("granted_level"),
            ShareGrant.grant_reason_id,
            ShareGrant.tells_owner,
            ShareGrant.may_screen,
        )
        .join(ShareGrant, _grants(profile, today, second, source))
        .where(
            ShareGrant.level >= bindparam("least", type_=SmallInteger),
            ShareGrant.may_feed,
            live_on(source.c.expires_on),
            _reader_is_active(profile),
            source.c.organisation_id.not_in(_SUSPENDED),
        )
    )


def fed_parameters(profile_id: int, at: datetime, least: int = METADATA) -> dict[str, Any]:
    """The parameters of `fed_indicators` for a profile at the moment `at`."""
    today = day(at)
    return {
        "profile": profile_id,
        "today": today,
        "on": date_of(today),
        "second": second(at),
        "least": max(least, METADATA),
    }


def fed_windows(
    session: Session, profile_id: int, at: datetime
) -> list[tuple[int, int, int, int, bool]]:
    """What `bulk_windows` tells, each with its level and whether the profile may screen by it."""
    found = session.execute(
        select(
            ShareGrant.share_class_id,
            ShareGrant.age_min,
            ShareGrant.age_max,
            ShareGrant.level,
            ShareGrant.may_screen,
        )
        .where(
            ShareGrant.profile_id == profile_id,
            ShareGrant.valid_from <= second(at),
            ShareGrant.valid_until > second(at),
            ShareGrant.level >= METADATA,
            ShareGrant.may_feed,
            _reader_is_active(literal(profile_id)),
            ShareGrant.share_class_id.not_in(_SUSPENDED_CLASSES),
        )
        .order_by(ShareGrant.share_class_id, ShareGrant.age_min)
    )
    return [(row[0], row[1], row[2], row[3], row[4]) for row in found]


def postings_of(
    session: Session, asked: Sequence[tuple[bytes, int]]
) -> dict[int, list[tuple[int, bytes]]]:
    """Facet and token by indicator, of those of the tokens that each is posted under.

    `asked` are tokens with the inner key of an indicator that the predicate let be screened in
    this transaction: nothing is decided here.
    """
    found: dict[int, list[tuple[int, bytes]]] = {}
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        tokens, ids = zip(*asked, strict=True) if asked else ((), ())
        rows = connection.exec_driver_sql(
            _POSTINGS_POSTGRESQL, {"tokens": list(tokens), "ids": list(ids)}
        ).all()
    else:
        rows = [
            row
            for start in range(0, len(asked), _SQLITE_CHUNK)
            for row in connection.exec_driver_sql(
                _POSTINGS_SQLITE.format(
                    pairs=",".join(["(?,?)"] * len(asked[start : start + _SQLITE_CHUNK]))
                ),
                tuple(each for pair in asked[start : start + _SQLITE_CHUNK] for each in pair),
            )
        ]
    for indicator_id, facet, token in rows:
        found.setdefault(indicator_id, []).append((facet, bytes(token)))
    return found


def bulk_windows(session: Session, profile_id: int, at: datetime) -> list[tuple[int, int, int]]:
    """Each class that the profile may list at metadata at the moment `at`: class, first, last age.

    All that decides what `visible_classed` lets it list, but for the rows and the day: as long as
    these are the same, so is what it lists.
    """
    found = session.execute(
        select(ShareGrant.share_class_id, ShareGrant.age_min, ShareGrant.age_max)
        .where(
            ShareGrant.profile_id == profile_id,
            ShareGrant.valid_from <= second(at),
            ShareGrant.valid_until > second(at),
            ShareGrant.level >= METADATA,
            ShareGrant.may_feed,
            _reader_is_active(literal(profile_id)),
            ShareGrant.share_class_id.not_in(_SUSPENDED_CLASSES),
        )
        .order_by(ShareGrant.share_class_id, ShareGrant.age_min)
    )
    return [(share_class_id, first, last) for share_class_id, first, last in found]


def screening_postings(
    profile_id: int, at: datetime
) -> Select[bytes, int, int, UUID, int, bool, int, int]:
    """Select of the postings that the profile may match against parcels on its own premises.

    Columns token, facet, indicator_id, public_id, organisation_id, tells_owner, level and
    grant_reason_id, of every live indicator at `screen`, one's own too, in no order. It is read
    as a whole: no token is asked for.
    """
    statement = (
        select(
            _TOKEN.c.token,
            _TOKEN.c.facet,
            _INDICATOR.c.id.label("indicator_id"),
            _INDICATOR.c.public_id,
            _INDICATOR.c.organisation_id,
            ShareGrant.tells_owner,
            ShareGrant.level,
            ShareGrant.grant_reason_id,
        )
        .select_from(_INDICATOR)
        .join(_TOKEN, _TOKEN.c.indicator_id == _INDICATOR.c.id)
    )
    visible = _visible(statement, _INDICATOR, profile_id, at, PRESENCE)
    return visible.where(ShareGrant.may_screen)


def class_level(
    session: Session, profile_id: int, share_class_id: int, seen_day: int, at: datetime
) -> int:
    """The level at which the profile sees what is of a class and of a day; 0 for nothing.

    For what has a share class and is a single thing: a watch. What is listed goes by
    `visible_classed`.
    """
    one = select(
        literal(share_class_id).label("share_class_id"), literal(seen_day).label("seen_day")
    ).subquery()
    found = session.scalar(
        select(ShareGrant.level)
        .join(one, _grants(literal(profile_id), literal(day(at)), literal(second(at)), one))
        .where(
            _reader_is_active(literal(profile_id)), one.c.share_class_id.not_in(_SUSPENDED_CLASSES)
        )
    )
    return found or 0


def live(expires_on: Any, today: int) -> ColumnElement[bool]:
    """The condition that an indicator has not ended; it ends at the beginning of its last day."""
    condition: ColumnElement[bool] = expires_on > date_of(today)
    return condition


def live_on(expires_on: Any) -> ColumnElement[bool]:
    """`live` on the day of the parameter `on`, a date, for a statement that is made once."""
    condition: ColumnElement[bool] = expires_on > bindparam("on", type_=Date)
    return condition


def date_of(today: int) -> date:
    """The day that is so many after 1970-01-01."""
    return _EPOCH + timedelta(days=today)


def live_by_class(session: Session, organisation_id: int, at: datetime) -> list[ClassCount]:
    """An active organisation's own live indicators, counted by share class and band of age."""
    today = day(at)
    age = literal(today) - _INDICATOR.c.seen_day
    band = case(
        *((age <= last, number) for number, (_, last) in enumerate(AGE_BANDS[:-1])),
        else_=len(AGE_BANDS) - 1,
    ).label("age_band")
    counted = (
        select(_INDICATOR.c.share_class_id, band, func.count().label("count"))
        .where(
            _INDICATOR.c.organisation_id == organisation_id,
            live(_INDICATOR.c.expires_on, today),
            age >= 0,
            _INDICATOR.c.organisation_id.not_in(_SUSPENDED),
        )
        .group_by(_INDICATOR.c.share_class_id, band)
        .subquery()
    )
    rows = session.execute(
        select(
            ShareClass.organisation_id,
            ShareClass.id,
            ShareClass.attributes,
            counted.c.age_band,
            counted.c.count,
        )
        .join(counted, counted.c.share_class_id == ShareClass.id)
        .order_by(ShareClass.id, counted.c.age_band)
    )
    return [ClassCount(*row) for row in rows]


def examples(session: Session, counted: ClassCount, at: datetime, most: int) -> list[UUID]:
    """Public ids of up to `most` of the indicators that were counted, youngest first."""
    first, last = AGE_BANDS[counted.age_band]
    today = day(at)
    found = session.scalars(
        select(_INDICATOR.c.public_id)
        .where(
            _INDICATOR.c.organisation_id == counted.organisation_id,
            _INDICATOR.c.share_class_id == counted.share_class_id,
            _INDICATOR.c.seen_day.between(today - last, today - first),
            live(_INDICATOR.c.expires_on, today),
        )
        .order_by(_INDICATOR.c.seen_day.desc(), _INDICATOR.c.id.desc())
        .limit(most)
    )
    return list(found)


def own_subjects(
    session: Session, organisation_id: int, public_ids: Sequence[UUID], at: datetime
) -> dict[UUID, OwnSubject]:
    """Those of the indicators that are the organisation's own and live, by public id."""
    today = day(at)
    rows = session.execute(
        select(
            _INDICATOR.c.public_id,
            _INDICATOR.c.id,
            _INDICATOR.c.share_class_id,
            ShareClass.attributes,
            _INDICATOR.c.seen_day,
        )
        .join(ShareClass, ShareClass.id == _INDICATOR.c.share_class_id)
        .where(
            _INDICATOR.c.organisation_id == organisation_id,
            _INDICATOR.c.public_id.in_(public_ids),
            live(_INDICATOR.c.expires_on, today),
        )
    )
    return {
        public_id: OwnSubject(
            indicator_id, class_id, read_class(stored), seen_day, age_band(today - seen_day)
        )
        for public_id, indicator_id, class_id, stored, seen_day in rows
    }


# Never correlated: joined into a statement that names these tables, they must stay what they are.
_SUSPENDED = (
    select(Organisation.id).where(Organisation.status != OrganisationStatus.ACTIVE).correlate(None)
)

_SUSPENDED_CLASSES = (
    select(ShareClass.id).where(ShareClass.organisation_id.in_(_SUSPENDED)).correlate(None)
)


def _grants(profile: Any, today: Any, second: Any, posting: FromClause) -> ColumnElement[bool]:
    """The predicate: a grant of the profile for the posting's class, at its age, that holds now."""
    return and_(
        ShareGrant.profile_id == profile,
        ShareGrant.share_class_id == posting.c.share_class_id,
        (today - posting.c.seen_day).between(ShareGrant.age_min, ShareGrant.age_max),
        ShareGrant.valid_from <= second,
        ShareGrant.valid_until > second,
    )


def _visible(
    statement: Select[*Columns], source: FromClause, profile_id: int, at: datetime, least: int
) -> Select[*Columns]:
    """The statement with the predicate: rows of `source` that are live and visible at `least`."""
    return statement.join(
        ShareGrant, _grants(literal(profile_id), literal(day(at)), literal(second(at)), source)
    ).where(
        ShareGrant.level >= max(least, PRESENCE),
        # `coalesce` only keeps SQLite from an index that begins with the owner and the expiry.
        live(func.coalesce(source.c.expires_on, source.c.expires_on), day(at)),
        _reader_is_active(literal(profile_id)),
        source.c.organisation_id.not_in(_SUSPENDED),
    )


def _reader_is_active(profile: Any) -> ColumnElement[bool]:
    return exists(
        select(1)
        .select_from(Profile)
        .join(Organisation, Organisation.id == Profile.organisation_id)
        .where(Profile.id == profile, Organisation.status == OrganisationStatus.ACTIVE)
        .correlate(None)
    )


def _matches(
    source: Select[int, bytes, int, int, bool, int],
) -> Select[int, bytes, int, int, bool, int]:
    profile = bindparam("profile", type_=Integer)
    today = bindparam("today", type_=Integer)
    second = bindparam("second", type_=BigInteger)
    return source.join(ShareGrant, _grants(profile, today, second, _TOKEN)).where(
        _reader_is_active(profile), _TOKEN.c.share_class_id.not_in(_SUSPENDED_CLASSES)
    )


_MATCH = select(
    _TOKEN.c.indicator_id,
    _TOKEN.c.token,
    _TOKEN.c.facet,
    ShareGrant.level,
    ShareGrant.tells_owner,
    ShareGrant.grant_reason_id,
)

_ASKED = (
    func.unnest(bindparam("tokens", type_=ARRAY(LargeBinary)))
    .table_valued("token")
    .render_derived(name="asked")
)


def _matches_in_order() -> Select[int, bytes, int, int, bool, int]:
    """From the tokens to the covering index of `token`, and from there to the key of `share_grant`.

    In this order and no other: PostgreSQL takes the reader's grants for one row where there are
    hundreds, and would look for every token once for each of them.
    """
    profile, today, second = (
        bindparam(name, type_=kind)
        for name, kind in (("profile", Integer), ("today", Integer), ("second", BigInteger))
    )
    in_order: Any = literal_column("0")
    held = (
        select(
            _TOKEN.c.indicator_id,
            _TOKEN.c.token,
            _TOKEN.c.facet,
            _TOKEN.c.share_class_id,
            _TOKEN.c.seen_day,
        )
        .select_from(_ASKED)
        .join(_TOKEN, _TOKEN.c.token == _ASKED.c.token)
        .where(_TOKEN.c.share_class_id.not_in(_SUSPENDED_CLASSES))
        .offset(in_order)
        .subquery("held")
    )
    granted = (
        select(ShareGrant.level, ShareGrant.tells_owner, ShareGrant.grant_reason_id)
        .where(_grants(profile, today, second, held))
        .offset(in_order)
        .lateral("granted")
    )
    return (
        select(
            held.c.indicator_id,
            held.c.token,
            held.c.facet,
            granted.c.level,
            granted.c.tells_owner,
            granted.c.grant_reason_id,
        )
        .select_from(held)
        .join(granted, true())
        .where(_reader_is_active(profile))
    )


_MATCHES_POSTGRESQL = Prepared(_matches_in_order())

_MATCHES_SQLITE = Prepared(
    _matches(
        _MATCH.where(_TOKEN.c.token.in_(bindparam("tokens", type_=LargeBinary, expanding=True)))
    )
)

# A probe of the index for each; a join of thousands would be planned as a scan.
_POSTINGS_POSTGRESQL = """
    SELECT held.indicator_id, held.facet, held.token
    FROM unnest(%(tokens)b::bytea[], %(ids)b::bigint[]) AS asked (token, indicator_id)
    CROSS JOIN LATERAL (
        SELECT t.indicator_id, t.facet, t.token FROM token t
        WHERE t.token = asked.token AND t.indicator_id = asked.indicator_id OFFSET 0
    ) AS held
    """
# By a SELECT of the pairs: for a bare list of them SQLite reads the whole table.
_POSTINGS_SQLITE = """
    SELECT t.indicator_id, t.facet, t.token FROM token t
    WHERE (t.token, t.indicator_id) IN (SELECT * FROM (VALUES {pairs}))
    """

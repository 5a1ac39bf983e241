"""THE visibility predicate: what a profile may see, joined in SQL and nowhere else.

An indicator is visible to a profile when a grant for its share class covers its age today, and
both the reader's organisation and the owner are active. List, view, count, search and lookup all
ask here. It is the only reader of `token` on behalf of anybody but a token's own owner.

Age is counted from `seen_day`; one of the future is not visible yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Integer,
    LargeBinary,
    Select,
    SmallInteger,
    TableClause,
    and_,
    bindparam,
    case,
    column,
    exists,
    func,
    literal,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from app.organisations.models import Organisation, OrganisationStatus
from app.sharing.classes import AGE_BANDS
from app.sharing.models import Profile, ShareClass, ShareGrant

PRESENCE, METADATA, REQUEST = 1, 2, 3
"""Levels as a grant stores them."""

# The tables that the predicate is about belong to a floor above, whose models are not imported:
# here they are by the columns that decide.
_INDICATOR = table(
    "indicator",
    column("id", BigInteger),
    column("organisation_id", Integer),
    column("share_class_id", Integer),
    column("seen_day", SmallInteger),
    column("expires_on", Date),
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
    """A visible posting of one of the tokens that were asked for."""

    indicator_id: int
    token: bytes
    facet: int
    level: int  # 1 presence, 2 metadata, 3 request
    policy_version_id: int | None  # None: by the platform's rules alone


@dataclass(frozen=True, slots=True)
class ClassCount:
    """How many live indicators a share class has in one band of age."""

    attributes: dict[str, Any]
    age_band: int
    count: int


def matching_tokens(
    session: Session, profile_id: int, tokens: Sequence[bytes], today: int
) -> list[Match]:
    """The postings of `tokens` that the profile may see on day `today` (days since 1970).

    In a fixed order, so that nothing hidden can show in it. Indicators may have expired: their
    rows are to be read with `live`.
    """
    asked = list(dict.fromkeys(tokens))
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    statement = _MATCHES_POSTGRESQL if is_postgresql else _MATCHES_SQLITE
    size = len(asked) if is_postgresql else _SQLITE_CHUNK
    chunks = [asked[start : start + size] for start in range(0, len(asked), size or 1)]
    found = [
        Match(*row)
        for chunk in chunks
        for row in session.execute(
            statement, {"profile": profile_id, "today": today, "tokens": chunk}
        )
    ]
    return sorted(found, key=lambda match: (match.indicator_id, match.token))


def visible_indicators(
    profile_id: int, today: int, least: int = METADATA
) -> Select[int, int, int | None]:
    """Select of (indicator_id, level, policy_version_id), to be joined as a subquery.

    Only live indicators visible at `least` or above. A list must not go below metadata: presence
    answers whoever holds the identifier already, and must not tell that others exist.
    """
    return (
        select(
            _INDICATOR.c.id.label("indicator_id"),
            ShareGrant.level,
            ShareGrant.policy_version_id,
        )
        .join(
            ShareGrant,
            _grants(literal(profile_id), literal(today), _INDICATOR),
        )
        .where(
            ShareGrant.level >= least,
            live(_INDICATOR.c.expires_on, today),
            _reader_is_active(literal(profile_id)),
            _INDICATOR.c.organisation_id.not_in(_SUSPENDED),
        )
    )


def live(expires_on: Any, today: int) -> ColumnElement[bool]:
    """The condition that an indicator has not ended; it ends at the beginning of its last day."""
    condition: ColumnElement[bool] = expires_on > _EPOCH + timedelta(days=today)
    return condition


def reasons(
    session: Session, profile_id: int, indicator_ids: Sequence[int], today: int
) -> dict[int, list[str]]:
    """By which policies each indicator is visible; those that are not are left out."""
    rows = session.execute(
        select(_INDICATOR.c.id, ShareGrant.reasons)
        .join(ShareGrant, _grants(literal(profile_id), literal(today), _INDICATOR))
        .where(
            _INDICATOR.c.id.in_(indicator_ids),
            live(_INDICATOR.c.expires_on, today),
            _reader_is_active(literal(profile_id)),
            _INDICATOR.c.organisation_id.not_in(_SUSPENDED),
        )
    )
    return {indicator_id: list(found) for indicator_id, found in rows}


def live_by_class(session: Session, organisation_id: int, today: int) -> list[ClassCount]:
    """An active organisation's own live indicators, counted by share class and band of age."""
    age = literal(today) - _INDICATOR.c.seen_day
    band = case(
        *((age <= last, number) for number, (_, last) in enumerate(AGE_BANDS)),
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
        select(ShareClass.attributes, counted.c.age_band, counted.c.count).join(
            counted, counted.c.share_class_id == ShareClass.id
        )
    )
    return [ClassCount(*row) for row in rows]


# Never correlated: joined into a statement that names these tables, they must stay what they are.
_SUSPENDED = (
    select(Organisation.id).where(Organisation.status != OrganisationStatus.ACTIVE).correlate(None)
)

_SUSPENDED_CLASSES = (
    select(ShareClass.id).where(ShareClass.organisation_id.in_(_SUSPENDED)).correlate(None)
)


def _grants(profile: Any, today: Any, posting: TableClause) -> ColumnElement[bool]:
    """The predicate: a grant of the profile for the posting's class at its age."""
    return and_(
        ShareGrant.profile_id == profile,
        ShareGrant.share_class_id == posting.c.share_class_id,
        (today - posting.c.seen_day).between(ShareGrant.age_min, ShareGrant.age_max),
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
    source: Select[int, bytes, int, int, int | None],
) -> Select[int, bytes, int, int, int | None]:
    profile = bindparam("profile", type_=Integer)
    today = bindparam("today", type_=Integer)
    return source.join(ShareGrant, _grants(profile, today, _TOKEN)).where(
        _reader_is_active(profile), _TOKEN.c.share_class_id.not_in(_SUSPENDED_CLASSES)
    )


_MATCH = select(
    _TOKEN.c.indicator_id,
    _TOKEN.c.token,
    _TOKEN.c.facet,
    ShareGrant.level,
    ShareGrant.policy_version_id,
)

_ASKED = (
    func.unnest(bindparam("tokens", type_=ARRAY(LargeBinary)))
    .table_valued("token")
    .render_derived(name="asked")
)

# From the tokens to the covering index of `token`, and from there to the key of `share_grant`.
_MATCHES_POSTGRESQL = _matches(
    _MATCH.select_from(_ASKED).join(_TOKEN, _TOKEN.c.token == _ASKED.c.token)
)

_MATCHES_SQLITE = _matches(
    _MATCH.where(_TOKEN.c.token.in_(bindparam("tokens", type_=LargeBinary, expanding=True)))
)

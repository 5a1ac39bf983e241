"""Statements of lookups: candidates and their details, the record of what was asked and found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from string import Template
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    Table,
    any_,
    bindparam,
    delete,
    func,
    insert,
    select,
    tuple_,
)
from sqlalchemy.orm import Session

from app.accounts.models import PersonAccount
from app.indicators.models import Indicator, Report
from app.indicators.shared_rows import DETAILS, OWNER, Owner, owner_of
from app.lookups.models import Hit, Lookup
from app.organisations.models import Organisation
from app.prepared import Prepared
from app.sharing.models import Profile
from app.sharing.visibility import date_of, live, live_on
from app.write_behind import send_later
from postern.vocabulary import Band, LegalBasis, Purpose


@dataclass(frozen=True, slots=True)
class Candidate:
    """What scoring needs of a live indicator; bit n of a column of facets stands for facet n."""

    id: int
    organisation_id: int
    facets_stored: int
    facets_common: int


@dataclass(frozen=True, slots=True)
class Details:
    """All that may be shown of an indicator: its owner, its own columns and its report's."""

    owner: Owner
    columns: Mapping[str, Any]

    @property
    def public_id(self) -> str:
        """The indicator's, as the log names it."""
        return str(self.columns["id"])


@dataclass(frozen=True, slots=True)
class OwnLookup:
    """A lookup as its organisation reads it back; `person` is who asked, a pseudonym."""

    id: UUID
    asked_at: datetime
    person: UUID
    purpose: Purpose
    legal_basis: LegalBasis
    queries: int
    hits: int


@dataclass(frozen=True, slots=True)
class KeptHit:
    """A hit as it was answered, with what its indicator is called now."""

    query: int
    indicator_id: int
    public_id: UUID
    organisation_id: int
    owner: Owner
    level: int
    points: int
    band: Band
    grant_reason_id: int


def candidates(session: Session, ids: Sequence[int], today: int) -> dict[int, Candidate]:
    """Those of the indicators that are live on day `today` (days since 1970), by id."""
    if not ids:
        return {}
    connection = session.connection()
    statement = _CANDIDATES[connection.dialect.name]
    found = statement.execute(connection, {"ids": list(ids), "on": date_of(today)})
    return {row[0]: Candidate(*row) for row in found}


def hold_details(session: Session, ids: Sequence[int]) -> dict[int, Details]:
    """What may be shown of the indicators, by id.

    They cannot be erased until the commit; those that were since the lookup began are left out.
    """
    if not ids:
        return {}
    found: dict[int, Details] = {}
    connection = session.connection()
    statement = _DETAILS[connection.dialect.name]
    for row in statement.execute(connection, {"ids": list(ids)}):
        columns = row._asdict()
        owner = owner_of(columns)
        found[columns.pop("indicator_id")] = Details(owner, columns)
    return found


def insert_lookup(
    session: Session, row: Mapping[str, Any], hits: Sequence[Mapping[str, Any]]
) -> None:
    """Record that a lookup was asked and which indicators answered."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        send_later(session, _INSERT_LOOKUP_POSTGRESQL, row)
        if hits:
            columns = {name: [hit[name] for hit in hits] for name in _HIT_ARRAYS}
            send_later(session, _INSERT_HITS_POSTGRESQL, columns)
        return
    lookup_id = connection.execute(_INSERT_LOOKUP, row).scalar_one()
    if hits:
        connection.execute(_INSERT_HITS, [{**hit, "lookup_id": lookup_id} for hit in hits])


def page(
    session: Session, organisation_id: int, limit: int, cursor: UUID | None
) -> tuple[list[OwnLookup], UUID | None]:
    """Up to `limit` lookups of the organisation, newest first, and the next cursor."""
    wanted = (
        select(
            Lookup.public_id,
            Lookup.asked_at,
            PersonAccount.public_id,
            Profile.purpose,
            Profile.legal_basis,
            Lookup.queries,
            Lookup.hits,
        )
        .join(Profile, Profile.id == Lookup.profile_id)
        .join(PersonAccount, PersonAccount.id == Lookup.person_id)
        .where(Lookup.organisation_id == organisation_id)
        .order_by(Lookup.asked_at.desc(), Lookup.id.desc())
        .limit(limit + 1)
    )
    if cursor is not None:
        last = (
            select(Lookup.asked_at, Lookup.id)
            .where(Lookup.public_id == cursor, Lookup.organisation_id == organisation_id)
            .subquery()
        )
        wanted = wanted.join(
            last, tuple_(Lookup.asked_at, Lookup.id) < tuple_(last.c.asked_at, last.c.id)
        )
    rows = [OwnLookup(*row) for row in session.execute(wanted)]
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None


def lookup_id(session: Session, organisation_id: int, public_id: UUID) -> int | None:
    """The inner key of a lookup of the organisation; None for any other."""
    return session.scalar(
        select(Lookup.id).where(
            Lookup.public_id == public_id, Lookup.organisation_id == organisation_id
        )
    )


def kept_hits(session: Session, lookup_id: int, today: int) -> list[KeptHit]:
    """The hits of a lookup whose indicators are live on day `today` (days since 1970).

    The indicators cannot be erased until the commit.
    """
    rows = session.execute(
        select(
            Hit.query,
            Hit.indicator_id,
            Indicator.public_id,
            Indicator.organisation_id,
            Hit.level,
            Hit.points,
            Hit.band,
            Hit.grant_reason_id,
            *OWNER,
        )
        .join(Indicator, Indicator.id == Hit.indicator_id)
        .join(Organisation, Organisation.id == Indicator.organisation_id)
        .where(Hit.lookup_id == lookup_id, live(Indicator.expires_on, today))
        .order_by(Hit.indicator_id, Hit.query)
        .with_for_update(read=True, key_share=True, of=Indicator)
    )
    hits = []
    for row in rows:
        columns = row._asdict()
        hits.append(KeptHit(owner=owner_of(columns), **columns))
    return hits


def counts(
    session: Session, organisation_id: int, since: datetime
) -> list[tuple[Purpose, int, int, int]]:
    """Purpose, lookups, lookups with a hit, and hits since a moment."""
    with_hit = func.count().filter(Lookup.hits > 0)
    found = session.execute(
        select(Profile.purpose, func.count(), with_hit, func.coalesce(func.sum(Lookup.hits), 0))
        .join(Profile, Profile.id == Lookup.profile_id)
        .where(Lookup.organisation_id == organisation_id, Lookup.asked_at > since)
        .group_by(Profile.purpose)
    )
    return [(purpose, asked, hit, int(hits)) for purpose, asked, hit, hits in found]


def erase_expired(session: Session, today: date, most: int) -> dict[int, list[UUID]]:
    """Erase up to `most` lookups, with their hits, whose last day is over; owner -> which."""
    due = list(
        session.scalars(
            select(Lookup.id)
            .where(Lookup.expires_on <= today)
            .order_by(Lookup.expires_on)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
    )
    erased: dict[int, list[UUID]] = {}
    if due:
        columns = Lookup.organisation_id, Lookup.public_id
        gone = delete(Lookup).where(Lookup.id.in_(due)).returning(*columns)
        for owner, public_id in session.execute(gone):
            erased.setdefault(owner, []).append(public_id)
    return erased


# The statements of the hot path are made once and bypass the ORM.
_indicator, _report, _organisation = (
    cast("Table", model.__table__) for model in (Indicator, Report, Organisation)
)

# On PostgreSQL the ids are one array, so that the statement is the same for any number of them.
_WANTED: dict[str, ColumnElement[bool]] = {
    "sqlite": _indicator.c.id.in_(bindparam("ids", expanding=True)),
    "postgresql": _indicator.c.id == any_(bindparam("ids", type_=ARRAY(BigInteger))),
}

_CANDIDATE: Select[Any] = select(
    _indicator.c.id,
    _indicator.c.organisation_id,
    _indicator.c.facets_stored,
    _indicator.c.facets_common,
).where(live_on(_indicator.c.expires_on))

_DETAIL: Select[Any] = (
    select(_indicator.c.id.label("indicator_id"), *DETAILS)
    .join_from(_indicator, _report, _report.c.id == _indicator.c.report_id)
    .join(_organisation, _organisation.c.id == _indicator.c.organisation_id)
    .order_by(_indicator.c.id)
    .with_for_update(read=True, key_share=True, of=_indicator)
)

_CANDIDATES, _DETAILS = (
    {name: Prepared(each.where(wanted)) for name, wanted in _WANTED.items()}
    for each in (_CANDIDATE, _DETAIL)
)

_INSERT_LOOKUP = insert(cast("Table", Lookup.__table__)).returning(Lookup.__table__.c.id)
_INSERT_HITS = insert(cast("Table", Hit.__table__))

# Nothing is read of them, so they are sent with the COMMIT. In two statements, not in one: by
# row-level security a hit needs a lookup that is there already.
_INSERT_LOOKUP_POSTGRESQL = """
    INSERT INTO lookup (
      public_id, organisation_id, person_id, profile_id, asked_at, queries, hits, expires_on)
    VALUES (%(public_id)s, %(organisation_id)s, %(person_id)s, %(profile_id)s, %(asked_at)s,
      %(queries)s, %(hits)s, %(expires_on)s)
    """
_HIT_ARRAYS = {
    "query": "integer",
    "indicator_id": "bigint",
    "level": "smallint",
    "points": "integer",
    "band": "varchar",
    "grant_reason_id": "integer",
}
_INSERT_HITS_POSTGRESQL = Template(
    """
    INSERT INTO hit (lookup_id, $columns)
    SELECT currval(pg_get_serial_sequence('lookup', 'id')), * FROM unnest($arrays) AS shown
    """
).substitute(
    columns=", ".join(_HIT_ARRAYS),
    arrays=", ".join(f"%({name})s::{kind}[]" for name, kind in _HIT_ARRAYS.items()),
)

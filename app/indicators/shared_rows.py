"""Statements on the indicators that others share with a reader, all through the one predicate.

Nothing here asks about an indicator except through `app.sharing.visibility.visible_indicators`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Row, Select, Subquery, and_, func, literal, select
from sqlalchemy.orm import Session

from app.indicators.ledger import hold
from app.indicators.models import Indicator, Report
from app.indicators.own import STORED, shipment_of
from app.indicators.reading import FIRST_DAY, SHIPMENT_FIELDS
from app.organisations.models import Organisation
from app.replica import read_fresh
from app.sharing.classes import read as read_class
from app.sharing.engine import CHAIN
from app.sharing.models import ShareClass
from app.sharing.visibility import visible_indicators
from postern.vocabulary import Kind, Level, PartyRole, Substance, Tlp

_FEW = 5_000  # indicators that are sorted here


@dataclass(frozen=True, slots=True)
class Owner:
    """The organisation that holds an indicator, as others are told of it."""

    code: str
    name: str
    sector: str
    country: str


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """The report to which an indicator belongs, as others are told of it."""

    id: UUID
    barrier_step: int | None
    shipment: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SharedIndicator:
    """An indicator as it leaves at `metadata` or above; `indicator` holds the columns of STORED."""

    organisation: Owner
    level: Level
    indicator: Mapping[str, Any]
    report: ReportFacts


@dataclass(frozen=True, slots=True)
class Found:
    """A visible indicator: what may leave of it, and by what it was decided."""

    shared: SharedIndicator
    grant_reason_id: int
    tells_owner: bool
    organisation_id: int
    share_class_id: int
    seen_day: int  # days since 1970

    @property
    def public_id(self) -> UUID:
        """The indicator's, by which the log names it."""
        found: UUID = self.shared.indicator["id"]
        return found


@dataclass(frozen=True, slots=True)
class Filters:
    """What of the shared indicators is wanted; None is no matter."""

    owner: int | None = None  # id of the organisation
    kind: Kind | None = None
    role: PartyRole | None = None
    barrier_step: int | None = None
    substance: Substance | None = None  # UNKNOWN: also where the report names none
    tlp: Tlp | None = None
    seen_since: date | None = None


@dataclass(frozen=True, slots=True)
class SharedCount:
    """How many indicators of one kind and barrier step one organisation shares."""

    organisation: str
    kind: Kind
    barrier_step: int | None
    indicators: int


@dataclass(frozen=True, slots=True)
class Reader:
    """Which organisation asks, under which profile, and when."""

    organisation_id: int
    profile_id: int
    at: datetime


def page(
    session: Session, reader: Reader, filters: Filters, limit: int, cursor: UUID | None
) -> tuple[list[Found], UUID | None]:
    """Up to `limit` indicators of others that may be listed, newest first, and the next cursor.

    A cursor is a place in the order of ids and need not name anything: what ended since the page
    before leaves no gap, and what is hidden cannot be felt. What is listed cannot be erased until
    the commit.
    """
    newest = read_fresh(session, lambda on: _newest(on, reader, filters, limit + 1, cursor))
    hold(session, newest)
    wanted = _details(_visible(reader, in_bulk=True)).where(Indicator.id.in_(newest))
    found = session.execute(wanted.order_by(Indicator.public_id.desc()))
    rows = [_read(row) for row in found]
    return rows[:limit], rows[limit - 1].public_id if len(rows) > limit else None


def counts(
    session: Session, reader: Reader, filters: Filters
) -> tuple[list[SharedCount], set[int]]:
    """Exactly what `page` lists under the same filters, counted by owner, kind and step.

    With it the ids of the reasons by which it was decided.
    """
    visible = _visible(reader, in_bulk=True)
    by_class = (
        select(
            visible.c.share_class_id,
            visible.c.grant_reason_id,
            func.count().label("indicators"),
        )
        .join(ShareClass, _is_class_of(visible))
        .where(*_listed(visible, reader, filters))
        .group_by(visible.c.share_class_id, visible.c.grant_reason_id)
        .subquery()
    )
    counted: Counter[tuple[str, Kind, int | None]] = Counter()
    reasons: set[int] = set()
    by_owner = (
        select(
            Organisation.code,
            ShareClass.attributes,
            by_class.c.grant_reason_id,
            by_class.c.indicators,
        )
        .join(ShareClass, ShareClass.organisation_id == Organisation.id)
        .join(by_class, by_class.c.share_class_id == ShareClass.id)
    )
    rows = read_fresh(session, lambda on: on.execute(by_owner).all())
    for code, stored, reason_id, indicators in rows:
        reasons.add(reason_id)
        attributes = read_class(stored)
        counted[code, attributes.kind, attributes.barrier_step or None] += indicators
    kinds = list(Kind)
    ordered = sorted(counted, key=lambda of: (of[0], kinds.index(of[1]), of[2] or 0))
    return [SharedCount(*group, counted[group]) for group in ordered], reasons


def one(session: Session, reader: Reader, public_id: UUID) -> Found | None:
    """The indicator if it is visible at `metadata` or above, one's own or another's.

    It cannot be erased until the commit.
    """
    wanted = _details(_visible(reader, in_bulk=False)).where(Indicator.public_id == public_id)
    held = wanted.with_for_update(read=True, key_share=True, of=Indicator)
    rows: Sequence[Row[Any]] = session.execute(held).all()
    return _read(rows[0]) if rows else None


def of_report(session: Session, reader: Reader, report: UUID, most: int) -> list[Found]:
    """Up to `most` indicators of a report that may be listed, in a fixed order.

    They cannot be erased until the commit.
    """
    visible = _visible(reader, in_bulk=True)
    wanted = _details(visible).where(Report.public_id == report)
    found = session.execute(
        wanted.order_by(Indicator.public_id)
        .limit(most)
        .with_for_update(read=True, key_share=True, of=Indicator)
    )
    return [_read(row) for row in found]


def _visible(reader: Reader, *, in_bulk: bool) -> Subquery:
    return visible_indicators(reader.profile_id, reader.at, in_bulk=in_bulk).subquery()


def _newest(
    session: Session, reader: Reader, filters: Filters, most: int, cursor: UUID | None
) -> list[int]:
    """Inner keys of the newest `most` indicators of the list that come after the cursor.

    A few are found by their classes and sorted. To find the newest of many, ids are walked
    from the newest on; for a few that would be a walk past everything that is hidden.
    """
    visible = _visible(reader, in_bulk=True)
    later = () if cursor is None else (Indicator.public_id < cursor,)
    listed = (
        select(visible.c.indicator_id)
        .join(ShareClass, _is_class_of(visible))
        .where(*_listed(visible, reader, filters))
    )
    few = (
        listed.add_columns(Indicator.public_id)
        .join(Indicator, Indicator.id == visible.c.indicator_id)
        .where(*later)
        .limit(_FEW + 1)
        .subquery()
    )
    newest = session.execute(
        select(few.c.indicator_id, func.count().over().label("all"))
        .order_by(few.c.public_id.desc())
        .limit(most)
    ).all()
    if not newest or newest[0].all <= _FEW:
        return [row.indicator_id for row in newest]
    # OFFSET 0 keeps PostgreSQL from making one join of the two, which has no order to walk in.
    is_listed = listed.where(visible.c.indicator_id == Indicator.id).offset(0).exists()
    return list(
        session.scalars(
            select(Indicator.id)
            .where(is_listed, *later)
            .order_by(Indicator.public_id.desc())
            .limit(most)
        )
    )


def _is_class_of(visible: Subquery) -> ColumnElement[bool]:
    """The owner too, though the class alone decides it: it opens the index by owner and class."""
    return and_(
        ShareClass.id == visible.c.share_class_id,
        ShareClass.organisation_id == visible.c.organisation_id,
    )


def _listed(visible: Subquery, reader: Reader, filters: Filters) -> tuple[ColumnElement[bool], ...]:
    """The conditions of the list on `visible` and its share class: others', and the filters.

    A share class is what its indicators are, so whole classes are let through or left out.
    """
    conditions: list[ColumnElement[bool]] = [ShareClass.organisation_id != reader.organisation_id]
    if filters.owner is not None:
        conditions.append(ShareClass.organisation_id == filters.owner)
    for name in ("kind", "role", "tlp", "substance"):
        word = getattr(filters, name)
        if word is not None:
            conditions.append(ShareClass.attributes[name].as_string() == word.value)
    if filters.barrier_step is not None:
        stored = ShareClass.attributes["barrier_step"].as_integer()
        conditions.append(stored == filters.barrier_step)
    if filters.seen_since is not None:
        # As a wide integer: the column's own type does not hold every day that can be written.
        first = literal((filters.seen_since - FIRST_DAY).days, Integer)
        conditions.append(visible.c.seen_day >= first)
    return tuple(conditions)


def _details(visible: Subquery) -> Select[Any]:
    wanted: Any = select(
        visible.c.level,
        visible.c.grant_reason_id,
        visible.c.tells_owner,
        visible.c.organisation_id,
        visible.c.share_class_id,
        visible.c.seen_day,
        *DETAILS,
    )
    joined: Select[Any] = (
        wanted.select_from(visible)
        .join(Indicator, Indicator.id == visible.c.indicator_id)
        .join(Report, Report.id == Indicator.report_id)
        .join(Organisation, Organisation.id == Indicator.organisation_id)
    )
    return joined


def _read(row: Row[Any]) -> Found:
    columns = row._asdict()
    decided = {name: columns.pop(name) for name in _DECIDED}
    level = CHAIN[columns.pop("level") - 1]
    owner = owner_of(columns)
    return Found(SharedIndicator(owner, level, columns, report_of(columns)), **decided)


def owner_of(columns: dict[str, Any]) -> Owner:
    """The owner, whose columns of DETAILS are taken out."""
    return Owner(*(columns.pop(column.name) for column in OWNER))


def report_of(columns: Mapping[str, Any]) -> ReportFacts:
    """The report by the columns of DETAILS."""
    return ReportFacts(columns["report"], columns["barrier_step"], shipment_of(columns))


_DECIDED = (
    "grant_reason_id",
    "tells_owner",
    "organisation_id",
    "share_class_id",
    "seen_day",
)

OWNER = (
    Organisation.code.label("owner_code"),
    Organisation.name.label("owner_name"),
    Organisation.sector.label("owner_sector"),
    Organisation.country.label("owner_country"),
)
"""Columns of an indicator's owner, as `owner_of` reads them."""

DETAILS = (
    *OWNER,
    *STORED,
    Report.public_id.label("report"),
    Report.barrier_step,
    *(getattr(Report, name) for name in SHIPMENT_FIELDS),
)
"""All that may be shown of an indicator: its owner, its own columns and its report's."""

"""Statements on registered barriers: what of others one may know of goes through the one predicate.

Nothing here asks about another organisation's barrier except through
`app.sharing.visibility.visible_classed`. A barrier is known of where its owner's policy lets it be
fed at metadata: it is listed, and never matched against anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, Subquery, func, null, or_, select
from sqlalchemy.orm import Session

from app.barriers.models import ModelVersion, RegisteredBarrier, StoredModel
from app.indicators.shared_rows import OWNER, Owner, owner_of
from app.organisations.models import Organisation
from app.patterns.storage import Reader
from app.sharing.visibility import visible_classed


@dataclass(frozen=True, slots=True)
class FoundBarrier:
    """A barrier that the reader may know of, and by which version of which model it is told.

    `model_id` is the inner key of the model. `grant_reason_id` is None of one's own.
    """

    barrier: RegisteredBarrier
    model_id: int
    model: UUID
    version: ModelVersion
    owner: Owner
    is_own: bool
    tells_owner: bool
    level: int
    grant_reason_id: int | None


@dataclass(frozen=True, slots=True)
class BarrierFilters:
    """What is wanted of the barriers; None is no matter.

    `holds_on`: those that hold on that day. `country`: those of this country and those of none,
    which hold everywhere.
    """

    own: bool | None = None
    owner: str | None = None
    step: int | None = None
    country: str | None = None
    holds_on: date | None = None
    model: UUID | None = None


def page(
    session: Session, reader: Reader, filters: BarrierFilters, limit: int, cursor: UUID | None
) -> tuple[list[FoundBarrier], UUID | None]:
    """Up to `limit` barriers, the newest first, and the cursor of the next page."""
    wanted = _known(reader).where(*_conditions(reader, filters))
    if cursor is not None:
        wanted = wanted.where(RegisteredBarrier.public_id < cursor)
    rows = session.execute(wanted.order_by(RegisteredBarrier.public_id.desc()).limit(limit + 1))
    found = [_found(row, reader) for row in rows]
    following = found[limit - 1].barrier.public_id if len(found) > limit else None
    return found[:limit], following


def visible(
    session: Session, reader: Reader, filters: BarrierFilters | None = None
) -> list[FoundBarrier]:
    """All that the reader may know of, oldest first; an organisation has a bounded number."""
    wanted = _known(reader).where(*_conditions(reader, filters or BarrierFilters()))
    rows = session.execute(wanted.order_by(RegisteredBarrier.public_id))
    return [_found(row, reader) for row in rows]


def one(session: Session, reader: Reader, public_id: UUID) -> FoundBarrier | None:
    """The barrier if the reader may know of it."""
    rows = session.execute(_known(reader).where(RegisteredBarrier.public_id == public_id)).all()
    return _found(rows[0], reader) if rows else None


def held(session: Session, organisation_id: int, public_id: UUID) -> RegisteredBarrier | None:
    """One's own barrier, which nobody else changes until the transaction ends."""
    return session.scalar(
        select(RegisteredBarrier)
        .where(
            RegisteredBarrier.public_id == public_id,
            RegisteredBarrier.organisation_id == organisation_id,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def count(session: Session, organisation_id: int) -> int:
    """How many the organisation has."""
    counted = select(func.count()).where(RegisteredBarrier.organisation_id == organisation_id)
    return session.execute(counted).scalar_one()


_DECIDED = ("grant_reason_id", "tells_owner", "granted_level")


def _known(reader: Reader) -> Select[Any]:
    """Every barrier of which the reader may know and whose record has not ended."""
    is_own = RegisteredBarrier.organisation_id == reader.organisation_id
    lives = RegisteredBarrier.expires_on > reader.today
    if reader.profile_id is None:
        return _described([null().label(name) for name in _DECIDED]).where(is_own, lives)
    visible = _visible(reader, reader.profile_id)
    return (
        _described([visible.c[name] for name in _DECIDED])
        .outerjoin(visible, visible.c.id == RegisteredBarrier.id)
        .where(lives, or_(is_own, visible.c.id.is_not(None)))
    )


def _described(decided: Sequence[ColumnElement[Any]]) -> Select[Any]:
    wanted: Any = select(
        RegisteredBarrier, ModelVersion, StoredModel.public_id.label("model"), *decided, *OWNER
    )
    described: Select[Any] = (
        wanted.select_from(RegisteredBarrier)
        .join(ModelVersion, ModelVersion.id == RegisteredBarrier.version_id)
        .join(StoredModel, StoredModel.id == ModelVersion.model_id)
        .join(Organisation, Organisation.id == RegisteredBarrier.organisation_id)
    )
    return described


def _visible(reader: Reader, profile_id: int) -> Subquery:
    source = select(
        RegisteredBarrier.id,
        RegisteredBarrier.organisation_id,
        RegisteredBarrier.share_class_id,
        RegisteredBarrier.seen_day,
        RegisteredBarrier.expires_on,
    ).subquery("registered")
    decided = visible_classed(source, profile_id, reader.at).subquery("classed")
    return select(decided).where(decided.c.may_feed).subquery("visible_barrier")


def _conditions(reader: Reader, filters: BarrierFilters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    is_own = RegisteredBarrier.organisation_id == reader.organisation_id
    if filters.own is not None:
        conditions.append(is_own if filters.own else ~is_own)
    if filters.owner is not None:
        conditions.append(Organisation.code == filters.owner)
    if filters.step is not None:
        conditions.append(RegisteredBarrier.step == filters.step)
    if filters.country is not None:
        country = RegisteredBarrier.country
        conditions.append(or_(country.is_(None), country == filters.country))
    if filters.holds_on is not None:
        last = RegisteredBarrier.to_day
        conditions += [
            RegisteredBarrier.from_day <= filters.holds_on,
            or_(last.is_(None), last >= filters.holds_on),
        ]
    if filters.model is not None:
        conditions.append(StoredModel.public_id == filters.model)
    return conditions


def _found(row: Row[Any], reader: Reader) -> FoundBarrier:
    columns = row._asdict()
    barrier: RegisteredBarrier = columns["RegisteredBarrier"]
    version: ModelVersion = columns["ModelVersion"]
    is_own = barrier.organisation_id == reader.organisation_id
    return FoundBarrier(
        barrier=barrier,
        model_id=version.model_id,
        model=columns["model"],
        version=version,
        owner=owner_of({each.name: columns[each.name] for each in OWNER}),
        is_own=is_own,
        tells_owner=not is_own and bool(columns["tells_owner"]),
        level=columns["granted_level"] or 0,
        grant_reason_id=None if is_own else columns["grant_reason_id"],
    )

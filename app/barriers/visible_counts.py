"""What a profile may count of the last closing, by the one predicate, in a closed list of tables.

A week of a class is counted if its first and its last day are visible, in bulk and at metadata:
then all of it is, and what the board tells changes by whole weeks as records grow older. (Bands of
age are longer than six days, so that both ends cannot be visible and what lies between them not.)
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Select,
    SmallInteger,
    String,
    case,
    cast,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from app.barriers.methods.disclosure_control import Grain, Part, first_day
from app.barriers.methods.noise import KEY_BITS
from app.barriers.planning import large_joins
from app.barriers.stat_models import (
    StatCell,
    StatFace,
    StatMember,
    StatPoint,
    StatSet,
    StatSignal,
)
from app.clock import day
from app.sharing.visibility import METADATA, live, visible_classed

OTHERS = "others"
"""The one owner of all that is not one's own, for a viewer that does not compete."""

OWN = "own"
_NOTHING = Part(0, 0)

_DAYS = 7
_ENDS = (0, _DAYS - 1)
_EPOCH = date(1970, 1, 1)


class Kind(StrEnum):
    """The closed list of tables: what they count by, beside the four of weeks."""

    TOTAL = "total"
    STEP = "step"
    CORRIDOR = "corridor"  # origin and destination
    STEP_CORRIDOR = "step_corridor"
    STEP_SUBSTANCE = "step_substance"
    STEP_CONCEALMENT = "step_concealment"
    CORRIDOR_SUBSTANCE = "corridor_substance"
    SUBSTANCE = "substance"
    ORIGIN = "origin"
    ORIGIN_WEEK = "origin_week"  # by the week instead
    POINT = "point"  # country, operator and code of an induction point
    SIGNAL = "signal"  # with its step


class CellName(NamedTuple):
    """Which cell: of a period (the number of a four of weeks, or of a week), and of what.

    Step 0 and empty words are what was not told.
    """

    kind: Kind
    period: int
    step: int = 0
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Counted:
    """One's own parts and those of others, by cell."""

    own: dict[CellName, Part] = field(default_factory=dict)
    others: dict[CellName, dict[str, Part]] = field(default_factory=dict)

    def add(self, name: CellName, owner: str, part: Part) -> None:
        """Count a part in a cell; what was there before is added up."""
        if owner == OWN:
            self.own[name] = self.own.get(name, _NOTHING).plus(part)
        else:
            cell = self.others.setdefault(name, {})
            cell[owner] = cell.get(owner, _NOTHING).plus(part)


_Row = tuple[Kind, int, int, tuple[str, ...], str, Part]


def counted(
    session: Session,
    organisation_id: int,
    profile_id: int | None,
    at: datetime,
    *,
    by_owner: bool,
) -> Counted:
    """The finest cells that a reader may count at the moment `at`; without a profile one's own.

    `by_owner`: others apart, by their inner keys, as the rules for competitors need it.
    """
    found = Counted()
    for kind, period, step, words, owner, part in _rows(
        session, organisation_id, profile_id, at, by_owner=by_owner
    ):
        found.add(CellName(kind, period, step, words), owner, part)
    return found


def _rows(
    session: Session, organisation_id: int, profile_id: int | None, at: datetime, *, by_owner: bool
) -> Iterator[_Row]:
    sets = _sets(organisation_id, profile_id, at, by_owner=by_owner)
    statement = union_all(*(_counts(sets, each) for each in _TABLES))
    with large_joins(session):
        rows = session.execute(statement).all()
    for kind, period, step, one, two, three, owner, count, keys in rows:
        named = Kind(kind)
        words = (one, two, three)[: _WORDS[named]]
        yield named, period, step, words, owner, Part(count, keys % 2**KEY_BITS)


def _sets(organisation_id: int, profile_id: int | None, at: datetime, *, by_owner: bool) -> CTE:
    """The sets that may be counted, the first visible week of each, and whose they are."""
    faces = _faces(organisation_id, profile_id, at).cte("faces")
    others: ColumnElement[str] = (
        cast(StatSet.organisation_id, String) if by_owner else literal(OTHERS, String)
    )
    owner = case((StatSet.organisation_id == organisation_id, OWN), else_=others)
    return (
        select(StatSet.id, owner.label("owner"), func.min(faces.c.week).label("week"))
        .join(StatMember, StatMember.set_id == StatSet.id)
        .join(faces, faces.c.id == StatMember.face_id)
        .group_by(StatSet.id, StatSet.organisation_id)
        .cte("sets")
    )


def _faces(organisation_id: int, profile_id: int | None, at: datetime) -> Any:
    own = select(StatFace.id, StatFace.week).where(
        StatFace.organisation_id == organisation_id, live(StatFace.ends, day(at))
    )
    if profile_id is None:
        return own
    days = union_all(*(_as_of(end, organisation_id) for end in _ENDS)).subquery()
    visible = visible_classed(days, profile_id, at, METADATA).subquery()
    whole = (
        select(visible.c.id, visible.c.week)
        .where(visible.c.may_feed)
        .group_by(visible.c.id, visible.c.week)
        .having(func.min(visible.c.seen_day) < func.max(visible.c.seen_day))
    )
    return union_all(own, whole)


def _as_of(end: int, organisation_id: int) -> Any:
    """The faces of others as if all had been seen on this day of their week."""
    monday = (first_day(0) - _EPOCH).days
    faces = select(
        StatFace.id,
        StatFace.week,
        StatFace.share_class_id,
        StatFace.organisation_id,
        (StatFace.week * _DAYS + (monday + end)).label("seen_day"),
        StatFace.ends.label("expires_on"),
    )
    return faces.where(StatFace.organisation_id != organisation_id)


class _Counts(NamedTuple):
    """A table as it is counted: rows of what, by which columns, in which lengths of time."""

    kind: Kind
    model: Any
    words: tuple[Any, ...]
    step: Any = None
    grain: Grain = Grain.FOUR_WEEKS


_CORRIDOR = (StatCell.origin, StatCell.destination)
_POINT = (StatPoint.country, StatPoint.operator, StatPoint.code)
_TABLES = (
    _Counts(Kind.STEP_CORRIDOR, StatCell, _CORRIDOR, StatCell.step),
    _Counts(Kind.STEP_SUBSTANCE, StatCell, (StatCell.substance,), StatCell.step),
    _Counts(Kind.STEP_CONCEALMENT, StatCell, (StatCell.concealment,), StatCell.step),
    _Counts(Kind.CORRIDOR_SUBSTANCE, StatCell, (*_CORRIDOR, StatCell.substance)),
    _Counts(Kind.ORIGIN_WEEK, StatCell, (StatCell.origin,), grain=Grain.WEEK),
    _Counts(Kind.POINT, StatPoint, _POINT),
    _Counts(Kind.SIGNAL, StatSignal, (StatSignal.signal,), StatSignal.step),
)
_WORDS: Mapping[Kind, int] = {each.kind: len(each.words) for each in _TABLES}
_MOST_WORDS = max(_WORDS.values())


def _counts(sets: CTE, table: _Counts) -> Select[Any]:
    period = sets.c.week // int(table.grain)
    blank = literal("", String)
    words = [*table.words, *([blank] * (_MOST_WORDS - len(table.words)))]
    by_step = () if table.step is None else (table.step,)
    step = literal(0, SmallInteger) if table.step is None else table.step
    return (
        select(
            literal(table.kind.value, String).label("kind"),
            period.label("period"),
            step.label("step"),
            *(each.label(f"word_{place}") for place, each in enumerate(words)),
            sets.c.owner,
            func.sum(table.model.count).label("count"),
            cast(func.sum(table.model.keys), BigInteger).label("keys"),
        )
        .select_from(sets)
        .join(table.model, table.model.set_id == sets.c.id)
        .group_by(period, sets.c.owner, *table.words, *by_step)
    )

"""What a profile may count of the last closing, by the one predicate, in a closed list of tables.

A week of a class is counted if its first and its last day are visible, in bulk and at metadata:
then all of it is, and what the board tells changes by whole weeks as records grow older. (Bands of
age are longer than six days, so that both ends cannot be visible and what lies between them not.)
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    CompoundSelect,
    FromClause,
    Integer,
    Select,
    SmallInteger,
    String,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from app.barriers import shapes
from app.barriers.closing import newest_closing, oldest_week
from app.barriers.methods.disclosure_control import Grain, Part, first_day, week_of
from app.barriers.methods.noise import KEY_BITS
from app.barriers.planning import large_joins
from app.barriers.shapes import Span
from app.barriers.stat_models import StatCell, StatIntake, StatPoint, StatShape, StatSignal
from app.sharing.visibility import bulk_windows
from app.small_counts import LEAST

OTHERS = "others"
"""The one owner of all that is not one's own, for a viewer that does not compete."""

OWN = "own"
ELSEWHERE = "*"
"""The destination of all corridors of an origin that do not stand by themselves."""

_NOTHING = Part(0, 0)
_OWN, _OTHERS = 0, -1  # as owners in SQL; any other is the inner key of an organisation


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
            before = self.own.get(name)
            self.own[name] = part if before is None else before.plus(part)
            return
        cell = self.others.get(name)
        if cell is None:
            self.others[name] = {owner: part}
            return
        before = cell.get(owner)
        cell[owner] = part if before is None else before.plus(part)


def counted(
    session: Session,
    organisation_id: int,
    profile_id: int | None,
    at: datetime,
    *,
    by_owner: bool,
    most_corridors: int | None = None,
) -> Counted:
    """The finest cells that a reader may count at the moment `at`; without a profile one's own.

    `by_owner`: others apart, by their inner keys, as the rules for competitors need it. With
    `most_corridors` those with fewer reports are added up as ELSEWHERE, and induction points of
    which so few reports of others are told that none of them can be are left out.
    """
    week = newest_closing(session)
    if week is None:
        return Counted()
    spans = visible_spans(session, profile_id, at, week)
    seen = _seen(session, organisation_id, spans, at, week, by_owner=by_owner)
    found = Counted()
    with large_joins(session):
        for statement in _statements(session, week, seen, most_corridors):
            _add(found, session.execute(statement))
    return found


def visible_spans(
    session: Session, profile_id: int | None, at: datetime, week: int
) -> Sequence[Span]:
    """The weeks of each class that a profile may count at the moment `at`, to the closed `week`."""
    if profile_id is None:
        return ()
    elapsed = (at.date() - first_day(0)).days
    windows = bulk_windows(session, profile_id, at)
    return list(shapes.spans(windows, elapsed, oldest_week(week), week))


def classes_of_others(session: Session, organisation_id: int) -> set[int]:
    """The classes of which reports of others were counted."""
    written = session.scalars(
        select(StatShape.faces).where(StatShape.organisation_id != organisation_id)
    )
    return {face.share_class for each in written for face in shapes.read(each)}


class _Seen(NamedTuple):
    """Reports of a shape that begin in these weeks, `shift` weeks before they are seen."""

    shape_id: int
    first: int
    last: int
    shift: int
    owner: int


def _seen(
    session: Session,
    organisation_id: int,
    spans: Sequence[Span],
    at: datetime,
    week: int,
    *,
    by_owner: bool,
) -> list[_Seen]:
    today = week_of(at.date())
    of_others = shapes.by_class(spans)
    all_weeks = ((oldest_week(week), week),)
    found = []
    rows = session.execute(select(StatShape.id, StatShape.organisation_id, StatShape.faces))
    for shape_id, owner, written in rows:
        is_own = owner == organisation_id
        shown = _OWN if is_own else owner if by_owner else _OTHERS
        faces = shapes.read(written)
        own = {face.share_class: all_weeks for face in faces} if is_own else of_others
        weeks = shapes.seen_in(faces, own, today)
        found += [_Seen(shape_id, *each, shown) for each in weeks]
    return found


def _placed(
    session: Session, model: Any, week: int, visible: FromClause, names: Sequence[str]
) -> Select[Any]:
    """Counts of a table that are seen: by the first week in which they are, whose, and of what."""
    columns = [getattr(model, name) for name in names]
    placed = select(
        (model.week + visible.c.shift).label("week"),
        visible.c.owner,
        *columns,
        model.count,
        model.keys,
    ).join(
        visible,
        (visible.c.shape_id == model.shape_id)
        & model.week.between(visible.c.first, visible.c.last),
    )
    unread = select(StatIntake.id).where(or_(StatIntake.since > week, StatIntake.until <= week))
    # Mostly there are none: then each count need not be asked.
    if session.scalar(select(unread.exists())):
        placed = placed.where(model.intake_id.not_in(unread))
    return placed


def _statements(
    session: Session, week: int, seen: Sequence[_Seen], most_corridors: int | None
) -> Iterator[Select[Any] | CompoundSelect[Any]]:
    """Rows of kind, period, step, three words, owner, count and keys."""
    visible = _table_of(session, seen)
    cells = _placed(session, StatCell, week, visible, _SHIPMENT).cte("cells")
    yield _of_cells(cells, most_corridors)
    points = _placed(session, StatPoint, week, visible, _POINT).subquery()
    summed = _sums(Kind.POINT, points, _POINT)
    yield summed if most_corridors is None else _large(summed)
    signals = _placed(session, StatSignal, week, visible, ("step", "signal")).subquery()
    yield _sums(Kind.SIGNAL, signals, ("signal",), has_step=True)


def _of_cells(cells: CTE, most_corridors: int | None) -> CompoundSelect[Any]:
    destination: ColumnElement[str] = cells.c.destination
    source: FromClause = cells
    if most_corridors is not None:
        corridor = (cells.c.origin, cells.c.destination)
        largest = (
            select(*corridor)
            .group_by(*corridor)
            .order_by(func.sum(cells.c["count"]).desc(), *corridor)
            .limit(most_corridors)
            .cte("largest")
        )
        stands = (largest.c.origin == cells.c.origin) & (
            largest.c.destination == cells.c.destination
        )
        source = cells.outerjoin(largest, stands)
        destination = case((largest.c.origin.is_(None), ELSEWHERE), else_=cells.c.destination)
    # Once over all of them, and what else is asked over what that leaves.
    joint = (
        _by(cells, "step", "origin")
        .add_columns(destination.label("destination"), cells.c.substance)
        .select_from(source)
        .group_by(destination, cells.c.substance)
        .cte("joint")
    )
    return union_all(
        _sums(Kind.STEP_CORRIDOR, joint, ("origin", "destination"), has_step=True),
        _sums(Kind.CORRIDOR_SUBSTANCE, joint, ("origin", "destination", "substance")),
        _sums(Kind.STEP_SUBSTANCE, joint, ("substance",), has_step=True),
        _sums(Kind.STEP_CONCEALMENT, cells, ("concealment",), has_step=True),
        _sums(Kind.ORIGIN_WEEK, cells, ("origin",), grain=Grain.WEEK),
    )


def _by(source: FromClause, *names: str) -> Select[Any]:
    """Counts by the first week of fours that are seen, whose they are, and columns."""
    four = (source.c.week // int(Grain.FOUR_WEEKS) * int(Grain.FOUR_WEEKS)).label("week")
    columns = [source.c[name] for name in names]
    return select(
        four,
        source.c.owner,
        *columns,
        *_totals(source),
    ).group_by(four, source.c.owner, *columns)


def _sums(
    kind: Kind,
    source: FromClause,
    names: Sequence[str],
    *,
    has_step: bool = False,
    grain: Grain = Grain.FOUR_WEEKS,
) -> Select[Any]:
    period = source.c.week // int(grain)
    words = [source.c[name] for name in names]
    blank = literal("", String)
    step = source.c.step if has_step else literal(0, SmallInteger)
    return select(
        literal(kind.value, String).label("kind"),
        period.label("period"),
        step.label("step"),
        *(each.label(f"word_{place}") for place, each in enumerate(words)),
        *(blank.label(f"word_{place}") for place in range(len(words), _MOST_WORDS)),
        source.c.owner,
        *_totals(source),
    ).group_by(period, source.c.owner, *words, *([step] if has_step else []))


def _totals(source: FromClause) -> Sequence[ColumnElement[int]]:
    # PostgreSQL adds up what is BIGINT as NUMERIC.
    return [cast(func.sum(source.c[name]), BigInteger).label(name) for name in ("count", "keys")]


def _large(summed: Select[Any]) -> Select[Any]:
    """One's own, and of others what together is not below what can be told."""
    parts = summed.cte("parts")
    cell = [parts.c[f"word_{place}"] for place in range(_MOST_WORDS)]
    whole = (
        select(parts.c.period, *cell)
        .where(parts.c.owner != _OWN)
        .group_by(parts.c.period, *cell)
        .having(func.sum(parts.c["count"]) >= LEAST)
        .cte("large")
    )
    is_same = [parts.c[each.name] == whole.c[each.name] for each in (parts.c.period, *cell)]
    return (
        select(parts)
        .outerjoin(whole, and_(*is_same))
        .where(or_(parts.c.owner == _OWN, whole.c.period.is_not(None)))
    )


def _add(found: Counted, rows: Iterable[Any]) -> None:
    for kind, period, step, one, two, three, owner, count, keys in rows:
        named = _KINDS[kind]
        name = CellName(named, period, step, (one, two, three)[: _WORDS[named]])
        whose = _NAMED.get(owner) or str(owner)
        found.add(name, whose, Part(count, keys % 2**KEY_BITS))


def _table_of(session: Session, seen: Sequence[_Seen]) -> FromClause:
    """The rows as a table."""
    if session.get_bind().dialect.name == "sqlite":
        rows = func.json_each(bindparam("seen", json.dumps(seen), String)).table_valued("value")
        columns = [
            cast(func.json_extract(rows.c.value, f"$[{place}]"), Integer).label(name)
            for place, name in enumerate(_Seen._fields)
        ]
        return select(*columns).cte("visible")
    values = [[each[place] for each in seen] for place in range(len(_Seen._fields))]
    arrays = [
        bindparam(f"seen_{name}", each, ARRAY(_TYPES.get(name, SmallInteger)))
        for name, each in zip(_Seen._fields, values, strict=True)
    ]
    return func.unnest(*arrays).table_valued(*_Seen._fields).render_derived(name="visible")


_SHIPMENT = ("step", "origin", "destination", "substance", "concealment")
_POINT = ("country", "operator", "code")
_MOST_WORDS = 3
_WORDS: Mapping[Kind, int] = {
    Kind.STEP_CORRIDOR: 2,
    Kind.STEP_SUBSTANCE: 1,
    Kind.STEP_CONCEALMENT: 1,
    Kind.CORRIDOR_SUBSTANCE: 3,
    Kind.ORIGIN_WEEK: 1,
    Kind.POINT: 3,
    Kind.SIGNAL: 1,
}
_KINDS: Mapping[str, Kind] = {each.value: each for each in Kind}
_NAMED: Mapping[int, str] = {_OWN: OWN, _OTHERS: OTHERS}
_TYPES: Mapping[str, Any] = {"shape_id": BigInteger, "owner": Integer}

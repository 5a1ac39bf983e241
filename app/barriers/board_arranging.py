"""From the board to what is shown of it: series of cells, with the wordings of the model."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta

from app.barriers import model_storage
from app.barriers.analysing import Analysis, BarrierEffect
from app.barriers.barrier_storage import FoundBarrier
from app.barriers.board import Board, holds
from app.barriers.board_view import (
    BarrierView,
    BoardView,
    CorridorView,
    EffectView,
    RegisteredView,
    Row,
    Series,
    SideView,
    SignalView,
    StepView,
    Words,
)
from app.barriers.methods.changes import Rival
from app.barriers.methods.disclosure_control import ERROR, Grain, first_day
from app.barriers.model import Step
from app.barriers.registering import StepGap
from app.barriers.visible_counts import Kind
from app.small_counts import Counts

_FOUR = Grain.FOUR_WEEKS

_Rows = Mapping[Kind, Mapping[tuple[int, Words], Series]]
"""The series of each table, by step and words."""


def arranged(found: Board, *, asked_others: bool) -> BoardView:
    """The board as it is shown; `asked_others` says whether it was asked for with a purpose."""
    rows = _series(found)
    registered = {
        str(each.barrier.public_id): _registered(each, found.on) for each in found.barriers
    }
    steps = [
        _step(found, rows, step, gap)
        for step, gap in zip(found.document.steps, found.gaps, strict=True)
    ]
    return BoardView(
        as_of=found.as_of,
        periods=[first_day(period * _FOUR) for period in found.periods],
        error=ERROR,
        asked_others=asked_others,
        sees_others=found.told.sees_others,
        model=found.model,
        version=found.version,
        document=found.document,
        total=rows[Kind.TOTAL].get((0, ()), _nothing(found)),
        unplaced=_unplaced(rows, {each.number for each in steps}, _nothing(found)),
        steps=steps,
        corridors=_corridors(found, rows),
        origins=_table(rows, Kind.ORIGIN),
        substances=_table(rows, Kind.SUBSTANCE),
        points=_table(rows, Kind.POINT),
        own=_side(found.own, registered),
        others=_side(found.others, registered),
        registered=list(registered.values()),
        unplaced_outcomes=found.outcomes.get(0, Counts()),
    )


def _series(found: Board) -> _Rows:
    own, others = found.told.own, found.told.others
    names = {name._replace(period=0) for name in (*own, *others) if name.kind in _IN_FOURS}
    rows: dict[Kind, dict[tuple[int, Words], Series]] = defaultdict(dict)
    for row in sorted(names):
        cells = [row._replace(period=period) for period in found.periods]
        figures = [others.get(each) for each in cells]
        rows[row.kind][row.step, row.words] = Series(
            tuple(own.get(each, 0) for each in cells),
            tuple(None if each is None else each.count for each in figures),
        )
    return rows


_IN_FOURS = frozenset(Kind) - {Kind.ORIGIN_WEEK}


def _nothing(found: Board) -> Series:
    return Series((0,) * len(found.periods), (None,) * len(found.periods))


def _unplaced(rows: _Rows, numbers: set[int], nothing: Series) -> Series:
    """Reports without a step; those of steps beyond the model are one's own alone, added up."""
    places = rows[Kind.STEP]
    found = places.get((0, ()), nothing)
    beyond = [each.own for (step, _), each in places.items() if step and step not in numbers]
    return Series(tuple(map(sum, zip(found.own, *beyond, strict=True))), found.others)


def _table(rows: _Rows, kind: Kind, step: int = 0) -> list[Row]:
    """The rows of a table that have anything to tell, the largest first."""
    found = [
        Row(words, series)
        for (number, words), series in rows[kind].items()
        if number == step and not series.is_empty
    ]
    return sorted(found, key=lambda row: (*_size(row.series), row.words))


def _size(series: Series) -> tuple[int, int]:
    return -(series.others_year or 0), -series.own_year


def _step(found: Board, rows: _Rows, step: Step, gap: StepGap) -> StepView:
    number = step.number
    texts = {each.key: each.text for each in step.barriers}
    return StepView(
        number=number,
        key=step.key,
        title=step.title,
        summary=step.summary,
        reports=rows[Kind.STEP].get((number, ()), _nothing(found)),
        signals=_signals(found, rows, step),
        own=found.own.steps.get(number),
        others=found.others.steps.get(number),
        outcomes=found.outcomes.get(number, Counts()),
        barriers=[BarrierView(key, texts[key], held) for key, held in gap.held.items()],
        corridors=_table(rows, Kind.STEP_CORRIDOR, number),
        substances=_table(rows, Kind.STEP_SUBSTANCE, number),
        concealments=_table(rows, Kind.STEP_CONCEALMENT, number),
    )


def _signals(found: Board, rows: _Rows, step: Step) -> list[SignalView]:
    """Those of the model, and of tags by other versions; the most seen first."""
    series = {
        words[0]: each
        for (number, words), each in rows[Kind.SIGNAL].items()
        if number == step.number
    }
    texts = {each.key: each.text for each in step.signals}
    signals = [
        SignalView(key, texts.get(key), series.get(key, _nothing(found)))
        for key in (*texts, *(each for each in series if each not in texts))
    ]
    return sorted(signals, key=lambda each: _size(each.series))


def _corridors(found: Board, rows: _Rows) -> list[CorridorView]:
    substances: dict[Words, list[Row]] = defaultdict(list)
    for row in _table(rows, Kind.CORRIDOR_SUBSTANCE):
        substances[row.words[:2]].append(Row(row.words[2:], row.series))
    return [
        CorridorView(
            origin=row.words[0],
            destination=row.words[1],
            reports=row.series,
            substances=substances[row.words],
            own=found.own.corridors.get(row.words),
            others=found.others.corridors.get(row.words),
        )
        for row in _table(rows, Kind.CORRIDOR)
    ]


def _registered(found: FoundBarrier, on: date) -> RegisteredView:
    row = found.barrier
    step = model_storage.read_kept(found.version).steps[row.step - 1]
    point = (row.country or "", row.point_operator or "", row.point_code or "")
    return RegisteredView(
        id=row.public_id,
        key=row.barrier_key,
        step=row.step,
        text=next(each.text for each in step.barriers if each.key == row.barrier_key),
        country=row.country,
        point=point if row.point_code else None,
        from_day=row.from_day,
        to_day=row.to_day,
        owner=found.owner,
        is_own=found.is_own,
        holds=holds(found, on),
    )


def _side(found: Analysis, registered: Mapping[str, RegisteredView]) -> SideView:
    if not found.periods:
        return SideView(None, None, None, None, ())
    return SideView(
        since=first_day(found.periods[0] * _FOUR),
        until=first_day((found.periods[-1] + 1) * _FOUR) - timedelta(days=1),
        changed=found.changed,
        displacement=found.displacement,
        effects=[_effect(each, registered) for each in found.effects],
    )


def _effect(found: BarrierEffect, registered: Mapping[str, RegisteredView]) -> EffectView:
    named = [each.whose for each in found.changes if each.rival is Rival.OTHER_BARRIER]
    return EffectView(registered[found.barrier], found, {key: registered[key] for key in named})

"""All cells of the board, and what of them is told: own ones exactly, others' protected.

A report lies in about a dozen cells, each of one period that does not change its length: that is
what bounds what attacks gain (docs/barrier-methods.md). No filter can be asked for. Cells of
different periods have no sum in common, so that each period is protected by itself, which is the
same as all at once and faster.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.barriers.methods.disclosure_control import Figure, Grain, Part, Table, told
from app.barriers.visible_counts import ELSEWHERE, OWN, CellName, Counted, Kind

MOST_CORRIDORS = 24
"""Those with most reports stand by themselves; the others are added up by their origin."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a viewer is told: own counts, and those of others that can be."""

    own: Mapping[CellName, int]
    others: Mapping[CellName, Figure]
    sees_others: bool  # whether any report of others may be counted at all


def told_cells(found: Counted, *, competes: bool) -> Told:
    """What is told of the finest cells and of the sums that the board shows of them."""
    cells = summed(found)
    others: dict[CellName, Figure] = {}
    for period in periods_of(cells.others):
        # In a fixed order: which further cells are left out must not change by asking again.
        names = sorted(period) if competes else period
        tables = list(tables_of(names)) if competes else ()
        shown = told({name: cells.others[name] for name in names}, tables, competes=competes)
        others |= {name: figure for name, figure in shown.items() if figure is not None}
    own = {name: part.count for name, part in cells.own.items()}
    return Told(own, others, bool(found.others))


def summed(found: Counted) -> Counted:
    """The finest cells with small corridors added up, and all sums that are shown of them."""
    chosen = _corridors(found)
    cells = Counted()
    for name, owner, part in _parts(found):
        for each in _shown_in(name, chosen):
            cells.add(each, owner, part)
    return cells


def _corridors(found: Counted) -> set[tuple[str, ...]]:
    sizes: Counter[tuple[str, ...]] = Counter()
    for name, _, part in _parts(found):
        if name.kind is Kind.STEP_CORRIDOR and ELSEWHERE not in name.words:
            sizes[name.words] += part.count
    largest = sorted(sizes, key=lambda words: (-sizes[words], words))
    return set(largest[:MOST_CORRIDORS])


def _parts(found: Counted) -> Iterator[tuple[CellName, str, Part]]:
    yield from ((name, OWN, part) for name, part in found.own.items())
    for name, cell in found.others.items():
        yield from ((name, owner, part) for owner, part in cell.items())


def _shown_in(name: CellName, chosen: set[tuple[str, ...]]) -> Iterator[CellName]:
    """The cells of the board that a finest cell is a part of."""
    kind, period, step, words = name
    if kind is Kind.STEP_CORRIDOR:
        corridor = _corridor(words, chosen)
        yield CellName(Kind.TOTAL, period)
        yield CellName(Kind.STEP, period, step)
        yield CellName(Kind.ORIGIN, period, 0, corridor[:1])
        yield CellName(Kind.CORRIDOR, period, 0, corridor)
        yield CellName(kind, period, step, corridor)
    elif kind is Kind.CORRIDOR_SUBSTANCE:
        corridor, substance = _corridor(words[:2], chosen), words[2]
        yield CellName(kind, period, 0, (*corridor, substance))
    elif kind is Kind.STEP_SUBSTANCE:
        yield CellName(Kind.SUBSTANCE, period, 0, words)
        yield name
    else:
        yield name


def _corridor(words: tuple[str, ...], chosen: set[tuple[str, ...]]) -> tuple[str, ...]:
    return words if words in chosen else (words[0], ELSEWHERE)


def periods_of(cells: Mapping[CellName, object]) -> Iterator[list[CellName]]:
    """The cells of each four of weeks, with those of its weeks."""
    periods: dict[int, list[CellName]] = defaultdict(list)
    for name in cells:
        is_week = name.kind is Kind.ORIGIN_WEEK
        periods[name.period // Grain.FOUR_WEEKS if is_week else name.period].append(name)
    yield from periods.values()


def tables_of(period: Sequence[CellName]) -> Iterator[Table[CellName]]:
    """All sums that hold among the cells of one period.

    Signals and points are in none: a report may show several, or none.
    """
    parts: dict[tuple[CellName, Kind], list[CellName]] = defaultdict(list)
    for name in period:
        for total in _totals(name):
            parts[total, name.kind].append(name)
    for (total, _), names in parts.items():
        yield Table(total, names)


def _totals(name: CellName) -> Iterator[CellName]:
    """The cells that are the sums of this one and others of its kind."""
    kind, period, step, words = name
    if kind in {Kind.STEP, Kind.ORIGIN, Kind.SUBSTANCE}:
        yield CellName(Kind.TOTAL, period)
    elif kind is Kind.CORRIDOR:
        yield CellName(Kind.ORIGIN, period, 0, words[:1])
    elif kind is Kind.ORIGIN_WEEK:
        yield CellName(Kind.ORIGIN, period // Grain.FOUR_WEEKS, 0, words)
    elif kind is Kind.STEP_CORRIDOR:
        yield CellName(Kind.STEP, period, step)
        yield CellName(Kind.CORRIDOR, period, 0, words)
    elif kind is Kind.STEP_SUBSTANCE:
        yield CellName(Kind.STEP, period, step)
        yield CellName(Kind.SUBSTANCE, period, 0, words)
    elif kind is Kind.STEP_CONCEALMENT:
        yield CellName(Kind.STEP, period, step)
    elif kind is Kind.CORRIDOR_SUBSTANCE:
        yield CellName(Kind.CORRIDOR, period, 0, words[:2])
        yield CellName(Kind.SUBSTANCE, period, 0, words[2:])

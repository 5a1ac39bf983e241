"""Counts of what is not one's own, made safe to show without writing who got what.

What is told of a cell (a set of reports of other organisations):

- a count below LEAST is not told, nor one that falls below it by its noise, nor a zero;
- any other has the noise of its set (noise.py). A total has its own noise: it is not the sum of
  its parts, so that a part cannot be had by subtracting;
- to an organisation that competes (an operator) a cell is told only if at least TWO others
  contribute, and those beside the largest at least DOMINANCE of the largest (the p % rule; A.
  Hundepool and others, "Statistical Disclosure Control", 2012, ch. 4). Noise of a few does not hide
  a competitor's hundreds, so cells from which such a cell could be subtracted are not told either.

Why a cell is not told is not told. Counts are of what was there when the last week closed
(`closed_week`), in weeks, fours of weeks and years of 52 weeks that lie within each other
(`Grain`): with windows of free length, or counts at any moment, each new report could be watched
coming in. docs/barrier-methods.md says what attacks still gain.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum
from math import sqrt
from typing import Generic, TypeVar

from app.barriers.methods.distributions import quantile
from app.barriers.methods.noise import KEY_BITS, VARIANCE, noise
from app.small_counts import LEAST

TWO = 2
DOMINANCE = 0.2
WEIGHTY = 2 * LEAST
"""Contributions up to this are hidden by the noise of a difference, which is of two cells."""

ERROR = quantile() * sqrt(VARIANCE)
"""A told count is within this of the true one, in 95 of 100 cases."""

Key = TypeVar("Key", bound=Hashable)


class Grain(IntEnum):
    """Lengths of time that counts are told for, in weeks; each divides the next."""

    WEEK = 1
    FOUR_WEEKS = 4
    YEAR = 52


@dataclass(frozen=True, slots=True)
class Part:
    """What one organisation contributes to a cell: how many, and the sum of their keys."""

    count: int
    keys: int

    def plus(self, other: "Part") -> "Part":
        return Part(self.count + other.count, (self.keys + other.keys) % 2**KEY_BITS)


Cell = Mapping[str, Part]
"""By organisation; the viewer's own is not in it."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A count as it is told; it is within `error` of the true one in 95 of 100 cases."""

    count: int
    error: float = ERROR


@dataclass(frozen=True, slots=True)
class Table(Generic[Key]):
    """That the cell `total` is the sum of the cells `parts`: what could be subtracted."""

    total: Key
    parts: Sequence[Key]


def told(
    cells: Mapping[Key, Cell], tables: Sequence[Table[Key]], *, competes: bool
) -> dict[Key, Figure | None]:
    """What a viewer is told of each cell; None: not told.

    `tables` are all sums that hold among `cells`, of all that the viewer can be shown, not only of
    one page: cells that are shown on another page can be subtracted too.
    """
    figures = {key: figure(cell) for key, cell in cells.items()}
    hidden = {key for key, found in figures.items() if found is None}
    if competes:
        hidden |= {key for key, cell in cells.items() if not _is_mixed(cell)}
        betrayed = {key for key in hidden if _betrays(cells[key])}
        _hide_more(cells, tables, hidden, betrayed)
    return {key: None if key in hidden else found for key, found in figures.items()}


def figure(cell: Cell) -> Figure | None:
    """The count of a cell with its noise, for a viewer that does not compete; None: not told."""
    whole = whole_of([cell])
    count = whole.count + noise(whole.keys)
    return Figure(count) if min(whole.count, count) >= LEAST else None


def whole_of(cells: Iterable[Cell]) -> Part:
    """All contributions of all organisations together."""
    count = keys = 0
    for cell in cells:
        for part in cell.values():
            count += part.count
            keys += part.keys
    return Part(count, keys % 2**KEY_BITS)


def closed_week(today: date) -> int:
    """The number of the last week that is over; weeks begin on Monday, week 0 on 1 January 2024."""
    return (today - _FIRST).days // 7 - 1


def week_of(day: date) -> int:
    """The number of a day's week."""
    return (day - _FIRST).days // 7


def first_day(week: int) -> date:
    """The Monday of a week."""
    return _FIRST + timedelta(weeks=week)


def period_of(week: int, grain: Grain) -> int:
    """The number of the period of this length that a week lies in."""
    return week // grain


def finest(
    series: Mapping[Grain, Mapping[str, Sequence[Figure | None]]],
) -> tuple[Grain, dict[str, list[float]]]:
    """The counts in the shortest periods in which each of all series is told; else in the longest.

    A series with a count that is not told is left out. Methods see these counts and no others: what
    can't be told can't be learned from a figure that was computed of it. Raises ValueError where
    no length is given.
    """
    for grain in sorted(series):
        counts = {name: _counts(figures) for name, figures in series[grain].items()}
        complete = {name: each for name, each in counts.items() if each is not None}
        if len(complete) == len(counts) or grain == max(series):
            return grain, complete
    raise ValueError("There is no length of time to count in. Give at least one.")


def _counts(figures: Sequence[Figure | None]) -> list[float] | None:
    shown = [float(each.count) for each in figures if each is not None]
    return shown if len(shown) == len(figures) else None


def computable(tables: Sequence[Table[Key]], hidden: Set[Key]) -> set[Key]:
    """The hidden cells that sums and differences of told ones over all tables give exactly.

    Each table is an equation of its hidden cells; one that stands alone in a row of the reduced
    system is determined (Gauss and Jordan, modulo a prime, so that nothing is rounded).
    """
    rows: dict[Key, dict[Key, int]] = {}
    for table in tables:
        row = {key: 1 for key in table.parts if key in hidden}
        if table.total in hidden:
            row[table.total] = _PRIME - 1
        for key in [key for key in row if key in rows]:
            _subtract(row, rows[key], row[key])
        if row:
            pivot, factor = next(iter(row.items()))
            inverse = pow(factor, -1, _PRIME)
            row = {key: n * inverse % _PRIME for key, n in row.items()}
            for other in rows.values():
                if pivot in other:
                    _subtract(other, row, other[pivot])
            rows[pivot] = row
    return {pivot for pivot, row in rows.items() if len(row) == 1}


def _subtract(row: dict[Key, int], other: Mapping[Key, int], times: int) -> None:
    for key, n in other.items():
        left = (row.get(key, 0) - times * n) % _PRIME
        if left:
            row[key] = left
        else:
            row.pop(key, None)


_FIRST = date(2024, 1, 1)
_PRIME = 2**61 - 1


def _is_mixed(cell: Cell) -> bool:
    """Whether no single organisation's number can be read from the cell's: the p % rule."""
    counts = sorted(part.count for part in cell.values() if part.count)
    return len(counts) >= TWO and sum(counts[:-1]) >= DOMINANCE * counts[-1]


def _betrays(cell: Cell) -> bool:
    """Whether knowing the cell within its noise would tell one organisation's number."""
    largest = max((part.count for part in cell.values()), default=0)
    return largest > WEIGHTY and not _is_mixed(cell)


def _hide_more(
    cells: Mapping[Key, Cell],
    tables: Sequence[Table[Key]],
    hidden: set[Key],
    betrayed: Set[Key],
) -> None:
    """Hide cells until none of `betrayed` can be computed by adding and subtracting."""
    sizes = {key: whole_of([cell]).count for key, cell in cells.items()}
    filled = [
        Table(each.total, sorted(filter(sizes.get, each.parts), key=sizes.__getitem__))
        for each in tables
    ]
    kept = set(betrayed)
    while True:
        _hide_in_each(cells, filled, hidden, kept)
        still = computable(filled, hidden) & betrayed
        near = [t for t in filled if still & {t.total, *t.parts}] if still else []
        left = {key for t in near or filled for key in (t.total, *t.parts)} - hidden
        if not still or not left:
            return
        more = min(left, key=lambda key: (sizes[key], str(key)))
        hidden.add(more)
        kept.add(more)


def _hide_in_each(
    cells: Mapping[Key, Cell], tables: Sequence[Table[Key]], hidden: set[Key], kept: set[Key]
) -> None:
    """Hide cells until no table by itself gives away one of `kept`, and until nothing changes.

    What is hidden for the sake of another is to be kept from subtraction like that one.
    """
    changed = True
    while changed:
        changed = False
        for table in tables:
            gone = [key for key in table.parts if key in hidden]
            if table.total in hidden:
                is_open = table.total in kept and not gone
            else:
                alone = len(gone) == 1 and gone[0] in kept
                is_open = alone or _betrays(_joined(cells[key] for key in gone))
            if is_open and len(gone) < len(table.parts):
                more = next(key for key in table.parts if key not in hidden)
                hidden.add(more)
                kept.add(more)
                changed = True


def _joined(cells: Iterable[Cell]) -> dict[str, Part]:
    joined: dict[str, Part] = {}
    for cell in cells:
        for owner, part in cell.items():
            joined[owner] = joined[owner].plus(part) if owner in joined else part
    return joined

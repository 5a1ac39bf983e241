"""Small counts: hidden, and so that no sum, difference or remainder gives them away.

Nothing here reads a database. A count from one to four speaks of cases that somebody may recognise.
It must not be told, and not be left to be computed:

- every row has at least LEAST outcomes; what is in smaller ones is added up in one row "all others"
  (with the smallest of the shown ones, if the small ones together are too few);
- a step is told only if every wider step that is told was taken as often, or at least LEAST times
  more: those that lie between can be subtracted;
- where one result of a row is small, only `found` can be told of its results;
- the sum of a column is told only if it leaves nothing for the rows that hide theirs, or at least
  LEAST in at least two of them, and what these lack to each wider step is not small either; of
  `not_found` and `error` only if it leaves nothing.

A hidden count is None. A count below LEAST is always hidden; that none is left may show.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from math import sqrt
from typing import Generic, TypeVar

LEAST = 5
"""The smallest count that is told."""

Key = TypeVar("Key")

_Z = 1.959963984540054  # of the normal distribution: 95 % lie within


@dataclass(frozen=True, slots=True)
class Counts:
    """Outcomes of one kind of indicator, or of one pattern: of how many each step was taken.

    found <= examined <= located <= told and held <= located hold for what was accepted; the rest
    of the results is pending.
    """

    told: int = 0
    asked: int = 0
    located: int = 0
    held: int = 0
    examined: int = 0
    found: int = 0
    not_found: int = 0
    error: int = 0

    @property
    def pending(self) -> int:
        return self.told - self.found - self.not_found - self.error

    def plus(self, other: "Counts") -> "Counts":
        return Counts(
            *(getattr(self, each.name) + getattr(other, each.name) for each in fields(self))
        )


@dataclass(frozen=True, slots=True)
class Interval:
    """The share of `found` in `examined`, and what it lies within with 95 % confidence."""

    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Row(Generic[Key]):
    """One row as it is told; `key` is None for all others together. None: not told."""

    key: Key | None
    told: int
    asked: int | None
    located: int | None
    held: int | None
    examined: int | None
    found: int | None
    not_found: int | None
    error: int | None

    @property
    def precision(self) -> Interval | None:
        """Of those that were examined, in how many something was found; Wilson's interval."""
        if self.found is None or self.examined is None:
            return None
        return wilson(self.found, self.examined)


@dataclass(frozen=True, slots=True)
class Table(Generic[Key]):
    """What is told: rows and their sum; `total` is None where there are too few outcomes."""

    rows: Sequence[Row[Key]]
    total: Row[Key] | None


def told(counted: Mapping[Key, Counts]) -> Table[Key]:
    """What of the counts may be told, in the order of the keys."""
    rows = _merged(counted)
    if not rows:
        return Table((), None)
    shown = [(counts, _cells(counts)) for _, counts in rows]
    whole = sum_of(counts for _, counts in rows)
    total = {
        column: cell if _sum_may_be_told(column, shown) else None
        for column, cell in _cells(whole).items()
    }
    return Table(
        [
            Row(key, counts.told, **cells)
            for (key, _), (counts, cells) in zip(rows, shown, strict=True)
        ],
        Row(None, whole.told, **total),
    )


def wilson(hits: int, trials: int) -> Interval:
    """Wilson's score interval of `hits` in `trials` at 95 %.

    E. B. Wilson, "Probable inference", J. Am. Stat. Assoc. 22 (1927), 209-212.
    """
    share = hits / trials
    spread = 1 + _Z**2 / trials
    middle = (share + _Z**2 / (2 * trials)) / spread
    half = _Z * sqrt(share * (1 - share) / trials + _Z**2 / (4 * trials**2)) / spread
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half))


def sum_of(counts: Iterable[Counts]) -> Counts:
    """All of them together."""
    found = Counts()
    for each in counts:
        found = found.plus(each)
    return found


_WIDER: Mapping[str, tuple[str, ...]] = {
    "asked": ("told",),
    "located": ("told",),
    "held": ("told", "located"),
    "examined": ("told", "located"),
    "found": ("told", "located", "examined"),
    "not_found": ("told",),
    "error": ("told",),
}
"""Of each column those that count as much or more, the widest first."""

_OTHER_RESULTS = ("not_found", "error")

_Cells = dict[str, int | None]


def _merged(counted: Mapping[Key, Counts]) -> list[tuple[Key | None, Counts]]:
    """The rows that are large enough, and one of all others; none where all are too few."""
    rows: list[tuple[Key | None, Counts]] = [
        (key, counts) for key, counts in counted.items() if counts.told
    ]
    small = [row for row in rows if row[1].told < LEAST]
    large = [row for row in rows if row[1].told >= LEAST]
    if not small:
        return large
    others = sum_of(counts for _, counts in small)
    if others.told < LEAST:
        if not large:
            return []
        least = min(large, key=lambda row: row[1].told)
        large.remove(least)
        others = others.plus(least[1])
    return [*large, (None, others)]


def _cells(counts: Counts) -> _Cells:
    """What may be told of a row that stands alone."""
    cells: _Cells = {}
    for column, wider in _WIDER.items():
        count = getattr(counts, column)
        above = [counts.told if name == "told" else cells[name] for name in wider]
        lacking = [each - count for each in above if each is not None]
        is_told = count >= LEAST and not any(_is_small(each) for each in lacking)
        cells[column] = count if is_told else None
    results = counts.found, counts.not_found, counts.error, counts.pending
    found_is_hidden = cells["found"] is None and counts.found >= LEAST
    if found_is_hidden or any(_is_small(each) for each in results):
        cells.update(dict.fromkeys(_OTHER_RESULTS))
    return cells


def _sum_may_be_told(column: str, shown: Sequence[tuple[Counts, _Cells]]) -> bool:
    hiding = [counts for counts, cells in shown if cells[column] is None]
    left = [count for counts in hiding if (count := getattr(counts, column))]
    if not left:
        return True
    # A row that hides a zero hides nothing: it may be known otherwise that there is none.
    if column in _OTHER_RESULTS or len(left) == 1 or _is_small(sum(left)):
        return False
    return not any(
        _is_small(sum(getattr(counts, wider) - getattr(counts, column) for counts in hiding))
        for wider in _WIDER[column]
    )


def _is_small(count: int) -> bool:
    return 0 < count < LEAST

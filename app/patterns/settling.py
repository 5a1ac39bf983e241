"""What is told of outcomes as they come in: so that no two tables differ by a small count.

Whoever reads the figures today and tomorrow subtracts. So what one organisation told is shown only
together with as much of others that every count which is shown stays as it is or grows by LEAST or
more; until then the older table stands. Nothing here reads a database.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import TypeVar

from app.patterns.counting import Examined
from app.small_counts import LEAST, Counts, Row, Table, told

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Settled:
    """A sum that may be shown; `has_parts`: what was not found and what was wrong as well."""

    counts: Examined
    has_parts: bool


_NOTHING = Examined(0, 0, 0, 0)


def settled(steps: Iterable[Examined]) -> Settled:
    """The newest sum of the first of these counts that may follow all sums shown before it."""
    sum_ = shown = _NOTHING
    has_parts = True
    known: dict[str, int] = {}  # what was shown last of each count
    for step in steps:
        sum_ = _plus(sum_, step)
        main, parts = _shown(sum_)
        if _may_follow(known, main):
            shown = sum_
            known |= main
            has_parts = _may_follow(known, parts)
            if has_parts:
                known |= parts
    return Settled(shown, has_parts)


def table(steps: Mapping[Key, Sequence[Examined]]) -> Table[Key]:
    """The table of all keys, each with its counts in the order in which they came in.

    Small ones are left out, not added up: a sum would change by little. For the same reason a sum
    is told only of a column that every row tells.
    """
    found = {key: settled(of_key) for key, of_key in steps.items()}
    shown = {key: each for key, each in found.items() if each.counts.examined >= LEAST}
    made = told({key: _counts(each.counts) for key, each in shown.items()})
    rows = [
        each if each.key is None or shown[each.key].has_parts else _without_parts(each)
        for each in made.rows
    ]
    total = made.total
    if total is not None:
        total = replace(
            total,
            examined=_unless_hidden(total.examined, (each.examined for each in rows)),
            found=_unless_hidden(total.found, (each.found for each in rows)),
            not_found=_unless_hidden(total.not_found, (each.not_found for each in rows)),
            error=_unless_hidden(total.error, (each.error for each in rows)),
        )
    return Table(rows, total)


def _unless_hidden(total: int | None, of_rows: Iterable[int | None]) -> int | None:
    return None if None in of_rows else total


def _shown(counts: Examined) -> tuple[dict[str, int], dict[str, int]]:
    """What a table of this sum alone shows: with what follows from it, and of its parts."""
    main: dict[str, int] = {}
    parts: dict[str, int] = {}
    for row in told({0: _counts(counts)}).rows:
        main["examined"] = counts.examined
        if row.found is not None:
            main |= {"found": counts.found, "others": counts.examined - counts.found}
        if row.not_found is not None:
            parts["not_found"] = counts.not_found
        if row.error is not None:
            parts["wrong"] = counts.wrong
    return main, parts


def _may_follow(known: Mapping[str, int], shown: Mapping[str, int]) -> bool:
    """Whether each count is new, stays, or grows by enough."""
    return all(
        name not in known or count == known[name] or count - known[name] >= LEAST
        for name, count in shown.items()
    )


def sum_of(counts: Iterable[Examined]) -> Examined:
    """All of them together."""
    return reduce(_plus, counts, _NOTHING)


def _plus(one: Examined, other: Examined) -> Examined:
    return Examined(
        one.examined + other.examined,
        one.found + other.found,
        one.not_found + other.not_found,
        one.wrong + other.wrong,
    )


def _counts(counts: Examined) -> Counts:
    return Counts(
        told=counts.examined,
        located=counts.examined,
        examined=counts.examined,
        found=counts.found,
        not_found=counts.not_found,
        error=counts.wrong,
    )


def _without_parts(row: Row[Key]) -> Row[Key]:
    return replace(row, not_found=None, error=None)

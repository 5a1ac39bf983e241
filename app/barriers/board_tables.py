"""Tables of the board as pages show them: rows over time, of those that can be drawn."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from app.barriers.board_view import BoardView, Row, Series, SideName, Words

MOST_LINES = 5
"""As many lines as one can tell apart."""

MOST_BARS = 15
"""As many rows as one takes in at a look; the table has more."""

MOST_ROWS = 60
"""Of a table that may be long; the rest is counted."""

_LEAST_POINTS = 3


@dataclass(frozen=True, slots=True)
class OverTime:
    """Rows over time: `names` are the words of the columns, `rows` a day and a figure of each."""

    names: Sequence[Words]
    rows: Sequence[tuple[date, Sequence[int]]]


def over_time(view: BoardView, rows: Iterable[Row], side: SideName) -> OverTime | None:
    """The largest rows of one side in the periods that could be compared; None: none to draw.

    Of others those that are told in each of these periods: a line with holes would look like
    reports that went away.
    """
    since = view.of(side).since
    if since is None:
        return None
    places = [place for place, first in enumerate(view.periods) if first >= since]
    found: dict[Words, list[int]] = {}
    for row in sorted(rows, key=lambda each: _size(each.series, side), reverse=True):
        figures = [_figures(row.series, side)[place] for place in places]
        told = [each for each in figures if each is not None]
        if len(told) == len(places) and any(told) and len(found) < MOST_LINES:
            found[row.words] = told
    if not found or len(places) < _LEAST_POINTS:
        return None
    return OverTime(
        list(found),
        [
            (view.periods[place], [figures[at] for figures in found.values()])
            for at, place in enumerate(places)
        ],
    )


def year(series: Series, side: SideName) -> int | None:
    """The reports of one side in all the periods; of others those that are told."""
    return series.own_year if side == SideName.OWN else series.others_year


def _size(series: Series, side: SideName) -> int:
    return year(series, side) or 0


def _figures(series: Series, side: SideName) -> Sequence[int | None]:
    return series.own if side == SideName.OWN else series.others

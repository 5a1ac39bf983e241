"""The pages of the board: the seven steps as one picture, and what lies below each figure.

Every page reads the board once, by the one verb, which logs it: none of them asks for a count that
the board does not tell, and none has a filter. They need no script; charts are drawn of their
tables where there is one.
"""

from collections.abc import Callable, Iterable
from typing import Any

from flask import Blueprint, render_template, url_for

from app.audit.guard import audited
from app.barriers import board_requests, board_tables, board_words, picture
from app.barriers.board import NotCountedError, OneGroundError, shipped_weights
from app.barriers.board_requests import AskedBoard
from app.barriers.board_view import BoardView, Row, Series, StepView
from app.barriers.modelling import READERS
from app.barriers.page_requests import log_refusal, may
from app.barriers.refusals import NoModelError
from app.barriers.registering import REGISTRARS
from app.barriers.wording import spoken_language
from app.errors import NotFoundError

Page = tuple[str, int]

blueprint = Blueprint("board_pages", __name__)

_ACT = "barrier.board"
_MOST_FLOWS = 15  # that can be told apart
_REFUSED = (NotCountedError, NoModelError, OneGroundError)


@blueprint.get("/barriers/board")
@audited(_ACT, roles=READERS)
def show() -> Page:
    """Show the board: the picture, what the methods found, barriers and gaps."""

    def more(view: BoardView, asked: AskedBoard) -> dict[str, Any]:
        begun = {each.from_day for each in view.registered}
        return {
            "weights": shipped_weights(),
            "picture": picture.inline(
                view,
                spoken_language(),
                lambda number: _address(asked, "show_step", number=number),
            ),
            "moved_on": lambda day: _address(asked, "show", changed=day.isoformat()),
            "begun": sorted(day for day in begun if view.periods[0] < day <= view.last_day),
        }

    return _page("barriers/board.html", more)


@blueprint.get("/barriers/board/steps/<int:number>")
@audited(_ACT, roles=READERS)
def show_step(number: int) -> Page:
    """Show one step: signals, substances, concealments, barriers, and what came of reports."""

    def more(view: BoardView, asked: AskedBoard) -> dict[str, Any]:
        if not 1 <= number <= len(view.steps):
            raise NotFoundError
        step = view.steps[number - 1]
        return {
            "step": step,
            "lines": board_tables.over_time(view, [Row((str(number),), step.reports)], view.side),
            "registered": [each for each in view.registered if each.step == number and each.holds],
        }

    return _page("barriers/board_step.html", more)


@blueprint.get("/barriers/board/corridors")
@audited(_ACT, roles=READERS)
def show_corridors() -> Page:
    """Show the ways between countries, and the points where reports say that items enter."""

    def more(view: BoardView, asked: AskedBoard) -> dict[str, Any]:
        side = view.side
        told = [each for each in view.corridors if each.origin and each.destination]
        drawn = [each for each in told if board_tables.year(each.reports, side)]
        drawn.sort(key=lambda each: -(board_tables.year(each.reports, side) or 0))
        lines = [(line.rank.place, each) for each in told if (line := each.line(side))]
        return {
            "mapped": drawn[:_MOST_FLOWS],
            "ranked": [each for _place, each in sorted(lines, key=lambda pair: pair[0])],
            "origins": board_tables.over_time(view, view.origins, side),
            "points": board_tables.over_time(view, view.points, side),
        }

    return _page("barriers/board_corridors.html", more)


@blueprint.get("/barriers/board/substances")
@audited(_ACT, roles=READERS)
def show_substances() -> Page:
    """Show what was sent and how it was concealed, by step, by corridor and over time."""

    def more(view: BoardView, asked: AskedBoard) -> dict[str, Any]:
        return {
            "lines": board_tables.over_time(view, view.substances, view.side),
            "by_step": [
                (_numbered(step), _named(step.substances, board_words.substance))
                for step in view.steps
                if step.substances
            ],
            "concealed": [
                (_numbered(step), _named(step.concealments, board_words.concealment))
                for step in view.steps
                if step.concealments
            ],
            "by_corridor": [
                (
                    board_words.corridor(each.origin, each.destination),
                    _named(each.substances, board_words.substance),
                )
                for each in view.corridors
                if each.substances
            ],
        }

    return _page("barriers/board_substances.html", more)


def _numbered(step: StepView) -> str:
    return f"{step.number}. {board_words.said_of(step.title)}"


def _named(rows: Iterable[Row], words: Callable[[str], str]) -> list[tuple[str, Series]]:
    return [(words(row.words[0]), row.series) for row in rows]


def _page(template: str, more: Callable[[BoardView, AskedBoard], dict[str, Any]]) -> Page:
    """The page, or the one that says why there is no board to show."""
    asked = board_requests.asked()
    try:
        view = board_requests.read(asked)
    except _REFUSED as error:
        log_refusal(_ACT, "barrier", (), error)
        page = render_template(
            "barriers/board_refused.html", asked=asked, problem=error, say=board_words
        )
        return page, error.status if isinstance(error, OneGroundError) else 200
    shown = {
        "asked": asked,
        "view": view,
        "side": view.side,
        "say": board_words,
        "year": board_tables.year,
        "most_bars": board_tables.MOST_BARS,
        "most_rows": board_tables.MOST_ROWS,
        "may_register": may(REGISTRARS),
        "address": lambda name, **named: _address(asked, name, **named),
    }
    return render_template(template, **shown, **more(view, asked)), 200


def _address(asked: AskedBoard, name: str, **named: Any) -> str:
    """The address of another page of the board, for the same purpose."""
    kept: dict[str, Any] = {**asked.arguments, **named}
    return url_for(f".{name}", **kept)

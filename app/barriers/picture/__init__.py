"""The board as one picture of its steps: laid out once, and drawn for pages, files and paper."""

from collections.abc import Callable

from markupsafe import Markup

from app.barriers.board_view import BoardView
from app.barriers.picture import svg
from app.barriers.picture.layout import laid_out


def inline(view: BoardView, language: str, link: Callable[[int], str]) -> Markup:
    """The picture as an SVG element of a page; `link` gives the address of each step."""
    return svg.inline(laid_out(view, language, link=link))

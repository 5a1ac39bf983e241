"""Texts of a picture: how wide they are, and how they are broken into lines that fit.

Widths are those of the font that the platform ships for paper, Bitstream Vera, which is as wide as
the fonts of browsers get: what fits in it fits in others. A glyph that it has not counts as one em.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import category

from reportlab.pdfbase import pdfmetrics

from app.paper import BOLD, FONT, fonts

MORE = "…"
_HYPHEN = "-"
_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs"})


@dataclass(frozen=True, slots=True)
class Lettered:
    """A text in lines of one size."""

    lines: tuple[str, ...]
    size: float
    is_whole: bool  # nothing was left out


def clean(text: str) -> str:
    """The text in one line, without characters that show nothing or are not for XML."""
    kept = (" " if each.isspace() else each for each in text)
    return "".join(each for each in kept if category(each) not in _UNSEEN)


def width(text: str, size: float, *, bold: bool = False) -> float:
    """How wide the text is at this size, in the unit of the size."""
    return _ems(text, bold=bold) * size


def fitted(
    text: str, room: float, sizes: tuple[float, ...], most: int, *, bold: bool = False
) -> Lettered:
    """The text at the first of `sizes` at which it takes at most `most` lines of this room.

    At the last size what is too much is left out, and the last line ends in `…`. A word is broken
    only where it is wider than a line at the smallest size.
    """
    words = clean(text).split()
    lines, size = [""], sizes[-1]
    for size in sizes:
        lines = _lines(words, room, size, bold=bold)
        is_last = size == sizes[-1]
        if len(lines) <= most and (
            is_last or all(_fits(each, room, size, bold=bold) for each in words)
        ):
            return Lettered(tuple(lines), size, is_whole=True)
    kept = [*lines[: most - 1], _shortened(lines[most - 1], room, size, bold=bold)]
    return Lettered(tuple(kept), size, is_whole=False)


def one_line(text: str, room: float, sizes: tuple[float, ...], *, bold: bool = False) -> Lettered:
    """The text in one line."""
    return fitted(text, room, sizes, 1, bold=bold)


def _lines(words: list[str], room: float, size: float, *, bold: bool) -> list[str]:
    lines: list[str] = []
    for word in words:
        first, *rest = _pieces(word, room, size, bold=bold)
        joined = f"{lines[-1]} {first}" if lines else first
        if lines and _fits(joined, room, size, bold=bold):
            lines[-1] = joined
        else:
            lines.append(first)
        lines.extend(rest)
    return lines


def _pieces(word: str, room: float, size: float, *, bold: bool) -> Iterator[str]:
    """The word, broken where it is wider than the room."""
    while len(word) > 1 and not _fits(word, room, size, bold=bold):
        length = len(word) - 1
        while length > 1 and not _fits(word[:length] + _HYPHEN, room, size, bold=bold):
            length -= 1
        yield word[:length] + _HYPHEN
        word = word[length:]
    yield word


def _shortened(line: str, room: float, size: float, *, bold: bool) -> str:
    while line and not _fits(line + MORE, room, size, bold=bold):
        line = line[:-1]
    return line.rstrip(" -") + MORE


def _fits(text: str, room: float, size: float, *, bold: bool) -> bool:
    return width(text, size, bold=bold) <= room


@lru_cache(maxsize=4096)
def _ems(text: str, *, bold: bool) -> float:
    glyphs = fonts()
    known = "".join(each for each in text if ord(each) in glyphs)
    measured: float = pdfmetrics.stringWidth(known, BOLD if bold else FONT, 1)
    return measured + len(text) - len(known)

"""What a picture is made of: a few shapes at places, in tones that each medium has colours for.

Coordinates grow to the right and downwards, in units of the picture; a text stands on its baseline.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Tone(StrEnum):
    """A colour by what it is for. In black and white every tone differs from what it stands on."""

    INK = "ink"
    SOFT = "soft"
    SHEET = "sheet"  # what cards are made of
    PAPER = "paper"  # what lies below them
    RULE = "rule"
    TRACK = "track"  # the empty part of a bar
    BAR = "bar"
    HEAD = "head"
    HEAD_INK = "head-ink"  # on HEAD
    ALARM = "alarm"


class Anchor(StrEnum):
    """Which end of a text stands at its place."""

    START = "start"
    MIDDLE = "middle"
    END = "end"


@dataclass(frozen=True, slots=True)
class Polygon:
    """A closed shape, filled with `fill` and edged with `edge`; `dash` is ink and gap."""

    points: tuple[tuple[float, float], ...]
    fill: Tone | None
    edge: Tone | None = None
    width: float = 0
    dash: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A line through points; `dash` is ink and gap."""

    points: tuple[tuple[float, float], ...]
    tone: Tone
    width: float
    dash: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text; `room` is how wide it may be, which the layout keeps."""

    x: float
    y: float
    text: str
    size: float
    room: float
    tone: Tone = Tone.INK
    bold: bool = False
    anchor: Anchor = Anchor.START


@dataclass(frozen=True, slots=True)
class Group:
    """Shapes that are one thing: what it is called, all that it says, and where it leads."""

    title: str
    description: str
    link: str | None
    shapes: tuple["Shape", ...]


Shape: TypeAlias = Polygon | Line | Text | Group


@dataclass(frozen=True, slots=True)
class Picture:
    """A whole picture; `title` and `description` are for those who do not see it."""

    width: float
    height: float
    language: str
    title: str
    description: str
    shapes: Sequence[Shape]


def box(
    x: float,
    y: float,
    width: float,
    height: float,
    *,
    fill: Tone | None,
    edge: Tone | None = None,
    line: float = 0,
    dash: tuple[float, float] | None = None,
) -> Polygon:
    """A rectangle by its upper left corner."""
    right, bottom = x + width, y + height
    corners = ((x, y), (right, y), (right, bottom), (x, bottom))
    return Polygon(corners, fill, edge, line, dash)


def flat(shapes: Sequence[Shape]) -> Iterator[Polygon | Line | Text]:
    """The shapes without their groups, in the order in which they are drawn."""
    for each in shapes:
        if isinstance(each, Group):
            yield from flat(each.shapes)
        else:
            yield each

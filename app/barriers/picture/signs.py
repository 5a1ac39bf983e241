"""The signs of the picture: gates, arrows, bars. Each differs by its form, not by its colour."""

from collections.abc import Iterator

from app.barriers.methods.risk import WORST, Banded
from app.barriers.methods.series import Estimate
from app.barriers.methods.trend import Direction
from app.barriers.picture.shapes import Line, Polygon, Shape, Tone, box

GATE_WIDTH, GATE_HEIGHT = 46.0, 104.0

_POST = 8.0
_DASH = (7.0, 5.0)
_BLOCK, _BETWEEN = 13.0, 2.0
METER_WIDTH = WORST * _BLOCK + (WORST - 1) * _BETWEEN


def gate(x: float, y: float) -> Iterator[Shape]:
    """A gate that is shut, by its upper left corner: a barrier holds. One sees through it."""
    right, bottom = x + GATE_WIDTH, y + GATE_HEIGHT
    for post in (x, right - _POST):
        yield box(post, y, _POST, GATE_HEIGHT, fill=Tone.INK)
    yield box(x - 4, y, GATE_WIDTH + 8, _POST, fill=Tone.INK)
    inner = GATE_WIDTH - 2 * _POST
    for place in (1, 2):
        across = x + _POST + inner * place / 3
        yield Line(((across, y), (across, bottom - 9)), Tone.INK, 4)
        yield Polygon(
            ((across - 5, bottom - 12), (across + 5, bottom - 12), (across, bottom)), Tone.INK
        )
    for place in range(1, 5):
        down = y + _POST + (GATE_HEIGHT - _POST - 14) * place / 4
        yield Line(((x, down), (right, down)), Tone.INK, 4)


def open_gate(x: float, y: float) -> Iterator[Shape]:
    """Where a gate could stand: two dashed posts and a dashed beam, and the way is free."""
    right, bottom = x + GATE_WIDTH, y + GATE_HEIGHT
    outline = ((x, bottom), (x, y), (right, y), (right, bottom))
    yield Line(outline, Tone.ALARM, 4.5, _DASH)


def onward(x: float, y: float, length: float) -> Iterator[Shape]:
    """The thick arrow from one step to the next; `y` is its middle."""
    head, half = 20.0, 8.0
    neck, tip = x + length - head, x + length
    yield Polygon(
        (
            (x, y - half),
            (neck, y - half),
            (neck, y - 20),
            (tip, y),
            (neck, y + 20),
            (neck, y + half),
            (x, y + half),
        ),
        Tone.BAR,
    )


def downward(x: float, y: float) -> Polygon:
    """The head of an arrow that points down to a place."""
    return Polygon(((x - 16, y - 20), (x + 16, y - 20), (x, y)), Tone.BAR)


def trend(x: float, y: float, size: float, direction: Direction | None) -> Iterator[Shape]:
    """An arrow up or down, a flat bar where no trend is shown, and dots where none can be told."""
    middle, right, bottom = x + size / 2, x + size, y + size
    if direction is Direction.RISING or direction is Direction.FALLING:
        tip, base = (y, bottom) if direction is Direction.RISING else (bottom, y)
        neck = (tip + base) / 2
        wing, tail = size / 2, size / 5
        yield Polygon(
            (
                (middle, tip),
                (middle + wing, neck),
                (middle + tail, neck),
                (middle + tail, base),
                (middle - tail, base),
                (middle - tail, neck),
                (middle - wing, neck),
            ),
            Tone.INK,
        )
    elif direction is Direction.NOT_SHOWN:
        yield Line(((x, y + size / 2), (right, y + size / 2)), Tone.INK, 6)
    else:
        yield Line(((x, y + size / 2), (right, y + size / 2)), Tone.SOFT, 4, (4, 6))


def meter(x: float, y: float, found: Banded) -> Iterator[Shape]:
    """Five blocks, as many filled as the band is high; the line below them is what it may be."""
    height = 14.0
    for place in range(WORST):
        left = x + place * (_BLOCK + _BETWEEN)
        fill = Tone.INK if place < found.band else Tone.TRACK
        yield box(left, y, _BLOCK, height, fill=fill, edge=Tone.INK, line=1)
    first = x + (found.lowest - 1) * (_BLOCK + _BETWEEN)
    last = x + (found.highest - 1) * (_BLOCK + _BETWEEN) + _BLOCK
    yield Line(((first, y + height + 4), (last, y + height + 4)), Tone.INK, 2.5)


def risk_bar(
    x: float, y: float, length: float, found: Estimate | None, largest: float
) -> Iterator[Shape]:
    """A bar on a track of `length`, which is as much as `largest`; the interval is a line below."""
    height, below = 14.0, 20.0
    if found is None:
        yield box(x, y, length, height, fill=None, edge=Tone.SOFT, line=1.5, dash=(4, 4))
        return
    scale = length / largest if largest > 0 else 0.0
    yield box(x, y, length, height, fill=Tone.TRACK)
    if found.value > 0:
        yield box(x, y, min(found.value, largest) * scale, height, fill=Tone.BAR)
    low, high = x + max(0.0, found.low) * scale, x + min(found.high, largest) * scale
    yield Line(((low, y + below), (high, y + below)), Tone.INK, 2.5)
    for end in (low, high):
        yield Line(((end, y + below - 4), (end, y + below + 4)), Tone.INK, 2.5)

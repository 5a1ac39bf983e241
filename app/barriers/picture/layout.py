"""Where everything of the picture stands: steps in rows of four, in a chain, with gates across it.

A step is a box. The arrow from it to the next goes through a gate: shut where a barrier holds, open
and dashed where none is recorded. A text gets as much room as it is given here, and is made
smaller, broken into lines or shortened until it fits: nothing overflows, in any language.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from app.barriers.analysing import Line as Judged
from app.barriers.board_view import BoardView, StepView
from app.barriers.methods.risk import Banded
from app.barriers.methods.series import Estimate
from app.barriers.methods.trend import Direction
from app.barriers.picture import picture_words as words
from app.barriers.picture import signs
from app.barriers.picture.lettering import Lettered, clean, fitted
from app.barriers.picture.picture_words import gettext
from app.barriers.picture.shapes import (
    Anchor,
    Group,
    Line,
    Picture,
    Polygon,
    Shape,
    Text,
    Tone,
    box,
)

COLUMNS = 4
MOST_SIGNALS = 2
"""Signals that a box names; those that were seen most."""

_CARD, _LANE = 332.0, 88.0
_EDGE, _PAD = 10.0, 14.0
_ROOM = _CARD - 2 * _PAD
_HEAD = 88.0
_TIP = 22.0  # how far the head of a box reaches into the lane
_SIGNALS = 114.0  # height of what names signals
_TALL = 462.0
_GUTTER = 46.0
_TOP, _LEGEND = 120.0, 104.0
_FIGURES = (13.0, 12.0, 11.0, 10.0, 9.0, 8.0)  # rather small than cut off
_FEW_ROWS = 2  # with more rows, boxes do not name signals

Link = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class _Pen:
    """What every part of the picture needs to know."""

    view: BoardView
    language: str
    link: Link | None
    show: Callable[[str], str]
    names_signals: bool

    @property
    def tall(self) -> float:
        return _TALL if self.names_signals else _TALL - _SIGNALS


def laid_out(
    view: BoardView,
    language: str,
    *,
    link: Link | None = None,
    show: Callable[[str], str] = clean,
    mark: str = "",
) -> Picture:
    """The picture of a board in the language of the request, with the model's words in `language`.

    `link` gives the address of a step; `show` makes a text one that the medium can show;
    `mark` says who may have it.
    """
    rows = -(-len(view.steps) // COLUMNS)
    columns = min(COLUMNS, max(len(view.steps), COLUMNS - 1))
    pen = _Pen(view, language, link, show, rows <= _FEW_ROWS)
    width = columns * (_CARD + _LANE) + 2 * _EDGE
    body = rows * pen.tall + (rows - 1) * _GUTTER
    free = rows * columns - len(view.steps)
    height = _TOP + body + (0 if free else _LEGEND) + 2 * _EDGE
    shapes = [
        box(0, 0, width, height, fill=Tone.PAPER),
        *_heading(pen, width, mark),
        *_chain(pen, columns),
        *(_legend_aside(pen, width, height) if free else _legend_below(pen, width, height)),
    ]
    title = show(view.document.title.said(language)[0])
    return Picture(width, height, language, title, _description(pen), shapes)


def _description(pen: _Pen) -> str:
    """What the whole picture says beside its steps."""
    view = pen.view
    told = [view.document.label(pen.language), words.as_of(view), words.side(view)]
    gaps = ", ".join(words.step_name(each, pen.language) for each in view.gaps)
    if gaps:
        told.append(gettext("No barrier recorded: %(steps)s", steps=gaps))
    return pen.show(". ".join(told))


def _heading(pen: _Pen, width: float, mark: str) -> Iterator[Shape]:
    view, room = pen.view, width - 2 * _EDGE
    if mark:
        found = fitted(pen.show(mark), room / 3, (24, 22, 20, 18, 16), 2, bold=True)
        end = width - _EDGE
        yield from _put(found, end, 34, room / 3, bold=True, anchor=Anchor.END)
        room -= room / 3 + _PAD
    title = view.document.title.said(pen.language)[0]
    yield from _text(pen, title, (_EDGE, 44), room, (38, 34, 30, 26, 22), bold=True)
    label = view.document.label(pen.language)
    yield from _text(pen, label, (_EDGE, 76), room, (22, 20, 18, 16), bold=True, tone=Tone.ALARM)
    told = f"{words.as_of(view)}. {words.side(view)}."
    wide = width - 2 * _EDGE
    yield from _text(pen, told, (_EDGE, 104), wide, (20, 18, 16, 14), tone=Tone.SOFT)


def _chain(pen: _Pen, columns: int) -> Iterator[Shape]:
    """The connectors between rows, and the steps with the arrow and the gate behind each."""
    steps = pen.view.steps
    for place, step in enumerate(steps):
        row, column = divmod(place, columns)
        x = _EDGE + column * (_CARD + _LANE)
        y = _EDGE + _TOP + row * (pen.tall + _GUTTER)
        is_last, ends_row = place == len(steps) - 1, column == columns - 1
        if ends_row and not is_last:
            yield from _turn(pen, x, y)
        else:
            yield from signs.onward(x + _CARD + _TIP, y + _HEAD / 2, _LANE - _TIP - 2)
        yield Group(
            pen.show(words.step_name(step, pen.language)),
            pen.show(words.spoken(step, pen.view, pen.language)),
            pen.link(step.number) if pen.link else None,
            tuple(_step(pen, step, x, y)),
        )


def _turn(pen: _Pen, x: float, y: float) -> Iterator[Shape]:
    """The arrow from the last box of a row to the first of the next one."""
    right, middle = x + _CARD + _LANE + 2, y + _HEAD / 2
    between, first = y + pen.tall + _GUTTER / 2 - 8, _EDGE + 60
    points = ((x + _CARD + _TIP, middle), (right, middle), (right, between), (first, between))
    yield Line((*points, (first, between + 14)), Tone.BAR, 12)
    yield signs.downward(first, y + pen.tall + _GUTTER - 3)


def _step(pen: _Pen, step: StepView, x: float, y: float) -> Iterator[Shape]:
    yield box(x, y, _CARD, pen.tall, fill=Tone.SHEET, edge=Tone.RULE, line=1.5)
    yield from _title(pen, step, x, y)
    line = step.line(pen.view.side)
    left, top = x + _PAD, y + _HEAD
    yield from _risk(pen, line, left, top)
    yield from _trend(pen, line, left, top + 118)
    yield from _reports(pen, step, left, top + 165)
    bottom = y + pen.tall - 64
    if pen.names_signals:
        yield from _signals(pen, step, left, bottom - _SIGNALS)
    yield from _barriers(pen, step, x, bottom)
    yield from _gate(pen, step, x + _CARD + _LANE / 2 + 4, y)


def _title(pen: _Pen, step: StepView, x: float, y: float) -> Iterator[Shape]:
    """The head of the box, which points to the next step."""
    right, low, middle = x + _CARD, y + _HEAD, y + _HEAD / 2
    yield Polygon(((x, y), (right, y), (right + _TIP, middle), (right, low), (x, low)), Tone.HEAD)
    number = Text(x + 12, y + 62, str(step.number), 52 if step.number < 10 else 38, 56)  # noqa: PLR2004 - digits
    yield Text(number.x, number.y, number.text, number.size, 56, Tone.HEAD_INK, bold=True)
    title = step.title.said(pen.language)[0]
    room = _CARD - 72 - 8
    found = fitted(pen.show(title), room, (26, 24, 22, 20, 18), 3, bold=True)
    leading = found.size * 1.14
    first = middle - (len(found.lines) - 1) * leading / 2 + found.size * 0.36
    for place, said in enumerate(found.lines):
        at = first + place * leading
        yield Text(x + 72, at, said, found.size, room, Tone.HEAD_INK, bold=True)


def _risk(pen: _Pen, line: Judged | None, x: float, y: float) -> Iterator[Shape]:
    if line is None:
        told, why = words.no_risk()
        yield from _text(pen, told, (x, y + 32), _ROOM, (23, 21, 19, 17), bold=True)
        yield from signs.risk_bar(x, y + 41, _ROOM, None, 1)
        yield from _text(pen, why, (x, y + 84), _ROOM, (16, 15, 14, 13), tone=Tone.SOFT)
        return
    reach = words.rank_reach(line)
    told = words.rank(line, words.ranked(pen.view))
    wide = fitted(pen.show(reach), 118, (15, 14, 13, 12, 11), 1) if reach else None
    room = _ROOM - (126 if reach else 0)
    yield from _text(pen, told, (x, y + 32), room, (23, 21, 19, 17, 15, 14), bold=True)
    if wide:
        yield from _put(wide, x + _ROOM, y + 32, 118, tone=Tone.SOFT, anchor=Anchor.END)
    yield from signs.risk_bar(x, y + 41, _ROOM, line.risk.expected, _largest(pen.view))
    half = _ROOM / 2
    yield from _meter(pen, gettext("Likelihood"), line.risk.likelihood, x, y + 82)
    yield from _meter(pen, gettext("Impact"), line.risk.impact, x + half + 4, y + 82)


def _meter(pen: _Pen, name: str, found: Banded, x: float, y: float) -> Iterator[Shape]:
    room = _ROOM / 2 - 4
    yield from _text(pen, name, (x, y), room, (16, 15, 14, 13, 12), tone=Tone.SOFT)
    yield from signs.meter(x, y + 7, found)
    beside = room - signs.METER_WIDTH - 6
    told = words.band(found)
    yield from _text(pen, told, (x + room - beside, y + 20), beside, (17, 16, 15, 14), bold=True)


def _largest(view: BoardView) -> float:
    """The scale of all risk bars: the highest end of an interval, unless it dwarfs the figures."""
    found: list[Estimate] = [
        line.risk.expected for each in view.steps if (line := each.line(view.side)) is not None
    ]
    most = max(each.value for each in found)
    return max(1.0, min(max(each.high for each in found), 2 * most) if most else 1.0)


def _trend(pen: _Pen, line: Judged | None, x: float, y: float) -> Iterator[Shape]:
    yield _rule(x, y)
    direction: Direction | None = line.trend.direction if line else None
    told, more = words.trend(line.trend) if line else (words.no_trend(), "")
    yield from signs.trend(x + 2, y + 9, 30, direction)
    room = _ROOM - 46
    at = y + (22 if more else 31)
    yield from _text(pen, told, (x + 46, at), room, (21, 19, 17, 15), bold=True)
    if more:
        yield from _text(pen, more, (x + 46, y + 41), room, (16, 15, 14, *_FIGURES), tone=Tone.SOFT)


def _reports(pen: _Pen, step: StepView, x: float, y: float) -> Iterator[Shape]:
    yield _rule(x, y)
    sizes = (19.0, 18.0, 17.0, 16.0, 15.0, 14.0, *_FIGURES)
    yield from _text(pen, words.reports(step), (x, y + 24), _ROOM, sizes, bold=True)


def _signals(pen: _Pen, step: StepView, x: float, y: float) -> Iterator[Shape]:
    yield _rule(x, y)
    yield from _text(pen, words.seen(step), (x, y + 23), _ROOM, (18, 17, 16, 15), bold=True)
    at = y + 44
    for each in step.seen[:MOST_SIGNALS]:
        told = each.text.said(pen.language)[0] if each.text else each.key
        found = fitted(pen.show(told), _ROOM - 16, (15,), 2)
        yield Text(x, at, "•", 15, 16)
        for said in found.lines:
            yield Text(x + 16, at, said, found.size, _ROOM - 16)
            at += 18


def _barriers(pen: _Pen, step: StepView, x: float, y: float) -> Iterator[Shape]:
    """What holds, in words, at the foot of the box; a gap has a dashed edge."""
    told, more = words.in_place(step)
    edge = 6.0
    if step.is_gap:
        yield box(
            x + edge,
            y + edge - 4,
            _CARD - 2 * edge,
            60,
            fill=None,
            edge=Tone.ALARM,
            line=2.5,
            dash=(8, 5),
        )
    else:
        yield _rule(x + _PAD, y)
    tone = Tone.ALARM if step.is_gap else Tone.INK
    sizes = (20.0, 19.0, 18.0, 17.0, 16.0, 15.0)
    yield from _text(pen, told, (x + _PAD, y + 28), _ROOM, sizes, bold=True, tone=tone)
    yield from _text(pen, more, (x + _PAD, y + 50), _ROOM, (16, 15, 14, 13), tone=Tone.SOFT)


def _gate(pen: _Pen, step: StepView, x: float, y: float) -> Iterator[Shape]:
    """The gate across the arrow, by its middle: the count of barriers, or a word, below it."""
    left, top = x - signs.GATE_WIDTH / 2, y + _HEAD / 2 - signs.GATE_HEIGHT / 2
    below, room = top + signs.GATE_HEIGHT, 68.0
    if step.is_gap:
        yield from signs.open_gate(left, top)
        found = fitted(pen.show(gettext("gap")), room, (22, 20, 18, 16, 14), 1, bold=True)
        yield from _put(
            found, x, below + 25, room, bold=True, tone=Tone.ALARM, anchor=Anchor.MIDDLE
        )
    else:
        yield from signs.gate(left, top)
        count = str(sum(words.whose(step)))
        found = fitted(count, room, (36, 32, 28, 22), 1, bold=True)
        yield from _put(found, x, below + 36, room, bold=True, anchor=Anchor.MIDDLE)


def _legend_aside(pen: _Pen, width: float, height: float) -> Iterator[Shape]:
    """The legend where the last box of the last row would be."""
    left, top = width - _EDGE - _CARD - _LANE + 30, height - _EDGE - pen.tall + 4
    return _legend(pen, [(left, top + each * pen.tall / 4) for each in range(4)], _CARD + 30)


def _legend_below(pen: _Pen, width: float, height: float) -> Iterator[Shape]:
    quarter = (width - 2 * _EDGE) / 4
    top = height - _EDGE - _LEGEND + 26
    return _legend(pen, [(_EDGE + each * quarter, top) for each in range(4)], quarter - 14)


def _legend(pen: _Pen, places: Sequence[tuple[float, float]], wide: float) -> Iterator[Shape]:
    """What the signs say: where a box would be if one is free, else below everything."""
    told = (
        (_small(signs.gate(0, 0)), gettext("a barrier is in place; the number is how many")),
        (
            _small(signs.open_gate(0, 0)),
            gettext("gap: no barrier recorded by anyone here that you may know of"),
        ),
        (
            list(signs.risk_bar(0, 24, 60, Estimate(30, 18, 46), 60)),
            gettext("risk: severity times reports; the line is its interval"),
        ),
        (
            list(signs.meter(0, 24, Banded(Estimate(0, 0, 0), 3, 2, 4))),
            gettext("1 low, 5 high; the line below is what it may be"),
        ),
    )
    for (x, y), (sign, text) in zip(places, told, strict=True):
        yield from (_moved(each, x + 4, y) for each in sign)
        left = signs.METER_WIDTH + 18
        room = wide - left
        found = fitted(pen.show(text), room, (19, 18, 17, 16, 15, 14), 3)
        yield from _put(found, x + left, y + 18, room, tone=Tone.SOFT)


def _small(shapes: Iterator[Shape]) -> list[Shape]:
    return [_moved(each, 12, 0, 0.62) for each in shapes]


def _moved(shape: Shape, x: float, y: float, scale: float = 1) -> Shape:
    """A sign at another place; signs are of polygons and lines alone."""
    if isinstance(shape, Polygon):
        points = tuple((x + each * scale, y + other * scale) for each, other in shape.points)
        return Polygon(points, shape.fill, shape.edge, shape.width, shape.dash)
    if isinstance(shape, Line):
        points = tuple((x + each * scale, y + other * scale) for each, other in shape.points)
        return Line(points, shape.tone, shape.width * scale, shape.dash)
    return shape


def _rule(x: float, y: float) -> Line:
    return Line(((x, y), (x + _ROOM, y)), Tone.RULE, 1.5)


def _text(
    pen: _Pen,
    text: str,
    at: tuple[float, float],
    room: float,
    sizes: Sequence[float],
    *,
    bold: bool = False,
    tone: Tone = Tone.INK,
) -> Iterator[Text]:
    """One line from a place on."""
    found = fitted(pen.show(text), room, tuple(sizes), 1, bold=bold)
    yield from _put(found, *at, room, bold=bold, tone=tone)


def _put(
    found: Lettered,
    x: float,
    y: float,
    room: float,
    *,
    bold: bool = False,
    tone: Tone = Tone.INK,
    anchor: Anchor = Anchor.START,
) -> Iterator[Text]:
    for place, said in enumerate(found.lines):
        at = y + place * found.size * 1.25
        yield Text(x, at, said, found.size, room, tone, bold=bold, anchor=anchor)

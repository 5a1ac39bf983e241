"""The picture on paper, as vectors on a page; and as pixels, for documents that take no other."""

import io
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from threading import Lock

import reportlab
from PIL import Image, ImageColor, ImageDraw, ImageFont
from reportlab.lib.colors import HexColor
from reportlab.pdfgen.canvas import Canvas

from app.barriers.picture.shapes import Anchor, Line, Picture, Polygon, Text, flat
from app.barriers.picture.svg import PRINT
from app.paper import BOLD, FONT

SCALE = 2
"""Pixels for each unit of the picture: about 3,400 across, 300 to the inch on A4."""

_ONE_AT_A_TIME = Lock()
"""A picture in pixels takes 33 MB while it is drawn."""

_FINER = 4  # edges are drawn so many times larger, and then made smaller

_Points = Sequence[tuple[float, float]]


def on_page(canvas: Canvas, picture: Picture, scale: float) -> None:
    """Draw it on a page whose origin is its lower left corner; texts stay texts."""
    canvas.saveState()
    canvas.translate(0, picture.height * scale)
    canvas.scale(scale, -scale)
    for shape in flat(picture.shapes):
        if isinstance(shape, Text):
            _write(canvas, shape)
        else:
            _trace(canvas, shape)
    canvas.restoreState()


def _write(canvas: Canvas, shape: Text) -> None:
    canvas.saveState()
    canvas.translate(shape.x, shape.y)
    canvas.scale(1, -1)
    canvas.setFont(BOLD if shape.bold else FONT, shape.size)
    canvas.setFillColor(HexColor(PRINT[shape.tone]))
    if shape.anchor is Anchor.START:
        canvas.drawString(0, 0, shape.text)
    elif shape.anchor is Anchor.MIDDLE:
        canvas.drawCentredString(0, 0, shape.text)
    else:
        canvas.drawRightString(0, 0, shape.text)
    canvas.restoreState()


def _trace(canvas: Canvas, shape: Polygon | Line) -> None:
    path = canvas.beginPath()
    first, *rest = shape.points
    path.moveTo(*first)
    for point in rest:
        path.lineTo(*point)
    edge = shape.tone if isinstance(shape, Line) else shape.edge
    fill = None if isinstance(shape, Line) else shape.fill
    if isinstance(shape, Polygon):
        path.close()
    if edge:
        canvas.setStrokeColor(HexColor(PRINT[edge]))
        canvas.setLineWidth(shape.width)
        canvas.setDash(*((list(shape.dash),) if shape.dash else ()))
    if fill:
        canvas.setFillColor(HexColor(PRINT[fill]))
    canvas.drawPath(path, stroke=int(edge is not None), fill=int(fill is not None))


def pixels(picture: Picture) -> bytes:
    """The picture as a PNG, `SCALE` pixels for each unit, with its title."""
    with _ONE_AT_A_TIME:
        return _drawn(picture)


def _drawn(picture: Picture) -> bytes:
    size = round(picture.width * SCALE), round(picture.height * SCALE)
    image = Image.new("RGB", size, "#ffffff")
    for shape in flat(picture.shapes):
        if isinstance(shape, Text):
            _letter(image, shape)
        elif isinstance(shape, Line):
            _stroke(image, shape.points, PRINT[shape.tone], shape.width, shape.dash)
        else:
            if shape.fill:
                _fill(image, shape.points, PRINT[shape.fill])
            if shape.edge:
                around = (*shape.points, shape.points[0])
                _stroke(image, around, PRINT[shape.edge], shape.width, shape.dash)
    packed = io.BytesIO()
    image.save(packed, "PNG", dpi=(300, 300))
    return packed.getvalue()


def _letter(image: Image.Image, shape: Text) -> None:
    anchors = {Anchor.START: "ls", Anchor.MIDDLE: "ms", Anchor.END: "rs"}
    ImageDraw.Draw(image).text(
        (shape.x * SCALE, shape.y * SCALE),
        shape.text,
        PRINT[shape.tone],
        _font(BOLD if shape.bold else FONT, shape.size * SCALE),
        anchors[shape.anchor],
    )


@cache
def _font(name: str, size: float) -> ImageFont.FreeTypeFont:
    path = Path(reportlab.__file__).parent / "fonts" / f"{name}.ttf"
    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)


def _fill(image: Image.Image, points: _Points, colour: str) -> None:
    """A filled shape with soft edges: drawn larger as a mask of its own, then made smaller."""
    across, down = ([point[axis] * SCALE for point in points] for axis in (0, 1))
    left, top = int(min(across)), int(min(down))
    width, height = int(max(across)) - left + 1, int(max(down)) - top + 1
    if len(points) == 4 and len({*across}) == len({*down}) == 2 and _whole(across + down):  # noqa: PLR2004 - a rectangle
        box = (round(min(across)), round(min(down)), round(max(across)), round(max(down)))
        image.paste(ImageColor.getrgb(colour), box)
        return
    mask = Image.new("L", (width * _FINER, height * _FINER), 0)
    placed = [((x - left) * _FINER, (y - top) * _FINER) for x, y in zip(across, down, strict=True)]
    ImageDraw.Draw(mask).polygon(placed, fill=255)
    image.paste(ImageColor.getrgb(colour), (left, top), mask.reduce(_FINER))


def _whole(numbers: Sequence[float]) -> bool:
    return all(each == round(each) for each in numbers)


def _stroke(
    image: Image.Image,
    points: _Points,
    colour: str,
    width: float,
    dash: tuple[float, float] | None,
) -> None:
    """A line as rectangles, one for each straight part or dash of it."""
    for place, (start, end) in enumerate(pairwise(points)):
        # A corner is whole if the parts that meet there reach over it.
        over = tuple(
            0.0 if dash or is_end else width / 2 for is_end in (not place, place == len(points) - 2)
        )
        for first, last in _dashes(start, end, dash):
            (x, y), (to_x, to_y) = first, last
            length = ((to_x - x) ** 2 + (to_y - y) ** 2) ** 0.5
            if length:
                along = ((to_x - x) / length, (to_y - y) / length)
                _fill(image, _band(first, last, along, width, over), colour)


def _band(
    first: tuple[float, float],
    last: tuple[float, float],
    along: tuple[float, float],
    width: float,
    over: Sequence[float],
) -> _Points:
    step_x, step_y = along
    across = -step_y * width / 2, step_x * width / 2
    x, y = first[0] - step_x * over[0], first[1] - step_y * over[0]
    to_x, to_y = last[0] + step_x * over[1], last[1] + step_y * over[1]
    return (
        (x + across[0], y + across[1]),
        (to_x + across[0], to_y + across[1]),
        (to_x - across[0], to_y - across[1]),
        (x - across[0], y - across[1]),
    )


def _dashes(
    start: tuple[float, float], end: tuple[float, float], dash: tuple[float, float] | None
) -> Sequence[tuple[tuple[float, float], tuple[float, float]]]:
    if dash is None:
        return [(start, end)]
    (x, y), (to_x, to_y) = start, end
    length = ((to_x - x) ** 2 + (to_y - y) ** 2) ** 0.5
    found, at = [], 0.0
    while at < length:
        ends = [min(length, each) / length for each in (at, at + dash[0])]
        found.append(tuple((x + (to_x - x) * each, y + (to_y - y) * each) for each in ends))
        at += sum(dash)
    return [(first, last) for first, last in found]

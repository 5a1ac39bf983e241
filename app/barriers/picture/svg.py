"""The picture as SVG: within a page, whose style sheet colours it, or as a file with its own."""

from collections.abc import Iterator, Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

from markupsafe import Markup

from app.barriers.picture.shapes import Group, Line, Picture, Polygon, Shape, Text, Tone

PRINT: Mapping[Tone, str] = {
    Tone.INK: "#17212b",
    Tone.SOFT: "#47525d",
    Tone.SHEET: "#ffffff",
    Tone.PAPER: "#ffffff",
    Tone.RULE: "#a8a294",
    Tone.TRACK: "#e6e1d6",
    Tone.BAR: "#b07a24",
    Tone.HEAD: "#17212b",
    Tone.HEAD_INK: "#ffffff",
    Tone.ALARM: "#8e1525",
}
"""The colours of files, which also differ when printed in black and white."""

_FONTS = "Bitstream Vera Sans, DejaVu Sans, Verdana, Segoe UI, Helvetica, Arial, sans-serif"


def inline(picture: Picture) -> Markup:
    """The SVG element for a page: classes `picture-…` instead of colours, steps as links."""
    head = (
        f'<svg class="picture" xmlns="http://www.w3.org/2000/svg" role="group"'
        f" lang={quoteattr(picture.language)}"
        f' viewBox="0 0 {_n(picture.width)} {_n(picture.height)}"'
        ' aria-labelledby="picture-title picture-about">'
    )
    # All is escaped by `_titled` and `_drawn`.
    return Markup(  # noqa: S704
        "".join((head, *_titled(picture), *_drawn(picture.shapes, None), "</svg>"))
    )


def standing_alone(picture: Picture) -> bytes:
    """The SVG file, UTF-8: colours for paper, and no links."""
    width, height = _n(picture.width), _n(picture.height)
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" xml:lang={quoteattr(picture.language)}'
        f' width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        f' font-family="{_FONTS}" aria-labelledby="picture-title picture-about">\n'
    )
    lines = (*_titled(picture), *_drawn(picture.shapes, PRINT), "</svg>")
    return (head + "\n".join(lines) + "\n").encode()


def _titled(picture: Picture) -> Iterator[str]:
    yield f'<title id="picture-title">{escape(picture.title)}</title>'
    yield f'<desc id="picture-about">{escape(picture.description)}</desc>'


def _drawn(shapes: Sequence[Shape], colours: Mapping[Tone, str] | None) -> Iterator[str]:
    for each in shapes:
        if isinstance(each, Group):
            yield from _group(each, colours)
        elif isinstance(each, Polygon):
            yield _polygon(each, colours)
        elif isinstance(each, Line):
            yield _line(each, colours)
        else:
            yield _text(each, colours)


def _group(group: Group, colours: Mapping[Tone, str] | None) -> Iterator[str]:
    said = f"{group.title}. {group.description}"
    if group.link is None:
        yield f"<g><title>{escape(said)}</title>"
    else:
        # What the link is called says all of it; the shapes in it would be read a second time.
        yield f'<a href={quoteattr(group.link)} aria-label={quoteattr(said)}><g aria-hidden="true">'
        yield f"<title>{escape(group.title)}</title>"
    yield from _drawn(group.shapes, colours)
    yield "</g>" if group.link is None else "</g></a>"


def _polygon(shape: Polygon, colours: Mapping[Tone, str] | None) -> str:
    points = " ".join(f"{_n(x)},{_n(y)}" for x, y in shape.points)
    edge = f' stroke-width="{_n(shape.width)}"{_dashed(shape.dash)}' if shape.edge else ""
    return f'<polygon points="{points}"{_paint(shape.fill, shape.edge, colours)}{edge}/>'


def _line(shape: Line, colours: Mapping[Tone, str] | None) -> str:
    points = " ".join(f"{_n(x)},{_n(y)}" for x, y in shape.points)
    width = f' stroke-width="{_n(shape.width)}"{_dashed(shape.dash)}'
    return f'<polyline points="{points}"{_paint(None, shape.tone, colours)}{width}/>'


def _text(shape: Text, colours: Mapping[Tone, str] | None) -> str:
    bold = ' font-weight="700"' if shape.bold else ""
    anchor = "" if shape.anchor == "start" else f' text-anchor="{shape.anchor.value}"'
    place = f'x="{_n(shape.x)}" y="{_n(shape.y)}" font-size="{_n(shape.size)}"'
    return (
        f"<text {place}{anchor}{bold}{_paint(shape.tone, None, colours)}>"
        f"{escape(shape.text)}</text>"
    )


def _paint(fill: Tone | None, edge: Tone | None, colours: Mapping[Tone, str] | None) -> str:
    if colours is None:
        names = [f"picture-{fill.value}" if fill else "picture-empty"]
        names += [f"picture-edge-{edge.value}"] if edge else []
        return f' class="{" ".join(names)}"'
    filled = f' fill="{colours[fill]}"' if fill else ' fill="none"'
    return filled + (f' stroke="{colours[edge]}"' if edge else "")


def _dashed(dash: tuple[float, float] | None) -> str:
    return f' stroke-dasharray="{_n(dash[0])} {_n(dash[1])}"' if dash else ""


def _n(number: float) -> str:
    """A number as short as it can be at a hundredth."""
    return f"{number:.2f}".rstrip("0").rstrip(".")

"""Paper: A4 documents in the language of the request, with fonts, a foot and page numbers.

What the font cannot show is written as its code point, so that nothing is left out in silence.
Documents name their language and title, and headings are bookmarks; the engine cannot tag the
structure, so each fact is also to be had as a page or as a table for programs.
"""

import io
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import reportlab
from flask_babel import format_datetime, get_locale, gettext
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    NextPageTemplate,
    PageBreak,
    PageTemplate,
    Paragraph,
    Table,
    TableStyle,
)

FONT, BOLD = "Vera", "VeraBd"
INK, SOFT, ALARM = colors.HexColor("#1b2733"), colors.HexColor("#5b6672"), "#a3262a"

HEAD = ParagraphStyle("head", fontName=BOLD, fontSize=15, leading=20, textColor=INK)
LEAD = ParagraphStyle("lead", fontName=FONT, fontSize=8.5, leading=12, textColor=INK)
SECTION = ParagraphStyle(
    "section",
    fontName=BOLD,
    fontSize=11,
    leading=15,
    spaceBefore=11,
    spaceAfter=3,
    textColor=INK,
    keepWithNext=1,
)

_CELL = ParagraphStyle("cell", fontName=FONT, fontSize=8.5, leading=11, textColor=INK)
_NUMBER = ParagraphStyle("number", parent=_CELL, alignment=2)  # at the right
_LINES = TableStyle(
    [
        ("LINEBELOW", (0, 0), (-1, -1), 0.25, SOFT),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ]
)
_SPACES = dict.fromkeys(map(ord, "\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}"), "\N{NO-BREAK SPACE}")

_MARGIN = 18 * mm
_FOOT = 12 * mm
_ABOVE, _BELOW = 15 * mm, 16 * mm  # of a page that lies across


class _Document(BaseDocTemplate):
    """A document whose headings of style SECTION become bookmarks."""

    def afterFlowable(self, flowable: Flowable) -> None:  # noqa: N802 - reportlab's name
        if isinstance(flowable, Paragraph) and flowable.style.name == SECTION.name:
            title = flowable.getPlainText()
            self.canv.bookmarkPage(title)
            self.canv.addOutlineEntry(title, title, 0)


def printed(
    title: str,
    story: Sequence[Flowable],
    foot: str,
    *,
    mark: str = "",
    opening: Flowable | None = None,
    is_fixed: bool = False,
) -> bytes:
    """The PDF of what a document holds, with the foot on each page.

    `mark` stands at the top of each page, at the right, in 12 points as TLP 2.0 asks. `opening`
    gets a page of its own before all others, across. With `is_fixed` the same content is
    the same file: it does not say when it was made.
    """
    fonts()
    file = io.BytesIO()
    made = _Document(
        file,
        pagesize=A4,
        title=title,
        author="",
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN + _FOOT,
        lang=str(get_locale() or "en").replace("_", "-"),  # as RFC 5646 writes it
        displayDocTitle=True,
        invariant=int(is_fixed),
    )
    frame = Frame(made.leftMargin, made.bottomMargin, made.width, made.height, 0, 0, 0, 0)
    upright = PageTemplate("upright", [frame], pagesize=A4)
    pages = list(story)
    if opening is None:
        made.addPageTemplates(upright)
    else:
        width, height = landscape(A4)
        room = (width - 2 * _FOOT, height - _ABOVE - _BELOW)
        wide = Frame(_FOOT, _BELOW, *room, 0, 0, 0, 0)
        made.addPageTemplates([PageTemplate("across", [wide], pagesize=landscape(A4)), upright])
        pages = [opening, NextPageTemplate("upright"), PageBreak(), *story]
    made.build(pages, canvasmaker=_numbered(foot, mark))
    return file.getvalue()


def section(title: str) -> Flowable:
    """A heading, which is a bookmark too."""
    return Paragraph(marked(title), SECTION)


def paragraph(text: str) -> Flowable:
    """Text that is not markup."""
    return Paragraph(marked(text), LEAD)


def table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[float | None]
) -> Flowable:
    """Rows of words, the first cell at the left and the others at the right, below their heads."""
    first, *others = heads
    written = [
        [
            Paragraph(f"<b>{marked(first)}</b>", _CELL),
            *(Paragraph(f"<b>{marked(each)}</b>", _NUMBER) for each in others),
        ]
    ]
    for label, *cells in rows:
        told = [Paragraph(marked(each), _NUMBER) for each in cells]
        written.append([Paragraph(marked(label), _CELL), *told])
    return Table(written, colWidths=widths, style=_LINES, repeatRows=1, spaceBefore=4, spaceAfter=6)


def marked(text: str) -> str:
    """Text as a paragraph takes it: shown, its lines kept, nothing of it markup."""
    return escape(shown(text)).replace("\n", "<br/>")


def shown(text: str) -> str:
    """Text as the document can show it; other characters as U+ and their code point.

    Spaces that the font has not, such as the narrow one in French numbers, are plain ones that do
    not break.
    """
    glyphs = fonts()
    return "".join(
        mark if ord(mark) in glyphs or mark == "\n" else f"[U+{ord(mark):04X}]"
        for mark in text.translate(_SPACES)
    )


@cache
def fonts() -> frozenset[int]:
    """Register the fonts, and tell which code points they show."""
    directory = Path(reportlab.__file__).parent / "fonts"
    plain, bold = (TTFont(name, str(directory / f"{name}.ttf")) for name in (FONT, BOLD))
    pdfmetrics.registerFont(plain)
    pdfmetrics.registerFont(bold)
    pdfmetrics.registerFontFamily(FONT, normal=FONT, bold=BOLD, italic=FONT, boldItalic=BOLD)
    return frozenset(plain.face.charToGlyph)


def _numbered(foot: str, mark: str) -> type[Canvas]:
    """A canvas that writes mark, foot and `page of pages` on every page when all are known."""

    class Numbered(Canvas):
        def __init__(self, *positional: Any, **named: Any) -> None:
            super().__init__(*positional, **named)
            self.pages: list[dict[str, object]] = []

        def showPage(self) -> None:  # noqa: N802 - reportlab's name
            self.pages.append(dict(self.__dict__))
            self._startPage()  # type: ignore[attr-defined]  # the stubs leave it out

        def save(self) -> None:
            for number, page in enumerate(self.pages, 1):
                self.__dict__.update(page)
                self.setFont(FONT, 7)
                self.setFillColor(SOFT)
                across, tall = self._pagesize  # type: ignore[attr-defined]  # as above
                side = _FOOT if across > A4[0] else _MARGIN
                self.drawString(side, _FOOT, shown(foot))
                told = gettext("Page %(number)s of %(pages)s", number=number, pages=len(self.pages))
                self.drawRightString(across - side, _FOOT, told)
                self.setFont(BOLD, 12)
                self.setFillColor(INK)
                self.drawRightString(across - side, tall - _FOOT, shown(mark))
                super().showPage()
            super().save()

    return Numbered


def told_moment(at: datetime) -> str:
    """A moment as the document writes it."""
    return f"{format_datetime(at, 'medium')} UTC"

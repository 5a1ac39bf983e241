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
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate, Paragraph

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

_MARGIN = 18 * mm
_FOOT = 12 * mm


class _Document(BaseDocTemplate):
    """A document whose headings of style SECTION become bookmarks."""

    def afterFlowable(self, flowable: Flowable) -> None:  # noqa: N802 - reportlab's name
        if isinstance(flowable, Paragraph) and flowable.style.name == SECTION.name:
            title = flowable.getPlainText()
            self.canv.bookmarkPage(title)
            self.canv.addOutlineEntry(title, title, 0)


def printed(title: str, story: Sequence[Flowable], foot: str) -> bytes:
    """The PDF of what a document holds, with the foot on each page."""
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
    )
    frame = Frame(made.leftMargin, made.bottomMargin, made.width, made.height, 0, 0, 0, 0)
    made.addPageTemplates(PageTemplate(frames=[frame]))
    made.build(list(story), canvasmaker=_numbered(foot))
    return file.getvalue()


def marked(text: str) -> str:
    """Text as a paragraph takes it: shown, its lines kept, nothing of it markup."""
    return escape(shown(text)).replace("\n", "<br/>")


def shown(text: str) -> str:
    """Text as the document can show it; other characters as U+ and their code point."""
    glyphs = fonts()
    return "".join(
        mark if ord(mark) in glyphs or mark == "\n" else f"[U+{ord(mark):04X}]" for mark in text
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


def _numbered(foot: str) -> type[Canvas]:
    """A canvas that writes the foot and `page of pages` on every page when all are known."""

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
                self.drawString(_MARGIN, _FOOT, shown(foot))
                told = gettext("Page %(number)s of %(pages)s", number=number, pages=len(self.pages))
                self.drawRightString(A4[0] - _MARGIN, _FOOT, told)
                super().showPage()
            super().save()

    return Numbered


def told_moment(at: datetime) -> str:
    """A moment as the document writes it."""
    return f"{format_datetime(at, 'medium')} UTC"

"""Entries of the log as a document to hand over: in sentences, day by day, with what proves them.

People stand there as the pseudonyms of the log. What the font cannot show is written as its code
point, so that nothing is left out in silence.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import reportlab
from flask_babel import format_date, format_datetime, get_locale, gettext
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate, Paragraph, Spacer

from app.audit.reading import ReadEntry
from app.audit.wording import wording

_FONT, _BOLD = "Vera", "VeraBd"
_MARGIN = 18 * mm
_FOOT = 12 * mm
_INK, _SOFT, _ALARM = colors.HexColor("#1b2733"), colors.HexColor("#5b6672"), "#a3262a"

_HEAD = ParagraphStyle("head", fontName=_BOLD, fontSize=15, leading=20, textColor=_INK)
_LEAD = ParagraphStyle("lead", fontName=_FONT, fontSize=8.5, leading=12, textColor=_INK)
_DAY = ParagraphStyle(
    "day",
    fontName=_BOLD,
    fontSize=9.5,
    leading=13,
    spaceBefore=9,
    spaceAfter=3,
    textColor=_INK,
    keepWithNext=1,
)
_ENTRY = ParagraphStyle(
    "entry", fontName=_FONT, fontSize=8.5, leading=11.5, spaceAfter=5, textColor=_INK
)


@dataclass(frozen=True)
class Cover:
    """What stands before the entries: a title, and facts as label and value."""

    title: str
    facts: Sequence[tuple[str, str]]
    statements: Sequence[str]
    foot: str


def document(cover: Cover, entries: Sequence[ReadEntry], names: Mapping[str, str]) -> bytes:
    """The PDF, A4, in the language of the request; `names` gives organisations by their codes."""
    _fonts()
    file = io.BytesIO()
    made = BaseDocTemplate(
        file,
        pagesize=A4,
        title=cover.title,
        author="",
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN + _FOOT,
        lang=str(get_locale() or "en"),
    )
    frame = Frame(made.leftMargin, made.bottomMargin, made.width, made.height, 0, 0, 0, 0)
    made.addPageTemplates(PageTemplate(frames=[frame]))
    story = [*_cover(cover), *_days(entries, names)]
    made.build(story, canvasmaker=_numbered(cover.foot))
    return file.getvalue()


def shown(text: str) -> str:
    """Text as the document can show it; other characters as U+ and their code point."""
    glyphs = _fonts()
    return "".join(
        mark if ord(mark) in glyphs or mark == "\n" else f"[U+{ord(mark):04X}]" for mark in text
    )


@cache
def _fonts() -> frozenset[int]:
    """Register the fonts, and tell which code points they show."""
    directory = Path(reportlab.__file__).parent / "fonts"
    plain, bold = (TTFont(name, str(directory / f"{name}.ttf")) for name in (_FONT, _BOLD))
    pdfmetrics.registerFont(plain)
    pdfmetrics.registerFont(bold)
    pdfmetrics.registerFontFamily(_FONT, normal=_FONT, bold=_BOLD, italic=_FONT, boldItalic=_BOLD)
    return frozenset(plain.face.charToGlyph)


def _text(text: str) -> str:
    return escape(shown(text)).replace("\n", "<br/>")


def _cover(cover: Cover) -> Iterator[Flowable]:
    yield Paragraph(_text(cover.title), _HEAD)
    yield Spacer(1, 4)
    facts = [f"<b>{_text(label)}</b>&nbsp; {_text(value)}" for label, value in cover.facts]
    yield Paragraph("<br/>".join(facts), _LEAD)
    yield Spacer(1, 5)
    for statement in cover.statements:
        yield Paragraph(_text(statement), _LEAD)
        yield Spacer(1, 3)


def _days(entries: Sequence[ReadEntry], names: Mapping[str, str]) -> Iterator[Flowable]:
    for day, of_day in groupby(entries, lambda entry: _moment(entry).date()):
        yield Paragraph(_text(format_date(day, "full")), _DAY)
        for entry in of_day:
            yield Paragraph(_told(entry, names), _ENTRY)


def _told(entry: ReadEntry, names: Mapping[str, str]) -> str:
    record, details, words = entry.fields, entry.details, wording()
    told = words.sentence(record, details, names)
    time = f"{_moment(entry):%H:%M:%S}"
    facts = [
        f"{record['act']} · {words.words(entry.operation.value, 'Operation')}",
        words.words(record["out"], "Outcome"),
    ]
    if record["basis"]:
        facts.append(words.words(record["basis"], "LegalBasis"))
    for label, value in (
        (gettext("Person"), details.get("actor")),
        (gettext("Objects"), _few(details.get("objects"))),
        (gettext("Place in the tree"), "-" if entry.place is None else entry.place),
        (gettext("Record"), record["id"]),
    ):
        if value is not None:
            facts.append(f"{label}: {value}")
    lines = [
        f"<b>{time}</b>&nbsp; {_text(told)}",
        f'<font size="6.8" color="#5b6672">{_text(" · ".join(facts))}</font>',
    ]
    if not entry.is_intact:
        alarm = gettext("Record, details and leaf do not fit one another. Report this.")
        lines.append(f'<font color="{_ALARM}">{_text(alarm)}</font>')
    return "<br/>".join(lines)


def _few(objects: Sequence[str] | None, most: int = 4) -> str | None:
    if not objects:
        return None
    named = ", ".join(map(str, objects[:most]))
    more = len(objects) - most
    return named if more <= 0 else gettext("%(named)s and %(more)s more", named=named, more=more)


def _moment(entry: ReadEntry) -> datetime:
    return datetime.fromtimestamp(entry.fields["t"] / 1000, UTC)


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
                self.setFont(_FONT, 7)
                self.setFillColor(_SOFT)
                self.drawString(_MARGIN, _FOOT, shown(foot))
                told = gettext("Page %(number)s of %(pages)s", number=number, pages=len(self.pages))
                self.drawRightString(A4[0] - _MARGIN, _FOOT, told)
                super().showPage()
            super().save()

    return Numbered


def told_moment(at: datetime) -> str:
    """A moment as the document writes it."""
    return f"{format_datetime(at, 'medium')} UTC"

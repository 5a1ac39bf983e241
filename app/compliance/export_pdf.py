"""Entries of the log as a document to hand over: in sentences, day by day, with what proves them.

People stand there as the pseudonyms of the log.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from flask_babel import format_date, gettext
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import Flowable, Paragraph, Spacer

from app.audit.reading import ReadEntry
from app.audit.wording import wording
from app.paper import ALARM, BOLD, FONT, HEAD, INK, LEAD, marked, printed

_DAY = ParagraphStyle(
    "day",
    fontName=BOLD,
    fontSize=9.5,
    leading=13,
    spaceBefore=9,
    spaceAfter=3,
    textColor=INK,
    keepWithNext=1,
)
_ENTRY = ParagraphStyle(
    "entry", fontName=FONT, fontSize=8.5, leading=11.5, spaceAfter=5, textColor=INK
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
    return printed(cover.title, [*cover_of(cover), *_days(entries, names)], cover.foot)


def cover_of(cover: Cover) -> Iterator[Flowable]:
    """What stands at the top of a document."""
    yield Paragraph(marked(cover.title), HEAD)
    yield Spacer(1, 4)
    facts = [f"<b>{marked(label)}</b>&nbsp; {marked(value)}" for label, value in cover.facts]
    yield Paragraph("<br/>".join(facts), LEAD)
    yield Spacer(1, 5)
    for statement in cover.statements:
        yield Paragraph(marked(statement), LEAD)
        yield Spacer(1, 3)


def _days(entries: Sequence[ReadEntry], names: Mapping[str, str]) -> Iterator[Flowable]:
    for day, of_day in groupby(entries, lambda entry: _moment(entry).date()):
        yield Paragraph(marked(format_date(day, "full")), _DAY)
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
        f"<b>{time}</b>&nbsp; {marked(told)}",
        f'<font size="6.8" color="#5b6672">{marked(" · ".join(facts))}</font>',
    ]
    if not entry.is_intact:
        alarm = gettext("Record, details and leaf do not fit one another. Report this.")
        lines.append(f'<font color="{ALARM}">{marked(alarm)}</font>')
    return "<br/>".join(lines)


def _few(objects: Sequence[str] | None, most: int = 4) -> str | None:
    if not objects:
        return None
    named = ", ".join(map(str, objects[:most]))
    more = len(objects) - most
    return named if more <= 0 else gettext("%(named)s and %(more)s more", named=named, more=more)


def _moment(entry: ReadEntry) -> datetime:
    return datetime.fromtimestamp(entry.fields["t"] / 1000, UTC)

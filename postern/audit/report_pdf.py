"""The report as one page of A4, to be handed to a supervisory authority."""

from html import escape
from io import BytesIO

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import (
    Flowable,
    KeepInFrame,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from postern.audit.findings import Status, Verdict
from postern.audit.report import LAW, LIMITS, MARKS, REPEAT, TITLE, VERDICTS, Report, facts

_MARGIN = 15 * mm
_INK = HexColor("#1a1a1a")
_RULE = HexColor("#b5b5b5")
_COLOURS = {
    Status.OK: HexColor("#1b5e20"),
    Status.FAILED: HexColor("#a40000"),
    Status.CANNOT_TELL: HexColor("#7a4f00"),
    Status.NOT_ASKED: HexColor("#555555"),
}
_VERDICT_COLOURS = {
    Verdict.IN_ORDER: _COLOURS[Status.OK],
    Verdict.NOT_IN_ORDER: _COLOURS[Status.FAILED],
    Verdict.CANNOT_TELL: _COLOURS[Status.CANNOT_TELL],
}
_BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=8, leading=9.8, textColor=_INK)
_SMALL = ParagraphStyle("small", parent=_BODY, fontSize=7, leading=8.6)
_BOLD = ParagraphStyle("bold", parent=_BODY, fontName="Helvetica-Bold")
_TITLE = ParagraphStyle("title", parent=_BOLD, fontSize=15, leading=19)
_VERDICT = ParagraphStyle("verdict", parent=_BOLD, fontSize=10.5, leading=13)
_HEADING = ParagraphStyle("heading", parent=_BOLD, spaceBefore=5, spaceAfter=1)
_PLAIN_CELLS = TableStyle(
    [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 0.6),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 0.6),
    ]
)
_RULED_CELLS = TableStyle(
    [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, _RULE),
    ]
)


def as_pdf(report: Report) -> bytes:
    """The report as a PDF of one page; long lists are made to fit."""
    width, height = A4[0] - 2 * _MARGIN, A4[1] - 2 * _MARGIN
    file = BytesIO()
    document = SimpleDocTemplate(
        file,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=TITLE,
        author=_plain(report["by"] or f"postern {report['postern']}"),
        subject=_plain(report["subject"]),
        lang="en",
    )
    # The frame has a padding of 6 points on each side.
    document.build([KeepInFrame(width - 12, height - 12, _content(report, width - 12))])
    return file.getvalue()


def _content(report: Report, width: float) -> list[Flowable]:
    verdict = Verdict(report["verdict"])
    of_verdict = ParagraphStyle("of", parent=_VERDICT, textColor=_VERDICT_COLOURS[verdict])
    content: list[Flowable] = [
        Paragraph(TITLE, _TITLE),
        Paragraph(escape(VERDICTS[verdict]), of_verdict),
        Spacer(1, 2 * mm),
        _table(
            [
                [Paragraph(name, _BOLD), Paragraph(_marked(text), _BODY)]
                for name, text in facts(report)
            ],
            [28 * mm, width - 28 * mm],
            _PLAIN_CELLS,
        ),
        Spacer(1, 2 * mm),
        _table([_row(check) for check in report["checks"]], [28 * mm, width - 28 * mm]),
    ]
    for name in ("remarks", "evidence"):
        if report[name]:
            content.append(Paragraph(name.capitalize(), _HEADING))
            content += [Paragraph(_marked(each), _SMALL) for each in report[name]]
    content.append(Paragraph("What no log of this kind can show", _HEADING))
    content += [Paragraph(f"- {_marked(each)}", _SMALL) for each in LIMITS]
    content.append(Paragraph("The law", _HEADING))
    content.append(Paragraph(_marked(LAW), _SMALL))
    content.append(Paragraph("Repeating it", _HEADING))
    content.append(Paragraph(_marked(REPEAT), _SMALL))
    return content


def _row(check: Report) -> list[Flowable]:
    status = Status(check["status"])
    style = ParagraphStyle("mark", parent=_BOLD, textColor=_COLOURS[status])
    words = f"<b>{_marked(check['question'])}</b><br/>{_marked(check['finding'])}"
    return [Paragraph(MARKS[status], style), Paragraph(words, _BODY)]


def _table(
    rows: list[list[Flowable]], widths: list[float], style: TableStyle = _RULED_CELLS
) -> Table:
    return Table(rows, colWidths=widths, style=style, hAlign="LEFT")


def _marked(text: str) -> str:
    return escape(_plain(text), quote=False)


def _plain(text: str) -> str:
    """What the built-in fonts can show."""
    return text.encode("cp1252", "replace").decode("cp1252")

"""The report of a month as a PDF: one click for a compliance officer, in their language.

It is an account of the log and of what waits, with the checkpoint that it rests on; it proves
nothing by itself, which it says.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from flask_babel import format_date, format_decimal, gettext
from reportlab.platypus import Flowable
from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.audit import retention
from app.audit.service import append
from app.audit.wording import wording
from app.compliance import log_lights, log_state
from app.compliance.export_pdf import Cover, cover_of
from app.compliance.log_lights import Verified
from app.compliance.log_state import LogState
from app.compliance.month_figures import Counted, Figures, figures
from app.compliance.retention_api import in_force
from app.paper import paragraph, printed, section, table, told_moment
from app.runtime import runtime
from postern.base64url import to_base64url

MOST_PEOPLE = 40  # rows


@dataclass(frozen=True)
class Report:
    """The file of a month."""

    name: str
    content: bytes


@dataclass(frozen=True)
class _Told:
    """All that the report tells."""

    figures: Figures
    state: LogState
    verified: Verified | None
    retention: retention.Retention
    at: datetime


def month_report(session: Session, caller: Caller, month: date) -> Report:
    """The report of the caller's organisation for the month that begins with this day; logged."""
    settings = runtime().settings
    told = _Told(
        figures=figures(session, caller, month),
        state=log_state.read(session, caller, settings.audit),
        verified=log_lights.last_verified(session, caller, settings.audit.name),
        retention=in_force(session, caller),
        at=clock.now(),
    )
    content = _document(session, caller, told)
    append(
        session,
        caller,
        "oversight.report",
        object_type="audit-entry",
        count=1,
        details={
            "month": month.isoformat()[:7],
            "sha256": hashlib.sha256(content).hexdigest(),
        },
    )
    return Report(f"report-{caller.organisation}-{month:%Y-%m}.pdf", content)


def _document(session: Session, caller: Caller, told: _Told) -> bytes:
    names = wording().organisations(session)
    code = caller.organisation
    head = told.state.head
    root = to_base64url(head.root) if head else gettext("nothing was signed yet")
    title = gettext(
        "Report of %(month)s, %(organisation)s",
        month=format_date(told.figures.month, "LLLL yyyy"),
        organisation=names.get(code, code),
    )
    statements = [
        gettext(
            "Counted from the organisation's part of the signed log, in UTC, and from what waits"
            " when the report is made. People stand here as pseudonyms, which the organisation's"
            " own list of accounts resolves."
        ),
        gettext(
            "This document is a reading aid and proves nothing by itself: verify the log, and"
            " compare the checkpoint above with another member."
        ),
    ]
    if not told.figures.is_whole:
        statements.insert(0, gettext("The month is not over: these are its figures so far."))
    cover = Cover(
        title=title,
        facts=[
            (gettext("Made"), told_moment(told.at)),
            (gettext("Made by"), str(caller.person)),
            (
                gettext("Signed log"),
                gettext(
                    "%(name)s, %(size)s entries, root %(root)s",
                    name=told.state.origin,
                    size=format_decimal(head.size if head else 0),
                    root=root,
                ),
            ),
        ],
        statements=statements,
        foot=f"{runtime().settings.platform.name} · {code} · {told_moment(told.at)}",
    )
    return printed(title, [*cover_of(cover), *_sections(told)], cover.foot)


def _sections(told: _Told) -> Iterator[Flowable]:
    yield from _use(told.figures)
    yield from _rooms(told.figures)
    yield from _signals(told.figures)
    yield from _reviews(told.figures)
    yield from _retention(told)
    yield from _log(told)


def _use(figures: Figures) -> Iterator[Flowable]:
    words, use = wording(), figures.use
    yield section(gettext("Use by the organisation's own people"))
    yield paragraph(
        gettext(
            "Acts: %(entries)s; of these denied: %(denied)s",
            entries=format_decimal(use.entries),
            denied=format_decimal(use.denied),
        )
    )
    yield _table(
        (gettext("Operation"), gettext("Acts")),
        [(words.words(one.value, "Operation"), count) for one, count in use.operations.items()],
    )
    yield _table(
        (gettext("Purpose"), gettext("Acts")),
        [(words.words(purpose, "Purpose"), count) for purpose, count in use.purposes],
    )
    shown = use.people[:MOST_PEOPLE]
    yield _table((gettext("Person"), gettext("Acts")), shown)
    if len(use.people) > len(shown):
        yield paragraph(
            gettext(
                "%(count)s more people are left out here; the access log has them.",
                count=format_decimal(len(use.people) - len(shown)),
            )
        )


def _rooms(figures: Figures) -> Iterator[Flowable]:
    today = figures.today
    yield section(gettext("Disclosures"))
    yield _acts(figures.rooms["disclosures"])
    yield section(gettext("Recalls"))
    yield _acts(figures.rooms["recalls"])
    yield paragraph(
        gettext(
            "Waiting today: recalls of others for an answer: %(recalls)s; one's own for the answers"
            " of others: %(own)s",
            recalls=format_decimal(today.recalls),
            own=format_decimal(today.own_recalls),
        )
    )


def _signals(figures: Figures) -> Iterator[Flowable]:
    words, today = wording(), figures.today.signals
    yield section(gettext("Signals"))
    raised = [(words.words(each.value, "Signal"), count) for each, count in figures.raised.items()]
    yield _table((gettext("Raised in the month"), gettext("Signals")), raised)
    closed = [(words.words(each.value, "Verdict"), count) for each, count in figures.closed.items()]
    yield _table((gettext("Closed in the month, as"), gettext("Signals")), closed)
    yield paragraph(
        gettext(
            "Open today: %(open)s; of these past their day: %(overdue)s",
            open=format_decimal(today.open),
            overdue=format_decimal(today.overdue),
        )
    )


def _reviews(figures: Figures) -> Iterator[Flowable]:
    yield section(gettext("Reviews of the month's entries"))
    judged = [
        (
            wording().words(verdict.value, "Verdict") if verdict else gettext("not judged yet"),
            count,
        )
        for verdict, count in figures.judged.items()
    ]
    if judged:
        yield _table((gettext("Found"), gettext("Entries")), judged)
    else:
        yield paragraph(gettext("No entry of the month has been drawn."))


def _retention(told: _Told) -> Iterator[Flowable]:
    yield section(gettext("Retention, holds and subject requests"))
    rule = told.retention
    yield paragraph(
        gettext(
            "Details of the log from before %(day)s are erased, by: %(source)s",
            day=format_date(rule.before(told.at), "long"),
            source=rule.legal_source,
        )
    )
    yield _acts(told.figures.rooms["endings"])
    yield paragraph(
        gettext(
            "Subject requests that wait for an answer today: %(subjects)s",
            subjects=format_decimal(told.figures.today.subjects),
        )
    )


def _log(told: _Told) -> Iterator[Flowable]:
    state, verified = told.state, told.verified
    yield section(gettext("State of the log when the report was made"))
    if state.head:
        signed = ", ".join(map(str, state.head.signed_by)) or gettext("nobody")
        yield paragraph(
            gettext("Signed %(at)s by %(by)s", at=told_moment(state.head.at), by=signed)
        )
    if state.needed and state.cosigned:
        yield paragraph(
            gettext(
                "%(needed)s of %(counting)s organisations are needed to vouch for it; they did for"
                " %(size)s entries, last %(at)s.",
                needed=format_decimal(state.needed),
                counting=format_decimal(state.counting),
                size=format_decimal(state.cosigned.size),
                at=told_moment(state.cosigned.at),
            )
        )
    else:
        yield paragraph(gettext("No quorum of other organisations vouches for it."))
    yield paragraph(gettext("Open alarms: %(count)s", count=format_decimal(len(state.alarms))))
    if verified:
        yield paragraph(
            gettext(
                "Last verified in a browser of the organisation: %(at)s, %(size)s entries:"
                " %(found)s",
                at=told_moment(verified.at),
                size=format_decimal(verified.size),
                found=wording().words(verified.found.value, "Wholeness"),
            )
        )
    else:
        yield paragraph(gettext("Nobody of the organisation has verified it in a browser yet."))


def _acts(counted: Sequence[Counted]) -> Flowable:
    words = wording()
    if not counted:
        return paragraph(gettext("No act of this kind in the month."))
    return _table(
        (gettext("Act"), gettext("own"), gettext("of others")),
        [(words.act_name(each.act), each.own, each.others) for each in counted],
    )


def _table(heads: Sequence[str], rows: Sequence[tuple[str | int, ...]]) -> Flowable:
    """Rows of words and numbers; a sentence where there is none."""
    if not rows:
        return paragraph(gettext("%(what)s: none", what=heads[0]))
    told = [(str(label), *(format_decimal(each) for each in counts)) for label, *counts in rows]
    return table(heads, told, [None, *(80 for _ in heads[1:])])

"""The pages on which a person tags: one thing with its suggestions, or report after report.

Suggestions are offered and never chosen beforehand. They ask what the interface for programs asks,
by the same verbs, and are logged as the same acts. They need no script; with one (static/js/
tagging.js) digits choose steps and signals.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask_babel import lazy_gettext as _
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from app.audit.guard import audited, caller, transaction
from app.barriers import modelling, tag_worklist, tagging
from app.barriers.model import BarrierModel, Step, Wording
from app.barriers.modelling import READERS
from app.barriers.page_requests import attempt, identity, log_refusal, may, notice, number, reasons
from app.barriers.refusals import NoModelError
from app.barriers.suggesting import Suggestion
from app.barriers.tagging import MOST_SIGNALS, TAGGERS, Subject, Tag
from app.barriers.wording import spoken_language
from app.errors import InvalidRequestError, NotFoundError, PosternError
from app.indicators import service
from app.indicators.models import ReportStatus
from app.indicators.own import OwnReport
from app.patterns import reading as patterns
from postern.vocabulary import Role

Page = tuple[str, int]
Answer = Response | Page

blueprint = Blueprint("tag_pages", __name__)

_NOTICES = frozenset({"tagged"})
_NONE = "none"
_NEXT_SHOWN = 10  # of the reports that wait
_CHOOSE_STEP = _("Choose a step, or none of them.")
_FEWER = _("Choose fewer signals.")


@dataclass(frozen=True, slots=True)
class ShownTag:
    """A tag in the words of its own version of the model; `step` None: at none of the steps.

    `signals` are texts, each with the reason if it was suggested.
    """

    tag: Tag
    step: Step | None
    signals: Sequence[tuple[Wording, str | None]]
    rejected: Sequence[Wording]


@dataclass(frozen=True, slots=True)
class Desk:
    """What the form offers: the model in use, and what it suggests for a report."""

    version: int
    document: BarrierModel
    steps: Sequence[int]
    signals: Sequence[Suggestion]

    @property
    def reasons(self) -> Mapping[str, str]:
        """Why each suggested signal is, by its key."""
        return {each.signal: each.reason(spoken_language()) for each in self.signals}

    @property
    def ordered(self) -> Sequence[Step]:
        """The suggested steps first, the likeliest before the others; then the rest."""
        return sorted(self.document.steps, key=lambda each: (*self._place(each), each.number))

    def _place(self, step: Step) -> tuple[int]:
        return (self.steps.index(step.number) if step.number in self.steps else len(self.steps),)


@blueprint.get("/barriers/tags/<uuid:subject_id>")
@audited("step.read", roles=READERS)
def show(subject_id: UUID) -> Page:
    """Show the tags of a report, pattern or outcome of one's own, and the form of the next one."""
    return _one(_subject(), subject_id)


@blueprint.post("/barriers/tags/<uuid:subject_id>")
@audited("step.tag", roles=TAGGERS)
def tag(subject_id: UUID) -> Answer:
    """Tag it; from the worklist the next report follows."""
    subject = _subject()
    problem = _tag(subject, subject_id)
    is_in_turn = subject is Subject.REPORT and request.form.get("then") == "next"
    if is_in_turn and problem is None:
        address = url_for("tag_pages.work", done="tagged", before=identity("before"))
        return redirect(address, code=303)
    if is_in_turn:
        return _work(problem, subject_id)
    if problem is not None:
        return _one(subject, subject_id, problem)
    address = url_for("tag_pages.show", subject_id=subject_id, of=subject.value, done="tagged")
    return redirect(address, code=303)


@blueprint.get("/barriers/tagging")
@audited("step.suggest", roles=TAGGERS)
def work() -> Page:
    """Show the next report that has no step, with what is suggested for it."""
    return _work()


def tags_of(subject: str, subject_id: UUID) -> Sequence["ShownTag"]:
    """The tags of a thing of one's own, newest first, for the page that shows it. NotFoundError."""
    return _shown(tagging.tags(transaction(), caller(), Subject(subject), subject_id))


def _tag(subject: Subject, subject_id: UUID) -> PosternError | None:
    def verb() -> None:
        chosen = request.form.get("step", "")
        signals = request.form.getlist("signal")
        step = number("step")
        if chosen != _NONE and not step:
            raise _wrong(step=str(_CHOOSE_STEP))
        if len(signals) > MOST_SIGNALS:
            raise _wrong(signals=str(_FEWER))
        tagging.tag(transaction(), caller(), subject, subject_id, step, signals, number("version"))

    found: PosternError | None = attempt("step.tag", subject.value, [subject_id], verb)
    return found


def _one(subject: Subject, subject_id: UUID, problem: PosternError | None = None) -> Page:
    tags = tagging.tags(transaction(), caller(), subject, subject_id)
    report = None
    if subject is Subject.REPORT and may(_REPORT_READERS):
        report = service.read_own(transaction(), caller(), subject_id)
    is_over = report is not None and _is_over(report)
    desk = _desk(subject, subject_id) if may(TAGGERS) and not is_over else None
    page = render_template(
        "barriers/tags.html",
        subject=subject,
        subject_id=subject_id,
        tags=_shown(tags),
        title=_pattern_title(subject_id) if subject is Subject.PATTERN else "",
        report=report,
        is_over=is_over,
        may_tag=may(TAGGERS),
        done=notice(_NOTICES),
        **_of_form(desk, tags, problem),
    )
    return page, problem.status if problem else 200


def _work(problem: PosternError | None = None, refused: UUID | None = None) -> Page:
    before = identity("before")
    found = tag_worklist.waiting(transaction(), caller(), _NEXT_SHOWN, before)
    reports = [each for each in found.page.reports if each.id != refused]
    if refused is not None:
        reports.insert(0, service.read_own(transaction(), caller(), refused))
    report = reports[0] if reports else None
    desk = _desk(Subject.REPORT, report.id) if report else None
    page = render_template(
        "barriers/tagging.html",
        count=found.count,
        is_more=found.is_more,
        report=report,
        following=reports[1:],
        before=before,
        done=notice(_NOTICES),
        **_of_form(desk, (), problem),
    )
    return page, problem.status if problem else 200


def _shown(tags: Sequence[Tag]) -> list[ShownTag]:
    found = []
    for tag in tags:
        texts = {signal.key: signal.text for _step, signal in tag.document.signals}
        signals = [
            (
                texts[each.key],
                each.suggestion.reason(spoken_language()) if each.suggestion else None,
            )
            for each in tag.signals
        ]
        step = None if tag.step is None else tag.document.steps[tag.step - 1]
        found.append(ShownTag(tag, step, signals, [texts[key] for key in tag.rejected]))
    return found


def _of_form(
    desk: Desk | None, tags: Sequence[Tag], problem: PosternError | None
) -> dict[str, Any]:
    """What the form shows as chosen: what was typed, else what the newest tag says."""
    newest = tags[0] if tags else None
    if problem is not None:
        chosen = request.form.get("step", "")
        signals = set(request.form.getlist("signal"))
    else:
        chosen = "" if newest is None else str(newest.step or _NONE)
        signals = {each.key for each in newest.signals} if newest else set()
    return {
        "desk": desk,
        "chosen": chosen,
        "chosen_signals": signals,
        "problem": problem,
        "wrong": reasons(problem),
    }


def _desk(subject: Subject, subject_id: UUID) -> Desk | None:
    """The form's offer; None while there is no model."""
    try:
        if subject is Subject.REPORT:
            found = tagging.suggest(transaction(), caller(), subject_id)
            return Desk(found.version, found.document, found.steps, found.signals)
        used = modelling.current(transaction(), caller())
    except NoModelError as error:
        log_refusal("step.suggest", subject.value, [subject_id], error)
        return None
    return Desk(used.version, used.document, (), ())


def _pattern_title(pattern_id: UUID) -> str:
    found = patterns.read(transaction(), caller(), None, pattern_id, spoken_language())
    return found.listed.title


def _is_over(report: OwnReport) -> bool:
    live = [each for each in report.indicators if each["restricted_at"] is None]
    return report.status is ReportStatus.WITHDRAWN or not live


def _subject() -> Subject:
    """What the id is of: a report unless the address or the form says something else."""
    asked = request.values.get("of", Subject.REPORT.value)
    found = next((each for each in Subject if each.value == asked), None)
    if found is None:
        raise NotFoundError
    return found


def _wrong(**why: str) -> InvalidRequestError:
    return InvalidRequestError(
        errors=[{"field": f"json.{name}", "reason": reason} for name, reason in why.items()]
    )


_REPORT_READERS = frozenset(READERS) - {Role.POLICY_OWNER}

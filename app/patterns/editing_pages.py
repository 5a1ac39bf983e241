"""The editor of patterns: write a text, see its faults at their places, try it, propose it.

A step that is refused, and every step but saving, brings the same page back with what was typed.
The page works without a script; with one (static/js/pattern.js) faults and words follow the text.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from app import clock
from app.audit.entry import Outcome
from app.audit.guard import audited, caller, transaction
from app.audit.service import append
from app.errors import ConflictError, InvalidRequestError, NotAllowedError, PosternError
from app.organisations.service import directory
from app.patterns import documents, drafting, library, reading, typed_parcels
from app.patterns.beside import Beside
from app.patterns.documents import Checked
from app.patterns.drafting import WRITERS
from app.patterns.errors import NoPatternDraftError, PatternDraftChangedError
from app.patterns.fault_words import fault_in_words
from app.patterns.page_requests import revision, spoken
from app.patterns.reading import Pattern
from app.patterns.typed_parcels import TypedParcels
from postern.patterns import PatternError, PatternFault, formatted
from postern.vocabulary import (
    Assertion,
    Handling,
    InformationGrade,
    SourceGrade,
    Substance,
)

Page = tuple[str, int]
Answer = Response | Page
Word = TypeVar("Word", bound=StrEnum)

blueprint = Blueprint("editing", __name__)

LONGEST_TEXT = documents.LARGEST_TEXT  # characters: what is longer in bytes is a fault
_LIVES = timedelta(days=365)  # what an empty rule proposes

_REFUSED = (ConflictError, InvalidRequestError, NotAllowedError)
_NOTICES = frozenset({"saved", "begun", "withdrawn"})
_EDIT = "/patterns/<uuid:pattern_id>/edit"
_WORDS: Mapping[str, type[StrEnum]] = {
    "source_grade": SourceGrade,
    "information_grade": InformationGrade,
    "assertion": Assertion,
    "substance": Substance,
}


@dataclass(frozen=True)
class _Shown:
    """What the editor shows: a text, what stands beside it, parcels, and the draft's revision."""

    text: str
    beside: Beside
    parcels: TypedParcels
    revision: int | None
    is_tried: bool = False


@blueprint.get("/patterns/new")
@audited("pattern.check", roles=WRITERS)
def begin() -> Page:
    """Show the editor with a rule of the library, or with the frame of one; nothing is kept yet."""
    member = directory(transaction())[caller().member[0]]
    chosen = request.args.get("from", "")
    found = next((each for each in library.starters() if each.name == chosen), None)
    if found is not None:
        text = library.begun(found, member.name)
    else:
        text = library.empty(member.name, (clock.now() + _LIVES).date().isoformat())
    append(transaction(), caller(), "pattern.check", object_type="pattern")
    return _page(None, _Shown(text, Beside(), TypedParcels(), None), is_new_text=found is None)


@blueprint.post("/patterns/new")
@audited("pattern.draft", roles=WRITERS)
def keep() -> Answer:
    """Keep a new draft, or do another step of the editor."""
    shown, is_saved = _step()
    if not is_saved:
        return _page(None, shown)
    try:
        with transaction().begin_nested():
            made = drafting.begin(transaction(), caller(), shown.text, shown.beside)
    except _REFUSED as error:
        _log_refusal(None, error)
        return _page(None, shown, problem=error)
    return _to(made.listed.id, "begun")


@blueprint.get(_EDIT)
@audited("pattern.read", roles=WRITERS)
def show(pattern_id: UUID) -> Answer:
    """Show the editor with the open draft, or with the text in force to write the next version."""
    pattern = _own(pattern_id)
    draft = pattern.draft
    if (draft and draft.state == "proposed") or pattern.deprecation:
        return redirect(url_for("pattern_pages.show", pattern_id=pattern_id), code=303)
    shown = _Shown(
        draft.text if draft else pattern.text or "",
        draft.beside if draft else pattern.beside or Beside(),
        TypedParcels(),
        draft.revision if draft else None,
    )
    done = request.args.get("done", "")
    return _page(pattern, shown, notice=done if done in _NOTICES else None)


@blueprint.post(_EDIT)
@audited("pattern.draft", roles=WRITERS)
def save(pattern_id: UUID) -> Answer:
    """Save the draft, or do another step of the editor."""
    pattern = _own(pattern_id)
    shown, is_saved = _step()
    if not is_saved:
        return _page(pattern, shown)
    try:
        with transaction().begin_nested():
            drafting.save_draft(
                transaction(), caller(), pattern_id, shown.text, shown.beside, shown.revision
            )
    except _REFUSED as error:
        _log_refusal(pattern_id, error)
        return _page(pattern, _to_save_again(shown, error), problem=error)
    return _to(pattern_id, "saved")


@blueprint.post("/patterns/compose")
@audited("pattern.check", roles=WRITERS)
def compose() -> dict[str, Any]:
    """What the text says and what is wrong with it, for the script of the page; nothing is kept."""
    checked = _checked(request.form.get("text", ""))
    append(transaction(), caller(), "pattern.check", object_type="pattern")
    return {
        "explanation": checked.explanation,
        "is_ready": checked.is_ready,
        "faults": [
            {
                "line": each.line,
                "column": each.column,
                "reason": said.reason,
                "remedy": said.remedy,
                "language": said.language,
            }
            for each in checked.faults
            for said in (fault_in_words(each),)
        ],
        "examples": [
            {
                "line": each.line,
                "parcels": each.parcels,
                "must_hit": each.must_hit,
                "passed": each.passed,
            }
            for each in checked.examples
        ],
    }


@blueprint.post("/patterns/<uuid:pattern_id>/propose")
@audited("pattern.draft", roles=WRITERS)
def propose(pattern_id: UUID) -> Answer:
    """Put the saved draft before a second person."""
    pattern = _own(pattern_id)
    try:
        with transaction().begin_nested():
            drafting.propose(transaction(), caller(), pattern_id, revision() or 0)
    except _REFUSED as error:
        _log_refusal(pattern_id, error)
        return _page(_own(pattern_id), _kept(pattern), problem=error)
    address = url_for("pattern_pages.show", pattern_id=pattern_id, done="proposed")
    return redirect(address, code=303)


@blueprint.post("/patterns/<uuid:pattern_id>/discard")
@audited("pattern.draft", roles=WRITERS)
def discard(pattern_id: UUID) -> Answer:
    """Throw the open draft away; a pattern that never was published goes with it."""
    pattern = _own(pattern_id)
    try:
        with transaction().begin_nested():
            drafting.discard(transaction(), caller(), pattern_id, revision() or 0)
    except _REFUSED as error:
        _log_refusal(pattern_id, error)
        return _page(_own(pattern_id), _kept(pattern), problem=error)
    if pattern.listed.published_on is None:
        return redirect(url_for("pattern_pages.show_all", done="discarded"), code=303)
    address = url_for("pattern_pages.show", pattern_id=pattern_id, done="discarded")
    return redirect(address, code=303)


def _own(pattern_id: UUID) -> Pattern:
    """A pattern of the caller's own organisation; NotFoundError for any other."""
    return reading.read(transaction(), caller(), None, pattern_id, spoken())


def _kept(pattern: Pattern) -> _Shown:
    """The draft as it is stored."""
    draft = pattern.draft
    if draft is None:
        return _Shown(pattern.text or "", pattern.beside or Beside(), TypedParcels(), None)
    return _Shown(draft.text, draft.beside, TypedParcels(), draft.revision)


def _to_save_again(shown: _Shown, error: PosternError) -> _Shown:
    """What was typed, so that saving it puts it in the place of what somebody else wrote."""
    if isinstance(error, PatternDraftChangedError):
        return replace(shown, revision=error.extensions["revision"])
    return replace(shown, revision=None) if isinstance(error, NoPatternDraftError) else shown


def _step() -> tuple[_Shown, bool]:
    """What was typed, after the step of the button that was pressed; whether it is to be saved."""
    step, _, about = request.form.get("do", "save").partition(":")
    text = request.form.get("text", "").replace("\r\n", "\n")
    if step == "format":
        text = _formatted(text)
    typed = typed_parcels.read(request.form)
    if step in {"add", "take", "field", "example"}:
        about = request.form.get("field", "") if step == "field" else about
        rule = _checked(text).rule
        typed = typed_parcels.after_step(typed, step, about, rule)
    shown = _Shown(text, _beside(), typed, revision(), is_tried=step == "try")
    if step == "save":
        return shown, True
    append(transaction(), caller(), "pattern.check", object_type="pattern")
    return shown, False


def _page(
    pattern: Pattern | None,
    shown: _Shown,
    *,
    problem: PosternError | None = None,
    notice: str | None = None,
    is_new_text: bool = False,
) -> Page:
    checked = _checked(shown.text)
    said_in = spoken()
    fields = typed_parcels.shown_fields(shown.parcels, checked.rule, said_in)
    tried = None
    if shown.is_tried and checked.rule is not None:
        tried = documents.try_rows(checked.rule, shown.parcels.parcels, said_in)
    page = render_template(
        "patterns/edit.html",
        pattern=pattern,
        draft=pattern.draft if pattern else None,
        shown=shown,
        checked=checked,
        faults=[(each, fault_in_words(each)) for each in checked.faults],
        lines=shown.text.splitlines(),
        fields=fields,
        offered=typed_parcels.offered_fields(fields, said_in),
        tried=tried,
        wrong_cells={(each.number, each.field): fault_in_words(each) for each in tried.faults}
        if tried
        else {},
        problem=problem,
        is_mine_to_overwrite=isinstance(problem, PatternDraftChangedError),
        refused=_refused_lines(problem),
        notice=notice,
        starters=library.starters() if is_new_text else (),
        lists={name: list(kind) for name, kind in _WORDS.items()} | {"handling": list(Handling)},
        longest_text=LONGEST_TEXT,
        most_parcels=typed_parcels.MOST_PARCELS,
        longest_value=typed_parcels.LONGEST_VALUE,
    )
    return page, problem.status if problem else 200


def _checked(text: str) -> Checked:
    return documents.check(text, clock.now().date(), spoken())


def _refused_lines(problem: PosternError | None) -> list[Any]:
    """The faults for which a proposal was refused, each with its line."""
    errors = problem.extensions.get("errors", ()) if problem else ()
    faults = [
        PatternFault(each["line"], each["column"], each["reason"], each["remedy"])
        for each in errors
        if "line" in each
    ]
    return [(each, fault_in_words(each)) for each in faults]


def _formatted(text: str) -> str:
    """The text written in the one way; as it was where it cannot be read, which the page tells."""
    try:
        return formatted(text)
    except PatternError:
        return text


def _beside() -> Beside:
    """What was chosen beside the document; a word of no list counts as not chosen."""
    codes = set(request.form.getlist("handling"))
    usual = Beside()
    return Beside(
        handling=frozenset(code for code in Handling if code.value in codes),
        source_grade=_word(SourceGrade, "source_grade", usual.source_grade),
        information_grade=_word(InformationGrade, "information_grade", usual.information_grade),
        assertion=_word(Assertion, "assertion", usual.assertion),
        substance=_word(Substance, "substance", usual.substance),
    )


def _word(kind: type[Word], name: str, usual: Word) -> Word:
    return next((each for each in kind if each.value == request.form.get(name)), usual)


def _to(pattern_id: UUID, notice: str) -> Response:
    address = url_for("pattern_pages.editing.show", pattern_id=pattern_id, done=notice)
    return redirect(address, code=303)


def _log_refusal(pattern_id: UUID | None, error: PosternError) -> None:
    append(
        transaction(),
        caller(),
        "pattern.draft",
        outcome=Outcome.DENIED if isinstance(error, NotAllowedError) else Outcome.ERROR,
        object_type="pattern",
        objects=[str(pattern_id)] if pattern_id else [],
        details={"refusal": error.code},
    )

"""The pages of breaches: record one, see its clock and who may be concerned, and note each step."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from werkzeug.utils import redirect

from app.audit.guard import audited, caller, transaction
from app.compliance import breaches
from app.compliance.breach_models import BreachStep, Risk
from app.compliance.breach_words import RISK_NAMES, STEP_NAMES
from app.compliance.review_pages import OFFICER, REFUSALS, Answer, Page, log_refusal, names
from app.compliance.sealing import LONGEST_NOTE, LONGEST_TITLE, wrong
from app.compliance.subject_pages import cursor_given, errors_of
from app.errors import PosternError

blueprint = Blueprint("breaches", __name__)

_NOTICES = frozenset({"opened", "noted"})


@blueprint.get("/breaches")
@audited("breach.list", roles=OFFICER)
def show_all() -> Page:
    """Show the breaches that are open, or closed ones, and the form to record one."""
    return _all()


@blueprint.post("/breaches")
@audited("breach.open", roles=OFFICER)
def open_breach() -> Answer:
    """Record a breach; its clock runs from when the organisation became aware."""
    try:
        with transaction().begin_nested():
            aware_at = _moment("aware_at")
            if aware_at is None:
                raise wrong("aware_at", "Write when your organisation became aware.")
            made = breaches.open_breach(
                transaction(),
                caller(),
                title=request.form.get("title", ""),
                aware_at=aware_at,
                since=_moment("since"),
                until=_moment("until"),
            )
    except REFUSALS as error:
        log_refusal("breach.open", error)
        return _all(given=request.form, problem=error)
    return redirect(url_for("compliance.breaches.show", breach_id=made.id, done="opened"), 303)


@blueprint.get("/breaches/<uuid:breach_id>")
@audited("breach.read", roles=OFFICER)
def show(breach_id: UUID) -> Page:
    """Show one breach: its clock, its notes, who may be concerned by the ledger."""
    return _one(breach_id)


@blueprint.post("/breaches/<uuid:breach_id>/notes")
@audited("breach.note", roles=OFFICER)
def add_note(breach_id: UUID) -> Answer:
    """Note what was found or done, up to the end of the breach."""
    try:
        with transaction().begin_nested():
            breaches.add_note(
                transaction(),
                caller(),
                breach_id,
                step=_step(),
                text=request.form.get("note", ""),
                risk=_risk(),
            )
    except REFUSALS as error:
        log_refusal("breach.note", error, breach_id)
        return _one(breach_id, typed=request.form, problem=error)
    return redirect(url_for("compliance.breaches.show", breach_id=breach_id, done="noted"), 303)


def _all(given: Mapping[str, str] | None = None, problem: PosternError | None = None) -> Page:
    is_open, before = request.args.get("closed") != "1", cursor_given()
    found = breaches.list_breaches(transaction(), caller(), is_open=is_open, before=before)
    page = render_template(
        "compliance/breaches.html",
        breaches=found,
        following=found[-1].id if len(found) == breaches.PAGE else None,
        is_open=is_open,
        is_later_page=before is not None,
        given=given or {},
        longest_title=LONGEST_TITLE,
        risks=RISK_NAMES,
        problem=problem,
        wrong=errors_of(problem),
    )
    return page, problem.status if problem else 200


def _one(
    breach_id: UUID, typed: Mapping[str, str] | None = None, problem: PosternError | None = None
) -> Page:
    done = request.args.get("done", "")
    page = render_template(
        "compliance/breach.html",
        breach=breaches.read(transaction(), caller(), breach_id),
        notice=done if done in _NOTICES else None,
        typed=typed or {},
        steps=STEP_NAMES,
        risks=RISK_NAMES,
        names=names(),
        longest_note=LONGEST_NOTE,
        problem=problem,
        wrong=errors_of(problem),
    )
    return page, problem.status if problem else 200


def _moment(field: str) -> datetime | None:
    """A moment of the form, as the browser's field writes it, in UTC; None for none."""
    typed = request.form.get(field, "").strip()
    try:
        found = datetime.fromisoformat(typed) if typed else None
    except ValueError:
        found = None
        raise wrong(field, "Write the moment as YYYY-MM-DDTHH:MM, in UTC.") from None
    return found.replace(tzinfo=UTC) if found and found.tzinfo is None else found


def _step() -> BreachStep:
    typed = request.form.get("step", "")
    found = next((each for each in BreachStep if each.value == typed), None)
    if found is None:
        raise wrong("step", "Choose what the note tells.")
    return found


def _risk() -> Risk | None:
    typed = request.form.get("risk", "")
    if request.form.get("step") != BreachStep.RISK.value:
        return None
    return next((each for each in Risk if each.value == typed), None)

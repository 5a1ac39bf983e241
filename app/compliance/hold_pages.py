"""The page of legal holds: what is kept beyond its time, place a hold, release one."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from werkzeug.utils import redirect

from app.audit.guard import audited, caller, transaction
from app.clock import now
from app.compliance.review_pages import OFFICER, REFUSALS, Answer, Page, log_refusal
from app.compliance.sealing import wrong
from app.compliance.subject_pages import LONGEST_CASE, case_typed, cursor_given, errors_of
from app.errors import NotFoundError, PosternError
from app.indicators import holds
from postern.vocabulary import HoldReason

blueprint = Blueprint("holds", __name__)

PAGE = 50  # holds of one page

_NOTICES = frozenset({"placed", "released"})


@blueprint.get("/holds")
@audited("hold.list", roles=OFFICER)
def show_all() -> Page:
    """Show the holds, newest first, and the form to place one."""
    return _all()


@blueprint.post("/holds")
@audited("hold.place", roles=OFFICER)
def place() -> Answer:
    """Place a hold on a report of one's own."""
    try:
        with transaction().begin_nested():
            holds.place(
                transaction(),
                caller(),
                _report(),
                reason=_reason(),
                until=_until(),
                case=case_typed(),
            )
    except NotFoundError:
        # The report was typed, so the form comes back; another's is answered like none.
        unknown = wrong("report", "Your organisation has no report with this id.")
        log_refusal("hold.place", unknown)
        return _all(given=request.form, problem=unknown)
    except REFUSALS as error:
        log_refusal("hold.place", error)
        return _all(given=request.form, problem=error)
    return redirect(url_for("compliance.holds.show_all", done="placed"), 303)


@blueprint.post("/holds/<uuid:hold_id>/release")
@audited("hold.release", roles=OFFICER)
def release(hold_id: UUID) -> Answer:
    """Release a hold."""
    try:
        with transaction().begin_nested():
            holds.release(transaction(), caller(), hold_id)
    except REFUSALS as error:
        log_refusal("hold.release", error, hold_id)
        return _all(problem=error)
    return redirect(url_for("compliance.holds.show_all", done="released"), 303)


def _all(given: Mapping[str, str] | None = None, problem: PosternError | None = None) -> Page:
    cursor, today, done = cursor_given(), now().date(), request.args.get("done", "")
    found = holds.list_holds(transaction(), caller(), PAGE, cursor)
    page = render_template(
        "compliance/holds.html",
        holds=found.holds,
        following=found.next,
        is_later_page=cursor is not None,
        given=given or {"report": request.args.get("report", "")},
        reasons=list(HoldReason),
        first=today,
        last=holds.longest(today),
        longest_case=LONGEST_CASE,
        notice=done if done in _NOTICES else None,
        problem=problem,
        wrong=errors_of(problem),
    )
    return page, problem.status if problem else 200


def _report() -> UUID:
    try:
        return UUID(request.form.get("report", "").strip())
    except ValueError:
        raise wrong("report", "Write the id of a report of your organisation.") from None


def _reason() -> HoldReason:
    typed = request.form.get("reason", "")
    found = next((each for each in HoldReason if each.value == typed), None)
    if found is None:
        raise wrong("reason", "Choose why it must be kept.")
    return found


def _until() -> date:
    try:
        return date.fromisoformat(request.form.get("until", "").strip())
    except ValueError:
        raise wrong("until", "Write the day as YYYY-MM-DD.") from None

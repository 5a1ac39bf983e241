"""The pages of subject requests: open one, see how it stands and what to run, and close it.

The search itself needs the person's values and runs on premises alone: the page names the command.
"""

from collections.abc import Mapping
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from werkzeug.utils import redirect

from app.audit.guard import audited, caller, transaction
from app.compliance import subject_requests
from app.compliance.review_pages import OFFICER, REFUSALS, Answer, Page, log_refusal
from app.compliance.sealing import LONGEST_NOTE, wrong
from app.errors import PosternError
from app.runtime import runtime
from postern.vocabulary import SubjectRequestState, SubjectRight

blueprint = Blueprint("subjects", __name__)

PAGE = 50  # requests of one page
LONGEST_CASE = 128  # characters

_ENDS = (SubjectRequestState.ANSWERED, SubjectRequestState.REFUSED)
_NOTICES = frozenset({"opened", "closed"})


@blueprint.get("/subjects")
@audited("subject.list", roles=OFFICER)
def show_all() -> Page:
    """Show the requests that wait, or those that were closed, and the form to open one."""
    return _all()


@blueprint.post("/subjects")
@audited("subject.open", roles=OFFICER)
def open_request() -> Answer:
    """Open a request."""
    try:
        with transaction().begin_nested():
            made = subject_requests.open_request(
                transaction(),
                caller(),
                right=_right(),
                case=case_typed(),
                note=request.form.get("note", ""),
            )
    except REFUSALS as error:
        log_refusal("subject.open", error)
        return _all(given=request.form, problem=error)
    return redirect(url_for("compliance.subjects.show", request_id=made.id, done="opened"), 303)


@blueprint.get("/subjects/<uuid:request_id>")
@audited("subject.read", roles=OFFICER)
def show(request_id: UUID) -> Page:
    """Show one request: its days, what was found, and what to run on premises."""
    return _one(request_id)


@blueprint.post("/subjects/<uuid:request_id>/close")
@audited("subject.close", roles=OFFICER)
def close(request_id: UUID) -> Answer:
    """Close a request."""
    try:
        with transaction().begin_nested():
            subject_requests.close(
                transaction(),
                caller(),
                request_id,
                state=_end(),
                note=request.form.get("note", ""),
            )
    except REFUSALS as error:
        log_refusal("subject.close", error, request_id)
        return _one(request_id, typed=request.form, problem=error)
    return redirect(url_for("compliance.subjects.show", request_id=request_id, done="closed"), 303)


def case_typed() -> str:
    """The reference of a form; InvalidRequestError for none."""
    case = request.form.get("case", "").strip()
    if not case or len(case) > LONGEST_CASE or not case.isprintable():
        raise wrong("case", "Write the reference of your file, up to 128 characters.")
    return case


def errors_of(problem: PosternError | None) -> Mapping[str, str]:
    """The reason of each field that is wrong, by its name in the form."""
    errors = problem.extensions.get("errors", ()) if problem else ()
    return {each["field"].removeprefix("json."): each["reason"] for each in errors}


def cursor_given() -> UUID | None:
    """Where the page begins; an address that is none begins at the newest."""
    try:
        return UUID(request.args["cursor"]) if "cursor" in request.args else None
    except ValueError:
        return None


def _all(given: Mapping[str, str] | None = None, problem: PosternError | None = None) -> Page:
    is_open = request.args.get("closed") != "1"
    cursor = cursor_given()
    found = subject_requests.list_requests(transaction(), caller(), PAGE, cursor, is_open=is_open)
    page = render_template(
        "compliance/subjects.html",
        requests=found.requests,
        following=found.next,
        is_open=is_open,
        is_later_page=cursor is not None,
        given=given or {},
        rights=list(SubjectRight),
        longest_note=LONGEST_NOTE,
        longest_case=LONGEST_CASE,
        problem=problem,
        wrong=errors_of(problem),
    )
    return page, problem.status if problem else 200


def _one(
    request_id: UUID, typed: Mapping[str, str] | None = None, problem: PosternError | None = None
) -> Page:
    done = request.args.get("done", "")
    page = render_template(
        "compliance/subject.html",
        asked=subject_requests.read_request(transaction(), caller(), request_id),
        notice=done if done in _NOTICES else None,
        typed=typed or {},
        ends=_ENDS,
        origin=runtime().settings.platform.origin,
        longest_note=LONGEST_NOTE,
        problem=problem,
        wrong=errors_of(problem),
    )
    return page, problem.status if problem else 200


def _right() -> SubjectRight:
    typed = request.form.get("right", "")
    found = next((each for each in SubjectRight if each.value == typed), None)
    if found is None:
        raise wrong("right", "Choose what the person asks for.")
    return found


def _end() -> SubjectRequestState:
    typed = request.form.get("state", "")
    found = next((each for each in _ENDS if each.value == typed), None)
    if found is None:
        raise wrong("state", "Choose how it ends: answered or refused.")
    return found

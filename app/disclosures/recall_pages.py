"""The pages of recalls: what one's organisation must still do, what it did, and its own recalls.

They ask what the interface for programs asks, by the same verbs, and are logged as the same acts. A
refusal brings the page back with the reason; it is logged, and what the verb had done is undone
first.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from app.audit.entry import Outcome
from app.audit.guard import audited, caller, transaction
from app.audit.service import append
from app.disclosures import recall_answers, recall_own
from app.disclosures.recall_answers import TO_DO
from app.disclosures.recall_api import ANSWERERS, OWNERS
from app.errors import ConflictError, InvalidRequestError, PosternError
from postern.vocabulary import AcknowledgementState, Rectification

Page = tuple[str, int]

blueprint = Blueprint("recalls", __name__)

PAGE = 25  # recalls of one list

_DONE = frozenset({"acknowledged", "completed"})
_STATES = {"todo": TO_DO, "done": (AcknowledgementState.COMPLETED,)}
_OWN = {"open": True, "closed": False}


@blueprint.get("/recalls")
@audited("recall.list", roles=ANSWERERS)
def show_all() -> Page:
    """Show what is to be erased or corrected, the most urgent first, or one's own recalls."""
    return _list()


@blueprint.post("/recalls/received/<uuid:recall_id>")
@audited("recall.answer", roles=ANSWERERS)
def answer(recall_id: UUID) -> Response | Page:
    """Acknowledge a recall, or complete it with what was done."""
    typed = request.form.get("done", "")
    done = next((each for each in Rectification if each.value == typed), None)
    is_acknowledged = request.form.get("state") == AcknowledgementState.ACKNOWLEDGED.value
    state = AcknowledgementState.ACKNOWLEDGED if is_acknowledged else AcknowledgementState.COMPLETED
    try:
        with transaction().begin_nested():
            recall_answers.answer(
                transaction(),
                caller(),
                recall_id,
                state=state,
                done=None if is_acknowledged else done,
            )
    except (ConflictError, InvalidRequestError) as error:
        append(
            transaction(),
            caller(),
            "recall.answer",
            outcome=Outcome.ERROR,
            objects=[str(recall_id)],
            details={"refusal": error.code},
        )
        return _list(problem=error, about=recall_id)
    return redirect(url_for("disclosure_pages.recalls.show_all", done=state.value), 303)


@blueprint.get("/recalls/own/<uuid:recall_id>")
@audited("recall.read", roles=OWNERS)
def show_own(recall_id: UUID) -> str:
    """Show one of one's own recalls, and how far each recipient is."""
    found = recall_own.read(transaction(), caller(), recall_id)
    return render_template("disclosures/recall.html", recall=found)


def _list(problem: PosternError | None = None, about: UUID | None = None) -> Page:
    boxes = _boxes()
    box = request.args.get("box", "")
    box = box if box in boxes else boxes[0]
    before = _uuid(request.args.get("before"))
    shelf = request.args.get("show", "")
    shelf = shelf if shelf in _OWN else "open"
    errors = problem.extensions.get("errors", ()) if problem else ()
    done = request.args.get("done", "")
    page = render_template(
        "disclosures/recalls.html",
        boxes=boxes,
        box=box,
        shelf=shelf,
        is_later_page=before is not None,
        problem=problem,
        about=about,
        wrong={each["field"].removeprefix("json."): each["reason"] for each in errors},
        done=done if done in _DONE else None,
        **_found(box, shelf, before),
    )
    return page, problem.status if problem else 200


def _found(box: str, shelf: str, before: UUID | None) -> dict[str, Any]:
    if box == "own":
        own = recall_own.own(
            transaction(), caller(), is_open=_OWN[shelf], limit=PAGE, cursor=before
        )
        return {"recalls": own.recalls, "next": own.next}
    # What is to be done: that which was called back first must be done first.
    received = recall_answers.received(
        transaction(), caller(), _STATES[box], PAGE, before, oldest_first=box == "todo"
    )
    return {"recalls": received.recalls, "next": received.next}


def _boxes() -> Sequence[str]:
    is_owner = bool(caller().roles & frozenset(OWNERS))
    return ["todo", "done", *(["own"] if is_owner else [])]


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None

"""The pages of signals: what is unusual in one's own log, each closed by a person."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from werkzeug.utils import redirect

from app import clock
from app.audit.guard import audited, caller, transaction
from app.compliance import signals
from app.compliance.models import Verdict
from app.compliance.review_pages import (
    OFFICER,
    REFUSALS,
    Answer,
    Page,
    Typed,
    chosen_verdict,
    log_refusal,
    names,
)
from app.compliance.sealing import LONGEST_NOTE, wrong
from app.compliance.signal_words import reason
from app.errors import PosternError

blueprint = Blueprint("signals", __name__)

_NOTICES = frozenset({"closed", "assigned"})


class Which(StrEnum):
    """Which signals a list shows."""

    OPEN = "open"
    MINE = "mine"
    CLOSED = "closed"


@blueprint.get("/signals")
@audited("signal.list", roles=OFFICER)
def show_all() -> str:
    """Show the signals that wait, those of them that are one's own to close, or closed ones."""
    which = _which()
    try:
        before = UUID(request.args["before"]) if "before" in request.args else None
    except ValueError:
        before = None
    found = signals.list_signals(
        transaction(),
        caller(),
        is_open=which is not Which.CLOSED,
        is_mine=which is Which.MINE,
        before=before,
    )
    following = found[-1].id if len(found) == signals.PAGE else None
    return render_template(
        "compliance/signals.html",
        signals=found,
        which=which,
        waiting=signals.waiting(transaction(), caller()),
        is_later_page=before is not None,
        following=following,
        reason=reason,
    )


@blueprint.get("/signals/<uuid:signal_id>")
@audited("signal.read", roles=OFFICER)
def show(signal_id: UUID) -> Page:
    """Show one signal with its reason and the entries that show it."""
    return _page(signal_id)


@blueprint.post("/signals/<uuid:signal_id>/close")
@audited("signal.close", roles=OFFICER)
def close(signal_id: UUID) -> Answer:
    """Close the signal."""
    typed = Typed(0, request.form.get("verdict", ""), request.form.get("note", ""))
    try:
        with transaction().begin_nested():
            signals.close(
                transaction(),
                caller(),
                signal_id,
                verdict=chosen_verdict(typed.verdict),
                note=typed.note,
            )
    except REFUSALS as error:
        log_refusal("signal.close", error, signal_id)
        return _page(signal_id, typed=typed, problem=error)
    return redirect(url_for("compliance.signals.show", signal_id=signal_id, done="closed"), 303)


@blueprint.post("/signals/<uuid:signal_id>/assign")
@audited("signal.assign", roles=OFFICER)
def assign(signal_id: UUID) -> Answer:
    """Give the signal to an officer, or back to all."""
    try:
        with transaction().begin_nested():
            to, due_on = _officer(), _due_on()
            signals.assign(transaction(), caller(), signal_id, to=to, due_on=due_on)
    except REFUSALS as error:
        log_refusal("signal.assign", error, signal_id)
        return _page(signal_id, given=request.form, problem=error)
    return redirect(url_for("compliance.signals.show", signal_id=signal_id, done="assigned"), 303)


def _which() -> Which:
    if request.args.get("closed") == "1":
        return Which.CLOSED
    return Which.MINE if request.args.get("mine") == "1" else Which.OPEN


def _officer() -> UUID | None:
    if "take" in request.form:
        return caller().person
    typed = request.form.get("to", "")
    try:
        return UUID(typed) if typed else None
    except ValueError:
        raise wrong("to", "Choose a compliance officer of your organisation.") from None


def _due_on() -> date | None:
    typed = request.form.get("due_on", "").strip()
    try:
        return date.fromisoformat(typed) if typed else None
    except ValueError:
        raise wrong("due_on", "Write the day as YYYY-MM-DD.") from None


def _page(
    signal_id: UUID,
    typed: Typed | None = None,
    problem: PosternError | None = None,
    given: Mapping[str, str] | None = None,
) -> Page:
    errors = problem.extensions.get("errors", ()) if problem else ()
    done = request.args.get("done", "")
    page = render_template(
        "compliance/signal.html",
        task=signals.read(transaction(), caller(), signal_id),
        officers=signals.officers(transaction(), caller().member[0]),
        me=caller().person,
        given=given,
        usual_due=clock.now().date() + signals.USUAL_DUE,
        names=names(),
        verdicts=list(Verdict),
        typed=typed,
        longest_note=LONGEST_NOTE,
        notice=done if done in _NOTICES else "",
        problem=problem,
        wrong={each["field"]: each["reason"] for each in errors},
        reason=reason,
    )
    return page, problem.status if problem else 200

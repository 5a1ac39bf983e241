"""The pages of signals: what is unusual in one's own log, each closed by a person."""

from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from werkzeug.utils import redirect

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
from app.compliance.sealing import LONGEST_NOTE
from app.compliance.signal_words import reason
from app.errors import PosternError

blueprint = Blueprint("signals", __name__)


@blueprint.get("/signals")
@audited("signal.list", roles=OFFICER)
def show_all() -> str:
    """Show the signals that wait, or those that were closed, newest first."""
    is_open = request.args.get("closed") != "1"
    try:
        before = UUID(request.args["before"]) if "before" in request.args else None
    except ValueError:
        before = None
    found = signals.list_signals(transaction(), caller(), is_open=is_open, before=before)
    following = found[-1].id if len(found) == signals.PAGE else None
    return render_template(
        "compliance/signals.html",
        signals=found,
        is_open=is_open,
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


def _page(signal_id: UUID, typed: Typed | None = None, problem: PosternError | None = None) -> Page:
    errors = problem.extensions.get("errors", ()) if problem else ()
    page = render_template(
        "compliance/signal.html",
        task=signals.read(transaction(), caller(), signal_id),
        names=names(),
        verdicts=list(Verdict),
        typed=typed,
        longest_note=LONGEST_NOTE,
        notice=request.args.get("done") == "closed",
        problem=problem,
        wrong={each["field"]: each["reason"] for each in errors},
        reason=reason,
    )
    return page, problem.status if problem else 200

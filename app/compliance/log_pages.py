"""The pages of the log's state and of notifications, for those who must know that it is whole."""

import base64
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from app.audit import witnesses
from app.audit.entry import Outcome
from app.audit.guard import audited, caller, transaction
from app.audit.service import append
from app.compliance import log_state
from app.errors import ConflictError, InvalidRequestError, NotFoundError, PosternError
from app.jobs import notifications
from app.organisations.service import directory
from app.runtime import runtime
from postern.vocabulary import Role

blueprint = Blueprint("log", __name__)

_READERS = (Role.COMPLIANCE, Role.ADMINISTRATOR)
_OFFICER = (Role.COMPLIANCE,)
_NOTICES = frozenset({"registered", "ended"})


@blueprint.get("/log")
@audited("log.read", roles=_READERS)
def show() -> str:
    """Show the newest checkpoint, the witnesses, the quorum and the open alarms."""
    return _page()


@blueprint.post("/log/witnesses")
@audited("audit.witness", roles=_OFFICER)
def register() -> Response | tuple[str, int]:
    """Register a witness of one's own organisation by its public key."""
    vkey = request.form.get("vkey", "")
    try:
        witnesses.register(transaction(), caller(), vkey, caller().organisation)
    except (ConflictError, InvalidRequestError) as error:
        return _refuse(error, vkey), error.status
    return redirect(url_for(".show", done="registered"), 303)


@blueprint.post("/log/witnesses/end")
@audited("audit.witness", roles=_OFFICER)
def end() -> Response | tuple[str, int]:
    """End a witness of one's own organisation."""
    vkey = request.form.get("vkey", "")
    try:
        witnesses.end(transaction(), caller(), vkey, caller().organisation)
    except NotFoundError as error:
        return _refuse(error), error.status
    return redirect(url_for(".show", done="ended"), 303)


@blueprint.get("/notifications")
@audited("notification.read")
def show_notifications() -> str:
    """Show what the person's roles should know, what nobody has seen first."""
    found = notifications.read(transaction(), caller())
    return render_template(
        "compliance/notifications.html",
        waiting=[each for each in found if each.seen_at is None],
        seen=[each for each in found if each.seen_at is not None],
        names=_names(),
    )


@blueprint.post("/notifications/<uuid:notification>/seen")
@audited("notification.seen")
def mark_seen(notification: UUID) -> Response:
    """Mark a notification as seen, for everybody of the person's roles."""
    notifications.mark_seen(transaction(), caller(), notification)
    return redirect(url_for(".show_notifications"), 303)


def _page(problem: PosternError | None = None, vkey: str = "") -> str:
    settings = runtime().settings
    state = log_state.read(transaction(), caller(), settings.audit)
    done = request.args.get("done", "")
    return render_template(
        "compliance/log.html",
        state=state,
        root=base64.b64encode(state.head.root).decode() if state.head else "",
        names=_names(),
        own=caller().organisation,
        is_officer=caller().may(frozenset(_OFFICER), None),
        is_administrator=caller().may(frozenset({Role.ADMINISTRATOR}), None),
        origin=settings.platform.origin,
        silent_hours=settings.audit.silent_hours,
        problem=problem,
        reasons=[each["reason"] for each in problem.extensions.get("errors", [])]
        if problem
        else [],
        vkey=vkey,
        notice=done if done in _NOTICES else "",
    )


def _refuse(error: PosternError, vkey: str = "") -> str:
    append(
        transaction(),
        caller(),
        "audit.witness",
        outcome=Outcome.ERROR,
        details={"refusal": error.code},
    )
    return _page(error, vkey)


def _names() -> dict[str, str]:
    return {member.code: member.name for member in directory(transaction()).values()}

"""The page of the log's state, for those who must know that it is whole."""

import base64

from flask import Blueprint, render_template, request, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from app.audit import witnesses
from app.audit.entry import Outcome
from app.audit.guard import audited, caller, transaction
from app.audit.service import append
from app.compliance import log_lights, log_state
from app.compliance.models import Wholeness
from app.compliance.verify_words import verify_words
from app.errors import ConflictError, InvalidRequestError, NotFoundError, PosternError
from app.organisations.service import directory
from app.runtime import runtime
from postern.vocabulary import Role

blueprint = Blueprint("log", __name__)

_READERS = (Role.COMPLIANCE, Role.ADMINISTRATOR)
_OFFICER = (Role.COMPLIANCE,)
_NOTICES = frozenset({"registered", "ended"})
_LONGEST_SIZE = 15  # digits


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


@blueprint.post("/log/verified")
@audited("log.verify", roles=_READERS)
def tell_verified() -> Response:
    """Keep what a browser found of the log; its receipt is the browser's to check the next time."""
    found = next((each for each in Wholeness if each.value == request.form.get("found")), None)
    size = request.form.get("size", "")
    if found is None or not (size.isascii() and size.isdecimal() and len(size) <= _LONGEST_SIZE):
        raise InvalidRequestError(
            errors=[{"field": "found", "reason": "Send found and size as the page does."}]
        )
    append(
        transaction(),
        caller(),
        "log.verify",
        object_type="audit-log",
        objects=[runtime().settings.audit.name],
        details={"found": found.value, "size": int(size)},
    )
    return Response(status=204)


def _page(problem: PosternError | None = None, vkey: str = "") -> str:
    settings = runtime().settings
    state = log_state.read(transaction(), caller(), settings.audit)
    done = request.args.get("done", "")
    verified = log_lights.last_verified(transaction(), caller(), settings.audit.name)
    return render_template(
        "compliance/log.html",
        state=state,
        lights=log_lights.lights(state, verified),
        verified=verified,
        verify_words=verify_words(),
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

"""The pages of the emergency account: the way in, and how it stands for those who watch it."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.accounts import break_glass
from app.accounts.devices import device_of
from app.accounts.entering import enter
from app.accounts.people import KEEPERS
from app.audit.guard import audited, caller, public, transaction

Page = str | tuple[str, int]

blueprint = Blueprint("break_glass", __name__)

_DONE = frozenset({"looked", "ended"})
_REFUSED = 422


@blueprint.get("/sign-in/break-glass")
@public
def show_entry() -> str:
    """Show the form for the sealed secret."""
    return render_template("accounts/break_glass_entry.html", failed=False)


@blueprint.post("/sign-in/break-glass")
@audited("session.start", anonymous=True)
def break_it() -> Response | Page:
    """Start a session with the sealed secret, or show the form again with no word on why not."""
    device = device_of(request.user_agent.string)
    started = break_glass.enter(transaction(), request.form.get("secret", ""), device)
    if started is None:
        return render_template("accounts/break_glass_entry.html", failed=True), _REFUSED
    return enter(started, "/people")


@blueprint.get("/break-glass")
@audited("break-glass.read", roles=KEEPERS)
def show() -> str:
    """Show how the emergency account of the organisation stands (`glass` or None)."""
    done = request.args.get("done", "")
    return render_template(
        "accounts/break_glass.html",
        glass=break_glass.read(transaction(), caller()),
        done=done if done in _DONE else "",
    )


@blueprint.post("/break-glass/look")
@audited("break-glass.look", roles=KEEPERS)
def look() -> Response:
    """Say that one has read what was done with it."""
    break_glass.look(transaction(), caller())
    return redirect(url_for("accounts.break_glass.show", done="looked"), code=303)


@blueprint.post("/break-glass/end")
@audited("break-glass.end", roles=KEEPERS)
def end() -> Response:
    """End it now."""
    break_glass.end(transaction(), caller(), caller().organisation)
    return redirect(url_for("accounts.break_glass.show", done="ended"), code=303)

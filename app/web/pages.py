"""Pages of the web room: the overview of one's roles, and the choice of a language."""

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from app.access import current_caller
from app.accounts import service as accounts
from app.accounts.pages import local_path
from app.audit.guard import audited, caller, public, transaction
from app.errors import InvalidRequestError
from app.runtime import runtime
from app.web import overview
from app.web.languages import COOKIE, LANGUAGES

blueprint = Blueprint("web", __name__)

_ONE_YEAR = 365 * 24 * 3600  # seconds


@blueprint.get("/")
@audited("overview.read")
def home() -> str:
    """Show the figures of each role that the person holds."""
    return render_template("overview/home.html", overview=overview.read(transaction(), caller()))


@blueprint.post("/language")
@public
def choose_language() -> Response:
    """Remember the language and go back to the page on which it was chosen.

    It is kept with the account of a signed-in person, else in this browser alone.
    """
    chosen = request.form.get("language", "")
    if chosen not in LANGUAGES:
        raise InvalidRequestError(
            "The platform does not speak this language.",
            remedy="Choose one of the languages at the top of the page.",
        )
    response = redirect(local_path(request.form.get("next", "")), code=303)
    person = current_caller()
    if person is not None:
        with runtime().database.transaction() as session:
            accounts.choose_language(session, person, chosen)
        return response
    response.set_cookie(
        COOKIE,
        chosen,
        max_age=_ONE_YEAR,
        secure=runtime().settings.platform.secure_cookies,
        httponly=True,
        samesite="Lax",
    )
    return response

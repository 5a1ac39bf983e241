"""Pages of the web room: the overview of one's roles, and the choice of a language."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.access import current_caller
from app.accounts import service as accounts
from app.accounts.entering import local_path
from app.audit.guard import audited, caller, public, transaction
from app.errors import InvalidRequestError
from app.runtime import runtime
from app.web import appearance, notification_pages, overview
from app.web.languages import COOKIE, LANGUAGES
from app.web.tasks import tasks_of
from app.web.ways import first_jobs, jobs_of

blueprint = Blueprint("web", __name__)
blueprint.register_blueprint(notification_pages.blueprint)

_ONE_YEAR = 365 * 24 * 3600  # seconds


@blueprint.get("/")
@audited("overview.read")
def home() -> str:
    """Show what waits for the person, what they can do, and the figures of each of their roles."""
    found = overview.read(transaction(), caller())
    return render_template(
        "overview/home.html",
        overview=found,
        tasks=tasks_of(found),
        first=first_jobs(caller(), jobs_of(caller())),
    )


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


@blueprint.post("/appearance")
@public
def choose_appearance() -> Response:
    """Remember in this browser how pages look, and go back to where it was chosen.

    The form may hold `theme`, `zone` and `keys`, each one of what the pages offer.
    """
    chosen = {name: request.form[name] for name in appearance.COOKIES if name in request.form}
    if not chosen or not all(appearance.is_choice(*choice) for choice in chosen.items()):
        raise InvalidRequestError(
            "Pages cannot look like this.", remedy="Choose one of what the page offers."
        )
    response = redirect(local_path(request.form.get("next", "")), code=303)
    for name, value in chosen.items():
        appearance.remember(response, name, value)
    return response


@blueprint.get("/go")
@public
def go() -> str | Response:
    """Show every job and page that the person may open; the palette without a script."""
    if current_caller() is None:
        return redirect(url_for("accounts.show_sign_in", next="/go"), code=303)
    return render_template("overview/go.html")

"""The page of a one-time link, on which a person chooses a password.

The secret stands behind # in the address, which browsers do not send: it reaches no log of a proxy,
and who only fetches the address spends nothing.
"""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.accounts import one_time_links, service
from app.accounts.passwords import SHORTEST, PasswordRefusedError
from app.audit.guard import audited, public, transaction

P = ParamSpec("P")
R = TypeVar("R")

blueprint = Blueprint("link", __name__)

_REFUSED = 422
_LONGEST = 200  # characters of what is taken for a secret


def _prepared(view: Callable[P, R]) -> Callable[P, R]:
    """Hash the chosen password before the view's transaction begins, for who has a good link."""

    @functools.wraps(view)
    def first_prepared(*args: P.args, **kwargs: P.kwargs) -> R:
        g.link, g.new_secret = request.form.get("link", "").strip()[:_LONGEST], ""
        found = one_time_links.waiting(g.link)
        if found is not None:
            try:
                g.new_secret = service.new_secret(found.login, request.form.get("new", ""))
            except PasswordRefusedError as refusal:
                g.new_secret = refusal
        return view(*args, **kwargs)

    return first_prepared


@blueprint.get("/sign-in/link")
@public
def show() -> str:
    """Show the form; a script brings the secret over from the address."""
    return _page()


@blueprint.post("/sign-in/link")
@_prepared
@audited("account.link-used", anonymous=True)
def choose() -> Response | tuple[str, int]:
    """Choose the password, or show the form again: a refused password leaves the link good."""
    if isinstance(g.new_secret, PasswordRefusedError):
        one_time_links.refuse_password(transaction())
        return _page(problem=g.new_secret), _REFUSED
    if not one_time_links.use(transaction(), g.link, g.new_secret):
        return _page(failed=True), _REFUSED
    return redirect(url_for("accounts.show_sign_in", done="chosen"), code=303)


def _page(*, problem: PasswordRefusedError | None = None, failed: bool = False) -> str:
    return render_template(
        "accounts/link.html",
        link=request.form.get("link", ""),
        shortest_password=SHORTEST,
        problem=problem,
        failed=failed,
    )

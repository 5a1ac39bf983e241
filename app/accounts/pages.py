"""Signing in and out, and a person's own account.

The views pass plain values; `web/templates/accounts/` decides how they look.
"""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, session, url_for
from flask_login import login_user, logout_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import PasswordField, StringField  # type: ignore[import-untyped]

from app.accounts import service, tokens
from app.accounts import sign_in as signing
from app.accounts.authentication import signed_in
from app.accounts.passwords import SHORTEST, PasswordRefusedError
from app.accounts.people_pages import blueprint as people_blueprint
from app.accounts.start import WebUser
from app.accounts.tokens import NewToken
from app.audit.guard import audited, caller, public, transaction
from app.errors import InvalidRequestError, NotAllowedError
from app.runtime import runtime
from postern.vocabulary import Scope

P = ParamSpec("P")
R = TypeVar("R")
Page = tuple[str, int]

blueprint = Blueprint("accounts", __name__)
blueprint.register_blueprint(people_blueprint)

_NOTICES = frozenset({"password-changed", "sessions-ended", "token-revoked"})
_REFUSED = 422  # the form was understood and refused


class SignInForm(FlaskForm):  # type: ignore[misc]  # the library carries no types
    login = StringField()
    password = PasswordField()


def _compared(view: Callable[P, R]) -> Callable[P, R]:
    """Compare the password before the view's transaction begins."""

    @functools.wraps(view)
    def first_compared(*args: P.args, **kwargs: P.kwargs) -> R:
        form = SignInForm()
        g.attempt = signing.compare(form.login.data or "", form.password.data or "")
        return view(*args, **kwargs)

    return first_compared


def _change_prepared(view: Callable[P, R]) -> Callable[P, R]:
    """Compare the present password and hash the new one before the view's transaction begins."""

    @functools.wraps(view)
    def first_prepared(*args: P.args, **kwargs: P.kwargs) -> R:
        if signed_in() is not None:
            login = signing.own_login(caller())
            present, new = request.form.get("present", ""), request.form.get("new", "")
            g.attempt = signing.compare(login, present)
            try:
                g.new_secret = service.new_secret(login, new, former=present)
            except PasswordRefusedError as refusal:
                g.new_secret = refusal
        return view(*args, **kwargs)

    return first_prepared


@blueprint.get("/sign-in")
@public
def show_sign_in() -> str | Response:
    """Show the sign-in page: `form` (login, password), `next` (where to go then), `failed`."""
    wanted = local_path(request.args.get("next", ""))
    if signed_in() is not None:
        return redirect(wanted, code=303)
    return render_template("accounts/sign_in.html", form=SignInForm(), next=wanted, failed=False)


@blueprint.post("/sign-in")
@_compared
@audited("session.start", anonymous=True)
def sign_in() -> Response | Page:
    """Start a session, or show the page again with `failed` and no word on what was wrong."""
    wanted = local_path(request.form.get("next", ""))
    started = signing.sign_in(transaction(), g.attempt)
    if started is None:
        form = SignInForm()
        page = render_template("accounts/sign_in.html", form=form, next=wanted, failed=True)
        return page, _REFUSED
    former = signed_in()
    if former is not None and former.session_hash is not None:
        signing.sign_out(transaction(), former.caller, former.session_hash)
    # Nothing of the time before enters the session, the form token included.
    session.clear()
    login_user(WebUser(started))
    return redirect(wanted, code=303)


@blueprint.post("/sign-out")
@audited("session.end")
def sign_out() -> Response:
    """End the session and show the sign-in page."""
    signing.sign_out(transaction(), caller(), _current_session())
    logout_user()
    session.clear()
    return redirect(url_for("accounts.show_sign_in"), code=303)


@blueprint.get("/account")
@audited("interface.read")
def account() -> Page:
    """Show one's own account.

    The template gets `own` (service.OwnAccount: account, organisation, sessions, tokens, scopes),
    `longest_days` (of a token), `shortest_password` (characters), `made` (tokens.NewToken, whose
    `text` is shown this once, or None), `problems` (sentences on what was refused) and `notice`
    ("password-changed", "sessions-ended", "token-revoked" or None).

    Forms, each with `csrf_token`: POST /account/tokens (scopes, one value each; days),
    POST /account/tokens/ID/revoke, POST /account/sessions/end-others, POST /account/password
    (present, new), POST /sign-out.
    """
    done = request.args.get("done", "")
    return _account_page(notice=done if done in _NOTICES else None)


@blueprint.post("/account/tokens")
@audited("token.create")
def create_token() -> Page:
    """Make an API token and show its text once."""
    try:
        scopes = [Scope(value) for value in request.form.getlist("scopes")]
        days = int(request.form.get("days", ""))
    except ValueError:
        return _account_page(problems=["Choose scopes from the list and write a number of days."])
    try:
        made = tokens.create_own_token(transaction(), caller(), scopes=scopes, days=days)
    except InvalidRequestError as refusal:
        reasons = [error["reason"] for error in refusal.extensions["errors"]]
        return _account_page(problems=reasons)
    return _account_page(made=made)


@blueprint.post("/account/tokens/<uuid:token>/revoke")
@audited("token.revoke")
def revoke_token(token: UUID) -> Response:
    """Revoke one's own token."""
    tokens.revoke_own_token(transaction(), caller(), token)
    return redirect(url_for("accounts.account", done="token-revoked"), code=303)


@blueprint.post("/account/sessions/end-others")
@audited("session.end")
def end_other_sessions() -> Response:
    """End one's sessions in other browsers."""
    signing.end_other_sessions(transaction(), caller(), _current_session())
    return redirect(url_for("accounts.account", done="sessions-ended"), code=303)


@blueprint.post("/account/password")
@_change_prepared
@audited("account.password")
def change_password() -> Response | Page:
    """Change one's own password; other sessions end."""
    if isinstance(g.new_secret, PasswordRefusedError):
        return _account_page(problems=[g.new_secret.detail, g.new_secret.told_remedy])
    if not signing.change_password(
        transaction(), caller(), g.attempt, g.new_secret, keep=_current_session()
    ):
        return _account_page(
            problems=["The present password is wrong, or there were too many attempts."]
        )
    return redirect(url_for("accounts.account", done="password-changed"), code=303)


def local_path(wanted: str) -> str:
    """`wanted` when it is a path of this platform, else the home page.

    A browser reads `//host`, `/\\host` and paths with control characters as other sites.
    """
    is_local = (
        wanted.startswith("/")
        and not wanted.startswith("//")
        and "\\" not in wanted
        and wanted.isprintable()
    )
    return wanted if is_local else "/"


def _account_page(
    *, made: NewToken | None = None, problems: list[str] | None = None, notice: str | None = None
) -> Page:
    own = service.read_own(transaction(), caller(), _current_session())
    page = render_template(
        "accounts/account.html",
        own=own,
        longest_days=runtime().settings.token.longest_days,
        shortest_password=SHORTEST,
        made=made,
        problems=problems or [],
        notice=notice,
    )
    return page, _REFUSED if problems else 200


def _current_session() -> bytes:
    proof = signed_in()
    if proof is None or proof.session_hash is None:
        raise NotAllowedError
    return proof.session_hash

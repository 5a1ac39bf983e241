"""Signing in and out, and a person's own account.

The views pass plain values; `web/templates/accounts/` decides how they look.
"""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, session, url_for
from flask_login import logout_user
from flask_wtf import FlaskForm
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.wrappers import Response
from wtforms import PasswordField, StringField  # type: ignore[import-untyped]

from app.accounts import open_sessions, passkeys, service, sign_on_ending, tokens
from app.accounts import sign_in as signing
from app.accounts.authentication import signed_in
from app.accounts.break_glass_pages import blueprint as break_glass_blueprint
from app.accounts.devices import device_of
from app.accounts.entering import enter, local_path
from app.accounts.link_pages import blueprint as link_blueprint
from app.accounts.passwords import SHORTEST, PasswordRefusedError
from app.accounts.people_pages import blueprint as people_blueprint
from app.accounts.schemas import LONGEST_THUMBPRINT
from app.accounts.security_pages import PENDING
from app.accounts.security_pages import blueprint as security_blueprint
from app.accounts.sign_on_pages import begin_leaving
from app.accounts.sign_on_pages import blueprint as sign_on_blueprint
from app.accounts.token_bounds import read_bounds
from app.accounts.tokens import NewToken, TokenEndedError
from app.audit.guard import audited, caller, public, transaction
from app.errors import InvalidRequestError, NotAllowedError
from app.runtime import runtime
from postern.vocabulary import Scope

P = ParamSpec("P")
R = TypeVar("R")
Page = tuple[str, int]

blueprint = Blueprint("accounts", __name__)
blueprint.register_blueprint(people_blueprint)
blueprint.register_blueprint(break_glass_blueprint)
blueprint.register_blueprint(security_blueprint)
blueprint.register_blueprint(sign_on_blueprint)
blueprint.register_blueprint(link_blueprint)

_NOTICES = frozenset(
    {"linked", "password-changed", "session-ended", "sessions-ended", "token-revoked", "unlinked"}
)
_DONE = frozenset({"chosen", "left"})
_OVERLAP_HOURS = 24
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
    """Show the sign-in page: `form` (login, password), `next`, `failed`, `done`."""
    wanted = local_path(request.args.get("next", ""))
    if signed_in() is not None:
        return redirect(wanted, code=303)
    return sign_in_page(wanted, done=request.args.get("done", ""))


@blueprint.post("/sign-in")
@_compared
@audited("session.start", anonymous=True)
def sign_in() -> Response | Page:
    """Start a session, or show the page again with `failed` and no word on what was wrong."""
    wanted = local_path(request.form.get("next", ""))
    started = signing.sign_in(transaction(), g.attempt, device_of(request.user_agent.string))
    if started is None:
        return sign_in_page(wanted, failed=True), _REFUSED
    if isinstance(started, signing.Pending):
        session[PENDING] = started.name
        return redirect(url_for(".security.show_second", next=wanted), code=303)
    return enter(started, wanted)


def sign_in_page(wanted: str, *, failed: bool = False, done: str = "") -> str:
    """The sign-in page, with what a browser needs to use a passkey.

    `done`: "left" (signed out at the provider too), "chosen" (a password, by a one-time link).
    """
    is_possible = passkeys.are_possible()
    return render_template(
        "accounts/sign_in.html",
        form=SignInForm(),
        next=wanted,
        failed=failed,
        done=done if done in _DONE else "",
        passkey=passkeys.asking_options(passkeys.Purpose.ENTER, b"") if is_possible else "",
    )


@blueprint.post("/sign-out")
@audited("session.end")
def sign_out() -> Response:
    """End the session and show the sign-in page, or what is left to do at the provider."""
    provider = sign_on_ending.provider_of(transaction(), _current_session())
    signing.sign_out(transaction(), caller(), _current_session())
    return _left(provider)


@blueprint.get("/account")
@audited("interface.read")
def account() -> Page:
    """Show one's own account.

    The template gets `own` (service.OwnAccount: account, organisation, sessions, tokens, scopes),
    `longest_days` (of a token), `shortest_password` (characters), `made` (tokens.NewToken, whose
    `text` is shown this once, or None), `problems` (sentences on what was refused) and `notice`
    ("password-changed", "session-ended", "sessions-ended", "token-revoked" or None).

    Forms, each with `csrf_token`: POST /account/tokens (scopes, one value each; days),
    POST /account/tokens/ID/revoke, POST /account/sessions/end (session),
    /end-others and /end-all, POST /account/password
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
        bounds = read_bounds(
            request.form.get("networks", "").split(),
            request.form.get("certificate", ""),
            certificate_suffices=bool(request.form.get("certificate_suffices")),
        )
        made = tokens.create_own_token(
            transaction(), caller(), scopes=scopes, days=days, bounds=bounds
        )
    except InvalidRequestError as refusal:
        reasons = [error["reason"] for error in refusal.extensions["errors"]]
        return _account_page(problems=reasons)
    return _account_page(made=made)


@blueprint.post("/account/tokens/<uuid:token>/rotate")
@audited("token.rotate")
def rotate_token(token: UUID) -> Page:
    """Give one's own token a new secret, shown once; the former lives a day longer."""
    overlap = min(_OVERLAP_HOURS, runtime().settings.token.overlap_hours)
    try:
        made = tokens.rotate_own_token(transaction(), caller(), token, overlap_hours=overlap)
    except TokenEndedError as refusal:
        return _account_page(problems=[refusal.detail, refusal.told_remedy])
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


@blueprint.post("/account/sessions/end")
@audited("session.end")
def end_session() -> Response:
    """End one of one's sessions, in whatever browser; that it has ended already is no fault."""
    which = request.form.get("session", "")
    open_sessions.end(transaction(), caller(), which)
    return redirect(url_for("accounts.account", done="session-ended"), code=303)


@blueprint.post("/account/sessions/end-all")
@audited("session.end")
def end_all_sessions() -> Response:
    """End every session of one's own, this one too; then as for `sign_out`."""
    provider = sign_on_ending.provider_of(transaction(), _current_session())
    open_sessions.end_all(transaction(), caller())
    return _left(provider)


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


def _left(provider: UUID | None) -> Response:
    """Forget the session in this browser and lead on."""
    logout_user()
    session.clear()
    if provider is not None:
        return begin_leaving(provider)
    return redirect(url_for("accounts.show_sign_in"), code=303)


def _account_page(
    *, made: NewToken | None = None, problems: list[str] | None = None, notice: str | None = None
) -> Page:
    own = service.read_own(transaction(), caller(), _current_session())
    page = render_template(
        "accounts/account.html",
        own=own,
        longest_thumbprint=LONGEST_THUMBPRINT,
        longest_days=runtime().settings.token.longest_days,
        shortest_password=SHORTEST,
        made=made,
        typed=request.form if problems else ImmutableMultiDict(),
        problems=problems or [],
        notice=notice,
    )
    return page, _REFUSED if problems else 200


def _current_session() -> bytes:
    proof = signed_in()
    if proof is None or proof.session_hash is None:
        raise NotAllowedError
    return proof.session_hash

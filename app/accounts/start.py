"""Who is calling, for each request: a web session or an API token, and protection of forms.

The session cookie carries a random name and nothing else; the session itself is a row. Requests of
an API token carry no cookie, so no other site can make a browser send them.
"""

from datetime import timedelta

from flask import Flask, Response, current_app, g, redirect, request, session, url_for
from flask_login import LoginManager, current_user
from flask_wtf.csrf import CSRFProtect
from werkzeug.wrappers import Response as BaseResponse

from app.access import Caller
from app.accounts import basic, own_notices
from app.accounts.authentication import RefusedToken, SignedIn, by_session, by_token
from app.accounts.break_glass_console import commands as break_glass_commands
from app.accounts.console import tokens as token_commands
from app.accounts.devices import Devices
from app.accounts.naming import person_name
from app.accounts.oidc import Providers
from app.accounts.passwords import Passwords
from app.accounts.people import lapse_proposals
from app.accounts.profiles import Profiles
from app.accounts.second_step import forget_ended
from app.accounts.sign_in import forget_ended_sessions, note_use
from app.accounts.sign_on import SignOnSealer
from app.accounts.sign_on_console import commands as sign_on_commands
from app.accounts.step_up import ask_if_stale
from app.accounts.token_bounds import warn_of_ends
from app.accounts.tokens import refuse_token
from app.errors import (
    CrossSiteRequestError,
    PasswordToChangeError,
    SecondFactorNeededError,
    SignInNeededError,
)
from app.jobs.outbox import handle
from app.jobs.service import duty
from app.origin import Origin, origin
from app.problems import is_for_machines
from app.runtime import Runtime
from app.runtime import runtime as present

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_BEFORE_CHANGE = frozenset({"accounts.account", "accounts.change_password", "accounts.sign_out"})
"""What a person may do before they have chosen a password of their own."""

_BEFORE_FACTOR = frozenset(
    {
        "accounts.account",
        "accounts.sign_out",
        "accounts.security.add_app",
        "accounts.security.add_passkey",
        "accounts.security.begin_app",
        "accounts.security.prove",
        "accounts.security.show",
        "accounts.security.show_proving",
    }
)
"""What a person may do before they have added the second factor that their roles need."""

_SAME_SITE = frozenset({"same-origin", "none"})  # none: typed by the user, or a bookmark


class WebUser:
    """What Flask-Login keeps of a person for one request."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def __init__(self, name: str, proof: SignedIn | None = None) -> None:
        self.name = name
        self.proof = proof

    def get_id(self) -> str:
        """The name of the session, which is all that the cookie carries."""
        return self.name


def start(app: Flask, runtime: Runtime) -> None:
    """Identify the caller of each request before any view runs."""
    runtime.add(Profiles(runtime.secrets.accounts))
    runtime.add(Passwords())
    runtime.add(Devices(runtime.secrets.accounts))
    runtime.add(Providers())
    runtime.add(SignOnSealer(runtime.secrets.accounts))
    app.cli.add_command(token_commands)
    app.cli.add_command(break_glass_commands)
    app.cli.add_command(sign_on_commands)
    app.jinja_env.globals["person_name"] = person_name
    handle(runtime, own_notices.TOPIC, own_notices.ERRAND)
    duty(runtime, "ended-sessions", timedelta(hours=1), forget_ended_sessions)
    duty(runtime, "ended-second-steps", timedelta(hours=1), forget_ended)
    duty(runtime, "role-proposals", timedelta(days=1), lapse_proposals)
    duty(runtime, "ending-tokens", timedelta(hours=6), warn_of_ends)
    logins = LoginManager()
    # A cookie that comes from another address or browser than the one it was given to is void.
    logins.session_protection = "strong"
    logins.init_app(app, add_context_processor=False)
    logins.user_loader(_load_user)
    longest = timedelta(hours=runtime.settings.session.absolute_hours)
    app.config.update(
        WTF_CSRF_CHECK_DEFAULT=False,  # `_identify` asks for it once it knows the caller
        WTF_CSRF_TIME_LIMIT=int(longest.total_seconds()),
        WTF_CSRF_SSL_STRICT=False,  # our pages send no Referer; see `_refuse_other_sites`
    )
    forms = CSRFProtect(app)
    # A provider calls it, not a browser: what it says is signed, and no cookie counts.
    forms.exempt("app.accounts.sign_on_pages.be_told")

    @app.before_request
    def identify() -> BaseResponse | None:
        return _identify(forms)

    app.after_request(_name_the_scheme)


def _identify(forms: CSRFProtect) -> BaseResponse | None:
    g.caller = None
    if request.endpoint == "static":
        return None
    text = _presented_token()
    if text is not None:
        _accept(_proof_of_token(text))
        here = origin()
        g.renew_caller = lambda: _caller_by_token(text, here)
        return None
    proof = _proof_of_session()
    if proof is not None:
        _accept(proof)
        g.renew_caller = lambda: _caller_by_session(current_user.get_id())
    elif _view_needs_a_caller():
        return _invite()
    _refuse_other_sites()
    forms.protect(apply_exemptions=True)
    if proof is not None and proof.must_change and request.endpoint not in _BEFORE_CHANGE:
        return _ask_for_a_password()
    if proof is not None and proof.must_add_factor and request.endpoint not in _BEFORE_FACTOR:
        return _ask_for_a_factor()
    return ask_if_stale()


def _presented_token() -> str | None:
    """The API token of the request, None where it presents none."""
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    match scheme.lower():
        case "bearer":
            return credentials.strip()
        case "basic" if basic.is_taken():
            return basic.password(credentials.strip())
    return None


def _proof_of_token(text: str) -> SignedIn:
    with present().database.glance() as connection:
        proof = by_token(connection, text, origin())
    if isinstance(proof, RefusedToken):
        with present().database.transaction() as transaction:
            refuse_token(transaction, proof)
        raise SignInNeededError(
            "The API token is not valid",
            remedy="Use a living token; make one on your account page if need be.",
            headers={"WWW-Authenticate": basic.challenge('Bearer error="invalid_token"')},
        )
    return proof


def _caller_by_token(text: str, here: Origin) -> Caller | None:
    """Whoever the token stands for now, in the midst of a long answer."""
    with present().database.reading() as reading:
        proof = by_token(reading.connection(), text, here)
    return None if isinstance(proof, RefusedToken) else proof.caller


def _caller_by_session(name: str) -> Caller | None:
    user = _load_user(name)
    return None if user is None or user.proof is None else user.proof.caller


def _proof_of_session() -> SignedIn | None:
    if "_user_id" not in session:
        return None
    user = current_user._get_current_object()
    return user.proof if isinstance(user, WebUser) else None


def _load_user(name: str) -> WebUser | None:
    with present().database.reading() as reading:
        proof = by_session(reading, name)
    return None if proof is None else WebUser(name, proof)


def _accept(proof: SignedIn) -> None:
    caller: Caller = proof.caller
    g.signed_in, g.caller = proof, caller
    if proof.is_seen_long_ago:
        with present().database.transaction() as transaction:
            note_use(transaction, proof)


def _view_needs_a_caller() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return hasattr(view, "audit_act") and not getattr(view, "audit_anonymous", False)


def _invite() -> BaseResponse:
    """Send a person to the sign-in page; a program is told with 401."""
    if is_for_machines():
        raise SignInNeededError
    g.refused = True
    wanted = request.full_path.rstrip("?") if request.method in _SAFE_METHODS else None
    return redirect(url_for("accounts.show_sign_in", next=wanted), code=303)


def _ask_for_a_password() -> BaseResponse | None:
    """Nothing else is open to who came with a password that somebody else has seen."""
    if not _view_needs_a_caller():
        return None
    if is_for_machines():
        raise PasswordToChangeError
    g.refused = True
    return redirect(url_for("accounts.account"), code=303)


def _ask_for_a_factor() -> BaseResponse | None:
    """Nothing else is open to who needs a second factor and has none."""
    if not _view_needs_a_caller():
        return None
    if is_for_machines():
        raise SecondFactorNeededError
    g.refused = True
    return redirect(url_for("accounts.security.show"), code=303)


def _refuse_other_sites() -> None:
    """Second to the form's token: browsers say themselves where a request was made."""
    site = request.headers.get("Sec-Fetch-Site", "none")
    if request.method not in _SAFE_METHODS and site not in _SAME_SITE:
        raise CrossSiteRequestError


def _name_the_scheme(response: Response) -> Response:
    # RFC 9110, section 11.6.1: a 401 says how to authenticate.
    if response.status_code == 401:  # noqa: PLR2004 - an HTTP status
        response.headers.setdefault("WWW-Authenticate", basic.challenge("Bearer"))
    return response

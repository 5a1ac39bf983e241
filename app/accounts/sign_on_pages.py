"""The pages of single sign-on: to the provider and back, one's own link, and the settings.

The browser alone holds what was begun, sealed in its cookie: who comes back with the state of
another browser, later than ten minutes, or a second time has none. The provider is asked before
the transaction of the view begins.
"""

import functools
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from app import clock
from app.access import Caller, current_caller
from app.accounts import oidc, sign_on, sign_on_ending
from app.accounts.authentication import signed_in
from app.accounts.devices import device_of
from app.accounts.entering import enter, local_path
from app.accounts.entry_models import ProviderState
from app.accounts.oidc import Claims, SignedOut, SignOnError, SignOnRefusal
from app.accounts.people import KEEPERS
from app.accounts.security_pages import PENDING
from app.accounts.sign_in import Pending
from app.accounts.sign_on import Entry, SignOnLinkedError, Wanted
from app.audit.guard import audited, caller, public, transaction
from app.errors import InvalidRequestError
from app.runtime import runtime
from app.secret_files import Sealer
from postern.base64url import from_base64url, to_base64url
from postern.vocabulary import Role

P = ParamSpec("P")
R = TypeVar("R")
Page = str | tuple[str, int]

blueprint = Blueprint("sign_on", __name__)

_BEGUN = "sign_on"  # in the cookie's session
_LEAVING = "leaving"  # as well
_CONTEXT = b"postern/sign_on/begun/v1"
_PATIENCE = timedelta(minutes=10)
_ADMINISTRATOR = [Role.ADMINISTRATOR]
_LEAVING_CONTEXT = b"postern/sign_on/leaving/v1"
_DONE = frozenset({"proposed", "confirmed", "refused", "ended"})
_REFUSED, _UNAVAILABLE, _CONFLICT = 422, 503, 409
_NOT_STORED = {"Cache-Control": "no-store"}


@dataclass(frozen=True, repr=False)
class _Answer:
    """What came of the provider: claims or a refusal; `link_of` is the person who links."""

    refusal: SignOnRefusal | None = None
    provider: UUID | None = None
    organisation_id: int | None = None
    claims: Claims | None = None
    wanted: str = "/"
    link_of: str = ""


@dataclass(frozen=True, repr=False)
class _Told:
    """What a provider said by itself: who signed out there, or why it is not believed."""

    refusal: SignOnRefusal | None
    provider: UUID | None = None
    organisation_id: int | None = None
    signed_out: SignedOut | None = None


@blueprint.get("/sign-on/start")
@public
def begin() -> Response | Page:
    """Send the browser to the provider `provider`, to come back and go to `next`."""
    with runtime().database.reading() as reading:
        found = sign_on.entry(reading, request.args.get("provider", ""))
    if found is None:
        return _refused(SignOnRefusal.PROVIDER)
    try:
        return redirect(_begun(found, local_path(request.args.get("next", ""))), code=303)
    except SignOnError as error:
        return _refused(error.refusal)


def _asked(view: Callable[P, R]) -> Callable[P, R]:
    """Ask the provider before the view's transaction begins."""

    @functools.wraps(view)
    def first_asked(*args: P.args, **kwargs: P.kwargs) -> R:
        g.sign_on = _answered()
        return view(*args, **kwargs)

    return first_asked


@blueprint.get("/sign-on/callback")
@_asked
@audited("session.start", anonymous=True)
def come_back() -> Response | Page:
    """Start a session, or link an account, with what the provider says; or say why not."""
    answer: _Answer = g.sign_on
    if answer.claims is None or answer.provider is None:
        refusal = answer.refusal or SignOnRefusal.STATE
        sign_on.tell_refusal(transaction(), refusal, answer.organisation_id)
        return _refused(refusal)
    try:
        if answer.link_of:
            return _linked(answer, answer.provider, answer.claims)
        device = device_of(request.user_agent.string)
        started = sign_on.enter(transaction(), answer.provider, answer.claims, device)
    except SignOnError as error:
        sign_on.tell_refusal(transaction(), error.refusal, answer.organisation_id)
        return _refused(error.refusal)
    if isinstance(started, Pending):
        session[PENDING] = started.name
        return redirect(url_for("accounts.security.show_second", next=answer.wanted), code=303)
    return enter(started, answer.wanted)


def _prepared(view: Callable[P, R]) -> Callable[P, R]:
    """Ask the provider for its addresses before the view's transaction begins."""

    @functools.wraps(view)
    def first_prepared(*args: P.args, **kwargs: P.kwargs) -> R:
        asking = current_caller()
        g.sign_on = _offer(asking) if asking is not None else SignOnRefusal.PROVIDER
        return view(*args, **kwargs)

    return first_prepared


@blueprint.post("/account/sign-on")
@_prepared
@audited("sign-on.read")
def offer_link() -> Page:
    """Show where to go on, to link one's account: a link, since a form must not lead elsewhere."""
    sign_on.read(transaction(), caller())
    offer: tuple[str, str] | SignOnRefusal = g.sign_on
    if isinstance(offer, SignOnRefusal):
        return _refused(offer)
    where, issuer = offer
    return render_template("accounts/sign_on_link.html", address=where, issuer=issuer)


@blueprint.post("/account/sign-on/remove")
@audited("sign-on.unlink")
def unlink() -> Response:
    """Undo the link of one's account."""
    sign_on.unlink(transaction(), caller())
    return redirect(url_for("accounts.account", done="unlinked"), code=303)


@blueprint.get("/sign-on")
@audited("sign-on.read", roles=KEEPERS)
def show() -> str:
    """Show the organisation's provider, in force and proposed, and the form of another."""
    done = request.args.get("done", "")
    return _settings(done=done if done in _DONE else "")


@blueprint.post("/sign-on")
@audited("sign-on.propose", roles=_ADMINISTRATOR)
def propose() -> Response | Page:
    """Propose a provider; a second person confirms it."""
    try:
        with transaction().begin_nested():
            sign_on.propose(transaction(), caller(), _wanted())
    except InvalidRequestError as error:
        problems = [each["reason"] for each in error.extensions["errors"]]
        return _settings(problems=problems), _REFUSED
    return redirect(url_for("accounts.sign_on.show", done="proposed"), code=303)


@blueprint.post("/sign-on/decide")
@audited("sign-on.decide", roles=KEEPERS)
def decide() -> Response:
    """Confirm or refuse the proposed provider."""
    agrees = request.form.get("decision") == "confirm"
    sign_on.decide(transaction(), caller(), request.form.get("provider", ""), agrees=agrees)
    done = "confirmed" if agrees else "refused"
    return redirect(url_for("accounts.sign_on.show", done=done), code=303)


@blueprint.post("/sign-on/end")
@audited("sign-on.end", roles=_ADMINISTRATOR)
def end() -> Response:
    """End the provider in force."""
    sign_on.end(transaction(), caller())
    return redirect(url_for("accounts.sign_on.show", done="ended"), code=303)


def begin_leaving(which: UUID) -> Response:
    """After the sign-out here of a session that the provider began: lead to what is left to do.

    The session here has ended; whether that at the provider goes on is the person's choice.
    """
    kept = {
        "state": secrets.token_urlsafe(32),
        "provider": str(which),
        "until": (clock.now() + _PATIENCE).timestamp(),
    }
    session[_LEAVING] = to_base64url(_sealer().seal(json.dumps(kept).encode(), _LEAVING_CONTEXT))
    return redirect(url_for("accounts.sign_on.leave"), code=303)


@blueprint.get("/sign-on/leave")
@public
def leave() -> Response | str:
    """Say that the person signed out here, and lead on to the provider where it takes that."""
    kept = _kept(_LEAVING, _LEAVING_CONTEXT)
    if not kept:
        return redirect(url_for("accounts.show_sign_in"), code=303)
    with runtime().database.reading() as reading:
        found = sign_on.entry(reading, kept["provider"])
    where, is_down = None, False
    if found is not None:
        try:
            where = oidc.leaving_address(found.client, kept["state"])
        except SignOnError:
            is_down = True
    return render_template(
        "accounts/sign_on_leave.html",
        address=where,
        issuer="" if found is None else found.client.issuer,
        is_down=is_down,
    )


@blueprint.get("/sign-on/left")
@public
def left() -> Response:
    """Show the sign-in page to who comes back from signing out at the provider."""
    kept = _kept(_LEAVING, _LEAVING_CONTEXT)
    session.pop(_LEAVING, None)
    state = request.args.get("state", "")
    is_ours = bool(kept) and hmac.compare_digest(state.encode(), kept["state"].encode())
    done = "left" if is_ours else None
    return redirect(url_for("accounts.show_sign_in", done=done), code=303)


def _heard(view: Callable[P, R]) -> Callable[P, R]:
    """Verify what the provider says before the view's transaction begins."""

    @functools.wraps(view)
    def first_heard(*args: P.args, **kwargs: P.kwargs) -> R:
        g.sign_on = _told()
        return view(*args, **kwargs)

    return first_heard


@blueprint.post("/sign-on/back-channel")
@_heard
@audited("sign-on.told", anonymous=True)
def be_told() -> tuple[dict[str, str], int, dict[str, str]]:
    """Take the provider's word that somebody signed out there: their sessions end at once.

    OpenID Connect Back-Channel Logout 1.0, with the provider's id in the address.
    """
    told: _Told = g.sign_on
    refusal = told.refusal
    if told.provider is not None and told.signed_out is not None:
        try:
            sign_on_ending.end_told(transaction(), told.provider, told.signed_out)
        except SignOnError as error:
            refusal = error.refusal
    if refusal is None:
        return {}, 200, _NOT_STORED
    sign_on_ending.tell_told_refusal(transaction(), refusal, told.organisation_id)
    return {"error": "invalid_request", "error_description": refusal.value}, 400, _NOT_STORED


def _told() -> _Told:
    """What the provider named in the address says, verified; never raises for what it says."""
    with runtime().database.reading() as reading:
        found = sign_on.entry(reading, request.args.get("provider", ""))
    if found is None:
        return _Told(SignOnRefusal.PROVIDER)
    try:
        signed_out = oidc.signed_out(found.client, request.form.get("logout_token", ""))
    except SignOnError as error:
        return _Told(error.refusal, organisation_id=found.organisation_id)
    return _Told(None, found.id, found.organisation_id, signed_out)


def _begun(found: Entry, wanted: str, link_of: str = "") -> str:
    """The provider's address for this browser, which keeps what it must bring back."""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    where = oidc.address(found.client, state, nonce, verifier, strong=bool(link_of))
    kept = {
        "state": state,
        "nonce": nonce,
        "verifier": verifier,
        "provider": str(found.id),
        "wanted": wanted,
        "link_of": link_of,
        "until": (clock.now() + _PATIENCE).timestamp(),
    }
    session[_BEGUN] = to_base64url(_sealer().seal(json.dumps(kept).encode(), _CONTEXT))
    return where


def _offer(asking: Caller) -> tuple[str, str] | SignOnRefusal:
    """Where the caller's browser is sent to link their account, and the issuer; or why not."""
    with runtime().database.reading() as reading:
        found = sign_on.own_entry(reading, asking) if asking.organisation_id is not None else None
    if found is None:
        return SignOnRefusal.PROVIDER
    try:
        where = _begun(found, "/account", link_of=str(asking.person))
    except SignOnError as error:
        return error.refusal
    return where, found.client.issuer


def _answered() -> _Answer:
    """What the provider says of whom this browser brought back; never raises for what it brings."""
    kept = _kept(_BEGUN, _CONTEXT)
    session.pop(_BEGUN, None)
    state, which = request.args.get("state", ""), request.args.get("provider", "")
    if not kept or not hmac.compare_digest(state.encode(), kept["state"].encode()):
        return _Answer(SignOnRefusal.STATE)
    with runtime().database.reading() as reading:
        found = sign_on.entry(reading, kept["provider"])
    if found is None or which != kept["provider"]:
        return _Answer(SignOnRefusal.PROVIDER)
    if "error" in request.args or not request.args.get("code"):
        return _Answer(SignOnRefusal.DENIED, organisation_id=found.organisation_id)
    try:
        claims = oidc.claims_for(
            found.client,
            code=request.args["code"],
            issuer=request.args.get("iss"),
            nonce=kept["nonce"],
            verifier=kept["verifier"],
            role_claim=found.role_claim,
        )
    except SignOnError as error:
        return _Answer(error.refusal, organisation_id=found.organisation_id)
    return _Answer(
        provider=found.id,
        organisation_id=found.organisation_id,
        claims=claims,
        wanted=local_path(kept["wanted"]),
        link_of=kept["link_of"],
    )


def _kept(key: str, context: bytes) -> dict[str, Any]:
    """What this browser keeps under `key` of the cookie's session; nothing when it is too old."""
    sealed = from_base64url(str(session.get(key, "")))
    try:
        kept: dict[str, Any] = json.loads(_sealer().open(sealed or b"", context))
    except ValueError:
        return {}
    return kept if clock.now().timestamp() < kept["until"] else {}


def _linked(answer: _Answer, provider: UUID, claims: Claims) -> Response | Page:
    """Link the account of the session that began it, and no other's."""
    asking: Caller | None = current_caller()
    proof = signed_in()
    if asking is None or proof is None or proof.must_change or str(asking.person) != answer.link_of:
        raise SignOnError(SignOnRefusal.STATE)
    try:
        sign_on.link(transaction(), asking, provider, claims)
    except SignOnLinkedError as error:
        sign_on.tell_refusal(transaction(), SignOnRefusal.SUBJECT, answer.organisation_id)
        return render_template("accounts/sign_on_refused.html", refusal="", error=error), _CONFLICT
    return redirect(url_for("accounts.account", done="linked"), code=303)


def _refused(refusal: SignOnRefusal) -> tuple[str, int]:
    status = _UNAVAILABLE if refusal is SignOnRefusal.DOWN else _REFUSED
    page = render_template("accounts/sign_on_refused.html", refusal=refusal.value, error=None)
    return page, status


def _settings(*, problems: list[str] | None = None, done: str = "") -> str:
    known = sign_on.read(transaction(), caller())
    return render_template(
        "accounts/sign_on.html",
        live=next((each for each in known if each.state is ProviderState.LIVE), None),
        proposed=next((each for each in known if each.state is ProviderState.PROPOSED), None),
        may_change=Role.ADMINISTRATOR in caller().roles,
        origin=runtime().settings.platform.origin,
        problems=problems or [],
        form=request.form,
        roles=list(Role),
        done=done,
    )


def _wanted() -> Wanted:
    form = request.form
    errors = []
    roles: dict[str, list[Role]] = {}
    for number, line in enumerate(form.get("roles", "").splitlines(), 1):
        if not line.strip():
            continue
        if len(roles) > sign_on.MOST_ROLES:
            break  # one too many is enough to be refused
        name, _, told = line.rpartition("=")
        try:
            roles[name.strip()] = [Role(each.strip()) for each in told.split(",")]
        except ValueError:
            errors.append({"field": "roles", "reason": f"Line {number} names no role of Postern."})
    if errors:
        raise InvalidRequestError(errors=errors)
    return Wanted(
        issuer=form.get("issuer", "").strip(),
        client_id=form.get("client_id", "").strip(),
        secret=form.get("secret", "").strip(),
        role_claim=form.get("role_claim", "").strip(),
        roles=roles,
        strong=form.get("strong", "").split(),
    )


def _sealer() -> Sealer:
    return Sealer(runtime().secrets.accounts)

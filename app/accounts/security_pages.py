"""The pages of second factors: one's own, the second step of a sign-in, and a proof in between."""

import io
from collections.abc import Sequence
from uuid import UUID

import segno
from flask import Blueprint, redirect, render_template, request, session, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from app.accounts import factors, passkeys, second_step, step_up
from app.accounts.authentication import signed_in
from app.accounts.devices import device_of
from app.accounts.entering import enter, local_path
from app.accounts.factors import Draft, Proof
from app.accounts.passkeys import Purpose
from app.accounts.sign_in import own_login
from app.audit.entry import Outcome
from app.audit.guard import audited, caller, public, transaction
from app.audit.service import append
from app.errors import ConflictError, InvalidRequestError, NotAllowedError
from app.runtime import runtime

Page = str | tuple[str, int]

blueprint = Blueprint("security", __name__)

PENDING = "pending"
"""Under this the browser's signed cookie keeps the name of a sign-in that waits."""

_DONE = frozenset({"renamed", "removed", "added"})
_REFUSED = 422
_WRONG = "The code is wrong, or was used already. Wait for the next one and look at the clock."
_NO_PASSKEY = "The browser's answer does not hold. Try again; a passkey is added once only."


@blueprint.get("/sign-in/second")
@public
def show_second() -> str | Response:
    """Show the second step of a sign-in; without a right password before it, the first."""
    return _second_page(local_path(request.args.get("next", "")))


@blueprint.post("/sign-in/second")
@audited("session.start", anonymous=True)
def complete() -> Response | tuple[str, int]:
    """Start the session, or show the page again with no word on what was wrong."""
    wanted = local_path(request.form.get("next", ""))
    proof = Proof(request.form.get("code", ""), request.form.get("passkey", ""))
    started = second_step.complete(transaction(), session.get(PENDING, ""), proof)
    if started is not None:
        return enter(started, wanted)
    shown = _second_page(wanted, failed=True)
    return shown if isinstance(shown, Response) else (shown, _REFUSED)


@blueprint.post("/sign-in/passkey")
@audited("session.start", anonymous=True)
def enter_by_passkey() -> Response | tuple[str, int]:
    """Start a session with a passkey alone, or show the sign-in page with `failed`."""
    wanted = local_path(request.form.get("next", ""))
    device = device_of(request.user_agent.string)
    started = second_step.enter_by_passkey(transaction(), request.form.get("passkey", ""), device)
    if started is not None:
        return enter(started, wanted)
    from app.accounts.pages import sign_in_page  # noqa: PLC0415 - it registers this blueprint

    return sign_in_page(wanted, failed=True), _REFUSED


@blueprint.get("/account/prove")
@audited("interface.read")
def show_proving() -> str:
    """Show the question for a proof that it is still the same person; with `done`, the answer."""
    append(transaction(), caller(), "interface.read", object_type="account", count=1)
    if request.args.get("done") == "proved":
        return render_template("accounts/prove.html", done=True)
    return _proving(local_path(request.args.get("next", "")))


@blueprint.post("/account/prove")
@audited("session.prove")
def prove() -> Response | Page:
    """Take the proof and go on to `next`."""
    wanted = local_path(request.form.get("next", ""))
    is_proved = step_up.prove(transaction())
    return redirect(wanted, code=303) if is_proved else (_proving(wanted, failed=True), _REFUSED)


@blueprint.get("/account/security")
@audited("interface.read")
def show() -> Page:
    """Show one's own second factors."""
    done = request.args.get("done", "")
    return _own_page(done=done if done in _DONE else "")


@blueprint.post("/account/security/app")
@audited("interface.read")
def begin_app() -> Page:
    """Show a new secret for an authenticator app, as a picture and as text."""
    return _own_page(draft=factors.draft(transaction(), caller()))


@blueprint.post("/account/security/app/confirm")
@audited("factor.add")
def add_app() -> Page:
    """Add the app when its first code is right; recovery codes are shown this once."""
    form = request.form
    found = factors.drafted(transaction(), caller(), form.get("draft", ""))
    if found is None:
        return _refused("factor.add", "The page has waited too long. Begin again.")
    try:
        codes = factors.add_app(
            transaction(),
            caller(),
            found,
            form.get("code", ""),
            form.get("name", ""),
            keep=_session(),
        )
    except (InvalidRequestError, ConflictError) as error:
        return _refused("factor.add", _reason(error), found)
    if codes is None:
        return _refused("factor.add", _WRONG, found)
    return _own_page(done="added", codes=codes)


@blueprint.post("/account/security/passkeys")
@audited("factor.add")
def add_passkey() -> Page:
    """Add the passkey that the browser made."""
    form = request.form
    try:
        codes = factors.add_passkey(
            transaction(), caller(), form.get("passkey", ""), form.get("name", ""), _session()
        )
    except (InvalidRequestError, ConflictError) as error:
        return _refused("factor.add", _reason(error))
    if codes is None:
        return _refused("factor.add", _NO_PASSKEY)
    return _own_page(done="added", codes=codes)


@blueprint.post("/account/security/codes")
@audited("factor.recovery")
def renew_codes() -> Page:
    """Make new recovery codes and show them this once."""
    return _own_page(codes=factors.renew_codes(transaction(), caller()))


@blueprint.post("/account/security/<uuid:factor>/rename")
@audited("factor.rename")
def rename(factor: UUID) -> Response | Page:
    """Give one's own factor another name."""
    try:
        factors.rename(transaction(), caller(), factor, request.form.get("name", ""))
    except InvalidRequestError as error:
        return _refused("factor.rename", _reason(error))
    return redirect(url_for(".show", done="renamed"), code=303)


@blueprint.post("/account/security/<uuid:factor>/remove")
@audited("factor.remove")
def remove(factor: UUID) -> Response | Page:
    """Take one's own factor away."""
    try:
        factors.remove(transaction(), caller(), factor, _session())
    except ConflictError as error:
        return _refused("factor.remove", _reason(error))
    return redirect(url_for(".show", done="removed"), code=303)


def _second_page(wanted: str, *, failed: bool = False) -> str | Response:
    with runtime().database.reading() as reading:
        found = second_step.waiting(reading, session.get(PENDING, ""))
        ids = factors.credential_ids(reading, found.person_id) if found else []
    if found is None:
        return redirect(url_for("accounts.show_sign_in", next=wanted), code=303)
    options = ""
    if ids and passkeys.are_possible():
        options = passkeys.asking_options(Purpose.SECOND, found.name_hash, ids)
    return render_template("accounts/second_step.html", next=wanted, passkey=options, failed=failed)


def _proving(wanted: str, *, failed: bool = False) -> str:
    return render_template(
        "accounts/prove.html",
        action="/account/prove",
        next=wanted,
        kept=[("next", wanted)],
        has_files=False,
        failed=failed,
        **step_up.asking(),
    )


def _own_page(
    *,
    done: str = "",
    draft: Draft | None = None,
    codes: Sequence[str] = (),
    problem: str = "",
) -> Page:
    own = factors.read_own(transaction(), caller())
    options = ""
    if passkeys.are_possible():
        person = caller().person
        has = factors.credential_ids(transaction(), caller().member[1])
        login = own_login(caller())
        options = passkeys.adding_options(person, login, login, _session(), has) if person else ""
    page = render_template(
        "accounts/security.html",
        own=own,
        done=done,
        draft=draft,
        picture=_picture(draft) if draft else "",
        codes=codes,
        problem=problem,
        passkey=options,
        longest_name=factors.LONGEST_NAME,
        must_add=_must_add(),
    )
    return (page, _REFUSED) if problem else page


def _refused(act: str, reason: str, draft: Draft | None = None) -> Page:
    append(transaction(), caller(), act, outcome=Outcome.DENIED, object_type="account")
    return _own_page(problem=reason, draft=draft)


def _reason(error: InvalidRequestError | ConflictError) -> str:
    errors = error.extensions.get("errors", ())
    return errors[0]["reason"] if errors else error.title


def _picture(draft: Draft) -> Markup:
    """The otpauth address as a QR code: shapes without a style, which our policy would refuse."""
    out = io.BytesIO()
    segno.make(draft.address, error="m").save(
        out,
        kind="svg",
        scale=5,
        border=4,
        xmldecl=False,
        svgclass="qr",
        lineclass=None,
        light="#fff",
    )
    return Markup(out.getvalue().decode())  # noqa: S704 - paths that segno drew, no text of anybody


def _must_add() -> bool:
    proof = signed_in()
    return proof is not None and proof.must_add_factor


def _session() -> bytes:
    proof = signed_in()
    if proof is None or proof.session_hash is None:
        raise NotAllowedError
    return proof.session_hash

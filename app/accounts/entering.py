"""What every way in ends with: the browser gets the new session and nothing of the time before."""

from flask import redirect, session
from flask_login import login_user
from werkzeug.wrappers import Response

from app.accounts import sign_in as signing
from app.accounts.authentication import signed_in
from app.accounts.start import WebUser
from app.audit.guard import transaction


def enter(name: str, wanted: str) -> Response:
    """Give the browser the session called `name` and send it to the local path `wanted`.

    The session that it had before ends, within the act in progress.
    """
    former = signed_in()
    if former is not None and former.session_hash is not None:
        signing.sign_out(transaction(), former.caller, former.session_hash)
    # Nothing of the time before enters the session, the form token included.
    session.clear()
    login_user(WebUser(name))
    return redirect(wanted, code=303)


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

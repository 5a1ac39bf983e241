"""The pages of subscriptions to other servers: set up, how they fare, and what was received.

They need no script.
"""

from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from app.audit.entry import Outcome
from app.audit.guard import audited, caller, transaction
from app.audit.service import append
from app.errors import ConflictError, InvalidRequestError, PosternError
from app.exchange import received, subscriptions
from app.exchange.page_parts import before_given, reasons_of
from app.exchange.pulling import MOST_FAILURES
from app.exchange.server_models import ServerMeans
from app.exchange.subscriptions import (
    EVERY,
    KEEPERS,
    KEPT,
    LONGEST_CREDENTIAL,
    LONGEST_KEY,
    LONGEST_TITLE,
    MOST,
    READERS,
    RECEIVERS,
)
from app.jobs.addresses import LONGEST

blueprint = Blueprint("exchange_servers", __name__)

Page = str | tuple[str, int]

_NOTICES = frozenset({"added", "removed", "asked"})
_ONE = "/exchange/servers/<uuid:server>"


@blueprint.get("/exchange/servers")
@audited("server.list", roles=READERS)
def show_servers() -> str:
    """Show the organisation's subscriptions and the form for another."""
    return _servers_page()


@blueprint.post("/exchange/servers")
@audited("server.add", roles=KEEPERS)
def add_server() -> Response | Page:
    """Subscribe to a collection of another server."""
    form = request.form
    try:
        with transaction().begin_nested():
            made = subscriptions.add(transaction(), caller(), **_order(form))
    except (InvalidRequestError, ConflictError) as error:
        _log_refusal("server.add", error)
        return _servers_page(problem=error, typed=form), error.status
    return redirect(url_for(".show_server", server=made.id, done="added"), 303)


@blueprint.get(_ONE)
@audited("server.read", roles=READERS)
def show_server(server: UUID) -> str:
    """Show how one subscription fares."""
    return _server_page(server)


@blueprint.post(f"{_ONE}/ask")
@audited("server.ask", roles=KEEPERS)
def ask_server(server: UUID) -> Response | Page:
    """Have the server asked now."""
    try:
        with transaction().begin_nested():
            subscriptions.ask_now(transaction(), caller(), server)
    except ConflictError as error:
        _log_refusal("server.ask", error, server)
        return _server_page(server, problem=error), error.status
    return redirect(url_for(".show_server", server=server, done="asked"), 303)


@blueprint.post(f"{_ONE}/remove")
@audited("server.remove", roles=KEEPERS)
def remove_server(server: UUID) -> Response:
    """End the subscription, with all that was received by it."""
    subscriptions.remove(transaction(), caller(), server)
    return redirect(url_for(".show_servers", done="removed"), 303)


@blueprint.get(f"{_ONE}/received")
@audited("server.received", roles=RECEIVERS)
def show_received(server: UUID) -> str:
    """Show what was received and is kept."""
    before = before_given()
    found = received.read(transaction(), caller(), server, before=before)
    return render_template(
        "exchange/received.html",
        server=found.server,
        objects=found.objects,
        following=found.next,
        is_later_page=before is not None,
    )


def _order(form: MultiDict[str, str]) -> dict[str, Any]:
    """What the form asks for; InvalidRequestError for what it does not offer."""
    try:
        return {
            "title": form.get("title", ""),
            "address": form.get("address", ""),
            "means": ServerMeans(form.get("means", "")),
            "user": form.get("user", ""),
            "secret": form.get("secret", ""),
            "every_minutes": int(form.get("every", "")),
            "kept_days": int(form.get("kept", "")),
            "receipt_key": form.get("receipt_key", ""),
        }
    except ValueError:
        raise InvalidRequestError(
            errors=[{"field": "means", "reason": "Choose from what the form offers."}]
        ) from None


def _servers_page(
    problem: PosternError | None = None, typed: MultiDict[str, str] | None = None
) -> str:
    done = request.args.get("done", "")
    return render_template(
        "exchange/servers.html",
        servers=subscriptions.list_own(transaction(), caller()),
        means=list(ServerMeans),
        every=EVERY,
        kept=KEPT,
        most=MOST,
        longest_address=LONGEST,
        longest_title=LONGEST_TITLE,
        longest_credential=LONGEST_CREDENTIAL,
        longest_key=LONGEST_KEY,
        may_keep=bool(caller().roles & frozenset(KEEPERS)),
        notice=done if done in _NOTICES else "",
        problem=problem,
        wrong=reasons_of(problem),
        typed=MultiDict() if typed is None else typed,
    )


def _server_page(server: UUID, problem: PosternError | None = None) -> str:
    found = subscriptions.read(transaction(), caller(), server)
    done = request.args.get("done", "")
    return render_template(
        "exchange/server.html",
        server=found.server,
        tries=found.tries,
        most_failures=MOST_FAILURES,
        may_keep=bool(caller().roles & frozenset(KEEPERS)),
        may_receive=bool(caller().roles & frozenset(RECEIVERS)),
        notice=done if done in _NOTICES else "",
        problem=problem,
    )


def _log_refusal(act: str, error: PosternError, server: UUID | None = None) -> None:
    append(
        transaction(),
        caller(),
        act,
        outcome=Outcome.ERROR,
        object_type="server",
        objects=[] if server is None else [str(server)],
        details={"refusal": error.code},
    )

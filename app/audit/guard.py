"""The guard: no response with content leaves without an entry that is already durable.

`@audited` opens the transaction, asks for role and scope, runs the view, demands that the service
appended an entry, commits, and only then lets the value go. What it refuses, it logs. A view
without `@audited` or `@public` is turned into an error by `refuse_unaudited`.
"""

import functools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

import structlog
from flask import Flask, Response, g, request
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from werkzeug.wrappers import Response as BaseResponse

from app.access import Caller, current_caller, renewed_caller
from app.audit.attempts import attempted
from app.audit.catalogue import CATALOGUE
from app.audit.entry import Outcome
from app.audit.parts import Make, Part, PartedResponse
from app.audit.receipts import receipt
from app.audit.service import append, appended
from app.database_failures import refusal_of
from app.errors import (
    NotAllowedError,
    PosternError,
    SignInNeededError,
    UnauditedResponseError,
)
from app.runtime import runtime
from postern.vocabulary import Role, Scope

P = ParamSpec("P")
R = TypeVar("R")

log = structlog.get_logger(__name__)

RECEIPT_HEADER = "Postern-Receipt"

_CLIENT_ERRORS = range(400, 500)


def audited(
    act: str,
    *,
    roles: Iterable[Role] = (),
    scope: Scope | None = None,
    any_scope: bool = False,
    anonymous: bool = False,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a view an audited act: `act` must stand in the catalogue.

    The caller needs one of `roles` (none named: any signed-in person) and, with an API token,
    `scope` (None: tokens are refused, unless `any_scope` takes a token whatever its scopes).
    `anonymous` lets a view run without a caller; sign-in is the only use. The view reads its
    transaction from `transaction()`. Of an answer in parts (parts.py) each part is such an act.
    """
    if act not in CATALOGUE:
        raise LookupError(f"{act} is not in the catalogue of acts")
    needed = frozenset(roles)

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            caller = current_caller()
            try:
                if not anonymous:
                    _authorise(caller, needed, scope, any_scope=any_scope)
                with runtime().database.transaction() as session, _handed_to_view(session):
                    answer = view(*args, **kwargs)
                    _demand_complete(act, answer, session)
                _keep_receipt(session)
            except Exception as error:
                _log_refusal(act, caller, error)
                raise
            g.audited = True
            if isinstance(answer, PartedResponse):
                answer.make = functools.partial(
                    _make_part, act, lambda now: _authorise(now, needed, scope, any_scope=any_scope)
                )
            return answer

        guarded.audit_act = act  # type: ignore[attr-defined]
        guarded.audit_roles = needed  # type: ignore[attr-defined]
        guarded.audit_scope = scope  # type: ignore[attr-defined]
        guarded.audit_any_scope = any_scope  # type: ignore[attr-defined]
        guarded.audit_anonymous = anonymous  # type: ignore[attr-defined]
        return guarded

    return decorate


def public(view: Callable[P, R]) -> Callable[P, R]:
    """Mark a view that shows nothing of any organisation: it needs neither caller nor entry."""
    view.audit_public = True  # type: ignore[attr-defined]
    return view


def unlogged(
    reason: str,
    *,
    writing: bool = False,
    roles: Iterable[Role] = (),
    scope: Scope | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Mark a view for members that appends no entry, and say why it need not.

    Only for the log's own leaves, hashes and signatures: they show random-looking values, and an
    entry for each would make the log grow by being checked. The caller must be a member, hold one
    of `roles` if any is named, and with an API token have `scope` if one is named.
    """
    needed = frozenset(roles)
    if not reason:
        raise LookupError("a view that is not logged must say why")

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            _authorise(current_caller(), needed, scope, any_scope=scope is None)
            database = runtime().database
            opened = database.transaction() if writing else database.reading()
            with opened as session, _handed_to_view(session):
                answer = view(*args, **kwargs)
            g.unlogged = True
            return answer

        guarded.audit_unlogged = reason  # type: ignore[attr-defined]
        guarded.audit_roles = needed  # type: ignore[attr-defined]
        guarded.audit_scope = scope  # type: ignore[attr-defined]
        guarded.audit_any_scope = scope is None  # type: ignore[attr-defined]
        return guarded

    return decorate


def transaction() -> Session:
    """The session of the audited act in progress."""
    session: Session = g.transaction
    return session


def caller() -> Caller:
    """The caller of the audited act in progress."""
    found = current_caller()
    if found is None:
        raise SignInNeededError
    return found


def refuse_unaudited(app: Flask) -> None:
    """Install the last check: an answer that is neither audited, public nor a refusal is a 500."""

    @app.after_request
    def check(response: Response) -> Response:
        if g.get("audited") or g.get("refused") or g.get("unlogged"):
            if g.get("receipt"):
                response.headers[RECEIPT_HEADER] = g.receipt
            return response
        if isinstance(request.routing_exception, RequestRedirect):
            return response  # only the slash of the address was corrected
        view = app.view_functions.get(request.endpoint or "")
        if request.endpoint == "static" or getattr(view, "audit_public", False):
            return response
        # Cookies and headers that the view set are dropped with the body.
        refusal = app.handle_user_exception(
            UnauditedResponseError(f"{request.endpoint} answered without an entry")
        )
        return app.make_response(refusal)


@contextmanager
def _handed_to_view(session: Session) -> Iterator[None]:
    """`transaction()` is this session while the block runs."""
    g.transaction = session
    try:
        yield
    finally:
        g.pop("transaction", None)


def _authorise(
    caller: Caller | None, roles: frozenset[Role], scope: Scope | None, *, any_scope: bool
) -> None:
    if caller is None:
        raise SignInNeededError
    if not caller.may(roles, scope, any_scope=any_scope):
        raise NotAllowedError


def _demand_complete(act: str, answer: object, session: Session) -> None:
    """The entry must be there, and the whole body too: one made later would be made unlogged."""
    _demand_entry(act, session)
    is_unmade = isinstance(answer, BaseResponse) and answer.is_streamed
    if isinstance(answer, Iterator) or (is_unmade and not isinstance(answer, PartedResponse)):
        raise UnauditedResponseError(f"{act} answered with a body that is not there yet")


def _demand_entry(act: str, session: Session) -> None:
    if not appended(session):
        raise UnauditedResponseError(f"{act} appended no entry")


def _make_part(act: str, authorise: Callable[[Caller | None], None], make: Make) -> Part:
    """One more part of an answer: for whoever is calling now, logged and durable."""
    caller = current_caller()
    try:
        authorise(renewed_caller())
        with runtime().database.transaction() as session, _handed_to_view(session):
            part = make()
            _demand_entry(act, session)
    except Exception as error:
        _log_refusal(act, caller, error)
        raise
    return part


def _keep_receipt(session: Session) -> None:
    """A promise for the caller's own entry, which is durable now; it leaves with the answer."""
    own = [each for each in appended(session) if each.is_actors_own]
    if own:
        g.receipt = receipt(own[-1].entry.leaf, own[-1].at)


def _log_refusal(act: str, caller: Caller | None, error: Exception) -> None:
    """Tell the log of an act that did not happen; an error here is an error of the request.

    A stranger without any credential is not logged: nothing was consulted, and it would let
    anybody fill the log. Nor is what the database failed at: the log is in it, and nothing left.
    """
    if caller is None or refusal_of(error) is not None:
        return
    denied = isinstance(error, NotAllowedError)
    code = error.code if isinstance(error, PosternError) else _http_code(error)
    asked = attempted(act)
    with runtime().database.transaction() as session:
        append(
            session,
            caller,
            act,
            outcome=Outcome.DENIED if denied else Outcome.ERROR,
            purpose=asked.purpose,
            basis=asked.basis,
            case=asked.case,
            objects=asked.objects,
            details={"refusal": code},
        )
    _keep_receipt(session)
    log.info("act refused", act=act, code=code)


def _http_code(error: Exception) -> str:
    if isinstance(error, HTTPException) and error.code in _CLIENT_ERRORS:
        return f"http-{error.code}"
    return "unexpected-error"

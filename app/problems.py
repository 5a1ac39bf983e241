"""Every error leaves as a problem (RFC 9457), or as a page that says the same to a browser."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import structlog
from flask import Flask, Response, current_app, g, jsonify, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from app.database_failures import refusal_of
from app.errors import (
    ConflictError,
    CrossSiteRequestError,
    InvalidRequestError,
    MalformedRequestError,
    MethodNotAllowedError,
    NotAllowedError,
    NotFoundError,
    PosternError,
    QuotaSpentError,
    SignInNeededError,
    TooLargeError,
    UnavailableError,
    UnexpectedError,
    UnsupportedMediaTypeError,
)
from app.request_records import HEADER, current_record

log = structlog.get_logger(__name__)

_FIELD_NAME = re.compile(r"[a-z0-9_]{1,40}")
_MACHINE_PATHS = ("/api/", "/.well-known/", "/audit/log/", "/taxii2/", "/misp/", "/stix/")
_TEXT_PATHS = ("/audit/log/witness/cosign",)
"""Their body is plain text in a form of its own, not JSON."""
_OCTET_PATHS = re.compile(r"/api/v1/(reports/[^/]+/attachments|evaluate/screening/[^/]+/[^/]+)")
"""Their body is one sealed envelope, or blinded elements."""

_BY_STATUS: dict[int, type[PosternError]] = {
    400: MalformedRequestError,
    401: SignInNeededError,
    403: NotAllowedError,
    404: NotFoundError,
    405: MethodNotAllowedError,
    409: ConflictError,
    413: TooLargeError,
    415: UnsupportedMediaTypeError,
    422: InvalidRequestError,
    429: QuotaSpentError,
    503: UnavailableError,
}
_CLIENT_ERRORS = range(400, 500)
_SHAPES = "postern-problem-shapes"

Shape = Callable[[Mapping[str, Any]], Response]


def install_problems(app: Flask) -> None:
    """Give each request a reference and each error its shape."""

    @app.before_request
    def begin() -> None:
        # `g` outlives a request where an application context is held open, as in a command.
        g.audited = g.refused = g.unlogged = False
        g.receipt = ""
        record = current_record()
        g.request_id = record.id if record is not None else str(uuid4())
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)
        if _is_unreadable():
            raise UnsupportedMediaTypeError

    @app.after_request
    def end(response: Response) -> Response:
        response.headers[HEADER] = reference()
        return response

    @app.errorhandler(PosternError)
    def own(error: PosternError) -> Response:
        return _answer(error)

    @app.errorhandler(CSRFError)
    def cross_site(_error: CSRFError) -> Response:
        return _answer(CrossSiteRequestError())

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        return _answer(_translate(error))

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        refusal = refusal_of(error)
        if refusal is not None:
            log.warning("database failed", exc_info=error, endpoint=request.endpoint)
            g.database_failed = True
            return _answer(refusal)
        log.error("unexpected error", exc_info=error, endpoint=request.endpoint)
        return _answer(UnexpectedError())


def reference() -> str:
    """The request's id, by which its log lines are found."""
    found: str = g.get("request_id") or "none"
    return found


def _answer(error: PosternError) -> Response:
    g.refused = True
    record = current_record()
    if record is not None:
        record.code = error.code
    problem = error.as_problem(reference())
    shape = _shape()
    if shape is not None:
        response = shape(problem)
    elif _wants_page():
        response = Response(render_template("error.html", problem=problem), mimetype="text/html")
    else:
        response = jsonify(problem)
        response.mimetype = "application/problem+json"
    response.status_code = error.status
    response.headers.update(error.headers)
    response.headers["Cache-Control"] = "no-store"
    return response


def shape_errors(app: Flask, prefix: str, shape: Shape) -> None:
    """Let errors below a path leave as the protocol that is spoken there demands.

    `shape` makes the answer of a problem; its status and headers are set here.
    """
    app.extensions.setdefault(_SHAPES, {})[prefix] = shape


def _shape() -> Shape | None:
    known: dict[str, Shape] = current_app.extensions.get(_SHAPES, {})
    for prefix, shape in known.items():
        if request.path.startswith(prefix):
            return shape
    return None


def _is_unreadable() -> bool:
    """Whether a program sent a body that the interface would overlook as if it were none."""
    if request.path in _TEXT_PATHS:
        return bool(request.content_length and request.mimetype != "text/plain")
    if _OCTET_PATHS.fullmatch(request.path):
        return bool(request.content_length and request.mimetype != "application/octet-stream")
    return bool(is_for_machines() and request.content_length and not request.is_json)


def is_for_machines() -> bool:
    """Whether the request asks the interface, and not a page."""
    return request.path.startswith(_MACHINE_PATHS)


def _wants_page() -> bool:
    return not is_for_machines() and request.accept_mimetypes.accept_html


def _translate(error: HTTPException) -> PosternError:
    kind = _BY_STATUS.get(error.code or 500)
    if kind is None and (error.code or 500) in _CLIENT_ERRORS:
        kind = MalformedRequestError
    if kind is None:
        log.error("unexpected error", exc_info=error, endpoint=request.endpoint)
        return UnexpectedError()
    if kind is InvalidRequestError:
        return InvalidRequestError(errors=places(getattr(error, "data", {}).get("messages", {})))
    if isinstance(error, MethodNotAllowed):
        return MethodNotAllowedError(
            headers={"Allow": ", ".join(sorted(error.valid_methods or ()))}
        )
    return kind()


def places(messages: Any, place: str = "") -> list[dict[str, str]]:
    """Flatten marshmallow's messages to [{"field": "json.items.3.kind", "reason": "..."}]."""
    if isinstance(messages, dict):
        return [
            found
            for key, inner in messages.items()
            for found in places(inner, f"{place}.{_name(key)}" if place else _name(key))
        ]
    reasons = messages if isinstance(messages, list) else [messages]
    return [{"field": place, "reason": str(reason)} for reason in reasons]


def _name(key: object) -> str:
    """A place as it is called in the interface; an unknown name is typed, and may be anything."""
    return str(key) if _FIELD_NAME.fullmatch(str(key)) else "(unknown)"

"""One record of each request: its id, what became of it, and one line of the log at its end.

The id of a request is the one that a trusted proxy gave it (`app/origin.py`), else a new one. It
stands in every line of the log that the request causes, in its answer, in errors, and in what the
outbox does for it later. The line of the log tells no path, query, address or person.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Protocol
from uuid import uuid4

import structlog
from flask import Flask, Response, request

from app.origin import REQUEST_ID, Environ

log = structlog.get_logger(__name__)

NOWHERE = "none"
"""The endpoint of a request for an address that there is not."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "other"
"""In place of any other method, which a client may make up."""

PROBES = frozenset({"live", "ready", "metrics"})
"""Endpoints that machines ask all the time: their lines are of the level DEBUG."""

HEADER = "X-Request-Id"
_TAKEN = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[0-9a-fA-F]{32}")
_RECORD = "postern.record"


@dataclass(slots=True)
class Record:
    """A request under way; `code` is that of the error with which it ended, "" for none.

    `size` counts the bytes of the body that left, None until it is known.
    """

    id: str
    method: str
    endpoint: str = NOWHERE
    status: int = 0
    code: str = ""
    size: int | None = None
    began: float = field(default_factory=perf_counter)

    @property
    def seconds(self) -> float:
        """For how long it has been under way."""
        return perf_counter() - self.began


class Watcher(Protocol):
    """What is told of each request, at its begin and when its body has left."""

    def begun(self, record: Record) -> None: ...

    def ended(self, record: Record) -> None: ...


class Recording:
    """WSGI: a record for each request, from before the application to the end of the body."""

    def __init__(self, inner: Callable[..., Iterable[bytes]]) -> None:
        self._inner = inner
        self.watchers: list[Watcher] = []

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        offered = environ.get(REQUEST_ID, "")
        method = environ["REQUEST_METHOD"]
        record = Record(
            id=offered if _TAKEN.fullmatch(offered) else str(uuid4()),
            method=method if method in METHODS else OTHER,
        )
        environ[_RECORD] = record
        for watcher in self.watchers:
            watcher.begun(record)

        def started(status: str, headers: list[tuple[str, str]], *told: Any) -> Any:
            record.status = int(status[:3])
            record.size = 0 if method == "HEAD" else _length(headers)
            return start_response(status, headers, *told)

        try:
            body = self._inner(environ, started)
        except BaseException:
            self._end(record)
            raise
        wrapper = environ.get("wsgi.file_wrapper")
        if isinstance(wrapper, type) and isinstance(body, wrapper):
            self._end(record)  # the server itself sends the file
            return body
        return _Body(body, record, self._end)

    def _end(self, record: Record) -> None:
        for watcher in self.watchers:
            watcher.ended(record)
        say = log.debug if record.endpoint in PROBES else log.info
        say(
            "request",
            request_id=record.id,
            endpoint=record.endpoint,
            method=record.method,
            status=record.status,
            milliseconds=round(record.seconds * 1000, 1),
            bytes=record.size or 0,
        )
        structlog.contextvars.clear_contextvars()


class _Body:
    """A body whose end is noticed, and whose bytes are counted where no header tells them."""

    def __init__(
        self, inner: Iterable[bytes], record: Record, end: Callable[[Record], None]
    ) -> None:
        self._inner, self._record, self._end = inner, record, end
        self._is_ended = False

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._inner) if self._record.size is not None else self._counted()

    def _counted(self) -> Iterator[bytes]:
        self._record.size = 0
        for part in self._inner:
            self._record.size += len(part)
            yield part

    def close(self) -> None:
        """Called by the server when the answer has left, or could not."""
        try:
            close = getattr(self._inner, "close", None)
            if close is not None:
                close()
        finally:
            if not self._is_ended:
                self._is_ended = True
                self._end(self._record)


def install_records(app: Flask) -> Recording:
    """Record each request of the application; whoever wants to know of them becomes a watcher."""
    recording = Recording(app.wsgi_app)
    app.wsgi_app = recording  # type: ignore[method-assign]

    @app.after_request
    def note(response: Response) -> Response:
        record = current_record()
        if record is not None:
            record.endpoint = request.endpoint or NOWHERE
        return response

    return recording


def current_record() -> Record | None:
    """The record of the request in progress; None where no server brought it."""
    found: Record | None = request.environ.get(_RECORD)
    return found


def _length(headers: list[tuple[str, str]]) -> int | None:
    for name, value in headers:
        if name.lower() == "content-length":
            with suppress(ValueError):
                return int(value)
    return None

"""Answers in parts: for what is too long to be one body, made and logged in one transaction.

The first part is made in the view's own transaction, as any answer is. Each further one is made
when those before it have gone out, in a transaction of its own that must append an entry, and
leaves after the commit. So what left is logged, and of what was never made nothing is, whenever the
caller hangs up. Before each part it is asked again who is calling: a token that was revoked, a role
that was lost or an organisation that was suspended ends the answer.

An answer that breaks off is not whole for its reader either: its last chunk is missing.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from flask import Response
from flask.globals import app_ctx, request_ctx

from app.errors import UnauditedResponseError


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a body; nothing follows the last one."""

    body: bytes
    is_last: bool


Make = Callable[[], Part]
"""Makes the next part, in the transaction and for the caller of the guard."""


class PartedResponse(Response):
    """An answer whose first part is there. Its view must be `@audited`, which sets `make`.

    `make` calls what it is given within a new transaction of the same act; UnauditedResponseError
    in the middle of an answer that no guard has taken over.
    """

    def __init__(self, first: Part, following: Make, content_type: str) -> None:
        super().__init__(content_type=content_type)
        self.make: Callable[[Make], Part] | None = None
        self.response = self._parts(first, following, _here())

    def _parts(
        self, part: Part, following: Make, here: Callable[[], AbstractContextManager[None]]
    ) -> Iterator[bytes]:
        while True:
            if self.make is None:
                raise UnauditedResponseError("an answer in parts left no guard")
            yield part.body
            if part.is_last:
                return
            with here():
                part = self.make(following)


def answer_in_parts(first: Part, following: Make, content_type: str) -> Response:
    """The answer; one of a single part is whole at once, and says its length."""
    if first.is_last:
        return Response(first.body, content_type=content_type)
    return PartedResponse(first, following, content_type)


def _here() -> Callable[[], AbstractContextManager[None]]:
    """What makes the request in progress the one in progress again, while a part is made.

    Not Flask's `stream_with_context`: that one stays in it between parts, and in an answer that
    nobody reads to its end.
    """
    # Both are proxies, and typed as what they stand for.
    app = app_ctx._get_current_object()  # type: ignore[attr-defined]
    request = request_ctx._get_current_object()  # type: ignore[attr-defined]

    @contextmanager
    def again() -> Iterator[None]:
        with app, request:
            yield

    return again

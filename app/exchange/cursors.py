"""Paging tokens of TAXII: where the next page begins, bound to what was asked.

A token is stateless and can be used again, so an answer that got lost is asked for once more. It
carries the place and a tag over the place and the question (collection, endpoint, filters); one
that was changed, or is used with another question, is refused.
"""

import hmac
from collections.abc import Sequence

from app.errors import PosternError
from app.runtime import runtime
from postern.base64url import from_base64url, to_base64url

_PLACE = 8  # bytes, a signed number of microseconds since 1970
_TAG = 12  # bytes
_LENGTH = 27  # characters of the token: 20 bytes as base64url
_LABEL = b"postern/taxii-cursor/v1"


class InvalidCursorError(PosternError):
    status = 400
    code = "invalid-cursor"
    title = "The paging token is not one of this list"
    remedy = "Use `next` as it was given, with the same filters, or begin again with added_after."


def written(place: int, question: Sequence[str]) -> str:
    """The token of the page after `place` (microseconds since 1970) of the question."""
    raw = place.to_bytes(_PLACE, "big", signed=True)
    return to_base64url(raw + _tag(raw, question))


def read(token: str, question: Sequence[str]) -> int:
    """The place that the token names; InvalidCursorError for one that was not given for this."""
    raw = from_base64url(token) if len(token) == _LENGTH else None
    if raw is None or not hmac.compare_digest(raw[_PLACE:], _tag(raw[:_PLACE], question)):
        raise InvalidCursorError
    return int.from_bytes(raw[:_PLACE], "big", signed=True)


def _tag(raw: bytes, question: Sequence[str]) -> bytes:
    # Each part with its length, so that no two questions read alike.
    parts = [part.encode() for part in question]
    told = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hmac.digest(_key(), raw + told, "sha256")[:_TAG]


def _key() -> bytes:
    return hmac.digest(runtime().secrets.cookies, _LABEL, "sha256")

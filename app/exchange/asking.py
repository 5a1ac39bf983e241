"""One question to another TAXII server: a page of a collection, from the address that was checked.

The server is a stranger's: its answer is bounded in time, size and depth, no redirect is followed,
and of what goes wrong only a name is kept, for its text could hold anything.
"""

import base64
import http.client
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from email.message import Message
from typing import Any
from urllib.parse import urlencode

from app.exchange.negotiation import MEDIA_TYPE
from app.exchange.subscriptions import Credential
from app.jobs import deadline
from app.jobs.addresses import Network, resolved
from app.jobs.draining import HopelessError
from app.jobs.pinned import Pinned
from postern.audit.receipts import LONGEST as LONGEST_RECEIPT
from postern.audit.receipts import Receipt, open_receipt
from postern.stix.names import moment
from postern.stix.parsing import StixMalformedError, depth_exceeds, parse_json
from postern.tlog.notes import NoteError, VerifierKey

PAGE = 500  # objects asked for at once; a server may give fewer
LONGEST_BODY = 16 * 2**20  # bytes of one page
LONGEST_NEXT = 4096  # characters

_CHUNK = 2**16  # bytes
_DEEPEST = 64  # levels of nesting
_MOST_RETRY = 86_400  # seconds of Retry-After that are heeded
_LONGEST_DATE = 40  # characters


class ServerError(Exception):
    """A server was reached and did not answer with a page; each kind has words for people."""


class ServerDeniedError(ServerError):
    """401 or 403: the credential is wrong, or gives no right to the collection."""


class ServerUnknownError(ServerError):
    """404: there is no such collection for this credential."""


class ServerVersionError(ServerError):
    """406, 415 or another media type: it does not speak TAXII 2.1 at this address."""


class ServerRedirectsError(ServerError):
    """It answered with a redirect, which is not followed."""


class ServerPagingError(ServerError):
    """It refused its own `next`, or gave none and no later date: reading begins at a date anew."""


class ServerAnswerError(ServerError):
    """Its answer is not what TAXII 2.1 says: not JSON of one meaning, too deep, or misshapen."""


class ServerLargeError(ServerError):
    """Its answer is larger than 16 MiB."""


class ServerReceiptError(ServerError):
    """Its receipt is missing, repeated, or not signed by the confirmed key: nothing is kept."""


class ServerBusyError(ServerError):
    """429 or 5xx: it cannot answer now. `wait` is its Retry-After in seconds, 0 for none."""

    def __init__(self, wait: int = 0) -> None:
        super().__init__()
        self.wait = wait


EXPECTED: tuple[type[Exception], ...] = (
    ServerError,
    OSError,
    http.client.HTTPException,
    HopelessError,  # of addresses.py: where the platform does not go
)
"""What asking raises for reasons that lie outside of the platform."""


@dataclass(frozen=True)
class Answered:
    """A page: its objects as sent, where the next begins, and whether its reading was receipted.

    `last_added` is the X-TAXII-Date-Added-Last of the page, "" where there is none.
    """

    objects: Sequence[Any]
    more: bool
    next: str
    last_added: str
    has_receipt: bool
    receipt: Receipt | None = None  # with a key that was confirmed: what it signed


def ask(
    address: str,
    credential: Credential | None,
    *,
    added_after: str | None,
    next_page: str | None,
    allowed: Sequence[Network],
    receipt_key: VerifierKey | None = None,
) -> Answered:
    """Ask for one page of the collection at `address`; raises what EXPECTED lists.

    With a `receipt_key` a page is taken only with a receipt that this key signed: the promise of
    the other platform that its log holds the disclosure.
    """
    asked = {"limit": str(PAGE)}
    if added_after:
        asked["added_after"] = added_after
    if next_page:
        asked["next"] = next_page
    place = resolved(f"{address}objects/", allowed)
    headers = {"Accept": MEDIA_TYPE, "User-Agent": "Postern", **_authorization(credential)}
    connection = Pinned(place)
    with closing(connection), deadline.limited(lambda: connection.sock, deadline.WHOLE):
        connection.request("GET", f"{place.target}?{urlencode(asked)}", headers=headers)
        answer = connection.getresponse()
        _demand_page(answer, is_continued=bool(next_page))
        body = _bounded(answer)
    receipt = None if receipt_key is None else _receipt(answer.headers, receipt_key)
    return replace(_page(body, answer.headers), receipt=receipt)


def _authorization(credential: Credential | None) -> Mapping[str, str]:
    if credential is None:
        return {}
    if not credential.user:
        return {"Authorization": f"Bearer {credential.secret}"}
    told = base64.b64encode(f"{credential.user}:{credential.secret}".encode()).decode()
    return {"Authorization": f"Basic {told}"}


def _demand_page(answer: http.client.HTTPResponse, *, is_continued: bool) -> None:
    status = answer.status
    if status in {401, 403}:
        raise ServerDeniedError
    if status in {406, 415}:
        raise ServerVersionError
    if 300 <= status < 400:  # noqa: PLR2004 - redirects
        raise ServerRedirectsError
    if status == 429 or status >= 500:  # noqa: PLR2004 - later, or not now
        raise ServerBusyError(_wait(answer.headers.get("Retry-After", "")))
    if is_continued and 400 <= status < 500:  # noqa: PLR2004 - it does not know its own cursor
        raise ServerPagingError
    if status == 404:  # noqa: PLR2004 - not there
        raise ServerUnknownError
    if status != 200:  # noqa: PLR2004 - a page
        raise ServerAnswerError
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != "application/taxii+json":
        raise ServerVersionError


def _receipt(headers: Message, key: VerifierKey) -> Receipt:
    told = headers.get("Postern-Receipt") or ""
    try:
        if len(told) > LONGEST_RECEIPT:
            raise ServerReceiptError
        return open_receipt(told, [key])
    except NoteError:
        raise ServerReceiptError from None


def _wait(told: str) -> int:
    is_seconds = told.isascii() and told.isdecimal() and len(told) <= 9  # noqa: PLR2004 - digits
    return min(int(told), _MOST_RETRY) if is_seconds else 0


def _bounded(answer: http.client.HTTPResponse) -> bytes:
    pieces, length = [], 0
    while piece := answer.read(_CHUNK):
        length += len(piece)
        if length > LONGEST_BODY:
            raise ServerLargeError
        pieces.append(piece)
    return b"".join(pieces)


def _page(body: bytes, headers: Message) -> Answered:
    try:
        content = parse_json(body, LONGEST_BODY)
    except StixMalformedError:
        raise ServerAnswerError from None
    if not isinstance(content, dict) or depth_exceeds(content, _DEEPEST):
        raise ServerAnswerError
    objects, more = content.get("objects", []), content.get("more", False)
    following = content.get("next", "")
    if not isinstance(objects, list) or not isinstance(more, bool):
        raise ServerAnswerError
    if not isinstance(following, str) or len(following) > LONGEST_NEXT:
        raise ServerAnswerError
    last = str(headers.get("X-TAXII-Date-Added-Last") or "").strip()
    is_date = len(last) <= _LONGEST_DATE and moment(last) is not None
    return Answered(
        objects=objects,
        more=more,
        next=following if more else "",
        last_added=last if is_date else "",
        has_receipt=bool(headers.get("Postern-Receipt")),
    )

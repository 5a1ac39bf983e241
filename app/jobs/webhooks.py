"""Notifications as signed webhooks, by Standard Webhooks 1.0 (symmetric signatures).

`webhook-id` is the same at each try, so that a receiver can drop a repeat; `webhook-signature` is
`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body` under the channel's secret. While a
secret is replaced, there are two of them, separated by a blank: one under each secret.
"""

import base64
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app import clock
from app.errors import InvalidRequestError
from app.jobs import deadline
from app.jobs.addresses import Network, resolved
from app.jobs.draining import HopelessError
from app.jobs.pinned import Pinned

_PREFIX = "whsec_"
_SECRET_LENGTH = 32  # bytes; the standard asks for 24 to 64
_MOST_READ = 4096  # bytes of an answer that nobody looks at
_GOOD = range(200, 300)
MOST_OVERLAP = 168
"""Hours for which a secret that is replaced may sign beside the new one."""

OVERLAPS = (24, 72, MOST_OVERLAP, 0)
"""Those that the pages offer."""

_GONE = 410  # the receiver wants no more of them


class WebhookRefusedError(Exception):
    """The receiver did not answer with a status from 200 to 299; a redirect is not followed."""


class WebhookGoneError(HopelessError):
    """The receiver answered 410: it wants no more."""


def new_secret() -> str:
    """A secret as its receiver writes it into their settings: `whsec_` and base64."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_LENGTH)).decode()


def end_of_former(overlap_hours: int) -> datetime | None:
    """Until when a secret that is replaced now signs too; None for not at all.

    InvalidRequestError outside of 0 to MOST_OVERLAP hours.
    """
    if not 0 <= overlap_hours <= MOST_OVERLAP:
        reason = f"The former secret signs 0 to {MOST_OVERLAP} hours more."
        raise InvalidRequestError(
            "The secret cannot be replaced", errors=[{"field": "overlap_hours", "reason": reason}]
        )
    return clock.now() + timedelta(hours=overlap_hours) if overlap_hours else None


def body_of(content: Mapping[str, Any]) -> bytes:
    """The body as it is signed and sent."""
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()


def signature(secret: str, message: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`; `timestamp` in seconds since 1970."""
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    signed = f"{message}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def post(
    address: str,
    secret: str,
    body: bytes,
    *,
    message: UUID,
    at: datetime,
    allowed: Sequence[Network],
    former: str | None = None,
) -> None:
    """Send the body to the address, signed under `secret` and, where there is one, under `former`.

    OSError or http.client.HTTPException when it was not reached; WebhookRefusedError;
    WebhookGoneError; ForbiddenAddressError or InsecureAddressError (addresses.py).
    """
    place = resolved(address, allowed)
    timestamp = int(at.timestamp())
    secrets_now = [secret] if former is None else [secret, former]
    signatures = [signature(each, str(message), timestamp, body) for each in secrets_now]
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Postern",
        "webhook-id": str(message),
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }
    connection = Pinned(place)
    with closing(connection), deadline.limited(lambda: connection.sock, deadline.WHOLE):
        connection.request("POST", place.target, body=body, headers=headers)
        answer = connection.getresponse()
        answer.read(_MOST_READ)
    if answer.status == _GONE:
        raise WebhookGoneError
    if answer.status not in _GOOD:
        raise WebhookRefusedError

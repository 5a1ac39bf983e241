"""Messages of the platform as their receiver verifies them: Standard Webhooks 1.0, symmetric.

A receiver keeps one secret, or two while one is replaced; a message carries one signature, or two.
It is taken when any of its signatures is right under any of the secrets, so either side may change
over first. Nothing in a message is believed before.
"""

import base64
import binascii
import hmac
import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

TOLERANCE = timedelta(minutes=5)
"""How far the time of a message may be from the receiver's own."""

LONGEST = 1 << 20  # bytes of a body
_MOST_SIGNATURES = 10
_PREFIX = "whsec_"
_VERSION = "v1,"


class WebhookError(Exception):
    """A message that is not to be believed; says why in one sentence."""


def verified(
    secrets: Iterable[str], headers: Mapping[str, str], body: bytes, *, now: datetime
) -> tuple[str, dict[str, Any]]:
    """The id of the message and what it says; WebhookError when it is not to be believed.

    `secrets` as the platform showed them (`whsec_` and base64); `headers` by their names in any
    case; `body` as it arrived, unread. A receiver that remembers the id drops repeats.
    """
    told = {name.lower(): value for name, value in headers.items()}
    try:
        message, stamp, offered = (
            told[f"webhook-{name}"] for name in ("id", "timestamp", "signature")
        )
    except KeyError as missing:
        raise WebhookError(f"The header {missing.args[0]} is missing.") from None
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= len("99999999999")):
        raise WebhookError("webhook-timestamp is no number of seconds.")
    if abs(now.timestamp() - int(stamp)) > TOLERANCE.total_seconds():
        raise WebhookError("The message is too old, or the clock of one side is wrong.")
    if len(body) > LONGEST:
        raise WebhookError("The message is too long.")
    signed = f"{message}.{stamp}.".encode() + body
    if not _is_signed([key_of(each) for each in secrets], signed, offered):
        raise WebhookError("No signature of the message is right under a secret of this receiver.")
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise WebhookError("The message is no JSON object.")
    return message, content


def key_of(secret: str) -> bytes:
    """The key that a secret stands for; WebhookError when it is none of the platform's."""
    if not secret.startswith(_PREFIX):
        raise WebhookError(f"A secret begins with {_PREFIX}.")
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise WebhookError(f"What follows {_PREFIX} is not base64.") from None


def _is_signed(keys: list[bytes], signed: bytes, offered: str) -> bool:
    """Whether a signature is right; all are compared, so time says nothing about which."""
    signatures = [each for each in offered.split()[:_MOST_SIGNATURES] if each.startswith(_VERSION)]
    found = False
    for key in keys:
        digest = base64.b64encode(hmac.digest(key, signed, "sha256"))
        for each in signatures:
            found |= hmac.compare_digest(each.removeprefix(_VERSION).encode(), digest)
    return found

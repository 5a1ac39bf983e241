"""A receiver takes what the platform signed, under either of two secrets, and nothing else."""

import base64
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from postern.webhook import LONGEST, TOLERANCE, WebhookError, key_of, verified

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
AT = datetime.fromtimestamp(1614265330, UTC)
BODY = b'{"test": 2432232314}'
RIGHT = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
WRONG = "v1,AAAA9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def headers(signature: str = RIGHT, **changes: str) -> dict[str, str]:
    told = {
        "Webhook-Id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": signature,
    }
    return told | changes


def test_the_published_example_is_taken() -> None:
    told = verified([SECRET], headers(), BODY, now=AT)
    assert told == ("msg_p5jXN8AQM9LWM0D4loKWxJek", json.loads(BODY))


def test_either_secret_and_either_signature_will_do() -> None:
    for secrets in ([SECRET, OTHER], [OTHER, SECRET]):
        for signatures in (RIGHT, f"{WRONG} {RIGHT}", f"{RIGHT} {WRONG}", f"v1a,x {RIGHT}"):
            assert verified(secrets, headers(signatures), BODY, now=AT)


@pytest.mark.parametrize(
    "change",
    [
        lambda: ([OTHER], headers(), BODY, AT),
        lambda: ([], headers(), BODY, AT),
        lambda: ([SECRET], headers(WRONG), BODY, AT),
        lambda: ([SECRET], headers(""), BODY, AT),
        lambda: ([SECRET], headers("v1,é"), BODY, AT),
        lambda: ([SECRET], headers(RIGHT.replace("v1", "v2")), BODY, AT),
        lambda: ([SECRET], headers(f"{WRONG} " * 10 + RIGHT), BODY, AT),
        lambda: ([SECRET], headers(), BODY + b" ", AT),
        lambda: ([SECRET], headers(**{"Webhook-Id": "another"}), BODY, AT),
        lambda: ([SECRET], headers(**{"webhook-timestamp": "1614265331"}), BODY, AT),
        lambda: ([SECRET], headers(**{"webhook-timestamp": "²"}), BODY, AT),
        lambda: ([SECRET], headers(**{"webhook-timestamp": "9" * 400}), BODY, AT),
        lambda: ([SECRET], headers(), BODY, AT + TOLERANCE + timedelta(seconds=1)),
        lambda: ([SECRET], headers(), BODY, AT - TOLERANCE - timedelta(seconds=1)),
        lambda: ([SECRET], headers(), b"x" * (LONGEST + 1), AT),
        lambda: ([SECRET], {}, BODY, AT),
        lambda: (["g0hM9SsE"], headers(), BODY, AT),
        lambda: (["whsec_é"], headers(), BODY, AT),
    ],
    ids=str.split(
        "secret no-secret signature none letters version many body id time sign-of-time "
        "long-time old early long headers prefix base64"
    ),
)
def test_everything_else_is_refused(
    change: Callable[[], tuple[list[str], dict[str, str], bytes, datetime]],
) -> None:
    secrets, told, body, now = change()
    with pytest.raises(WebhookError):
        verified(secrets, told, body, now=now)


@pytest.mark.parametrize(
    "content",
    [b"[]", b"7", b"x", b"[" * 100_000, b"\xff"],
    ids=["list", "number", "text", "deep", "bytes"],
)
def test_a_signed_message_that_is_no_object_is_refused(content: bytes) -> None:
    signed = b"m.1614265330." + content
    mark = base64.b64encode(hmac.digest(key_of(SECRET), signed, "sha256")).decode()
    told = headers(f"v1,{mark}", **{"Webhook-Id": "m"})
    with pytest.raises(WebhookError, match="JSON object"):
        verified([SECRET], told, content, now=AT)

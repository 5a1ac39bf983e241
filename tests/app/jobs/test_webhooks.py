"""Webhooks to a real receiver: signed by the standard, over TLS, following and trusting nothing."""

import base64
import hashlib
import hmac
import http.client
import json
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from app.jobs import deadline, webhooks
from app.jobs.addresses import ForbiddenAddressError, Network, networks
from app.jobs.webhooks import WebhookGoneError, WebhookRefusedError, body_of, new_secret, post
from tests.app.jobs.receivers import (
    Hook,
    certificates,
    dribbling_server,
    hook_server,
    silent_server,
)

LOOPBACK = networks("127.0.0.0/8")
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
CONTENT = {"kind": "channel.trial", "facts": {"channel": "webhook"}, "address": "/channels"}


def send(address: str, allowed: tuple[Network, ...] = LOOPBACK, secret: str = "") -> None:
    post(
        address,
        secret or new_secret(),
        body_of(CONTENT),
        message=uuid4(),
        at=AT,
        allowed=allowed,
    )


def test_a_receiver_verifies_the_signature_by_the_standard() -> None:
    hook, secret, message = Hook(), new_secret(), uuid4()
    with hook_server(hook) as port:
        post(
            f"http://127.0.0.1:{port}/in?from=postern",
            secret,
            body_of(CONTENT),
            message=message,
            at=AT,
            allowed=LOOPBACK,
        )
    ((path, headers, body),) = hook.taken
    assert path == "/in?from=postern"
    assert json.loads(body) == CONTENT
    assert headers["content-type"] == "application/json"
    assert headers["host"] == f"127.0.0.1:{port}"
    assert headers["webhook-id"] == str(message)
    assert int(headers["webhook-timestamp"]) == AT.timestamp()
    key = base64.b64decode(secret.removeprefix("whsec_"))
    assert len(key) == 32
    signed = f"{message}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"


def test_the_signature_is_that_of_the_published_example() -> None:
    told = webhooks.signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert told == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("status", [199, 301, 307, 400, 404, 429, 500, 503])
def test_whatever_is_not_a_success_is_a_failure_and_no_redirect_is_followed(status: int) -> None:
    other = Hook()
    with hook_server(other) as elsewhere:
        hook = Hook(statuses=[status], headers={"Location": f"http://127.0.0.1:{elsewhere}/"})
        with hook_server(hook) as port, pytest.raises((WebhookRefusedError, OSError)):
            send(f"http://127.0.0.1:{port}/")
    assert len(hook.taken) == 1
    assert other.taken == []


def test_a_receiver_that_is_gone_is_not_asked_again() -> None:
    with hook_server(Hook(statuses=[410])) as port, pytest.raises(WebhookGoneError):
        send(f"http://127.0.0.1:{port}/")


def test_tls_is_verified_against_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = certificates(tmp_path, "localhost")
    hook = Hook()
    with hook_server(hook, made) as port:
        with pytest.raises(ssl.SSLCertVerificationError):
            send(f"https://localhost:{port}/")
        monkeypatch.setenv("SSL_CERT_FILE", str(made.authority))
        send(f"https://localhost:{port}/")
        with pytest.raises(ssl.SSLCertVerificationError):
            send(f"https://127.0.0.1:{port}/")
    assert len(hook.taken) == 1


def test_an_endless_answer_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    written = 0

    def endless() -> Iterator[bytes]:
        nonlocal written
        while True:
            yield b"x" * 65536
            written += 1

    with hook_server(Hook(statuses=[200], body=endless)) as port:
        send(f"http://127.0.0.1:{port}/")
    assert written < 10_000


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_receiver_that_says_nothing_ends_in_an_error(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline, "ANSWER", 0.2)
    with silent_server() as port, pytest.raises(OSError, match="timed out"):
        send(f"{scheme}://127.0.0.1:{port}/")


def test_a_receiver_that_dribbles_ends_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "WHOLE", 0.5)
    with dribbling_server() as port, pytest.raises((OSError, http.client.HTTPException)):
        send(f"http://127.0.0.1:{port}/")


def test_nothing_is_sent_into_a_network_that_is_not_open() -> None:
    hook = Hook()
    with hook_server(hook) as port, pytest.raises(ForbiddenAddressError):
        send(f"http://127.0.0.1:{port}/", allowed=())
    assert hook.taken == []

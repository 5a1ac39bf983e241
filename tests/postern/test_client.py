import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from postern import client_errors as errors
from postern import transport
from postern.client import Client
from postern.transport import Transport, checked_address
from postern.vocabulary import EvaluationKind, LegalBasis, Purpose
from tests.postern.loopback_platform import (
    TOKEN,
    LoopbackPlatform,
    Reply,
    now,
    problem,
    serving,
)

KEYS = "/.well-known/postern-keys.json"
ME = "/api/v1/me"
EVALUATE = "/api/v1/evaluate"
LOOKUPS = "/api/v1/lookups"


def evaluate(client: Client, epoch: int = 1) -> None:
    client.evaluate(
        EvaluationKind.PHONE, epoch, [bytes(32)], purpose=Purpose.RISK_ANALYSIS, case="C"
    )


def look_up(client: Client) -> None:
    client.look_up(
        [{"id": "0", "kind": "phone", "tokens": []}],
        purpose=Purpose.RISK_ANALYSIS,
        legal_basis=LegalBasis.POSTAL_LAW,
        case="C",
    )


def test_the_token_goes_with_every_request_but_the_one_for_the_keys(
    platform: LoopbackPlatform, client: Client
) -> None:
    client.keys()
    client.me()
    (_, _, for_keys), (_, _, for_me) = platform.calls
    assert "Authorization" not in for_keys
    assert for_me["Authorization"] == f"Bearer {TOKEN}"


def test_who_the_token_stands_for_is_read(platform: LoopbackPlatform, client: Client) -> None:
    me = client.me()
    assert me.organisation.code == "post-be"
    assert me.scopes == ("evaluate", "lookups:write", "reports:write", "indicators:read")
    assert me.expires_at is not None
    platform.me |= {"scopes": None, "expires_at": None}
    assert client.me().scopes is None
    assert client.me().expires_at is None


def test_a_platform_that_comes_back_is_asked_again(
    platform: LoopbackPlatform, client: Client
) -> None:
    platform.replies[ME] = [Reply(503, b"busy"), problem(503, "unavailable"), Reply(502, b"")]
    assert client.me().organisation.code == "post-be"
    assert platform.count(ME) == 4


def test_pauses_grow_and_a_platform_may_ask_for_a_longer_one(platform: LoopbackPlatform) -> None:
    slept: list[float] = []
    patient = Client(Transport(platform.address, token=TOKEN, sleep=slept.append))
    busy = Reply(503, b"", {"Retry-After": "7"})
    platform.replies[ME] = [Reply(503, b""), Reply(503, b""), busy, Reply(503, b"", {})]
    patient.me()
    patient.close()
    assert 0.37 <= slept[0] < slept[1] < 1.5
    assert slept[2] == 7
    assert slept[3] >= 3


def test_a_platform_that_stays_away_is_an_error_with_its_reference(
    platform: LoopbackPlatform, client: Client
) -> None:
    away = Reply(503, b"busy", {"X-Request-Id": "ref-1\x1b[2J"})
    platform.replies[ME] = [away] * (len(transport.PAUSES) + 1)
    with pytest.raises(errors.PlatformFailedError, match="503") as caught:
        client.me()
    assert "ref-1" in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert not platform.replies[ME]


def test_a_failure_of_the_platform_is_not_repeated(
    platform: LoopbackPlatform, client: Client
) -> None:
    platform.replies[ME] = [problem(500, "unexpected-error")]
    with pytest.raises(errors.PlatformFailedError):
        client.me()
    assert platform.count(ME) == 1


def test_nobody_listening_is_an_unreachable_platform() -> None:
    with serving(LoopbackPlatform()) as gone:
        address = gone.address
    client = Client(Transport(address, token=TOKEN, pauses=(0, 0), sleep=lambda _: None))
    with pytest.raises(errors.PlatformUnreachableError, match="refuses connections"):
        client.me()
    client.close()


def test_a_lookup_whose_answer_was_lost_is_not_repeated_unasked(
    platform: LoopbackPlatform, client: Client
) -> None:
    platform.replies[LOOKUPS] = [Reply(504, b"")]
    with pytest.raises(errors.PlatformFailedError):
        look_up(client)
    assert platform.count(LOOKUPS) == 1


def test_a_lookup_that_the_platform_did_not_begin_is_repeated(
    platform: LoopbackPlatform, client: Client
) -> None:
    platform.replies[LOOKUPS] = [problem(503, "unavailable")]
    look_up(client)
    assert platform.count(LOOKUPS) == 2


def test_a_redirect_is_not_followed(platform: LoopbackPlatform, client: Client) -> None:
    with serving(LoopbackPlatform()) as elsewhere:
        platform.replies[ME] = [Reply(307, b"", {"Location": elsewhere.address + ME})]
        with pytest.raises(errors.NotThePlatformError, match="redirects"):
            client.me()
        assert not elsewhere.calls


def test_a_netrc_file_does_not_replace_the_token(
    platform: LoopbackPlatform, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    client.me()
    client.keys()
    (_, _, for_me), (_, _, for_keys) = platform.calls
    assert for_me["Authorization"] == f"Bearer {TOKEN}"
    assert "Authorization" not in for_keys


@pytest.mark.parametrize(
    ("reply", "expected", "words"),
    [
        (problem(401, "sign-in-needed"), errors.TokenRefusedError, "expired or revoked"),
        (problem(403, "not-allowed"), errors.NotAllowedError, "It is not-allowed"),
        (problem(413, "too-large"), errors.BodyTooLargeError, "too large"),
        (problem(404, "not-found"), errors.RequestRefusedError, "Mend it"),
        (Reply(404, b"<html>"), errors.NotThePlatformError, "answers 404"),
        (Reply(200, b"<html>", {}), errors.AnswerMalformedError, "Update postern"),
        (Reply(200, {"roles": []}), errors.AnswerMalformedError, "me.organisation"),
        (Reply(418, b"teapot"), errors.RequestRefusedError, "gives no reason"),
    ],
)
def test_each_refusal_is_told_by_its_own_error(
    platform: LoopbackPlatform,
    client: Client,
    reply: Reply,
    expected: type[errors.ClientError],
    words: str,
) -> None:
    platform.replies[ME] = [reply]
    with pytest.raises(expected, match=words):
        client.me()


def test_a_refusal_names_the_fields_that_the_platform_names(
    platform: LoopbackPlatform, client: Client
) -> None:
    named = [{"field": "json.case", "reason": "It is empty.\x1b]0;x\x07"}]
    platform.replies[EVALUATE] = [problem(422, "invalid-request", errors=named)]
    with pytest.raises(errors.RequestRefusedError) as caught:
        evaluate(client)
    assert "json.case: It is empty." in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_closed_epoch_tells_which_one_is_open(platform: LoopbackPlatform, client: Client) -> None:
    platform.epochs[EvaluationKind.PHONE] = 3
    with pytest.raises(errors.EpochClosedError) as caught:
        evaluate(client)
    assert caught.value.current == 3


def test_a_spent_quota_tells_when_it_begins_again(
    platform: LoopbackPlatform, client: Client
) -> None:
    platform.quota = 0
    with pytest.raises(errors.QuotaSpentError, match="begins again at") as caught:
        evaluate(client)
    assert caught.value.resets_at is not None
    assert abs(caught.value.resets_at - platform.resets_at) < timedelta(minutes=1)


def test_a_spent_quota_without_a_time_is_told_too(
    platform: LoopbackPlatform, client: Client
) -> None:
    platform.replies[EVALUATE] = [problem(429, "quota-spent", resets_at="soon")]
    with pytest.raises(errors.QuotaSpentError) as caught:
        evaluate(client)
    assert caught.value.resets_at is None


def test_an_answer_without_end_is_not_read_to_its_end(
    platform: LoopbackPlatform, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "LARGEST_ANSWER", 1000)
    platform.replies[ME] = [Reply(200, b" " * 100_000 + b"{}")]
    with pytest.raises(errors.AnswerTooLargeError):
        client.me()


def test_the_platforms_clock_is_read(platform: LoopbackPlatform, client: Client) -> None:
    platform.date = timedelta(hours=-3)
    date = client.keys().date
    assert date is not None
    assert timedelta(hours=2) < now() - date < timedelta(hours=4)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("https://platform.example/", "https://platform.example"),
        (" https://Platform.example:8443", "https://platform.example:8443"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost", "http://localhost"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_an_address_is_scheme_and_host(written: str, expected: str) -> None:
    assert checked_address(written) == expected


@pytest.mark.parametrize(
    "written",
    [
        "http://platform.example",
        "http://localhost.platform.example",
        "http://10.0.0.1",
        "https://user:secret@platform.example",
        "https://platform.example/api",
        "https://platform.example?x=1",
        "ftp://platform.example",
        "platform.example",
        "https://",
        "https://[bad",
        "https://platform.example:port",
    ],
)
def test_an_address_to_which_no_token_may_go_is_refused(written: str) -> None:
    with pytest.raises(errors.AddressRefusedError) as caught:
        checked_address(written)
    assert "secret" not in str(caught.value)


@pytest.fixture
def tls_platform(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Address of a server with a certificate of its own, and the file of that certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    moment = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - timedelta(days=1))
        .not_valid_after(moment + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain, secret = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            """Nothing."""

    class Quiet(HTTPServer):
        def handle_error(self, *_: object) -> None:
            """Nothing: a refused handshake is what the test is about."""

    server = Quiet(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, secret)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"https://127.0.0.1:{server.server_address[1]}", chain
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_certificate_that_is_not_trusted_is_a_tls_failure(
    tls_platform: tuple[str, Path],
) -> None:
    client = Client.at(tls_platform[0], token=TOKEN)
    with pytest.raises(errors.TlsFailedError, match="not trusted"):
        client.keys()
    client.close()


def test_an_authority_of_ones_own_is_trusted_when_it_is_named(
    tls_platform: tuple[str, Path],
) -> None:
    client = Client.at(tls_platform[0], token=TOKEN, ca_file=tls_platform[1])
    assert client.keys().raw == {}
    client.close()


def test_an_authority_file_that_is_missing_is_named(
    tls_platform: tuple[str, Path], tmp_path: Path
) -> None:
    client = Client.at(tls_platform[0], ca_file=tmp_path / "none.pem")
    with pytest.raises(errors.TlsFailedError, match="ca_file"):
        client.keys()
    client.close()


def test_https_to_a_port_that_speaks_http_is_a_tls_failure(platform: LoopbackPlatform) -> None:
    client = Client.at(platform.address.replace("http://", "https://"))
    with pytest.raises(errors.TlsFailedError, match="speaks http"):
        client.keys()
    client.close()

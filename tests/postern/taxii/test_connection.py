"""Requests to a TAXII server: where a credential goes, what is tried again, what is refused."""

import base64
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from postern.taxii.client import TaxiiClient
from postern.taxii.connection import MEDIA_TYPE, Access, Connection, checked_address
from postern.taxii.errors import (
    AccessRefusedError,
    CredentialRefusedError,
    NotTaxiiError,
    NotThereError,
    ServerAddressError,
    ServerAnswerError,
    ServerAnswerTooLargeError,
    ServerBusyError,
    ServerFailedError,
    ServerRefusedError,
    ServerTlsError,
    ServerUnreachableError,
    TaxiiError,
)
from tests.certificates import Certificates
from tests.postern.taxii.loopback_taxii import LoopbackTaxii, Reply

DISCOVERY = "/taxii2/"
BEYOND = f"Mon, 01 Jan {'9' * 20} 00:00:00 GMT"  # no date holds such a year


def connection(taxii: LoopbackTaxii, access: Access | None = None, **more: object) -> Connection:
    return Connection(taxii.address, access or Access(), sleep=lambda _: None, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://taxii.example/taxii2", "https://taxii.example/taxii2/"),
        (" https://taxii.example:8443/a/b/ ", "https://taxii.example:8443/a/b/"),
        ("http://127.0.0.1:5000/taxii2/", "http://127.0.0.1:5000/taxii2/"),
        ("http://[::1]/taxii2/", "http://[::1]/taxii2/"),
        ("http://localhost", "http://localhost/"),
    ],
)
def test_an_address_is_https_or_this_machine(text: str, address: str) -> None:
    assert checked_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "http://taxii.example/taxii2/",
        "ftp://taxii.example/",
        "taxii.example",
        "https://user:secret@taxii.example/",
        "https://taxii.example/?key=secret",
        "https://taxii.example/#part",
        "https://taxii.example:no/",
        "https://[::1/",
    ],
)
def test_any_other_address_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ServerAddressError) as caught:
        checked_address(text)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("access", "header"),
    [
        (Access(token="pst_1"), "Bearer pst_1"),
        (
            Access(user="café", password="p:ü"),
            "Basic " + base64.b64encode("café:p:ü".encode()).decode(),
        ),
        (Access(), None),
    ],
)
def test_the_credential_and_the_media_type_are_sent(
    taxii: LoopbackTaxii, access: Access, header: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETRC", "/nowhere")
    connection(taxii, access).get(taxii.address, what="thing")
    (sent,) = taxii.headers
    assert sent.get("Authorization") == header
    assert sent["Accept"] == MEDIA_TYPE


def test_a_redirect_is_not_followed(taxii: LoopbackTaxii) -> None:
    taxii.replies[DISCOVERY] = [Reply(302, headers={"Location": "http://127.0.0.1:1/"})]
    with pytest.raises(NotTaxiiError):
        connection(taxii, Access(token="pst_1")).get(taxii.address, what="thing")
    assert len(taxii.asked) == 1


@pytest.mark.parametrize(
    "root", ["https://elsewhere.example/root/", "//elsewhere.example/", "http://[::1/", "file:///x"]
)
def test_a_root_on_another_host_is_never_asked(taxii: LoopbackTaxii, root: str) -> None:
    taxii.discovery = {"title": "Lab", "api_roots": [root]}
    client = TaxiiClient(connection(taxii, Access(token="pst_1")))
    with pytest.raises((ServerAddressError, ServerAnswerError)):
        client.every_collection()


def test_a_root_may_be_relative_or_without_a_slash(taxii: LoopbackTaxii) -> None:
    origin = taxii.address.removesuffix(DISCOVERY)
    taxii.discovery = {"title": "Lab", "api_roots": ["/lab", "../lab/", f"{origin}/lab/"]}
    assert TaxiiClient(connection(taxii)).discovery().api_roots == (f"{origin}/lab/",)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, CredentialRefusedError),
        (403, AccessRefusedError),
        (404, NotThereError),
        (406, NotTaxiiError),
        (422, ServerRefusedError),
        (500, ServerFailedError),
    ],
)
def test_a_refusal_is_told_in_words_that_can_do_nothing_to_a_terminal(
    taxii: LoopbackTaxii, status: int, error: type[TaxiiError]
) -> None:
    told = {"title": "No\x1b[2J", "description": "Because.", "http_status": str(status)}
    taxii.replies[DISCOVERY] = [Reply(status, told)]
    with pytest.raises(error) as caught:
        connection(taxii).get(taxii.address, what="thing")
    assert "\x1b" not in str(caught.value)
    assert len(taxii.asked) == 1


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_server_that_is_busy_is_asked_again(taxii: LoopbackTaxii, status: int) -> None:
    taxii.replies[DISCOVERY] = [Reply(status), Reply(status)]
    slept: list[float] = []
    made = Connection(taxii.address, Access(), sleep=slept.append)
    assert made.get(taxii.address, what="thing").content["title"] == "Lab"
    assert len(slept) == 2


def test_as_long_as_the_server_asks_but_not_for_ever(taxii: LoopbackTaxii) -> None:
    late = format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True)
    told = ["7", late, "soon", "9" * 400, BEYOND]
    taxii.replies[DISCOVERY] = [Reply(503, headers={"Retry-After": text}) for text in told]
    slept: list[float] = []
    Connection(taxii.address, Access(), sleep=slept.append).get(taxii.address, what="thing")
    assert slept[0] == 7
    assert slept[1] == 60
    assert slept[2] < 3
    assert slept[3] == 60
    assert slept[4] < 11


def test_after_all_attempts_it_is_told_that_it_is_busy(taxii: LoopbackTaxii) -> None:
    taxii.replies[DISCOVERY] = [Reply(503) for _ in range(3)]
    with pytest.raises(ServerBusyError):
        connection(taxii, pauses=(0, 0)).get(taxii.address, what="thing")


def test_a_server_that_is_not_there_is_named_so() -> None:
    made = Connection("http://127.0.0.1:9/", Access(), pauses=(), sleep=lambda _: None)
    with pytest.raises(ServerUnreachableError):
        made.get("http://127.0.0.1:9/", what="thing")


def test_a_page_that_is_too_long_is_not_read(taxii: LoopbackTaxii) -> None:
    taxii.replies[DISCOVERY] = [Reply(200, b'{"title": "%s"}' % (b"x" * 200_000))]
    with pytest.raises(ServerAnswerTooLargeError):
        connection(taxii, largest=100_000).get(taxii.address, what="thing")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"<html>", ServerAnswerError),
        (b"[]", ServerAnswerError),
        (b'{"a": NaN}', ServerAnswerError),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", ServerAnswerError),
        (b'{"a": ' + b"9" * 10_000 + b"}", ServerAnswerError),
        (b"\xff\xfe", ServerAnswerError),
    ],
)
def test_what_is_no_json_object_is_refused(
    taxii: LoopbackTaxii, body: bytes, error: type[TaxiiError]
) -> None:
    taxii.replies[DISCOVERY] = [Reply(200, body)]
    with pytest.raises(error):
        connection(taxii).get(taxii.address, what="thing")


def test_a_page_for_people_is_no_taxii(taxii: LoopbackTaxii) -> None:
    taxii.replies[DISCOVERY] = [Reply(200, b"<html>", {"Content-Type": "text/html"})]
    with pytest.raises(NotTaxiiError):
        connection(taxii).get(taxii.address, what="thing")


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Certificates]:
    """A server that takes only clients with a certificate of its authority."""
    place = tmp_path_factory.mktemp("tls")
    made = Certificates(place)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.server, made.server_key)
    context.load_verify_locations(made.authority)
    context.verify_mode = ssl.CERT_REQUIRED
    server = HTTPServer(("127.0.0.1", 0), _Greeting)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    made.address = f"https://127.0.0.1:{server.server_address[1]}/"
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_client_certificate_is_shown(tls: Certificates) -> None:
    access = Access(ca_file=tls.authority, certificate_file=tls.client, key_file=tls.client_key)
    made = Connection(tls.address, access, pauses=())
    assert made.get(tls.address, what="thing").content == {"title": "mutual"}
    made.close()


def test_without_it_there_is_no_connection(tls: Certificates) -> None:
    made = Connection(tls.address, Access(ca_file=tls.authority), pauses=())
    with pytest.raises((ServerTlsError, ServerUnreachableError)):
        made.get(tls.address, what="thing")


def test_a_server_of_an_unknown_authority_is_refused(tls: Certificates) -> None:
    with pytest.raises(ServerTlsError):
        Connection(tls.address, Access(), pauses=()).get(tls.address, what="thing")


def test_a_missing_certificate_file_is_told_so(tls: Certificates, tmp_path: Path) -> None:
    access = Access(ca_file=tls.authority, certificate_file=tmp_path / "none.pem")
    with pytest.raises(ServerTlsError):
        Connection(tls.address, access, pauses=()).get(tls.address, what="thing")


class _Greeting(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b'{"title": "mutual"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", MEDIA_TYPE)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass

"""Real receivers on loopback: a mail server, a server of webhooks, and certificates for both."""

import asyncio
import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Certificates:
    """A certificate of an authority of its own, for the names given."""

    authority: Path  # what a client trusts
    chain: Path
    key: Path

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain, self.key)
        return context


def certificates(directory: Path, *hosts: str) -> Certificates:
    """Make a certificate for `hosts`, signed by itself and an authority at once."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test")])
    at = datetime.datetime.now(datetime.UTC)
    alternatives: list[x509.GeneralName] = []
    for host in hosts:
        try:
            alternatives.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            alternatives.append(x509.DNSName(host))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - datetime.timedelta(days=1))
        .not_valid_after(at + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, private = directory / "chain.pem", directory / "key.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return Certificates(chain, chain, private)


@dataclass
class Mailbox:
    """What a mail server took, and what it is told to answer: "" is to take the message."""

    taken: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)  # to RCPT, the next one first
    data_answers: list[str] = field(default_factory=list)
    users: list[tuple[str, str]] = field(default_factory=list)
    was_encrypted: list[bool] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - the name that the library calls
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.answers.pop(0) if self.answers else ""
        if answer == "hang":
            await asyncio.sleep(30)
        if answer:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - as above
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        answer = self.data_answers.pop(0) if self.data_answers else ""
        if answer:
            return answer
        content = envelope.content
        assert isinstance(content, bytes)
        parsed = message_from_bytes(content, policy=default)
        assert isinstance(parsed, EmailMessage)
        self.taken.append(parsed)
        self.recipients += envelope.rcpt_tos
        self.was_encrypted.append(session.ssl is not None)
        return "250 OK"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        self.users.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=self.users[-1][1] == "right", handled=False)


@contextmanager
def mail_server(
    mailbox: Mailbox,
    encryption: Certificates | None = None,
    *,
    is_tls_from_start: bool = False,
    demands_user: bool = False,
) -> Iterator[int]:
    """A mail server on a free port of loopback, with STARTTLS when it has a certificate."""
    context = encryption.server_context() if encryption else None
    more: dict[str, Any] = {}
    if context and is_tls_from_start:
        more["ssl_context"] = context
    elif context:
        more |= {"tls_context": context, "require_starttls": True}
    if demands_user:
        more |= {"authenticator": mailbox.authenticate, "auth_required": True}
    port = free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port, **more)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


@dataclass
class Hook:
    """What a receiver of webhooks took, and the statuses that it answers, 204 when none is told."""

    taken: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)  # of each answer
    body: Callable[[], Iterator[bytes]] = lambda: iter(())
    meanwhile: Callable[[], None] = lambda: None  # what happens before it answers


@contextmanager
def hook_server(hook: Hook, encryption: Certificates | None = None) -> Iterator[int]:
    """A receiver on a free port of loopback, https when it has a certificate."""

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            headers = {name.lower(): value for name, value in self.headers.items()}
            hook.taken.append((self.path, headers, body))
            hook.meanwhile()
            self.send_response(hook.statuses.pop(0) if hook.statuses else 204)
            for name, value in hook.headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                for piece in hook.body():
                    self.wfile.write(piece)
            except OSError:
                self.close_connection = True

        def log_message(self, *_arguments: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass  # a client that went away, or that did not trust us

    server = Server(("127.0.0.1", 0), Receiver)
    if encryption:
        server.socket = encryption.server_context().wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def dribbling_server() -> Iterator[int]:
    """A server that answers one byte at a time, and never ends its first line."""

    def answer() -> None:
        with suppress(OSError):
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                while not ended.wait(0.02):
                    connection.sendall(b"H")

    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield int(server.getsockname()[1])
        finally:
            ended.set()
            thread.join()


@contextmanager
def silent_server() -> Iterator[int]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])

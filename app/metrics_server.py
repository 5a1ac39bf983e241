"""The small server of processes that tell metrics and answer nothing else: GET /metrics."""

import hmac
import ipaddress
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client.exposition import CONTENT_TYPE_LATEST

from app.errors import StartRefusedError

PATH = "/metrics"
_LAST_PORT = 65_535
_REQUEST_SECONDS = 5


def make_server(
    tell: Callable[[], bytes], host: str, port: int, key: str | None
) -> ThreadingHTTPServer:
    """The server, which listens already; with a key, only who presents it is answered."""
    wanted = None if key is None else f"Bearer {key}".encode()

    class Handler(BaseHTTPRequestHandler):
        timeout = _REQUEST_SECONDS
        server_version = "postern"
        sys_version = ""

        def do_GET(self) -> None:
            offered = self.headers.get("Authorization", "").encode()
            may = wanted is None or hmac.compare_digest(offered, wanted)
            if self.path != PATH or not may:
                self._answer(HTTPStatus.NOT_FOUND, b"", "text/plain")
                return
            self._answer(HTTPStatus.OK, tell(), CONTENT_TYPE_LATEST)

        def _answer(self, status: HTTPStatus, body: bytes, content_type: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_told: object) -> None:
            """Say nothing of who asks."""

    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    return server


def read_address(listen: str, *, has_key: bool) -> tuple[str, int]:
    """HOST:PORT of an IPv4 address; StartRefusedError where others could read without a key."""
    host, _, port = listen.rpartition(":")
    try:
        address, number = ipaddress.IPv4Address(host), int(port)
    except ValueError:
        address, number = ipaddress.IPv4Address(0), 0
    if not 1 <= number <= _LAST_PORT:
        raise StartRefusedError(
            f"{listen!r} is no address to listen at. Write an IPv4 address and a port, such as"
            " 127.0.0.1:9464."
        )
    if not address.is_loopback and not has_key:
        raise StartRefusedError(
            f"Others could read the metrics at {listen}. Write 32 random letters and digits or more"
            " into metrics.key in secrets.directory, or listen at 127.0.0.1."
        )
    return str(address), number

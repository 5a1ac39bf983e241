"""A witness that answers: C2SP tlog-witness over HTTP, on this machine unless told otherwise."""

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from postern.witness.errors import WitnessBusyError, WitnessStateError
from postern.witness.rounds import Answer, answer
from postern.witness.rules import CONFLICT, Verdict
from postern.witness.state import Store

PATH = "/add-checkpoint"

_TEXT = "text/plain; charset=utf-8"
_LARGEST_BODY = 65_536  # bytes; 63 hashes and a note with a hundred signatures fit
_MOST_DIGITS = 12  # of a length; Python reads no number of more than 4,300
_PATIENCE = 10.0  # seconds for which a client may be silent
FAILED = 500
_NOT_FOUND, _LENGTH_REQUIRED, _TOO_LARGE = 404, 411, 413


class WitnessServer(ThreadingHTTPServer):
    """Answers add-checkpoint from one store; `told` hears every answer."""

    daemon_threads = True

    def __init__(
        self, address: tuple[str, int], store: Store, told: Callable[[Answer], None]
    ) -> None:
        super().__init__(address, _Handler)
        self.store = store
        self.told = told


class _Handler(BaseHTTPRequestHandler):
    server: WitnessServer
    protocol_version = "HTTP/1.1"
    timeout = _PATIENCE

    def do_POST(self) -> None:
        """Read at most what a request may have, and answer with a status of tlog-witness."""
        length = self.headers.get("Content-Length", "")
        if self.path != PATH:
            self._refuse(_NOT_FOUND)
        elif not (length.isascii() and length.isdecimal()):
            self._refuse(_LENGTH_REQUIRED)
        elif len(length) > _MOST_DIGITS or int(length) > _LARGEST_BODY:
            self._refuse(_TOO_LARGE)
        else:
            self._witness(self.rfile.read(int(length)))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name above
        """Say nothing: what matters is told by its verdict."""

    def _witness(self, body: bytes) -> None:
        try:
            made = answer(self.server.store, body)
        except (WitnessStateError, WitnessBusyError) as error:
            # Its words name files of this machine: they are told here, not to the one who asked.
            self.server.told(Answer(Verdict(FAILED, str(error)), 0))
            self._refuse(FAILED)
            return
        self.server.told(made)
        content, kind = _written(made)
        self._send(made.verdict.status, content, kind)

    def _refuse(self, status: int) -> None:
        """The body was not read, so the connection can carry nothing more."""
        self.close_connection = True
        self._send(status, b"", _TEXT)

    def _send(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)


def _written(made: Answer) -> tuple[bytes, str]:
    if made.line is not None:
        return f"{made.line.line}\n".encode(), _TEXT
    if made.verdict.status == CONFLICT:
        return f"{made.size}\n".encode(), "text/x.tlog.size"
    return f"{made.verdict.reason}\n".encode(), _TEXT

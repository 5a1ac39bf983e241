"""A log served over HTTP on the loopback interface, as a platform serves it to one member."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from postern.audit.sources import NotThereError
from postern.base64url import to_base64url
from postern.tlog.tiles import Tile
from tests.postern.audit.log_builder import MINE, LogBuilder, size_of

TOKEN = "pst_audit-token"
_PAGE = 2  # checkpoints


class LogPlatform:
    """What is served; tests change it while it runs. `scopes` and `roles` are the token's."""

    def __init__(self, log: LogBuilder) -> None:
        self.log = log
        self.address = ""
        self.served: list[str] = []
        self.roles = ["compliance"]
        self.scopes = ["audit:read"]
        self.fails_after: int | None = None  # so many of `served`, then 503

    def answer(self, path: str, query: dict[str, str]) -> tuple[bytes, dict[str, str]]:
        """The body and headers of a 200; NotThereError."""
        log = self.log
        headers: dict[str, str] = {}
        match path.split("/")[1:]:
            case ["api", "v1", "me"]:
                body = _json(self._me())
            case ["api", "v1", "audit", "tag-keys"]:
                keys = [{"epoch": 1, "key": to_base64url(key)} for key in log.tag_keys()]
                body = _json({"organisation": MINE, "keys": keys})
            case ["api", "v1", "audit", "export"]:
                body, headers = self._export(query)
            case ["api", "v1", "audit", "proofs", place]:
                body = log.proof(int(place))
            case ["audit", "log", *rest]:
                body = self._of_log(rest, query)
            case _:
                raise NotThereError(path)
        return body, headers

    def _of_log(self, path: list[str], query: dict[str, str]) -> bytes:
        log = self.log
        match path:
            case ["keys"]:
                return _json(log.keys())
            case ["checkpoint"]:
                return log.newest()
            case ["checkpoint", "cosigned"] if log.newest_cosigned():
                return log.newest_cosigned() or b""
            case ["checkpoints"]:
                notes = list(log.cosigned_after(int(query["after"])))
                page = [note.decode() for note in notes[:_PAGE]]
                following = size_of(notes[_PAGE - 1]) if len(notes) >= _PAGE else None
                return _json({"checkpoints": page, "next": following})
            case ["tile", *_]:
                return log.tile(Tile.parse("/".join(path)))
        raise NotThereError("/".join(path))

    def _me(self) -> dict[str, Any]:
        organisation = {"code": MINE, "name": "Post", "sector": "post", "country": "BE"}
        return {
            "person": "p",
            "organisation": organisation,
            "roles": self.roles,
            "scopes": self.scopes,
            "expires_at": None,
        }

    def _export(self, query: dict[str, str]) -> tuple[bytes, dict[str, str]]:
        since = query.get("from")
        at = int(datetime.fromisoformat(since).timestamp() * 1000) if since else None
        lines, following = next(self.log.pages(at, query.get("cursor")))
        receipt = self.log.receipts.pop(0) if self.log.receipts else None
        headers = {"Postern-Next": following} if following else {}
        return b"".join(lines), headers | ({"Postern-Receipt": receipt} if receipt else {})


@contextmanager
def serving(log: LogBuilder) -> Iterator[LogPlatform]:
    """Serve a log on a free loopback port."""
    platform = LogPlatform(log)
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            status, body, headers = 200, b"", dict[str, str]()
            with lock:
                if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                    status, body = 401, _json({"code": "sign-in-needed"})
                elif platform.fails_after == len(platform.served):
                    status, body = 503, _json({"code": "unavailable"})
                else:
                    try:
                        body, headers = platform.answer(path, dict(parse_qsl(query)))
                        platform.served.append(path)
                    except NotThereError:
                        status, body = 404, _json({"code": "not-found", "detail": "Not there."})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    platform.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield platform
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _json(content: object) -> bytes:
    return json.dumps(content).encode()

"""The receivers: they note what arrives before they answer, take their time, and fail at times."""

import asyncio
import json
import os
import random
import threading
import time
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

_draw = random.SystemRandom()

_LONGEST = 0.1  # seconds that a receiver takes before it answers
_FAILING = 0.05  # of the answers


class Notes:
    """A file of lines, each in one `write`, which a kill cannot take back."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def line(self, told: dict[str, Any]) -> None:
        os.write(self._file, (json.dumps(told) + "\n").encode())


def lines(path: Path) -> list[dict[str, Any]]:
    """What was noted, none when nothing was."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def hooks() -> ThreadingHTTPServer:
    """A server of webhooks on a free port, which takes nothing before `receive` is called."""
    return ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)


def receive(hooks: ThreadingHTTPServer, mail_port: int, path: Path) -> None:
    """Be both receivers until the process is killed."""
    notes = Notes(path)

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told = {"dispatch": self.headers["webhook-id"], "to": self.path}
            notes.line(told | {"number": body["facts"].get("number")})
            time.sleep(_draw.random() * _LONGEST)
            self.send_response(503 if _draw.random() < _FAILING else 204)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    hooks.RequestHandlerClass = Receiver
    hooks.daemon_threads = True
    controller = Controller(_Mailbox(notes), hostname="127.0.0.1", port=mail_port)
    controller.start()
    threading.Thread(target=hooks.serve_forever).start()
    threading.Event().wait()


class _Mailbox:
    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    async def handle_DATA(  # noqa: N802 - the name that the library calls
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        name = str(message_from_bytes(content)["Message-ID"])
        dispatch = name.strip("<>").partition("@")[0]
        self._notes.line({"dispatch": dispatch, "to": envelope.rcpt_tos[0]})
        await asyncio.sleep(_draw.random() * _LONGEST)
        return "451 Later" if _draw.random() < _FAILING else "250 OK"

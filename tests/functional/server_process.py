"""Server processes that come from one: it loads the program once, and each of them begins at once.

    python -m tests.functional.server_process SETTINGS

It reads lines of JSON, [settings file, port], and forks for each a server of its own on loopback;
when that listens it writes a line with its process id. SETTINGS are any, to load the program with.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from werkzeug.serving import WSGIRequestHandler, make_server

from app import create_app
from app.config import Settings, load
from tests.functional.serving import PATIENCE, ROOT, as_toml


class Servers:
    """The processes that were begun, by address."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self._running: dict[str, int] = {}

    def start(self, settings: Settings, file: Path, address: str | None = None) -> str:
        """The address of a new server: a free one, or the one that is named. `file` is written."""
        address = address or f"http://127.0.0.1:{_free_port()}"
        file.write_text(as_toml(settings, address), encoding="utf-8")
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        asked = [str(file), int(address.rpartition(":")[2])]
        self._process.stdin.write(json.dumps(asked).encode() + b"\n")
        self._process.stdin.flush()
        process = int(self._process.stdout.readline())
        assert process, f"the server at {address} did not begin; it says why"
        self._running[address] = process
        return address

    def is_running(self, address: str) -> bool:
        return address in self._running

    def stop(self, address: str) -> None:
        """End a server, and return when its address is free for another."""
        process = self._running.pop(address)
        os.kill(process, signal.SIGKILL)
        until = time.monotonic() + PATIENCE
        while Path(f"/proc/{process}").exists() and time.monotonic() < until:
            time.sleep(0.01)

    def stop_all(self) -> None:
        for address in list(self._running):
            self.stop(address)


@contextmanager
def servers(settings: Settings, file: Path) -> Iterator[Servers]:
    """Where server processes begin; all end with the block. `file` gets the settings."""
    file.write_text(as_toml(settings, "http://127.0.0.1"), encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, "-m", "tests.functional.server_process", str(file)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        begun = Servers(process)
        try:
            yield begun
        finally:
            begun.stop_all()
            assert process.stdin is not None
            process.stdin.close()
            process.wait(PATIENCE)


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - its name above
        """Say nothing: the platform keeps its own log."""


def main() -> None:
    create_app(load(Path(sys.argv[1]))).extensions["postern"].database.dispose()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        file, port = json.loads(line)
        if not os.fork():
            try:
                _serve(Path(file), port)
            except BaseException:
                traceback.print_exc()
                os.write(1, b"0\n")  # who waits for its id must not wait for ever
                raise
            finally:
                os._exit(1)


def _serve(file: Path, port: int) -> None:
    signal.signal(signal.SIGTERM, _end)
    app = create_app(load(file))
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet)
    os.write(1, f"{os.getpid()}\n".encode())
    server.serve_forever()


def _end(_number: int, _frame: FrameType | None) -> None:
    os._exit(0)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


if __name__ == "__main__":
    main()

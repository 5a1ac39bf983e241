"""A process that does work of the worker and stops inside every transaction, to be killed there.

    python -m tests.functional.stepped_process WORK SETTINGS

It reads single bytes: `n` forks a worker, which then reads them itself: `g` begins a transaction,
after whose work it writes a line with the word of what it is about to commit; the next `g` commits.
WORK is one of STEPS. Tests begin it by `stepped`.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from sqlalchemy.orm import Session

from app import create_app
from app.access import CONSOLE
from app.clock import now
from app.config import load
from app.indicators import rotating, service
from app.pseudonyms import rotation as rotations
from postern.vocabulary import EvaluationKind
from tests.functional.serving import ROOT

NOTHING = "nothing"
"""What a worker says that has nothing left to do."""

_ROWS = 2  # of one step


class Stepped:
    """The process, as who kills its workers sees it."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        assert self.line() == "ready"

    def line(self) -> str:
        """What it says next."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().decode().strip()

    def say(self, byte: bytes) -> None:
        """Tell it to go on."""
        assert self._process.stdin is not None
        self._process.stdin.write(byte)
        self._process.stdin.flush()

    def worker(self) -> int:
        """The id of a new worker."""
        self.say(b"n")
        word, pid = self.line().split()
        assert word == "pid"
        return int(pid)

    def kill(self, pid: int) -> None:
        """Kill a worker where it stands."""
        os.kill(pid, signal.SIGKILL)
        assert self.line() == "ended -9"


@contextmanager
def stepped(work: str, settings: Path) -> Iterator[Stepped]:
    """The process until the end of the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.functional.stepped_process", work, str(settings)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as running:
        try:
            yield Stepped(running)
        finally:
            running.kill()


def _rotate(session: Session) -> str:
    running = rotations.all_running(session)
    if not rotations.rotations(session):
        rotations.begin(session, CONSOLE, [EvaluationKind.POSTAL], 0)
        return "begun"
    if not running:
        return NOTHING
    rotating.step(session, running[0], _ROWS)
    return running[0].state.value


def _expire(session: Session) -> str:
    return str(service.expire(session, now().date()) or NOTHING)


STEPS: Mapping[str, Callable[[Session], str]] = {"rotate": _rotate, "expire": _expire}


def main() -> None:
    step = STEPS[sys.argv[1]]
    service.EXPIRY_BATCH = _ROWS
    app = create_app(load(Path(sys.argv[2])))
    app.extensions["postern"].database.dispose()  # no child may inherit a connection
    _tell("ready")
    while os.read(0, 1) == b"n":
        pid = os.fork()
        if not pid:
            try:
                _work(app, step)
            finally:
                os._exit(0)
        _, status = os.waitpid(pid, 0)
        _tell(f"ended {os.waitstatus_to_exitcode(status)}")


def _work(app: Flask, step: Callable[[Session], str]) -> None:
    database = app.extensions["postern"].database
    _tell(f"pid {os.getpid()}")
    with app.app_context():
        while os.read(0, 1) == b"g":
            with database.transaction() as session:
                told = step(session)
                session.flush()
                _tell(told)
                if os.read(0, 1) != b"g":
                    return


def _tell(line: str) -> None:
    os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    main()

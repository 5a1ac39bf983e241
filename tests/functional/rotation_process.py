"""A process that rotates a key and stops inside every transaction, to be killed there.

    python -m tests.functional.rotation_process SETTINGS

It reads single bytes: `n` forks a worker, which then reads them itself: `g` begins a transaction,
after whose work it writes a line with the state that it is about to commit; the next `g` commits.
"""

import os
import sys
from pathlib import Path

from flask import Flask

from app import create_app
from app.access import CONSOLE
from app.config import load
from app.indicators import rotating
from app.pseudonyms import rotation as rotations
from postern.vocabulary import EvaluationKind

_ROWS = 2  # of one step


def main() -> None:
    app = create_app(load(Path(sys.argv[1])))
    app.extensions["postern"].database.dispose()  # no child may inherit a connection
    _tell("ready")
    while os.read(0, 1) == b"n":
        pid = os.fork()
        if not pid:
            try:
                _work(app)
            finally:
                os._exit(0)
        _, status = os.waitpid(pid, 0)
        _tell(f"ended {os.waitstatus_to_exitcode(status)}")


def _work(app: Flask) -> None:
    database = app.extensions["postern"].database
    _tell(f"pid {os.getpid()}")
    with app.app_context():
        while os.read(0, 1) == b"g":
            with database.transaction() as session:
                running = rotations.all_running(session)
                if not rotations.rotations(session):
                    running = rotations.begin(session, CONSOLE, [EvaluationKind.POSTAL], 0)
                    told = "begun"
                elif not running:
                    told = "nothing"
                else:
                    rotating.step(session, running[0], _ROWS)
                    told = running[0].state.value
                session.flush()
                _tell(f"{told} {running[0].after if running else 0}")
                if os.read(0, 1) != b"g":
                    return


def _tell(line: str) -> None:
    os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    main()

"""gunicorn as the units run it, which can be replaced by the version that is installed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from app.restarting import PID_FILE
from bench.taxii_peers import children
from tests.functional.serving import PATIENCE, ROOT

GUNICORN = str(Path(sys.executable).with_name("gunicorn"))
"""The program itself: begun by `python -m gunicorn` it cannot begin itself anew."""


def workers(pid_file: Path) -> set[int]:
    """Process ids of the workers of the master that serves."""
    return set(children(int(pid_file.read_text())))


@contextmanager
def replaceable(
    settings: Path, port: int, folder: Path, environment: Mapping[str, str]
) -> Iterator[Path]:
    """Its file with the process id, on a port of loopback; what it says goes to folder/said.log."""
    pid_file = folder / "web.pid"
    with (folder / "said.log").open("ab") as said:
        process = subprocess.Popen(
            [GUNICORN, "--config", "config/gunicorn.conf.py"],
            cwd=ROOT,
            env={
                **os.environ,
                "POSTERN_CONFIG": str(settings),
                "POSTERN_BIND": f"127.0.0.1:{port}",
                "POSTERN_WORKERS": "1",
                PID_FILE: str(pid_file),
                **environment,
            },
            stdout=said,
            stderr=said,
        )
        try:
            yield pid_file
        finally:
            last = int(pid_file.read_text()) if pid_file.exists() else process.pid
            with suppress(ProcessLookupError):
                os.kill(last, signal.SIGTERM)
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(PATIENCE)

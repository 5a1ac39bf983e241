"""Server processes of the platform, on loopback, which end with the block that started them."""

import dataclasses
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from app.config import Settings

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 30  # seconds that an answer, a start or a stop may take


@contextmanager
def serving(settings: Settings, file: Path, log: Path | None = None) -> Iterator[str]:
    """Address of a server process of its own; `file` gets its settings, `log` what it says."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        (log or Path(os.devnull)).open("ab") as said,
    ):
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        file.write_text(as_toml(settings, address), encoding="utf-8")
        number = listening.fileno()
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "--config", "config/gunicorn.conf.py"),
                *("--bind", f"fd://{number}", "--workers", "1", "--threads", "2"),
            ],
            cwd=ROOT,
            env={**os.environ, "POSTERN_CONFIG": str(file)},
            pass_fds=[number],
            stdout=said,
            stderr=said,
        )
        try:
            # The socket listens already: the first request waits until the process has started.
            ready = requests.get(f"{address}/health/ready", timeout=PATIENCE)
            assert ready.ok
            yield address
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(PATIENCE)


def as_toml(settings: Settings, origin: str) -> str:
    """The settings as the file that a server reads."""
    here = dataclasses.replace(settings.platform, origin=origin)
    sections = dataclasses.asdict(dataclasses.replace(settings, platform=here))
    return "".join(
        f"[{name}]\n" + "".join(f"{key} = {_word(value)}\n" for key, value in section.items())
        for name, section in sections.items()
    )


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else f'"{value}"'

"""The processes of the platform while the demonstration runs; each ends with the block."""

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import IO

import click

from app.demo.members import MEMBERS
from app.demo.premises import Premises

_READY_SECONDS = 90


@contextmanager
def service(port: int) -> Iterator[None]:
    """The web service on `port`, the keeper of the log, and the periodic duties."""
    web = (
        *("-m", "gunicorn", "--config", "config/gunicorn.conf.py"),
        *("--bind", f"127.0.0.1:{port}", "--workers", "2"),
    )
    keeper = ("-m", "flask", "--app", "wsgi", "audit", "run")
    duties = ("-m", "flask", "--app", "wsgi", "jobs", "run", "--pause", "5")
    with ExitStack() as running:
        for command in (web, keeper, duties):
            running.enter_context(_process((sys.executable, *command)))
        _wait(f"http://127.0.0.1:{port}/health/ready")
        yield


@contextmanager
def witnesses(premises: Premises) -> Iterator[None]:
    """The witnesses of all members, each of which cosigns every minute and keeps a log of it."""
    with ExitStack() as running:
        for desk in (f"{member.code}-compliance" for member in MEMBERS):
            said = running.enter_context((premises.of(desk) / "witness.log").open("ab"))
            running.enter_context(_process(premises.command(desk, "witness", "run"), said))
        yield


@contextmanager
def _process(command: Sequence[str], said: IO[bytes] | None = None) -> Iterator[None]:
    """A process whose errors are shown, or which writes all that it says into a file."""
    process = subprocess.Popen(  # noqa: S603
        command, stdout=said or subprocess.DEVNULL, stderr=said
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=_READY_SECONDS)


def _wait(url: str) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own loopback address
                return
        except OSError:
            if time.monotonic() > deadline:
                raise click.ClickException("the service did not become ready") from None
            time.sleep(0.2)

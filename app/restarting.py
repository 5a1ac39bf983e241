"""Replaces a running web process by the version that is installed, without losing a request.

Told USR2, gunicorn begins a second master on the same socket. Its workers see whether they can
serve before they take a connection, and note that beside the file with the process id
(config/gunicorn.conf.py). When all of them have, the old master ends with its last answer, and the
service manager is told of the new one. When they do not, the new master ends and the old one stays.
"""

import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from app.errors import StartRefusedError

PID_FILE = "POSTERN_PID_FILE"
"""Names the file in which gunicorn writes the process id of its master."""

_LEAVING = 330  # seconds, more than graceful_timeout of config/gunicorn.conf.py
_POLL = 0.1  # seconds


def restart(pid_file: Path, within: float, tell: Callable[[str], None]) -> int:
    """Process id of the new master, which serves alone when this returns.

    StartRefusedError when it is not ready after `within` seconds: then the old one serves on.
    """
    old = _process(pid_file)
    if old is None:
        raise StartRefusedError(f"No web process runs that wrote {pid_file}. Start the service.")
    following = successor_file(pid_file)
    if (other := _process(following)) is not None:
        raise StartRefusedError(
            f"Process {other} is replacing {old} already. Wait until {old} has ended."
        )
    with suppress(FileNotFoundError):
        following.unlink()  # of one that was killed
    os.kill(old, signal.SIGUSR2)
    new = _ready(pid_file, old, time.monotonic() + within)
    tell(f"Process {new} is ready. {old} takes no new connection, and ends with its last answer.")
    os.kill(old, signal.SIGTERM)
    until = time.monotonic() + _LEAVING
    while lives(old) and time.monotonic() < until:
        time.sleep(_POLL)
    # Not before: systemd waits for the end only of a process that was its child when it was told.
    _tell_service_manager(f"MAINPID={new}")
    while time.monotonic() < until:
        if _process(pid_file) == new:
            tell(f"Process {new} serves.")
            return new
        if not lives(new):
            raise StartRefusedError(f"Process {new} ended just after it had taken over.")
        time.sleep(_POLL)
    raise StartRefusedError(f"Process {new} serves, but {old} did not end. Look what it does.")


def successor_file(pid_file: Path) -> Path:
    """Where gunicorn writes the process id of a master that has not taken over yet."""
    return pid_file.with_name(f"{pid_file.name}.2")


def note_ready(pid_file: Path, workers: int) -> None:
    """Called by a worker that can serve: note it, and how many its master has."""
    with _noted(pid_file, os.getppid()).open("a") as notes:
        notes.write(f"{os.getpid()} {workers}\n")


def _ready(pid_file: Path, old: int, until: float) -> int:
    """The new master, once all its workers have noted that they can serve."""
    new = None
    why = "did not begin"
    while time.monotonic() < until and lives(old):
        new = new or _process(successor_file(pid_file))
        if new is not None:
            notes = _noted(pid_file, new)
            if _all_ready(notes):
                notes.unlink()
                return new
            why = "was not ready in time"
            if not lives(new):
                why = "could not serve and ended"
                break
        time.sleep(_POLL)
    if new is not None:
        with suppress(ProcessLookupError):
            os.kill(new, signal.SIGTERM)
        _noted(pid_file, new).unlink(missing_ok=True)
    raise StartRefusedError(
        f"The new web process {why}; process {old} serves as before. Why stands in the service's"
        " log. Once that is mended, try again."
    )


def _noted(pid_file: Path, master: int) -> Path:
    return pid_file.with_name(f"{pid_file.name}.ready-{master}")


def _all_ready(notes: Path) -> bool:
    if not notes.exists():
        return False
    told = [line.split() for line in notes.read_text().splitlines()]
    return len({int(pid) for pid, _ in told if lives(int(pid))}) >= int(told[-1][1])


def _process(pid_file: Path) -> int | None:
    """The living process whose id stands in the file."""
    try:
        pid = int(pid_file.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return pid if lives(pid) else None


def lives(pid: int) -> bool:
    """Whether there is such a process, and it has not ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in {"X", "Z"}


def _tell_service_manager(what: str) -> None:
    """As sd_notify(3) does; nothing where no service manager listens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as telling:
        telling.connect("\0" + address[1:] if address.startswith("@") else address)
        telling.sendall(what.encode())

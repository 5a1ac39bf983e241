"""Processes that a runner forks, so that starting one costs milliseconds, and kills by their id."""

import ctypes
import os
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

CRASHED = 70
"""Exit status of a child that raised."""

_PARENT_DEATH = 1  # prctl(2): PR_SET_PDEATHSIG


@dataclass
class Child:
    """A forked process; `status` is how it ended, the negative signal when it was killed."""

    name: str
    pid: int
    status: int | None = field(default=None)

    @classmethod
    def start(cls, name: str, role: Callable[[], None], output: Path) -> "Child":
        """Fork a process that plays `role` and says what it says into `output`."""
        pid = os.fork()
        if pid:
            return cls(name, pid)
        os._exit(_play(role, output))

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        if not self.has_ended():
            os.kill(self.pid, signal.SIGKILL)
            _, status = os.waitpid(self.pid, 0)
            self.status = os.waitstatus_to_exitcode(status)

    def wait(self) -> int:
        """Its exit status, once it ended by itself."""
        if self.status is None:
            _, status = os.waitpid(self.pid, 0)
            self.status = os.waitstatus_to_exitcode(status)
        return self.status

    def has_ended(self) -> bool:
        """Whether it has ended, by itself or not."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status is not None


def _play(role: Callable[[], None], output: Path) -> int:
    ctypes.CDLL(None).prctl(_PARENT_DEATH, signal.SIGKILL)  # no child outlives the runner
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(file, stream)
    try:
        role()
        code = 0
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else CRASHED
    except BaseException:
        traceback.print_exc()
        code = CRASHED
    sys.stdout.flush()
    sys.stderr.flush()
    return code

"""What every server of PostgreSQL needs that a test or a measurement starts."""

import os
import shutil
from pathlib import Path

STOP_WHEN_ORPHANED = (
    "import os, signal, sys; sys.stdin.read(); os.kill(int(sys.argv[1]), signal.SIGQUIT)"
)
"""Its standard input ends when whoever started it does, however that ends: then the server goes."""

_ROOM = 4 * 2**30  # bytes


def quick_directory() -> Path | None:
    """A file system in memory with room for the databases of tests, None where there is none.

    Each test copies a database of some 15 MB; what a crash would lose is of no use to a test.
    """
    memory = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a directory of our own in it
    if not memory.is_dir() or not os.access(memory, os.W_OK):
        return None
    return memory if shutil.disk_usage(memory).free >= _ROOM else None

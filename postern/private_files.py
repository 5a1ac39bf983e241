"""Files that only their owner may read: tokens, settings, pins, journals, rejected rows."""

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

PRIVATE = 0o600
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def write_private(path: Path, text: str) -> None:
    """Put `text` into a file of mode 0600, whole or not at all: a crash leaves the old content.

    Raises OSError.
    """
    write_private_octets(path, text.encode())


def write_private_octets(path: Path, *pieces: bytes) -> None:
    """The same with bytes, of which the pieces are written one after the other. Raises OSError."""
    with being_written(path) as file:
        file.writelines(pieces)


@contextmanager
def being_written(path: Path) -> Iterator[IO[bytes]]:
    """A file for what comes piece by piece: it is at `path` when the block ends, whole.

    What raises in the block leaves what was there before, and no draft. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make names in a directory durable, where the system has a call for it."""
    if os.name != "posix":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def others_may_read(path: Path) -> bool:
    """Whether the mode lets anyone but the owner in; never on systems without such modes."""
    return os.name == "posix" and bool(path.stat().st_mode & _OTHERS)


def lock(file: IO[bytes]) -> bool:
    """Whether the file is this process's alone now; the lock ends with it, however it ends."""
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415 - exists on that system only

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415 - exists on these systems only

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True

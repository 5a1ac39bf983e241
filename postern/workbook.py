"""The first sheet of a workbook (.xlsx, .xlsm, .xls, .ods) as CSV, read in a process of its own.

A workbook of some kilobytes can stand for hundreds of gigabytes: what is packed unpacks to more,
and a cell in the last row and column makes a reader fill everything before it. So a zip is judged
by its list of contents, and what reads it may take no more memory, time and room than is set here.
How that process ended is told: unreadable, out of memory, time or room, ended by somebody, crashed.
"""

import csv
import errno
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any
from zipfile import BadZipFile, ZipFile

from postern.manifest_errors import ManifestError, ScreeningMissingError
from postern.private_files import PRIVATE

_MOST_PARTS = 2_000  # files in the zip
_LARGEST = 4 * 2**30  # bytes unpacked
_MOST_TIMES = 200  # as large unpacked as packed, of what unpacks to more than _SMALL
_SMALL = 64 * 2**20  # bytes
_UNREADABLE = 3  # status of a reader that could not read; its output is the kind of the error
_NO_MEMORY, _NO_ROOM, _TABLE_TOO_LARGE = 4, 5, 6
_NOT_ALLOCATED = b"memory allocation of"  # what Rust says before it aborts for want of memory
_ABORTED, _OUT_OF_TIME, _KILLED = (  # as statuses; of the last two Windows knows none
    -getattr(signal, name, 1_000 + place)
    for place, name in enumerate(("SIGABRT", "SIGXCPU", "SIGKILL"))
)
_PATIENCE = 60  # seconds
_GRACE = (
    5  # seconds of processor time between the signal that can be caught and the one that cannot
)


@dataclass(frozen=True, slots=True)
class WorkbookBounds:
    """What reading one workbook may take."""

    memory: int = 4 * 2**30  # bytes
    seconds: int = 600  # of processor time; by the clock, three times as long and _PATIENCE
    table: int = 4 * 2**30  # bytes of the table that is written


_BOUNDS = WorkbookBounds()


def workbook_as_csv(path: Path, target: Path, bounds: WorkbookBounds = _BOUNDS) -> None:
    """Write the first sheet of `path` to the new file `target`, one line a row.

    Raises ManifestError when it cannot be read or would take too much, ScreeningMissingError,
    OSError. What was written of such a one is gone.
    """
    if find_spec("python_calamine") is None:
        raise ScreeningMissingError("python-calamine")
    _judge(path)
    target.unlink(missing_ok=True)
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE))
    patience = bounds.seconds * 3 + _PATIENCE
    limits = [str(each) for each in (bounds.memory, bounds.seconds, bounds.table)]
    try:
        ran = subprocess.run(  # noqa: S603 - this very module
            # Not from the present folder, in which something else may have that name.
            [sys.executable, "-P", "-m", "postern.workbook", str(path), str(target), *limits],
            stdin=subprocess.DEVNULL,
            capture_output=True,  # stderr is never told: cells could be in it
            timeout=patience,
            check=False,
        )
    except subprocess.TimeoutExpired:
        target.unlink(missing_ok=True)
        raise _too_much(path, f"was not read within {patience} seconds") from None
    if ran.returncode:
        target.unlink(missing_ok=True)
        raise _ended(path, target, bounds, ran)


def _ended(
    path: Path, target: Path, bounds: WorkbookBounds, ran: "subprocess.CompletedProcess[bytes]"
) -> ManifestError:
    """Why the reader came to no end, in words."""
    status = ran.returncode
    if status == _UNREADABLE:
        return ManifestError(
            f"{path} cannot be read as a workbook: {ran.stdout.decode().strip()}. Save it anew, or "
            "as CSV."
        )
    if status == _NO_ROOM:
        return ManifestError(
            f"There is no room left in {target.parent} for the table of {path}. Free some there, "
            "or work in another folder."
        )
    took = {
        _NO_MEMORY: f"could not be read with {_size(bounds.memory)} of memory",
        _TABLE_TOO_LARGE: f"makes a table of more than {_size(bounds.table)}",
        _OUT_OF_TIME: f"was not read within {bounds.seconds} seconds of processor time",
    }
    if status == _ABORTED and _NOT_ALLOCATED in ran.stderr:
        status = _NO_MEMORY
    return _too_much(path, took[status]) if status in took else _broken(path, status)


def _broken(path: Path, status: int) -> ManifestError:
    if status == _KILLED:
        return ManifestError(
            f"What read {path} was ended from outside, which a system does when its memory runs "
            "out. Try again when the machine is less busy, or save the workbook as CSV."
        )
    how = signal.Signals(-status).name if status < 0 else f"status {status}"
    return ManifestError(
        f"What reads workbooks broke down over {path} ({how}), so it was not read. It may be "
        "damaged, or made to do harm. Ask its sender for CSV."
    )


def _size(number: int) -> str:
    for unit, name in ((2**30, "GB"), (2**20, "MB")):
        if number >= unit:
            return f"{number // unit} {name}"
    return f"{number} bytes"


def _judge(path: Path) -> None:
    """Refuse a zip that says itself that it holds too much; others are left to the reader."""
    with suppress(BadZipFile, NotImplementedError, ValueError), ZipFile(path) as archive:
        parts = archive.infolist()
        packed = sum(each.compress_size for each in parts)
        unpacked = sum(each.file_size for each in parts)
        if len(parts) > _MOST_PARTS:
            raise _too_much(path, f"holds more than {_MOST_PARTS} files")
        if unpacked > _LARGEST:
            raise _too_much(path, f"unpacks to more than {_LARGEST // 2**30} GB")
        if unpacked > _SMALL and unpacked > packed * _MOST_TIMES:
            raise _too_much(path, f"unpacks to more than {_MOST_TIMES} times its size")


def _too_much(path: Path, why: str) -> ManifestError:
    return ManifestError(
        f"{path} {why}, so it was not read. Copy the rows that are needed into a new workbook, or "
        "save it as CSV."
    )


def _read(path: str, target: str, *limits: str) -> int:
    """What the process of its own does; its status."""
    memory, seconds, table = map(int, limits)
    with suppress(ImportError):  # a system without such limits
        resource = import_module("resource")
        _limit(resource, resource.RLIMIT_AS, memory)
        _limit(resource, resource.RLIMIT_CPU, seconds, seconds + _GRACE)
        _limit(resource, resource.RLIMIT_FSIZE, table)
        _limit(resource, resource.RLIMIT_CORE, 0)  # clear text would stand in it
    try:
        library = import_module("python_calamine")
        return _written(library, path, target)
    except MemoryError:
        return _NO_MEMORY


def _limit(resource: ModuleType, kind: int, soft: int, hard: int | None = None) -> None:
    """Set a limit, or leave the one from outside that is lower."""
    most = resource.getrlimit(kind)[1]
    wanted = (soft, soft if hard is None else hard)
    if most != resource.RLIM_INFINITY:
        wanted = (min(wanted[0], most), min(wanted[1], most))
    resource.setrlimit(kind, wanted)


def _written(library: Any, path: str, target: str) -> int:
    try:
        rows = library.CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    except (library.CalamineError, OSError) as error:
        sys.stdout.write(type(error).__name__)
        return _UNREADABLE
    try:
        with Path(target).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(
                [" ".join(_cell(cell).split()) for cell in row] for row in rows
            )
    except OSError as error:
        return _TABLE_TOO_LARGE if error.errno == errno.EFBIG else _NO_ROOM
    return 0


def _cell(cell: object) -> str:
    """A cell as text: a whole number has no decimals."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


if __name__ == "__main__":
    sys.exit(_read(*sys.argv[1:]))

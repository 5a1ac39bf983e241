"""The first sheet of a workbook (.xlsx, .xlsm, .xls, .ods) as CSV, read in a process of its own.

A workbook of some kilobytes can stand for hundreds of gigabytes: what is packed unpacks to more,
and a cell in the last row and column makes a reader fill everything before it. So a zip is judged
by its list of contents, and what reads it may take no more memory, time and room than is set here.
"""

import csv
import os
import subprocess
import sys
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from postern.manifest_errors import ManifestError, ScreeningMissingError
from postern.private_files import PRIVATE

_MOST_PARTS = 2_000  # files in the zip
_LARGEST = 4 * 2**30  # bytes unpacked, and of the table
_MOST_TIMES = 200  # as large unpacked as packed, of what unpacks to more than _SMALL
_SMALL = 64 * 2**20  # bytes
_MEMORY = 4 * 2**30  # bytes that the reader may take
_SECONDS = 600  # of processor time
_UNREADABLE = 3  # status of a reader that could not read; its output is the kind of the error


def workbook_as_csv(path: Path, target: Path) -> None:
    """Write the first sheet of `path` to the new file `target`, one line a row.

    Raises ManifestError when it cannot be read or would take too much, ScreeningMissingError,
    OSError.
    """
    if find_spec("python_calamine") is None:
        raise ScreeningMissingError("python-calamine")
    _judge(path)
    target.unlink(missing_ok=True)
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE))
    ran = subprocess.run(  # noqa: S603 - this very module
        # Not from the present folder, in which something else may have that name.
        [sys.executable, "-P", "-m", "postern.workbook", str(path), str(target)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # of an error there, cells could be told
        check=False,
    )
    if ran.returncode == _UNREADABLE:
        raise ManifestError(
            f"{path} cannot be read as a workbook: {ran.stdout.decode().strip()}. Save it anew, or "
            "as CSV."
        )
    if ran.returncode:
        target.unlink(missing_ok=True)
        raise _too_much(path, f"could not be read with {_MEMORY // 2**30} GB of memory and disk")


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


def _read(path: str, target: str) -> int:
    """What the process of its own does; its status."""
    with suppress(ImportError):  # a system without such limits
        resource = import_module("resource")
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
        resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST, _LARGEST))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # clear text would stand in it
    library = import_module("python_calamine")
    try:
        rows = library.CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    except (library.CalamineError, OSError) as error:
        sys.stdout.write(type(error).__name__)
        return _UNREADABLE
    with Path(target).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(
            [" ".join(_cell(cell).split()) for cell in row] for row in rows
        )
    return 0


def _cell(cell: object) -> str:
    """A cell as text: a whole number has no decimals."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


if __name__ == "__main__":
    sys.exit(_read(*sys.argv[1:3]))

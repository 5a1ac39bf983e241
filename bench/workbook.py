"""What it costs to read a workbook in a process of its own, beside reading it in this one.

`python -m bench.workbook [ROWS ...]`: milliseconds of processor time per workbook of ten columns,
the best of five, and the most memory that a process of its own had. The clock would tell of what
else the machine does.
"""

import csv
import json
import os
import resource
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import xlsxwriter
from python_calamine import CalamineWorkbook

from bench.machine import machine
from postern.workbook import workbook_as_csv

_COLUMNS = 10
_TIMES = 5
_ROWS = (1, 1_000, 20_000)


def main() -> None:
    """Print a line of JSON for each size."""
    for rows in [int(each) for each in sys.argv[1:]] or _ROWS:
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder, "made.xlsx"), Path(folder, "out.csv")
            _make(source, rows)
            own = _best(partial(workbook_as_csv, source, target))
            here = _best(partial(_here, source, target))
            told = {"rows": rows, "cpu_ms_own_process": own, "cpu_ms_here": here}
            print(json.dumps({**told, "mib_own_process": _largest_child()}))
    print(json.dumps(machine()))


def _make(path: Path, rows: int) -> None:
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for row in range(rows):
            for column in range(_COLUMNS):
                sheet.write_string(row, column, f"value {row} {column}")


def _here(source: Path, target: Path) -> None:
    rows = CalamineWorkbook.from_path(str(source)).get_sheet_by_index(0).to_python()
    with target.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([" ".join(str(each).split()) for each in row] for row in rows)


def _best(call: Callable[[], None]) -> float:
    took = []
    for _ in range(_TIMES):
        begun = _processor_time()
        call()
        took.append(_processor_time() - begun)
    return round(min(took) * 1_000, 1)


def _processor_time() -> float:
    """Seconds of this process and of those that it began and that have ended."""
    return sum(
        told.ru_utime + told.ru_stime
        for told in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def _largest_child() -> int:
    """MiB of the largest process so far that this one began; sizes grow from line to line."""
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return largest // (2**20 if sys.platform == "darwin" else 2**10)


if __name__ == "__main__":
    os.umask(0o077)
    main()

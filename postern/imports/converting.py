"""A file of another system written with Postern's own columns, for those who submit on the page.

It holds clear values, as the file from which it comes does: it has mode 0600.
"""

import csv
import os
from pathlib import Path

from postern.client_errors import ClientError
from postern.csv_file import CsvFile, read_rows
from postern.imports.mapped_columns import MappedColumns
from postern.private_files import PRIVATE
from postern.terms import FaultError

_MARK = "\ufeff"  # by which spreadsheets recognise UTF-8


class FileExistsAlreadyError(ClientError):
    """The file that was to be written is there."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} exists already. Give another name, or remove it.")


def write_converted(path: Path, file: CsvFile, columns: MappedColumns) -> int:
    """Write the rows of a file that the mapping can read into a new one; returns how many.

    Rows that it cannot read are left out. Raises FileExistsAlreadyError, OSError.
    """
    names = sorted(columns.fields)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    except FileExistsError:
        raise FileExistsAlreadyError(path) from None
    count = 0
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as written:
        written.write(_MARK)
        writer = csv.writer(written, lineterminator="\r\n")
        writer.writerow(names)
        for row in read_rows(file):
            if row.fault:
                continue
            try:
                found = columns.read(row.cells)
            except FaultError:
                continue
            writer.writerow([found.get(name, "") for name in names])
            count += 1
    return count

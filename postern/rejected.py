"""The file of rejected rows: the original columns, then the line, the field, why and what to do.

It holds clear values, so it has mode 0600. Corrected, it can be submitted like any other file: its
four own columns are known and left out.
"""

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path

from postern.csv_file import CsvFile, CsvRow
from postern.private_files import PRIVATE
from postern.terms import Fault

OWN_COLUMNS = ("postern_line", "postern_field", "postern_reason", "postern_remedy")

_MARK = "\ufeff"  # by which spreadsheets recognise UTF-8


class RejectedRows:
    """Appends rejected rows to a file, which is made when the first one comes.

    `size` is the length of what is durable. A run that goes on gives the length that its journal
    recorded, and what was written beyond it is cut off: those rows are done again.
    """

    def __init__(self, path: Path, file: CsvFile, *, size: int = 0) -> None:
        self.path = path
        self.size = size
        self._delimiter = file.delimiter
        own = set(OWN_COLUMNS)
        self._kept = [place for place, name in enumerate(file.header) if name.strip() not in own]
        self._header = [file.header[place] for place in self._kept]
        self._width = len(file.header)

    def write(self, rows: Sequence[tuple[CsvRow, Sequence[Fault]]]) -> int:
        """Add rows and make them durable; the new length. Raises OSError."""
        if not rows:
            return self.size
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, PRIVATE)
        with os.fdopen(descriptor, "rb+") as file:
            # Shorter than this run left it: somebody took the rows away, so it is begun again.
            kept = min(self.size, file.seek(0, os.SEEK_END))
            file.truncate(kept)
            file.seek(kept)
            file.write(self._text(rows, with_header=not kept).encode())
            file.flush()
            os.fsync(file.fileno())
            self.size = file.tell()
        return self.size

    def _text(self, rows: Sequence[tuple[CsvRow, Sequence[Fault]]], *, with_header: bool) -> str:
        text = io.StringIO()
        writer = csv.writer(text, delimiter=self._delimiter, lineterminator="\r\n")
        if with_header:
            text.write(_MARK)
            writer.writerow([*self._header, *OWN_COLUMNS])
        for row, faults in rows:
            writer.writerow([*self._originals(row), row.line, *_told(faults)])
        return text.getvalue()

    def _originals(self, row: CsvRow) -> list[str]:
        cells = list(row.cells)
        if len(cells) <= self._width:
            cells += [""] * (self._width - len(cells))
            return [cells[place] for place in self._kept]
        kept = [cells[place] for place in self._kept]
        # Too many cells: the last one keeps the rest, so that nothing is lost.
        kept[-1] = self._delimiter.join([kept[-1], *cells[self._width :]])
        return kept


def _told(faults: Sequence[Fault]) -> list[str]:
    return [
        " / ".join(each.field for each in faults),
        " / ".join(each.reason for each in faults),
        " / ".join(each.remedy for each in faults),
    ]

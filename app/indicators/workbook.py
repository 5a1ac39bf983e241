"""A workbook (XLSX, ECMA-376) that is written as it leaves, of any length in the same memory.

XlsxWriter makes the frame of a book with its heading alone; the rows are put into the sheet of it
one by one, as text in the cell itself, and the archive is written without going back. A cell is a
text or a number, never a formula.
"""

import re
import zipfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from io import BytesIO
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

MOST_ROWS = 500_000
"""Of one book, which stay within the two gigabytes of a sheet that every reader takes."""

_SHEET = "xl/worksheets/sheet1.xml"
_DIMENSION = re.compile(rb"<dimension [^>]*/>")  # of the heading alone: readers would stop there
_END_OF_ROWS = b"</sheetData>"
_FIRST_ROW = 2  # below the heading
_WIDTH = 18  # characters
_SPECIAL = re.compile("[&<>\x00-\x08\x0b-\x1f\ufffe\uffff\ud800-\udfff]|_(?=x[0-9A-Fa-f]{4}_)")
_REMEMBERED = 4096  # cells: most are one of few words
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


class Workbook:
    """One sheet under a heading; what its methods return are the bytes of the file, in order."""

    def __init__(self, name: str, heading: Sequence[str], at: datetime) -> None:
        self._sink = _Sink()
        # A sink that cannot go back makes zipfile write each size behind what it is about.
        self._archive = _Archive(self._sink, "w", zipfile.ZIP_DEFLATED)
        self._at = at.astimezone(UTC)
        self._next = _FIRST_ROW
        self._columns = [xl_col_to_name(place) for place in range(len(heading))]
        frame = zipfile.ZipFile(BytesIO(_frame(name, heading, self._at)))
        for each in frame.namelist():
            if each != _SHEET:
                self._archive.writestr(self._entry(each), frame.read(each))
        before, _, self._after = _DIMENSION.sub(b"", frame.read(_SHEET)).partition(_END_OF_ROWS)
        self._sheet = self._archive.open(self._entry(_SHEET), "w")
        self._sheet.write(before)

    def rows(self, rows: Iterable[Iterable[str | int]]) -> bytes:
        """The bytes after these rows, whose cells stand in the order of the heading."""
        written = [self._row(number, cells) for number, cells in enumerate(rows, start=self._next)]
        self._next += len(written)
        self._sheet.write("".join(written).encode())
        return self._sink.taken()

    def end(self) -> bytes:
        """The rest of the file."""
        self._sheet.write(_END_OF_ROWS + self._after)
        self._sheet.close()
        self._archive.close()
        return self._sink.taken()

    def _row(self, number: int, cells: Iterable[str | int]) -> str:
        told = [
            f'<c r="{column}{number}"{_content(cell)}</c>'
            for column, cell in zip(self._columns, cells, strict=True)
            if cell != ""
        ]
        return f'<row r="{number}">{"".join(told)}</row>'

    def _entry(self, name: str) -> zipfile.ZipInfo:
        entry = zipfile.ZipInfo(name, self._at.timetuple()[:6])
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.external_attr = 0o600 << 16
        return entry


class _Archive(zipfile.ZipFile):
    """An archive that is left as it is where nobody wanted the rest of it."""

    def __del__(self) -> None:
        """Nothing: the sheet may be open still."""


class _Sink:
    """Where the archive is written to, and its bytes are taken from; it cannot go back."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, octets: bytes) -> int:
        self._written.append(bytes(octets))
        return len(octets)

    def flush(self) -> None:
        """Nothing is kept back."""

    def close(self) -> None:
        """Nothing is open."""

    def taken(self) -> bytes:
        """All that was written since it was last taken."""
        octets = b"".join(self._written)
        self._written.clear()
        return octets


def _frame(name: str, heading: Sequence[str], at: datetime) -> bytes:
    """A book whose one sheet holds the heading, which stays in sight."""
    written = BytesIO()
    options: dict[str, Any] = {"constant_memory": True}  # texts stand in their cells
    with xlsxwriter.Workbook(written, options) as book:
        book.set_properties({"created": at.replace(tzinfo=None)})
        sheet = book.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(heading) - 1, _WIDTH)
        sheet.write_row(0, 0, heading, book.add_format({"bold": True}))
    return written.getvalue()


@lru_cache(_REMEMBERED)
def _content(cell: str | int) -> str:
    if isinstance(cell, int):
        return f"><v>{cell}</v>"
    text = _SPECIAL.sub(_escaped, cell)
    space = ' xml:space="preserve"' if text != text.strip() else ""
    return f' t="inlineStr"><is><t{space}>{text}</t></is>'


def _escaped(found: re.Match[str]) -> str:
    """As ECMA-376 writes what XML cannot hold (ST_Xstring)."""
    character = found[0]
    return _ENTITIES.get(character) or f"_x{ord(character):04X}_"

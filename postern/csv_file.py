"""Reading a CSV file as it comes: its encoding and delimiter found out, its rows streamed.

The whole file is read once before anything is sent: to know its SHA-256, to count its rows, and to
find a quotation mark that is never closed, which would swallow every row after it.
"""

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from postern.client_errors import ClientError

DELIMITERS = ",;\t|"

_PIECE = 2**20  # bytes
_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_LONGEST_CELL = 20_000  # characters; whatever is longer is a quotation mark that was not closed


class CsvError(ClientError):
    """The file cannot be read as CSV at all; the message names the line and the remedy."""


@dataclass(frozen=True, slots=True)
class CsvFile:
    """What was found out about a file. `rows` counts records after the header, blank ones not."""

    path: Path
    sha256: str
    encoding: str
    is_guessed: bool  # the encoding is windows-1252 because the file is not UTF-8
    delimiter: str
    header: tuple[str, ...]
    rows: int


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One record: its number from 1, the line it begins on, its cells.

    `fault` says why the record cannot be used; then `cells` hold what could be read of it.
    """

    number: int
    line: int
    cells: tuple[str, ...]
    fault: str | None


def examine(path: Path) -> CsvFile:
    """What a file is, after reading it once. Raises CsvError."""
    try:
        sha256, encoding, is_guessed = _bytes_of(path)
        delimiter = _delimiter(path, encoding)
        with path.open(encoding=encoding, errors="strict", newline="") as file:
            records = _records(file, delimiter)
            header = next(records, None)
            if header is None or not any(cell.strip() for cell in header.cells):
                raise CsvError(
                    f"{path} is empty. Put the headings of the columns on its first line."
                )
            if header.fault:
                raise CsvError(f"The headings of {path} cannot be read: {header.fault}")
            rows = sum(1 for _ in records)
    except UnicodeDecodeError as error:
        raise CsvError(
            f"{path} is neither UTF-8 nor windows-1252. Save it as CSV in UTF-8."
        ) from error
    except OSError as error:
        raise CsvError(
            f"{path} cannot be read: {error.strerror}. Correct its name or its permissions."
        ) from error
    return CsvFile(path, sha256, encoding, is_guessed, delimiter, header.cells, rows)


def read_rows(file: CsvFile, *, after: int = 0) -> Iterator[CsvRow]:
    """The records of a file that was examined, from the one after number `after`."""
    with file.path.open(encoding=file.encoding, newline="") as lines:
        records = _records(lines, file.delimiter)
        next(records, None)
        width = len(file.header)
        for record in records:
            if record.number <= after:
                continue
            if record.fault is None and len(record.cells) != width:
                fault = (
                    f"It has {len(record.cells)} cells and the header has {width}: a delimiter or "
                    "a quotation mark is missing or one too many."
                )
                yield CsvRow(record.number, record.line, record.cells, fault)
            else:
                yield record


def _bytes_of(path: Path) -> tuple[str, str, bool]:
    """SHA-256, encoding, and whether the encoding is only a guess."""
    digest = hashlib.sha256()
    is_utf8, pending = True, b""
    with path.open("rb") as file:
        start = file.read(len(_UTF8_MARK))
        file.seek(0)
        while piece := file.read(_PIECE):
            digest.update(piece)
            if is_utf8:
                is_utf8, pending = _continues_utf8(pending + piece)
    if start[:2] in _UTF16_MARKS:
        return digest.hexdigest(), "utf-16", False
    if is_utf8 and not pending:
        return digest.hexdigest(), "utf-8-sig" if start == _UTF8_MARK else "utf-8", False
    return digest.hexdigest(), "windows-1252", True


def _continues_utf8(content: bytes) -> tuple[bool, bytes]:
    """Whether `content` is UTF-8 so far, and the bytes of a character that it cuts in two."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        is_cut = error.reason == "unexpected end of data" and error.end == len(content)
        return is_cut, content[error.start :] if is_cut else b""
    return True, b""


def _delimiter(path: Path, encoding: str) -> str:
    """The delimiter that stands most often outside quotation marks in the header."""
    with path.open(encoding=encoding, newline="") as file:
        header = file.readline(_LONGEST_CELL)
    outside = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=outside.count)


def _records(lines: Iterator[str], delimiter: str) -> Iterator[CsvRow]:
    """All records that are not blank; the header has number 0."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    number = -1
    while True:
        line = reader.line_num + 1
        fault = None
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "unexpected end of data" in str(error) or "larger than field limit" in str(error):
                raise _unclosed(line) from None
            cells, fault = [], "A quotation mark stands where none may stand."
        if any(len(cell) > _LONGEST_CELL for cell in cells):
            raise _unclosed(line)
        if fault or any(cell.strip() for cell in cells):
            number += 1
            yield CsvRow(number, line, tuple(cells), fault)


def _unclosed(line: int) -> CsvError:
    return CsvError(
        f"A quotation mark that is opened on line {line} is not closed. Close it, or double it if "
        "it belongs to the text; nothing was sent."
    )

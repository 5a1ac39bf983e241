"""Telling what was found of the rows of a file that was submitted: an outcome for each report.

What was told is remembered beside the file, so that a run that is cut off goes on: row numbers and
nothing else, mode 0600. A row whose answer was lost is told twice; the later outcome replaces the
earlier, so nothing is counted twice.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol, Self

from postern.client_errors import ClientError, RequestRefusedError
from postern.csv_file import CsvFile, read_rows
from postern.imports.finds import Find
from postern.imports.mapped_columns import MappedColumns
from postern.journal import JournalError, submitted_reports
from postern.private_files import PRIVATE, lock
from postern.terms import FaultError
from postern.vocabulary import OutcomeResult, Step

_VERSION = 1
_NOT_THERE = 404


class NotSubmittedError(ClientError):
    """There is no journal of a run over the file, or it is of another file."""


@dataclass(slots=True)
class Told:
    """Rows by what became of them. `silent`: no report, or nothing is said of what was found."""

    told: int = 0
    before: int = 0
    silent: int = 0
    gone: int = 0  # the report is not there any more
    without_quantity: int = 0  # of those told as found


def reports_of(file: CsvFile, journal: Path) -> Mapping[int, str]:
    """Row number -> id of its report. Raises NotSubmittedError, JournalError."""
    found = submitted_reports(journal)
    if found is None:
        raise NotSubmittedError(
            f"{file.path} was not submitted from here: there is no {journal}. Submit it first."
        )
    header, reports = found
    if header.file_sha256 != file.sha256:
        raise NotSubmittedError(
            f"{file.path} was changed since it was submitted. Restore it: outcomes are told of the "
            "rows that went in."
        )
    return reports


def tell_finds(
    file: CsvFile,
    columns: MappedColumns,
    reports: Mapping[int, str],
    memory: "Remembers",
    tell: Callable[[str, dict[str, Any]], None],
) -> Told:
    """Tell of every row with a report what came of it; `tell` is given the report and the fields.

    Raises whatever `tell` raises, but for a report that is not there any more.
    """
    told = Told()
    for row in read_rows(file):
        if row.number in memory.rows:
            told.before += 1
            continue
        report = reports.get(row.number)
        find = None if report is None else _find(columns, row.cells)
        if report is None or find is None:
            told.silent += 1
            continue
        try:
            tell(report, outcome_of(find))
        except RequestRefusedError as error:
            if error.status != _NOT_THERE:
                raise
            told.gone += 1
        else:
            told.told += 1
            is_found = find.result is OutcomeResult.FOUND
            told.without_quantity += is_found and find.quantity is None
        memory.add(row.number)
    return told


def outcome_of(find: Find) -> dict[str, Any]:
    """The fields of an outcome: what was seized or searched was located, held and examined."""
    fields: dict[str, Any] = {
        "asked": Step.UNKNOWN.value,
        "located": Step.YES.value,
        "held": Step.YES.value if find.result is OutcomeResult.FOUND else Step.UNKNOWN.value,
        "examined": Step.YES.value,
        "result": find.result.value,
    }
    if find.substance is not None:
        fields["substance"] = find.substance.value
    if find.quantity is not None and find.unit is not None:
        fields |= {"quantity": f"{find.quantity:f}", "unit": find.unit.value}
    return fields


class Remembers(Protocol):
    """What knows which rows were told."""

    rows: set[int]

    def add(self, row: int) -> None:
        """Remember a row."""


class Rehearsed:
    """Remembers nothing: for a run that tells nothing."""

    def __init__(self, rows: set[int]) -> None:
        self.rows = rows

    def add(self, row: int) -> None:
        """Leave the row as it is."""


class Memory:
    """The rows that were told, in a file that one process has open."""

    def __init__(self, path: Path, sha256: str) -> None:
        """Open it, or begin it. Raises JournalError, OSError."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE)
        self._file = os.fdopen(descriptor, "rb+")
        try:
            _require_lock(self._file, path)
            self.rows = set(self._read(path, sha256))
        except BaseException:
            self._file.close()
            raise

    def add(self, row: int) -> None:
        """Remember a row."""
        self._append(row)
        self.rows.add(row)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _read(self, path: Path, sha256: str) -> Iterator[int]:
        lines = self._file.read().splitlines(keepends=True)
        whole = [line for line in lines if line.endswith(b"\n")]
        self._file.seek(sum(map(len, whole)))
        self._file.truncate()
        if not whole:
            self._append({"outcomes": _VERSION, "file_sha256": sha256})
            return
        try:
            if json.loads(whole[0]) != {"outcomes": _VERSION, "file_sha256": sha256}:
                raise JournalError(
                    f"{path} remembers outcomes of another file. Move it away to begin anew."
                )
            yield from (int(json.loads(line)) for line in whole[1:])
        except (ValueError, TypeError):
            raise JournalError(
                f"{path} is damaged. Move it away: then every outcome is told again, and replaces "
                "the earlier one."
            ) from None

    def _append(self, content: object) -> None:
        self._file.write(json.dumps(content, separators=(",", ":")).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def _require_lock(file: IO[bytes], path: Path) -> None:
    if not lock(file):
        raise JournalError(
            f"Another process tells these outcomes: {path} is locked. Let it finish."
        )


def _find(columns: MappedColumns, cells: tuple[str, ...]) -> Find | None:
    try:
        return columns.find(cells)
    except FaultError:
        return None

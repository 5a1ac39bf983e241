"""What was sent of objects that others wrote: which report each became, so that none goes twice.

JSON Lines beside the settings, mode 0600, made durable after each run; names of objects and of
reports, never a value.
"""

import json
import os
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from postern.private_files import PRIVATE
from postern.taxii.errors import TaxiiError


class PushedFileError(TaxiiError):
    """The record of what was sent is damaged."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A row that went in: the objects that it was made of, and its report.

    One object may make several rows; `name` tells them apart.
    """

    name: str
    ids: tuple[str, ...]
    report: str


class Pushed:
    """What went in, by the names of rows. `withdrawn` are the reports that were withdrawn since."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: dict[str, Sent] = {}
        self.withdrawn: set[str] = set()
        if path.exists():
            self._read()

    def add(self, rows: Iterable[Sent]) -> None:
        """Record rows that became reports. Raises OSError."""
        fresh = {each.name: each for each in rows if each.name not in self.rows}
        self._append(
            {"row": each.name, "ids": each.ids, "report": each.report} for each in fresh.values()
        )
        self.rows |= fresh

    def reports_of(self, identifiers: Set[str]) -> list[str]:
        """The reports, not withdrawn yet, of rows of which any object is among these."""
        found = {each.report for each in self.rows.values() if not identifiers.isdisjoint(each.ids)}
        return sorted(found - self.withdrawn)

    def add_withdrawal(self, report: str) -> None:
        """Record that a report was withdrawn. Raises OSError."""
        self._append([{"withdrawn": report}])
        self.withdrawn.add(report)

    def _append(self, entries: Iterable[Mapping[str, Any]]) -> None:
        lines = [json.dumps(each, separators=(",", ":")).encode() + b"\n" for each in entries]
        if not lines:
            return
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, PRIVATE)
        with os.fdopen(descriptor, "rb+") as file:
            size = file.seek(0, os.SEEK_END)
            if size:
                file.seek(size - 1)
                if file.read(1) != b"\n":
                    file.write(b"\n")  # a line that was cut off stays one that cannot be read
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())

    def _read(self) -> None:
        for line in self.path.read_bytes().splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # cut off while it was written: its run goes on from the journal
            if isinstance(entry, dict) and "withdrawn" in entry:
                self.withdrawn.add(str(entry["withdrawn"]))
            elif isinstance(entry, dict) and isinstance(entry.get("ids"), list):
                name = str(entry.get("row"))
                self.rows[name] = Sent(name, tuple(entry["ids"]), str(entry.get("report")))
            else:
                raise PushedFileError(
                    f"The record {self.path} is damaged. Restore it from a backup; without it, "
                    "what was sent before is sent again as new reports."
                )

"""The log as files: one's own entries, oldest first, as JSON lines and as a table.

JSON lines carry everything that verification needs, byte for byte; the table is for reading and for
spreadsheets, and carries codes in the same columns in every language.
"""

import csv
import io
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from app.audit.reading import ReadEntry
from postern.base64url import to_base64url

MOST_EXPORTED = 5000
"""Entries in one file; the next begins where it ends."""

COLUMNS = (
    "place",
    "time",
    "operation",
    "act",
    "outcome",
    "organisation",
    "person",
    "means",
    "purpose",
    "basis",
    "case",
    "object_type",
    "objects",
    "count",
    "refusal",
    "other_details",
    "readable_for",
    "record_id",
    "intact",
)

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - their wide forms
_SHOWN_APART = frozenset({"actor", "means", "case", "objects", "refusal", "none"})


def json_lines(entries: Iterable[ReadEntry]) -> bytes:
    """One entry a line, as the interface gives it; the record as its stored bytes."""
    return b"".join(written(entry) + b"\n" for entry in entries)


def written(entry: ReadEntry) -> bytes:
    """An entry as JSON. Its record is not re-serialised: other bytes could not be hashed."""
    beside = {
        "details": dict(entry.details),
        "disclosures": entry.disclosures,
        "leaf": to_base64url(entry.leaf),
        "place": entry.place,
        "intact": entry.is_intact,
    }
    return b'{"record":' + entry.record + b"," + json.dumps(beside).encode()[1:]


def table(entries: Iterable[ReadEntry]) -> bytes:
    """The entries as CSV (RFC 4180, UTF-8 with a mark for spreadsheets), one a row.

    No cell begins what a spreadsheet would compute: such text gets an apostrophe before it.
    """
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    writer.writerows([harmless(cell) for cell in _cells(entry)] for entry in entries)
    return file.getvalue().encode("utf-8-sig")


def harmless(cell: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) or cell.startswith(" ") else cell


def _cells(entry: ReadEntry) -> list[str]:
    record, details = entry.fields, entry.details
    others = {name: value for name, value in details.items() if name not in _SHOWN_APART}
    return [
        "" if entry.place is None else str(entry.place),
        datetime.fromtimestamp(record["t"] / 1000, UTC).isoformat(timespec="milliseconds"),
        entry.operation.value,
        record["act"],
        record["out"],
        record["org"],
        str(details.get("actor", "")),
        str(details.get("means", "")),
        record["purpose"],
        record["basis"],
        str(details.get("case", "")),
        record["obj"],
        " ".join(map(str, details.get("objects", ()))),
        str(record["n"]),
        str(details.get("refusal", "")),
        _compact(others) if others else "",
        " ".join(record["aud"]),
        record["id"],
        "yes" if entry.is_intact else "no",
    ]


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

"""Shared indicators as a file: CSV and XLSX for people, NDJSON for programs.

A file is written as it leaves: each method of a `Writing` returns the bytes that come next.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from app.indicators.reading import SHIPMENT_FIELDS
from app.indicators.shared_rows import SharedIndicator
from app.indicators.shared_schemas import Form
from app.indicators.workbook import Workbook

CONTENT_TYPES = {
    Form.CSV: "text/csv; charset=utf-8",
    Form.NDJSON: "application/x-ndjson",
    Form.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\t", "\r", "\n")
_OF_OWNER = ("code", "name", "sector", "country")
_OF_INDICATOR = (
    "id",
    "kind",
    "role",
    "subject_category",
    "assertion",
    "source_grade",
    "information_grade",
    "learned",
    "legal_basis",
    "tlp",
    "handling",
    "permitted_action",
    "observed_from",
    "observed_to",
    "review_on",
    "expires_on",
    "quality",
)
_OF_PLACE = ("operator", "code", "country")

COLUMNS = (
    *(f"organisation_{name}" for name in _OF_OWNER),
    "level",
    *_OF_INDICATOR,
    *(f"place_{name}" for name in _OF_PLACE),
    "report",
    "barrier_step",
    *SHIPMENT_FIELDS,
)
"""The header of the CSV file, docs/shared.md lists the same."""


class Writing(Protocol):
    """A file under way; `rows` may be called as often as there is more, `end` once."""

    def rows(self, indicators: Sequence[SharedIndicator]) -> bytes:
        """The bytes of these indicators, with what stands before the first ones."""

    def end(self) -> bytes:
        """The rest of the file."""


def writing(form: Form, at: datetime) -> Writing:
    """A new file of this form, made at the moment `at`."""
    match form:
        case Form.CSV:
            return _Csv()
        case Form.NDJSON:
            return _Lines()
        case Form.XLSX:
            return _Book(at)


def written(indicators: Sequence[SharedIndicator], form: Form, at: datetime) -> bytes:
    """A whole file of these."""
    file = writing(form, at)
    return file.rows(indicators) + file.end()


class _Lines:
    """One object a line, in UTF-8."""

    def rows(self, indicators: Sequence[SharedIndicator]) -> bytes:
        return b"".join(json.dumps(told).encode() + b"\n" for told in _told(indicators))

    def end(self) -> bytes:
        return b""


class _Csv:
    """A header, then one line an indicator, in UTF-8."""

    def __init__(self) -> None:
        self._text = io.StringIO()
        self._lines = csv.writer(self._text, lineterminator="\r\n")
        self._lines.writerow(COLUMNS)

    def rows(self, indicators: Sequence[SharedIndicator]) -> bytes:
        self._lines.writerows(
            [safe_cell(value) for value in _cells(told)] for told in _told(indicators)
        )
        return self.end()

    def end(self) -> bytes:
        text = self._text.getvalue()
        self._text.seek(0)
        self._text.truncate()
        return text.encode()


class _Book:
    """A sheet with the columns of the CSV file; numbers are numbers."""

    def __init__(self, at: datetime) -> None:
        self._book = Workbook("indicators", COLUMNS, at)

    def rows(self, indicators: Sequence[SharedIndicator]) -> bytes:
        return self._book.rows(
            (value if isinstance(value, int) else safe_cell(value) for value in _cells(told))
            for told in _told(indicators)
        )

    def end(self) -> bytes:
        return self._book.end()


def _told(indicators: Sequence[SharedIndicator]) -> Iterator[Mapping[str, Any]]:
    """As the list tells them (SharedIndicatorSchema), of which a file has too many for a schema."""
    for shared in indicators:
        owner, found, report = shared.organisation, shared.indicator, shared.report
        place = found["place"]
        yield {
            "organisation": {name: getattr(owner, name) for name in _OF_OWNER},
            "level": shared.level,
            "indicator": {
                **{name: _plain(found[name]) for name in _OF_INDICATOR},
                "place": place and {name: place.get(name) for name in _OF_PLACE},
            },
            "report": {
                "id": str(report.id),
                "barrier_step": report.barrier_step,
                "shipment": report.shipment,
            },
        }


def _plain(value: Any) -> Any:
    """A word is one already; an id or a day becomes one."""
    if isinstance(value, UUID):
        return str(value)
    return value.isoformat() if isinstance(value, date) else value


def safe_cell(value: Any) -> str:
    """A value as the text of a cell, which no spreadsheet takes for a formula.

    Spreadsheets run what begins with = + - or @, of full width too: a quotation mark before it
    makes it a text. The same goes for what a spreadsheet skips at the beginning.
    """
    if value is None:
        return ""
    text = " ".join(value) if isinstance(value, list) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _cells(told: Mapping[str, Any]) -> Iterator[Any]:
    """In the order of COLUMNS."""
    indicator, report = told["indicator"], told["report"]
    place = indicator["place"] or dict.fromkeys(_OF_PLACE)
    yield from (told["organisation"][name] for name in _OF_OWNER)
    yield told["level"]
    yield from (indicator[name] for name in _OF_INDICATOR)
    yield from (place[name] for name in _OF_PLACE)
    yield report["id"]
    yield report["barrier_step"]
    yield from (report["shipment"][name] for name in SHIPMENT_FIELDS)

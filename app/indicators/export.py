"""A page of shared indicators as a file: CSV for people, NDJSON for programs."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.indicators.reading import SHIPMENT_FIELDS
from app.indicators.shared_rows import SharedIndicator
from app.indicators.shared_schemas import Form, SharedIndicatorSchema

CONTENT_TYPES = {Form.CSV: "text/csv; charset=utf-8", Form.NDJSON: "application/x-ndjson"}

_SHARED = SharedIndicatorSchema()
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


def written(indicators: Sequence[SharedIndicator], form: Form) -> bytes:
    """The whole file, in UTF-8."""
    told = [_SHARED.dump(each) for each in indicators]
    if form is Form.NDJSON:
        return b"".join(json.dumps(each).encode() + b"\n" for each in told)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([safe_cell(value) for value in _cells(each)] for each in told)
    return text.getvalue().encode()


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

"""The shipped mappings as the pages' worker reads them: one JSON file, written from the YAML.

`python -m postern.imports.shipped_tables` writes it; a test holds it to what the YAML says. Words
and headings stand in it as they are compared, so that JavaScript folds nothing but the file.
"""

import json
from pathlib import Path
from typing import Any

from postern.columns import heading_key
from postern.imports.model import (
    DAY_EXAMPLES,
    GRAMS,
    USUAL_DAYS,
    MappedColumn,
    compared_countries,
    compared_words,
)
from postern.imports.reading import SHIPPED, find_mapping

FILE = Path(__file__).with_name("shipped.json")
_ABOUT = (
    "Written by `python -m postern.imports.shipped_tables` from the YAML files beside it: change "
    "those. Headings and words are folded."
)


def shipped_tables() -> dict[str, Any]:
    """The mappings, and the words that they share."""
    return {
        "version": "1",
        "about": _ABOUT,
        "grams": GRAMS,
        "day_examples": DAY_EXAMPLES,
        "words": compared_words(),
        "countries": compared_countries(),
        "mappings": {name: _mapping(name) for name in SHIPPED},
    }


def written() -> str:
    """The text of the file."""
    tables = shipped_tables()
    mappings = tables.pop("mappings")
    parts = [f" {json.dumps(key)}: {_compact(found)}" for key, found in tables.items()]
    for name, columns in mappings.items():
        rows = ",\n".join(f"   {_compact(each)}" for each in columns)
        mappings[name] = f"  {json.dumps(name)}: [\n{rows}\n  ]"
    parts.append(' "mappings": {\n' + ",\n".join(mappings.values()) + "\n }")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _mapping(name: str) -> list[dict[str, Any]]:
    """Its columns. Its constants are left out: on a page a person says what holds for every row."""
    return [_column(each) for each in find_mapping(name).columns]


def _column(column: MappedColumn) -> dict[str, Any]:
    found: dict[str, Any] = {
        "field": column.field,
        "item": column.item,
        "headings": list(dict.fromkeys(" ".join(heading_key(each)) for each in column.headings)),
        "part": column.part,
        "unit": column.unit,
        "days": list(column.days) if column.days != USUAL_DAYS else [],
        "words": dict(column.words),
        "ignoring": sorted(column.ignoring),
    }
    return {key: said for key, said in found.items() if said}


def _compact(found: Any) -> str:
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")

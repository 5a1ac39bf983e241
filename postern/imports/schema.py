"""The JSON Schema of an import mapping, for editors that complete and warn; the reader decides."""

from typing import Any

from postern.imports.model import (
    CONSTANTS,
    FORMAT,
    GRAMS,
    MAPPED_FIELDS,
    DayForm,
    Verified,
)
from postern.imports.reading import (
    COLUMN_KEYS,
    CURRENCY,
    LONGEST_HEADING,
    LONGEST_ITEM,
    LONGEST_TEXT,
    LONGEST_TITLE,
    MAPPING_KEYS,
    MOST_COLUMNS,
    MOST_HEADINGS,
    MOST_PARTS,
    MOST_WORDS,
    READ,
    SOURCE_KEY,
    SOURCE_KEYS,
    URL,
)

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_NEEDED_OF_COLUMN = ("field", "headings", "item", "verified")


def mapping_schema() -> dict[str, Any]:
    """The schema of a document of `import-mapping/1`.

    That a word is one of its field's list, and no heading stands twice, only the reader can tell.
    YAML editors read yes and 6 as other types than text: where that can be, they are allowed.
    """
    source = {
        "title": _text(LONGEST_TEXT),
        "url": {**_text(LONGEST_TEXT), "pattern": f"^{URL}$"},
        "read": {"enum": list(READ)},
    }
    column = {
        "field": {"enum": list(MAPPED_FIELDS)},
        "headings": _few(_text(LONGEST_HEADING), MOST_HEADINGS),
        "item": _text(LONGEST_ITEM),
        "verified": {"enum": list(Verified)},
        "source": {"type": "string", "pattern": f"^{SOURCE_KEY}$"},
        "part": {"type": "integer", "minimum": 1, "maximum": MOST_PARTS},
        "unit": {"anyOf": [{"enum": list(GRAMS)}, {"type": "string", "pattern": f"^{CURRENCY}$"}]},
        "days": _few({"enum": list(DayForm)}, len(DayForm)),
        "words": {
            "type": "object",
            "additionalProperties": _few(_scalar(LONGEST_TITLE), MOST_WORDS),
        },
        "ignoring": _few(_text(LONGEST_TITLE), MOST_WORDS),
        "why": _text(LONGEST_TEXT),
    }
    return {
        "$schema": _DRAFT,
        "title": "An import mapping",
        "type": "object",
        "additionalProperties": False,
        "required": ["format", "title", "statement", "columns"],
        "properties": _in_order(
            MAPPING_KEYS,
            {
                "format": {"const": FORMAT},
                "title": _text(LONGEST_TITLE),
                "statement": _text(LONGEST_TEXT),
                "sources": {
                    "type": "object",
                    "propertyNames": {"pattern": f"^{SOURCE_KEY}$"},
                    "additionalProperties": _map(SOURCE_KEYS, SOURCE_KEYS, source),
                },
                "constants": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {name: _scalar(LONGEST_TITLE) for name in CONSTANTS},
                },
                "columns": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": MOST_COLUMNS,
                    "items": _map(COLUMN_KEYS, _NEEDED_OF_COLUMN, column),
                },
            },
        ),
    }


def _map(
    keys: tuple[str, ...], needed: tuple[str, ...], properties: dict[str, Any]
) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(needed),
        "properties": _in_order(keys, properties),
    }


def _in_order(keys: tuple[str, ...], properties: dict[str, Any]) -> dict[str, Any]:
    return {key: properties[key] for key in keys}


def _text(most: int) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": most}


def _scalar(most: int) -> dict[str, Any]:
    return {"anyOf": [_text(most), {"type": ["boolean", "integer"]}]}


def _few(item: dict[str, Any], most: int) -> dict[str, Any]:
    return {
        "anyOf": [item, {"type": "array", "minItems": 1, "maxItems": most, "items": item}],
    }

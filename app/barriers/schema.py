"""The JSON Schema of a model, for editors that complete and warn: made from what is read.

`python -m app.barriers.schema` writes it beside the model; the reader decides.
"""

import json
from pathlib import Path
from typing import Any

from app.barriers.documents import (
    DAY,
    LAST_VERSION,
    LONGEST_URL,
    MODEL_KEYS,
    MOST_PARTNERS,
    MOST_SOURCES,
    PARTNER_KEYS,
    SOURCE_KEYS,
    URL,
)
from app.barriers.facts import FACT_FIELDS, FactField
from app.barriers.model import (
    FORMAT,
    MOST_STEPS,
    BarrierType,
    Basis,
    Cost,
    CostBasis,
    Finding,
    Reading,
    Status,
    Strength,
)
from app.barriers.parts import KEY, LONGEST_KEY, LONGEST_TEXT, LONGEST_TITLE
from app.barriers.step_reading import (
    BARRIER_KEYS,
    CELL_KEYS,
    EVIDENCE_KEYS,
    LEGAL_KEYS,
    MOST_CELLS,
    NOT_KNOWN,
    SIGNAL_KEYS,
    STEP_KEYS,
)
from app.barriers.suggestion_reading import (
    CONDITION,
    EXISTS,
    LONGEST_CONDITION,
    MOST_FIELDS,
    MOST_SELECTIONS,
    MOST_VALUES,
    NAME,
)
from app.sharing.policy_text import DIRECTORY
from postern.patterns.words import LANGUAGES
from postern.vocabulary import Sector

FOLDER = DIRECTORY / "barriers"
FILE = FOLDER / "barrier-model-1.schema.json"
_DRAFT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]


def model_schema() -> Schema:
    """The schema of a document of `barrier-model/1`.

    That every key is another, and that sources and partners exist, only the reader can tell.
    """
    return {
        "$schema": _DRAFT,
        "title": "A barrier model",
        **_map(
            MODEL_KEYS,
            {
                "format": {"const": FORMAT},
                "id": {"type": "string", "format": "uuid"},
                "version": {"type": "integer", "minimum": 1, "maximum": LAST_VERSION},
                "languages": _words(LANGUAGES, least=1),
                "title": _wording(LONGEST_TITLE),
                "status": {"enum": list(Status)},
                "statement": _wording(LONGEST_TEXT),
                "sources": _keyed(_source(), MOST_SOURCES),
                "partners": _keyed(_partner(), MOST_PARTNERS),
                "steps": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": MOST_STEPS,
                    "items": _step(),
                },
            },
        ),
        "$defs": {field.name: _value(field) for field in FACT_FIELDS.values()},
    }


def written_schema() -> str:
    """The schema as it stands in its file."""
    return f"{json.dumps(model_schema(), indent=1)}\n"


def write(path: Path = FILE) -> None:
    """Write the schema into its file."""
    path.write_text(written_schema(), encoding="utf-8")


def _source() -> Schema:
    properties = {
        "title": _text(LONGEST_TITLE),
        "publisher": _text(LONGEST_TITLE),
        # A year alone is a number to editors.
        "date": {"type": ["string", "integer"], "pattern": f"^({DAY}|{NOT_KNOWN})$"},
        "url": {"type": "string", "maxLength": LONGEST_URL, "pattern": f"^{URL}$"},
        "read": {"enum": list(Reading)},
    }
    return _map(SOURCE_KEYS, properties, optional=("url",))


def _partner() -> Schema:
    properties = {
        "title": _wording(LONGEST_TITLE),
        "sectors": _words(tuple(Sector)),
    }
    return _map(PARTNER_KEYS, properties, optional=("sectors",))


def _step() -> Schema:
    columns = {
        "opportunities": _cell(),
        "signals": _signal(),
        "facilitators": _cell(),
        "partners": _cell(),
        "barriers": _barrier(),
    }
    properties = {
        "number": {"type": "integer", "minimum": 1, "maximum": MOST_STEPS},
        "key": _key(),
        "title": _wording(LONGEST_TITLE),
        "summary": _wording(LONGEST_TEXT),
        "basis": {"enum": list(Basis)},
        "sources": _keys(),
    } | {
        name: {"type": "array", "maxItems": MOST_CELLS, "items": cell}
        for name, cell in columns.items()
    }
    return _map(STEP_KEYS, properties, optional=("sources", *columns))


def _cell() -> Schema:
    return _map(CELL_KEYS, _of_cells(), optional=("sources",))


def _signal() -> Schema:
    properties = _of_cells() | {"suggest": _suggest()}
    return _map(SIGNAL_KEYS, properties, optional=("sources", "suggest"))


def _barrier() -> Schema:
    legal = {"text": _wording(LONGEST_TEXT), "sources": _keys()}
    evidence = {
        "strength": {"enum": list(Strength)},
        "finding": {"enum": list(Finding)},
        "text": _wording(LONGEST_TEXT),
        "sources": _keys(),
    }
    properties = _of_cells() | {
        "type": {"enum": list(BarrierType)},
        "set_by": _keys(),
        "cost": {"enum": list(Cost)},
        "cost_basis": {"enum": list(CostBasis)},
        "legal_basis": {"anyOf": [{"const": NOT_KNOWN}, _map(LEGAL_KEYS, legal)]},
        "evidence": _map(EVIDENCE_KEYS, evidence, optional=EVIDENCE_KEYS[1:]),
    }
    return _map(BARRIER_KEYS, properties, optional=("sources", "cost_basis"))


def _of_cells() -> Schema:
    return {
        "key": _key(),
        "text": _wording(LONGEST_TEXT),
        "basis": {"enum": list(Basis)},
        "sources": _keys(),
    }


def _suggest() -> Schema:
    fields: Schema = {}
    for field in FACT_FIELDS.values():
        value = {"$ref": f"#/$defs/{field.name}"}
        fields[field.name] = {
            "anyOf": [
                value,
                {"type": "array", "minItems": 1, "maxItems": MOST_VALUES, "items": value},
            ]
        }
        fields[f"{field.name}|{EXISTS}"] = {"enum": ["yes", "no", True, False]}
    return {
        "type": "object",
        "required": [CONDITION],
        "maxProperties": MOST_SELECTIONS + 1,
        "properties": {CONDITION: _text(LONGEST_CONDITION)},
        "patternProperties": {
            f"^(?!{CONDITION}$){NAME}$": {
                "type": "object",
                "minProperties": 1,
                "maxProperties": MOST_FIELDS,
                "additionalProperties": False,
                "properties": fields,
            }
        },
        "additionalProperties": False,
    }


def _value(field: FactField) -> Schema:
    """The words of a field, and what editors make of those written without quotation marks."""
    numbers = sorted(int(word) for word in field.words if word.isdigit())
    norway = [False] if "NO" in field.words else []
    return {"enum": [*sorted(field.words), *norway, *numbers]}


def _map(keys: tuple[str, ...], properties: Schema, optional: tuple[str, ...] = ()) -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [key for key in keys if key not in optional],
        "properties": {key: properties[key] for key in keys},
    }


def _keyed(value: Schema, most: int) -> Schema:
    return {
        "type": "object",
        "maxProperties": most,
        "propertyNames": _key(),
        "additionalProperties": value,
    }


def _wording(most: int) -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "minProperties": 1,
        "properties": {language: _text(most) for language in LANGUAGES},
    }


def _text(most: int) -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": most}


def _key() -> Schema:
    return {"type": "string", "maxLength": LONGEST_KEY, "pattern": f"^{KEY}$"}


def _keys() -> Schema:
    return {"type": "array", "uniqueItems": True, "items": _key()}


def _words(words: tuple[str, ...], least: int = 0) -> Schema:
    return {
        "type": "array",
        "minItems": least,
        "uniqueItems": True,
        "items": {"enum": list(words)},
    }


if __name__ == "__main__":
    write()

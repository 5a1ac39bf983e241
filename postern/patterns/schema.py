"""The JSON Schema of a rule and of a filter, for editors: made from the field dictionary."""

from collections.abc import Mapping
from typing import Any

from postern.patterns.detection import COUNTRIES, MOST_DAYS, MOST_VALUES
from postern.patterns.fields import FIELDS, Field, FieldType, Measure, Modifier
from postern.patterns.model import FILTER_FORMAT, PATTERN_FORMAT, Level, Status
from postern.patterns.reading import FILTER_KEYS, LAST_STEP, LONGEST_TEXT, LONGEST_TITLE, RULE_KEYS
from postern.vocabulary import Tlp

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_OPTIONAL = frozenset({"aggregate"})
_COMPARISONS = (Modifier.GT, Modifier.GTE, Modifier.LT, Modifier.LTE)


def rule_schema() -> dict[str, Any]:
    """The schema of a document of `parcel-pattern/1`; it completes and warns, the reader decides.

    YAML editors read NO and 010121 as other types than text: where that can be, both are allowed.
    """
    return {
        "$schema": _DRAFT,
        "title": "A shipping pattern",
        "type": "object",
        "additionalProperties": False,
        "required": [key for key in RULE_KEYS if key not in _OPTIONAL],
        "properties": {
            "format": {"const": PATTERN_FORMAT},
            "id": {"type": "string", "format": "uuid"},
            "title": _text(LONGEST_TITLE),
            "status": {"enum": list(Status)},
            "author": _text(80),
            "description": _text(LONGEST_TEXT),
            "references": _texts(),
            "barrier_step": {"type": "integer", "minimum": 1, "maximum": LAST_STEP},
            "level": {"enum": list(Level)},
            "false_positives": _texts(),
            "tlp": {"enum": list(Tlp)},
            "expires": {"type": "string", "format": "date"},
            "detection": _detection(may_name_accounts=False),
            "aggregate": _aggregate(),
            "tests": _tests(),
        },
    }


def filter_schema() -> dict[str, Any]:
    """The schema of a document of `parcel-filter/1`."""
    return {
        "$schema": _DRAFT,
        "title": "A filter that keeps parcels out of the hits",
        "type": "object",
        "additionalProperties": False,
        "required": list(FILTER_KEYS),
        "properties": {
            "format": {"const": FILTER_FORMAT},
            "id": {"type": "string", "format": "uuid"},
            "title": _text(LONGEST_TITLE),
            "description": _text(LONGEST_TEXT),
            "rules": {
                "anyOf": [
                    {"const": "any"},
                    {"type": "array", "minItems": 1, "items": {"type": "string", "format": "uuid"}},
                ]
            },
            "detection": _detection(may_name_accounts=True),
        },
    }


def _text(most: int) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": most}


def _texts() -> dict[str, Any]:
    one = _text(LONGEST_TEXT)
    return {"anyOf": [one, {"type": "array", "minItems": 1, "maxItems": 20, "items": one}]}


def _detection(*, may_name_accounts: bool) -> dict[str, Any]:
    selection = {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "properties": {
            key: schema
            for field in FIELDS.values()
            for key, schema in _asked(field, may_name_accounts).items()
        },
    }
    return {
        "type": "object",
        "required": ["condition"],
        "properties": {"condition": _text(500)},
        "additionalProperties": selection,
    }


def _asked(field: Field, may_name_accounts: bool) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for modifier in sorted(field.modifiers):
        is_account = field.type is FieldType.ACCOUNT and modifier is Modifier.EQUALS
        if is_account and not may_name_accounts:
            continue
        key = field.name if modifier is Modifier.EQUALS else f"{field.name}|{modifier}"
        found[key] = _operand(field, modifier)
    return found


def _operand(field: Field, modifier: Modifier) -> dict[str, Any]:
    if modifier is Modifier.EXISTS or field.type is FieldType.FLAG:
        return {"enum": ["yes", "no", True, False]}
    one = _value(field)
    if modifier is Modifier.BETWEEN:
        return {"type": "array", "minItems": 2, "maxItems": 2, "items": one}
    if modifier in _COMPARISONS:
        return one
    return {"anyOf": [one, {"type": "array", "minItems": 1, "maxItems": MOST_VALUES, "items": one}]}


def _value(field: Field) -> dict[str, Any]:
    if field.type is FieldType.NUMBER:
        limits = {
            name: int(limit)
            for name, limit in (("minimum", field.least), ("maximum", field.most))
            if limit is not None
        }
        return {"type": "number"} | limits
    if field.type is FieldType.WORD:
        return {"enum": list(field.words)}
    if field.type is FieldType.COUNTRY:
        return {"enum": [*sorted(COUNTRIES), False]}  # False is what YAML makes of Norway
    return {"type": ["string", "number"]}


def _aggregate() -> dict[str, Any]:
    groups = [field.name for field in FIELDS.values() if field.is_groupable]
    having: dict[str, Any] = {f"count|{each}": {"type": "integer"} for each in _COMPARISONS}
    for field in FIELDS.values():
        for measure in sorted(field.measures):
            kind = "integer" if measure is Measure.DISTINCT else "number"
            having |= {f"{field.name}|{measure}|{each}": {"type": kind} for each in _COMPARISONS}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["by", "within", "having"],
        "properties": {
            "by": {"type": "array", "minItems": 1, "maxItems": 6, "items": {"enum": groups}},
            "within": {"type": "string", "pattern": f"^([1-9]|[12][0-9]|3[0-{MOST_DAYS - 30}])d$"},
            "having": {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": False,
                "properties": having,
            },
        },
    }


def _tests() -> dict[str, Any]:
    parcel = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "times": {"type": "integer", "minimum": 1, "maximum": 100},
            "posted_on": {"type": "string", "format": "date"},
        }
        | {field.name: {} for field in FIELDS.values()},
    }
    examples = {
        "type": "array",
        "minItems": 1,
        "items": {"anyOf": [parcel, {"type": "array", "minItems": 1, "items": parcel}]},
    }
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["hit", "miss"],
        "properties": {"hit": examples, "miss": examples},
    }

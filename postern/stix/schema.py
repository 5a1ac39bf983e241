"""The JSON schemas of our extensions of STIX, made of the closed lists that the code reads by.

Each definition of an extension carries its schema as text, so that it says the same everywhere;
a platform also publishes it under `/stix/<name>.json`.
"""

import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache
from typing import Any

from postern.facet_kinds import NAME_FACETS, NUMBERS, POSTAL_FACETS
from postern.normalise import Flag
from postern.stix.names import EXTENSIONS
from postern.stix.tokens import EXCHANGE_TOKEN, REFERENCE, SCHEME, facet_name
from postern.vocabulary import (
    EVALUATION_KIND,
    INDICATOR_KINDS,
    Assertion,
    Concealment,
    DeclaredCategory,
    Handling,
    InformationGrade,
    Kind,
    Learned,
    LegalBasis,
    Level,
    PartyRole,
    PermittedAction,
    Purpose,
    Service,
    SourceGrade,
    SubjectCategory,
    Substance,
    ValueBand,
    WeightBand,
)

DESCRIPTIONS: Mapping[str, str] = {
    "postal-indicator": (
        "On an indicator: what was seen of a shipment by post or courier, such as a party or an "
        "address, as pseudonyms; how it was learned, how good it is, and how far it may be used."
    ),
    "induction-point": (
        "On an indicator or a location: a counter, box or locker of a postal or courier operator."
    ),
    "consignment": "On an indicator: the shipment that it belongs to, coarsely.",
    "shipping-pattern": (
        "On an indicator or an attack pattern: a rule by which parcels are found, in the form "
        "parcel-pattern/1, with what its STIX pattern cannot say."
    ),
    "handling": (
        "On a marking definition: handling codes H0 to H3, the action that is permitted, the "
        "purposes it was shared for, and whether it may be passed on."
    ),
}
"""What each extension is for, and on which objects it stands."""

SHIPMENT_WORDS: Mapping[str, type[StrEnum]] = {
    "service": Service,
    "weight_band": WeightBand,
    "value_band": ValueBand,
    "declared_category": DeclaredCategory,
    "concealment": Concealment,
    "substance": Substance,
}

SHIPMENT_PATTERNS: Mapping[str, str] = {
    "origin_country": "[A-Z]{2}",
    "destination_country": "[A-Z]{2}",
    "hs_chapter": "[0-9]{2}",
}

INDICATOR_WORDS: Mapping[str, type[StrEnum]] = {
    "role": PartyRole,
    "level": Level,
    "subject_category": SubjectCategory,
    "assertion": Assertion,
    "source_grade": SourceGrade,
    "information_grade": InformationGrade,
    "learned": Learned,
    "legal_basis": LegalBasis,
    "permitted_action": PermittedAction,
}

DAYS = ("observed_from", "observed_to", "review_on", "expires_on")
MOST_TOKENS = 20  # of one indicator

ELEMENT_PATTERN = "[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]"
PLACE_PATTERN = "[A-Za-z0-9][A-Za-z0-9 ._/-]{0,39}"
_DAY_PATTERN = "[0-9]{4}-[0-9]{2}-[0-9]{2}"


def schema_names() -> tuple[str, ...]:
    """The names of the schemas, as in `/stix/<name>.json`."""
    return tuple(_SCHEMAS)


@cache
def schema_text(name: str) -> str:
    """A schema as JSON on one line. Raises KeyError."""
    return json.dumps(schema(name), separators=(",", ":"))


def schema(name: str) -> dict[str, Any]:
    """A schema of JSON Schema 2020-12. Raises KeyError."""
    made = _SCHEMAS[name]()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": EXTENSIONS[name],
        "title": name,
        "description": DESCRIPTIONS[name],
        "type": "object",
        "properties": {"extension_type": {"const": "property-extension"}, **made["properties"]},
        "required": ["extension_type", *made["required"]],
        **{key: made[key] for key in made if key not in {"properties", "required"}},
        "additionalProperties": False,
    }


def facets_of(kind: Kind) -> tuple[int, ...]:
    """The facet numbers that a kind has, as the platform checks them."""
    if kind is Kind.PARTY:
        return tuple(POSTAL_FACETS)
    if kind is Kind.ADDRESS:
        return tuple(number for number in POSTAL_FACETS if number not in NAME_FACETS)
    return tuple(NUMBERS[name] for name in _FACETS[kind])


_FACETS: Mapping[Kind, tuple[str, ...]] = {
    Kind.VENDOR: ("VENDOR*MARKET", "VENDOR", "VENDOR*STRIPPED", "VENDOR*SOUND"),
    Kind.PGP: ("PGP",),
    Kind.PHONE: ("PHONE",),
    Kind.EMAIL: ("EMAIL",),
    Kind.PAYMENT: ("PAYMENT",),
    Kind.ITEM: ("ITEM", "ITEM*BATCH"),
    Kind.INDUCTION_POINT: ("POINT",),
}


def _postal_indicator() -> dict[str, Any]:
    properties: dict[str, Any] = {
        "kind": _words(INDICATOR_KINDS),
        "reference": _text(
            REFERENCE.pattern, "Names it to its owner, for this reading organisation alone."
        ),
        "scheme": {"const": SCHEME},
        "epoch": {"type": "integer", "minimum": 1, "maximum": 32767},
        "tokens": {
            "description": "Facet -> tokens under the key of the reading organisation.",
            **_by_facet(_text(EXCHANGE_TOKEN.pattern)),
        },
        "elements": {
            "description": "Facet -> evaluated elements, from who submits; they are never served.",
            **_by_facet(_text(ELEMENT_PATTERN)),
        },
        **{name: _words(words) for name, words in INDICATOR_WORDS.items()},
        "handling": _list(_words(Handling)),
        "quality": _list(_words(Flag)),
        **{name: _text(_DAY_PATTERN) for name in DAYS},
    }
    return {
        "properties": properties,
        "required": ["kind", "role", "learned", "legal_basis"],
        "not": {"required": ["tokens", "elements"]},
        "allOf": [_of_kind(kind) for kind in INDICATOR_KINDS],
    }


def _of_kind(kind: Kind) -> dict[str, Any]:
    """What stands where: a party token has facets of a name, an address token has none of them."""
    facets = {"propertyNames": {"enum": [facet_name(number) for number in facets_of(kind)]}}
    then: dict[str, Any] = {"properties": {"tokens": facets, "elements": facets}}
    if kind in EVALUATION_KIND:
        then["required"] = ["epoch"]
    else:
        then["properties"] = {"tokens": False, "elements": False, "epoch": False}
    return {
        "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
        "then": {"title": f"{kind} token" if kind in EVALUATION_KIND else kind, **then},
    }


def _induction_point() -> dict[str, Any]:
    return {
        "properties": {
            "operator": _text(PLACE_PATTERN, "The operator's name or code."),
            "code": _text(PLACE_PATTERN, "The operator's own code of the point."),
            "country": _text("[A-Z]{2}", "ISO 3166-1 alpha-2."),
        },
        "required": ["operator", "code", "country"],
    }


def _consignment() -> dict[str, Any]:
    return {
        "properties": {
            "report": {"type": "string", "format": "uuid"},
            "barrier_step": {"type": "integer", "minimum": 1, "maximum": 7},
            **{name: _text(pattern) for name, pattern in SHIPMENT_PATTERNS.items()},
            **{name: _words(words) for name, words in SHIPMENT_WORDS.items()},
        },
        "required": [],
    }


def _shipping_pattern() -> dict[str, Any]:
    return {
        "properties": {
            "format": {"const": "parcel-pattern/1"},
            "rule": {"type": "string", "format": "uuid", "description": "The id of the rule."},
            "text": {"type": "string", "maxLength": 100_000, "description": "The rule, in YAML."},
            "sha256": _text("[0-9a-f]{64}", "Of the text."),
            "severity": {"enum": ["low", "medium", "high", "critical"]},
            "losses": _list({"type": "string", "description": "What the STIX pattern lacks."}),
        },
        "required": ["format", "rule", "sha256"],
    }


def _handling() -> dict[str, Any]:
    return {
        "properties": {
            "handling": _list(_words(Handling)),
            "permitted_action": _words(PermittedAction),
            "purposes": _list(_words(Purpose)),
            "onward": {"type": "boolean", "description": "Whether it may be passed on."},
        },
        "required": ["permitted_action"],
    }


_SCHEMAS = {
    "postal-indicator": _postal_indicator,
    "induction-point": _induction_point,
    "consignment": _consignment,
    "shipping-pattern": _shipping_pattern,
    "handling": _handling,
}


def _words(words: Iterable[str]) -> dict[str, Any]:
    return {"enum": [str(word) for word in words]}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": 1, "uniqueItems": True}


def _by_facet(items: dict[str, Any]) -> dict[str, Any]:
    listed = {**_list(items), "maxItems": MOST_TOKENS}
    return {"type": "object", "minProperties": 1, "additionalProperties": listed}


def _text(pattern: str, description: str = "") -> dict[str, Any]:
    described = {"description": description} if description else {}
    return {"type": "string", "pattern": f"^(?:{pattern})$", **described}

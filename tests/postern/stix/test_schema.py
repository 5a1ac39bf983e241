"""The schemas that are published say what the platform takes."""

import json
from typing import Any

import jsonschema
import pytest

from app.indicators.kinds import FACETS_OF
from app.indicators.schemas import (
    ELEMENT_LENGTH,
    LARGEST_EPOCH,
    MOST_FACETS,
    IndicatorSchema,
    ShipmentSchema,
)
from postern.stix.names import EXTENSIONS
from postern.stix.schema import (
    DAYS,
    INDICATOR_WORDS,
    MOST_TOKENS,
    SHIPMENT_PATTERNS,
    SHIPMENT_WORDS,
    facets_of,
    schema,
    schema_names,
    schema_text,
)
from postern.vocabulary import INDICATOR_KINDS, Kind
from tests.postern.stix.made import ELEMENT

BASE: dict[str, Any] = {
    "extension_type": "property-extension",
    "kind": "address",
    "role": "sender",
    "epoch": 3,
    "learned": "xray",
    "legal_basis": "postal_law",
}


def is_valid(name: str, content: dict[str, Any]) -> bool:
    return bool(jsonschema.Draft202012Validator(schema(name)).is_valid(content))


@pytest.mark.parametrize("name", schema_names())
def test_each_is_a_schema_on_one_line_and_belongs_to_a_definition(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(name))
    assert "\n" not in schema_text(name)
    assert json.loads(schema_text(name)) == schema(name)
    assert schema(name)["$comment"] == EXTENSIONS[name]


def test_an_unknown_schema_is_none() -> None:
    with pytest.raises(KeyError):
        schema_text("../postal-indicator")


@pytest.mark.parametrize("kind", INDICATOR_KINDS)
def test_facets_are_those_that_the_platform_takes(kind: Kind) -> None:
    assert set(facets_of(kind)) == FACETS_OF[kind]


def test_limits_and_names_are_those_of_the_platform() -> None:
    assert MOST_TOKENS == MOST_FACETS
    properties = schema("postal-indicator")["properties"]
    assert properties["epoch"]["maximum"] == LARGEST_EPOCH
    assert len(ELEMENT) == -(-ELEMENT_LENGTH * 8 // 6)
    taken = set(IndicatorSchema().fields) - {"sealed", "place", "tlp"}
    ours = {*INDICATOR_WORDS, *DAYS, "kind", "epoch", "elements", "handling", "quality"}
    assert ours - {"level"} == taken
    assert set(ShipmentSchema().fields) == {*SHIPMENT_WORDS, *SHIPMENT_PATTERNS}


@pytest.mark.parametrize(
    ("changed", "valid"),
    [
        ({}, True),
        ({"elements": {"p_h": [ELEMENT]}}, True),
        ({"tokens": {"p_h": ["postal1.3." + "A" * 22]}}, True),
        ({"elements": {"ek_p": [ELEMENT]}}, False),  # an address has no facet of a name
        ({"kind": "party", "elements": {"ek_p": [ELEMENT]}}, True),
        ({"elements": {"p_h": [ELEMENT]}, "tokens": {"p_h": ["postal1.3." + "A" * 22]}}, False),
        ({"elements": {"p_h": ["Main Street 5"]}}, False),
        ({"elements": {}}, False),
        ({"elements": {"p_h": [ELEMENT, ELEMENT]}}, False),
        ({"kind": "induction_point"}, False),
        ({"kind": "somebody"}, False),
        ({"name": "J. Doe"}, False),
        ({"handling": []}, False),
        ({"expires_on": "tomorrow"}, False),
    ],
)
def test_only_pseudonyms_and_closed_words_are_valid(changed: dict[str, Any], valid: bool) -> None:
    assert is_valid("postal-indicator", {**BASE, **changed}) is valid


def test_an_induction_point_has_no_epoch() -> None:
    point = {**BASE, "kind": "induction_point"}
    del point["epoch"]
    assert is_valid("postal-indicator", point)

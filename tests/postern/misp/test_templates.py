"""The published templates and taxonomy hold to the schemas of the MISP project."""

import json
from importlib import resources
from typing import Any

import pytest
from jsonschema import Draft7Validator
from pymisp import MISPObject
from pymisp.abstract import describe_types

from postern.misp.tags import SOURCE_TAG
from postern.misp.templates import (
    TEMPLATE_NAMES,
    TEMPLATE_OF,
    index,
    taxonomy_text,
    template,
    template_text,
)
from postern.stix.names import PHASES
from postern.vocabulary import Handling, Kind, PermittedAction


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    folder = resources.files("pymisp") / "data" / "misp-objects"
    found: dict[str, Any] = json.loads((folder / "schema_objects.json").read_text("utf-8"))
    return found


@pytest.mark.parametrize("name", TEMPLATE_NAMES)
def test_a_template_holds_to_the_schema_of_misp_objects(name: str, schema: dict[str, Any]) -> None:
    definition = json.loads(template_text(name))
    Draft7Validator(schema).validate(definition)
    assert definition["name"] == name
    assert set(definition["requiredOneOf"]) <= set(definition["attributes"])


@pytest.mark.parametrize("name", TEMPLATE_NAMES)
def test_every_type_is_one_that_misp_knows(name: str) -> None:
    assert {each.type for each in template(name).relations.values()} <= set(describe_types["types"])


@pytest.mark.parametrize("name", TEMPLATE_NAMES)
def test_pymisp_makes_objects_of_a_template(name: str) -> None:
    definition = json.loads(template_text(name))
    made = MISPObject(name, strict=True, misp_objects_template_custom=definition)
    needed = definition["requiredOneOf"][0]
    made.add_attribute(needed, value="1")
    assert made.template_uuid == definition["uuid"]
    assert len(made.attributes) == 1


def test_each_template_has_a_uuid_of_its_own_and_none_of_misp() -> None:
    own = {template(name).uuid for name in TEMPLATE_NAMES}
    assert len(own) == len(TEMPLATE_NAMES)
    folder = resources.files("pymisp") / "data" / "misp-objects" / "objects"
    known = {
        json.loads((each / "definition.json").read_text("utf-8"))["uuid"]
        for each in folder.iterdir()
        if each.is_dir()
    }
    assert not own & known


def test_every_kind_that_is_shared_has_a_template() -> None:
    assert set(Kind) - {Kind.BARRIER} == set(TEMPLATE_OF)


def test_only_tokens_are_for_detection_and_only_what_matches_correlates() -> None:
    for name in ("postal-address-token", "postal-identifier-token"):
        relations = template(name).relations.values()
        assert {each.name for each in relations if each.to_ids} == {"token"}
        assert {each.name for each in relations if each.correlates} == {"token", "report"}


def test_the_index_names_every_template() -> None:
    assert [each["name"] for each in index()["templates"]] == list(TEMPLATE_NAMES)


def test_an_unknown_template_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        template_text("../postal-parcel")


def test_the_taxonomy_knows_every_tag_that_is_written() -> None:
    taxonomy = json.loads(taxonomy_text())
    values = {
        each["predicate"]: {entry["value"] for entry in each["entry"]}
        for each in taxonomy["values"]
    }
    assert taxonomy["namespace"] == "postern"
    assert {each["value"] for each in taxonomy["predicates"]} == set(values)
    assert values["barrier-step"] == set(PHASES)
    assert values["handling"] == set(Handling)
    assert values["permitted-action"] == set(PermittedAction)
    assert SOURCE_TAG == 'postern:source="exchange"'
    assert values["source"] == {"exchange"}

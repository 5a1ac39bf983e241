"""Which objects are STIX 2.1, by the rules that the library of OASIS keeps to, only faster."""

from typing import Any
from uuid import uuid4

import pytest
import stix2
from stix2.v21 import OBJ_MAP, OBJ_MAP_OBSERVABLE

from postern.stix.form import OBSERVABLES, REQUIRED, check_object, check_pattern

OF_LIBRARY = {**OBJ_MAP, **OBJ_MAP_OBSERVABLE}


def made(type_: str, **said: Any) -> dict[str, Any]:
    return {
        "type": type_,
        "spec_version": "2.1",
        "id": f"{type_}--{uuid4()}",
        "created": "2026-11-24T07:00:00Z",
        "modified": "2026-11-24T07:00:00Z",
        **said,
    }


def fields(obj: object) -> list[str]:
    return [fault.field for fault in check_object(obj)]


@pytest.mark.parametrize("type_", sorted({**REQUIRED, **OBSERVABLES}))
def test_what_a_type_needs_is_what_the_library_demands(type_: str) -> None:
    properties = OF_LIBRARY[type_]._properties
    automatic = {"type", "spec_version", "id", "created", "modified"}
    demanded = {name for name, each in properties.items() if each.required} - automatic
    ours = {*REQUIRED.get(type_, ()), *OBSERVABLES.get(type_, ())}
    assert ours == demanded | _BY_THE_TEXT.get(type_, set())


_BY_THE_TEXT = {"software": {"name"}, "indicator": {"valid_from"}}  # the library fills it in


def test_every_type_of_the_library_is_known() -> None:
    assert {*REQUIRED, *OBSERVABLES} == OF_LIBRARY.keys() - {"bundle"}


@pytest.mark.parametrize(
    ("obj", "where"),
    [
        (made("location"), ["country"]),
        (made("location", latitude=1.0), ["country"]),
        (made("malware", is_family=True, aliases=[]), ["aliases"]),
        (made("identity", name=7), ["name"]),
        (made("identity", name="x", contact_information=None), ["contact_information"]),
        (made("identity", name="x", lang=[]), ["lang"]),
        (made("identity", name="x" * 100_001), ["name"]),
        (made("identity", name="x", created_by_ref="me"), ["created_by_ref"]),
        (made("identity", name="x", object_marking_refs=[]), ["object_marking_refs"]),
        (made("identity", name="x", labels=["a", 1]), ["labels"]),
        (made("identity", name="x", confidence=True), ["confidence"]),
        (made("identity", name="x", extensions={"a": 1}), ["extensions"]),
        (made("tool", name="x", kill_chain_phases=[{}]), ["kill_chain_phases"]),
        (made("tool", name="x", external_references=["x"]), ["external_references"]),
        (
            made("observed-data", first_observed="2026-11-24T07:00:00Z", number_observed=1),
            ["last_observed", "object_refs"],
        ),
    ],
)
def test_the_place_of_each_fault_is_told(obj: object, where: list[str]) -> None:
    assert fields(obj) == where


@pytest.mark.parametrize(
    "pattern",
    [
        "[user-account:user_id = 'x']",
        "[a:b = 'O\\'Brien']",
        "[a:b = 1 AND a:c LIKE 'x%'] FOLLOWEDBY [a:b IN (1, 2)] WITHIN 5 SECONDS",
        "([a:b = 1] OR [a:c = t'2026-01-01T00:00:00Z'])",
    ],
)
def test_patterns_of_the_grammar_pass(pattern: str) -> None:
    assert check_pattern(pattern) is None
    stix2.v21.Indicator(pattern=pattern, pattern_type="stix")


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        " ",
        "a:b = 1",
        "[a:b = 'x",
        "[a:b = 'x'y']",
        "[a:b]",
        "[a:b = 1] AND",
        "[" * 5000,
        "[" + "(" * 60 + "a:b = 1" + ")" * 60 + "]",
        "[a:b = '" + "x" * 10_000 + "']",
    ],
)
def test_what_is_no_pattern_has_a_reason(pattern: str) -> None:
    assert check_pattern(pattern)


def test_a_plain_object_passes_here_and_there() -> None:
    for type_ in ("identity", "tool", "campaign"):
        obj = made(type_, name="x")
        assert fields(obj) == []
        stix2.parse(obj)

"""A form as it travels: what is wrong with it is told by its place."""

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given, settings

from app.errors import InvalidRequestError
from app.sharing.rule_schemas import LONGEST_LIST, MOST_RULES, RuleSchema, from_form, to_form
from app.sharing.rules import Rule
from postern.vocabulary import Handling, Level, Sector
from tests.app.sharing.test_rules import random_rules

RULE = {"name": "police", "label": "Police learn of it", "level": "presence"}


def faults_of(form: Any) -> dict[str, str]:
    with pytest.raises(InvalidRequestError) as refusal:
        from_form(form)
    return {fault["field"]: fault["reason"] for fault in refusal.value.extensions["errors"]}


@settings(deadline=None)
@given(random_rules("first"), random_rules("second"))
def test_a_form_comes_back_as_it_was_stored(first: Rule, second: Rule) -> None:
    stored = json.loads(json.dumps(to_form([first, second])))
    found = from_form(stored)
    assert to_form(found) == to_form(from_form(to_form(found)))
    assert [_unordered(rule) for rule in found] == [_unordered(rule) for rule in (first, second)]


def test_what_is_left_out_is_as_in_a_rule_without_it() -> None:
    assert from_form([RULE]) == [
        Rule(name="police", label="Police learn of it", level=Level.PRESENCE)
    ]
    assert from_form([]) == []


def test_equal_choices_make_equal_rules_whatever_their_order() -> None:
    form = [
        {**RULE, "sectors": ["police", "customs", "police"], "countries": ["NL", "BE"]},
        {**RULE, "name": "b", "sectors": ["customs", "police"], "countries": ["BE", "NL"]},
    ]
    first, second = from_form(form)
    assert first.sectors == second.sectors == (Sector.CUSTOMS, Sector.POLICE)
    assert first.countries == second.countries == ("BE", "NL")
    # In the order of their list, which is not that of the alphabet.
    (third,) = from_form([{**RULE, "sectors": ["police", "post", "courier"]}])
    assert third.sectors == (Sector.POST, Sector.COURIER, Sector.POLICE)


def test_the_wire_and_the_rule_have_the_same_parameters() -> None:
    schema = RuleSchema()
    parameters = {field.name: field for field in dataclasses.fields(Rule)}
    assert list(schema.fields) == list(parameters)
    for name, field in schema.fields.items():
        assert field.metadata["description"].endswith("."), name
        if not field.required:
            assert field.load_default == parameters[name].default, name


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"name": "Police"}, "name", "lower-case"),
        ({"name": "a" * 41}, "name", "up to 40"),
        ({"name": "a/b"}, "name", "lower-case"),
        ({"name": "police-onward"}, "name", "not ending in"),
        ({"name": "police-untold"}, "name", "not ending in"),
        ({"label": ""}, "label", "one sentence"),
        ({"label": "   "}, "label", "one sentence"),
        ({"label": "a" * 201}, "label", "between 1 and 200"),
        ({"label": "two\nlines"}, "label", "control characters"),
        ({"effect": "allow"}, "effect", "permit, forbid"),
        ({"sectors": ["post", "army"]}, "sectors.1", "customs"),
        ({"sectors": "post"}, "sectors", "list"),
        ({"countries": ["NL", "own"]}, "countries.1", "two capital letters"),
        ({"countries": ["nl"]}, "countries.0", "two capital letters"),
        ({"countries": ["XX"]}, "countries.0", "two capital letters"),
        ({"communities": ['x"'], "organisations": []}, "communities.0", "code"),
        ({"organisations": ["post-be", "Post"]}, "organisations.1", "code"),
        ({"organisations": ["ab"] * (LONGEST_LIST + 1)}, "organisations", "maximum"),
        ({"barrier_steps": [8]}, "barrier_steps.0", "7"),
        ({"barrier_steps": ["1"]}, "barrier_steps.0", "integer"),
        ({"newer_than": 31}, "newer_than", "7, 30, 90, 365"),
        ({"assertion": "rumour"}, "assertion", "fact"),
        ({"screen": "yes"}, "screen", "boolean"),
        ({"level": "everything"}, "level", "presence"),
        ({"level": None}, "level", "Choose what the rule permits"),
        ({"handling": ["H1"], "handling_without": ["H1"]}, "handling_without", "both"),
        ({"told": "owner_only"}, "told", "the reader gets nothing"),
        ({"colour": "blue"}, "colour", "Unknown field"),
    ],
)
def test_a_fault_is_told_by_its_place(change: dict[str, Any], field: str, words: str) -> None:
    faults = faults_of([RULE, {**RULE, "name": "second", **change}])
    assert faults.keys() == {f"rules.1.{field}"}
    assert words in faults[f"rules.1.{field}"]


def test_every_fault_of_a_form_is_told_at_once() -> None:
    faults = faults_of([{**RULE, "tlp": ["AMBRE"], "kinds": ["ship"]}, {"name": "b"}])
    assert faults.keys() == {"rules.0.tlp.0", "rules.0.kinds.0", "rules.1.label"}


def test_two_rules_of_one_name_are_refused() -> None:
    assert faults_of([RULE, RULE]) == {"rules.1.name": "Another rule has this name."}


def test_a_form_has_an_end() -> None:
    form = [{**RULE, "name": f"r-{number}"} for number in range(MOST_RULES + 1)]
    assert len(from_form(form[:-1])) == MOST_RULES
    assert faults_of(form).keys() == {"rules"}


@pytest.mark.parametrize("form", [None, "text", {"name": "a"}, 3])
def test_what_is_not_a_list_is_refused(form: Any) -> None:
    assert faults_of(form).keys() == {"rules"}


@pytest.mark.parametrize("entry", [None, "text", 3, []])
def test_what_is_not_a_rule_is_refused(entry: Any) -> None:
    ((place, _),) = faults_of([RULE, entry]).items()
    assert place.startswith("rules.1")


def test_a_form_is_stored_with_every_parameter_written_out() -> None:
    (stored,) = to_form([Rule(name="a", label="A", handling=(Handling.H2,), screen=True)])
    assert stored.keys() == {field.name for field in dataclasses.fields(Rule)}
    assert (stored["handling"], stored["screen"], stored["level"]) == (["H2"], True, None)


def _unordered(rule: Rule) -> dict[str, Any]:
    return {
        name: set(value) if isinstance(value, tuple) else value
        for name, value in vars(rule).items()
    }

"""The parts of the pages of drafts that need no database: what is sent, and what is shown."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import pytest
from flask import Flask
from marshmallow import fields, validate

from app.errors import InvalidRequestError
from app.sharing import draft_pages
from app.sharing.draft_pages import _RuleFault, _Typed
from app.sharing.policy_text import Fault
from app.sharing.rule_schemas import RuleSchema
from app.sharing.service import Examined
from app.sharing.templates import templates
from app.sharing.typed_rules import Step, TypedRules

RULE = {"name": "police", "label": "Police learn of it", "level": "presence"}


def posted(**sent: str) -> Any:
    """A request with these fields, of no application."""
    return Flask("form").test_request_context(method="POST", data=sent)


def _offered(field: fields.Field[Any]) -> list[Any] | None:
    """What the schema lets a field hold; None for what is typed freely."""
    inner = field.inner if isinstance(field, fields.List) else field
    if isinstance(inner, fields.Enum):
        words: type[StrEnum] = inner.enum
        return list(words)
    for check in inner.validators:
        if isinstance(check, validate.Range):
            return list(range(int(check.min), int(check.max) + 1))
        if isinstance(check, validate.OneOf):
            return list(check.choices)
    return None


def test_each_field_offers_what_the_rule_may_hold() -> None:
    offered = {name: _offered(field) for name, field in RuleSchema().fields.items()}
    choices = {name: list(each) for name, each in draft_pages._CHOICES.items()}
    assert choices == {name: each for name, each in offered.items() if each is not None}


@pytest.mark.parametrize(
    ("step", "about", "added", "place"),
    [
        (Step.SAVE, "", None, None),
        (Step.ADD, "template", 3, 3),
        (Step.SAVE, "b", None, 1),
        (Step.UP, "b", None, 0),
        (Step.UP, "a", None, 0),
        (Step.UP, "c", None, 1),
        (Step.DOWN, "a", None, 1),
        (Step.DOWN, "b", None, 2),
        (Step.DOWN, "c", None, 2),
        (Step.REMOVE, "b", None, None),
        (Step.UP, "nobody", None, None),
    ],
)
def test_after_a_step_the_rule_it_moved_is_shown_first(
    step: Step, about: str, added: int | None, place: int | None
) -> None:
    typed = TypedRules([{}, {}, {}], ["a", "b", "c"], step, about)
    assert draft_pages._place_after(typed, added) == place


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("rules.2.countries.0", (2, "countries")),
        ("rules.12.label", (12, "label")),
        ("rules.0", (0, "")),
        ("rules", (-1, "rules")),
        ("title", (-1, "title")),
        ("rules.all.label", (-1, "label")),
        ("policies.2.label", (-1, "label")),
    ],
)
def test_a_fault_is_shown_at_its_rule_and_field(name: str, place: tuple[int, str]) -> None:
    assert draft_pages._place_of_field(name) == place


@pytest.mark.parametrize(
    ("sent", "revision"),
    [
        ({"revision": "7"}, 7),
        ({"revision": "999999999"}, 999_999_999),
        ({"revision": "1000000000"}, 0),
        ({"revision": "-1"}, 0),
        ({"revision": "\u0663"}, 0),
        ({"revision": ""}, 0),
        ({}, 0),
    ],
)
def test_what_is_no_number_is_no_revision(sent: dict[str, str], revision: int) -> None:
    with posted(**sent):
        assert draft_pages._revision() == revision


def test_a_moment_is_read_as_utc_and_none_as_none() -> None:
    with posted(activate_at=" 2027-01-31T09:00 "):
        assert draft_pages._activation() == datetime(2027, 1, 31, 9, tzinfo=UTC)
    for sent in ({}, {"activate_at": "  "}):
        with posted(**sent):
            assert draft_pages._activation() is None
    with posted(activate_at="tomorrow"), pytest.raises(InvalidRequestError) as refusal:
        draft_pages._activation()
    assert refusal.value.extensions["errors"] == [
        {"field": "activate_at", "reason": "Write the moment as 2027-01-31T09:00, in UTC."}
    ]


def test_a_reason_is_what_was_typed() -> None:
    with posted(reason="Too wide."):
        assert draft_pages._reason() == "Too wide."
    with posted():
        assert draft_pages._reason() == ""


def test_a_field_is_open_when_it_says_something_or_a_template_asks_for_it() -> None:
    always = {"name", "label", "sectors", "purposes", "level"}
    assert draft_pages._open_fields({"name": "mine", "label": "Mine"}) == always
    assert draft_pages._open_fields({**RULE, "name": "mine", "feed": True}) == {*always, "feed"}
    forbidding = {"name": "mine", "label": "Mine", "effect": "forbid"}
    assert draft_pages._open_fields(forbidding) == (always - {"level"}) | {"effect", "keeps"}
    (asking,) = [each for each in templates() if each.id == "customs-control"]
    rule, asked = asking.asks[0].rule, {ask.field for ask in asking.asks}
    assert asked <= draft_pages._open_fields({"name": rule, "label": "Mine"})


def test_faults_are_told_by_the_place_of_their_rule() -> None:
    form = [{**RULE, "name": "first"}, {**RULE, "name": "second"}]
    problem = InvalidRequestError(
        errors=[
            {"field": "rules.1.label", "reason": "Write one sentence."},
            {"field": "title", "reason": "Write a few words."},
        ]
    )
    found = draft_pages._faults_by_rule(_Typed("A title", form, ""), None, problem)
    assert found == {
        1: [_RuleFault("label", "Write one sentence.", "", is_warning=False)],
        -1: [_RuleFault("title", "Write a few words.", "", is_warning=False)],
    }


def test_a_refusal_without_places_is_of_no_rule() -> None:
    assert draft_pages._faults_by_rule(_Typed("T", [], ""), None, InvalidRequestError()) == {}


def test_warnings_stand_at_the_rule_that_made_the_policy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Writer:
        organisation = "post-be"

    monkeypatch.setattr(draft_pages, "caller", Writer)
    form = [{**RULE, "name": "first"}, {**RULE, "name": "second"}]
    examined = Examined(
        (),
        (Fault("text", 1, "it lets nobody in", "Add a permit."),),
        (
            Fault("post-be/second", 2, "odd", "Look."),
            Fault("post-be/second", 2, "odder", "Look again."),
            Fault("post-be/first", 1, "odd", "Look."),
        ),
    )
    assert draft_pages._faults_by_rule(_Typed("A title", form, ""), examined, None) == {
        -1: [_RuleFault("", "it lets nobody in", "Add a permit.", is_warning=False)],
        1: [
            _RuleFault("", "odd", "Look.", is_warning=True),
            _RuleFault("", "odder", "Look again.", is_warning=True),
        ],
        0: [_RuleFault("", "odd", "Look.", is_warning=True)],
    }
    # Of a text by hand, and of a form that makes none, there are no rules to tell it of.
    assert draft_pages._faults_by_rule(_Typed("A title", None, "..."), examined, None) == {}
    broken = [{"name": "first"}]
    assert draft_pages._faults_by_rule(_Typed("A title", broken, ""), examined, None) == {}

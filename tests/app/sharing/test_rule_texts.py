"""What each parameter of a rule adds to its text, and the sentences for what does not fit."""

from dataclasses import fields, replace
from typing import Any

import pytest

from app.sharing.rules import Effect, Rule, cedar, contradictions
from postern.vocabulary import (
    Assertion,
    Handling,
    InformationGrade,
    Kind,
    LegalBasis,
    Level,
    PartyRole,
    PermittedAction,
    Purpose,
    Role,
    Sector,
    SourceGrade,
    Substance,
    Tlp,
    Told,
)

PERMIT = Rule(name="a", label="A", level=Level.PRESENCE)
FORBID = Rule(name="a", label="A", effect=Effect.FORBID, keeps=Level.REQUEST)


@pytest.mark.parametrize(
    ("parameters", "condition"),
    [
        ({"sectors": (Sector.POLICE,)}, 'principal.sector == Sector::"police"'),
        ({"countries": ("NL",)}, 'principal.country == Country::"NL"'),
        ({"communities": ("benelux",)}, 'principal in Community::"benelux"'),
        (
            {"communities": ("b", "a")},
            'principal in [Community::"a", Community::"b"]',
        ),
        ({"organisations": ("post-nl",)}, 'principal.organisation == Organisation::"post-nl"'),
        ({"roles": (Role.ANALYST,)}, 'principal.role == Role::"analyst"'),
        ({"purposes": (Purpose.CUSTOMS_CONTROL,)}, 'context.purpose == Purpose::"customs_control"'),
        (
            {"legal_bases": (LegalBasis.POLICE_LAW,)},
            'context.legalBasis == LegalBasis::"police_law"',
        ),
        ({"kinds": (Kind.PHONE,)}, 'resource.kind == Kind::"phone"'),
        ({"party_roles": (PartyRole.SENDER,)}, 'resource.role == PartyRole::"sender"'),
        ({"tlp": (Tlp.AMBER,)}, 'resource.tlp == Tlp::"AMBER"'),
        ({"handling": (Handling.H2,)}, 'resource.handling.contains(Handling::"H2")'),
        (
            {"handling": (Handling.H2, Handling.H1)},
            'resource.handling.containsAny([Handling::"H1", Handling::"H2"])',
        ),
        (
            {"handling_without": (Handling.H3,)},
            '!resource.handling.contains(Handling::"H3")',
        ),
        ({"source_grades": (SourceGrade.A,)}, 'resource.sourceGrade == SourceGrade::"A"'),
        ({"information_grades": (InformationGrade.TWO,)}, "resource.informationGrade == 2"),
        ({"assertion": Assertion.FACT}, 'resource.assertion == Assertion::"fact"'),
        (
            {"permitted_actions": (PermittedAction.WATCH,)},
            'resource.permittedAction == PermittedAction::"watch"',
        ),
        ({"barrier_steps": (3,)}, "resource.barrierStep == 3"),
        ({"substances": (Substance.LSD,)}, 'resource.substance == Substance::"lsd"'),
        ({"newer_than": 7}, "resource.ageBand <= 0"),
        ({"older_than": 7}, "resource.ageBand >= 1"),
        ({"older_than": 365}, "resource.ageBand >= 4"),
        (
            {"older_than": 30, "newer_than": 90},
            "resource.ageBand <= 2 && resource.ageBand >= 2",
        ),
    ],
)
def test_each_parameter_makes_its_condition(parameters: dict[str, Any], condition: str) -> None:
    text = cedar([replace(PERMIT, **parameters)], "post-be")
    _, told = text.split("\n)\nwhen")
    assert _without_spaces(told) == _without_spaces(f"{{{condition}}};")


def test_what_is_left_out_of_a_rule_says_nothing() -> None:
    said = _parameters(Rule(name="a", label="A"))
    assert said.pop("effect") is Effect.PERMIT
    assert said.pop("told") is Told.BOTH
    assert [name for name, value in said.items() if value is False] == [
        "everybody_else",
        "screen",
        "feed",
    ]
    assert [name for name, value in said.items() if value is None] == [
        "assertion",
        "newer_than",
        "older_than",
        "level",
        "keeps",
    ]
    assert {value for value in said.values() if value} == {"a", "A"}


def test_a_line_of_a_text_has_up_to_a_hundred_characters() -> None:
    def lines(length: int) -> list[str]:
        return cedar([replace(PERMIT, organisations=("p" * length, "q"))], "post-be").splitlines()

    assert max(map(len, lines(28))) == 100
    assert max(map(len, lines(29))) < 80


@pytest.mark.parametrize(
    ("rule", "field", "sentence"),
    [
        (Rule(name="a", label="A"), "level", "Choose what the rule permits."),
        (
            Rule(name="a", label="A", effect=Effect.FORBID),
            "keeps",
            "Choose what the rule keeps back.",
        ),
        (
            replace(PERMIT, handling=(Handling.H1,), handling_without=(Handling.H1,)),
            "handling_without",
            "A handling code cannot be both demanded and excluded.",
        ),
        (
            replace(PERMIT, newer_than=30, older_than=30),
            "older_than",
            "No record is as old as this and newer than the other age.",
        ),
        (
            replace(PERMIT, keeps=Level.REQUEST),
            "keeps",
            "A rule that permits keeps nothing back: choose a level, or forbid.",
        ),
        (
            replace(PERMIT, everybody_else=True),
            "everybody_else",
            "Permit only those whom you name; everybody else can be forbidden.",
        ),
        (
            replace(PERMIT, told=Told.OWNER_ONLY),
            "told",
            "Where only you are told, the reader gets nothing: leave the rest out.",
        ),
        (
            replace(FORBID, level=Level.PRESENCE),
            "level",
            "A rule that forbids permits no level: choose what it keeps back.",
        ),
        (
            replace(FORBID, told=Told.OWNER_ONLY),
            "told",
            "Who is told can be chosen in a rule that permits only.",
        ),
        (
            replace(FORBID, everybody_else=True),
            "everybody_else",
            "Name those whom the rule spares.",
        ),
    ],
)
def test_what_does_not_fit_is_told_in_a_sentence(rule: Rule, field: str, sentence: str) -> None:
    assert list(contradictions(rule)) == [(field, sentence)]


def _without_spaces(text: str) -> str:
    return "".join(text.split())


def _parameters(rule: Rule) -> dict[str, object]:
    return {each.name: getattr(rule, each.name) for each in fields(rule)}

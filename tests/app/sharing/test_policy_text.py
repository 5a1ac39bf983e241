"""A text is read policy by policy; what is wrong is told with id, line and remedy."""

import re
from pathlib import Path

import pytest

from app.sharing.policy_text import (
    CLOSED_LISTS,
    LONGEST_TEXT,
    SCHEMA_FILE,
    Fault,
    PolicyRefusedError,
    platform_policies,
    read,
)
from postern.vocabulary import Level
from tests.app.sharing.world import POLICIES

ANNOTATED = '@id("a/b") @label("A sentence")\n'


def faults_of(text: str) -> tuple[Fault, ...]:
    with pytest.raises(PolicyRefusedError) as refusal:
        read(text)
    return refusal.value.faults


def test_the_schema_and_the_vocabulary_have_the_same_closed_lists() -> None:
    schema = SCHEMA_FILE.read_text("utf-8")
    enumerated = {
        name: re.findall(r'"([^"]+)"', words)
        for name, words in re.findall(r"entity (\w+) enum \[([^\]]*)\]", schema)
    }
    assert enumerated == {
        name: [word.value for word in words] for name, words in CLOSED_LISTS.items()
    }
    actions = re.search(r"action ([\w, ]+) appliesTo", schema)
    assert actions is not None
    assert actions.group(1).split(", ") == [level.value for level in Level]


@pytest.mark.parametrize(
    "file", sorted(POLICIES.glob("*/*.cedar")), ids=lambda file: f"{file.parent.name}/{file.stem}"
)
def test_every_template_and_demonstration_policy_is_valid(file: Path) -> None:
    policies = read(file.read_text("utf-8"))
    assert all(policy.label for policy in policies)
    assert policies or file.stem == "nothing"


def test_there_are_templates_and_a_demonstration() -> None:
    assert len(list(POLICIES.glob("templates/*.cedar"))) >= 4
    assert {file.stem for file in POLICIES.glob("demo/*.cedar")} == {
        "post-be",
        "customs-nl",
        "police-de",
    }


def test_only_the_platform_permits_what_is_ones_own() -> None:
    permits = [p.id for p in platform_policies() if p.tree["effect"] == "permit"]
    assert permits == ["platform/own"]


def test_a_text_without_policies_is_valid() -> None:
    assert read("") == []
    assert read("// only a comment; with a semicolon\n") == []


def test_semicolons_in_strings_and_comments_do_not_end_a_policy() -> None:
    text = (
        "// first; comment\n"
        '@id("a/one") @label("Says; \\"more\\" // than one thing")\n'
        "permit (principal, action, resource) // here; too\n"
        'when { principal in Country::"BE" };\n\n'
        '@id("a/two") @label("Two")\nforbid (principal, action, resource);'
    )
    policies = read(text)
    assert [(p.id, p.line) for p in policies] == [("a/one", 2), ("a/two", 6)]
    assert policies[0].label == 'Says; "more" // than one thing'


def test_a_syntax_error_names_the_policy_and_its_line() -> None:
    (fault,) = faults_of(
        ANNOTATED
        + "permit (principal, action, resource);\n\n"
        + '@id("a/broken") @label("B")\npermit (principal, action, resource) when { 1 = 2 };'
    )
    assert (fault.policy, fault.line) == ("a/broken", 4)
    assert "'='" in fault.reason
    assert fault.remedy


def test_a_policy_without_an_id_is_named_by_its_place() -> None:
    faults = faults_of(ANNOTATED + "permit (principal, action, resource);\npermit (principal")
    assert [(fault.policy, fault.line) for fault in faults] == [("policy 2", 3)]
    assert "semicolon" in faults[0].remedy


@pytest.mark.parametrize(
    ("text", "reason", "remedy"),
    [
        ("permit (principal, action, resource);", "@id", "@id("),
        ('@id("a/b") permit (principal, action, resource);', "@label", "@label("),
        ('@id("A b") @label("x") permit (principal, action, resource);', "@id", "lower case"),
        (
            '@id("platform/x") @label("x") permit (principal, action, resource);',
            "platform/",
            "your organisation's code",
        ),
        (
            ANNOTATED + "permit (principal == ?principal, action, resource);",
            "slot",
            "condition",
        ),
        (
            ANNOTATED + '/* no */ permit (principal, action, resource) when { "a" };',
            "",
            "// to the end",
        ),
        (
            ANNOTATED
            + 'permit (principal, action, resource) when { resource.tlp == Tlp::"AMBRE" };',
            "AMBRE",
            "CLEAR, GREEN, AMBER, AMBER+STRICT, RED",
        ),
        (
            ANNOTATED
            + 'permit (principal, action, resource) when { context.purpose == Purpose::"fun" };',
            "fun",
            "service_security",
        ),
        (
            ANNOTATED + 'permit (principal, action == Action::"read", resource);',
            "read",
            'Action::"presence"',
        ),
        (
            ANNOTATED + "permit (principal, action, resource) when { resource.colour == 1 };",
            "colour",
            "docs/policies.md",
        ),
        (
            ANNOTATED + 'permit (principal, action, resource) when { resource.ageBand < "1" };',
            "type",
            "docs/policies.md",
        ),
        (
            ANNOTATED + "permit (principal, action, resource) when { context.mood == 1 };",
            "mood",
            "docs/policies.md",
        ),
        (
            ANNOTATED + 'permit (principal in Country::"UK", action, resource);',
            "UK",
            "ISO 3166-1",
        ),
        (
            ANNOTATED + 'permit (principal in Country::"be", action, resource);',
            "be",
            "capital",
        ),
        (
            ANNOTATED + 'permit (principal, action, resource == ShareClass::"1");',
            "ShareClass",
            "resource.kind",
        ),
        (
            ANNOTATED + 'permit (principal == Seat::"reader", action, resource);',
            "Seat",
            "principal.role",
        ),
    ],
)
def test_a_fault_says_what_is_wrong_and_what_to_do(text: str, reason: str, remedy: str) -> None:
    faults = faults_of(text)
    assert any(reason in fault.reason and remedy in fault.remedy for fault in faults), faults
    assert all(fault.line == 1 for fault in faults)


def test_two_policies_may_not_have_one_id() -> None:
    one = ANNOTATED + "permit (principal, action, resource);\n"
    (fault,) = faults_of(one + one)
    assert (fault.policy, fault.line) == ("a/b", 3)
    assert "same @id" in fault.reason


def test_every_fault_of_a_text_is_told_at_once() -> None:
    faults = faults_of(
        "permit (principal, action, resource);\n"
        + ANNOTATED
        + 'permit (principal in Country::"XX", action, resource);'
    )
    assert {fault.line for fault in faults} == {1, 2}


def test_a_text_that_is_too_long_is_refused_unread() -> None:
    (fault,) = faults_of("/" * (LONGEST_TEXT + 1))
    assert "longer" in fault.reason


def test_the_problem_lists_the_faults() -> None:
    with pytest.raises(PolicyRefusedError) as refusal:
        read(ANNOTATED + "permit (principal")
    problem = refusal.value.as_problem("r")
    assert problem["code"] == "policy-refused"
    assert problem["errors"][0].keys() == {"policy", "line", "reason", "remedy"}


def test_a_record_with_the_keys_of_an_entity_is_not_taken_for_one() -> None:
    (policy,) = read(
        ANNOTATED
        + "permit (principal, action, resource)"
        + ' when { {type: "ShareClass", id: "1", attr: "x"}.id == "1" };'
    )
    assert policy.entities() == frozenset()
    assert policy.attributes() == {"id"}


_PAGE = (POLICIES.parent / "docs" / "policies.md").read_text("utf-8")


@pytest.mark.parametrize("example", re.findall(r"```cedar\n(.*?)```", _PAGE, re.DOTALL))
def test_every_example_of_the_documentation_is_valid(example: str) -> None:
    assert read(example)


def test_the_documentation_tells_every_attribute_word_template_and_rule() -> None:
    schema = SCHEMA_FILE.read_text("utf-8")
    attributes = re.findall(r"^  (\w+): \w+", schema, re.MULTILINE)
    assert {"handling", "ageBand", "country"} <= set(attributes)
    words = [word.value for words in CLOSED_LISTS.values() for word in words]
    templates = [file.name for file in POLICIES.glob("templates/*.cedar")]
    rules = [policy.id for policy in platform_policies()]
    for name in (*words, *templates, *rules):
        assert f"`{name}`" in _PAGE, name
    for name in attributes:
        assert re.search(rf"`(?:principal|resource|context)\.{name}`", _PAGE), name

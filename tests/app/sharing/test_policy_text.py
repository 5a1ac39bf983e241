"""A text is read policy by policy; what is wrong is told with id, line and remedy."""

import re
import threading
from pathlib import Path

import pytest

from app.sharing.classes import AGE_BANDS
from app.sharing.policy_text import (
    ACTIONS,
    CLOSED_LISTS,
    DEEPEST_NESTING,
    LONGEST_POLICY,
    LONGEST_TEXT,
    MOST_FAULTS,
    MOST_OPERATORS,
    MOST_POLICIES,
    NUMBERS,
    SCHEMA_FILE,
    Fault,
    Policy,
    PolicyRefusedError,
    platform_policies,
    read,
    schema_attributes,
    still_valid,
)
from postern.vocabulary import Action, InformationGrade
from tests.app.sharing import faulty_texts
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
    actions = ", ".join(re.findall(r"^action ([\w, ]+) appliesTo", schema, re.MULTILINE))
    assert actions.split(", ") == list(Action) == list(ACTIONS)


def test_the_schema_is_read_as_it_stands() -> None:
    asked = schema_attributes()
    assert asked["principal"]["role"] == "Role"
    assert asked["resource"]["ageBand"] == "Long"
    assert list(asked["context"]) == ["purpose", "legalBasis", "to"]
    assert {name for name, kind in asked["resource"].items() if kind == "Long"} == set(NUMBERS)
    assert NUMBERS["ageBand"] == (0, len(AGE_BANDS) - 1)
    grades = [int(grade) for grade in InformationGrade]
    assert NUMBERS["informationGrade"] == (min(grades), max(grades))


@pytest.mark.parametrize("file", sorted(POLICIES.glob("demo/*.cedar")), ids=lambda file: file.stem)
def test_every_demonstration_policy_is_valid(file: Path) -> None:
    policies = read(file.read_text("utf-8"))
    assert policies
    assert all(policy.label for policy in policies)


def test_there_is_a_demonstration() -> None:
    assert {file.stem for file in POLICIES.glob("demo/*.cedar")} == {
        "post-be",
        "customs-nl",
        "police-de",
    }


def test_only_the_platform_permits_what_is_ones_own() -> None:
    permits = {p.id: p.actions() for p in platform_policies() if p.permits}
    assert set(permits) == {"platform/own", "platform/owner-is-told"}
    assert permits["platform/owner-is-told"] == {Action.TELL_OWNER}


@pytest.mark.parametrize(
    ("scope", "actions"),
    [
        ("action", set(Action)),
        ('action == Action::"feed"', {Action.FEED}),
        ('action in [Action::"feed", Action::"screen"]', {Action.FEED, Action.SCREEN}),
    ],
)
def test_a_policy_is_about_the_actions_of_its_scope(scope: str, actions: set[Action]) -> None:
    (policy,) = read(ANNOTATED + f"permit (principal, {scope}, resource);")
    assert policy.actions() == actions
    assert policy.permits
    (policy,) = read(ANNOTATED + f"forbid (principal, {scope}, resource);")
    assert not policy.permits


def test_a_stored_text_has_its_policies_while_it_is_valid_and_then_none() -> None:
    valid = ANNOTATED + "permit (principal, action, resource);"
    assert [policy.id for policy in still_valid(valid)] == ["a/b"]
    assert still_valid(valid.replace("resource", "resource == 1")) == ()


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
            "Did you mean AMBER? Use one of: CLEAR, GREEN, AMBER, AMBER+STRICT, RED.",
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
            'Action::"presence" to learn that something is known; Action::"metadata" to',
        ),
        (
            ANNOTATED + 'permit (principal, action == Action::"presense", resource);',
            "presense",
            "Did you mean presence?",
        ),
        (
            ANNOTATED + "permit (principal, action, resource) when { resource.colour == 1 };",
            "colour",
            "docs/policies.md explains resource.owner, resource.kind,",
        ),
        (
            ANNOTATED
            + 'permit (principal, action, resource) when { resource.knd == Kind::"pgp" };',
            "knd",
            "Did you mean kind?",
        ),
        (
            ANNOTATED
            + "permit (principal, action, resource) when { principal.informationgrade == 1 };",
            "informationgrade",
            "docs/policies.md explains principal.organisation",
        ),
        (
            ANNOTATED
            + 'permit (principal, action, resource) when { principal.kind == Kind::"pgp" };',
            "kind",
            "Write resource.kind.",
        ),
        (
            ANNOTATED
            + 'permit (principal, action, resource) when { context.to in Sector::"post" };',
            "to",
            'Action::"onward"',
        ),
        (
            ANNOTATED + 'permit (principal in Sektor::"post", action, resource);',
            "Sektor",
            "Did you mean Sector? Use one of: Sector, Role,",
        ),
        (
            ANNOTATED + 'permit (principal, action, resource in Organisation::"post-be");',
            "applicable action",
            "leave resource alone",
        ),
        (
            ANNOTATED + 'permit (principal, action, resource) when { resource.ageBand < "1" };',
            "type",
            "docs/policies.md",
        ),
        (
            ANNOTATED + "permit (principal, action, resource) when { context.mood == 1 };",
            "mood",
            "docs/policies.md explains context.purpose, context.legalBasis",
        ),
        *(
            (
                ANNOTATED + f"permit (principal, action, resource) when {{ {condition} }};",
                reason,
                remedy,
            )
            for condition, reason, remedy in (
                ("resource.ageBand <= 30", "ageBand with 30", "from 0 to 4"),
                ("resource.ageBand < 5", "ageBand with 5", "from 0 to 4"),
                ("resource.ageBand > 7", "ageBand with 7", "from 0 to 4"),
                ("resource.ageBand >= 6", "ageBand with 6", "from 0 to 4"),
                ("1 = 2", "'='", "Correct the syntax"),
                ("-1 < resource.ageBand", "ageBand with -1", "from 0 to 4"),
                ("[0, 8].contains(resource.barrierStep)", "barrierStep with 8", "from 0 to 7"),
                ("resource.informationGrade == 0", "informationGrade with 0", "from 1 to 4"),
                ("!(5 != resource.informationGrade)", "informationGrade with 5", "from 1 to 4"),
                ('resource.kind == PartyRole::"vendor"', "with a PartyRole", 'Kind::"..."'),
                ('principal.sector != Country::"BE"', "with a Country", 'Sector::"..."'),
            )
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


@pytest.mark.parametrize(
    "condition",
    [
        "resource.ageBand <= 4 && resource.ageBand >= 0",
        "resource.barrierStep == 7 || resource.barrierStep == 0",
        "[1, 2, 3, 4].contains(resource.informationGrade)",
        "resource.ageBand + 30 > 31",
        "1 + 1 == 2",
        'principal.organisation == Organisation::"post-be"',
        '[Handling::"H1"].containsAny(resource.handling)',
        "resource.handling == resource.handling",
        "(if resource.ageBand == 1 then 9 else 8) == 8",
    ],
)
def test_a_comparison_that_can_be_meant_is_no_fault(condition: str) -> None:
    assert read(ANNOTATED + f"permit (principal, action, resource) when {{ {condition} }};")


def test_what_an_author_is_told_changes_on_purpose_only() -> None:
    # python -m tests.app.sharing.faulty_texts > tests/data/policy-faults.txt
    expected = SCHEMA_FILE.parent.parent / "tests" / "data" / "policy-faults.txt"
    assert faulty_texts.told() == expected.read_text("utf-8")


def test_an_unknown_word_is_one_fault() -> None:
    (fault,) = faults_of(ANNOTATED + 'permit (principal, action == Action::"read", resource);')
    assert 'Action::"read"' in fault.reason
    (fault,) = faults_of(
        ANNOTATED + "permit (principal, action, resource) when { context.mood == 1 };"
    )
    assert "mood" in fault.reason


def test_two_policies_may_not_have_one_id() -> None:
    one = ANNOTATED + "permit (principal, action, resource);\n"
    (fault,) = faults_of(one + one)
    assert (fault.policy, fault.line) == ("a/b", 3)
    assert fault.reason == "another policy of this text has the same @id"


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


def test_a_text_of_too_many_policies_is_refused_unread() -> None:
    policies = [
        f'@id("a/{n}") @label("A")\npermit (principal, action, resource);\n'
        for n in range(MOST_POLICIES + 1)
    ]
    assert len(read("".join(policies[:-1]))) == MOST_POLICIES
    (fault,) = faults_of("".join(policies))
    assert (fault.policy, fault.line) == ("text", 2 * MOST_POLICIES + 1)
    assert f"more than {MOST_POLICIES}" in fault.reason


def test_no_more_faults_are_told_than_anybody_reads() -> None:
    text = "".join(f'{ANNOTATED}permit (principal in Country::"X{n}", action, resource);'
                   for n in range(MOST_FAULTS))  # fmt: skip
    assert len(faults_of(text)) == MOST_FAULTS


def _of(condition: str) -> str:
    return ANNOTATED + f"permit (principal, action, resource) when {{ {condition} }};"


def _of_length(length: int) -> str:
    short = _of("true")
    return short.replace("{", "{" + " " * (length - len(short)))


def _labelled(length: int) -> str:
    return (
        f'// what it is for\n@id("a/b") @label("{"x" * length}")\n'
        "permit (principal, action, resource);"
    )


def _nested(times: int) -> str:
    return _of("(" * times + "true" + ")" * times)


@pytest.mark.parametrize(
    ("most", "too_much", "line"),
    [
        ("/" * LONGEST_TEXT, "/" * (LONGEST_TEXT + 1), 1),
        (_of_length(LONGEST_POLICY), _of_length(LONGEST_POLICY + 1), 1),
        (_nested(DEEPEST_NESTING - 1), _nested(DEEPEST_NESTING), 1),
        (
            _of(" || ".join(["true"] * MOST_OPERATORS)),
            _of(" || ".join(["true"] * (MOST_OPERATORS + 1))),
            1,
        ),
        (_labelled(200), _labelled(201), 2),
    ],
    ids=["text", "policy", "brackets", "operators", "label"],
)
def test_as_much_is_read_as_is_said_and_no_more(most: str, too_much: str, line: int) -> None:
    read(most)
    (fault,) = faults_of(too_much)
    assert fault.line == line


def test_what_comes_after_a_policy_that_cannot_be_read_is_read() -> None:
    found = faults_of(_of("1 = 2") + "\n" + ANNOTATED + "permit (principal == 1, action);")
    assert [fault.line for fault in found] == [1, 3]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (_of("(" * 100_000), "longer than"),
        (_of("(" * 8_000 + "true" + ")" * 8_000), "nested more than"),
        (_of("[" * 4_000 + "]" * 4_000 + " == 1"), "nested more than"),
        (_of("{a: " * 2_000 + "1" + "}" * 2_000 + " == 1"), "nested more than"),
        (_of("1 == " + " + ".join(["1"] * 4_000)), "operators"),
        (_of(" || ".join(["true"] * 2_000)), "operators"),
        (_of("if true then " * 500 + "true" + " else false" * 500), "operators"),
        (_of("context" + ".purpose" * 1_500), "operators"),
        (_of("true }" + " when { true }" * 300 + " when { true"), "operators"),
    ],
    ids=lambda value: value[60:90] if len(value) > 90 else value,
)
def test_what_would_exhaust_the_parser_is_never_given_to_it(text: str, reason: str) -> None:
    (fault,) = faults_of(text)
    assert (fault.policy, fault.line) == ("a/b", 1)
    assert reason in fault.reason
    assert fault.remedy


def test_the_most_intricate_policy_that_is_read_fits_a_small_stack() -> None:
    """Half a mebibyte is less than any thread of a server has."""
    nested = "(" * (DEEPEST_NESTING - 1) + "true" + ")" * (DEEPEST_NESTING - 1)
    chain = " || ".join([nested] + ["true"] * (MOST_OPERATORS - 2))
    found: list[Policy] = []
    before = threading.stack_size(512 * 1024)
    try:
        reader = threading.Thread(target=lambda: found.extend(read(_of(chain))))
        reader.start()
    finally:
        threading.stack_size(before)
    reader.join()
    assert len(found) == 1


def test_the_problem_lists_the_faults() -> None:
    with pytest.raises(PolicyRefusedError) as refusal:
        read(ANNOTATED + "permit (principal")
    problem = refusal.value.as_problem("r")
    assert (problem["code"], problem["status"]) == ("policy-refused", 422)
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
    templates = [file.stem for file in POLICIES.glob("templates/*.toml")]
    rules = [policy.id for policy in platform_policies()]
    for name in (*words, *templates, *rules):
        assert f"`{name}`" in _PAGE, name
    for name in attributes:
        assert re.search(rf"`(?:principal|resource|context)\.{name}`", _PAGE), name

import pytest
from werkzeug.datastructures import MultiDict

from app.errors import InvalidRequestError
from app.sharing import typed_rules
from app.sharing.rule_schemas import from_form
from app.sharing.typed_rules import NOTHING_SAID, Step, joined, moved, read, said, whole

ONE = [
    ("rules-7-name", " police "),
    ("rules-7-label", "Police learn of it"),
    ("rules-7-effect", "permit"),
    ("rules-7-sectors", "police"),
    ("rules-7-countries", "NL, BE;  DE"),
    ("rules-7-barrier_steps", "3"),
    ("rules-7-newer_than", "90"),
    ("rules-7-level", "presence"),
    ("rules-7-screen", "1"),
    ("rules-7-told", "both"),
]
TWO = [("rules-2-name", "customs"), ("rules-2-label", "Customs learn of it")]


def sent(*fields: tuple[str, str]) -> "MultiDict[str, str]":
    return MultiDict(list(fields))


def test_fields_become_the_rule_that_they_say() -> None:
    (rule,) = read(sent(*ONE)).rules
    assert {name: rule[name] for name in said(rule)} == {
        "name": "police",
        "label": "Police learn of it",
        "sectors": ["police"],
        "countries": ["NL", "BE", "DE"],
        "barrier_steps": [3],
        "newer_than": 90,
        "level": "presence",
        "screen": True,
    }
    assert from_form([rule])[0].countries == ("BE", "DE", "NL")


@pytest.mark.parametrize(
    ("field", "typed", "value"),
    [
        ("older_than", ["30"], 30),
        ("older_than", ["1234"], 1234),
        ("newer_than", [""], None),
        ("everybody_else", ["1"], True),
        ("everybody_else", [], False),
        ("screen", ["1"], True),
        ("feed", ["1"], True),
        ("communities", ["benelux, post"], ["benelux", "post"]),
        ("organisations", ["post-be;post-nl"], ["post-be", "post-nl"]),
        ("countries", ["NL", "BE"], ["NL", "BE"]),
        ("information_grades", ["1", "2"], ["1", "2"]),
        ("name", [], ""),
        ("label", [" "], ""),
        ("level", [""], None),
        ("told", [], "both"),
    ],
)
def test_each_field_is_read_as_what_it_is(field: str, typed: list[str], value: object) -> None:
    fields = [(f"rules-1-{field}", each) for each in typed]
    (rule,) = read(sent(("rules-1-effect", "permit"), *fields)).rules
    assert rule[field] == value
    assert type(rule[field]) is type(value)


def test_pages_know_the_steps_by_these_words() -> None:
    assert [step.value for step in Step] == ["save", "add", "remove", "up", "down", "by_hand"]


def test_rules_stand_in_the_order_of_their_fields() -> None:
    assert [rule["name"] for rule in read(sent(*ONE, *TWO)).rules] == ["police", "customs"]
    assert [rule["name"] for rule in read(sent(*TWO, *ONE)).rules] == ["customs", "police"]


def test_what_no_rule_has_is_not_read() -> None:
    typed = read(sent(("rules-1-colour", "red"), ("rules-1", "x"), ("title", "y"), *TWO))
    assert typed.names == ["2"]
    assert set(typed.rules[0]) == set(NOTHING_SAID)


@pytest.mark.parametrize("typed", ["ninety", "9" * 5, "\u0663", "-1"])
def test_what_is_no_number_is_kept_for_the_form_to_refuse(typed: str) -> None:
    (rule,) = read(sent(*TWO, ("rules-2-newer_than", typed))).rules
    assert rule["newer_than"] == typed
    with pytest.raises(InvalidRequestError):
        from_form([rule])


def test_a_step_moves_or_removes_the_rule_that_it_names() -> None:
    def names(step: str) -> list[str]:
        return [rule["name"] for rule in moved(read(sent(*ONE, *TWO, ("do", step))))]

    assert names("save") == ["police", "customs"]
    assert names("down:7") == ["customs", "police"]
    assert names("up:2") == ["customs", "police"]
    assert names("up:7") == names("down:2") == ["police", "customs"]
    assert names("remove:7") == ["customs"]
    assert names("remove:99") == ["police", "customs"]


def test_a_rule_moves_by_one_place() -> None:
    three = (*ONE, *TWO, ("rules-9-name", "post"))

    def names(step: str) -> list[str]:
        return [rule["name"] for rule in moved(read(sent(*three, ("do", step))))]

    assert names("up:9") == ["police", "post", "customs"]
    assert names("down:7") == ["customs", "police", "post"]


def test_a_step_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        read(sent(("do", "burn:1")))
    assert [fault["field"] for fault in refusal.value.extensions["errors"]] == ["do"]
    assert read(sent(("do", "add:nothing"))).step is Step.ADD


def test_added_rules_get_names_that_are_free() -> None:
    long = "x" * 40
    found = joined([{"name": "a"}, {"name": long}], [{"name": "a"}, {"name": "a"}, {"name": long}])
    names = [rule["name"] for rule in found]
    assert names == ["a", long, "a-2", "a-3", f"{long[:37]}-2"]
    assert all(len(name) <= 40 for name in names)


def test_a_rule_that_leaves_something_out_is_shown_whole() -> None:
    assert whole({"name": "a"}) == {**typed_rules.NOTHING_SAID, "name": "a"}
    assert whole({})["name"] == whole({})["label"] == ""

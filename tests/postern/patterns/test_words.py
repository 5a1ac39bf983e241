"""What is told of rules and hits: in four languages, in STIX, and as a schema for editors."""

# ruff: noqa: E501 - patterns are compared as they are, on one line

import json
from datetime import UTC, datetime

import pytest

from postern.patterns.explanation import explained_hit, explained_rule
from postern.patterns.fields import FIELDS
from postern.patterns.schema import filter_schema, rule_schema
from postern.patterns.stix import stix_pattern
from postern.patterns.words import LANGUAGES, words
from tests.postern.patterns.examples import row_rule, rule

NOW = datetime(2026, 11, 26, 8, tzinfo=UTC)


def test_every_language_has_words_for_the_same_things() -> None:
    first = words("en")
    for language in LANGUAGES:
        spoken = words(language)
        assert spoken.fields.keys() == FIELDS.keys()
        assert spoken.phrases.keys() == first.phrases.keys()
        assert spoken.values.keys() == first.values.keys()
        for name, phrase in spoken.phrases.items():
            assert sorted(braces(phrase)) == sorted(braces(first.phrases[name])), (language, name)
    assert {word for field in FIELDS.values() for word in field.words} == first.values.keys()


def braces(phrase: str) -> list[str]:
    return [part.partition("}")[0] for part in phrase.split("{")[1:]]


def test_a_language_that_is_not_spoken_is_refused() -> None:
    with pytest.raises(KeyError):
        words("xx")


def test_a_rule_is_told_with_its_window() -> None:
    assert explained_rule(rule(), "en") == (
        "A parcel counts if: (declared category: documents and net weight: 100 g to 500 g) and not "
        "(payment of postage: on account). Counted together are parcels with the same country of "
        "posting and sender's postcode area. They hit if, within 7 consecutive days: parcels: at "
        "least 3 and different values of addressee: at least 3."
    )


def test_amounts_are_written_as_the_language_does() -> None:
    read = rule(row_rule("a: {'value_eur|gt': 12.5}", "a"))
    assert "12,50 EUR" in explained_rule(read, "de")
    assert "12.50 EUR" in explained_rule(read, "en")


def test_a_hit_is_told_by_what_of_it_fulfils_the_rule() -> None:
    read = rule()
    told = explained_hit(read, read.examples[0].rows[0], 20_454, [3, 3], "en")
    assert told == (
        "declared category: documents; net weight: 200 g; in the 7 days to 2026-01-01: parcels: 3 "
        "and different values of addressee: 3"
    )


def test_a_hit_never_tells_who_it_is() -> None:
    read = rule(row_rule("a: {'sender_name|exists': yes}", "a"))
    assert explained_hit(read, {"sender_name": 4711}, None, [], "en") == "sender's name: given"


@pytest.mark.parametrize(
    ("selections", "condition", "pattern"),
    [
        ("a: {'value_eur|gte': 12.5}", "a", "[x-postal-item:value_eur >= 12.50]"),
        (
            "a: {'contents|words': tea}\nb: {origin_country: [KE, ET]}",
            "a and b",
            "[(x-postal-item:contents LIKE '% tea %' AND x-postal-item:origin_country IN ('KE', 'ET'))]",
        ),
        (
            "a: {'hs_code|startswith': '09'}",
            "not a",
            "[(NOT EXISTS x-postal-item:hs_code OR x-postal-item:hs_code NOT LIKE '09%')]",
        ),
        ("a: {'sender_phone|exists': no}", "a", "[NOT EXISTS x-postal-item:sender_phone]"),
        (
            "a: {'pieces|between': [2, 3]}\nb: {sender_area_differs: yes}",
            "not (a or b)",
            "[((NOT EXISTS x-postal-item:pieces OR (x-postal-item:pieces < 2 OR x-postal-item:pieces "
            "> 3)) AND (NOT EXISTS x-postal-item:sender_area_differs OR "
            "x-postal-item:sender_area_differs != true))]",
        ),
    ],
)
def test_a_rule_about_one_parcel_is_whole_in_stix(
    selections: str, condition: str, pattern: str
) -> None:
    found = stix_pattern(rule(row_rule(selections, condition)))
    assert found is not None
    assert (found.pattern, found.losses) == (pattern, ())


def test_an_aggregate_says_what_stix_loses() -> None:
    found = stix_pattern(rule())
    assert found is not None
    assert found.pattern.endswith("REPEATS 3 TIMES WITHIN 604800 SECONDS")
    assert "distinct of addressee is not compared." in found.losses


def test_the_schema_knows_every_field_and_what_may_be_asked_of_it() -> None:
    schema = rule_schema()
    asked = schema["properties"]["detection"]["additionalProperties"]["properties"]
    expected = {
        name if modifier == "equals" else f"{name}|{modifier}"
        for name, field in FIELDS.items()
        for modifier in field.modifiers
    }
    assert asked.keys() == expected - {"account"}
    own = filter_schema()["properties"]["detection"]["additionalProperties"]["properties"]
    assert own.keys() == expected
    assert json.loads(json.dumps(schema)) == schema

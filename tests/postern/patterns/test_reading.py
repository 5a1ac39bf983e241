"""Reading rules: what is refused, where, and with which remedy."""

import pytest

from postern.patterns import PatternError, read_filters, read_rules
from postern.patterns.model import Level, Status
from postern.patterns.plain import failed_examples, hits
from postern.vocabulary import Tlp
from tests.postern.patterns.examples import DOCUMENT, changed, row_rule, rule

FILTER = """\
format: parcel-filter/1
id: 5f4f1d2e-0b5e-4f0a-9d0c-2d0a8f0f0f01
title: Our own newsletter
description: The printer posts it every month.
rules: any
detection:
  printer: {account: K-1}
  condition: printer
"""


def faults(text: str) -> list[tuple[int, int, str]]:
    """Line, column, and reason with remedy, of what is wrong with a text."""
    with pytest.raises(PatternError) as caught:
        read_rules(text)
    return [
        (each.line, each.column, f"{each.reason} {each.remedy}") for each in caught.value.faults
    ]


def test_a_whole_rule_is_read_with_its_types() -> None:
    read = rule()
    assert (read.level, read.status, read.tlp, read.barrier_step) == (
        Level.HIGH,
        Status.EXPERIMENTAL,
        Tlp.GREEN,
        5,
    )
    assert read.selection("docs").predicates[1].operands == (100, 500)
    assert read.aggregate is not None
    assert (read.aggregate.days, [each.threshold for each in read.aggregate.having]) == (7, [3, 3])
    assert read.examples[0].rows[0]["origin_country"] == "NO"
    assert list(failed_examples(read)) == []


def test_norway_and_codes_with_a_zero_stay_texts() -> None:
    read = rule(row_rule("n: {origin_country: NO, hs_code: 010121}", "n"))
    assert [each.operands for each in read.selections[0].predicates] == [("NO",), ("010121",)]


def test_amounts_are_kept_as_whole_numbers_of_their_scale() -> None:
    read = rule(row_rule("n: {'value_eur|gt': 12.5, 'net_weight_g|lt': 90}", "n"))
    assert [each.operands for each in read.selections[0].predicates] == [(1250,), (90,)]


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "told"),
    [
        ("{declared_cat", "{declaredcat", 14, 10, "Did you mean declared_category"),
        ("category: documents, '", "category: documnts, '", 14, 29, "Did you mean documents?"),
        ("[100, 500]", "[100, many]", 14, 70, "'many' is not a number"),
        ("[100, 500]", "[500, 100]", 14, 64, "two bounds"),
        ("[100, 500]", "[100.5, 500]", 14, 65, "too many decimals"),
        ("[100, 500]", "[100, 99999999999]", 14, 70, "is no possible net_weight_g"),
        ("net_weight_g|between", "net_weight_g|contains", 14, 40, "takes no contains"),
        ("net_weight_g|between", "net_weight_g|re", 14, 40, "There is no modifier 're'"),
        ("docs and not known", "docs and not knwon", 16, 14, "'knwon', which is no selection"),
        ("docs and not known", "docs and", 16, 22, "name of a selection is missing"),
        ("docs and not known", "docs and (known", 16, 29, "parenthesis is not closed"),
        ("docs and not known", "docs known", 16, 19, "goes on with 'known'"),
        ("docs and not known", "docs; import os", 16, 18, "cannot stand in a condition"),
        ("docs and not known", "docs", 15, 3, "'known' is not in the condition"),
        ("within: 7d", "within: 7 days", 19, 11, "such as 7d"),
        ("within: 7d", "within: 40d", 19, 11, "not 1d to 31d"),
        ("'count|gte': 3, ", "'count|gte': -3, ", 20, 25, "whole number"),
        ("addressee|distinct", "addresee|distinct", 20, 28, "Did you mean addressee"),
        ("distinct|gte", "sum|gte", 20, 28, "has no measure 'sum'"),
        ("distinct|gte", "distinct", 20, 28, "does not say how it is compared"),
        ("[origin_country, ", "[net_weight_g, ", 18, 8, "cannot be grouped by net_weight_g"),
        ("by: [origin_country, sender_postcode_area]", "by: sender", 18, 7, "not a list"),
        ("level: high", "level: hihg", 9, 8, "Did you mean high?"),
        ("barrier_step: 5", "barrier_step: 8", 8, 15, "from 1 to 7"),
        ("expires: 2027-11-30", "expires: 2027-02-30", 12, 10, "not a day"),
        ("tlp: GREEN", "tlp: GREEN\ncode: x", 12, 1, "The key 'code' is not known"),
        ("tlp: GREEN\n", "", 1, 1, "The key 'tlp' is missing"),
        ("id: 5f4f1d2e", "id: 5f4", 2, 5, "not a UUID"),
        ("pattern/1", "pattern/2", 1, 9, "format is not parcel-pattern/1"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    old: str, new: str, line: int, column: int, told: str
) -> None:
    found = faults(changed(old, new))
    assert any(each[:2] == (line, column) and told in each[2] for each in found), found


@pytest.mark.parametrize(
    ("selection", "told"),
    [
        ("{sender_name: Jansen}", "A rule names no person"),
        ("{'addressee|startswith': J}", "A rule names no person"),
        ("{item_id: RB123456785GB}", "A rule names no person"),
        ("{account: K-1}", "Name customers in a filter instead"),
        ("{'contents|contains': '?'}", "fewer than 2 letters"),
        ("{origin_country: Norway}", "two capitals"),
        ("{origin_country: ZZ}", "two capitals"),
        ("{hs_code: 4901}", "hs_code|startswith"),
        ("{sender_area_differs: maybe}", "yes or no"),
        ("{'sender_phone|exists': maybe}", "yes or no"),
        ("{contents: toys}", "contents|contains"),
        ("{}", "1 to 20 fields"),
        ("nothing", "1 to 20 fields"),
    ],
)
def test_a_selection_takes_only_what_its_field_allows(selection: str, told: str) -> None:
    assert any(told in each[2] for each in faults(row_rule(f"n: {selection}", "n")))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (changed("docs: {", "docs: &a {"), "Anchors and aliases"),
        (changed("docs: {", "docs: !!python/object:os.system {"), "Tags are not allowed"),
        (changed("level: high", "level: high\nlevel: low"), "stands here twice"),
        (changed("docs: {", "docs: [{"), "not YAML"),
        ("a: " + "[" * 12 + "]" * 12, "nested deeper"),
        (DOCUMENT + f"# {'x' * 70_000}\n...\n", "longer than 64 KiB"),
        ("a: [" + "x, " * 6_000 + "x]", "more than 5000 parts"),
        ("x" * 2_200_000, "larger than 2 MiB"),
        ("", "It is empty"),
        ("- a list", "not a map"),
        ("a: \x07", "does not allow"),
        (f"{DOCUMENT}---\n{DOCUMENT}", "has the same id"),
    ],
    ids=lambda each: each[:20],
)
def test_what_could_run_or_cost_too_much_is_refused(text: str, told: str) -> None:
    assert any(told in each[2] for each in faults(text))


def test_an_aggregate_needs_a_least_number_of_parcels() -> None:
    text = changed("{'count|gte': 3, 'addressee|distinct|gte': 3}", "{'count|lte': 3}")
    assert any("how many parcels" in each[2] for each in faults(text))


def test_an_example_holds_no_data_of_persons() -> None:
    found = faults(changed("addressee: each", "addressee: jan j"))
    assert any("no data of persons" in each[2] for each in found)


def test_an_example_that_does_not_do_as_it_says_is_told() -> None:
    (failed,) = failed_examples(rule(changed("times: 3}", "times: 2}")))
    assert (failed.line, failed.must_hit) == (23, True)


def test_every_fault_of_a_file_is_told_in_order() -> None:
    text = changed("level: high", "level: x").replace("within: 7d", "within: x")
    assert [each[0] for each in faults(text)] == [9, 19]


def test_a_filter_may_name_a_customer_and_keeps_its_parcels_out() -> None:
    (kept_out,) = read_filters(FILTER)
    read = rule(row_rule("n: {'net_weight_g|gt': 100}", "n"))
    rows = [{"net_weight_g": 200, "account": "K-1"}, {"net_weight_g": 200}]
    assert hits(read, rows) == {0, 1}
    assert hits(read, rows, [kept_out]) == {1}
    (other,) = read_filters(FILTER.replace("any", "[5f4f1d2e-0b5e-4f0a-9d0c-2d0a8f0fffff]"))
    assert hits(read, rows, [other]) == {0, 1}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [("any", "[x]", "not the id of a rule"), ("any", "none", "not said which rules")],
)
def test_a_filter_says_which_rules_it_is_for(old: str, new: str, told: str) -> None:
    with pytest.raises(PatternError, match=told):
        read_filters(FILTER.replace(old, new))

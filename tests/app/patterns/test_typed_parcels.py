"""Parcels of the library's own tests come out of the form as they went into it."""

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict

from app.patterns import library, typed_parcels
from app.patterns.typed_parcels import TypedParcels
from postern.patterns import read_rules
from postern.patterns.examples import typed_parcels as read_parcels
from postern.patterns.plain import hits, told_hits


@pytest.mark.parametrize("starter", library.starters(), ids=lambda each: each.name)
def test_a_test_of_the_library_hits_as_typed_parcels_too(starter: library.Starter) -> None:
    rule = starter.rule
    for example in rule.examples:
        typed = typed_parcels.of_rows(example.rows, typed_parcels.mentioned(rule))
        rows, faults = read_parcels([list(parcel.items()) for parcel in typed])
        assert faults == []
        found = hits(rule, [row for _place, row in rows])
        assert bool(found) is example.must_hit
        assert told_hits(rule, [row for _place, row in rows]).keys() == found


def test_only_fields_of_the_dictionary_are_read_and_empty_ones_left_out() -> None:
    form = MultiDict(
        [
            ("parcel-1-contents", " tea "),
            ("parcel-0-pieces", "2"),
            ("parcel-0-hs_code", " "),
            ("parcel-0-street", "x"),
            ("parcel-99-pieces", "2"),
            ("also", "service"),
            ("also", "odd"),
        ]
    )
    assert typed_parcels.read(form) == TypedParcels(
        [{"pieces": "2"}, {"contents": "tea"}], ["service"]
    )


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_form_shows_the_fields_of_the_rule_and_offers_the_others(app: Flask) -> None:
    rule = next(each for each in library.starters() if each.name == "documents-fan-out").rule
    with app.test_request_context(headers={"Accept-Language": "fr"}):
        shown = typed_parcels.shown_fields(TypedParcels([{"contents": "books"}]), rule, "fr")
        offered = typed_parcels.offered_fields(shown, "fr")
    names = [each.name for each in shown]
    assert names == [
        *("declared_category", "service", "net_weight_g", "payment", "sender_business"),
        *("origin_country", "sender_postcode_area", "destination_country", "addressee"),
        *("contents", "posted_on", "times"),
    ]
    assert not {each.name for each in offered} & set(names)
    assert next(each for each in shown if each.name == "addressee").type == "person"


def test_a_copy_of_a_starter_has_an_id_and_an_author_of_its_own() -> None:
    (first, *_rest) = library.starters()
    copy = library.begun(first, "Post: 'of' Example #1")
    (rule,) = read_rules(copy)
    assert rule.author == "Post: 'of' Example #1"
    assert rule.id != first.rule.id

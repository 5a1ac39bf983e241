"""What hits tell of their window, and parcels that somebody types."""

from postern.patterns.examples import typed_parcels
from postern.patterns.explanation import explained_hit
from postern.patterns.model import Row
from postern.patterns.plain import hits, told_hits
from tests.postern.patterns.examples import row_rule, rule


def letters(days: list[int], addressee: str = "each") -> list[Row]:
    """Letters that fulfil the condition of the example rule, one on each day of December 2025."""
    parcel = {
        "declared_category": "documents",
        "net_weight_g": "200",
        "origin_country": "NL",
        "sender_postcode_area": "47",
        "addressee": addressee,
    }
    typed = [[*parcel.items(), ("posted_on", f"2025-12-{day:02}")] for day in days]
    rows, faults = typed_parcels(typed)
    assert faults == []
    return [row for _place, row in rows]


def test_of_several_windows_the_fullest_is_told_and_of_these_the_first() -> None:
    rows = letters([1, 2, 3, 8, 9, 9])
    told = told_hits(rule(), rows)
    assert told.keys() == hits(rule(), rows) == set(range(6))
    (first, last) = told[0], told[5]
    assert first is not None
    assert last is not None
    assert (first.places, first.amounts) == ((0, 1, 2), (3, 3))
    assert (last.places, last.amounts) == ((2, 3, 4, 5), (4, 4))
    assert "in the 7 days to 2025-12-09: parcels: 4" in explained_hit(
        rule(), rows[5], last.end, last.amounts, "en"
    )


def test_what_fulfils_the_condition_and_no_window_hits_nothing() -> None:
    assert told_hits(rule(), letters([1, 2, 20])) == {}
    assert told_hits(rule(), letters([1, 2, 3], addressee="A")) == {}


def test_a_rule_about_single_parcels_has_no_window() -> None:
    single = rule(row_rule("a: {pieces: 2}", "a"))
    rows, _faults = typed_parcels([[("pieces", "2")], [("pieces", "3")]])
    assert told_hits(single, [row for _place, row in rows]) == {0: None}


def test_a_repeated_parcel_makes_several_rows_of_its_place() -> None:
    rows, faults = typed_parcels([[("pieces", "2")], [("sender", "each"), ("times", "3")]])
    assert faults == []
    assert [place for place, _row in rows] == [0, 1, 1, 1]
    assert len({row["sender"] for place, row in rows if place == 1}) == 3


def test_a_fault_of_typed_parcels_names_parcel_and_field() -> None:
    parcels = [
        [("pieces", "2")],
        [("service", "letter"), ("pieces", "many")],
        [("sender_name", "Jane Doe"), ("odd", "1")],
    ]
    _rows, faults = typed_parcels(parcels)
    assert [(each.line, each.column) for each in faults] == [(2, 2), (3, 1), (3, 2)]


def test_too_many_parcels_are_refused() -> None:
    _rows, faults = typed_parcels([[("pieces", "2"), ("times", "100")]] * 3)
    assert [each.reason for each in faults] == ["It has more than 200 parcels."]

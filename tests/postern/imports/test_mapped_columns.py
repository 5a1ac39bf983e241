import pytest

from postern.columns import IGNORE
from postern.imports import MappedColumns, read_mapping
from postern.imports.cells import day_of
from postern.imports.model import DAY_EXAMPLES, DayForm, MappedColumn, Verified
from postern.imports.tally import LONGEST_SHOWN, MOST_WORDS
from postern.terms import FaultError
from tests.postern.imports.mappings import SMALL, columns_of, row_of


def fault_of(**cells: str) -> str:
    with pytest.raises(FaultError) as caught:
        row_of(cells)
    (fault,) = caught.value.faults
    return fault.field


def test_a_heading_is_known_whatever_the_order_of_its_words_and_its_accents() -> None:
    assert row_of({"part, company": "from", "CÔMPANY": "Muster GmbH"}) == {
        "sender_business": "Muster GmbH"
    }


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Snow", "cocaine"),
        ("WHITE-LADY", "cocaine"),
        ("cocaïne", "cocaine"),
        ("cocaine powder", "cocaine"),
        ("Powder of cocaine (wet)", "cocaine"),
        ("Snow; heroin", "cocaine"),
        ("pink; heroin", "heroin"),
    ],
)
def test_a_word_is_that_of_the_mapping_of_the_vocabulary_or_of_its_first_known_part(
    text: str, word: str
) -> None:
    assert row_of({"Drug": text}) == {"substance": word}


def test_a_word_that_says_nothing_is_left_out_and_not_counted_as_unknown() -> None:
    columns = columns_of("Drug")
    assert columns.read(("to be analysed",)) == {"learned": "customs_control"}
    assert not columns.tally.unknown


def test_an_unknown_word_is_left_out_and_counted_once() -> None:
    columns = columns_of("Drug", "Story")
    for _ in range(3):
        assert "substance" not in columns.read(("pink  stuff", ""))
    columns.read(("snow, heroin", ""))
    assert columns.tally.unknown == {("Drug", "substance", "pink stuff"): 3}
    assert columns.tally.several == {"Drug": 1}


def test_the_tally_does_not_grow_with_words_without_end() -> None:
    columns = columns_of("Drug")
    for number in range(MOST_WORDS + 7):
        columns.read((f"stuff {number}",))
    columns.read(("x" * (LONGEST_SHOWN + 1),))
    assert len(columns.tally.unknown) == MOST_WORDS
    assert columns.tally.beyond == {("Drug", "substance"): 8}


def test_an_unknown_marking_is_never_left_out() -> None:
    assert row_of({"Marking": "secret"}) == {"tlp": "RED"}
    assert row_of({"Marking": "cosmic"}) == {"tlp": "cosmic"}  # which refuses the row


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("3/4/2026", "2026-03-04"),
        ("03.04.26", "2026-03-04"),
        ("2026-03-04 12:00", "2026-03-04"),
        ("46085", "2026-03-04"),
        ("46085,75", "2026-03-04"),
    ],
)
def test_a_day_is_read_in_the_forms_of_its_line(text: str, day: str) -> None:
    assert row_of({"Seized": text}) == {"observed_from": day}


@pytest.mark.parametrize("text", ["25/12/2026", "4 March 2026", "soon", "2026-02-30", "3/4/026"])
def test_a_day_in_another_form_refuses_the_row(text: str) -> None:
    assert fault_of(Seized=text) == "observed_from"


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1er mars 2026", "2026-03-01"),
        ("12 maart 2026", "2026-03-12"),
        ("3. März 2026", "2026-03-03"),
        ("3 aug. 2026", "2026-08-03"),
        ("5-août-2026", "2026-08-05"),
        ("31/12/25", "2025-12-31"),
        ("20261125", "2026-11-25"),
    ],
)
def test_days_are_read_in_four_languages_and_the_day_first_unless_a_line_says_otherwise(
    text: str, day: str
) -> None:
    usual = SMALL.replace("    days: [month_first, iso, serial]\n", "")
    assert row_of({"Seized": text}, usual) == {"observed_from": day}


@pytest.mark.parametrize(
    ("heading", "text", "weight"),
    [
        ("Weight", "2", "907.18 g"),
        ("Weight", "2 kg", "2 kg"),
        ("Weight", "2,5 oz", "70.87 g"),
        ("Weight (kg)", "1,250", "1,250 kg"),
        ("Weight (mg)", "800.000", "800.00 g"),
        ("Weight in tonnes", "0.01", "10000.00 g"),
        ("Weight", "heavy", "heavy"),
    ],
)
def test_a_weight_carries_its_unit_and_is_in_grams_where_postern_has_no_such_unit(
    heading: str, text: str, weight: str
) -> None:
    assert row_of({heading: text}) == {"gross_weight": weight}


@pytest.mark.parametrize(
    ("part", "prefix"), [("from", "sender_"), ("to", "addressee_"), ("driver", ""), ("", "")]
)
def test_a_person_has_the_role_of_its_part_and_no_other(part: str, prefix: str) -> None:
    cells = {"Part": part, "First": "Sophie", "Last": "Van Damme", "Town": "Bruxelles"}
    assert row_of(cells) == {f"{prefix}name": "Sophie Van Damme", f"{prefix}city": "Bruxelles"}


def test_two_parties_in_one_role_are_never_mixed() -> None:
    columns = columns_of("Part", "Last", "Company part", "Company", "Sender's city", "Name")
    row = columns.read(("from", "Van Damme", "from", "Muster GmbH", "Gent", ""))
    assert row == {
        "learned": "customs_control",
        "sender_city": "Gent",
        "name": "Van Damme",
    }
    assert columns.tally.left_out == {("business", "two others stand in the row before it"): 1}


def test_what_is_no_mail_address_is_left_out_and_not_shown() -> None:
    columns = columns_of("Wire")
    assert "email" not in columns.read(("02 555 12 34",))
    assert columns.read(("a@example.org",))["email"] == "a@example.org"
    assert columns.tally.left_out == {("Wire", "it is not an e-mail address"): 1}


def test_a_row_about_another_transport_is_refused_and_an_unknown_one_goes_on() -> None:
    assert fault_of(By="Lorry") == "scope"
    assert row_of({"By": "parcel"}) == row_of({"By": "plane"}) == row_of({"By": "balloon"}) == {}


def test_free_text_becomes_the_note_under_its_heading_and_dropped_cells_are_counted() -> None:
    columns = columns_of("Story", "Officer", "Remarks")
    row = columns.read(("In a toy.", "desk 4", "Wet."))
    assert row["note"] == "Story: In a toy.\nRemarks: Wet."
    assert columns.tally.dropped == {"Officer": 1}
    assert columns.tally.sealed == {"Story": 1, "Remarks": 1}


def test_a_column_that_the_mapping_does_not_know_is_read_under_its_own_name_or_told() -> None:
    columns = columns_of("Item number", "postern_line", "", "Ribbon")
    assert columns.unused == ("(column 3, without a heading)", "Ribbon")
    assert columns.fields == {"item_id", "learned"}
    assert IGNORE not in columns.fields


def test_the_first_of_two_columns_that_holds_something_counts() -> None:
    assert row_of({"Day": "2026-03-05", "Seized": ""}) == {"observed_from": "2026-03-05"}
    assert row_of({"Day": "2026-03-05", "Seized": "2026-03-04"}) == {"observed_from": "2026-03-04"}


def test_a_constant_gives_way_to_a_column_and_to_whoever_says_otherwise() -> None:
    mapping = read_mapping(SMALL)
    said = MappedColumns(("How learned",), mapping)
    assert said.read(("xray",)) == {"learned": "xray"}
    assert said.read(("",)) == {"learned": "customs_control"}
    without = MappedColumns(("Drug",), mapping, without=frozenset({"learned"}))
    assert without.fields == {"substance"}
    assert said.told() != MappedColumns(("Drug",), mapping).told()


def test_other_mappings_constants_and_places_are_noticed_when_a_run_goes_on() -> None:
    told = [
        columns_of("Drug").told(),
        columns_of("Drug", mapping=SMALL.replace("snow", "rain")).told(),
        columns_of("Seized", "Drug").told(),
        MappedColumns(("Drug",), read_mapping(SMALL), without=frozenset({"learned"})).told(),
    ]
    assert all(one != other for one in told for other in told if one is not other)


@pytest.mark.parametrize("form", DayForm)
def test_the_example_of_each_form_is_a_day_in_that_form_alone(form: DayForm) -> None:
    forms = {
        other
        for other in DayForm
        if day_of(
            MappedColumn("observed_from", ("Day",), "day", Verified.ASSUMED, days=(other,)),
            DAY_EXAMPLES[form],
        )
    }
    assert forms == {form}

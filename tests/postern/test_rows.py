from datetime import date

import pytest

from postern.normalise import Address, Party, Phone, normalise
from postern.rows import Reading, ReadRow, read_row, sightings
from postern.shipment import AmountUnits
from postern.terms import FaultError, Terms
from postern.vocabulary import Kind, Learned, LegalBasis, PartyRole

TERMS = Terms(learned=Learned.XRAY, legal_basis=LegalBasis.POSTAL_LAW)
READING = Reading(date(2026, 11, 25), TERMS, operator="Example Post", country="be")
SENDER = {
    "sender_name": "Jan de Vries",
    "sender_street": "Keizersgracht 12",
    "sender_postcode": "1015 CS",
    "sender_city": "Amsterdam",
    "sender_country": "NL",
}


def kinds(row: ReadRow) -> list[tuple[str, Kind, PartyRole]]:
    return [(each.source, each.value.kind, each.role) for each in row.sightings]


def test_a_full_row_gives_one_sighting_for_each_thing() -> None:
    row = {
        **SENDER,
        "sender_phone": "020 123 4567",
        "addressee_street": "Meir 5",
        "addressee_postcode": "2000",
        "addressee_email": "someone@mail.example",
        "item_id": "RB123456785GB",
        "induction_point": "BRU-12",
        "vendor_market": "Bazaar",
        "vendor_handle": "DutchMagic",
        "pgp": "A" * 40,
        "payment": "NL91 ABNA 0417 1643 00",
    }
    assert kinds(read_row(row, READING)) == [
        ("sender_name", Kind.PARTY, PartyRole.SENDER),
        ("sender_phone", Kind.PHONE, PartyRole.SENDER),
        ("addressee_street", Kind.ADDRESS, PartyRole.ADDRESSEE),
        ("addressee_email", Kind.EMAIL, PartyRole.ADDRESSEE),
        ("item_id", Kind.ITEM, PartyRole.SHIPMENT),
        ("induction_point", Kind.INDUCTION_POINT, PartyRole.INDUCTION_POINT),
        ("vendor_handle", Kind.VENDOR, PartyRole.VENDOR),
        ("pgp", Kind.PGP, PartyRole.VENDOR),
        ("payment", Kind.PAYMENT, PartyRole.VENDOR),
    ]


def test_a_national_number_takes_the_country_of_its_party() -> None:
    row = read_row({**SENDER, "sender_phone": "020 123 4567"}, READING)
    assert row.sightings[1].value == normalise(Phone("020 123 4567", "nl"))
    alone = read_row({"phone": "0475 12 34 56"}, READING)
    assert alone.sightings[0].value == normalise(Phone("0475 12 34 56", "be"))
    assert alone.sightings[0].role is PartyRole.UNKNOWN


def test_an_address_in_one_column_is_taken_apart() -> None:
    whole = read_row({"sender_street": "Meir 5, 2000 Antwerpen, Belgium"}, READING)
    parts = Address(("Meir 5",), "2000", "Antwerpen", "be")
    assert whole.sightings[0].value == normalise(parts)


def test_house_number_and_box_may_have_columns_of_their_own() -> None:
    row = {
        "sender_street": "Meir",
        "sender_house_number": "5",
        "sender_box": "3",
        "sender_postcode": "2000",
        "sender_city": "Antwerpen",
    }
    expected = normalise(Address(("Meir 5 bus 3",), "2000", "Antwerpen"))
    assert read_row(row, READING).sightings[0].value == expected


def test_a_firm_stands_for_a_missing_name() -> None:
    row = {**SENDER, "sender_business": "Example Ltd"}
    assert (
        read_row(row, READING).sightings[0].value.form
        == normalise(
            Party("Jan de Vries", ("Keizersgracht 12",), "1015 CS", "Amsterdam", "nl")
        ).form
    )
    del row["sender_name"]
    assert (
        read_row(row, READING).sightings[0].value.form
        == normalise(Party("Example Ltd", ("Keizersgracht 12",), "1015 CS", "Amsterdam", "nl")).form
    )


def test_a_value_that_holds_too_little_is_a_doubt_when_there_is_another() -> None:
    row = read_row({"sender_name": "Jan", "item_id": "RB123456785GB"}, READING)
    assert [each.source for each in row.sightings] == ["item_id"]
    assert row.flags == ("sender_name_holds_too_little",)


@pytest.mark.parametrize(
    ("cells", "words"),
    [({"sender_name": "Jan"}, "holds too little"), ({"hs": "29"}, "nothing to compare")],
)
def test_a_row_with_nothing_to_compare_is_a_fault(cells: dict[str, str], words: str) -> None:
    with pytest.raises(FaultError) as caught:
        read_row(cells, READING)
    (fault,) = caught.value.faults
    assert fault.field == "row"
    assert words in fault.reason


def test_a_wrong_field_refuses_the_row_and_all_faults_are_told() -> None:
    with pytest.raises(FaultError) as caught:
        read_row({**SENDER, "sender_phone": "12", "item_id": "?", "tlp": "PURPLE"}, READING)
    faults = {fault.field: fault for fault in caught.value.faults}
    assert faults.keys() == {"sender_phone", "item_id", "tlp"}
    assert all(fault.reason and fault.remedy for fault in faults.values())


def test_a_place_is_sent_as_it_is_written_with_its_country() -> None:
    row = read_row({"induction_point": "BRU-12", "induction_country": "nl"}, READING)
    assert row.sightings[0].place == {
        "operator": "Example Post",
        "code": "BRU-12",
        "country": "NL",
    }


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        ({"induction_point": "Café 12"}, "induction_point"),
        ({"induction_point": "B12", "induction_operator": "X" * 41}, "induction_operator"),
        ({"induction_point": "B12", "induction_country": "nowhere"}, "induction_country"),
    ],
)
def test_a_place_that_is_no_code_is_refused_before_it_is_sent_in_clear(
    cells: dict[str, str], field: str
) -> None:
    with pytest.raises(FaultError) as caught:
        read_row(cells, READING)
    assert [fault.field for fault in caught.value.faults] == [field]


def test_shipment_fields_are_generalised() -> None:
    row = {
        **SENDER,
        "addressee_country": "United States",
        "gross_weight": "1,2",
        "net_weight": "0,1",
        "total_value": "100",
        "currency": "EUR",
        "hs": "2933.39",
        "declared_category": "Échantillon commercial",
        "service": "Einschreiben",
        "concealment": "decoy goods",
        "substance": "MDMA",
    }
    reading = Reading(READING.today, TERMS, AmountUnits(weight="kg"))
    read = read_row(row, reading)
    assert read.shipment == {
        "origin_country": "NL",
        "destination_country": "US",
        "weight_band": "1000-2000",
        "value_band": "22-150",
        "hs_chapter": "29",
        "declared_category": "commercial_sample",
        "service": "registered",
        "concealment": "decoy_goods",
        "substance": "mdma",
    }
    assert read.flags == ()


def test_shipment_fields_that_cannot_be_read_are_doubts_and_refuse_nothing() -> None:
    row = {
        **SENDER,
        "addressee_country": "Nowhere",
        "gross_weight": "1",
        "value": "10",
        "currency": "USD",
        "hs": "x",
        "declared_category": "stuff",
    }
    read = read_row(row, READING)
    assert read.shipment == {"origin_country": "NL"}
    assert set(read.flags) == {
        "addressee_country_unknown",
        "weight_without_unit",
        "value_not_in_euro",
        "hs_unreadable",
        "declared_category_unknown",
    }


def test_a_unit_in_the_heading_goes_before_the_option() -> None:
    units = AmountUnits("kg", "USD", {"gross_weight": "g", "value": "EUR"})
    row = {**SENDER, "gross_weight": "90", "value": "10"}
    shipment = read_row(row, Reading(READING.today, TERMS, units)).shipment
    assert shipment["weight_band"] == "0-100"
    assert shipment["value_band"] == "0-22"


def test_the_country_of_the_shipment_goes_before_that_of_the_sender() -> None:
    shipment = read_row({**SENDER, "origin_country": "BE"}, READING).shipment
    assert shipment["origin_country"] == "BE"


def test_a_lookup_needs_no_terms() -> None:
    found, flags = sightings({"email": "a@b.example"}, Reading(READING.today))
    assert [each.value.kind for each in found] == [Kind.EMAIL]
    assert flags == ()

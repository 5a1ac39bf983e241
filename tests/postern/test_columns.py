from pathlib import Path

import pytest

from postern.columns import FIELDS, ColumnsError, load_overrides, read_header

CN23 = {
    "Sender's name": "sender_name",
    "Sender\u2019s address": "sender_street",
    "Sender's business": "sender_business",
    "Sender's postcode": "sender_postcode",
    "Sender's country": "sender_country",
    "Sender's phone": "sender_phone",
    "Addressee's name": "addressee_name",
    "Addressee's address": "addressee_street",
    "Addressee's postcode": "addressee_postcode",
    "Addressee's e-mail": "addressee_email",
    "Item number": "item_id",
    "Net weight": "net_weight",
    "Total gross weight": "gross_weight",
    "Value": "value",
    "Total value": "total_value",
    "HS tariff number": "hs",
    "Country of origin": "goods_origin",
    "Category of item": "declared_category",
    "Office of origin": "induction_point",
    "Date of posting": "observed_from",
}
OTHER_LANGUAGES = {
    "Nom de l'expéditeur": "sender_name",
    "Adresse de l\u2019expéditeur": "sender_street",
    "Code postal du destinataire": "addressee_postcode",
    "Localité du destinataire": "addressee_city",
    "N° d'envoi": "item_id",
    "Poids brut": "gross_weight",
    "Valeur déclarée": "value",
    "Date de dépôt": "observed_from",
    "Catégorie de l'envoi": "declared_category",
    "Naam van de afzender": "sender_name",
    "Adres afzender": "sender_street",
    "Postcode geadresseerde": "addressee_postcode",
    "Woonplaats ontvanger": "addressee_city",
    "Telefoonnummer van de ontvanger": "addressee_phone",
    "Zendingnummer": "item_id",
    "Brutogewicht": "gross_weight",
    "HS-tariefnummer": "hs",
    "Datum van afgifte": "observed_from",
    "Name des Absenders": "sender_name",
    "Absenderanschrift": "sender_street",
    "Empfänger-PLZ": "addressee_postcode",
    "Empfängerort": "addressee_city",
    "Straße und Hausnummer des Empfängers": "addressee_street",
    "Sendungsnummer": "item_id",
    "Bruttogewicht": "gross_weight",
    "Zolltarifnummer": "hs",
    "Einlieferungsdatum": "observed_from",
}


@pytest.mark.parametrize(("heading", "field"), (CN23 | OTHER_LANGUAGES).items())
def test_a_heading_is_recognised(heading: str, field: str) -> None:
    assert read_header([heading], {}).places == {field: 0}


@pytest.mark.parametrize("field", sorted(FIELDS - {"ignore"}))
def test_every_field_is_recognised_by_its_own_name(field: str) -> None:
    assert read_header([field], {}).places == {field: 0}


def test_the_origin_of_the_goods_is_not_the_origin_of_the_shipment() -> None:
    columns = read_header(["Country of origin", "origin_country"], {})
    assert columns.places == {"goods_origin": 0, "origin_country": 1}


@pytest.mark.parametrize(
    ("heading", "field", "unit"),
    [
        ("Net weight (kg)", "net_weight", "kg"),
        ("weight_g", "gross_weight", "g"),
        ("Poids en grammes", "gross_weight", "g"),
        ("Total value (EUR)", "total_value", "EUR"),
        ("Waarde in euro", "value", "EUR"),
    ],
)
def test_a_unit_in_a_heading_is_read(heading: str, field: str, unit: str) -> None:
    columns = read_header([heading], {})
    assert columns.places == {field: 0}
    assert columns.units == {field: unit}


def test_what_is_not_recognised_is_listed() -> None:
    columns = read_header(["Lane", "sender_name", "", "Detailed description of contents"], {})
    assert columns.unused == (
        "Lane",
        "(column 3, without a heading)",
        "Detailed description of contents",
    )


def test_the_columns_of_a_rejected_file_are_left_out_in_silence() -> None:
    header = ["sender_name", "postern_line", "postern_field", "postern_reason", "postern_remedy"]
    columns = read_header(header, {})
    assert columns.places == {"sender_name": 0}
    assert columns.unused == ()


def test_two_columns_for_one_field_are_refused_by_name() -> None:
    with pytest.raises(ColumnsError, match=r"'Addressee' and 'Nom du destinataire'.*--columns"):
        read_header(["Addressee", "Nom du destinataire"], {})


def test_a_row_is_read_without_empty_cells_and_space() -> None:
    columns = read_header(["sender_name", "sender_city", "item_id"], {})
    assert columns.read([" Jan ", "  ", "x"]) == {"sender_name": "Jan", "item_id": "x"}


def test_a_column_file_goes_before_what_is_recognised(tmp_path: Path) -> None:
    file = tmp_path / "columns.toml"
    file.write_text('[columns]\n"Client" = "addressee_name"\n"Name" = "ignore"\n')
    columns = read_header(["Client", "Name"], load_overrides(file))
    assert columns.places == {"addressee_name": 0}
    assert columns.unused == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[columns", "not valid TOML"),
        ("[fields]\n", "one table"),
        ('[columns]\n"Client" = "customer"\n', "'Client'"),
        ('[columns]\n"Client" = 1\n', "'Client'"),
    ],
)
def test_a_wrong_column_file_is_refused_with_its_remedy(
    tmp_path: Path, text: str, words: str
) -> None:
    file = tmp_path / "columns.toml"
    file.write_text(text)
    with pytest.raises(ColumnsError, match=words):
        load_overrides(file)


def test_a_missing_column_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ColumnsError, match="cannot be read"):
        load_overrides(tmp_path / "none.toml")


def test_an_override_of_a_heading_that_is_not_there_is_refused() -> None:
    with pytest.raises(ColumnsError, match="no column named Client"):
        read_header(["Name"], {"Client": "addressee_name"})

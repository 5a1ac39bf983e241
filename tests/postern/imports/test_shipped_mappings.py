"""The shipped mappings against the text of the annex, and thirty rows in three languages."""

import csv
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from postern.csv_file import examine
from postern.imports import MappedColumns, find_mapping
from postern.imports.model import DROP
from postern.rows import Reading
from postern.submission import Line, Source
from postern.terms import Terms
from postern.vocabulary import Learned, LegalBasis

GOLDEN = Path(__file__).parents[2] / "data" / "imports"

ANNEX = {
    "a": "Case Identification Number|Document Reference|National Reference Number|Summary|Service"
    "|Contact Person|Date",
    "b": "Type of fraud|Report type|Means of transport|Information quality",
    "c": "Type|Number|Freight payment|Date of issue|Place of issue",
    "d": "Involvement|First Name|Surname|Maiden Name|Alias|Sex"
    "|Any particular and permanent physical characteristics|Place of Birth|Date of Birth"
    "|Nationality|Address|Street|Number|PO Box|Postal Code|City|Country|Phone/Mobile|Fax/Email"
    "|Identity papers|Document type|Document number|Date of issue|Place of issue|Luggage|Category"
    "|Type|Brand|Tag number|Handling|Tickets|Date of purchase|Mode of payment|Issued in (Country)"
    "|Issued by|Start travel|Duration of stay (days)|Cash|Declared|Intended use|Provenance"
    "|Currency|Type of cash|Amount|Converted amount (EUR)|Warning",
    "e": "Involvement|Name|Trading Name|Registration type|Registration number|Address|Street"
    "|Number|PO Box|Postal Code|City|Country|Phone/Mobile|Fax/Email",
    "f": "6.1 CONTAINER",
    "g": "6.2 ROAD",
    "h": "6.3 SMALL VESSEL",
    "i": "6.4 COMMERCIAL VESSEL",
    "j": "6.5 RAIL",
    "k": "6.6 AIR|6.7 COURIER - POST|Type|Flight Nr|Carrier|License plate|MRN",
    "l": "Step|Date|Country|Place|Location Type|Latitude|Longitude|Means of Transport",
    "m": "Commodity Status|Commodity Type|Description|Category|HS/CN/Taric Code (6, 8, 10 Digits)"
    "|Customs Procedure|Total Amount Invoiced|Currency|Converted amount (EUR)|Brand|Manufacturer"
    "|Quantity|Unit|Gross weight|Volume|Net weight|Labels/Warnings (Affixed)|Warning"
    "|8.1 Product Type|8.2 Drug Type|8.2 Quantity|8.2 Unit|Logos|8.3 Intended Use|Provenance|Amount"
    "|Types of Cash",
    "n": "Status|Date|Country|Location Type|Place of Seizure|Latitude|Longitude|Modus Operandi"
    "|Concealment Type|Concealment Details|Service",
    "o": "Requested action|Reason for action|Suspected Modus Operandi|Suspected Concealment Type"
    "|Taken Action|Date",
    "p": "RISK INDICATORS",
    "q": "Comment",
    "r": "Reference",
    "s": "SPECIFICS ON FRAUD TRENDS",
    "t": "SPECIFICS ON AVAILABILITY OF EXPERTISE",
}
"""The items of the annex to Implementing Regulation (EU) 2016/346, as they stand there."""

IN_OTHER_LANGUAGES = {
    "en": "Case number;Contact person;Type of fraud;Mode of transport;Involvement;First name;"
    "Surname;Street;House number;Postal code;City;Person country;Phone;Email;Company name;"
    "Business involvement;Goods description;Gross weight;Weight unit;Declared value;Currency;"
    "HS code;Drug type;Drug quantity;Date of seizure;Location type;Concealment type;"
    "Concealment details;Country of departure;Country of destination;Item number;Ribbon",
    "nl": "Dossiernummer;Contactpersoon;Soort fraude;Vervoerswijze;Betrokkenheid;Voornaam;"
    "Familienaam;Straat;Huisnummer;Postcode;Stad;Land van de persoon;Telefoon;E-mailadres;"
    "Naam van het bedrijf;Betrokkenheid bedrijf;Omschrijving van de goederen;Brutogewicht;"
    "Gewichtseenheid;Aangegeven waarde;Munteenheid;GS-code;Soort drug;Hoeveelheid drugs;"
    "Datum van inbeslagneming;Soort locatie;Soort verberging;Details van de verberging;"
    "Land van vertrek;Land van bestemming;Zendingnummer;Lint",
    "de": "Aktenzeichen;Ansprechpartner;Betrugsart;Verkehrsmittel;Beteiligung;Vorname;Nachname;"
    "Straße;Hausnummer;Postleitzahl;Stadt;Wohnsitzland;Telefon;E-Mail-Adresse;Firmenname;"
    "Beteiligung der Firma;Warenbeschreibung;Bruttogewicht;Gewichtseinheit;Angemeldeter Wert;"
    "Währung;Zolltarifnummer;Drogenart;Drogenmenge;Datum der Sicherstellung;Ortstyp;Versteckart;"
    "Einzelheiten zum Versteck;Abgangsland;Bestimmungsland;Sendungsnummer;Schleife",
}


def lines_of(path: Path, header: Sequence[str] | None = None) -> tuple[list[Line], MappedColumns]:
    file = examine(path)
    columns = MappedColumns(header or file.header, find_mapping("cis"))
    terms = Terms(learned=Learned.CUSTOMS_CONTROL, legal_basis=LegalBasis.CUSTOMS_LAW)
    reading = Reading(date(2026, 11, 26), terms, seals=True)
    return list(Source(file, columns, reading).rows()), columns


def told(line: Line) -> dict[str, Any]:
    if line.read is None:
        return {"line": line.row.line, "faults": [each.field for each in line.faults]}
    terms = line.read.terms
    return {
        "line": line.row.line,
        "shipment": line.read.shipment,
        "day": terms.observed_from.isoformat() if terms.observed_from else None,
        "step": terms.barrier_step,
        "seen": [f"{each.value.kind.value}/{each.role.value}" for each in line.read.sightings],
    }


def expected() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((GOLDEN / "seizures-expected.json").read_text())
    return found


@pytest.mark.parametrize("letter", ANNEX)
def test_every_item_of_the_annex_is_accounted_for(letter: str) -> None:
    items = [
        each.item
        for each in find_mapping("cis").columns
        if each.item.startswith(f"({letter}) ") or f", ({letter}) " in each.item
    ]
    for item in ANNEX[letter].split("|"):
        assert any(item in each for each in items), item


def test_what_identifies_a_person_beyond_the_parcel_is_dropped_with_its_reason() -> None:
    mapping = find_mapping("cis")
    dropped = " ".join(each.item for each in mapping.columns if each.field == DROP)
    for item in ("Date of Birth", "Nationality", "Sex", "Identity papers", "Contact Person"):
        assert item in dropped
    assert all(each.why for each in mapping.columns if each.field == DROP)


def test_thirty_rows_in_three_languages_become_what_a_person_read_in_them() -> None:
    lines, columns = lines_of(GOLDEN / "seizures.csv")
    assert [told(line) for line in lines] == expected()
    assert columns.unused == ("Couleur du ruban",)
    assert columns.tally.unknown == {
        ("Type de drogue", "substance", "poudre rose"): 2,
        ("Unité de poids", "weight_unit", "onbekend"): 1,
        ("Type de lieu", "barrier_step", "kade"): 1,
        ("Pays de destination", "destination_country", "Atlantis"): 1,
    }
    notes = [line.read.note for line in lines if line.read]
    assert notes[0] == (
        "Numéro de dossier: D-1\nQuantité de drogue: 250 g\n"
        "Détails de la dissimulation: dans l'ours"
    )


@pytest.mark.parametrize("language", IN_OTHER_LANGUAGES)
def test_headings_in_another_language_are_the_same_columns(language: str) -> None:
    header = IN_OTHER_LANGUAGES[language].split(";")
    lines, columns = lines_of(GOLDEN / "seizures.csv", header)
    assert [told(line) for line in lines] == expected()
    assert columns.unused == (header[-1],)


def test_the_golden_file_holds_thirty_rows_of_as_many_cells_as_headings() -> None:
    with (GOLDEN / "seizures.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file, delimiter=";")
    assert len(rows) == len(expected()) == 30
    assert {len(row) for row in rows} == {len(header)}


def test_an_incident_as_publications_speak_of_it_becomes_a_row() -> None:
    header = (
        *("Incident type", "Incident date", "Substance", "Amount", "Origin", "Transit"),
        *("Destination", "Mode of transport", "Modus operandi", "Detected by", "Confirmed"),
    )
    cells = (
        *("Suspicious shipment", "12 Oct 2026", "isotonitazene powder", "12 g", "Hong Kong"),
        *("Netherlands", "AUS", "Express courier", "false declaration", "sniffer dog", "no"),
    )
    columns = MappedColumns(header, find_mapping("ionics"))
    assert columns.read(cells) == {
        "observed_from": "2026-10-12",
        "substance": "nitazene",
        "origin_country": "HK",
        "destination_country": "AU",
        "learned": "dog",
        "assertion": "assessment",
        "note": "Amount: 12 g\nTransit: Netherlands\nModus operandi: false declaration",
    }

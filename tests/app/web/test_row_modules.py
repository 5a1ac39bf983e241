"""Rows of a file become the same in the pages' worker as with `postern submit`, fault for fault."""

import base64
import json
import random
import shutil
import subprocess
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from postern import vocabulary
from postern.columns import FIELDS, ColumnsError, read_header
from postern.csv_file import CsvError, examine, read_rows
from postern.rows import Reading, read_row
from postern.shipment import AmountUnits
from postern.terms import FaultError, Terms, terms_on_wire
from tests.functional.varied_values import _changed as changed
from tests.functional.varied_values import frozen_cases

REHEARSAL = Path(__file__).with_name("row_rehearsal.mjs")
TODAY = date(2026, 11, 26)
VARIED = 1500

PLAIN: dict[str, str] = {
    "sender_name": "Sophie Van Damme",
    "sender_street": "16, rue de la Loi, 1040 Bruxelles, Belgique",
    "sender_country": "BE",
    "sender_phone": "02 555 12 34",
    "sender_email": "sophie@example.org",
    "addressee_business": "Muster GmbH",
    "addressee_street": "Hauptstraße",
    "addressee_house_number": "12",
    "addressee_box": "3",
    "addressee_postcode": "10115",
    "addressee_city": "Berlin",
    "addressee_country": "Deutschland",
    "item_id": "RB123456785GB",
    "induction_point": "BRU-17",
    "vendor_handle": "SnowQueen_88",
    "vendor_market": "Archetyp",
    "pgp": "0123 4567 89AB CDEF 0123 4567 89AB CDEF 0123 4567",
    "payment": "BE68 5390 0754 7034",
    "gross_weight": "1.250 kg",
    "total_value": "€ 1.234,50",
    "hs": "3926.90",
    "declared_category": "Geschenk",
    "service": "aangetekend",
    "concealment": "Double wall",
    "substance": "MDMA",
    "grade": "b2",
    "handling": "H1; H3",
    "tlp": "amber+strict",
    "subject_category": "unwitting",
    "assertion": "fact",
    "permitted_action": "hold for customs",
    "expires_in": "90",
    "observed_from": "1/11/2026",
    "observed_to": "2026-11-20T10:00",
    "barrier_step": "4",
    "note": "Smelt of solvent.",
}
WORSE: dict[str, tuple[str, ...]] = {
    "grade": ("X", "E5", "A1 "),
    "handling": ("H9", "H0", "h2|h3"),
    "tlp": ("purple", "CLEAR", "green", "amber strict"),
    "expires_in": ("0", "-1", "4000", "12"),
    "expires_on": ("2020-01-01", "31/12/2027", "30/02/2027", "soon"),
    "observed_from": ("2026-11-27", "2026-11-28", "25.11.2026"),
    "observed_to": ("2020-01-01", "19990101", "0000-01-01"),
    "barrier_step": ("0", "8", "7", "x"),
    "learned": ("xray", "gossip", "outside of item"),
    "legal_basis": ("postal law", "custom"),
    "gross_weight": ("350", "350 g", "0,1 kg", "1.234 kg", "1.234 g", "-2 kg", "2 lb", "1 2 kg"),
    "net_weight": ("99 grammes", "20.000,5 kg", "5.000g"),
    "total_value": ("0 USD", "12", "22 EUR", "1'000.00 chf", "1.00.00 €", "12,345 euros"),
    "hs": ("39", "3", "00", "391", "39.26 90"),
    "sender_country": ("Atlantis", "the netherlands", "fr"),
    "item_id": ("1Z999AA10123456784", "12", "003123456789012345678"),
    "induction_point": ("Sint-Pieters *", "é", "BRU 1"),
    "induction_country": ("NL", "x"),
    "sender_street": (
        "350 Fifth Avenue\nNew York, NY 10118",
        "10 Downing Street, London, SW1A 2AA",
        "16 rue de la Loi 1040 Bruxelles",
        "Keizersgracht 101; 1015 AB Amsterdam; Nederland",
        "Am Ring ², 1010 Wien",
        "Somewhere",
    ),
    "note": ("x" * 10_001,),
}
HEADINGS = (
    *("Sender's name", "Nom de l'expéditeur", "Naam van de afzender", "Absendername", "PLZ"),
    *("Gross weight (kg)", "Valeur déclarée EUR", "GEWICHT in g", "Straße und Hausnummer"),
    *("sender_street", "Remarks", "Klant", "", "postern_reason", "Sender", "An", "N° d'envoi"),
)
FILES = (
    b"name;street\nA;B\n",
    b'\xef\xbb\xbfname,street\r\n\r\n"A, B","two\nlines"\r\nC,D',
    "name\tstreet\rÉ\tB\r".encode("utf-16"),
    "naïve|b\né|c\n".encode("windows-1252"),
    b'a,b\n"x"y,1\nok,2\n',
    b'a,b\n"never closed,1\nok,2\n',
    b'a,b\n"say ""so""",1\n,\n  , \nlast,"2"',
    b"a,b\n" + b"x" * 20_001 + b",1\n",
    b'a,b\r\n1,2,3\r\n4\r\n"5"" ",6',
)


def a_reading(**more: Any) -> dict[str, Any]:
    terms: dict[str, Any] = {**dict.fromkeys(asdict(Terms())), "handling": []}
    terms |= {"learned": "carrier_record", "legal_basis": "postal_law"}
    units = {"weight": "", "currency": "", "ofColumns": {}}
    reading = {"today": TODAY.isoformat(), "terms": terms, "units": units}
    return {**reading, "operator": "Example Post", "country": "BE", "seals": False, **more}


def in_python(row: dict[str, str], reading: dict[str, Any]) -> dict[str, Any]:
    units = AmountUnits(
        reading["units"]["weight"], reading["units"]["currency"], reading["units"]["ofColumns"]
    )
    own = Reading(
        TODAY,
        Terms(
            learned=vocabulary.Learned(reading["terms"]["learned"]),
            legal_basis=vocabulary.LegalBasis(reading["terms"]["legal_basis"]),
        ),
        units,
        reading["operator"],
        reading["country"],
        reading["seals"],
    )
    try:
        read = read_row(row, own)
    except FaultError as error:
        return {"faults": [[each.field, told(each.reason)] for each in error.faults]}
    seen = [
        [
            *(each.source, each.role.value, each.value.kind.value, form_of(each.value.form)),
            *([flag.value for flag in each.value.flags], each.place, dict(each.fields)),
        ]
        for each in read.sightings
    ]
    terms = [terms_on_wire(read.terms), read.terms.barrier_step]
    return {
        "sightings": seen,
        "shipment": read.shipment,
        "terms": terms,
        "flags": list(read.flags),
        "note": read.note,
    }


def form_of(form: Any) -> Any:
    return json.loads(json.dumps(asdict(form)))


def told(reason: str) -> str:
    """Without what the two write each in its own way: capitals and separators of thousands."""
    return reason.replace("10,000", "10000").replace("1,000", "1000").casefold()


def varied_rows(count: int) -> list[tuple[dict[str, str], dict[str, Any]]]:
    chance = random.Random(7)  # noqa: S311 - not a secret
    known = [case["value"] for case in frozen_cases() if case["kind"] == "party"]
    rows = []
    for _ in range(count):
        row = {name: text for name, text in PLAIN.items() if chance.random() < 0.5}
        value = chance.choice(known)
        if chance.random() < 0.5:
            row["sender_name"] = value["name"]
            row["sender_street"] = "\n".join(value.get("lines", ()))
            row["sender_postcode"] = value.get("postcode", "")
        for name, texts in WORSE.items():
            if chance.random() < 0.06:
                row[name] = chance.choice(texts)
        if chance.random() < 0.3:
            name = chance.choice(sorted(row) or ["sender_name"])
            row[name] = changed(chance, row.get(name, ""))
        units = {
            "weight": chance.choice(("", "g", "kg")),
            "currency": chance.choice(("", "EUR", "chf")),
            "ofColumns": chance.choice(({}, {"gross_weight": "kg"}, {"total_value": "USD"})),
        }
        reading = a_reading(
            units=units,
            operator=chance.choice(("", "Example Post")),
            country=chance.choice(("", "NL")),
            seals=chance.random() < 0.5,
        )
        stripped = {name: text.strip() for name, text in row.items() if text.strip()}
        rows.append((stripped, reading))
    return rows


def rehearsed(**asked: Any) -> dict[str, Any]:
    node = shutil.which("node")
    assert node, "Node.js is missing: run tests/install-node"
    whole = {"rows": [], "headings": [], "headers": [], "files": [], **asked}
    done = subprocess.run(
        [node, "--no-warnings", str(REHEARSAL)],
        input=json.dumps(whole).encode(),
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_thousands_of_rows_read_alike_fault_for_fault() -> None:
    rows = [(PLAIN, a_reading(seals=True)), ({}, a_reading()), *varied_rows(VARIED)]
    found = rehearsed(rows=rows)["rows"]
    wrong = 0
    for (row, reading), read in zip(rows, found, strict=True):
        if "faults" in read:
            read["faults"] = [[field, told(reason)] for field, reason in read["faults"]]
            wrong += 1
        assert read == in_python(row, reading), (row, reading)
    assert VARIED / 10 < wrong < VARIED


def test_headings_are_recognised_alike() -> None:
    headings = [*HEADINGS, *sorted(FIELDS)]
    found = rehearsed(headings=headings, headers=[["Naam", "Straat", "Nom"], list(HEADINGS[:6])])
    for heading, each in zip(headings, found["headings"], strict=True):
        columns = read_header([heading], {})
        field = next(iter(columns.places), "ignore" if not columns.unused else "")
        assert each == {"field": field, "unit": columns.units.get(field, "")}, heading
    twice, fine = found["headers"]
    assert twice["twice"] == [0, 2]
    with pytest.raises(ColumnsError):
        read_header(["Naam", "Straat", "Nom"], {})
    expected = read_header(HEADINGS[5:6], {})
    assert fine["units"] == dict(expected.units) == {"gross_weight": "kg"}


def test_files_are_cut_into_the_same_records_on_the_same_lines(tmp_path: Path) -> None:
    found = rehearsed(files=[base64.b64encode(each).decode() for each in FILES])["files"]
    refused = 0
    for content, read in zip(FILES, found, strict=True):
        path = tmp_path / "rows.csv"
        path.write_bytes(content)
        try:
            file = examine(path)
        except CsvError:
            assert read["error"] == "unclosed"
            refused += 1
            continue
        assert read["delimiter"] == file.delimiter
        (number, line, header), *records = read["records"]
        assert (number, line, tuple(header)) == (0, 1, file.header)
        python = list(read_rows(file))
        assert [each[:2] for each in records] == [[each.number, each.line] for each in python]
        for each, record in zip(python, records, strict=True):
            if each.fault and "quotation mark stands" in each.fault:
                assert record[2] is None
            else:
                assert tuple(record[2]) == each.cells
    assert refused == 2


def test_the_closed_lists_are_those_of_python() -> None:
    closed = rehearsed()["closed"]
    for name, words in closed.items():
        if name != "HANDLING_AGAINST_TLP":
            kind = getattr(vocabulary, name.title().replace("_", ""))
            assert words == [each.value for each in kind], name
    against = {
        tlp.value: sorted(code.value for code in codes)
        for tlp, codes in vocabulary.HANDLING_AGAINST_TLP.items()
        if codes
    }
    assert closed["HANDLING_AGAINST_TLP"] == against

"""What is read on premises beside CSV: workbooks, Parquet, settings, values, free text."""

import dataclasses
import functools
import io
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from postern import recognise
from postern.client_errors import ClientError
from postern.csv_file import CsvError, examine, read_rows
from postern.duckdb_engine import Engine, literal
from postern.facets import facets
from postern.imports.mapped_columns import MappedColumns
from postern.imports.model import ImportMapping
from postern.imports.reading import find_mapping
from postern.manifest import prepare
from postern.manifest_errors import ManifestError
from postern.manifest_mapping import ManifestMapping
from postern.normalise import (
    Address,
    Email,
    InductionPoint,
    Item,
    NormalisationError,
    Party,
    Payment,
    Pgp,
    Phone,
    Value,
    Vendor,
    normalise,
)
from postern.settings import load
from postern.taxii.servers import server_named
from postern.terms import FaultError
from postern.workbook import _judge, workbook_as_csv
from tests.fuzz import seeds
from tests.fuzz.target import Target, file_of, folder, text_of

_MAPPING = ManifestMapping(weight_unit="g", currency="EUR")
_KINDS = (Party, Address, InductionPoint, Vendor, Pgp, Phone, Email, Payment, Item)
_SHEET = "xl/worksheets/sheet1.xml"


def _values(fields: list[str]) -> Iterator[Value]:
    """A value of each kind of some texts."""
    for kind in _KINDS:
        names = [each.name for each in dataclasses.fields(kind)]
        given = dict(zip(names, [*fields, *[""] * len(names)], strict=False))
        lines = tuple(fields[1:3]) if "lines" in names else ()
        yield kind(**{**given, **({"lines": lines} if "lines" in names else {})})  # type: ignore[arg-type]


def _clear_value(case: bytes) -> None:
    for each in _values(text_of(case).split("|")[:6]):
        try:
            facets(normalise(each))
        except NormalisationError:
            continue


def _clear_values() -> list[bytes]:
    return [
        each.encode()
        for each in (
            "Van Damme, Sophie|Rue de la Loi 16 bte 3|1040|Bruxelles|BE",
            "Jürgen Müller|Packstation 123|Postnr. 45|10115|Berlin|DE",
            "bpost|1000|BE",
            "+32 (0)2 555 01 02|BE",
            "A.B+c@Example.ORG",
            "auto|bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
            "s10|RR123456785BE",
            "sscc|(00) 3 4012345 123456789 4",
            "D6F5 8E2B 93F7 5E0E 7D49  7B3E 5C2C 37C1 A2B3 C4D5",
        )
    ]


def _free_text(case: bytes) -> None:
    text = text_of(case)
    for country in ("", "BE"):
        recognise.recognise(text, country)
    for kind in recognise._READERS:
        recognise.read_as(kind, text, "NL")


@functools.cache
def _mapping(name: str) -> ImportMapping:
    return find_mapping(name)


def _import_table(case: bytes) -> None:
    found = examine(file_of(case, "seizures.csv"))
    for name in ("cis", "ionics"):
        columns = MappedColumns(found.header, _mapping(name))
        for row in read_rows(found):
            if row.fault is not None:
                continue
            for read in (columns.read, columns.find):
                try:
                    read(row.cells)
                except FaultError:
                    continue


def _import_tables() -> list[bytes]:
    tables = []
    for name in ("cis", "ionics"):
        mapping = _mapping(name)
        headings = [each.headings[0] for each in mapping.columns]
        day = ["20/11/2026" if "date" in each.lower() else "1,5 kg" for each in headings]
        tables.append("\n".join([";".join(headings), ";".join(day), ";".join(headings)]).encode())
    return [*tables, *seeds._files("tests/data/imports/*.csv")]


def _workbook(case: bytes) -> None:
    """The sheet of a workbook that is sound but for it."""
    path = file_of(_zipped(case), "sheet.xlsx")
    workbook_as_csv(path, folder() / "sheet.csv")


def _zipped(sheet: bytes) -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**_FRAME, _SHEET: sheet}.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return into.getvalue()


_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_FRAME: dict[str, bytes] = {
    "[Content_Types].xml": (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.'
        f'relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.'
        f'main+xml"/><Override PartName="/{_SHEET}" ContentType="{_TYPE}.worksheet+xml"/></Types>'
    ).encode(),
    "_rels/.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{_RELATION}/officeDocument" Target="xl/workbook.xml"/>'
        "</Relationships>"
    ).encode(),
    "xl/workbook.xml": (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATION}"><sheets>'
        '<sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>'
    ).encode(),
    "xl/_rels/workbook.xml.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{_RELATION}/worksheet" Target="worksheets/sheet1.xml"/>'
        "</Relationships>"
    ).encode(),
}


def _sheets() -> list[bytes]:
    return [
        (
            f'<worksheet xmlns="{_MAIN}"><dimension ref="A1:C2"/><sheetData>'
            '<row r="1"><c r="A1" t="inlineStr"><is><t>item_id</t></is></c>'
            '<c r="B1" t="str"><v>posted_on</v></c></row>'
            '<row r="2"><c r="A2"><v>1.5</v></c><c r="B2" t="b"><v>1</v></c>'
            '<c r="C2" t="e"><v>#DIV/0!</v></c></row></sheetData></worksheet>'
        ).encode()
    ]


def _parquet(case: bytes) -> None:
    with tempfile.TemporaryDirectory(dir=folder()) as work:
        engine = Engine(Path(work), memory_mib=256, threads=1)
        prepare(file_of(case, "m.parquet"), Path(work), _MAPPING, engine, lambda *_: None)


def _parquets() -> list[bytes]:
    with tempfile.TemporaryDirectory(dir=folder()) as work:
        engine, path = Engine(Path(work), memory_mib=256, threads=1), Path(work) / "one.parquet"
        sound = (
            "SELECT 'A' AS item_id, DATE '2026-11-01' AS posted_on, 'NL' AS origin_country, "
            "200 AS net_weight_g, 12.5 AS value, 'EUR' AS currency, '4901' AS hs_code, "
            "'express' AS service FROM range(3)"
        )
        engine.run(f"COPY ({sound}) TO {literal(path)} (FORMAT parquet)")
        return [path.read_bytes()]


def _settings(case: bytes) -> None:
    found = load(file_of(case, "config.toml"))
    server_named(found, "one")


def _settings_files() -> list[bytes]:
    return [
        b'[platform]\naddress = "https://p.example"\ntoken_file = "token"\nca_file = "ca.pem"\n'
        b'[keys]\nfile = "keys.json"\nmember = "a"\npassphrase_file = "pass"\n'
        b'[defaults]\npurpose = "criminal_investigation"\ncountry = "BE"\ntlp = "AMBER"\n'
        b'[servers.one]\naddress = "https://t.example/taxii2/"\ntoken_file = "t"\n'
    ]


TARGETS = (
    Target("clear-value", _clear_value, (), _clear_values, 2),
    Target("free-text", _free_text, (), _clear_values, 4),
    Target("import-table", _import_table, (CsvError,), _import_tables, 4),
    Target("workbook", _workbook, (ManifestError,), _sheets, 60),
    Target(
        "workbook-packed",
        lambda case: _judge(file_of(case, "packed.xlsx")),
        (ManifestError,),
        lambda: [_zipped(_sheets()[0]), *seeds._files("tests/data/manifest.xlsx")],
    ),
    Target("manifest-parquet", _parquet, (ManifestError,), _parquets, 40),
    Target("client-settings", _settings, (ClientError,), _settings_files),
)

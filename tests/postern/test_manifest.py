"""Reading manifests: every line is accounted for, and what is in a row is not made up."""

# ruff: noqa: S608, E501 - statements of our own names; a row is easier to read on one line

import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postern.duckdb_engine import Engine, literal
from postern.manifest import Prepared, prepare
from postern.manifest_errors import ManifestError, ManifestNotWholeError
from postern.manifest_lines import sift
from postern.manifest_mapping import ManifestMapping, load_mapping, manifest_columns, recognised
from postern.manifest_sql import ascii_contents
from postern.patterns.contents import folded_contents
from postern.patterns.derived import with_derived

HEADINGS = (
    "Item ID;Posting date;Country of posting;Destination country;Service;Category of item;"
    "Detailed description of contents;HS code;Net weight (kg);Gross weight (kg);Value;Currency;"
    "Postal charges;Sender name;Sender street;Sender postcode;Recipient name;Recipient postcode;"
    "Means of payment;Inhoud 2"
)
GOOD = (
    "RB123456785GB;2026-11-20;GB;NL;EMS;gift;Silica gel, désiccant;3824.99;0.12;0.2;12.50;EUR;25;"
    "Jan;Straat 1;SW1A 1AA;Piet;1234 AB;cash;x"
)
Read = Callable[..., Prepared]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    made = Engine(tmp_path_factory.mktemp("engine"), threads=2)
    yield made
    made.close()


@pytest.fixture
def read(engine: Engine, tmp_path: Path) -> Read:
    """Reads the lines of a manifest, or a file."""

    def reading(
        content: str | bytes | Path, mapping: ManifestMapping | None = None, name: str = "m.csv"
    ) -> Prepared:
        path = content if isinstance(content, Path) else tmp_path / name
        if isinstance(content, str | bytes):
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        work = tmp_path / f"work{len(list(tmp_path.iterdir()))}"
        work.mkdir()
        return prepare(path, work, mapping or ManifestMapping(), engine, lambda *_: None)

    return reading


def rows(engine: Engine, made: Prepared) -> list[dict[str, object]]:
    """The parcels of a prepared manifest by line, without what is empty."""
    source = f"read_parquet({literal(made.path)})"
    names = [row[0] for row in engine.rows(f"DESCRIBE SELECT * FROM {source}")]
    found = engine.rows(f"SELECT * FROM {source} ORDER BY line")
    return [
        {name: cell for name, cell in zip(names, row, strict=True) if cell not in (None, [])}
        for row in found
    ]


def test_a_row_is_read_typed_folded_and_without_persons(read: Read, engine: Engine) -> None:
    made = read(f"{HEADINGS}\n{GOOD}\n")
    (row,) = rows(engine, made)
    assert {
        name: row[name]
        for name in ("line", "posted_day", "origin_country", "service", "declared_category")
    } == {
        "line": 2,
        "posted_day": 20777,
        "origin_country": "GB",
        "service": "express",
        "declared_category": "gift",
    }
    assert row["contents"] == " silica gel desiccant "
    assert (row["net_weight_g"], row["value_eur"], row["postage_eur"]) == (120, 1250, 2500)
    assert (row["hs_code"], row["sender_postcode_area"], row["payment"]) == ("382499", "SW", "cash")
    derived = with_derived({name: row.get(name) for name in ("posted_day", "contents", *_AMOUNTS)})  # type: ignore[misc]
    assert {name: row[name] for name in _DERIVED} == {name: derived[name] for name in _DERIVED}
    content = made.path.read_bytes()
    assert not any(word in content for word in (b"Jan", b"Straat", b"Piet", b"JAN", b"PIET"))
    assert made.account.unused_columns == ("Inhoud 2",)
    assert (
        stat.S_IMODE(made.path.stat().st_mode) == stat.S_IMODE(made.faults.stat().st_mode) == 0o600
    )


_AMOUNTS = ("net_weight_g", "gross_weight_g", "value_eur", "postage_eur")
_DERIVED = (
    "posted_weekday",
    "contents_words",
    "value_per_kg_eur",
    "postage_to_value",
    "weight_gap_ratio",
)


def test_every_line_is_in_exactly_one_number(read: Read, engine: Engine) -> None:
    broken = GOOD.replace("Silica", 'Sil"ica')
    lines = [
        HEADINGS,
        GOOD,
        broken,
        "",
        "a;b",
        GOOD + ";more",
        GOOD.replace("Jan", '"Jan; ""J"'),
        "x\x00",
    ]
    made = read("\n".join(lines) + "\n")
    account = made.account
    assert (account.lines, account.header, account.blank, account.rejected, account.screened) == (
        *(8, 1, 1, 4),
        2,
    )
    assert [row["line"] for row in rows(engine, made)] == [2, 7]
    told = made.faults.read_text().splitlines()
    assert "3,line,quotation_mark_not_closed" in told
    assert "5,line,wrong_number_of_cells" in told
    assert "6,line,wrong_number_of_cells" in told
    assert "8,line,control_character" in told


def test_quotes_amid_a_cell_cost_their_own_line_alone(read: Read, engine: Engine) -> None:
    odd = GOOD.replace("Jan", '"Jan; ""J;"Jan; ""J')  # told of as a part of it
    made = read("\n".join([HEADINGS, GOOD.rpartition(";")[0], odd, GOOD]) + "\n")
    assert [row["line"] for row in rows(engine, made)] == [4]
    told = made.faults.read_text().splitlines()
    for line in (2, 3):
        assert f"{line},line,wrong_number_of_cells" in told


def test_nobody_leaves_the_screening_by_writing_nonsense_into_a_field(
    read: Read, engine: Engine
) -> None:
    nonsense = "RB123456786US;2026-13-45;ZZ;Norway;fast;?;???;12;1,2;-3;many;QQQ;2;Jan;S;SW1A 1AA;P;12;bar;x"
    made = read(f"{HEADINGS}\n{nonsense}\n")
    (row,) = rows(engine, made)
    assert (row["destination_country"], row["payment"]) == ("NO", "cash")
    assert not row.keys() & {"posted_day", "origin_country", "service", "net_weight_g", "hs_code"}
    assert made.account.faults.keys() >= {
        *("posted_on:not_a_day", "origin_country:unknown", "service:unknown", "hs_code:unknown"),
        *("net_weight:not_a_number", "gross_weight:not_a_number", "value:not_a_number"),
        *("currency:unknown", "postage:without_rate", "item_id:check_digit"),
    }
    assert made.account.flawed == 1


def test_who_somebody_is_does_not_depend_on_case_accents_space_and_marks(
    read: Read, engine: Engine
) -> None:
    names = [
        "Zoë d'Arc-Roux",
        "ZOE DARC ROUX",
        "zoe.darc [roux]",
        "Zoé D\u2019Arc\\Roux",
        "Zoe Roux",
    ]
    made = read("\n".join([HEADINGS, *(GOOD.replace("Jan", f'"{name}"') for name in names)]))
    numbers = [row["sender_name"] for row in rows(engine, made)]
    assert len(set(numbers[:4])) == 1
    assert numbers[4] != numbers[0]


@pytest.mark.parametrize(
    ("value", "cents", "fault"),
    [
        ("0", 0, None),
        ("12345678.126", 1_234_567_813, None),
        ("100000000", 10_000_000_000, None),
        ("100000000.01", None, "value:out_of_range"),
        ("999999999999999.999999", None, "value:out_of_range"),
        ("1234567890123456", None, "value:not_a_number"),
        ("1.1234567", None, "value:not_a_number"),
    ],
)
def test_amounts_are_exact_or_told(
    read: Read, engine: Engine, value: str, cents: int | None, fault: str | None
) -> None:
    made = read(f"{HEADINGS}\n{GOOD.replace('12.50', value)}\n")
    (row,) = rows(engine, made)
    assert row.get("value_eur") == cents
    assert list(made.account.faults) == ([fault] if fault else [])


def test_lines_that_end_as_on_windows_are_sifted_too(tmp_path: Path) -> None:
    source, target = tmp_path / "m.csv", tmp_path / "lines.csv"
    source.write_bytes(b'a,b\r\n1,"x, y"\r\n2,"\r\n3,z\r\n4,')
    sifted = sift(source, target, None, lambda _: None)
    assert target.read_bytes() == b'2,1,"x, y"\n4,3,z\n5,4,\n'
    assert (sifted.lines, sifted.kept, sifted.blank) == (5, 3, 0)
    assert sifted.rejected == ((3, "quotation_mark_not_closed"),)


@pytest.mark.parametrize(
    ("item", "is_right"),
    [
        ("RB123456785GB", True),
        ("ee471108151fr", True),
        ("R B 1 2 3 4 5 6 7 8 5 G B", True),
        ("EB000717618HK", True),
        ("RB123456786US", False),
        ("EB000717594HK", False),
        ("1Z999AA10123456784", True),
    ],
)
def test_the_check_digit_of_s10_is_told_and_never_rejects(
    read: Read, item: str, is_right: bool
) -> None:
    made = read(f"item_id,posted_on\n{item},2026-11-20\n")
    assert made.account.screened == 1
    assert ("item_id:check_digit" not in made.account.faults) is is_right


def test_other_encodings_delimiters_and_ends_of_lines_are_read(read: Read, engine: Engine) -> None:
    text = "posted_on\tcontents\r\n20/11/2026\tThé vert\r\n20261121\tB\r\n"
    for raw in (text.encode("utf-8-sig"), text.encode("windows-1252"), text.encode("utf-16")):
        made = read(raw)
        found = rows(engine, made)
        assert [row["posted_day"] for row in found] == [20777, 20778]
        assert found[0]["contents"] == " the vert "


def test_excel_and_parquet_are_read_as_csv_is(read: Read, engine: Engine, tmp_path: Path) -> None:
    parquet = tmp_path / "m.parquet"
    engine.run(
        "COPY (SELECT DATE '2026-11-20' AS posted_on, 'Tea' AS contents, 0.5 AS gross_weight_kg) "
        f"TO {literal(parquet)} (FORMAT parquet)"
    )
    book = Path(__file__).parents[1] / "data" / "manifest.xlsx"
    for path in (parquet, book):
        made = read(path)
        (row,) = rows(engine, made)
        assert (row["posted_day"], row["contents"], row["gross_weight_g"]) == (20777, " tea ", 500)


XML = """\
<?xml version="1.0"?>
<m:message xmlns:m="urn:example"><m:header><m:name>not a parcel</m:name></m:header>
 <m:thing id="RR473124829GB"><posted>2026-11-02</posted>
  <sender country="NL"><name>Jansen "&amp; zoon"</name></sender>
  <piece><text>green tea</text></piece><piece><text>toys</text></piece><gross>120</gross></m:thing>
 <m:thing id="EE471108151FR"><posted>2026-11-03</posted><thing>inside</thing><gross>x</gross></m:thing>
</m:message>
"""
OF_XML = ManifestMapping(
    item="thing",
    weight_unit="g",
    columns={
        "@id": "item_id",
        "posted": "posted_on",
        "sender/@country": "origin_country",
        "sender/name": "sender_name",
        "piece/text": "contents",
        "gross": "gross_weight",
    },
)


def test_xml_is_read_by_the_paths_that_a_mapping_names(read: Read, engine: Engine) -> None:
    made = read(XML, OF_XML, "m.xml")
    first, second = rows(engine, made)
    assert (
        first["item_id"],
        first["contents"],
        first["gross_weight_g"],
        first["origin_country"],
    ) == (*("RR473124829GB", " green tea toys ", 120, "NL"),)
    assert second["item_id"] == "EE471108151FR"
    assert "3,gross_weight,not_a_number" in made.faults.read_text().splitlines()
    assert (made.account.lines, made.account.header, made.account.screened) == (3, 1, 2)
    assert made.account.unused_columns == ("thing",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('<!DOCTYPE m [<!ENTITY a "aa">]><m><thing>&a;</thing></m>', "declares a document type"),
        ("<m><thing>", "is not whole XML"),
        ("<m><parcel/></m>", "has no element <thing>"),
        ("<a>" * 50 + "</a>" * 50, "elements more than 40 deep"),
    ],
)
def test_xml_that_cannot_be_read_is_refused_as_a_whole(read: Read, text: str, told: str) -> None:
    with pytest.raises(ManifestError, match=told):
        read(text, OF_XML, "m.xml")


def test_xml_is_not_guessed_at(read: Read) -> None:
    with pytest.raises(ManifestError, match="which element holds one parcel"):
        read(XML, ManifestMapping(), "m.xml")


def test_a_mapping_names_columns_words_marks_and_rates(
    read: Read, engine: Engine, tmp_path: Path
) -> None:
    file = tmp_path / "mapping.toml"
    file.write_text(
        'decimal = ","\nweight_unit = "g"\ncurrency = "USD"\n[columns]\n"Day" = "posted_on"\n'
        '"What" = "contents"\n"W" = "gross_weight"\n[words.service]\n"X1" = "express"\n'
        '[rates]\nUSD = "0.5"\n'
    )
    made = read("Day;What;W;service;value\n2026-11-20;Tea;12,4;X1;3,50\n", load_mapping(file))
    (row,) = rows(engine, made)
    assert (row["gross_weight_g"], row["service"], row["value_eur"]) == (12, "express", 175)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('decimals = ","', "decimals: it is not known"),
        ('decimal = ";"', "decimal: write one of"),
        ('[columns]\n"A" = "sendr"', "columns.A: write one of"),
        ('[words.service]\n"A" = "fast"', "write one of: letter"),
        ('[words.contents]\n"A" = "b"', "not a field with a closed list"),
        ('[rates]\nUSD = "-1"', "rates.USD"),
        ('currency = "euro"', "three capitals"),
        ("decimal", "not TOML"),
    ],
)
def test_a_wrong_mapping_names_the_key_and_the_remedy(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "mapping.toml"
    file.write_text(text)
    with pytest.raises(ManifestError, match=told):
        load_mapping(file)


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (["contents"], "no column for the day of posting"),
        (["posted_on", "contents", "Inhoud"], "are both read as contents"),
        (["posted_on", "Weight"], "names no unit of weight"),
    ],
)
def test_headings_that_cannot_be_used_are_told(header: list[str], told: str) -> None:
    with pytest.raises(ManifestError, match=told):
        manifest_columns(header, ManifestMapping())


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("Einlieferungsdatum", ("posted_on", "")),
        ("Poids net (kg)", ("net_weight", "kg")),
        ("Naam van de afzender", ("sender_name", "")),
        ("Empfänger PLZ", ("addressee_postcode", "")),
        ("Wallet", ("", "")),
        ("Something", ("", "")),
    ],
)
def test_headings_are_recognised_in_four_languages(heading: str, field: tuple[str, str]) -> None:
    assert recognised(heading) == field


def test_a_manifest_that_does_not_add_up_is_not_screened(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("postern.manifest._refused_by_engine", lambda *_: {})
    with pytest.raises(ManifestNotWholeError, match="3 lines, and only 2"):
        read("posted_on,contents\n2026-11-20,Tea\nx\n")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("m.pdf", b"x", "no manifest that can be read"),
        ("m.parquet", b"x", "not a whole Parquet file"),
        ("m.xlsx", b"x", "cannot be read as a workbook"),
        ("m.csv", b"", "headings of columns"),
        ("m.csv", b'a"b\n', "headings of columns"),
    ],
)
def test_a_file_that_is_no_manifest_is_refused(
    read: Read, name: str, content: bytes, told: str
) -> None:
    with pytest.raises(ManifestError, match=told):
        read(content, name=name)


LINES = st.lists(
    st.binary(max_size=12).map(lambda each: each.replace(b"\n", b"").replace(b"\r", b"")),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(lines=LINES, has_end=st.booleans())
def test_sifting_loses_no_line(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], has_end: bool
) -> None:
    folder = tmp_path_factory.mktemp("lines")
    source, target = folder / "source.csv", folder / "target.csv"
    source.write_bytes(b"posted_on,b\n" + b"\n".join(lines) + (b"\n" if has_end else b""))
    found = sift(source, target, "utf-8", lambda _: None)
    written = target.read_bytes().splitlines()
    assert found.lines == 1 + found.blank + len(found.rejected) + found.kept
    assert len(target.read_bytes().split(b"\n")) - 1 == found.kept
    assert all(line.split(b",")[0].isdigit() for line in written if line)


@settings(max_examples=20, deadline=None)
@given(texts=st.lists(st.text(st.characters(max_codepoint=127, min_codepoint=32)), max_size=40))
def test_contents_are_folded_in_sql_as_in_python(engine: Engine, texts: list[str]) -> None:
    for text in texts:
        ((found,),) = engine.rows(f"SELECT {ascii_contents(literal(text))}")
        assert found == folded_contents(text)

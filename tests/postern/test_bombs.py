"""Small files that stand for very much: each is refused before it takes memory, and says why."""

import sys
import zipfile
from pathlib import Path

import pytest

from postern.manifest_errors import ManifestError
from postern.manifest_xml import xml_as_csv
from postern.workbook import workbook_as_csv
from postern.yaml_documents import Limits, Refusal, SourceError, documents

_REFUSAL = Refusal("It is too large.", "Shorten it.")
_LIMITS = Limits(100_000, 50_000, 10, 1_000, _REFUSAL, _REFUSAL, _REFUSAL, _REFUSAL)
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def workbook(path: Path, rows: str, **more: bytes) -> Path:
    """A workbook with one sheet of these rows, and other parts."""
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="rows" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        "</Relationships>",
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData>'
        "</worksheet>",
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (parts | more).items():
            archive.writestr(name, content)
    return path


def cell(place: str, text: str) -> str:
    row = place.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return f'<row r="{row}"><c r="{place}" t="inlineStr"><is><t>{text}</t></is></c></row>'


def test_a_plain_workbook_is_read(tmp_path: Path) -> None:
    source = workbook(tmp_path / "plain.xlsx", cell("A1", "item_id") + cell("A2", "R  1"))
    workbook_as_csv(source, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == "item_id\nR 1\n"
    assert (tmp_path / "out.csv").stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits")
def test_two_cells_far_apart_do_not_fill_the_memory(tmp_path: Path) -> None:
    source = workbook(tmp_path / "far.xlsx", cell("A1", "item_id") + cell("XFD1048576", "R1"))
    assert source.stat().st_size < 5_000
    with pytest.raises(ManifestError, match="could not be read with 4 GB of memory"):
        workbook_as_csv(source, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_a_workbook_that_unpacks_to_very_much_is_not_unpacked(tmp_path: Path) -> None:
    source = workbook(tmp_path / "packed.xlsx", cell("A1", "item_id"), strings=b" " * (65 * 2**20))
    assert source.stat().st_size < 200_000
    with pytest.raises(ManifestError, match="unpacks to more than 200 times its size"):
        workbook_as_csv(source, tmp_path / "out.csv")


def test_a_workbook_of_very_many_parts_is_not_read(tmp_path: Path) -> None:
    many = {f"part{number}": b"" for number in range(2_001)}
    source = workbook(tmp_path / "many.xlsx", cell("A1", "item_id"), **many)
    with pytest.raises(ManifestError, match="more than 2000 files"):
        workbook_as_csv(source, tmp_path / "out.csv")


def test_no_workbook_says_so(tmp_path: Path) -> None:
    (tmp_path / "none.xlsx").write_bytes(b"PK\x03\x04 and nothing")
    with pytest.raises(ManifestError, match="cannot be read as a workbook"):
        workbook_as_csv(tmp_path / "none.xlsx", tmp_path / "out.csv")


def test_entities_of_xml_are_not_expanded(tmp_path: Path) -> None:
    names = [f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "lol"}">' for n in range(30)]
    source = tmp_path / "laughs.xml"
    source.write_text(f"<!DOCTYPE a [{''.join(names)}]><a><item>&e29;</item></a>")
    with pytest.raises(ManifestError, match="declares a document type"):
        xml_as_csv(source, tmp_path / "out.csv", "item")


def test_xml_is_not_followed_into_every_depth(tmp_path: Path) -> None:
    source = tmp_path / "deep.xml"
    source.write_text("<a>" * 200_000)
    with pytest.raises(ManifestError, match="more than 40 deep"):
        xml_as_csv(source, tmp_path / "out.csv", "item")


_LAUGHS = "\n".join(
    f"e{n}: &e{n} [{', '.join([f'*e{n - 1}'] * 9) if n else 'lol'}]" for n in range(20)
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(_LAUGHS, "Anchors and aliases", id="aliases"),
        pytest.param("a: " + "[" * 40_000, "nested deeper", id="lists"),
        pytest.param("- " * 40_000, "nested deeper", id="dashes"),
        pytest.param("a: [" + "1, " * 20_000 + "]", "too large", id="nodes"),
        pytest.param("a: " + "b" * 100_001, "too large", id="characters"),
        pytest.param("a: !!python/object/apply:os.getcwd []", "Tags", id="tags"),
    ],
)
def test_a_yaml_bomb_is_refused_where_it_stands(text: str, reason: str) -> None:
    with pytest.raises(SourceError, match=reason):
        documents(text, _LIMITS)

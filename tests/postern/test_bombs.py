"""Small files that stand for very much: each is refused before it takes memory, and says why."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from postern.duckdb_engine import Engine
from postern.manifest import prepare
from postern.manifest_errors import EngineFullError, ManifestError
from postern.manifest_mapping import ManifestMapping
from postern.manifest_xml import xml_as_csv
from postern.strict_json import MalformedError, parse_object
from postern.workbook import WorkbookBounds, workbook_as_csv
from postern.yaml_documents import Limits, Refusal, SourceError, documents
from tests.bounded import MIB, Refused, bounded
from tests.postern.bomb_files import cell, old_workbook, open_workbook, parquet, workbook

_REFUSAL = Refusal("It is too large.", "Shorten it.")
_LIMITS = Limits(100_000, 50_000, 10, 1_000, _REFUSAL, _REFUSAL, _REFUSAL, _REFUSAL)
_SMALL = WorkbookBounds(memory=512 * MIB, seconds=20, table=MIB)

with_limits = pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits")


def test_a_plain_workbook_is_read(tmp_path: Path) -> None:
    source = workbook(tmp_path / "plain.xlsx", cell("A1", "item_id") + cell("A2", "R  1"))
    workbook_as_csv(source, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == "item_id\nR 1\n"
    assert (tmp_path / "out.csv").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", ["xls", "ods"])
def test_plain_workbooks_of_other_kinds_are_read(kind: str, tmp_path: Path) -> None:
    source = tmp_path / f"plain.{kind}"
    if kind == "xls":
        old_workbook(source, (0, 0, 1), (1, 0, 2))
    else:
        open_workbook(source, ("1", 1, 1), ("2", 1, 1))
    workbook_as_csv(source, tmp_path / "out.csv", _SMALL)
    assert (tmp_path / "out.csv").read_text() == "1\n2\n"


@with_limits
@pytest.mark.parametrize(
    ("kind", "make", "told"),
    [
        pytest.param(
            "xlsx",
            lambda path: workbook(path, cell("A1", "item_id") + cell("XFD1048576", "R1")),
            "could not be read with 512 MB of memory",
            id="two cells of an xlsx",
        ),
        pytest.param(
            "xls",
            lambda path: old_workbook(path, (0, 0, 1), (65_535, 65_535, 1)),
            "could not be read with 512 MB of memory",
            id="two cells of an xls",
        ),
        pytest.param(
            "ods",
            lambda path: open_workbook(path, ("R1", 1_000, 1_000)),
            "makes a table of more than 1 MB",
            id="a cell of an ods repeated",
        ),
        pytest.param(
            "ods",
            lambda path: open_workbook(path, ("R1", 16_384, 1_048_576)),
            "cannot be read as a workbook",
            id="a cell of an ods repeated to the end",
        ),
        pytest.param(
            "ods",
            lambda path: open_workbook(path, ("R1", 10**20, 1)),
            "cannot be read as a workbook",
            id="a cell of an ods repeated beyond all numbers",
        ),
    ],
)
def test_a_small_workbook_of_very_many_cells_is_refused(
    kind: str, make: Callable[[Path], Path], told: str, tmp_path: Path
) -> None:
    source = make(tmp_path / f"far.{kind}")
    assert source.stat().st_size < 6_000
    with pytest.raises(ManifestError, match=told) as refused:
        workbook_as_csv(source, tmp_path / "out.csv", _SMALL)
    assert str(source) in str(refused.value)
    assert "CSV" in str(refused.value)  # the remedy
    assert not (tmp_path / "out.csv").exists()


@with_limits
@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"strings": 2**32 - 1}, id="as many texts as can be told"),
        pytest.param({"is_endless": True}, id="sectors in a circle"),
    ],
)
def test_what_an_old_workbook_says_of_itself_is_not_believed(
    more: dict[str, Any], tmp_path: Path
) -> None:
    source = old_workbook(tmp_path / "old.xls", (0, 0, 7), **more)
    workbook_as_csv(source, tmp_path / "out.csv", _SMALL)
    assert (tmp_path / "out.csv").read_text() == "7\n"


@with_limits
def test_a_workbook_that_takes_too_long_is_refused(tmp_path: Path) -> None:
    source = open_workbook(tmp_path / "slow.ods", ("R1 " * 100, 1_000, 1_000))
    bounds = WorkbookBounds(memory=1024 * MIB, seconds=1)
    with pytest.raises(ManifestError, match="not read within 1 seconds of processor time"):
        workbook_as_csv(source, tmp_path / "out.csv", bounds)


@with_limits
@pytest.mark.parametrize(
    ("library", "told"),
    [
        pytest.param("os.kill(os.getpid(), signal.SIGSEGV)", r"broke down .*SIGSEGV", id="crash"),
        pytest.param("os.abort()", r"broke down .*SIGABRT", id="abort"),
        pytest.param("os.kill(os.getpid(), signal.SIGKILL)", "ended from outside", id="killed"),
        pytest.param("raise RuntimeError('Sophie')", r"broke down .*status 1", id="error"),
        pytest.param("bytearray(2**40)", "with 512 MB of memory", id="memory"),
    ],
)
def test_how_the_reader_ended_is_told_apart(
    library: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader's library is one that ends so when it is imported."""
    (tmp_path / "python_calamine.py").write_text(f"import os, signal\n{library}\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{Path(__file__).parents[2]}")
    source = workbook(tmp_path / "plain.xlsx", cell("A1", "item_id"))
    with pytest.raises(ManifestError, match=told) as refused:
        workbook_as_csv(source, tmp_path / "out.csv", _SMALL)
    assert "Sophie" not in str(refused.value)
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no such device")
def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader's library puts a full disk in the place of the table."""
    target = tmp_path / "out.csv"
    (tmp_path / "python_calamine.py").write_text(
        "import os\nCalamineError = ValueError\n"
        "class CalamineWorkbook:\n"
        "    from_path = get_sheet_by_index = lambda *_: CalamineWorkbook\n"
        f"    def to_python():\n        os.unlink({str(target)!r})\n"
        f"        os.symlink('/dev/full', {str(target)!r})\n        return [['a'] * 9] * 9999\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{Path(__file__).parents[2]}")
    source = workbook(tmp_path / "plain.xlsx", cell("A1", "item_id"))
    with pytest.raises(ManifestError, match=r"no room left in .* Free some"):
        workbook_as_csv(source, target, _SMALL)


def test_a_workbook_that_unpacks_to_very_much_is_not_unpacked(tmp_path: Path) -> None:
    source = workbook(tmp_path / "packed.xlsx", cell("A1", "item_id"), strings=b" " * (65 * MIB))
    assert source.stat().st_size < 200_000
    with pytest.raises(ManifestError, match="unpacks to more than 200 times its size"):
        workbook_as_csv(source, tmp_path / "out.csv")


def test_a_workbook_of_very_many_parts_is_not_read(tmp_path: Path) -> None:
    many = {f"part{number}": b"" for number in range(2_001)}
    source = workbook(tmp_path / "many.xlsx", cell("A1", "item_id"), **many)
    with pytest.raises(ManifestError, match="more than 2000 files"):
        workbook_as_csv(source, tmp_path / "out.csv")


def test_a_workbook_that_unpacks_to_more_than_may_be_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = workbook(tmp_path / "large.xlsx", cell("A1", "item_id"), strings=b" " * MIB)
    with ZipFile(source) as archive:
        unpacked = sum(each.file_size for each in archive.infolist())
    monkeypatch.setattr("postern.workbook._LARGEST", unpacked)
    workbook_as_csv(source, tmp_path / "out.csv", _SMALL)
    assert (tmp_path / "out.csv").read_text() == "item_id\n"
    monkeypatch.setattr("postern.workbook._LARGEST", unpacked - 1)
    with pytest.raises(ManifestError, match="unpacks to more than 0 GB, so it was not read"):
        workbook_as_csv(source, tmp_path / "more.csv", _SMALL)
    assert not (tmp_path / "more.csv").exists()


def test_no_workbook_says_so(tmp_path: Path) -> None:
    (tmp_path / "none.xlsx").write_bytes(b"PK\x03\x04 and nothing")
    with pytest.raises(ManifestError, match="cannot be read as a workbook"):
        workbook_as_csv(tmp_path / "none.xlsx", tmp_path / "out.csv")


def _prepared(path: Path, work: Path) -> int:
    """Rows of a manifest, read by an engine with little memory and disk; a row more than none."""
    work.mkdir()
    engine = Engine(work, memory_mib=150, threads=1, most_spill=64 * MIB)
    try:
        return prepare(path, work, ManifestMapping(), engine, lambda *_: None).account.screened
    finally:
        engine.close()


def test_a_plain_parquet_manifest_is_read(tmp_path: Path) -> None:
    assert _prepared(parquet(tmp_path / "plain.parquet", b"R1", rows=3), tmp_path / "work") == 3


@with_limits
@pytest.mark.parametrize(
    ("made", "told"),
    [
        pytest.param({"rows": 2**30}, "says that it has 1,073,741,824 rows in", id="one long run"),
        pytest.param({"rows": 3, "group_says": 10**15}, "says that it has", id="rows by its word"),
        pytest.param({"rows": 3, "columns": 600}, "has 603 columns", id="columns"),
        pytest.param(
            {"texts": b"x" * 8_000_000, "rows": 3}, "a text of more than 100,000", id="long text"
        ),
    ],
)
def test_a_parquet_manifest_that_says_too_much_is_refused(
    made: dict[str, Any], told: str, tmp_path: Path
) -> None:
    source = parquet(tmp_path / "small.parquet", **({"texts": b"x"} | made))
    assert source.stat().st_size < 40_000
    found = bounded(
        lambda: _prepared(source, tmp_path / "work"),
        memory=1_500 * MIB,
        seconds=30,
        written=100 * MIB,
    )
    assert isinstance(found, Refused)
    assert found.kind == ManifestError.__name__
    assert told in found.text
    assert str(source) in found.text
    assert "CSV" in found.text


@with_limits
@pytest.mark.parametrize(
    "made",
    [
        pytest.param({"texts": b"x" * 90_000, "rows": 1_000_000}, id="one text in every row"),
        pytest.param({"texts": b"x" * 2**28, "rows": 3}, id="a page that unpacks to very much"),
        pytest.param({"page_says": 2**31 - 1, "rows": 3}, id="a page by its word"),
    ],
)
def test_a_parquet_manifest_takes_no_more_memory_and_disk_than_is_set(
    made: dict[str, Any], tmp_path: Path
) -> None:
    source = parquet(tmp_path / "small.parquet", **({"texts": b"x"} | made))
    assert source.stat().st_size < 2_000_000
    found = bounded(
        lambda: _prepared(source, tmp_path / "work"),
        memory=1_500 * MIB,
        seconds=60,
        written=100 * MIB,
    )
    assert isinstance(found, Refused)
    assert found.kind == EngineFullError.__name__
    assert "150 MiB of memory and 64 MiB of the disk" in found.text
    assert "--memory" in found.text


def test_a_text_of_a_million_digits_is_no_number(tmp_path: Path) -> None:
    for text in ('{"a": ' + "9" * 1_000_000 + "}", '{"a": ' + "[" * 1_000_000):
        found = bounded(lambda text=text: parse_object(text), memory=64 * MIB, seconds=5)  # type: ignore[misc]
        assert isinstance(found, Refused)
        assert (found.kind, found.text) == (MalformedError.__name__, "it is not JSON in UTF-8")


_BEGUN = "&e{before};" * 10
_NESTED = "".join(
    f'<!ENTITY e{n} "{_BEGUN.format(before=n - 1) if n else "lol"}">' for n in range(30)
)


def _laughing(declared: str, text: str = "&e29;") -> str:
    return f"<!DOCTYPE a [{declared}]><a><item>{text}</item></a>"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(_laughing(_NESTED), id="entities in entities"),
        pytest.param(
            _laughing(f'<!ENTITY e29 "{"x" * 50_000}">', "&e29;" * 50_000), id="one again"
        ),
        pytest.param(_laughing('<!ENTITY % p SYSTEM "file:///dev/zero"> %p;'), id="parameters"),
        pytest.param(_laughing('<!ENTITY e29 SYSTEM "file:///dev/zero">'), id="another file"),
        pytest.param('<!DOCTYPE a SYSTEM "file:///dev/zero"><a><item/></a>', id="another schema"),
    ],
)
def test_entities_of_xml_are_not_expanded(text: str, tmp_path: Path) -> None:
    source = tmp_path / "laughs.xml"
    source.write_text(text)
    found = bounded(
        lambda: xml_as_csv(source, tmp_path / "out.csv", "item"), memory=64 * MIB, seconds=5
    )
    assert isinstance(found, Refused)
    assert found.kind == ManifestError.__name__
    assert "declares a document type. Write it anew, or export CSV." in found.text


_FIELDS = "more than 500 different fields"
_CHARACTERS = "<item> of more than 1,000,000 characters"
_ATTRIBUTES = " ".join(f'b{n}="x"' for n in range(100_000))
_ELEMENTS = "".join(f"<b{n}>x</b{n}>" for n in range(20_000))


@with_limits
@pytest.mark.parametrize(
    ("before", "piece", "times", "told"),
    [
        pytest.param("", "<a>", 200_000, "more than 40 deep", id="depth"),
        pytest.param("<a>", f"<item {_ATTRIBUTES}/></a>", 1, _FIELDS, id="attributes"),
        pytest.param("<a>", f"<item>{_ELEMENTS}</item></a>", 1, _FIELDS, id="elements"),
        pytest.param("<a><item><b>", "x" * MIB, 100, _CHARACTERS, id="one text"),
        pytest.param("<a><item>", "<b>x</b>" * 2**17, 60, _CHARACTERS, id="one path"),
        pytest.param("<a><b>", "x" * MIB, 100, "not whole XML", id="a text outside"),
        pytest.param("<a><item b='", "x" * MIB, 100, "a tag of more than", id="one attribute"),
    ],
)
def test_xml_of_very_much_in_one_place_is_refused(
    before: str, piece: str, times: int, told: str, tmp_path: Path
) -> None:
    source = tmp_path / "deep.xml"
    with source.open("w") as file:
        file.write(before)
        file.writelines(piece for _ in range(times))
    found = bounded(
        lambda: xml_as_csv(source, tmp_path / "out.csv", "item"), memory=64 * MIB, seconds=20
    )
    assert isinstance(found, Refused)
    assert found.kind == ManifestError.__name__
    assert told in found.text
    assert str(source) in found.text


_LAUGHS = "\n".join(
    f"e{n}: &e{n} [{', '.join([f'*e{n - 1}'] * 9) if n else 'lol'}]" for n in range(20)
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(_LAUGHS, "Anchors and aliases", id="aliases"),
        pytest.param("a: &a [*a]", "Anchors and aliases", id="a list in itself"),
        pytest.param("<<: *a\na: b", "Anchors and aliases", id="merged"),
        pytest.param("a: " + "[" * 40_000, "nested deeper", id="lists"),
        pytest.param("- " * 40_000, "nested deeper", id="dashes"),
        pytest.param("? " * 40_000, "nested deeper|not a plain word|not YAML", id="keys"),
        pytest.param("a: [" + "1, " * 20_000 + "]", "too large", id="nodes"),
        pytest.param("a: " + "b" * 100_001, "too large", id="characters"),
        pytest.param("a: !!python/object/apply:os.getcwd []", "Tags", id="tags"),
        pytest.param("%TAG ! x\n" * 9_000, "not YAML", id="directives"),
        pytest.param("--- a\n" * 16_000, "too large", id="documents"),
    ],
)
def test_a_yaml_bomb_is_refused_where_it_stands(text: str, reason: str) -> None:
    with pytest.raises(SourceError, match=reason):
        documents(text, _LIMITS)

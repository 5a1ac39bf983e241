import hashlib
from pathlib import Path

import pytest

from postern import csv_file
from postern.csv_file import CsvError, examine, read_rows


def file_of(tmp_path: Path, content: bytes | str) -> Path:
    path = tmp_path / "in.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(tmp_path: Path, delimiter: str) -> None:
    text = f'"name, or; firm"{delimiter}city\nJan{delimiter}Gent\n'
    file = examine(file_of(tmp_path, text))
    assert file.delimiter == delimiter
    assert file.header == ("name, or; firm", "city")
    assert [row.cells for row in read_rows(file)] == [("Jan", "Gent")]


@pytest.mark.parametrize(
    ("content", "encoding", "is_guessed"),
    [
        ("name\nJosé\n".encode(), "utf-8", False),
        ("name\nJosé\n".encode("utf-8-sig"), "utf-8-sig", False),
        ("name\nJosé\n".encode("windows-1252"), "windows-1252", True),
        ("name\nJosé\n".encode("utf-16"), "utf-16", False),
    ],
)
def test_the_encoding_is_found_out(
    tmp_path: Path, content: bytes, encoding: str, is_guessed: bool
) -> None:
    file = examine(file_of(tmp_path, content))
    assert (file.encoding, file.is_guessed) == (encoding, is_guessed)
    assert file.sha256 == hashlib.sha256(content).hexdigest()
    assert file.header == ("name",)
    assert [row.cells for row in read_rows(file)] == [("José",)]


def test_a_character_cut_by_a_reading_step_is_still_utf8(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_file, "_PIECE", 3)
    assert examine(file_of(tmp_path, "name\nJosé €uro 😀\n")).encoding == "utf-8"
    assert examine(file_of(tmp_path, b"name\nJos\xe9")).encoding == "windows-1252"


def test_what_is_in_no_known_encoding_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CsvError, match="neither UTF-8 nor windows-1252"):
        examine(file_of(tmp_path, b"name\n\x81\x8d\n"))


def test_rows_are_counted_and_keep_the_line_on_which_they_begin(tmp_path: Path) -> None:
    file = examine(file_of(tmp_path, 'name,city\n"Jan\nPiet",Gent\n\n , \nEva,Luik\n'))
    rows = list(read_rows(file))
    assert file.rows == len(rows) == 2
    assert [(row.number, row.line) for row in rows] == [(1, 2), (2, 6)]
    assert rows[0].cells == ("Jan\nPiet", "Gent")


def test_reading_goes_on_after_a_row(tmp_path: Path) -> None:
    file = examine(file_of(tmp_path, "name\na\nb\nc\n"))
    assert [row.cells for row in read_rows(file, after=2)] == [("c",)]


@pytest.mark.parametrize(
    ("line", "words"),
    [("a,b,c", "3 cells"), ("a", "1 cells"), ('"a"x,b', "quotation mark")],
)
def test_a_row_of_another_shape_has_a_fault_and_the_others_none(
    tmp_path: Path, line: str, words: str
) -> None:
    rows = list(read_rows(examine(file_of(tmp_path, f"name,city\n{line}\nJan,Gent\n"))))
    assert rows[0].fault is not None
    assert words in rows[0].fault
    assert rows[1].fault is None
    assert rows[1].cells == ("Jan", "Gent")


@pytest.mark.parametrize("length", [10, 30_000, 200_000])
def test_a_quotation_mark_that_is_never_closed_refuses_the_file(
    tmp_path: Path, length: int
) -> None:
    rest = "x,y\n" * (length // 4)
    with pytest.raises(CsvError, match="opened on line 3 is not closed"):
        examine(file_of(tmp_path, f'name,city\nJan,Gent\n"Piet,Gent\n{rest}'))


@pytest.mark.parametrize("content", ["", "\n\n", ",,\n"])
def test_a_file_without_headings_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(CsvError, match="is empty"):
        examine(file_of(tmp_path, content))


def test_headings_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CsvError, match="headings"):
        examine(file_of(tmp_path, '"a"b,c\n1,2\n'))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CsvError, match="cannot be read"):
        examine(tmp_path / "none.csv")

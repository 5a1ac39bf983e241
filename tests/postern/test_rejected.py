import csv
import stat
from pathlib import Path

from postern.csv_file import CsvFile, CsvRow, examine
from postern.rejected import RejectedRows
from postern.terms import Fault

FAULTS = (Fault("sender_phone", "Too short.", "Give all."), Fault("tlp", "Unknown.", "Mend it."))


def file_of(tmp_path: Path, text: str = "name;city\nJan;Gent\nPiet;Luik\n") -> CsvFile:
    path = tmp_path / "in.csv"
    path.write_text(text)
    return examine(path)


def read_back(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, delimiter=";"))


def test_a_rejected_row_keeps_its_columns_and_says_why(tmp_path: Path) -> None:
    rejected = RejectedRows(tmp_path / "out.csv", file_of(tmp_path))
    size = rejected.write([(CsvRow(1, 2, ("José", "Gent"), None), FAULTS)])
    assert read_back(rejected.path) == [
        ["name", "city", "postern_line", "postern_field", "postern_reason", "postern_remedy"],
        [
            "José",
            "Gent",
            "2",
            "sender_phone / tlp",
            "Too short. / Unknown.",
            "Give all. / Mend it.",
        ],
    ]
    assert size == rejected.path.stat().st_size
    assert stat.S_IMODE(rejected.path.stat().st_mode) == 0o600


def test_no_file_is_made_without_a_rejected_row(tmp_path: Path) -> None:
    rejected = RejectedRows(tmp_path / "out.csv", file_of(tmp_path))
    assert rejected.write([]) == 0
    assert not rejected.path.exists()


def test_what_was_written_beyond_the_journal_is_cut_off(tmp_path: Path) -> None:
    file = file_of(tmp_path)
    path = tmp_path / "out.csv"
    first = RejectedRows(path, file)
    size = first.write([(CsvRow(1, 2, ("a", "b"), None), FAULTS)])
    first.write([(CsvRow(2, 3, ("lost", "lost"), None), FAULTS)])
    again = RejectedRows(path, file, size=size)
    again.write([(CsvRow(2, 3, ("c", "d"), None), FAULTS)])
    assert [row[0] for row in read_back(path)] == ["name", "a", "c"]


def test_a_file_that_was_taken_away_is_begun_again(tmp_path: Path) -> None:
    file = file_of(tmp_path)
    path = tmp_path / "out.csv"
    size = RejectedRows(path, file).write([(CsvRow(1, 2, ("a", "b"), None), FAULTS)])
    path.unlink()
    RejectedRows(path, file, size=size).write([(CsvRow(2, 3, ("c", "d"), None), FAULTS)])
    assert [row[0] for row in read_back(path)] == ["name", "c"]


def test_cells_too_few_or_too_many_are_all_kept(tmp_path: Path) -> None:
    rejected = RejectedRows(tmp_path / "out.csv", file_of(tmp_path))
    rejected.write(
        [
            (CsvRow(1, 2, ("a",), "short"), FAULTS),
            (CsvRow(2, 3, ("a", "b", "c", "d"), "long"), FAULTS),
        ]
    )
    assert [row[:3] for row in read_back(rejected.path)[1:]] == [
        ["a", "", "2"],
        ["a", "b;c;d", "3"],
    ]


def test_its_own_columns_are_not_doubled_when_it_is_submitted_again(tmp_path: Path) -> None:
    file = file_of(tmp_path, "name;postern_line;postern_reason\nJan;7;old\n")
    rejected = RejectedRows(tmp_path / "out.csv", file)
    rejected.write([(CsvRow(1, 2, ("Jan", "7", "old"), None), FAULTS)])
    header, row = read_back(rejected.path)
    assert header == ["name", "postern_line", "postern_field", "postern_reason", "postern_remedy"]
    assert row[:2] == ["Jan", "2"]

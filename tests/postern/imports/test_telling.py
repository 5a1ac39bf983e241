import stat
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from postern.client_errors import RequestRefusedError
from postern.csv_file import CsvFile, examine
from postern.imports import MappedColumns, find_mapping, read_mapping
from postern.imports.finds import Find
from postern.imports.telling import Memory, NotSubmittedError, Told, reports_of, tell_finds
from postern.journal import Fate, Journal, JournalError, RowFate, RunHeader
from postern.vocabulary import OutcomeResult, Substance, Unit
from tests.postern.imports.mappings import SMALL

FOUND = OutcomeResult.FOUND
ROWS = "Drug type;Drug quantity;Drug unit;Mode of transport\n"


def find(drug: str, quantity: str, unit: str = "", transport: str = "") -> Find | None:
    columns = MappedColumns(ROWS.strip().split(";"), find_mapping("cis"))
    return columns.find((drug, quantity, unit, transport))


@pytest.mark.parametrize(
    ("quantity", "unit", "told"),
    [
        ("250", "g", (Decimal(250), Unit.GRAM)),
        ("1,5 kg", "g", (Decimal(1500), Unit.GRAM)),
        ("120 comprimés", "", (Decimal(120), Unit.PIECE)),
        ("2", "litres", (Decimal(2000), Unit.MILLILITRE)),
        ("40", "Stück", (Decimal(40), Unit.PIECE)),
        ("0.0004", "g", (None, None)),
        ("250", "", (None, None)),
        ("250", "bags", (None, None)),
        ("some", "g", (None, None)),
        ("9" * 15, "kg", (None, None)),
    ],
)
def test_how_much_was_found_is_told_in_the_units_of_an_outcome(
    quantity: str, unit: str, told: tuple[Decimal | None, Unit | None]
) -> None:
    assert find("ecstasy", quantity, unit) == Find(FOUND, Substance.MDMA, *told)


def test_an_amount_of_an_unknown_substance_is_not_told() -> None:
    assert find("pink stuff", "250", "g") == Find(FOUND)


def test_a_row_says_what_came_of_it_only_when_its_mapping_does() -> None:
    header, cells = ("Result", "Substance", "Amount"), ("negative", "ketamine", "5 g")
    columns = MappedColumns(header, find_mapping("ionics"))
    assert columns.find(cells) == Find(OutcomeResult.NOT_FOUND)
    assert columns.find(("pending", "ketamine", "5 g")) is None
    seizures = MappedColumns(("Seizure status", "Drug type"), find_mapping("cis"))
    assert seizures.find(("", "mdma")) == Find(FOUND, Substance.MDMA)
    assert seizures.find(("Confiscated", "mdma")) == Find(FOUND, Substance.MDMA)
    assert seizures.find(("detained", "mdma")) is None
    assert seizures.find(("lost", "mdma")) is None  # not known: nothing is told of it
    assert MappedColumns(("Drug",), read_mapping(SMALL)).find(("snow",)) is None


def a_file(tmp_path: Path) -> CsvFile:
    path = tmp_path / "in.csv"
    path.write_text(
        ROWS + "mdma;1;g;\nheroin;2;g;\nlsd;3;;\ncocaine;4;g;truck\nketamine;5;g;\n", "utf-8"
    )
    return examine(path)


def a_journal(tmp_path: Path, file: CsvFile) -> Path:
    path = tmp_path / "in.csv.journal"
    header = RunHeader.new(file_sha256=file.sha256, terms="t", day=date(2026, 1, 1), rejected="r")
    journal = Journal.create(path, header)
    journal.record(
        [RowFate(1, Fate.CREATED, "one"), RowFate(2, Fate.REJECTED)],
        0,
    )
    journal.record([RowFate(3, Fate.EXISTING, "three"), RowFate(4, Fate.CREATED, "four")], 0)
    journal.close()
    return path


def test_reports_are_those_of_the_journal_of_the_same_file(tmp_path: Path) -> None:
    file = a_file(tmp_path)
    journal = tmp_path / "in.csv.journal"
    with pytest.raises(NotSubmittedError, match="was not submitted from here"):
        reports_of(file, journal)
    a_journal(tmp_path, file)
    assert reports_of(file, journal) == {1: "one", 3: "three", 4: "four"}
    file.path.write_text(ROWS + "mdma;9;g;\n", "utf-8")
    with pytest.raises(NotSubmittedError, match="was changed since it was submitted"):
        reports_of(examine(file.path), journal)


def test_a_run_that_is_cut_off_goes_on_where_it_was(tmp_path: Path) -> None:
    file = a_file(tmp_path)
    reports = reports_of(file, a_journal(tmp_path, file))
    columns = MappedColumns(file.header, find_mapping("cis"))
    path = tmp_path / "in.csv.outcomes"
    said: list[tuple[str, Any]] = []

    def tell(report: str, outcome: dict[str, Any]) -> None:
        said.append((report, outcome.get("quantity")))

    def tell_one(report: str, outcome: dict[str, Any]) -> None:
        if report == "three":
            raise KeyboardInterrupt
        tell(report, outcome)

    with Memory(path, file.sha256) as memory, pytest.raises(KeyboardInterrupt):
        tell_finds(file, columns, reports, memory, tell_one)
    with path.open("ab") as damaged:
        damaged.write(b"3")  # cut off while it was written
    with Memory(path, file.sha256) as memory:
        assert tell_finds(file, columns, reports, memory, tell) == Told(
            told=1, before=1, silent=3, without_quantity=1
        )
    assert said == [("one", "1.000"), ("three", None)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"mdma" not in path.read_bytes()


def test_a_report_that_is_gone_is_counted_and_other_refusals_stop(tmp_path: Path) -> None:
    file = a_file(tmp_path)
    columns = MappedColumns(file.header, find_mapping("cis"))

    def refusing(status: int) -> Told:
        def tell(_report: str, _outcome: dict[str, Any]) -> None:
            raise RequestRefusedError(status, "No.", "Stop.", ())

        with Memory(tmp_path / f"{status}", file.sha256) as memory:
            return tell_finds(file, columns, {1: "one"}, memory, tell)

    assert refusing(404) == Told(silent=4, gone=1)
    with pytest.raises(RequestRefusedError):
        refusing(422)


def test_what_is_remembered_is_of_one_file_whole_and_of_one_process(tmp_path: Path) -> None:
    path = tmp_path / "memory"
    with Memory(path, "a") as memory:
        memory.add(3)
        with pytest.raises(JournalError, match="Another process"):
            Memory(path, "a")
    with Memory(path, "a") as memory:
        assert memory.rows == {3}
    with pytest.raises(JournalError, match="of another file"):
        Memory(path, "b")
    path.write_bytes(path.read_bytes() + b"{}\n")
    with pytest.raises(JournalError, match="is damaged"):
        Memory(path, "a")

import json
import stat
from datetime import date
from pathlib import Path

import pytest

from postern.journal import Fate, Journal, JournalError, RowFate, RunHeader


def header() -> RunHeader:
    return RunHeader.new(
        file_sha256="ab" * 32, terms="cd" * 32, day=date(2026, 11, 25), rejected="x.rejected.csv"
    )


def begun(path: Path) -> Journal:
    journal = Journal.create(path, header())
    journal.record([RowFate(1, Fate.CREATED, "id-1"), RowFate(2, Fate.REJECTED)], 120)
    return journal


def test_a_journal_goes_on_where_it_was_left(tmp_path: Path) -> None:
    path = tmp_path / "run.journal"
    journal = begun(path)
    journal.record([RowFate(3, Fate.EXISTING, "id-3")], 120)
    journal.close()
    again = Journal.resume(path)
    assert again is not None
    assert again.header == journal.header
    assert (again.done, again.rejected_bytes, again.is_resumed) == (3, 120, True)
    assert again.counts == {Fate.CREATED: 1, Fate.EXISTING: 1, Fate.REJECTED: 1}
    again.record([RowFate(4, Fate.CREATED, "id-4")], 150)
    again.close()
    third = Journal.resume(path)
    assert third is not None
    assert (third.done, third.rejected_bytes) == (4, 150)
    third.close()


def test_it_is_private_and_holds_no_more_than_numbers_fates_and_ids(tmp_path: Path) -> None:
    path = tmp_path / "run.journal"
    begun(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines[0].keys() == {"journal", "file_sha256", "terms", "day", "rejected", "run"}
    assert lines[1] == {"first": 1, "fates": "cr", "reports": ["id-1", None], "rejected_bytes": 120}


def test_no_journal_is_none(tmp_path: Path) -> None:
    assert Journal.resume(tmp_path / "none") is None


def test_a_line_that_was_cut_off_counts_as_not_written(tmp_path: Path) -> None:
    path = tmp_path / "run.journal"
    begun(path).close()
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"first":3,"fates":"c')
    journal = Journal.resume(path)
    assert journal is not None
    assert journal.done == 2
    assert path.read_bytes() == whole
    journal.record([RowFate(3, Fate.CREATED, "id")], 120)
    journal.close()
    again = Journal.resume(path)
    assert again is not None
    assert again.done == 3
    again.close()


@pytest.mark.parametrize(
    "content",
    [
        b"not json\n",
        b'{"journal":2}\n',
        b'{"journal":1,"file_sha256":"a","terms":"b","day":"x","rejected":"r","run":""}\n',
        b'{"journal":1,"file_sha256":"a","terms":"b","day":"2026-11-25","rejected":"r","run":"ab"}\n',
    ],
)
def test_what_is_no_journal_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "run.journal"
    path.write_bytes(content)
    with pytest.raises(JournalError, match="damaged"):
        Journal.resume(path)


@pytest.mark.parametrize("content", [b"", b'{"journal":1,"file_sha'])
def test_a_run_that_was_cut_off_before_it_began_is_no_run(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "run.journal"
    path.write_bytes(content)
    assert Journal.resume(path) is None
    begun(path).close()
    journal = Journal.resume(path)
    assert journal is not None
    assert journal.done == 2
    journal.close()


def test_a_run_that_goes_on_elsewhere_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "run.journal"
    journal = begun(path)
    before = path.read_bytes()
    with pytest.raises(JournalError, match="Another process"):
        Journal.create(path, header())
    assert path.read_bytes() == before
    journal.close()


def test_a_gap_in_the_rows_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "run.journal"
    begun(path).close()
    with path.open("a") as file:
        file.write('{"first":9,"fates":"c","reports":["x"],"rejected_bytes":0}\n')
    with pytest.raises(JournalError, match="damaged"):
        Journal.resume(path)


def test_a_run_that_goes_on_elsewhere_is_not_joined(tmp_path: Path) -> None:
    path = tmp_path / "run.journal"
    journal = begun(path)
    with pytest.raises(JournalError, match="Another process"):
        Journal.resume(path)
    journal.close()
    again = Journal.resume(path)
    assert again is not None
    again.close()


def test_client_keys_are_stable_in_a_run_and_tell_nothing_of_the_row(tmp_path: Path) -> None:
    one, other = header(), header()
    keys = {one.client_key(row) for row in range(1, 1000)}
    assert len(keys) == 999
    assert all(len(key) == 32 and int(key, 16) >= 0 for key in keys)
    assert one.client_key(7) == one.client_key(7) != other.client_key(7)


def test_a_name_of_a_rejected_file_cannot_lead_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "run.journal"
    begun(path).close()
    path.write_text(path.read_text().replace("x.rejected.csv", "../../etc/x"))
    journal = Journal.resume(path)
    assert journal is not None
    assert journal.header.rejected == "x"
    journal.close()

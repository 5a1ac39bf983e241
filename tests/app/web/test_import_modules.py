"""Records of another system become the same rows in the pages' worker as with `postern submit`."""

import csv
import json
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

from postern.imports import SHIPPED, MappedColumns, find_mapping
from postern.imports.model import CONSTANTS, has_words, listed
from postern.imports.shipped_tables import FILE, written
from postern.terms import FaultError

REHEARSAL = Path(__file__).with_name("import_rehearsal.mjs")
GOLDEN = Path(__file__).parents[2] / "data" / "imports" / "seizures.csv"
VARIED = 400  # rows of each mapping
ODD = (
    *(
        "3/4/2026",
        "31.12.25",
        "1er août 2026",
        "2026-02-30",
        "46088",
        "2026-03-04T10:00",
        "12 maart 26",
    ),
    *("1.250", "1,250 kg", "2 lb", "0.5 oz", "900000 mg", "-3 kg", "1'200.50", "12 EUR", "€ 5"),
    *("MDMA; cocaine", "xtc-pillen (roze)", "heroïne / ?", "", " ", "unknown", "to be analysed"),
    *("Pays-Bas", "AUS", "Viet Nam", "Atlantis", "a@example.org", "02 555 12 34", "x" * 70),
    *("expéditeur", "Empfänger", "driver", "courier post", "lorry", "air", "A1", "Z9", "6", "b2"),
)


def rehearsed(files: list[Any]) -> dict[str, Any]:
    node = shutil.which("node")
    assert node, "Install Node.js: bash tests/install-node"
    ran = subprocess.run(
        [node, str(REHEARSAL)],
        input=json.dumps(files),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def as_python(header: list[str], name: str, rows: list[list[str]]) -> dict[str, Any]:
    columns = MappedColumns(header, find_mapping(name), without=frozenset(CONSTANTS))
    read: list[dict[str, Any]] = []
    for cells in rows:
        try:
            read.append({name: str(text) for name, text in columns.read(cells).items()})
        except FaultError as error:
            read.append(
                {"faults": [[each.field, each.reason, each.remedy] for each in error.faults]}
            )
    tally = columns.tally
    return {
        "read": read,
        "unknown": {tuple(key): num for key, num in tally.unknown.items()},
        "beyond": {tuple(key): num for key, num in tally.beyond.items()},
        "several": dict(tally.several),
        "dropped": dict(tally.dropped),
        "left_out": sorted((where, num) for (where, _), num in tally.left_out.items()),
        "unused": len(columns.unused),
    }


def as_told(found: dict[str, Any]) -> dict[str, Any]:
    tally = found["tally"]
    return {
        "read": found["read"],
        "unknown": {(e["heading"], e["field"], e["text"]): e["num"] for e in tally["unknown"]},
        "beyond": {(e["heading"], e["field"]): e["num"] for e in tally["beyond"]},
        "several": {e["heading"]: e["num"] for e in tally["several"]},
        "dropped": {e["heading"]: e["num"] for e in tally["dropped"]},
        "left_out": sorted((e["where"], e["num"]) for e in tally["leftOut"]),
        "unused": len(found["unknown"]),
    }


def varied(name: str) -> tuple[list[str], str, list[list[str]]]:
    """A file with a heading of every entry, and cells that are right, odd and of other entries."""
    chance = random.Random(name)  # noqa: S311 - not a secret
    columns = find_mapping(name).columns
    header = [chance.choice(each.headings) for each in columns] + ["Item number", "Ribbon"]
    words = [
        [*each.words, *(listed(each.field) or ())] if has_words(each.field) else []
        for each in columns
    ]
    rows = []
    for _ in range(VARIED):
        cells = [
            chance.choice(known).replace("_", " ")
            if known and chance.random() < 0.7
            else chance.choice(ODD)
            if chance.random() < 0.5
            else ""
            for known in [*words, [], []]
        ]
        rows.append(cells)
    return header, name, rows


def test_the_worker_reads_the_mappings_that_are_shipped() -> None:
    assert FILE.read_text(encoding="utf-8") == written(), (
        "the YAML was changed: run python -m postern.imports.shipped_tables and make modules"
    )


def test_rows_become_the_same_as_on_premises() -> None:
    with GOLDEN.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file, delimiter=";")
    files = [(header, "cis", rows), *(varied(name) for name in SHIPPED)]
    found = rehearsed([list(each) for each in files])
    assert found["mappings"] == list(SHIPPED)
    for asked, answer in zip(files, found["files"], strict=True):
        assert as_told(answer) == as_python(*asked)
    assert len(found["files"][1]["tally"]["unknown"]) > 20


def test_a_file_of_which_nothing_could_be_sent_is_not_usable() -> None:
    files = [
        [["Case number", "Type of fraud", "Contact person"], "cis", []],
        [["Case number", "Drug type"], "cis", []],
    ]
    assert [each["isUsable"] for each in rehearsed(files)["files"]] == [False, True]

"""Reading a manifest: CSV, Excel or Parquet becomes one prepared Parquet file that rules run on.

The prepared file holds no name, address or number of a person: only numbers that stand for them
within this one file, the line of each parcel, and its item identifier. Every line of the manifest
is accounted for, or nothing is screened.
"""

# ruff: noqa: S608 - every name in a statement is ours; what comes from outside is a literal

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from postern.duckdb_engine import Engine, literal
from postern.manifest_codes import country, currencies, hs_chapters, postcode_forms
from postern.manifest_errors import ManifestError, ManifestNotWholeError
from postern.manifest_lines import sift
from postern.manifest_mapping import ManifestColumns, ManifestMapping, known_words, manifest_columns
from postern.manifest_mapping import folded_word as folded
from postern.manifest_parquet import parquet_rows, unread
from postern.manifest_sql import COUNTRY_FIELDS, WORD_FIELDS, typed
from postern.manifest_xml import xml_as_csv
from postern.patterns.contents import folded_contents
from postern.private_files import PRIVATE
from postern.shipment import AmountUnits, read_shipment
from postern.workbook import workbook_as_csv

PREPARED_MARK = "postern_manifest"
_VERSION = "1"
_EXCEL = frozenset({".xlsx", ".xlsm", ".xls", ".ods"})
_CSV = frozenset({".csv", ".txt", ".tsv"})
_PARQUET = ".parquet"
_XML = ".xml"
_NUMBER = re.compile(rb"\A[0-9]+")
_SPILL = 8 * 2**30  # bytes that the engine may put on the disk for any manifest
_SPILL_TIMES = 200  # and as many times the size of a larger one

Progress = Callable[[str, int], None]
"""Called with what is done now and how far it is: bytes of the file, or per cent."""


@dataclass(frozen=True, slots=True)
class Account:
    """What became of every line: header + blank + rejected + screened = lines.

    `flawed` counts screened parcels of which a field could not be read; `faults` how often which.
    """

    lines: int
    header: int
    blank: int
    rejected: int
    screened: int
    flawed: int
    faults: Mapping[str, int]
    repeated_items: int
    unused_columns: tuple[str, ...]
    encoding: str

    def as_json(self) -> dict[str, Any]:
        """The account as it is written into results."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A manifest that rules can run on, and the file of its faults (line, field, reason)."""

    path: Path
    faults: Path
    account: Account


@dataclass(frozen=True, slots=True)
class _Lines:
    """What is known of the lines before the engine reads them."""

    header: tuple[str, ...]
    source: str  # SQL of a table with the columns line, c0, c1, ...
    lines: int
    blank: int
    rejected: tuple[tuple[int, str], ...]
    encoding: str
    sifted: Path | None = None  # what the engine reads as CSV, each line after its number


def prepare(
    path: Path,
    work: Path,
    mapping: ManifestMapping,
    engine: Engine,
    progress: Progress,
    *,
    keeps_cells: bool = False,
) -> Prepared:
    """Read a manifest into `work`, a directory that only this run uses.

    With `keeps_cells` the cells as they stand in the file stay in the engine, as the table `raw`.
    Raises ManifestError when it cannot be read as a whole, ManifestNotWholeError when a line is
    unaccounted for, ScreeningMissingError, OSError.
    """
    lines = _lines(path, work, mapping, engine, progress)
    columns = manifest_columns(lines.header, mapping)
    _codes(engine)
    engine.bound_spill(max(_SPILL, _SPILL_TIMES * path.stat().st_size))
    try:
        # A temporary table is kept as it is; another one is packed, which is dearer than reading.
        engine.run(
            f"CREATE OR REPLACE TEMP TABLE raw AS SELECT {_cells(columns)} FROM {lines.source}"
        )
    except engine.error as error:
        raise unread(path, error) from None
    refused = dict(lines.rejected) | _refused_by_engine(engine, lines)
    _folded_cells(engine, columns, mapping, work)
    target, faults = work / "manifest.parquet", work / "faults.csv"
    progress("checking", 0)
    reading = typed(columns, mapping, tuple(postcode_forms()))
    bits = ((str(1 << place), fault) for place, fault in enumerate(reading.faults))
    engine.table("fault_bits", ("bit", "fault"), bits)
    engine.run(
        f"COPY ({reading.sql}) TO {literal(target)} "
        f"(FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{PREPARED_MARK}: '{_VERSION}'}})",
        lambda share: progress("checking", share),
    )
    target.chmod(PRIVATE)
    if not keeps_cells:
        engine.run("DROP TABLE raw")
    _write_faults(engine, target, refused, faults)
    account = _account(engine, target, lines, refused, columns.unused)
    return Prepared(target, faults, account)


def _lines(
    path: Path, work: Path, mapping: ManifestMapping, engine: Engine, progress: Progress
) -> _Lines:
    suffix = path.suffix.lower()
    if suffix == _PARQUET:
        return _parquet(path, engine)
    if suffix in _EXCEL:
        table = work / "sheet.csv"
        workbook_as_csv(path, table)
        return _csv(table, work, "utf-8", engine, progress)
    if suffix == _XML:
        if not mapping.item:
            raise ManifestError(
                f"{path} is XML, and nothing says which element holds one parcel. Name it with "
                'item = "..." in a mapping file.'
            )
        table = work / "items.csv"
        _make_private(table)
        xml_as_csv(path, table, mapping.item)
        return _csv(table, work, "utf-8", engine, progress)
    if suffix in _CSV:
        return _csv(path, work, mapping.encoding, engine, progress)
    raise ManifestError(
        f"{path} is no manifest that can be read. Give a file that ends with .csv, .xlsx, .ods, "
        ".xml or .parquet."
    )


def _parquet(path: Path, engine: Engine) -> _Lines:
    found = parquet_rows(path, engine)
    return _Lines(found.names, found.source, found.rows, 0, (), "Parquet")


def _csv(
    path: Path, work: Path, encoding: str | None, engine: Engine, progress: Progress
) -> _Lines:
    whole = work / "lines.csv"
    _make_private(whole)
    sifted = sift(path, whole, encoding, lambda size: progress("reading", size))
    engine.run("DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans")
    named = ", ".join(f"'c{n}': 'VARCHAR'" for n in range(len(sifted.header)))
    source = (
        f"read_csv({literal(whole)}, auto_detect = false, header = false, "
        f"delim = {literal(sifted.delimiter)}, quote = '\"', escape = '\"', new_line = '\\n', "
        f"columns = {{'line': 'BIGINT', {named}}}, store_rejects = true, rejects_limit = 0, "
        "strict_mode = true, max_line_size = 400000)"
    )
    encoded = f"{sifted.encoding} (guessed)" if sifted.is_guessed else sifted.encoding
    return _Lines(
        sifted.header,
        source,
        sifted.lines,
        sifted.blank,
        sifted.rejected,
        encoded,
        sifted=whole,
    )


def _cells(columns: ManifestColumns) -> str:
    return ", ".join(["line", *(f"c{place} AS {name}" for name, place in columns.places.items())])


def _refused_by_engine(engine: Engine, lines: _Lines) -> dict[int, str]:
    """Lines with too few or too many cells, by their number in the manifest.

    What the engine tells of their text is not used: where quotes stand amid a cell it may be a part
    of the line, or the line before.
    """
    if lines.sifted is None:
        return {}
    places = {row[0] for row in engine.rows("SELECT DISTINCT line FROM reject_errors")}
    if not places:
        return {}
    with lines.sifted.open("rb") as file:
        refused = [line for place, line in enumerate(file, 1) if place in places]
    return {int(_NUMBER.findall(line)[0]): "wrong_number_of_cells" for line in refused}


def _codes(engine: Engine) -> None:
    """The tables that cells are looked up in, but for those that depend on the cells."""
    engine.table("hs_chapters", ("chapter",), ((each,) for each in hs_chapters()))
    engine.table("currencies", ("code",), ((each,) for each in sorted(currencies())))


def _folded_cells(
    engine: Engine, columns: ManifestColumns, mapping: ManifestMapping, work: Path
) -> None:
    """For every different cell of a closed list, a country or foreign contents, what it means."""
    for name in WORD_FIELDS:
        _lookup(engine, columns, name, _word_in(name, known_words(name, mapping)))
    for name in COUNTRY_FIELDS:
        _lookup(engine, columns, name, country)
    if "contents" in columns.places:
        foreign = _different(engine, "contents", "WHERE regexp_matches(contents, '[^\\x00-\\x7F]')")
        cells = ((cell, folded_contents(cell)) for cell in foreign)
        table = work / "contents.csv"
        _make_private(table)
        engine.large_table("w_contents", ("cell", "word"), cells, table)


def _word_in(name: str, known: Mapping[str, str]) -> Callable[[str], str | None]:
    def means(cell: str) -> str | None:
        return known.get(folded(cell)) or read_shipment({name: cell}, AmountUnits())[0].get(name)

    return means


def _lookup(
    engine: Engine,
    columns: ManifestColumns,
    name: str,
    means: Callable[[str], str | None],
) -> None:
    if name in columns.places:
        cells = _different(engine, name, "")
        engine.table(f"w_{name}", ("cell", "word"), ((cell, means(cell)) for cell in cells))


def _different(engine: Engine, name: str, which: str) -> Iterator[str]:
    engine.run(
        f"CREATE OR REPLACE TABLE different AS SELECT DISTINCT trim({name}) FROM raw {which}"
    )
    for row in engine.stream("SELECT * FROM different"):
        if row[0]:
            yield row[0]


def _write_faults(engine: Engine, prepared: Path, refused: Mapping[int, str], target: Path) -> None:
    rows: Iterable[tuple[int, str]] = ((n, f"line:{why}") for n, why in sorted(refused.items()))
    engine.table("refused", ("line", "fault"), ((str(n), why) for n, why in rows))
    engine.run(
        "COPY (SELECT line, split_part(fault, ':', 1) AS field, "
        "split_part(fault, ':', 2) AS reason FROM "
        "(SELECT CAST(line AS BIGINT) AS line, fault FROM refused UNION ALL "
        f"SELECT line, fault FROM {_faults_of(prepared)}) "
        f"ORDER BY line, field) TO {literal(target)} (HEADER)"
    )
    target.chmod(PRIVATE)


def _faults_of(prepared: Path) -> str:
    """A row for each fault of each parcel; the bits of faults are in a table."""
    return (
        f"read_parquet({literal(prepared)}) AS parcel JOIN fault_bits "
        "ON (parcel.faults & CAST(fault_bits.bit AS BIGINT)) <> 0 WHERE parcel.faults <> 0"
    )


def _account(
    engine: Engine,
    prepared: Path,
    lines: _Lines,
    refused: Mapping[int, str],
    unused: tuple[str, ...],
) -> Account:
    source = f"read_parquet({literal(prepared)})"
    ((screened, flawed),) = engine.rows(
        f"SELECT count(*), count(*) FILTER (faults <> 0) FROM {source}"
    )
    ((repeated,),) = engine.rows(
        f"SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM {source} "
        "WHERE item_id IS NOT NULL GROUP BY item_id HAVING count(*) > 1)"
    )
    counted = engine.rows(
        f"SELECT fault, count(*) FROM {_faults_of(prepared)} GROUP BY fault ORDER BY fault"
    )
    faults = {str(fault): int(count) for fault, count in counted}
    for why in refused.values():
        faults[f"line:{why}"] = faults.get(f"line:{why}", 0) + 1
    header = 0 if lines.sifted is None else 1
    total = header + lines.blank + len(refused) + int(screened)
    if total != lines.lines:
        raise ManifestNotWholeError(total, lines.lines)
    return Account(
        lines.lines,
        header,
        lines.blank,
        len(refused),
        int(screened),
        int(flawed),
        faults,
        int(repeated),
        unused,
        lines.encoding,
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _make_private(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE))

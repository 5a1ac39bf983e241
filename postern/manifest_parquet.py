"""A Parquet manifest, judged by what it says of itself before its rows are read.

Some hundred bytes of Parquet can stand for a thousand million rows, or for one text of megabytes in
every row. Rows are bounded by the size of the file and each text by its length; all together are
bounded by what the engine may put on the disk.
"""

# ruff: noqa: S608 - every name in a statement is ours; what comes from outside is a literal

from dataclasses import dataclass
from pathlib import Path

from postern.duckdb_engine import Engine, literal
from postern.manifest_errors import ManifestError
from postern.manifest_lines import LONGEST_LINE

_MOST_COLUMNS = 500
_FEW_ROWS = 1_000_000
_ROWS_PER_BYTE = 2  # of the file; an item's identifier alone takes more than a byte
_TOO_LONG = "postern: a text of the manifest is too long"
_LENGTH = {"VARCHAR": "strlen", "BLOB": "octet_length"}


@dataclass(frozen=True, slots=True)
class ParquetRows:
    """Names of the columns, SQL of a table with the columns line, c0, c1, ..., and its rows."""

    names: tuple[str, ...]
    source: str
    rows: int


def parquet_rows(path: Path, engine: Engine) -> ParquetRows:
    """What a Parquet file holds. Raises ManifestError when it is none, or says too much."""
    read = f"read_parquet({literal(path)}, file_row_number = true)"
    try:
        ((count,),) = engine.rows(
            f"SELECT sum(num_rows)::HUGEINT FROM parquet_file_metadata({literal(path)})"
        )
        ((columns,),) = engine.rows(f"SELECT count(*) - 1 FROM parquet_schema({literal(path)})")
        _judge(path, int(count), int(columns))
        described = engine.rows(f"DESCRIBE SELECT * FROM {read}")
    except engine.error as error:
        raise ManifestError(f"{path} is not a whole Parquet file. Write it anew.") from error
    fields = [(str(row[0]), str(row[1])) for row in described if row[0] != "file_row_number"]
    cells = ", ".join(_cell(name, kind, place) for place, (name, kind) in enumerate(fields))
    return ParquetRows(
        tuple(name for name, _ in fields),
        f"(SELECT file_row_number + 1 AS line, {cells} FROM {read})",
        int(count),
    )


def unread(path: Path, error: Exception) -> ManifestError:
    """What is said of a manifest of any kind whose rows the engine could not read."""
    if _TOO_LONG in str(error):
        return _too_much(path, f"holds a text of more than {LONGEST_LINE:,} bytes")
    return ManifestError(
        f"{path} could not be read to its end ({type(error).__name__}). Write it anew, as CSV "
        "if it stays so, and see that the disk has room."
    )


def _judge(path: Path, rows: int, columns: int) -> None:
    size = path.stat().st_size
    if not 0 <= rows <= _FEW_ROWS + _ROWS_PER_BYTE * size:
        raise _too_much(path, f"says that it has {rows:,} rows in {size:,} bytes")
    if columns > _MOST_COLUMNS:
        raise _too_much(path, f"has {columns:,} columns, more than {_MOST_COLUMNS}")


def _cell(name: str, kind: str, place: int) -> str:
    quoted = '"' + name.replace('"', '""') + '"'
    text = f"CAST({quoted} AS VARCHAR)"
    length = f"{_LENGTH[kind]}({quoted})" if kind in _LENGTH else f"strlen({text})"
    return (
        f"CASE WHEN {length} > {LONGEST_LINE} THEN error({literal(_TOO_LONG)}) ELSE {text} END "
        f"AS c{place}"
    )


def _too_much(path: Path, why: str) -> ManifestError:
    return ManifestError(
        f"{path} {why}, so it was not read. Write a new one with the rows and columns of the "
        "manifest, or export CSV."
    )

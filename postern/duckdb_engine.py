"""DuckDB as an engine that can be watched and interrupted, and never reaches outside its files."""

# ruff: noqa: S608 - every name in a statement is ours; what comes from outside is a literal

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from postern.manifest_errors import EngineFullError, ScreeningMissingError

_POLL = 0.2  # seconds between two looks at the progress
_BATCH = 10_000  # rows
_ROWS_OF_A_STATEMENT = 500
_MOST_SPILL = 2**40  # bytes
_NO_SPACE = "No space left"


class Engine:
    """One DuckDB connection. Its database spills to `work`, which holds manifests' content."""

    def __init__(
        self,
        work: Path,
        *,
        memory_mib: int = 700,
        threads: int | None = None,
        most_spill: int = _MOST_SPILL,
    ) -> None:
        try:
            self._library: Any = import_module("duckdb")
        except ImportError:
            raise ScreeningMissingError("duckdb") from None
        self.error: type[Exception] = self._library.Error
        self._connection = self._library.connect(str(work / "work.duckdb"))
        self._connection.execute(f"SET memory_limit = '{memory_mib}MiB'")
        self._connection.execute(f"SET temp_directory = {literal(work / 'spill')}")
        self._connection.execute("SET preserve_insertion_order = false")
        self._connection.execute("SET enable_progress_bar = true")
        self._connection.execute("SET enable_progress_bar_print = false")
        # No extension is fetched, from anywhere, whatever a statement says.
        self._connection.execute("SET autoinstall_known_extensions = false")
        self._connection.execute("SET autoload_known_extensions = false")
        if threads is not None:
            self._connection.execute(f"SET threads = {threads}")
        self._worker = ThreadPoolExecutor(1)
        self._memory_mib, self._most_spill, self._work = memory_mib, most_spill, work
        self._spill = most_spill
        self.bound_spill(most_spill)

    def bound_spill(self, most: int) -> None:
        """Let it put so many bytes on the disk from now on, and no more than it began with."""
        self._spill = min(most, self._most_spill)
        self._connection.execute(f"SET max_temp_directory_size = '{self._spill // 2**20}MiB'")

    def run(self, sql: str, progress: Callable[[int], None] = lambda _: None) -> None:
        """Execute statements; `progress` gets per cent. Ctrl-C ends them at once.

        Like `rows` and `stream` it raises EngineFullError when memory or disk do not suffice.
        """
        work = self._worker.submit(self._connection.execute, sql)
        try:
            while not wait([work], timeout=_POLL).done:
                share = self._connection.query_progress()
                if share is not None and share >= 0:
                    progress(int(share))
        except BaseException:
            self._connection.interrupt()
            wait([work])
            raise
        with self._told_when_full():
            work.result()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self._told_when_full():
            found: list[tuple[Any, ...]] = self._connection.execute(sql).fetchall()
        return found

    def stream(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """The rows of a query, in batches, on a cursor of their own."""
        cursor = self._connection.cursor()
        try:
            with self._told_when_full():
                cursor.execute(sql)
                while batch := cursor.fetchmany(_BATCH):
                    yield from batch
        finally:
            cursor.close()

    def table(
        self, name: str, columns: Sequence[str], rows: Iterable[Sequence[str | None]]
    ) -> None:
        """A small table of texts."""
        named = ", ".join(f"{column} VARCHAR" for column in columns)
        self.run(f"CREATE OR REPLACE TABLE {name} ({named})")
        pending = [f"({', '.join(literal(cell) for cell in row)})" for row in rows]
        for start in range(0, len(pending), _ROWS_OF_A_STATEMENT):
            values = ", ".join(pending[start : start + _ROWS_OF_A_STATEMENT])
            self.run(f"INSERT INTO {name} VALUES {values}")

    def large_table(
        self, name: str, columns: Sequence[str], rows: Iterable[Sequence[str | None]], file: Path
    ) -> None:
        """A table of texts by way of a file. An empty text and null are both null in it."""
        with file.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
        named = ", ".join(f"'{column}': 'VARCHAR'" for column in columns)
        self.run(
            f"CREATE OR REPLACE TABLE {name} AS SELECT {', '.join(columns)} FROM "
            f"read_csv({literal(file)}, auto_detect = false, header = false, delim = ',', "
            f"quote = '\"', escape = '\"', columns = {{{named}}}, max_line_size = 400000)"
        )
        file.unlink()

    @contextmanager
    def _told_when_full(self) -> Iterator[None]:
        try:
            yield
        except self._library.OutOfMemoryException as error:
            raise EngineFullError(self._memory_mib, self._spill, str(self._work)) from error
        except self._library.IOException as error:
            if _NO_SPACE not in str(error):
                raise
            raise EngineFullError(self._memory_mib, self._spill, str(self._work)) from error

    def close(self) -> None:
        """End it."""
        self._worker.shutdown()
        self._connection.close()


def literal(value: object) -> str:
    """A text as a literal of SQL; None is NULL."""
    return "NULL" if value is None else "'" + str(value).replace("'", "''") + "'"

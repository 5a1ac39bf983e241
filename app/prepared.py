"""SELECTs that are made once and handed to the driver as they are: for what every request asks.

On PostgreSQL an execution by SQLAlchemy costs about three times the processor time of one by
psycopg (docs/benchmarks.md, TAXII). SQLAlchemy still writes the statement, converts parameters and
results by the types of the columns, and lends the connection; on SQLite it executes as well.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping
from typing import Any

from psycopg import RawCursor
from sqlalchemy import Connection, Dialect, Select
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from app.write_behind import driver, drivers_errors

Convert = Callable[[Any], Any]


class Prepared:
    """A statement whose parameters are one value each: no list that grows into the text."""

    def __init__(self, statement: Select[*tuple[Any, ...]]) -> None:
        self._statement = statement
        self._written: _Written | None = None

    def execute(self, connection: Connection, parameters: Mapping[str, Any]) -> list[Any]:
        """All rows, as named tuples, read within the connection's transaction."""
        if connection.dialect.name != "postgresql":
            return list(connection.execute(self._statement, parameters).all())
        written = self._written
        if written is None:
            written = self._written = _Written(self._statement, connection.dialect)
        with drivers_errors(connection):
            cursor = RawCursor(driver(connection))
            cursor.execute(written.text, written.parameters(parameters))
            return written.rows(cursor.fetchall())


class _Written:
    """The text for psycopg, and what converts values on their way in and out."""

    def __init__(self, statement: Select[*tuple[Any, ...]], dialect: Dialect) -> None:
        # $1 instead of %(name)s: psycopg would take a long text apart again each time.
        numbering: Any = PGDialect_psycopg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
        compiled = statement.compile(dialect=numbering)
        if compiled.post_compile_params or compiled.literal_execute_params:
            raise ValueError("a parameter would be written into the text of the statement")
        self.text = compiled.string
        self._names = list(compiled.positiontup or ())
        self._given = dict(compiled.params)
        self._in = _converting(
            (name, bound.type.dialect_impl(dialect).bind_processor(dialect))
            for bound, name in compiled.bind_names.items()
        )
        columns = list(statement.selected_columns)
        self._row: Any = namedtuple("Row", [column.name for column in columns])  # type: ignore[misc]
        self._out = _converting(
            (place, column.type.dialect_impl(dialect).result_processor(dialect, None))
            for place, column in enumerate(columns)
        )

    def parameters(self, told: Mapping[str, Any]) -> list[Any]:
        found = {**self._given, **told}
        for name, convert in self._in:
            found[name] = convert(found[name])
        return [found[name] for name in self._names]

    def rows(self, read: list[tuple[Any, ...]]) -> list[Any]:
        make = self._row._make
        if not self._out:
            return [make(each) for each in read]
        rows = []
        for each in read:
            values = list(each)
            for place, convert in self._out:
                values[place] = convert(values[place])
            rows.append(make(values))
        return rows


def _converting(found: Any) -> list[tuple[Any, Convert]]:
    return [(key, convert) for key, convert in found if convert is not None]

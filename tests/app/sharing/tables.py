"""What the room's tables are made of: one line for each column.

`python -m tests.app.sharing.tables > tests/data/sharing-tables.txt` writes them anew, for the
reviewer of a change to read. Widths, words and what goes with what it refers to are here too, which
a comparison with the migrations leaves out.
"""

import sys
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, Enum, ForeignKeyConstraint, Table, UniqueConstraint

from app.database import Base
from app.organisations.models import Organisation
from app.sharing import models

_REFERRED_TO = Organisation.__table__  # without which a column that refers to it has no type


def described() -> str:
    """Each table by name, as the models declare it."""
    return "\n".join(line for table in _tables() for line in _of_table(table))


def _tables() -> Iterator[Table]:
    for each in vars(models).values():
        is_model = isinstance(each, type) and issubclass(each, Base) and each is not Base
        if is_model and isinstance(each.__table__, Table):
            yield each.__table__


def _of_table(table: Table) -> Iterator[str]:
    yield table.name
    for column in table.columns:
        yield f"  {column.name}: {', '.join(_of_column(column))}"
    keys = [each for each in table.constraints if isinstance(each, UniqueConstraint)]
    yield from sorted(f"  unique: {', '.join(each.columns.keys())}" for each in keys)
    yield from sorted(
        f"  {'unique ' if each.unique else ''}index: {', '.join(each.columns.keys())}"
        for each in table.indexes
    )
    yield ""


def _of_column(column: Column[Any]) -> Iterator[str]:
    yield _of_type(column)
    if column.primary_key:
        yield "key"
    if column.nullable:
        yield "may be null"
    for each in column.foreign_keys:
        assert isinstance(each.constraint, ForeignKeyConstraint)
        yield f"of {each.target_fullname}" + (f", {each.ondelete}" if each.ondelete else "")


def _of_type(column: Column[Any]) -> str:
    if isinstance(column.type, Enum):
        return f"{column.type.length} characters, one of {'|'.join(column.type.enums)}"
    length = getattr(column.type, "length", None)
    return type(column.type).__name__ + (f" of {length}" if length else "")


if __name__ == "__main__":
    sys.stdout.write(described())

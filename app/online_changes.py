"""Changes of tables in use, for migrations: each takes only locks that let the service go on.

On SQLite, which has one writer and no such steps, each is the plain change. All may be repeated: a
try that was broken off leaves an invalid index or an unchecked constraint, and the next one makes
it anew or checks it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from alembic import op


def make_index(name: str, table: str, columns: Sequence[str], *, where: str = "") -> None:
    """CREATE INDEX CONCURRENTLY: rows are read and written meanwhile.

    It is a transaction of its own: what the migration did before is committed by it.
    """
    condition = sa.text(where) if where else None
    if not _is_postgresql():
        op.create_index(name, table, columns, sqlite_where=condition)
        return
    with _by_itself():
        invalid = sa.text(
            "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(:name) AND NOT indisvalid"
        )
        if op.get_bind().scalar(invalid, {"name": name}):
            op.drop_index(name, postgresql_concurrently=True)
        op.create_index(
            name,
            table,
            columns,
            postgresql_where=condition,
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def drop_index(name: str, table: str) -> None:
    """DROP INDEX CONCURRENTLY; a transaction of its own."""
    if not _is_postgresql():
        op.drop_index(name, table)
        return
    with _by_itself():
        op.drop_index(name, postgresql_concurrently=True, if_exists=True)


def add_check(name: str, table: str, condition: str) -> None:
    """A CHECK that holds for new rows at once, and is then checked for those that are there."""
    if not _is_postgresql():
        with op.batch_alter_table(table) as altered:
            altered.create_check_constraint(name, sa.text(condition))
        return
    _add_constraint(name, table, f"CHECK ({condition})")


def add_foreign_key(
    name: str, table: str, column: str, parent: str, *, on_delete: str = ""
) -> None:
    """A reference to `parent.id`, checked for the rows that are there without holding up others."""
    if not _is_postgresql():
        with op.batch_alter_table(table) as altered:
            altered.create_foreign_key(name, parent, [column], ["id"], ondelete=on_delete or None)
        return
    clause = f" ON DELETE {on_delete}" if on_delete else ""
    _add_constraint(name, table, f"FOREIGN KEY ({column}) REFERENCES {parent} (id){clause}")


def demand(table: str, column: str, kind: sa.types.TypeEngine[Any]) -> None:
    """NOT NULL by way of a CHECK that was validated: no scan while the table is locked.

    Every row must have a value by then: one from a default, or from a job that wrote it in batches.
    """
    if not _is_postgresql():
        with op.batch_alter_table(table) as altered:
            altered.alter_column(column, existing_type=kind, nullable=False)
        return
    name = f"ck_{table}_{column}_present"
    _add_constraint(name, table, f"CHECK ({column} IS NOT NULL)")
    op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL")
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")


def _add_constraint(name: str, table: str, rule: str) -> None:
    exists = sa.text(
        "SELECT 1 FROM pg_constraint WHERE conname = :name AND conrelid = to_regclass(:table)"
    )
    if not op.get_bind().scalar(exists, {"name": name, "table": table}):
        with _by_itself():
            op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {rule} NOT VALID")
    with _by_itself():
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")


@contextmanager
def _by_itself() -> Iterator[None]:
    """Commit what the migration did before, and each statement of the block by itself."""
    with op.get_context().autocommit_block():
        yield


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"

"""What a database is asked, statement by statement."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from sqlalchemy import event

from app.database import Database


@contextmanager
def executed(
    database: Database, monkeypatch: pytest.MonkeyPatch, note: Callable[[str], object]
) -> Iterator[None]:
    """Call `note` with the text of each statement, before it is executed."""

    def before(_connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
        note(statement)

    execute = psycopg.Cursor.execute

    def noting(cursor: Any, query: Any, *others: Any, **more: Any) -> Any:
        note(str(query))
        return execute(cursor, query, *others, **more)

    with monkeypatch.context() as patch:
        if not database.is_sqlite:  # below SQLAlchemy, where prepared statements are executed
            patch.setattr(psycopg.Cursor, "execute", noting)
            yield
            return
        event.listen(database.engine, "before_cursor_execute", before)
        try:
            yield
        finally:
            event.remove(database.engine, "before_cursor_execute", before)

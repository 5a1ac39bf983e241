"""What is sent later keeps its place, is all or nothing, and goes with the commit."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.database import Database
from app.write_behind import send_later

_JOIN = "INSERT INTO community (code, name) VALUES (%(code)s, 'A')"


# SQLite has no round trips to spare: nothing is sent later there.
pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def test_it_is_there_once_the_transaction_has_ended(database: Database) -> None:
    with database.transaction() as session:
        for code in "ab":
            send_later(session, _JOIN, {"code": code})
    assert _codes_in(database) == ["a", "b"]


def test_many_do_not_wait_in_memory(database: Database) -> None:
    with database.transaction() as session:
        for number in range(250):
            send_later(session, _JOIN, {"code": f"{number:03}"})
        assert len(session.connection().info["write_behind"]) < 100
    assert len(_codes_in(database)) == 250


def test_it_stands_before_whatever_is_executed_after_it(database: Database) -> None:
    with database.transaction() as session:
        send_later(session, _JOIN, {"code": "a"})
        assert _codes(session) == ["a"]
        send_later(session, _JOIN, {"code": "b"})
        session.execute(text("DELETE FROM community"))
        send_later(session, _JOIN, {"code": "c"})
    assert _codes_in(database) == ["c"]


def test_one_that_fails_at_the_commit_undoes_the_whole_transaction(database: Database) -> None:
    def send() -> None:
        with database.transaction() as session:
            session.execute(text("INSERT INTO community (code, name) VALUES ('z', 'Z')"))
            for code in "aab":
                send_later(session, _JOIN, {"code": code})

    with pytest.raises(IntegrityError):
        send()
    assert _codes_in(database) == []
    with database.transaction() as session:  # the connection is as good as ever
        send_later(session, _JOIN, {"code": "b"})
    assert _codes_in(database) == ["b"]


def test_what_is_rolled_back_is_never_sent(database: Database) -> None:
    def fail() -> None:
        with database.transaction() as session:
            send_later(session, _JOIN, {"code": "a"})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with database.transaction() as session:
        send_later(session, _JOIN, {"code": "b"})
        with session.begin_nested() as inner:
            send_later(session, _JOIN, {"code": "c"})
            inner.rollback()
        send_later(session, _JOIN, {"code": "d"})
    assert _codes_in(database) == ["b", "d"]


def _codes_in(database: Database) -> list[str]:
    with database.reading() as session:
        return _codes(session)


def _codes(session: Session) -> list[str]:
    return list(session.scalars(text("SELECT code FROM community ORDER BY code")))

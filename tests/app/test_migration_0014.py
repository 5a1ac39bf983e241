"""Revision 0014 and back: a token that was bound dies rather than become wider."""

from flask import Flask
from sqlalchemy import inspect, text

from app.__main__ import migrate
from app.config import Settings
from app.database import Database
from postern.vocabulary import Role, Scope
from tests.app.people import bearer, make_organisation, make_person

ADDED = {"networks", "certificate", "former_hash", "former_until", "last_network", "warned_at"}


def test_a_bound_token_is_revoked_on_the_way_back_and_a_plain_one_stays(
    app: Flask, settings: Settings, database: Database
) -> None:
    make_organisation(database, "post-be")
    person = make_person(app, "post-be", [Role.ANALYST])
    for _ in range(3):
        bearer(app, person, [next(iter(Scope))])
    with database.transaction() as session:
        first, second, third = session.scalars(text("SELECT id FROM api_token ORDER BY id"))
        session.execute(
            text("UPDATE api_token SET networks = '[\"192.0.2.0/24\"]' WHERE id = :id"),
            {"id": first},
        )
        session.execute(
            text("UPDATE api_token SET certificate = :print WHERE id = :id"),
            {"id": second, "print": b"c" * 32},
        )
        session.execute(
            text("UPDATE api_token SET former_hash = :hash, former_until = :until WHERE id = :id"),
            {"id": third, "hash": b"f" * 32, "until": "2099-01-01 00:00:00"},
        )

    def columns() -> set[str]:
        return {each["name"] for each in inspect(database.engine).get_columns("api_token")}

    def living() -> list[int]:
        with database.reading() as session:
            asked = text("SELECT id FROM api_token WHERE revoked_at IS NULL ORDER BY id")
            return list(session.scalars(asked))

    assert columns() >= ADDED
    assert living() == [first, second, third]
    migrate(settings, "0013", down=True)
    assert not columns() & ADDED
    assert living() == [third]
    migrate(settings)
    assert living() == [third]
    with database.reading() as session:
        asked = text(
            "SELECT certificate_suffices, last_network, former_hash, former_until FROM api_token"
            " WHERE id = :id"
        )
        assert tuple(session.execute(asked, {"id": third}).one()) == (0, "", None, None)

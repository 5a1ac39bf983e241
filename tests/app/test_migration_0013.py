"""Revision 0013 and back: sessions end, people and their passwords stay."""

from flask import Flask
from sqlalchemy import text

from app.__main__ import migrate
from app.access import CONSOLE
from app.accounts import break_glass
from app.config import Settings
from app.database import Database
from tests.app.people import make_organisation, make_person, sign_in


def test_an_emergency_account_leaves_and_its_door_stays_closed(
    app: Flask, settings: Settings, database: Database
) -> None:
    make_organisation(database, "post-be")
    person = make_person(app, "post-be")
    sign_in(app.test_client(), person)
    with app.app_context(), database.transaction() as session:
        break_glass.make(session, CONSOLE, "post-be", 60)

    def count(table: str) -> int:
        with database.engine.connect() as connection:
            found: int = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608 - names of this file
            return found

    assert (count("person_account"), count("credential"), count("web_session")) == (2, 1, 1)
    migrate(settings, "0012", down=True)
    assert (count("person_account"), count("credential"), count("web_session")) == (2, 1, 0)
    migrate(settings)
    assert count("break_glass") == 0
    sign_in(app.test_client(), person)
    assert count("web_session") == 1

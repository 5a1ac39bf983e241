"""Revision 0005 and back: nobody who was shut out is let in by the way."""

from sqlalchemy import text

from app.__main__ import migrate
from app.config import Settings
from app.database import Database

_PERSON = text(
    "INSERT INTO person_account (id, public_id, organisation_id, login_index, sealed_profile,"
    " language, status, failures, created_at)"
    " VALUES (1, '0190f1d0c0ff47aa8a5c2f1f0d5e7a11', 1, 'i', 'p', '', :status, 0, :at)"
)
_ORGANISATION = text(
    "INSERT INTO organisation (id, code, name, sector, country, status, created_at, facts_seq)"
    " VALUES (1, 'post-be', 'Post', 'post', 'BE', 'active', :at, 1)"
)
_AT = "2026-01-01 00:00:00+00:00"


def test_a_disabled_account_is_closed_on_the_way_back(
    settings: Settings, database: Database
) -> None:
    with database.transaction() as session:
        session.execute(_ORGANISATION, {"at": _AT})
        session.execute(_PERSON, {"at": _AT, "status": "disabled"})
    migrate(settings, "0004", down=True)
    with database.engine.connect() as connection:
        status = connection.execute(text("SELECT status FROM person_account")).scalar_one()
    assert status == "closed"
    migrate(settings)
    with database.engine.connect() as connection:
        days = connection.execute(text("SELECT last_sign_in_on FROM person_account")).scalar_one()
    assert days is None

"""Revision 0013 and back: sessions, providers and links end, people and their passwords stay."""

from uuid import uuid4

from flask import Flask
from sqlalchemy import inspect, text

from app import clock
from app.__main__ import migrate
from app.access import CONSOLE
from app.accounts import break_glass
from app.accounts.entry_models import ProviderState, SignOnLink, SignOnProvider
from app.accounts.models import WebSession
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


def test_providers_and_links_leave_and_come_back_empty(
    app: Flask, settings: Settings, database: Database
) -> None:
    organisation = make_organisation(database, "post-be")
    person = make_person(app, "post-be")
    at = clock.now()
    with database.transaction() as session:
        provider = SignOnProvider(
            public_id=uuid4(),
            organisation_id=organisation,
            issuer="https://entry.example",
            client_id="postern",
            sealed_secret=b"sealed",
            role_claim="groups",
            roles={"desk": ["analyst"]},
            strong=["otp"],
            state=ProviderState.LIVE,
            proposed_by=uuid4(),
            proposed_at=at,
            decided_by=uuid4(),
            decided_at=at,
        )
        session.add(provider)
        session.flush()
        session.add_all(
            [
                SignOnLink(
                    subject_index=bytes(32),
                    provider_id=provider.id,
                    person_id=person.person_id,
                    linked_at=at,
                ),
                WebSession(
                    name_hash=bytes(32),
                    person_id=person.person_id,
                    started_at=at,
                    last_seen_at=at,
                    expires_at=at,
                    proved_by=["single-sign-on"],
                    proved_at=at,
                    roles_bound=["analyst"],
                    provider_id=provider.id,
                ),
            ]
        )

    def count(table: str) -> int:
        with database.engine.connect() as connection:
            found: int = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608 - names of this file
            return found

    tables = ("sign_on_provider", "sign_on_link", "web_session")
    assert [count(table) for table in tables] == [1, 1, 1]
    migrate(settings, "0012", down=True)
    left = set(inspect(database.engine).get_table_names())
    assert not {"sign_on_provider", "sign_on_link"} & left
    assert (count("person_account"), count("credential"), count("web_session")) == (1, 1, 0)
    migrate(settings)
    assert [count(table) for table in tables] == [0, 0, 0]
    sign_in(app.test_client(), person)

"""Revision 0018 and back: secrets go on signing; what came with the revision leaves."""

from uuid import uuid4

from flask import Flask
from sqlalchemy import inspect, text

from app import clock
from app.__main__ import migrate
from app.access import CONSOLE
from app.accounts import service
from app.accounts.entry_models import OneTimeLink, ProviderState, SignOnProvider
from app.accounts.models import WebSession
from app.config import Settings
from app.database import Database
from app.jobs import channels
from app.jobs.channels import Sealing
from app.jobs.models import Channel
from app.jobs.notifications import notify
from postern.vocabulary import ChannelKind, Role
from tests.app.people import make_organisation, make_person, runtime_of, sign_in

FORMER = {"former_secret", "former_until"}


def test_what_stood_before_stands_after_and_what_came_with_it_leaves(
    app: Flask, settings: Settings, database: Database
) -> None:
    organisation = make_organisation(database, "post-be")
    person = make_person(app, "post-be", [Role.ADMINISTRATOR])
    sign_in(app.test_client(), person)
    at = clock.now()
    with app.app_context(), database.transaction() as session:
        made = channels.add(
            session,
            person.caller,
            kind=ChannelKind.WEBHOOK,
            roles=[Role.COMPLIANCE],
            language="en",
            address="https://receiver.example/",
        )
        notify(session, organisation, Role.COMPLIANCE, "signal.raised", {}, "/signals")
        new = channels.rotate(session, person.caller, made.id, 24).secret
        provider = SignOnProvider(
            public_id=uuid4(),
            organisation_id=organisation,
            issuer="https://entry.example",
            client_id="postern",
            sealed_secret=b"sealed",
            role_claim="groups",
            roles={},
            strong=[],
            state=ProviderState.LIVE,
            proposed_by=uuid4(),
            proposed_at=at,
        )
        session.add(provider)
        session.flush()
        session.add_all(
            [
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
                    provider_session=bytes(32),
                ),
                OneTimeLink(
                    person_id=person.person_id,
                    secret_hash=bytes(32),
                    made_by=uuid4(),
                    made_at=at,
                    expires_at=at,
                ),
            ]
        )
        service.unlock(session, CONSOLE, person.login)
        notified = session.execute(text("SELECT count(*) FROM dispatch")).scalar_one()
        session.execute(
            text(
                "INSERT INTO notification"
                " (public_id, organisation_id, person, kind, facts, address, made_at)"
                " SELECT :other, organisation_id, public_id, 'account.own', facts, address, made_at"
                " FROM notification LIMIT 1"
            ),
            {"other": "f" * 32},
        )

    def columns(table: str) -> set[str]:
        return {each["name"] for each in inspect(database.engine).get_columns(table)}

    def count(table: str) -> int:
        with database.engine.connect() as connection:
            found: int = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608 - names of this file
            return found

    assert [count(table) for table in ("notification", "dispatch", "web_session")] == [2, 1, 2]
    assert notified == 1
    migrate(settings, "0017", down=True)
    assert "one_time_link" not in inspect(database.engine).get_table_names()
    assert not FORMER & (columns("channel") | columns("exchange_news"))
    assert not {"provider_id", "provider_session"} & columns("web_session")
    assert [count(table) for table in ("notification", "dispatch", "web_session")] == [1, 1, 2]
    migrate(settings)
    # Of which provider a session was is not known any more: it ends; the one by a password goes on.
    assert [count(table) for table in ("notification", "dispatch", "web_session")] == [1, 1, 1]
    with app.app_context(), database.transaction() as session:
        row = session.query(Channel).one()
        assert runtime_of(app).part(Sealing).secrets(row) == (new, None)
        again = channels.rotate(session, person.caller, made.id, 24)
        assert runtime_of(app).part(Sealing).secrets(row) == (again.secret, new)

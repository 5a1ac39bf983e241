"""Revision 0010 and back: subscriptions go with all that came by them, and nothing else does."""

from datetime import timedelta
from uuid import uuid4

from flask import Flask
from sqlalchemy import inspect, text

from app import clock
from app.__main__ import migrate
from app.config import Settings
from app.exchange import subscriptions
from app.exchange.server_models import ExchangeServer, ReceivedObject, ServerMeans, ServerTry
from tests.app.exchange import OPEN_TO_POLICE, SOPHIE, make_exchange
from tests.app.exchange_room.reading import Room

TABLES = {"exchange_server", "exchange_try", "exchange_received"}


def test_servers_of_others_leave_with_what_they_sent_and_collections_stay(
    app: Flask, settings: Settings
) -> None:
    room = Room(make_exchange(app))
    room.exchange.publish("post-be", OPEN_TO_POLICE)
    room.open()
    room.submit("post-be", room.exchange.indicator(SOPHIE))
    room.work()
    caller, at = room.exchange.caller("police-de"), clock.now()
    room.within(
        lambda session: subscriptions.add(
            session,
            caller,
            title="The other one",
            address=f"https://taxii.example/api1/collections/{uuid4()}/",
            means=ServerMeans.BEARER,
            secret="pst_secret",
        )
    )
    with room.exchange.database.transaction() as session:
        server = session.query(ExchangeServer).one()
        session.add(
            ServerTry(
                server_id=server.id,
                round=server.round,
                began_at=at,
                ended_at=at,
                pages=1,
                objects=1,
                kept=1,
                revoked=0,
                refused={},
                receipts=0,
                error=None,
            )
        )
        session.add(
            ReceivedObject(
                server_id=server.id,
                stix_id=f"indicator--{uuid4()}",
                type="indicator",
                version="2026-11-20T08:00:00.000Z",
                is_revoked=False,
                received_at=at,
                expires_on=at.date() + timedelta(days=30),
                content={},
            )
        )

    def count(table: str) -> int:
        with room.exchange.database.engine.connect() as connection:
            found: int = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608 - names of this file
            return found

    kept = ("exchange_collection", "exchange_entry", "indicator", "organisation")
    before = {table: count(table) for table in kept}
    assert min(before.values()) > 0
    assert {table: count(table) for table in TABLES} == dict.fromkeys(TABLES, 1)
    migrate(settings, "0009", down=True)
    assert not TABLES & set(inspect(room.exchange.database.engine).get_table_names())
    assert {table: count(table) for table in kept} == before
    migrate(settings)
    assert {table: count(table) for table in TABLES} == dict.fromkeys(TABLES, 0)
    assert {table: count(table) for table in kept} == before

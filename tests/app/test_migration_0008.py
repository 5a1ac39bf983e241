"""Revision 0008 and back: what was given stays known, and no token stays that is too new."""

from flask import Flask
from sqlalchemy import text

from app.__main__ import migrate
from app.config import Settings
from postern.vocabulary import Scope
from tests.app.exchange import OPEN_TO_POLICE, SOPHIE, make_exchange
from tests.app.exchange_room.reading import Room
from tests.app.people import bearer


def test_collections_leave_with_their_tokens_and_the_ledger_stays(
    app: Flask, settings: Settings
) -> None:
    room = Room(make_exchange(app))
    room.exchange.publish("post-be", OPEN_TO_POLICE)
    collection = room.open()
    room.submit("post-be", room.exchange.indicator(SOPHIE))
    room.work()
    assert len(room.objects(collection)) == 1
    for scope in (Scope.EXCHANGE_READ, Scope.EXCHANGE_WRITE, Scope.EVALUATE):
        bearer(app, room.exchange.people["police-de"], [scope])

    def column(statement: str) -> list[str]:
        with room.exchange.database.engine.connect() as connection:
            return sorted(str(each) for each in connection.execute(text(statement)).scalars())

    migrate(settings, "0007", down=True)
    assert column("SELECT CAST(scopes AS TEXT) FROM api_token") == ['["evaluate"]']
    assert column("SELECT way FROM given") == ["feed"]
    migrate(settings)
    assert column("SELECT count(*) FROM exchange_collection") == ["0"]
    assert column("SELECT count(*) FROM indicator") == ["1"]

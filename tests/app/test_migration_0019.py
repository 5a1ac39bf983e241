"""Revision 0019 and back: patterns leave the collections and stay what they are."""

from flask import Flask
from sqlalchemy import inspect, text

from app.__main__ import migrate
from app.config import Settings
from app.database import Database
from app.exchange.models import ExchangeEntry
from app.patterns.models import SharedPattern
from tests.app.exchange import OPEN_TO_POLICE, SOPHIE, make_exchange
from tests.app.exchange_room.reading import Room
from tests.app.patterns.writing import published, shares


def test_patterns_leave_collections_and_indicators_stay(
    app: Flask, settings: Settings, database: Database
) -> None:
    room = Room(make_exchange(app))
    room.exchange.publish("post-be", OPEN_TO_POLICE + shares("post-be", "feed", "screen"))
    collection = room.open()
    published(room.exchange, "post-be")
    room.submit("post-be", room.exchange.indicator(SOPHIE))
    room.work()
    kinds = {row.type for row in room.page(collection).rows}
    assert {"attack-pattern", "indicator"} <= kinds

    def columns(table: str) -> dict[str, bool]:
        found = inspect(database.engine).get_columns(table)
        return {each["name"]: bool(each["nullable"]) for each in found}

    assert columns("exchange_name")["report_id"]
    migrate(settings, "0018", down=True)
    for table in ("exchange_entry", "exchange_name"):
        assert "pattern_id" not in columns(table)
    assert "receipts_taken" not in columns("exchange_server")
    assert not columns("exchange_name")["report_id"]
    with database.reading() as session:
        asked = text("SELECT type FROM exchange_entry WHERE is_main ORDER BY added")
        assert list(session.scalars(asked)) == ["indicator"]
    migrate(settings)
    assert len(room.exchange.rows(SharedPattern.__table__.select())) == 1
    room.work()
    assert len(room.exchange.rows(ExchangeEntry.__table__.select())) >= 1

"""Revision 0016 and back: counts of values and records of breaches leave, and nothing else does."""

from flask import Flask
from sqlalchemy import inspect, text

from app.__main__ import migrate
from app.config import Settings
from tests.app.exchange import OPEN_TO_POLICE, SOPHIE, make_exchange, report

TABLES = {"value_seen", "value_budget", "value_allowance", "breach", "breach_note"}


def test_what_was_counted_is_forgotten_and_lookups_stay(app: Flask, settings: Settings) -> None:
    exchange = make_exchange(app)
    exchange.publish("post-be", OPEN_TO_POLICE)
    exchange.submit("post-be", report("R-1", exchange.indicator(SOPHIE)))
    exchange.ask("police-de", SOPHIE)

    def count(table: str) -> int:
        with exchange.database.engine.connect() as connection:
            found: int = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608 - names of this file
            return found

    kept = ("organisation", "indicator", "lookup", "hit", "audit_entry")
    before = {table: count(table) for table in kept}
    assert min(before.values()) > 0
    assert count("value_seen") > 0
    assert count("value_budget") > 0
    migrate(settings, "0015", down=True)
    assert not TABLES & set(inspect(exchange.database.engine).get_table_names())
    assert {table: count(table) for table in kept} == before
    migrate(settings)
    assert {table: count(table) for table in TABLES} == dict.fromkeys(TABLES, 0)
    assert {table: count(table) for table in kept} == before
    exchange.ask("police-de", SOPHIE)
    assert count("value_seen") > 0

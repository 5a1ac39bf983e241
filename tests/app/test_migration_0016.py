"""Revision 0016 and back: counts of values and records of breaches leave, and nothing else does."""

from uuid import uuid4

from flask import Flask
from sqlalchemy import inspect, text

from app import clock
from app.__main__ import migrate
from app.compliance.breach_models import Breach, BreachNote, BreachStep
from app.config import Settings
from app.lookups.budget_models import ValueAllowance
from app.pseudonyms.models import Window
from postern.vocabulary import Kind
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

    owner = exchange.organisation_id("post-be")
    at = clock.now()
    with exchange.database.transaction() as session:
        breach = Breach(
            public_id=uuid4(),
            organisation_id=owner,
            sealed_title=b"sealed",
            aware_at=at,
            opened_at=at,
            opened_by=uuid4(),
        )
        session.add(breach)
        session.flush()
        session.add_all(
            [
                BreachNote(
                    breach_id=breach.id,
                    place=1,
                    step=BreachStep.FACT,
                    sealed_note=b"sealed",
                    told_at=at,
                    told_by=uuid4(),
                ),
                ValueAllowance(organisation_id=owner, kind=Kind.PARTY, window=Window.DAY, most=7),
            ]
        )
    assert {table: count(table) for table in ("breach", "breach_note", "value_allowance")} == {
        "breach": 1,
        "breach_note": 1,
        "value_allowance": 1,
    }
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

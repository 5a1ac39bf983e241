"""Revision 0006 and back: nothing stays that an older platform could not read."""

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.__main__ import migrate
from app.config import Settings
from postern.vocabulary import Scope
from tests.app.exchange import SOPHIE, make_exchange, report
from tests.app.patterns.writing import ANALYSIS, published, seen, shares
from tests.app.people import bearer


def test_patterns_leave_with_their_classes_and_tokens_and_indicators_stay(
    app: Flask, settings: Settings
) -> None:
    exchange = make_exchange(app)
    exchange.publish("police-de", shares("police-de", "screen"))
    exchange.submit("police-de", report("k1", exchange.indicator(SOPHIE)))
    seen(exchange, "police-de", ANALYSIS, published(exchange, "police-de"))
    for scope in (Scope.PATTERNS_READ, Scope.SCREENING_RUN, Scope.EVALUATE):
        bearer(app, exchange.people["police-de"], [scope])
    database = exchange.database

    def column(statement: str) -> list[str]:
        with database.engine.connect() as connection:
            return sorted(str(each) for each in connection.execute(text(statement)).scalars())

    kinds = "SELECT attributes ->> 'kind' FROM share_class"
    assert column(kinds) == ["party", "pattern"]
    granted = column("SELECT share_class_id FROM share_grant")
    # What was published never changes, whoever writes to the database; that it ends may be noted.
    for statement in (
        "UPDATE pattern_version SET text = 'other', sha256 = sha256",
        "UPDATE pattern_version SET state = 'refused'",
        "DELETE FROM pattern_version",
    ):
        with (
            pytest.raises(DBAPIError, match="never changes"),
            database.engine.begin() as connection,
        ):
            connection.execute(text(statement))
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE pattern_version SET reminded_at = updated_at"))
    migrate(settings, "0005", down=True)
    assert column(kinds) == ["party"]
    assert set(column("SELECT share_class_id FROM share_grant")) < set(granted)
    assert column("SELECT CAST(scopes AS TEXT) FROM api_token") == ['["evaluate"]']
    migrate(settings)
    assert column("SELECT count(*) FROM pattern") == ["0"]

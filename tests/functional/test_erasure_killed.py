"""A process that erases what is over is killed inside every transaction: nothing is half erased."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

from flask import Flask
from sqlalchemy import select, update

from app.clock import now
from app.config import Settings
from app.indicators.models import Indicator, Token
from app.indicators.storage import split_tokens
from app.pseudonyms.models import ElementVault
from tests.app.exchange import OPEN_TO_POLICE, make_exchange
from tests.app.indicators.rotation_house import Rotating, party
from tests.functional.serving import as_toml
from tests.functional.stepped_process import NOTHING, stepped

OVER = 7
"""Indicators whose last day was yesterday: more than three transactions of two."""


def test_an_erasure_that_is_killed_in_every_transaction_goes_on_and_leaves_no_half(
    app: Flask, settings: Settings, tmp_path: Path
) -> None:
    house = Rotating(make_exchange(app))
    exchange = house.exchange
    exchange.publish("post-be", OPEN_TO_POLICE)
    for number in range(OVER + 2):
        house.submit(f"k{number}", party(number))
    over = [row.public_id for row in exchange.rows(select(Indicator).order_by(Indicator.id))][:OVER]
    with exchange.database.transaction() as session:
        ended = update(Indicator).where(Indicator.public_id.in_(over))
        session.execute(ended.values(expires_on=now().date() - timedelta(days=1)))
    exchange.database.dispose()
    file = tmp_path / "settings.toml"
    file.write_text(as_toml(settings, "http://127.0.0.1"), encoding="utf-8")
    left, kills = [OVER], 0
    with stepped("expire", file) as process:
        pid, was_killed = process.worker(), False
        while True:
            process.say(b"g")
            if process.line() == NOTHING:
                break
            if was_killed:
                process.say(b"g")  # the transaction that was lost before is done again
                was_killed = False
                continue
            process.kill(pid)
            was_killed, kills = True, kills + 1
            left.append(unerased(house, over))
            pid = process.worker()
    assert kills == 4  # once in each
    assert left == [7, 7, 5, 3, 1]
    assert unerased(house, over) == 0
    kept = exchange.rows(select(Indicator))
    assert len(kept) == 2
    assert len(exchange.rows(select(Token))) == sum(len(split_tokens(row.tokens)) for row in kept)
    assert {row.indicator_id for row in exchange.rows(select(ElementVault))} == {
        row.id for row in kept
    }
    told = Counter(
        each for entry in exchange.entries("indicator.expire") for each in entry.details["objects"]
    )
    assert told == Counter(str(each) for each in over)  # each once, though some were tried twice


def unerased(house: Rotating, over: list[object]) -> int:
    """How many are there still, each with all of its postings."""
    rows = [row for row in house.exchange.rows(select(Indicator)) if row.public_id in over]
    postings = Counter(row.indicator_id for row in house.exchange.rows(select(Token)))
    assert all(postings[row.id] == len(split_tokens(row.tokens)) for row in rows)
    house.exchange.database.dispose()
    return len(rows)

"""An organisation's own patterns in force and barriers, read by the columns that decide."""

from datetime import timedelta

import pytest
from flask import Flask

from app import clock
from app.barriers.registering import Place
from app.clock import day
from app.patterns import drafting
from app.sharing import own_assets
from app.sharing.own_assets import OwnAsset
from postern.vocabulary import Kind, Tlp
from tests.app.barriers.ground import make_ground, registered
from tests.app.exchange import make_exchange
from tests.app.patterns.writing import act, document, published


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_they_are_ones_own_published_and_not_ended_the_newest_first(app: Flask) -> None:
    exchange = make_exchange(app)
    rule_ids = [f"5f4f1d2e-0b5e-4f0a-9d0c-2d0a8f0f0a0{number}" for number in range(4)]
    published(exchange, "customs-nl", document(rule_ids[3], title="Not ours", tlp="CLEAR"))
    made = [
        published(exchange, "police-de", document(rule_ids[number], title=f"P{number}", days=days))
        for number, days in ((0, 30), (1, 20), (2, 40))
    ]
    act(exchange, drafting.begin, exchange.caller("police-de"), document(title="Not yet"), None)
    owner = exchange.caller("police-de").member[0]
    now = clock.now()
    with exchange.database.reading() as session:
        found = own_assets.in_force(session, owner, now, Kind.PATTERN)
        later = own_assets.in_force(session, owner, now + timedelta(days=20), Kind.PATTERN)
        last = own_assets.in_force(session, owner, now + timedelta(days=40), Kind.PATTERN)
    assert [(each.id, each.title) for each in found] == [
        (made[number], f"P{number}") for number in (2, 1, 0)
    ]
    for each in found:
        assert isinstance(each, OwnAsset)
        assert (each.attributes.kind, each.attributes.tlp) == (Kind.PATTERN, Tlp.GREEN)
        assert each.seen_day == day(now)
    assert [each.title for each in later] == ["P2", "P0"]
    assert last == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_barriers_are_those_whose_record_has_not_ended_with_their_place(app: Flask) -> None:
    exchange = make_ground(app)
    today = clock.now().date()
    registered(exchange, "customs-nl")
    made = [
        registered(
            exchange, "police-de", place=place, expires_on=today + timedelta(days=days), tlp=tlp
        )
        for place, days, tlp in (
            (Place(), 30, Tlp.AMBER),
            (Place("NL"), 20, Tlp.CLEAR),
            (Place("BE", "bpost", "BRU-1"), 40, Tlp.GREEN),
        )
    ]
    owner = exchange.caller("police-de").member[0]
    now = clock.now()
    with exchange.database.reading() as session:
        found = own_assets.in_force(session, owner, now, Kind.BARRIER)
        later = own_assets.in_force(session, owner, now + timedelta(days=20), Kind.BARRIER)
        last = own_assets.in_force(session, owner, now + timedelta(days=40), Kind.BARRIER)
        patterns = own_assets.in_force(session, owner, now, Kind.PATTERN)
    assert [each.id for each in found] == [each.found.barrier.public_id for each in made[::-1]]
    assert [each.title for each in found] == ["ask-why BE BRU-1", "ask-why NL", "ask-why"]
    assert [each.attributes.tlp for each in found] == [Tlp.GREEN, Tlp.CLEAR, Tlp.AMBER]
    for each in found:
        assert (each.attributes.kind, each.attributes.barrier_step) == (Kind.BARRIER, 1)
        assert each.seen_day == day(now)
    assert [each.title for each in later] == ["ask-why BE BRU-1", "ask-why"]
    assert (last, patterns) == ([], [])

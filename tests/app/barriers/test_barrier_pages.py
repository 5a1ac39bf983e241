"""What the pages of registered barriers say and let people do, without a browser."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app import clock
from app.barriers import registering
from app.barriers.models import RegisteredBarrier, StoredModel
from app.jobs.models import Notification
from tests.app.barriers.ground import registered, upkeep
from tests.app.barriers.pages import HOME, Hall, make_hall, said
from tests.app.patterns.writing import act
from tests.app.visiting import Visitor


@pytest.fixture
def hall(app: Flask) -> Hall:
    return make_hall(app)


def form(**more: str) -> dict[str, str]:
    """What the form sends when only what it must have is chosen."""
    today = clock.now().date().isoformat()
    given = {"barrier": "ask-why", "version": "1", "from": today, "cost": "low"}
    return {**given, "legal_basis": "public_task", "tlp": "GREEN", **more}


def rows(page: str) -> int:
    return len(re.findall(r'<h3><a href="/barriers/', page))


def test_a_barrier_is_registered_found_renewed_and_ended(hall: Hall, app: Flask) -> None:
    visitor = Visitor(app, hall.analyst)
    page = visitor.get("/barriers/new?barrier=ask-why&country=NL")
    assert '<option value="ask-why" selected>' in page
    assert '<option value="NL" selected>Netherlands</option>' in page
    assert "a model of one's own" in said(page)

    page = visitor.post(
        "/barriers/new",
        422,
        **form(barrier="no-such", country="XX", code="B§", until="soon", legal_basis="", tlp="odd"),
    )
    for field in ("barrier", "country", "code", "until", "legal_basis", "tlp"):
        assert f'id="{field}-error"' in page, field
    assert 'value="B§"' in page
    assert "Use letters, digits, spaces" in page
    page = visitor.post("/barriers/new", 422, **form(code="BRU-1", until="2020-01-01"))
    words = said(page)
    assert "Give operator and code, or neither." in words
    assert "It ends before it begins." in words
    page = visitor.post("/barriers/new", 409, **form(version="9"))
    assert "Another version of the barrier model is in use" in page

    given = form(country="NL", operator="Post of Example", code="AMS-1", handling="H1")
    address = visitor.post("/barriers/new", **given).removesuffix("?done=registered")
    words = said(visitor.get(f"{address}?done=registered"))
    assert "Registered. Whom your sharing policy lets know of it" in words
    assert "induction point Post of Example AMS-1, Netherlands" in words
    assert "holds today" in words
    assert "its record ends" not in words

    earlier = clock.now().date().isoformat()
    page = visitor.post(f"{address}/renew", 422, expires_on=earlier)
    assert "Give a day after today." in said(page)
    assert f'value="{earlier}"' in page
    soon = (clock.now().date() + timedelta(days=20)).isoformat()
    visitor.post(f"{address}/renew", expires_on=soon)
    assert "its record ends" in said(visitor.get(address))
    visitor.post(f"{address}/end", 422, on="")
    page = visitor.post(f"{address}/end", 422, on="2001-01-01")
    assert "Give a day from the barrier's first one on" in said(page)
    assert visitor.post(f"{address}/end", on=earlier).endswith("done=ended")
    assert "Does it still hold?" in said(visitor.get(address))  # on its last day it does

    officer = Visitor(app, hall.officer)
    assert "Does it still hold?" not in said(officer.get(address))
    officer.get("/barriers/new", 403)
    officer.post(f"{address}/renew", 403)


def test_barriers_of_others_are_listed_as_their_policies_say_and_gaps_count_them(
    hall: Hall, app: Flask
) -> None:
    visitor = Visitor(app, hall.analyst)
    assert rows(visitor.get("/barriers")) == 1
    words = said(visitor.get(f"/barriers/{hall.others}"))
    assert "Organisation customs-nl (customs, NL)" in words
    assert "Members of the exchange may know of our barriers" in words
    assert "Does it still hold?" not in words
    visitor.post(f"/barriers/{hall.others}/renew", 404)
    visitor.post(f"/barriers/{hall.others}/end", 404, on="2026-01-01")
    visitor.post(f"/barriers/{hall.others}/end", 404, on="never")
    visitor.post(f"/barriers/{hall.others}/renew", 404, expires_on="never")
    hidden = said(visitor.get(f"/barriers/{hall.hidden}", 404))
    assert hidden == said(visitor.get(f"/barriers/{uuid4()}", 404))

    page = said(visitor.get("/barriers/gaps"))
    assert "At 1 of 2 steps no barrier is recorded that you may know of" in page
    assert "De winkel vraagt waarom. Register it 0 1" in page
    assert "gap: no barrier recorded" in page
    assert "The model names no barrier at this step." in page
    today = clock.now().date()
    one = registered(hall.exchange, HOME, place=registering.Place("NL"), from_day=today)
    over = {"from_day": today - timedelta(days=9), "to_day": today - timedelta(days=3)}
    registered(hall.exchange, HOME, **over)
    registered(hall.exchange, HOME, from_day=today + timedelta(days=3))
    assert "De winkel vraagt waarom. Register it 1 1" in said(
        visitor.get("/barriers/gaps?country=NL")
    )
    assert "De winkel vraagt waarom. Register it 0 1" in said(
        visitor.get("/barriers/gaps?country=BE")
    )
    for asked, number in (
        ("", 4),
        ("whose=own", 3),
        ("whose=others", 1),
        ("when=now", 2),
        ("when=now&country=BE", 1),
        ("step=2", 0),
        ("step=odd&country=odd&when=odd&whose=odd&cursor=odd", 4),
    ):
        assert rows(visitor.get(f"/barriers?{asked}")) == number, asked
    words = said(visitor.get("/barriers"))
    for standing in ("holds today", "begins later", "holds no longer"):
        assert standing in words
    assert "No barrier fits" in said(visitor.get("/barriers?step=2"))
    assert "You have seen all of these." in said(
        visitor.get("/barriers?cursor=00000000-0000-7000-8000-000000000000")
    )
    assert "Shown for: parcel screening, postal law" in words
    told = hall.exchange.entries("barrier.shared")
    assert {str(hall.others)} == {each for one in told for each in one.details["objects"]}
    asked = visitor.get(f"/barriers/{one.found.barrier.public_id}?for=risk_analysis.postal_law")
    assert "Our own" in said(asked)


def test_a_long_list_has_pages_and_a_reminder_leads_to_its_barrier(hall: Hall, app: Flask) -> None:
    today = clock.now().date()
    for _ in range(25):
        registered(hall.exchange, HOME, expires_on=today + timedelta(days=20))
    visitor = Visitor(app, hall.analyst)
    page = visitor.get("/barriers")
    assert rows(page) == 25
    following = re.search(r'href="(/barriers\?cursor=[^"]+)">Older barriers', page)
    assert following
    assert rows(visitor.get(following[1])) == 1
    assert upkeep(hall.exchange, registering.remind) == 25
    with hall.exchange.database.reading() as session:
        found = select(Notification.address).where(Notification.kind == "barrier.expiring")
        address = session.scalars(found).all()[0]
    assert "its record ends" in said(visitor.get(address))


def test_without_a_model_the_pages_say_what_to_do(hall: Hall, app: Flask) -> None:
    def forget(session: Session) -> int:
        session.execute(delete(RegisteredBarrier))
        session.execute(update(StoredModel).values(current_id=None))
        return 0

    upkeep(hall.exchange, forget)
    visitor = Visitor(app, hall.analyst)
    for path in ("/barriers/gaps", "/barriers/new", "/barriers/models"):
        assert "No barrier model is in force here" in said(visitor.get(path)), path
    assert "No barrier is registered that you may know of" in said(visitor.get("/barriers"))
    page = visitor.post("/barriers/new", 409, **form())
    assert "No barrier model is in force here" in page
    assert act(hall.exchange, registering.list_barriers, hall.analyst.caller, None).barriers == []

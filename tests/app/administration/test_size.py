"""How large the platform is: exact for who runs it, one digit for the other members."""

import dataclasses
import json
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, insert, select, text

from app import clock, create_app
from app.administration import size
from app.administration.models import SizeNote
from app.administration.size import Measured
from app.config import Settings
from app.database import Base, Database
from app.organisations.models import Community
from postern.vocabulary import Role
from tests.app.exchange import Exchange, make_exchange, place, report
from tests.app.people import make_person, runtime_of, sign_in

on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def fill(database: Database, count: int) -> None:
    with database.transaction() as session:
        rows = [{"code": f"c{number}", "name": "-"} for number in range(count)]
        session.execute(insert(Community), rows)


def room(found: size.Size, name: str) -> size.RoomSize:
    return next(each for each in found.rooms if each.room == name)


def test_every_table_belongs_to_a_room(app: Flask) -> None:
    rooms = size.rooms_of_tables()
    assert rooms.keys() == Base.metadata.tables.keys()
    assert rooms["token"] == "indicators"
    assert rooms["size_note"] == "administration"
    assert "base" not in rooms.values()


def test_a_small_table_is_counted_and_a_large_one_estimated(
    app: Flask, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(size, "COUNTED", 20)
    fill(database, 15)
    with database.reading() as session:
        assert room(size.measure(session), "organisations").rows == Measured(15, "exact")
    with database.transaction() as session:
        rows = [{"code": f"d{number}", "name": "-"} for number in range(30)]
        session.execute(insert(Community), rows)
    if not database.is_sqlite:
        with database.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))
    with database.reading() as session:
        assert room(size.measure(session), "organisations").rows == Measured(45, "about")


@on_one_database
def test_a_large_table_without_numbers_has_at_least_so_many(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange.submit("post-be", report("k1", place()))
    monkeypatch.setattr(size, "COUNTED", 0)
    with exchange.database.reading() as session:
        assert room(size.measure(session), "indicators").rows.precision == "over"


@pytest.fixture
def exchange(app: Flask) -> Exchange:
    return make_exchange(app)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0, Measured(1000, "under")),
        (999, Measured(1000, "under")),
        (1000, Measured(1000, "about")),
        (1499, Measured(1000, "about")),
        (23_456, Measured(20_000, "about")),
        (987_654, Measured(1_000_000, "about")),
    ],
)
def test_one_digit_is_told_and_nothing_of_small_numbers(value: int, told: Measured) -> None:
    assert size.coarse(value, size.SMALLEST) == told


@on_one_database
def test_others_than_who_runs_it_are_told_no_exact_number_of_all(
    settings: Settings, exchange: Exchange
) -> None:
    exchange.submit("post-be", report("k1", place()))
    audit = dataclasses.replace(settings.audit, operator="police-de")
    app = create_app(dataclasses.replace(settings, audit=audit))
    with app.app_context(), exchange.database.transaction() as session:
        of_member = size.read(session, exchange.caller("post-be"))
        of_operator = size.read(session, exchange.caller("police-de"))
    runtime_of(app).database.dispose()
    assert {each.rows.precision for each in of_member.rooms} == {"under"}
    assert of_member.total.precision == "under"
    assert of_member.own is not None
    assert of_member.own.reports == 1
    assert {each.rows.precision for each in of_operator.rooms} == {"exact"}
    assert of_operator.own is not None
    assert of_operator.own.reports == 0


def test_others_are_told_of_ended_months_alone(
    app: Flask, exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a digit that turns under one's own reports counts what is another's."""
    database, caller = exchange.database, exchange.caller("post-be")

    def told() -> tuple[size.Size, size.RoomSize]:
        with app.app_context(), database.transaction() as session:
            found = size.read(session, caller)
        return found, room(found, "organisations")

    for day, rows, seen, months in (
        (datetime(2026, 1, 30, tzinfo=UTC), 1_400, Measured(1_000, "under"), 0),
        (datetime(2026, 2, 1, tzinfo=UTC), 3_600, Measured(1_000, "about"), 1),
        (datetime(2026, 2, 28, tzinfo=UTC), 3_700, Measured(1_000, "about"), 1),
        (datetime(2026, 3, 1, tzinfo=UTC), 5_600, Measured(4_000, "about"), 2),
    ):
        monkeypatch.setattr(clock, "now", lambda day=day: day)
        fill_to(database, rows)
        with database.transaction() as session:
            size.note(session)
        found, of_room = told()
        assert of_room.rows == seen, day
        assert len(found.months) == months


def test_sizes_are_noted_once_a_day_and_growth_is_told_by_months(
    app: Flask, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day, rows in (
        (datetime(2026, 1, 30, tzinfo=UTC), 2),
        (datetime(2026, 2, 20, tzinfo=UTC), 7),
    ):
        monkeypatch.setattr(clock, "now", lambda day=day: day)
        fill_to(database, rows)
        for _ in range(2):
            with database.transaction() as session:
                size.note(session)
    with database.reading() as session:
        february, january = size.measure(session).months
        noted = session.execute(select(func.count()).select_from(SizeNote)).scalar_one()
    assert noted == 2 * len({*size.rooms_of_tables().values()})
    assert (january.month.month, february.month.month) == (1, 2)
    assert january.grown is None
    assert february.grown is not None
    # Five communities, and the notes of January themselves.
    assert february.grown.value == 5 + noted // 2


def fill_to(database: Database, count: int) -> None:
    with database.transaction() as session:
        known = session.execute(select(func.count()).select_from(Community)).scalar_one()
        rows = [{"code": f"c{number}", "name": "-"} for number in range(known, count)]
        session.execute(insert(Community), rows)


@on_one_database
def test_of_months_long_ago_the_last_note_is_kept(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = clock.day(datetime(2026, 1, 1, tzinfo=UTC))
    with database.transaction() as session:
        days = [{"day": begin + each, "room": "jobs", "rows": 1, "bytes": 0} for each in range(120)]
        session.execute(insert(SizeNote), days)
    later = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=120)
    monkeypatch.setattr(clock, "now", lambda: later)
    with database.transaction() as session:
        size.note(session)
        kept = session.scalars(select(SizeNote.day).where(SizeNote.room == "jobs")).all()
    # The ends of January and February (of its days that are old), and the last 62 days and today.
    assert sorted(kept)[:2] == [begin + 30, begin + 57]
    assert len(kept) == 2 + 62 + 1


@on_one_database
def test_the_page_and_the_console_tell_of_every_room(app: Flask, exchange: Exchange) -> None:
    client = app.test_client()
    sign_in(client, make_person(app, "post-be", [Role.ADMINISTRATOR]))
    page = client.get("/platform/size").get_data(as_text=True)
    assert page.count("fewer than 1,000") >= len(set(size.rooms_of_tables().values()))
    assert "No month was noted yet" in page
    for name in {*size.rooms_of_tables().values()}:
        assert f">{name}<" not in page, f"{name} has no words"
    told = app.test_cli_runner().invoke(args=["platform", "size", "--json"])
    assert told.exit_code == 0
    by_room = {each["room"]: each for each in json.loads(told.stdout)}
    assert by_room["organisations"]["rows"] > 0
    assert "Database: " in app.test_cli_runner().invoke(args=["platform", "size"]).output

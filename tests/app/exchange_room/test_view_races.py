"""Writers, pollers and withdrawals at once: a poller misses nothing, and is told of every end.

On PostgreSQL: on SQLite transactions take turns.
"""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app import create_app
from app.exchange import serving, view_writing
from app.exchange.models import ExchangeEntry
from app.exchange.views import Filters
from app.indicators import service
from app.indicators.models import Given
from tests.app.exchange import OPEN_TO_POLICE, SOPHIE, make_exchange, place, report
from tests.app.exchange_room.reading import Room
from tests.conftest import new_database, settings_for


@pytest.fixture
def room(request: pytest.FixtureRequest, tmp_path: Path, secrets_directory: Path) -> Iterator[Room]:
    with new_database(request, "postgresql", tmp_path) as url:
        app = create_app(settings_for(url, secrets_directory))
        made = Room(make_exchange(app))
        made.exchange.publish("post-be", OPEN_TO_POLICE)
        yield made
        made.exchange.database.dispose()


def test_a_poller_that_continues_from_the_last_date_gets_every_object(room: Room) -> None:
    """Four writers add to one collection; each its own transactions, begun before others end."""
    collection = room.own()
    exchange = room.exchange
    caller = exchange.caller("post-be")
    written = threading.Event()
    ids: set[str] = set()

    def write(writer: int) -> list[str]:
        made = []
        for number in range(6):

            def one(session: Any, name: str = f"w{writer}-{number}") -> list[Any]:
                found = service.submit(session, caller, [report(name, place(name), place(name))])
                view_writing.write_now(session, caller.member[0], found.results[0].indicators)
                return list(found.results[0].indicators)

            made += [str(each) for each in room.within(one)]
        return made

    def poll() -> list[str]:
        got: list[str] = []
        last = None
        while True:
            is_over = written.is_set()
            page = room.page(collection, Filters(types=("indicator",)), 5, after=last)
            got += [str(row.indicator) for row in page.rows]
            last = page.last_added or last
            if is_over and not page.rows:
                return got

    with ThreadPoolExecutor(5) as pool:
        polling = pool.submit(poll)
        for made in pool.map(write, range(4)):
            ids.update(made)
        written.set()
        got = polling.result(60)
    assert len(got) == len(set(got)) == 48
    assert set(got) == ids


def test_what_is_served_while_it_is_withdrawn_is_revoked_afterwards(room: Room) -> None:
    """Whoever serves holds the indicator: the withdrawal waits, and then finds what was given."""
    exchange = room.exchange
    collection = room.open()
    (result,) = exchange.submit("post-be", report("r", exchange.indicator(SOPHIE))).results
    room.work()
    owner, reader = exchange.caller("post-be"), exchange.caller("police-de")
    began = threading.Event()

    def withdraw() -> None:
        def act(session: Any) -> None:
            began.set()
            service.withdraw(session, owner, result.id, "error")

        room.within(act)

    with ThreadPoolExecutor(1) as pool:

        def serve(session: Any) -> Any:
            served = serving.page(session, reader, collection.id, Filters(main_only=True), 10)
            withdrawing = pool.submit(withdraw)
            began.wait(30)
            with pytest.raises(TimeoutError):
                withdrawing.result(0.3)
            return served, withdrawing

        served, withdrawing = room.within(serve)
        withdrawing.result(30)
    assert len(served.rows) == 1
    room.work()
    assert [row.is_revoked for row in room.page(collection, Filters(main_only=True)).rows] == [True]


def test_what_was_withdrawn_first_is_not_served(room: Room) -> None:
    exchange = room.exchange
    collection = room.open()
    (result,) = exchange.submit("post-be", report("r", exchange.indicator(SOPHIE))).results
    room.work()
    owner = exchange.caller("post-be")
    with ThreadPoolExecutor(1) as pool:

        def withdraw(session: Any) -> Any:
            service.withdraw(session, owner, result.id, "error")
            polling = pool.submit(room.page, collection, Filters(main_only=True))
            with pytest.raises(TimeoutError):
                polling.result(0.3)
            return polling

        polling = room.within(withdraw)
        assert polling.result(30).rows == []
    assert room.within(lambda s: s.scalar(select(func.count()).select_from(Given))) == 0
    room.work()
    assert room.page(collection).rows == []
    assert room.within(lambda s: s.scalars(select(ExchangeEntry.owner_id)).all()).count(None) > 0

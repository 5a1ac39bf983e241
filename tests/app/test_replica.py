"""A real primary and its standby: readings go there where it is fresh, and nowhere else."""

import dataclasses
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import g
from sqlalchemy import text
from sqlalchemy.orm import Session

from app import create_app, request_metrics
from app.__main__ import migrate
from app.administration import gauges, health
from app.administration.health import Light, Part
from app.config import SecretsSettings, Settings
from app.database import Database
from app.database_roles import Work, grant
from app.errors import StartRefusedError
from app.exchange import serving, view_reading
from app.exchange.collections import collections_of
from app.exchange.views import Collection
from app.indicators import service as indicators
from app.indicators import shared, shared_rows
from app.lookups import service as lookups
from app.replica import Mark, Outcome, Replica, read_fresh
from postern.vocabulary import Purpose
from tests.app.exchange import CLOSED, JAN, OPEN_TO_POLICE, SOPHIE, Exchange, make_exchange, report
from tests.app.exchange_room.reading import ALL, GROUNDS, Room
from tests.app.metrics import write_metrics_key
from tests.app.people import runtime_of
from tests.app.standby import PRIMARY, STANDBY, Pair, running_primary
from tests.conftest import settings_for

# One pair for all, in the order in which they stand: the last makes the standby a primary.
WEB = "test_replica_web"


@pytest.fixture(scope="module")
def pair(secrets_directory: Path) -> Iterator[Pair]:
    """Both servers, with the schema and a role of the web service."""
    with running_primary() as made:
        settings = settings_for(made.url(PRIMARY), secrets_directory)
        migrate(settings)
        made.ask(PRIMARY, f"CREATE ROLE {WEB} LOGIN")
        with_rights = Database(settings.database.url)
        grant(with_rights, WEB, Work.WEB)
        with_rights.dispose()
        made.make_standby()
        made.catch_up()
        yield made


@pytest.fixture(scope="module")
def base(pair: Pair, secrets_directory: Path) -> Settings:
    return settings_for(pair.url(PRIMARY), secrets_directory)


@pytest.fixture(scope="module")
def room(pair: Pair, base: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """post-be shares an indicator with police-de, which has a collection of it."""
    secrets = tmp_path_factory.mktemp("replica") / "secrets"
    shutil.copytree(base.secrets.directory, secrets)
    write_metrics_key(secrets)
    settings = dataclasses.replace(
        with_replica(base, pair.url(STANDBY)), secrets=SecretsSettings(str(secrets))
    )
    exchange = make_exchange(create_app(settings))
    exchange.submit("post-be", report("R-1", exchange.indicator(SOPHIE)))
    exchange.publish("post-be", OPEN_TO_POLICE)
    exchange.ask("police-de", JAN)  # its profile is made here
    made = Room(exchange)
    made.open()
    yield made
    exchange.database.dispose()


@pytest.fixture
def replica(room: Room, pair: Pair, monkeypatch: pytest.MonkeyPatch) -> Replica:
    """That of the platform, as if it had never failed; once it has, it is left alone for long."""
    monkeypatch.setattr("app.replica.REST_SECONDS", 3600.0)
    found = room.exchange.database.replica
    assert found is not None
    pair.catch_up()
    forget(found)
    return found


def forget(replica: Replica) -> None:
    """Let it be asked at once, and be waited for: a busy machine is no failure."""
    replica._rests_until = replica._hurries_until = 0.0
    replica.wait_seconds = 5.0
    replica._is_futile = lambda _: False  # type: ignore[method-assign]


@contextmanager
def went(replica: Replica) -> Iterator[list[Outcome]]:
    """Where readings go within the block."""
    told: list[Outcome] = []
    replica.watchers.append(told.append)
    try:
        yield told
    finally:
        replica.watchers.remove(told.append)


def with_replica(settings: Settings, url: str) -> Settings:
    return dataclasses.replace(
        settings, database=dataclasses.replace(settings.database, replica_url=url)
    )


def reads(outcome: Outcome) -> float:
    """What the metric has counted."""
    counted = request_metrics.REGISTRY.get_sample_value(
        "postern_replica_reads_total", {"outcome": outcome.value}
    )
    return counted or 0.0


def found(exchange: Exchange) -> int:
    return len(exchange.ask("police-de", SOPHIE).results[0].hits)


def served(room: Room) -> int:
    """Objects of indicators in the page of the police's collection."""
    rows = room.page(collection_of(room), ALL).rows
    return sum(row.type == "indicator" and not row.is_revoked for row in rows)


def listed(room: Room) -> int:
    reader = room.exchange.caller("police-de")
    page = room.within(
        lambda session: shared.list_shared(session, reader, GROUNDS, wanted={}, limit=9)
    )
    return len(page.indicators)


def counted(room: Room) -> int:
    reader = room.exchange.caller("police-de")
    counts = room.within(lambda session: shared.count_shared(session, reader, GROUNDS, wanted={}))
    return counts.indicators


def all_ways(room: Room) -> set[int]:
    """How many each way of reading finds: all of them the same."""
    return {found(room.exchange), served(room), listed(room), counted(room)}


def collection_of(room: Room) -> Collection:
    organisation = room.exchange.organisation_id("police-de")
    return room.within(lambda session: collections_of(session, organisation))[0]


def test_what_is_expensive_is_read_on_the_replica_and_nothing_of_it_on_the_primary(
    room: Room, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[int, list[str]] = {PRIMARY: [], STANDBY: []}
    execute = psycopg.Cursor.execute

    def noting(cursor: Any, query: Any, *others: Any, **more: Any) -> Any:
        asked[cursor.connection.info.port].append(str(query))
        return execute(cursor, query, *others, **more)

    monkeypatch.setattr(psycopg.Cursor, "execute", noting)
    before = reads(Outcome.REPLICA)
    with went(replica) as told:
        assert found(room.exchange) == 1
        assert served(room) == 1
        assert counted(room) == 1
    assert told == [Outcome.REPLICA] * 3
    assert reads(Outcome.REPLICA) == before + 3
    for table in ("token", "share_grant", "exchange_entry"):
        assert [one for one in asked[PRIMARY] if f" {table}" in one.replace("\n", " ")] == []
        assert [one for one in asked[STANDBY] if f" {table}" in one.replace("\n", " ")] != []


def test_a_request_of_the_web_role_sees_its_rows_there_and_no_others(
    room: Room, replica: Replica, pair: Pair
) -> None:
    own = Database(pair.url(PRIMARY, WEB), replica_url=pair.url(STANDBY, WEB))
    assert own.replica is not None
    own.replica.wait_seconds = replica.wait_seconds
    exchange, collection = room.exchange, collection_of(room)
    reader = exchange.caller("police-de")
    with went(own.replica) as told, exchange.app.test_request_context():
        g.caller = reader
        with own.transaction() as session:
            page = serving.page(session, reader, collection.id, ALL, 100)
            entries = text("SELECT count(*) FROM exchange_entry")
            here = session.execute(entries).scalar_one()
            assert read_fresh(session, lambda on: on.execute(entries).scalar_one()) == here > 0
        g.caller = exchange.caller("customs-nl")
        with own.transaction() as session:
            assert read_fresh(session, lambda on: on.execute(entries).scalar_one()) == 0
    own.dispose()
    assert sum(row.type == "indicator" for row in page.rows) == 1
    assert told == [Outcome.REPLICA] * 3


def test_what_the_request_itself_made_is_not_looked_for_on_the_replica(
    room: Room, replica: Replica
) -> None:
    with went(replica) as told:
        first = room.exchange.ask("police-de", SOPHIE, purpose=Purpose.CRIMINAL_INTELLIGENCE)
        again = room.exchange.ask("police-de", SOPHIE, purpose=Purpose.CRIMINAL_INTELLIGENCE)
    assert told == [Outcome.OWN_WRITES, Outcome.REPLICA]
    assert [len(each.results[0].hits) for each in (first, again)] == [1, 1]


def narrow(room: Room) -> Callable[[], None]:
    room.exchange.publish("post-be", CLOSED)
    return lambda: room.exchange.publish("post-be", OPEN_TO_POLICE)


def suspend(room: Room) -> Callable[[], None]:
    status = "UPDATE organisation SET status = '{}' WHERE code = 'post-be'"
    room.within(lambda session: session.execute(text(status.format("suspended"))))
    return lambda: room.within(lambda session: session.execute(text(status.format("active"))))


def leave(room: Room) -> Callable[[], None]:
    """The reader's organisation is no longer what its profile was laid out for."""
    sector = "UPDATE organisation SET sector = '{}', facts_seq = facts_seq + 1 WHERE code = '{}'"
    room.within(lambda session: session.execute(text(sector.format("customs", "police-de"))))
    return lambda: room.within(
        lambda session: session.execute(text(sector.format("police", "police-de")))
    )


def withdraw(room: Room) -> Callable[[], None]:
    exchange = room.exchange
    with exchange.database.reading() as session:
        newest = text("SELECT public_id FROM report ORDER BY id DESC LIMIT 1")
        key = session.execute(newest).scalar_one()
    caller = exchange.caller("post-be")
    room.within(lambda session: indicators.withdraw(session, caller, key, "error"))

    def submit_again() -> None:
        exchange.submit("post-be", report(str(key), exchange.indicator(SOPHIE)))
        room.work()

    return submit_again


@pytest.mark.parametrize("revoke", [narrow, suspend, leave, withdraw])
def test_what_was_revoked_is_never_served_from_a_replica_that_does_not_know_it(
    room: Room, replica: Replica, pair: Pair, revoke: Callable[[Room], Callable[[], object]]
) -> None:
    assert all_ways(room) == {1}
    pair.pause()
    replica.wait_seconds = 0.0
    undo = revoke(room)
    with went(replica) as told:
        assert all_ways(room) == {0}
    assert Outcome.BEHIND in told
    assert Outcome.REPLICA not in told
    pair.catch_up()
    forget(replica)
    with went(replica) as told:
        assert all_ways(room) == {0}
    assert told == [Outcome.REPLICA] * 4
    undo()


def test_what_is_waited_for_is_seen(
    room: Room, replica: Replica, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    def resume_and_wait(seconds: float) -> None:
        if not waited:
            pair.ask(STANDBY, "SELECT pg_wal_replay_resume()")
        waited.append(seconds)

    pair.pause()
    undo = narrow(room)
    monkeypatch.setattr("app.replica.sleep", resume_and_wait)
    with went(replica) as told:
        assert found(room.exchange) == 0
    assert (told, bool(waited)) == ([Outcome.REPLICA], True)
    undo()


@pytest.mark.parametrize("asked", [found, served, listed], ids=["lookup", "page", "list"])
def test_what_ends_after_it_was_read_there_is_left_out(
    room: Room, replica: Replica, monkeypatch: pytest.MonkeyPatch, asked: Callable[[Any], int]
) -> None:
    undo: list[Callable[[], object]] = []

    def reading_and_then(session: Session, reading: Callable[[Session], Any]) -> Any:
        read = read_fresh(session, reading)
        undo.append(withdraw(room))
        return read

    module = {found: lookups, served: view_reading, listed: shared_rows}[asked]
    with monkeypatch.context() as patch, went(replica) as told:
        patch.setattr(module, "read_fresh", reading_and_then)
        assert asked(room.exchange if asked is found else room) == 0
    assert told == [Outcome.REPLICA]
    undo[0]()


def test_a_statement_that_replay_cancels_is_asked_again_on_the_primary(
    room: Room, replica: Replica, pair: Pair
) -> None:
    pair.ask(PRIMARY, "CREATE TABLE passing AS SELECT 1 AS one")
    pair.catch_up()
    seen: list[bool] = []

    def read(on: Session) -> object:
        is_there = bool(on.execute(text("SELECT pg_is_in_recovery()")).scalar_one())
        seen.append(is_there)
        if is_there:
            on.execute(text("SELECT one FROM passing"))
            pair.ask(PRIMARY, "DROP TABLE passing")
            on.execute(text("SELECT pg_sleep(30)"))
        return on.execute(text("SELECT to_regclass('passing')")).scalar_one()

    with went(replica) as told:
        assert room.within(lambda session: read_fresh(session, read)) is None
    assert (seen, told) == ([True, False], [Outcome.CANCELLED])
    with went(replica) as told:
        assert found(room.exchange) == 1
    assert told == [Outcome.REPLICA]


def test_no_reading_waits_for_a_connection_to_it(room: Room, replica: Replica, pair: Pair) -> None:
    few = Database(pair.url(PRIMARY), 1, replica_url=pair.url(STANDBY))
    assert few.replica is not None
    few.replica.wait_seconds = replica.wait_seconds
    with few.transaction() as session, went(few.replica) as told:

        def read(on: Session) -> int:
            return 0 if on is session else 1 + read_fresh(session, read)

        assert read_fresh(session, read) == len(told) - 1
    few.dispose()
    assert told == [Outcome.BUSY, *[Outcome.REPLICA] * (len(told) - 1)]


def test_where_commits_are_not_waited_for_it_is_not_read(
    room: Room, replica: Replica, pair: Pair
) -> None:
    for value, outcome in (("off", Outcome.ASYNCHRONOUS), ("on", Outcome.REPLICA)):
        pair.ask(PRIMARY, f"ALTER ROLE nobody SET synchronous_commit = {value}")
        room.exchange.database.engine.dispose()
        forget(replica)
        with went(replica) as told:
            assert found(room.exchange) == 1
        assert told == [outcome]


def test_answers_go_on_while_it_is_down_and_it_is_read_when_it_is_back(
    room: Room, replica: Replica, pair: Pair
) -> None:
    assert state_of(room) == ("replica.fresh", Light.GREEN, 1.0)
    pair.kill(STANDBY)
    with went(replica) as told:
        assert all_ways(room) == {1}
    assert told == [Outcome.DOWN] * 4
    assert state_of(room) == ("replica.down", Light.AMBER, 0.0)
    again = create_app(runtime_of(room.exchange.app).settings)  # a start does without it, too
    runtime_of(again).database.dispose()
    pair.start(STANDBY)
    pair.catch_up()
    with went(replica) as told:
        assert found(room.exchange) == 1
    assert told == [Outcome.DOWN]  # it is left alone for a while
    forget(replica)
    with went(replica) as told:
        assert all_ways(room) == {1}
    assert told == [Outcome.REPLICA] * 4


def state_of(room: Room) -> tuple[str, Light, float]:
    """The finding of the operator's page, its light, and the gauge."""
    here = runtime_of(room.exchange.app)
    with here.database.reading() as session:
        (family,) = gauges.GROUPS["reading"](session, here)
    with room.exchange.app.app_context(), here.database.reading() as session:
        checks = {each.part: each for each in health.check(session, here).checks}
    found = checks[Part.REPLICA]
    return found.finding, found.light, family.samples[0].value


def test_a_start_with_a_replica_that_is_none_is_refused_with_the_remedy(
    base: Settings, pair: Pair
) -> None:
    pair.ask(PRIMARY, "CREATE DATABASE other")
    pair.catch_up()
    for url, remedy in (
        (pair.url(PRIMARY, WEB), "no standby"),
        (pair.url(STANDBY, database="other"), "to another database"),
    ):
        with pytest.raises(StartRefusedError, match=remedy):
            create_app(with_replica(base, url))
    pair.ask(PRIMARY, f"ALTER ROLE {WEB} SET synchronous_commit = no")
    with pytest.raises(StartRefusedError, match="synchronous_commit is off"):
        create_app(with_replica(base, pair.url(STANDBY)))
    pair.ask(PRIMARY, f"ALTER ROLE {WEB} RESET synchronous_commit")


def test_nothing_waits_in_vain(room: Room) -> None:
    fresh = Replica(room.exchange.database.url, 1, None)
    assert fresh._is_futile(Mark(3 * 8192, 7, 1, "x"))  # the end of a page, amid a record
    assert not fresh._is_futile(Mark(3 * 8192 + 8, 7, 1, "x"))
    fresh._hurries_until = float("inf")
    assert fresh._is_futile(Mark(3 * 8192 + 8, 7, 1, "x"))


def test_a_history_of_its_own_is_not_followed() -> None:
    one = Mark(100, 7, 1, "postern")
    assert Mark(90, 7, 1, "postern").follows(one)
    for other in (Mark(100, 8, 1, "postern"), Mark(100, 7, 2, "postern"), Mark(100, 7, 1, "x")):
        assert not other.follows(one)


def test_a_standby_that_was_promoted_is_never_read(
    room: Room, replica: Replica, pair: Pair, base: Settings
) -> None:
    assert found(room.exchange) == 1
    pair.ask(STANDBY, "SELECT pg_promote()")
    with went(replica) as told:
        assert all_ways(room) == {1}
    assert told == [Outcome.PROMOTED] * 4
    assert state_of(room) == ("replica.promoted", Light.RED, 0.0)
    with pytest.raises(StartRefusedError, match="no standby"):
        create_app(with_replica(base, pair.url(STANDBY)))

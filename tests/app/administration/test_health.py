"""Each check finds what is wrong, says what to do, and is green when nothing is."""

import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from flask import Flask
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from app import clock, schema_version
from app.access import CONSOLE
from app.administration import health, size
from app.administration.health import Check, Light, Part
from app.administration.health_words import (
    _FINDINGS,
    _PARTS,
    finding_words,
    light_words,
    part_words,
    remedy_words,
)
from app.audit.alarms import raise_alarm
from app.audit.models import AlarmKind, AuditQueue
from app.audit.running import sequencer
from app.audit.service import append
from app.database import Database
from app.database_roles import grant
from app.jobs.models import DutyRun, JobState, Outbox
from app.jobs.outbox import put
from app.jobs.service import run_due
from app.pseudonyms.models import KeyEpoch
from app.web.languages import LANGUAGES
from postern.vocabulary import Role
from tests.app.exchange import Exchange, make_exchange
from tests.app.people import make_person, runtime_of, sign_in

on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def exchange(app: Flask) -> Exchange:
    return make_exchange(app)


def checks(app: Flask) -> dict[Part, Check]:
    with app.app_context(), runtime_of(app).database.reading() as session:
        return {each.part: each for each in health.check(session, runtime_of(app)).checks}


def make_sound(app: Flask) -> None:
    """The worker has done its round, and every entry has its place."""
    with app.app_context():
        assert all(each.count is not None for each in run_due(runtime_of(app)))
        sequencer(runtime_of(app)).step()


def test_a_platform_that_works_is_green_but_for_witnesses_and_backups(
    app: Flask, exchange: Exchange
) -> None:
    make_sound(app)
    found = checks(app)
    assert list(found) == list(Part)
    lights = {part: each.light for part, each in found.items()} | {Part.DISK: Light.GREEN}
    assert lights.pop(Part.WITNESSES) is Light.AMBER
    assert lights.pop(Part.BACKUP) is Light.AMBER  # nobody tells of any
    assert set(lights.values()) == {Light.GREEN}
    assert all(each.light is Light.GREEN or remedy_of(app, each) for each in found.values())


def test_a_platform_on_which_nothing_runs_says_so(app: Flask) -> None:
    found = checks(app)
    assert found[Part.WORKER].finding == "worker.never"
    assert found[Part.EPOCHS].finding == "epochs.closed"
    assert found[Part.LOG].finding == "log.none"


def test_an_old_schema_is_red(app: Flask, exchange: Exchange) -> None:
    with exchange.database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    found = checks(app)[Part.SCHEMA]
    assert (found.light, found.facts["present"]) == (Light.RED, "0001")
    assert found.facts["needed"] == schema_version.needed() != "0001"


class Wrong(NamedTuple):
    part: Part
    finding: str
    light: Light


def _outbox(state: JobState, minutes: int) -> Callable[[Any], None]:
    def make(session: Any) -> None:
        put(session, "watch.match", {}, key="k")
        due = clock.now() - timedelta(minutes=minutes)
        session.execute(update(Outbox).values(state=state, due_at=due))

    return make


def _epochs(days: int) -> Callable[[Any], None]:
    def make(session: Any) -> None:
        end = clock.now() + timedelta(days=days)
        session.execute(update(KeyEpoch).values(valid_to=end))

    return make


def _duty(minutes: int, failures: int = 0) -> Callable[[Any], None]:
    def make(session: Any) -> None:
        due = clock.now() - timedelta(minutes=minutes)
        changed = update(DutyRun).where(DutyRun.name == "log.watch")
        session.execute(changed.values(due_at=due, failures=failures))

    return make


def _queue(minutes: int) -> Callable[[Any], None]:
    def make(session: Any) -> None:
        append(session, CONSOLE, "log.growth")
        at = clock.milliseconds(clock.now() - timedelta(minutes=minutes))
        session.execute(update(AuditQueue).values(t=at))

    return make


WRONG = {
    Wrong(Part.WORKER, "worker.works", Light.GREEN): _duty(0),
    Wrong(Part.WORKER, "worker.late", Light.AMBER): _duty(11),
    Wrong(Part.WORKER, "worker.still", Light.RED): _duty(61),
    Wrong(Part.WORKER, "worker.failing", Light.AMBER): _duty(0, failures=2),
    Wrong(Part.LOG, "log.late", Light.AMBER): _queue(2),
    Wrong(Part.LOG, "log.still", Light.RED): _queue(11),
    Wrong(Part.OUTBOX, "outbox.late", Light.AMBER): _outbox(JobState.WAITING, 11),
    Wrong(Part.OUTBOX, "outbox.still", Light.RED): _outbox(JobState.WAITING, 61),
    Wrong(Part.OUTBOX, "outbox.dead", Light.AMBER): _outbox(JobState.DEAD, 0),
    Wrong(Part.LOG, "log.alarm", Light.RED): lambda session: raise_alarm(
        session, AlarmKind.ROLLBACK, "smaller than signed"
    ),
    Wrong(Part.EPOCHS, "epochs.ending", Light.AMBER): _epochs(20),
    Wrong(Part.EPOCHS, "epochs.closed", Light.RED): _epochs(-1),
}


@on_one_database
def test_what_is_wrong_is_found(
    app: Flask, exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_sound(app)
    standing_still = clock.now()
    monkeypatch.setattr(clock, "now", lambda: standing_still)
    for wrong, make in WRONG.items():
        with (
            app.app_context(),
            exchange.database._turn(),
            Session(exchange.database.engine) as session,
        ):
            make(session)
            session.flush()
            found = {each.part: each for each in health.check(session, runtime_of(app)).checks}
            session.rollback()
        assert Wrong(wrong.part, found[wrong.part].finding, found[wrong.part].light) == wrong


@on_one_database
def test_a_disk_that_fills_up_is_noticed(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type(shutil.disk_usage("/"))
    for free, light in ((50, Light.GREEN), (14, Light.AMBER), (4, Light.RED)):
        monkeypatch.setattr(shutil, "disk_usage", lambda _place, f=free: usage(100, 100 - f, f))
        found = checks(app)[Part.DISK]
        assert (found.light, found.facts["percent"]) == (light, free)


@on_one_database
def test_the_console_ends_with_one_when_something_is_red(app: Flask, exchange: Exchange) -> None:
    runner = app.test_cli_runner()
    told = runner.invoke(args=["platform", "health", "--json"])
    found = {each["part"]: each for each in json.loads(told.stdout)}
    assert told.exit_code == 1
    assert found["worker"]["light"] == "red"
    assert "jobs run" in found["worker"]["what_to_do"]
    make_sound(app)
    sound = runner.invoke(args=["platform", "health"])
    assert sound.exit_code == 0
    assert "green  database" in sound.output


@on_one_database
def test_the_page_shows_every_check_and_is_logged(app: Flask, exchange: Exchange) -> None:
    client = app.test_client()
    sign_in(client, make_person(app, "post-be", [Role.ADMINISTRATOR]))
    page = client.get("/platform/health").get_data(as_text=True)
    for part in Part:
        assert f'id="{part.value}"' in page
    assert "check-red" in page
    assert "No duty has ever been done" in page
    (entry,) = exchange.entries("platform.health")
    assert (entry.details["light"], entry.audience) == ("red", ["post-be"])


@on_one_database
def test_the_page_writes_moments_as_the_reader_s_clocks_show_them_and_the_console_in_utc(
    app: Flask, exchange: Exchange
) -> None:
    make_sound(app)
    client = app.test_client()
    sign_in(client, make_person(app, "post-be", [Role.ADMINISTRATOR]))
    client.set_cookie("postern_zone", "Asia/Tokyo")
    page = client.get("/platform/health").get_data(as_text=True)
    assert page.count(" JST.") >= 2
    assert " UTC." not in page
    told = app.test_cli_runner().invoke(args=["platform", "health"]).output
    assert " UTC" in told


@on_one_database
def test_every_finding_has_its_words_in_every_language(app: Flask) -> None:
    facts = {
        "kind": "SQLite", "present": "1", "needed": "2", "last": clock.now(), "duties": "x",
        "minutes": 5, "count": 2, "until": clock.now().date(), "kinds": (), "percent": 3,
        "place": "archive", "hours": 30, "tried": clock.now(),
    }  # fmt: skip
    for language in LANGUAGES:
        with app.test_request_context(headers={"Accept-Language": language}):
            for finding, (_, remedy) in _FINDINGS.items():
                check = Check(Part.DISK, Light.RED, finding, facts)
                assert "%(" not in finding_words(check) + remedy_words(check)
                assert bool(remedy_words(check)) == (remedy is not None)
            assert all(part_words(part) for part in Part)
            assert all(light_words(light) for light in Light)
    assert set(_PARTS) == set(Part)


def remedy_of(app: Flask, check: Check) -> str:
    with app.test_request_context():
        return remedy_words(check)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_service_s_database_role_may_look_at_all_of_it(app: Flask, database: Database) -> None:
    role = "test_looking"
    with database.engine.begin() as connection:
        connection.execute(text(f"DROP ROLE IF EXISTS {role}"))
        connection.execute(text(f"CREATE ROLE {role}"))
    grant(database, role)
    with app.app_context(), database.transaction() as session:
        session.execute(text(f"SET LOCAL ROLE {role}"))
        found = {each.part: each for each in health.check(session, runtime_of(app)).checks}
        rooms = {each.room for each in size.measure(session).rooms}
    assert found[Part.SCHEMA].light is Light.GREEN
    assert rooms == set(size.rooms_of_tables().values())
    with database.engine.begin() as connection:
        connection.execute(text("REVOKE SELECT ON alembic_version FROM test_looking"))
    with app.app_context(), database.transaction() as session:
        session.execute(text(f"SET LOCAL ROLE {role}"))
        unseen = health.check(session, runtime_of(app)).checks[1]
    assert (unseen.finding, unseen.light) == ("schema.unseen", Light.AMBER)
    with database.engine.begin() as connection:
        connection.execute(text(f"DROP OWNED BY {role}"))
        connection.execute(text(f"DROP ROLE {role}"))

"""Duties: done when due, once, each by itself; one that fails stops no other."""

import json
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.config import Settings
from app.database import Database
from app.jobs import console, service
from app.jobs.draining import Pace
from app.jobs.models import DutyRun
from app.jobs.outbox import Handlers
from app.jobs.service import Duties, Performed, duty, in_batches, run_due
from app.logs import configure_logs
from app.runtime import Runtime
from app.secret_files import read as read_secrets
from tests.app.bare import NOON, Clock, bare_app

HOUR = timedelta(hours=1)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(service, "now", clock)
    return clock


@pytest.fixture
def runtime(settings: Settings, database: Database) -> Runtime:
    configure_logs(settings.log)
    made = Runtime(settings, database, read_secrets(Path(settings.secrets.directory)))
    made.add(Duties())
    return made


def test_a_duty_is_done_when_due_and_not_again_before(runtime: Runtime, clock: Clock) -> None:
    duty(runtime, "sweep", HOUR, lambda _session: 3)
    assert list(run_due(runtime)) == [Performed("sweep", 3)]
    clock.at += HOUR - timedelta(seconds=1)
    assert list(run_due(runtime)) == []
    clock.at += timedelta(seconds=1)
    assert list(run_due(runtime)) == [Performed("sweep", 3)]


def test_a_duty_that_fails_is_undone_and_stops_no_other(
    runtime: Runtime, database: Database, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(session: Session) -> int:
        _found(session, "half done")
        raise RuntimeError("Musterstrasse 12")

    duty(runtime, "broken", HOUR, fail)
    duty(runtime, "whole", HOUR, lambda session: _found(session, "done"))
    assert list(run_due(runtime)) == [Performed("broken", None), Performed("whole", 1)]
    assert _communities(database) == ["done"]
    assert "RuntimeError" in (logged := capsys.readouterr().err)
    assert "Musterstrasse" not in logged


def test_a_duty_that_failed_is_tried_again_soon_and_its_failures_are_counted(
    runtime: Runtime, database: Database, clock: Clock
) -> None:
    results = iter([ZeroDivisionError, OSError, 5])

    def stumble(_session: Session) -> int:
        result = next(results)
        if isinstance(result, int):
            return result
        raise result

    duty(runtime, "sweep", HOUR, stumble)
    assert list(run_due(runtime)) == [Performed("sweep", None)]
    assert list(run_due(runtime)) == []
    clock.at += timedelta(minutes=5)
    assert list(run_due(runtime)) == [Performed("sweep", None)]
    assert _row(database).failures == 2
    assert _row(database).finished_at is None
    clock.at += timedelta(minutes=5)
    assert list(run_due(runtime)) == [Performed("sweep", 5)]
    assert (_row(database).failures, _row(database).finished_at) == (0, clock.at)
    assert _row(database).due_at == clock.at + HOUR


def test_a_duty_that_left_something_goes_on_at_once_in_turns_with_others(
    runtime: Runtime, database: Database, clock: Clock
) -> None:
    left = {"large": 45, "larger": 65}

    def erase(name: str) -> int:
        taken = min(left[name], 1)
        left[name] -= taken
        return taken

    for name in left:
        run = partial(in_batches, partial(erase, name), 1)
        duty(runtime, name, HOUR, lambda _session, run=run: run())
    done = [(each.name, each.count, each.is_done) for each in run_due(runtime)]
    assert done == [
        ("large", 20, False),
        ("larger", 20, False),
        ("large", 20, False),
        ("larger", 20, False),
        ("large", 5, True),
        ("larger", 20, False),
        ("larger", 5, True),
    ]
    assert list(run_due(runtime)) == []


def test_a_duty_and_its_note_are_one_transaction(
    runtime: Runtime, database: Database, clock: Clock
) -> None:
    def found_and_end(session: Session) -> int:
        _found(session, "done")
        session.execute(text("DROP TABLE duty_run"))
        return 1

    duty(runtime, "sweep", HOUR, found_and_end)
    list(run_due(runtime))
    assert _communities(database) == []
    assert _row(database).failures == 1


def test_two_processes_do_not_do_the_same_duty_at_once(runtime: Runtime, clock: Clock) -> None:
    done: list[str] = []
    first_is_in, second_has_looked = threading.Event(), threading.Event()

    def slowly(_session: Session) -> int:
        done.append("once")
        first_is_in.set()
        if not runtime.database.is_sqlite:
            # SQLite lets the other wait for the end of this transaction instead.
            second_has_looked.wait(30)
        return 1

    duty(runtime, "sweep", HOUR, slowly)
    with runtime.database.transaction() as session:  # the row is there, as after the first run
        session.add(DutyRun(name="sweep", due_at=NOON - HOUR, failures=0))
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(lambda: list(run_due(runtime)))
        assert first_is_in.wait(30)
        assert list(run_due(runtime)) == []
        second_has_looked.set()
        assert first.result() == [Performed("sweep", 1)]
    assert done == ["once"]


def test_a_name_is_given_once(runtime: Runtime) -> None:
    duty(runtime, "sweep", HOUR, lambda _session: 0)
    with pytest.raises(LookupError, match="sweep"):
        duty(runtime, "sweep", HOUR, lambda _session: 0)


@pytest.fixture
def commanded(settings: Settings, database: Database) -> Flask:
    app = bare_app(settings, database)
    for part in (Duties(), Handlers(), Pace()):
        app.extensions["postern"].add(part)
    app.cli.add_command(console.commands)
    return app


def test_the_command_does_what_is_due_and_says_so(commanded: Flask, clock: Clock) -> None:
    duty(commanded.extensions["postern"], "sweep", HOUR, lambda _session: 3)
    runner = commanded.test_cli_runner()
    ran = runner.invoke(args=["jobs", "run", "--once"])
    assert (ran.exit_code, ran.stdout) == (0, "sweep: 3 done\n")
    ran = runner.invoke(args=["jobs", "run", "--once"])
    assert (ran.exit_code, ran.stdout) == (0, "")


def test_the_command_fails_when_a_duty_does(commanded: Flask, clock: Clock) -> None:
    duty(commanded.extensions["postern"], "sweep", HOUR, lambda _session: 1 // 0)
    ran = commanded.test_cli_runner().invoke(args=["jobs", "run", "--once"])
    assert ran.exit_code == 1
    assert "sweep: failed" in ran.stderr


def test_the_list_shows_how_duties_stand(commanded: Flask, clock: Clock) -> None:
    runner = commanded.test_cli_runner()
    assert "No room has registered a duty" in runner.invoke(args=["jobs", "list"]).output
    duty(commanded.extensions["postern"], "sweep", HOUR, lambda _session: 3)
    before = json.loads(runner.invoke(args=["jobs", "list", "--json"]).output)
    assert before == {
        "duties": [
            {"duty": "sweep", "every_minutes": 60, "due": None, "last_success": None, "failures": 0}
        ],
        "topics": [],
    }
    runner.invoke(args=["jobs", "run", "--once"])
    after = json.loads(runner.invoke(args=["jobs", "list", "--json"]).output)["duties"]
    assert after[0]["last_success"] == NOON.isoformat()
    assert after[0]["due"] == (NOON + HOUR).isoformat()
    table = runner.invoke(args=["jobs", "list"]).output
    assert "2026-03-01 13:00" in table


def test_the_platform_registers_its_duties_and_they_run_on_an_empty_database(app: Flask) -> None:
    names = app.extensions["postern"].part(Duties).by_name
    assert {"ended-sessions"} <= names.keys()
    ran = app.test_cli_runner().invoke(args=["jobs", "run", "--once"])
    assert ran.exit_code == 0, ran.output
    shipped = "barriers.shipped"  # puts the model that comes along in force
    assert f"{shipped}: 1 done" in ran.output
    assert all(f"{name}: 0 done" in ran.output for name in names.keys() - {shipped})


def test_the_running_command_ends_on_sigterm(settings: Settings) -> None:
    program = (
        "import sys; from pathlib import Path; from flask.cli import ScriptInfo;"
        "from app import create_app; from tests.conftest import settings_for;"
        "app = create_app(settings_for(sys.argv[1], Path(sys.argv[2])));"
        "app.cli.main(args=['jobs', 'run'], obj=ScriptInfo(create_app=lambda: app))"
    )
    places = [settings.database.url, settings.secrets.directory]
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", program, *places],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout
        assert "done" in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def _found(session: Session, code: str) -> int:
    session.execute(text("INSERT INTO community (code, name) VALUES (:code, 'A')"), {"code": code})
    return 1


def _communities(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(text("SELECT code FROM community")))


def _row(database: Database) -> DutyRun:
    with database.reading() as session:
        row = session.scalars(select(DutyRun)).one()
        session.expunge_all()
        return row

"""Kills the worker, judges what is left, and prints the figures; the last line is one JSON object.

Ends with 1 when anything is wrong.
"""

import argparse
import dataclasses
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from flask import Flask
from flask.cli import ScriptInfo
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import create_app
from app.__main__ import migrate
from app.access import CONSOLE, Caller
from app.config import LogSettings, MailSettings
from app.database import Database
from app.jobs import channels, draining, notifications
from app.jobs.dispatching import allow
from app.jobs.draining import Pace
from app.jobs.models import JobState, Notification, Outbox
from app.organisations import service as organisations
from app.organisations.models import OrganisationStatus
from app.runtime import Runtime
from app.secret_files import create as create_secrets
from postern.vocabulary import ChannelKind, Role
from tests.app.jobs.receivers import free_port
from tests.app.people import make_organisation, make_person, runtime_of
from tests.conftest import settings_for
from tests.functional.kill_nine.children import Child
from tests.functional.kill_nine.grounds import Ground, ground
from tests.functional.kill_worker.receiving import Notes, hooks, receive
from tests.functional.kill_worker.verdict import WATCH, Verdict, judge

_draw = random.SystemRandom()

_BACKENDS = "sqlite,postgresql"
_ACTIVE, _SUSPENDED = "police-de", "police-fr"
_PACE = Pace(
    lease=timedelta(seconds=2),
    first_pause=timedelta(seconds=0.1),
    longest_pause=timedelta(seconds=1),
    held_back=timedelta(seconds=0.1),
    tries=100,  # so many kills come within minutes here that twelve could hit one row
)
_WRITERS = ("writer-0", "writer-1")
_ROLLED_BACK = 0.1  # of the transactions
_BETWEEN = 0.3  # seconds between two of a writer, at most
_LONGEST = 0.3  # seconds that a worker goes on after it sent something
_FIRST = 30.0  # seconds in which it must
_POLL = 0.01  # seconds
_OF_RIVALS = 20  # notifications that others may have written at once
_PATIENCE = 900.0  # seconds for what is left at the end
_TELL_EVERY = 20  # kills

DONE_BEFORE_SENT = "done-before-sent"
UNCOUNTED = "uncounted"
UNCHECKED = "unchecked"
FAULTS = (DONE_BEFORE_SENT, UNCOUNTED, UNCHECKED)


@dataclass
class Trial:
    """One platform on one database, and the processes on it."""

    ground: Ground
    app: Flask
    notes: Path
    hooks: ThreadingHTTPServer
    mail_port: int
    organisation: dict[str, int]
    fault: str
    children: dict[str, Child] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    @property
    def runtime(self) -> Runtime:
        return runtime_of(self.app)

    def run(self, kills: int) -> None:
        """Load, and a worker that is killed so many times."""
        self._start("receiver", lambda: receive(self.hooks, self.mail_port, self._path("received")))
        self._start(_WRITERS[0], lambda: self._write(0))
        self._start(_WRITERS[1], lambda: self._write(1))
        for kill in range(1, kills + 1):
            self._start("worker", self._work)
            self._await_work(kill)
            if self.children["worker"].has_ended():
                said = self._path("output-worker").read_text()[-500:]
                self.wrong.append(f"the worker ended with {self.children['worker'].status}: {said}")
                break
            self.children["worker"].kill()
            self.counts["kills"] += 1
            if kill % _TELL_EVERY == 0:
                sys.stdout.write(f"{kill} kills\n")
                sys.stdout.flush()

    def _await_work(self, kill: int) -> None:
        """Return at a random moment after this worker sent something."""
        latest = time.monotonic() + _FIRST
        before = self._arrived()
        while self._arrived() <= before and not self.children["worker"].has_ended():
            if time.monotonic() > latest:
                self.wrong.append(f"kill {kill}: nothing arrived within {_FIRST:.0f} s")
                return
            time.sleep(_POLL)
        time.sleep(_draw.uniform(0, _LONGEST))

    def _arrived(self) -> int:
        """Bytes that the receivers have noted so far."""
        path = self._path("received")
        return path.stat().st_size if path.exists() else 0

    def end(self) -> None:
        """No more load; one last worker does what is left."""
        for name in _WRITERS:
            if self.children[name].has_ended():
                self.wrong.append(f"{name} ended with {self.children[name].status}")
            self.children[name].kill()
        self._start("worker", self._work)
        database = Database(self.ground.url)
        latest = time.monotonic() + _PATIENCE
        while self._waiting(database) and time.monotonic() < latest:
            time.sleep(0.2)
        database.dispose()
        self.kill_all()

    def kill_all(self) -> None:
        """Leave no process behind."""
        for child in self.children.values():
            child.kill()

    def _start(self, name: str, role: Callable[[], None]) -> None:
        self.children[name] = Child.start(name, role, self._path(f"output-{name}"))

    def _path(self, name: str) -> Path:
        return self.notes / name

    def _work(self) -> None:
        """Be `flask --app wsgi jobs run`."""
        info = ScriptInfo(create_app=lambda: self.app)
        with _FAULTS.get(self.fault, nullcontext)():
            self.app.cli.main(args=["jobs", "run"], obj=info)

    def _write(self, number: int) -> None:
        """Notify, in transactions of which some are rolled back."""
        written, undone = Notes(self._path("written")), Notes(self._path("undone"))
        count = number
        while True:
            names: list[str] = []
            try:
                with self.runtime.database.transaction() as session:
                    for code in (_ACTIVE, _ACTIVE, _ACTIVE, _SUSPENDED):
                        count += 2
                        kind = _draw.choice(["signal.raised", WATCH])
                        names.append(tell(session, self.organisation[code], kind, count // 2))
                    _roll_back_at_times()
            except _UndoneError:
                note = undone
            else:
                note = written
            for name in names:
                note.line({"notification": name})
            time.sleep(_draw.random() * _BETWEEN)

    def _waiting(self, database: Database) -> bool:
        with database.reading() as session:
            waiting = select(Outbox.id).where(Outbox.state == JobState.WAITING).limit(1)
            return session.scalar(waiting) is not None


class _UndoneError(Exception):
    pass


def _roll_back_at_times() -> None:
    if _draw.random() < _ROLLED_BACK:
        raise _UndoneError


def tell(session: Session, organisation: int, kind: str, number: int) -> str:
    """Notify the organisation; returns the id of the notification."""
    facts = {"signal": "many-lookups", "number": number, "mark": str(uuid4())}
    notifications.notify(session, organisation, Role.COMPLIANCE, kind, facts, "/signals")
    newest = select(Notification).order_by(Notification.id.desc()).limit(_OF_RIVALS)
    # A rival's may have a higher number in the table.
    (own,) = [each for each in session.scalars(newest) if each.facts == facts]
    return str(own.public_id)


@contextmanager
def _done_before_sent() -> Iterator[None]:
    """Mark a row as done in the transaction that takes it, as a queue that pops does."""

    def prepared(session: Any, runtime: Any, row: Outbox, run: Any) -> Callable[[], None]:
        act = run.prepare(session, row.payload, row.tries)
        draining._mark_done(row)
        return act or (lambda: None)

    with patch.object(draining, "_prepared", prepared):
        yield


@contextmanager
def _uncounted() -> Iterator[None]:
    """Send before the transaction that counts the try is committed."""
    original = draining._prepared

    def prepared(session: Any, runtime: Any, row: Outbox, run: Any) -> Callable[[], None] | None:
        act = run.prepare(session, row.payload, row.tries)
        if act is not None:
            act()
        session.expire(row)
        return original(session, runtime, row, run)

    with patch.object(draining, "_prepared", prepared):
        yield


@contextmanager
def _unchecked() -> Iterator[None]:
    """Ask nobody before a message leaves."""
    with patch("app.jobs.dispatching._may_leave", lambda _session, _case: True):
        yield


_FAULTS: dict[str, Callable[[], Any]] = {
    DONE_BEFORE_SENT: _done_before_sent,
    UNCOUNTED: _uncounted,
    UNCHECKED: _unchecked,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when nothing is wrong on any database."""
    parser = argparse.ArgumentParser(description="The worker killed under load.")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--backends", default=_BACKENDS)
    parser.add_argument("--fault", choices=FAULTS, default="", help="plant a known fault")
    options = parser.parse_args(arguments)
    found: dict[str, object] = {}
    is_well = True
    for backend in options.backends.split(","):
        start = time.monotonic()
        verdict = _try(backend, options.kills, options.fault)
        is_well = is_well and not verdict.wrong
        found[backend] = {**verdict.figures, "wrong": verdict.wrong}
        _tell(backend, verdict, time.monotonic() - start)
    sys.stdout.write(json.dumps({"trial": "kill-worker", "fault": options.fault, **found}) + "\n")
    return 0 if is_well else 1


def _try(backend: str, kills: int, fault: str) -> Verdict:
    with (
        tempfile.TemporaryDirectory(prefix="postern-kill-") as folder,
        ground(backend, Path(folder)) as place,
    ):
        trial = _trial(place, Path(folder), fault)
        try:
            trial.run(kills)
            trial.end()
        finally:
            trial.kill_all()
            trial.hooks.server_close()
        database = Database(place.url)
        verdict = judge(database, trial.notes, trial.organisation[_ACTIVE])
        database.dispose()
        verdict.figures.update(trial.counts)
        verdict.wrong[:0] = trial.wrong
        return verdict


def _trial(place: Ground, folder: Path, fault: str) -> Trial:
    secrets, notes = folder / "secrets", folder / "notes"
    notes.mkdir()
    create_secrets(secrets)
    mail_port, server = free_port(), hooks()
    settings = dataclasses.replace(
        settings_for(place.url, secrets),
        mail=MailSettings("127.0.0.1", mail_port, "none", "postern@platform.example", ""),
        log=LogSettings("ERROR", "json"),
    )
    migrate(settings)
    app = create_app(settings)
    runtime = runtime_of(app)
    runtime.add(dataclasses.replace(_PACE, tries=2) if fault else _PACE)  # faults end soon
    allow(runtime, WATCH, lambda _session, notice: int(notice.facts["number"]) % 2 == 0)
    trial = Trial(place, app, notes, server, mail_port, {}, fault)
    for code in (_ACTIVE, _SUSPENDED):
        trial.organisation[code] = make_organisation(runtime.database, code)
        _add_channels(app, make_person(app, code, [Role.ADMINISTRATOR]).caller, server.server_port)
    _remove_one(app, make_person(app, _ACTIVE, [Role.ADMINISTRATOR]).caller, trial, server)
    with app.app_context(), runtime.database.transaction() as session:
        organisations.set_status(session, CONSOLE, _SUSPENDED, OrganisationStatus.SUSPENDED)
    runtime.database.dispose()  # no child may inherit a connection
    return trial


def _add_channels(app: Flask, keeper: Caller, port: int) -> None:
    for kind, address in (
        (ChannelKind.WEBHOOK, f"http://127.0.0.1:{port}/{keeper.organisation}"),
        (ChannelKind.MAIL, f"desk@{keeper.organisation}.example"),
    ):
        with app.app_context(), runtime_of(app).database.transaction() as session:
            channels.add(
                session,
                keeper,
                kind=kind,
                roles=[Role.COMPLIANCE],
                language="en",
                address=address,
            )


def _remove_one(app: Flask, keeper: Caller, trial: Trial, server: ThreadingHTTPServer) -> None:
    """A channel that was removed while messages waited for it."""
    database = runtime_of(app).database
    with app.app_context(), database.transaction() as session:
        made = channels.add(
            session,
            keeper,
            kind=ChannelKind.WEBHOOK,
            roles=[Role.COMPLIANCE],
            language="en",
            address=f"http://127.0.0.1:{server.server_port}/removed",
        )
    written = Notes(trial.notes / "written")
    for number in range(10):
        with database.transaction() as session:
            name = tell(session, trial.organisation[_ACTIVE], "signal.raised", number)
        written.line({"notification": name})
    with app.app_context(), database.transaction() as session:
        channels.remove(session, keeper, made.id)


def _tell(backend: str, verdict: Verdict, seconds: float) -> None:
    sys.stdout.write(f"{backend}, {seconds:.0f} s\n")
    for name, figure in sorted(verdict.figures.items()):
        sys.stdout.write(f"  {figure:9,}  {name.replace('_', ' ')}\n")
    for each in verdict.wrong:
        sys.stdout.write(f"  WRONG: {each}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

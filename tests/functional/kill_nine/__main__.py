"""Runs the rounds, judges what is left, and prints the figures; the last line is one JSON object.

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
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from app import create_app
from app.__main__ import migrate
from app.audit.receipts import receipt_key
from app.audit.running import sequencer
from app.config import Settings
from app.database import Database
from app.secret_files import create as create_secrets
from postern.vocabulary import Role, Scope
from tests.app.people import bearer, make_organisation, make_person, runtime_of
from tests.conftest import settings_for
from tests.functional.kill_nine import faults
from tests.functional.kill_nine.children import CRASHED, Child
from tests.functional.kill_nine.grounds import Ground, ground
from tests.functional.kill_nine.roles import Cast
from tests.functional.kill_nine.verdict import Verdict, judge

_draw = random.SystemRandom()

_BACKENDS = "sqlite,postgresql"
_INTERVAL = 10  # milliseconds between two steps, so that most kills fall into one
_LONGEST = 0.3  # seconds that a round goes on after there was a checkpoint
_PATIENCE = 20.0  # seconds in which there must be one
_POLL = 0.01  # seconds
_TELL_EVERY = 20  # rounds
_REFUSED = 2  # exit status of a sequencer on a log that does not verify
_SEQUENCERS = ("sequencer-0", "sequencer-1")
_WRITERS = ("writer-0", "writer-1", "web-0", "web-1")


@dataclass
class Trial:
    """One platform on one database, and the processes on it."""

    ground: Ground
    cast: Cast
    fault: str
    children: dict[str, Child] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def run(self, rounds: int) -> None:
        """Start what is not running, let it work, kill some of it; again and again."""
        self._start("watcher")
        for number in range(1, rounds + 1):
            for name in (*_SEQUENCERS, *_WRITERS):
                self._start(name)
            self._await_work(number)
            self._look_for_endings(number)
            self._strike()
            self.counts["rounds"] += 1
            if number % _TELL_EVERY == 0:
                sys.stdout.write(f"{number} rounds: {dict(self.counts)}\n")
                sys.stdout.flush()
            if self.wrong:
                break

    def end(self) -> None:
        """Kill the writers, let one sequencer take what waits, then end the watcher."""
        for name in (*_WRITERS, *_SEQUENCERS):
            self._kill(name)
        self._start("sequencer-last")
        status = self.children["sequencer-last"].wait()
        if status:
            self.wrong.append(f"the last sequencer ended with {status}")
        time.sleep(0.2)  # the watcher sees the last checkpoint
        self._kill("watcher")

    def kill_all(self) -> None:
        """Leave no process behind."""
        for child in self.children.values():
            child.kill()

    def _await_work(self, number: int) -> None:
        """Return at a random moment after acts were acknowledged and a checkpoint was seen."""
        latest = time.monotonic() + _PATIENCE
        before = self._written()
        while any(now <= then for now, then in zip(self._written(), before, strict=True)):
            if time.monotonic() > latest:
                self.wrong.append(f"round {number}: no checkpoint within {_PATIENCE:.0f} s")
                return
            time.sleep(_POLL)
        time.sleep(_draw.uniform(0, _LONGEST))

    def _written(self) -> list[int]:
        """Bytes that all writers, and the watcher, have written down so far."""
        return [
            sum(file.stat().st_size for file in self.cast.notes.glob(f"{kind}*"))
            for kind in ("written", "watched")
        ]

    def _start(self, name: str) -> None:
        child = self.children.get(name)
        if child is None or child.has_ended():
            output = self.cast.notes / f"output-{name}"
            self.children[name] = Child.start(name, self._role(name), output)

    def _role(self, name: str) -> Callable[[], None]:
        kind, _, number = name.partition("-")
        match kind:
            case "writer":
                return lambda: self.cast.write(int(number))
            case "web":
                return lambda: self.cast.answer(int(number))
            case "watcher":
                return self.cast.watch
            case _:
                return lambda: self._sequence(to_the_end=number == "last")

    def _sequence(self, *, to_the_end: bool) -> None:
        with faults.IN_THE_SEQUENCER.get(self.fault, nullcontext)():
            (self.cast.sequence_the_rest if to_the_end else self.cast.sequence)()

    def _strike(self) -> None:
        """One sequencer, both, some writers, everything; on PostgreSQL a part of the server."""
        blows: list[Callable[[], None]] = [
            lambda: self._kill(_draw.choice(_SEQUENCERS)),
            lambda: self._kill(*_SEQUENCERS),
            lambda: self._kill(*_SEQUENCERS, *_WRITERS),
            lambda: self._kill(*_draw.sample(_WRITERS, 2), _draw.choice(_SEQUENCERS)),
        ]
        if self.ground.server is not None:
            blows += [self._kill_backend, self._kill_server]
        _draw.choice(blows)()
        if self.fault == faults.LOST_HIGH_WATER:
            Path(self.cast.runtime.settings.audit.high_water).unlink(missing_ok=True)

    def _kill(self, *names: str) -> None:
        for name in names:
            child = self.children[name]
            if not child.has_ended():
                child.kill()
                self.counts["kills"] += 1

    def _kill_backend(self) -> None:
        self.counts["database_processes_killed"] += self.ground.kill_backend()

    def _kill_server(self) -> None:
        self.ground.kill_server()
        self.counts["database_servers_killed"] += 1

    def _look_for_endings(self, number: int) -> None:
        """Processes end by being killed; a sequencer may find the database away when it starts."""
        for name, child in self.children.items():
            if not child.has_ended() or child.status in {None, -9}:
                continue
            said = (self.cast.notes / f"output-{name}").read_text("utf-8").strip()
            last = said.splitlines()[-1] if said else ""
            is_away = child.status == CRASHED and "OperationalError" in last
            if self.ground.server is not None and is_away and name in _SEQUENCERS:
                self.counts["started_without_database"] += 1
            else:
                self.wrong.append(f"round {number}: {name} ended with {child.status}: {last}")


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when nothing is wrong on any database."""
    parser = argparse.ArgumentParser(description="kill -9 under load.")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--backends", default=_BACKENDS)
    parser.add_argument("--fault", choices=faults.FAULTS, default="", help="plant a known fault")
    options = parser.parse_args(arguments)
    found: dict[str, object] = {}
    is_well = True
    for backend in options.backends.split(","):
        start = time.monotonic()
        verdict = _try(backend, options.rounds, options.fault)
        is_well = is_well and not verdict.wrong
        found[backend] = {**verdict.figures, "wrong": verdict.wrong}
        _tell(backend, verdict, time.monotonic() - start)
    sys.stdout.write(json.dumps({"trial": "kill-nine", "fault": options.fault, **found}) + "\n")
    return 0 if is_well else 1


def _try(backend: str, rounds: int, fault: str) -> Verdict:
    with (
        tempfile.TemporaryDirectory(prefix="postern-kill-") as folder,
        ground(backend, Path(folder)) as place,
    ):
        trial = _trial(place, Path(folder), fault)
        try:
            trial.run(rounds)
            trial.end()
        finally:
            trial.kill_all()
        runtime = trial.cast.runtime
        database = Database(place.url)
        with trial.cast.app.app_context():
            log = dataclasses.replace(sequencer(runtime), database=database)
            verdict = judge(database, log, trial.cast.notes, receipt_key())
        database.dispose()
        verdict.figures |= trial.counts
        verdict.wrong[:0] = trial.wrong
        return verdict


def _trial(place: Ground, folder: Path, fault: str) -> Trial:
    secrets, notes = folder / "secrets", folder / "notes"
    notes.mkdir()
    create_secrets(secrets)
    settings = _hurried(settings_for(place.url, secrets))
    migrate(settings)
    app = create_app(settings)
    make_organisation(runtime_of(app).database)
    person = make_person(app, "post-be", [Role.ANALYST])
    headers = bearer(app, person, [Scope.LOOKUPS_WRITE])
    early = fault == faults.EARLY_ACKNOWLEDGEMENT
    cast = Cast(app, person.caller, headers, notes, is_acknowledged_early=early)
    cast.rehearse()
    runtime_of(app).database.dispose()  # no child may inherit a connection
    return Trial(place, cast, fault)


def _hurried(settings: Settings) -> Settings:
    audit = dataclasses.replace(settings.audit, interval_ms=_INTERVAL)
    return dataclasses.replace(settings, audit=audit)


def _tell(backend: str, verdict: Verdict, seconds: float) -> None:
    sys.stdout.write(f"{backend}, {seconds:.0f} s\n")
    for name, figure in sorted(verdict.figures.items()):
        sys.stdout.write(f"  {figure:9,}  {name.replace('_', ' ')}\n")
    for each in verdict.wrong:
        sys.stdout.write(f"  WRONG: {each}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

"""Entries a second: processes that append in transactions of their own, while others sequence.

The same processes take turns with the peer (bench/audit_plain.py), in rounds.
"""

import multiprocessing
import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from statistics import median, quantiles
from typing import Any

from sqlalchemy import text

from app import create_app
from app.audit.running import LogKeeper, sequencer
from app.clock import now
from app.config import Settings
from app.database import Database
from bench.audit_acts import acts
from bench.audit_plain import append_plainly

MOST_WRITERS = 8
_DRAINED_WITHIN = 120.0  # seconds
_POLL = 0.05  # seconds
_WARM_UP = 20  # transactions of each process


@dataclass(frozen=True)
class Load:
    """One round: entries of all writers a second, and the latency of each in seconds."""

    entries_per_s: float
    latencies: list[float]


class Writers:
    """Eight processes, each with a connection of its own; as many as are asked for write."""

    def __init__(self, settings: Settings) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipes: list[Connection] = []
        self._processes = []
        for number in range(MOST_WRITERS):
            ours, theirs = context.Pipe()
            process = context.Process(target=_write, args=(settings, number, theirs), daemon=True)
            process.start()
            self._pipes.append(ours)
            self._processes.append(process)
        for pipe in self._pipes:
            pipe.recv()  # each has warmed up

    def load(self, writers: int, seconds: float, *, plainly: bool) -> Load:
        """Let so many write for so long."""
        for pipe in self._pipes[:writers]:
            pipe.send((seconds, plainly))
        found: list[list[float]] = [pipe.recv() for pipe in self._pipes[:writers]]
        latencies = [each for one in found for each in one]
        return Load(len(latencies) / seconds, latencies)

    def end(self) -> None:
        """End the processes."""
        for pipe in self._pipes:
            pipe.send(None)
        for process in self._processes:
            process.join()


@contextmanager
def writers(settings: Settings) -> Iterator[Writers]:
    """The processes, gone at the end."""
    made = Writers(settings)
    try:
        yield made
    finally:
        made.end()


@contextmanager
def sequencing(settings: Settings) -> Iterator[None]:
    """The log's own process, which sequences until the end of the block."""
    context = multiprocessing.get_context("spawn")
    ended = context.Event()
    process = context.Process(target=_sequence, args=(settings, ended), daemon=True)
    process.start()
    try:
        yield
    finally:
        ended.set()
        process.join()


def rates(
    database: Database, pool: Writers, rounds: int, seconds: float
) -> dict[str, dict[str, Any]]:
    """Rounds of 1 and of 8 writers, ours and the peer's in turn; medians over the rounds."""
    loads: dict[tuple[int, bool], list[Load]] = {}
    for number in range(rounds):
        for count in (1, MOST_WRITERS):
            for plainly in (False, True) if number % 2 else (True, False):
                load = pool.load(count, seconds, plainly=plainly)
                loads.setdefault((count, plainly), []).append(load)
                await_sequenced(database)
    return {
        f"{count}_{'writer' if count == 1 else 'writers'}": _figures(
            loads[count, False], loads[count, True]
        )
        for count in (1, MOST_WRITERS)
    }


def await_sequenced(database: Database) -> None:
    """Return when no entry waits for its place."""
    latest = time.monotonic() + _DRAINED_WITHIN
    while time.monotonic() < latest:
        with database.reading() as session:
            if not session.execute(text("SELECT 1 FROM audit_queue LIMIT 1")).first():
                return
        time.sleep(_POLL)
    raise TimeoutError("the sequencer did not take what waits")


def lag(database: Database, since: int) -> dict[str, float]:
    """Seconds from an act to the checkpoint that covers it, of the places from `since` on."""
    with database.reading() as session:
        rows = session.execute(
            text("SELECT idx, t FROM audit_seq WHERE idx >= :since ORDER BY idx"), {"since": since}
        ).all()
        checkpoints = session.execute(
            text("SELECT size, t FROM audit_checkpoint WHERE size > :since ORDER BY size"),
            {"since": since},
        ).all()
    lags = []
    covering = iter(checkpoints)
    size, signed_at = next(covering)
    for place, at in rows:
        while size <= place:
            size, signed_at = next(covering)
        lags.append((signed_at - at) / 1000)
    return {
        "checkpoint_lag_p50_s": round(median(lags), 3),
        "checkpoint_lag_p99_s": round(quantiles(lags, n=100)[98], 3),
        "checkpoints": len(checkpoints),
    }


def _figures(ours: Sequence[Load], plain: Sequence[Load]) -> dict[str, Any]:
    rate, plain_rate = (median(load.entries_per_s for load in each) for each in (ours, plain))
    return {
        "entries_per_s": round(rate),
        "plain_per_s": round(plain_rate),
        "ratio_to_plain": round(rate / plain_rate, 2),
        **{
            name: round(value * 1000, 2)
            for side, loads in (("", ours), ("plain_", plain))
            for name, value in _percentiles(side, loads)
        },
    }


def _percentiles(side: str, loads: Sequence[Load]) -> list[tuple[str, float]]:
    all_of_them = [each for load in loads for each in load.latencies]
    cuts = quantiles(all_of_them, n=100)
    return [(f"{side}p50_ms", cuts[49]), (f"{side}p99_ms", cuts[98])]


def _write(settings: Settings, number: int, pipe: Connection) -> None:
    """Append until told to end; runs in a process of its own."""
    database = Database(settings.database.url)
    told = acts(random.Random(number), now())  # noqa: S311 - variety, not secrecy
    for _ in range(_WARM_UP):
        for plainly in (False, True):
            _append(database, told, plainly=plainly)
    pipe.send("ready")
    while (order := pipe.recv()) is not None:
        seconds, plainly = order
        latencies = []
        ends = time.perf_counter() + seconds
        while (start := time.perf_counter()) < ends:
            _append(database, told, plainly=plainly)
            latencies.append(time.perf_counter() - start)
        pipe.send(latencies)
    database.dispose()


def _append(database: Database, told: Iterator[Any], *, plainly: bool) -> None:
    each = next(told)
    with database.transaction() as session:
        if plainly:
            append_plainly(session, each.caller, each.act, **each.given)
        else:
            each.append(session)


def _sequence(settings: Settings, ended: Any) -> None:
    """Be `flask --app wsgi audit run`; runs in a process of its own."""
    app = create_app(settings)
    with app.app_context():
        runtime = app.extensions["postern"]
        stop = threading.Event()
        threading.Thread(target=_pass_on, args=(ended, stop), daemon=True).start()
        LogKeeper(runtime, sequencer(runtime)).run(stop)


def _pass_on(ended: Any, stop: threading.Event) -> None:
    ended.wait()
    stop.set()

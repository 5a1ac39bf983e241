"""The faults: each puts itself in, lasts a while under load, and takes itself out again."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from app.restarting import PID_FILE, successor_file
from app.restarting import restart as replace_process
from tests.faults.ground import Ground
from tests.faults.machine import Kept
from tests.faults.network import HALVE, PASS, RESET, SWALLOW

Draw = random.Random
_HOUR = 3600  # seconds
_READY = 180.0  # seconds that a new web process may take


@dataclass(frozen=True)
class Fault:
    """A fault by name; `heals` is the bound of seconds until the platform serves again."""

    name: str
    inject: Callable[[Ground, Draw], "Iterator[None]"]
    needs_mount: bool = False
    needs_shim: bool = False
    loses_nothing: bool = False  # every request is answered as if nothing happened
    heals: float = 180.0
    lasts: tuple[float, float] = (0.5, 2.5)  # seconds

    def run(self, ground: Ground, draw: Draw) -> None:
        """Put it in, wait, take it out."""
        with contextmanager(self.inject)(ground, draw):
            time.sleep(draw.uniform(*self.lasts))


FAULTS: dict[str, Fault] = {}


def fault(
    name: str, **more: object
) -> Callable[[Callable[[Ground, Draw], Iterator[None]]], Callable[[Ground, Draw], Iterator[None]]]:
    """Enter a fault in the table."""

    def enter(
        inject: Callable[[Ground, Draw], Iterator[None]],
    ) -> Callable[[Ground, Draw], Iterator[None]]:
        FAULTS[name] = Fault(name, inject, **more)  # type: ignore[arg-type]
        return inject

    return enter


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@fault("kill-web-worker")
def kill_worker(ground: Ground, draw: Draw) -> Iterator[None]:
    workers = [pid for each in ground.instances for pid in each.children()]
    if workers:
        _kill(draw.choice(workers))
    yield


@fault("kill-web-instance")
def kill_instance(ground: Ground, draw: Draw) -> Iterator[None]:
    for pid in draw.choice(ground.instances).family():
        _kill(pid)
    yield


@fault("kill-jobs")
def kill_jobs(ground: Ground, _draw: Draw) -> Iterator[None]:
    _kill(ground.jobs.pid)
    yield


@fault("kill-log")
def kill_log(ground: Ground, _draw: Draw) -> Iterator[None]:
    _kill(ground.log.pid)
    yield


@fault("kill-backend")
def kill_backend(ground: Ground, draw: Draw) -> Iterator[None]:
    """PostgreSQL ends all its sessions then, and recovers."""
    with suppress(psycopg.Error):
        if pids := ground.postgresql.pids("client backend"):
            _kill(draw.choice(pids))
    yield


@fault("kill-postgresql")
def kill_postgresql(ground: Ground, _draw: Draw) -> Iterator[None]:
    _kill(ground.postgresql.pid)
    yield


@fault("terminate-backends")
def terminate(ground: Ground, _draw: Draw) -> Iterator[None]:
    """As an administrator does, and a failover."""
    with suppress(psycopg.Error), ground.postgresql.connect() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
    yield


@fault("full-disk-database", needs_mount=True)
def full_disk(ground: Ground, _draw: Draw) -> Iterator[None]:
    ground.data.fill()
    try:
        yield
    finally:
        ground.data.empty()


@fault("full-disk-log-files", needs_mount=True)
def full_files(ground: Ground, _draw: Draw) -> Iterator[None]:
    """Of the high-water file and the archive."""
    ground.files.fill()
    try:
        yield
    finally:
        ground.files.empty()


@fault("slow-disk", needs_shim=True)
def slow_disk(ground: Ground, draw: Draw) -> Iterator[None]:
    assert ground.disk is not None
    ground.disk.tell(sync=draw.randrange(50_000, 800_000))
    try:
        yield
    finally:
        ground.disk.tell()


@fault("stalled-writers")
def stalled_writers(ground: Ground, _draw: Draw) -> Iterator[None]:
    """The processes of PostgreSQL that write in the background stand still."""
    pids: list[int] = []
    with suppress(psycopg.Error):
        for kind in ("checkpointer", "walwriter", "background writer"):
            pids += ground.postgresql.pids(kind)
    with _stopped(*pids):
        yield


@fault("clock-forwards", needs_shim=True)
def forwards(ground: Ground, draw: Draw) -> Iterator[None]:
    yield from _clock(ground, draw.randrange(60, 3 * _HOUR))


@fault("clock-backwards", needs_shim=True)
def backwards(ground: Ground, draw: Draw) -> Iterator[None]:
    yield from _clock(ground, -draw.randrange(60, 3 * _HOUR))


def _clock(ground: Ground, seconds: int) -> Iterator[None]:
    """The clock of the web and jobs processes is off, and right again afterwards."""
    assert ground.clock is not None
    ground.clock.tell(clock=seconds)
    try:
        yield
    finally:
        ground.clock.tell()


def _cut(way: str) -> Callable[[Ground, Draw], Iterator[None]]:
    def inject(ground: Ground, _draw: Draw) -> Iterator[None]:
        ground.network.become(way)
        try:
            yield
        finally:
            ground.network.become(PASS)

    return inject


fault("network-reset")(_cut(RESET))
fault("network-swallowed", lasts=(1.0, 8.0))(_cut(SWALLOW))
fault("network-halved")(_cut(HALVE))


@fault("connections-spent", lasts=(1.0, 4.0))
def spent(ground: Ground, _draw: Draw) -> Iterator[None]:
    """All that PostgreSQL gives are held by others; those of the platform are ended first."""
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postern_web'"
    with ExitStack() as held:
        taken = []
        for _ in range(80):
            try:
                taken.append(held.enter_context(ground.postgresql.connect()))
            except psycopg.OperationalError:
                if not taken or not taken[-1].execute(ended.encode()).rowcount:
                    break
        yield


@fault("locks-held", lasts=(2.0, 8.0))
def locks(ground: Ground, _draw: Draw) -> Iterator[None]:
    """Somebody holds a lock on a table that most requests write."""
    with suppress(psycopg.Error), psycopg.connect(ground.postgresql.superuser) as connection:
        connection.execute("SET lock_timeout = '2s'")
        with suppress(psycopg.Error):
            connection.execute("LOCK TABLE indicator, evaluation_budget IN EXCLUSIVE MODE")
        yield
        connection.rollback()
        return
    yield


@fault("stalled-worker", lasts=(1.0, 4.0))
def stalled_worker(ground: Ground, draw: Draw) -> Iterator[None]:
    workers = [pid for each in ground.instances for pid in each.children()]
    with _stopped(*workers[: draw.choice((1, len(workers)))]):
        yield


@fault("stalled-jobs", lasts=(1.0, 4.0))
def stalled_jobs(ground: Ground, _draw: Draw) -> Iterator[None]:
    with _stopped(ground.jobs.pid):
        yield


@fault("stalled-log", lasts=(1.0, 4.0))
def stalled_log(ground: Ground, _draw: Draw) -> Iterator[None]:
    with _stopped(ground.log.pid):
        yield


@fault("stalled-backends", lasts=(2.0, 8.0))
def stalled_backends(ground: Ground, _draw: Draw) -> Iterator[None]:
    """What serves the web processes stands still: nothing is answered and nothing breaks."""
    pids: list[int] = []
    with suppress(psycopg.Error):
        pids = ground.postgresql.pids("client backend", "postern_web")
    with _stopped(*pids):
        yield


@fault("restart-gracefully", loses_nothing=True)
def restart(ground: Ground, draw: Draw) -> Iterator[None]:
    """As `systemctl reload`: a second process beside the first one, which ends when it serves."""
    instance = draw.choice(ground.instances)
    pid_file = Path(instance.environment[PID_FILE])

    def adopt(_said: str) -> None:
        with suppress(FileNotFoundError):  # it has taken over already
            instance.adopted = int(successor_file(pid_file).read_text())

    replace_process(pid_file, _READY, adopt)
    yield


@fault("restart-jobs-and-log")
def restart_others(ground: Ground, _draw: Draw) -> Iterator[None]:
    for each in (ground.jobs, ground.log):
        _signal(each, signal.SIGTERM)
    yield


def _signal(process: Kept, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(process.pid, number)


@contextmanager
def _stopped(*pids: int) -> Iterator[None]:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

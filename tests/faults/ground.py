"""The whole platform under trial, with members, policies, channels and a collection."""

import dataclasses
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import make_url, text

from app import create_app
from app.__main__ import migrate
from app.config import Settings
from app.database_roles import Work, grant
from app.exchange.collections import open_collection
from app.exchange.models import CollectionKind
from app.indicators.telling import Grounds
from app.jobs import channels
from app.runtime import Runtime
from app.secret_files import create as create_secrets
from postern.vocabulary import ChannelKind, LegalBasis, Purpose, Role, Scope, Sector
from tests.app.exchange import OPEN_TO_POLICE, Exchange, make_exchange
from tests.app.lively import publish_keys
from tests.app.people import Person, bearer, make_organisation, make_person
from tests.conftest import settings_for
from tests.faults import machine
from tests.faults.machine import Control, Disk, Keeper, Kept, PostgreSQL
from tests.faults.network import Network
from tests.faults.notes import Notes
from tests.functional.serving import as_toml

OWNER, FLICKERING, READER = "post-be", "post-fr", "police-de"
"""Who submits; who lets the reader see its indicators and takes that back; who asks."""


@dataclass
class Ground:
    """The machine, the members' credentials, and what clients noted."""

    folder: Path
    settings: Settings
    exchange: Exchange
    postgresql: PostgreSQL
    network: Network
    data: Disk
    files: Disk
    clock: Control | None
    disk: Control | None
    instances: list[Kept]
    addresses: list[str]
    jobs: Kept
    log: Kept
    keeper: Keeper
    tokens: dict[str, dict[str, str]]
    author: Person
    approver: Person
    collection: str
    notes: Notes = field(default_factory=Notes)

    @property
    def processes(self) -> list[Kept]:
        return [self.postgresql, *self.instances, self.jobs, self.log]


@contextmanager
def ground(
    *, bounded: bool, instances: int = 2, workers: int = 2, duties: int = 5
) -> Iterator[Ground]:
    """A running platform; `bounded`: disks of a fixed size can be mounted.

    `duties` are the seconds between two looks at what is due.
    """
    folder = Path(tempfile.mkdtemp(prefix="postern-faults-", dir="/dev/shm"))
    folder.chmod(0o755)
    try:
        with _running(folder, bounded, instances, workers, duties) as made:
            yield made
    finally:
        for mounted in ("data", "files"):
            command = ["umount", "-l", str(folder / mounted)]
            subprocess.run(command, capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(
    folder: Path,
    bounded: bool,
    instances: int,
    workers: int,
    duties: int,
) -> Iterator[Ground]:
    shim = machine.built_shim(folder)
    clock, disk = (
        None if shim is None else Control(folder / f"{name}.control", shim)
        for name in ("clock", "disk")
    )
    data = Disk.made(folder / "data", machine.CLUSTER_BYTES, bounded=bounded)
    files = Disk.made(folder / "files", machine.FILES_BYTES, bounded=bounded)
    ports = free_ports(3 + instances)
    direct, cut, hooks, *web = ports
    postgresql = PostgreSQL(data, direct, disk, folder / "postgresql.log")
    postgresql.start()
    postgresql.wait()
    network = Network(cut, direct)
    notes, receiving = Notes(), None
    processes: list[Kept] = [postgresql]
    keeper = Keeper(processes)
    try:
        receiving = _receiving(hooks, notes)
        settings, exchange = _furnished(folder, postgresql, files)
        by_work = _settings_by_work(folder, settings, exchange, direct=direct, cut=cut, web=web)
        served = [
            machine.web(f"web-{number}", by_work[f"web-{number}"], port, workers, clock)
            for number, port in enumerate(web)
        ]
        jobs = machine.flask("jobs", by_work["jobs"], clock, "jobs", "run", "--pause", str(duties))
        log = machine.flask("log", by_work["log"], None, "audit", "run")
        made = _peopled(
            Ground(
                folder=folder,
                settings=settings,
                exchange=exchange,
                postgresql=postgresql,
                network=network,
                data=data,
                files=files,
                clock=clock,
                disk=disk,
                instances=served,
                addresses=[f"http://127.0.0.1:{port}" for port in web],
                jobs=jobs,
                log=log,
                keeper=keeper,
                tokens={},
                author=make_person(exchange.app, FLICKERING, Role),
                approver=make_person(exchange.app, FLICKERING, Role),
                collection="",
                notes=notes,
            ),
            hooks,
        )
        for each in (*served, jobs, log):
            each.start()
            processes.append(each)
            keeper.processes.append(each)
        keeper.start()
        yield made
    finally:
        keeper.ended.set()
        if keeper.is_alive():
            keeper.join()
        for each in reversed(processes):
            each.end(3 if each is postgresql else 15)
        network.end()
        if receiving is not None:
            receiving.shutdown()


def free_ports(count: int) -> list[int]:
    """Ports of loopback on which nothing listens."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(each.getsockname()[1]) for each in held]
    for each in held:
        each.close()
    return ports


def _receiving(port: int, notes: Notes) -> ThreadingHTTPServer:
    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            notes.arrived(self.headers["webhook-id"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Receiver)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def _furnished(folder: Path, postgresql: PostgreSQL, files: Disk) -> tuple[Settings, Exchange]:
    """The schema, the members and the policies, made as the owner of the tables."""
    secrets = folder / "secrets"
    create_secrets(secrets)
    url = postgresql.superuser.replace("postgresql://", "postgresql+psycopg://")
    settings = settings_for(url, secrets)
    settings = dataclasses.replace(
        settings,
        audit=dataclasses.replace(
            settings.audit,
            high_water=str(files.folder / "high-water.json"),
            archive=str(files.folder / "archive"),
        ),
        quota=dataclasses.replace(settings.quota, hour=10**7, day=10**7, month=10**8),
        abuse=dataclasses.replace(settings.abuse, values_day=10**7, values_month=10**8),
        disclosure=dataclasses.replace(settings.disclosure, case_requests=10**5),
        log=dataclasses.replace(settings.log, level="WARNING", format="json"),
    )
    migrate(settings)
    app = create_app(settings)
    exchange = make_exchange(app)
    make_organisation(exchange.database, FLICKERING, Sector.POST, "FR")
    exchange.publish(OWNER, OPEN_TO_POLICE)
    exchange.publish(FLICKERING, OPEN_TO_POLICE)
    return settings, exchange


def _settings_by_work(
    folder: Path, settings: Settings, exchange: Exchange, *, direct: int, cut: int, web: list[int]
) -> dict[str, Path]:
    """A settings file for each process: its own role, the web's and the jobs' through the proxy."""
    made = {}
    works = {f"web-{number}": (Work.WEB, cut, port) for number, port in enumerate(web)}
    works |= {"jobs": (Work.JOBS, cut, web[0]), "log": (Work.LOG, direct, web[0])}
    for name, (work, port, served) in works.items():
        role = f"postern_{work.value}"
        with exchange.database.engine.begin() as connection:
            known = connection.execute(
                text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}
            )
            if known.first() is None:
                connection.execute(text(f"CREATE ROLE {role} LOGIN"))
        grant(exchange.database, role, work)
        url = make_url(settings.database.url).set(username=role, port=port)
        told = dataclasses.replace(
            settings,
            database=dataclasses.replace(
                settings.database,
                url=url.render_as_string(hide_password=False),
                answer_seconds=5,
                connect_seconds=3,
                wait_seconds=3,
            ),
        )
        made[name] = folder / f"{name}.toml"
        made[name].write_text(as_toml(told, f"http://127.0.0.1:{served}"))
    return made


def _peopled(made: Ground, hooks: int) -> Ground:
    app, people = made.exchange.app, made.exchange.people
    people[FLICKERING] = made.author
    made.tokens = {code: bearer(app, people[code], Scope) for code in (OWNER, FLICKERING, READER)}
    database = _runtime(app).database
    with app.app_context(), database.transaction() as session:
        for code in (OWNER, FLICKERING, READER):
            publish_keys(session, people[code].caller)
            channels.add(
                session,
                people[code].caller,
                kind=ChannelKind.WEBHOOK,
                roles=[Role.COMPLIANCE, Role.APPROVER, Role.ANALYST],
                language="en",
                address=f"http://127.0.0.1:{hooks}/{code}",
            )
        grounds = Grounds(Purpose.CRIMINAL_INVESTIGATION, LegalBasis.CRIMINAL_PROCEDURE, "PV-1")
        opened = open_collection(
            session,
            people[READER].caller,
            kind=CollectionKind.SHARED,
            title="All that is shared",
            grounds=grounds,
        )
    made.collection = str(opened.id)
    with suppress(Exception):
        database.dispose()
    return made


def _runtime(app: Flask) -> Runtime:
    found: Any = app.extensions["postern"]
    assert isinstance(found, Runtime)
    return found

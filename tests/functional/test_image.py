"""The image is really run: the same files, commands, user and read-only root, with PostgreSQL."""

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import requests
from sqlalchemy import make_url, text

from app.config import Settings
from app.database import Database
from app.database_roles import Work, grant
from app.secret_files import LOG_KEY
from tests.functional.image import Image, Process, services
from tests.functional.serving import PATIENCE, as_toml

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
_STARTED = 90  # seconds that a process may take to start
_NOBODY = 65532
_STATEFUL = frozenset({"log", "jobs"})  # what has the volume of the log's files
_KEEPERS = ("audit_log.key", "audit_archive.key", "mail.key")
_WORKS = {"web": Work.WEB, "log": Work.LOG, "jobs": Work.JOBS, "metrics": Work.METRICS}
_PLACES = """
import os
for line in open("/proc/self/mounts"):
    _, place, kind, told, *_ = line.split()
    if "rw" in told.split(",") and kind != "proc" and os.path.isdir(place): print(place)
for place, folders, _ in os.walk("/"):
    if place in {"/", "/root", "/work"} or place.startswith("/opt"):
        folders[:] = [each for each in folders if each not in {"proc", "usr"}]
    elif place.count("/") > 2: folders.clear()
    if os.access(place, os.W_OK): print(place)
"""


@dataclass(frozen=True)
class Stage:
    """The image, and the volumes of each service."""

    image: Image
    volumes: dict[str, list[str]]
    address: str
    port: int
    owner: Database


@pytest.fixture
def stage(settings: Settings, secrets_directory: Path, tmp_path: Path) -> Iterator[Stage]:
    """The image with the settings of three services, each with a role and secrets of its own."""
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    url = make_url(settings.database.url)
    owner = Database(settings.database.url)
    port = _free_port()
    address = f"http://127.0.0.1:{port}"
    listening = ".s.PGSQL.5432"
    database = f"{url.query['host']}/{listening}:/run/postgresql/{listening}:rw"
    url = url.set(query={"host": "/run/postgresql"})
    state = tmp_path / "state"
    volumes = {}
    for service, work in _WORKS.items():
        role = f"image_{service}"
        with owner.engine.begin() as connection:
            connection.execute(text(f"DROP ROLE IF EXISTS {role}"))
            connection.execute(text(f"CREATE ROLE {role} LOGIN"))
        grant(owner, role, work)
        own = tmp_path / "etc" / service
        shutil.copytree(secrets_directory, own / "secrets")
        if service == "web":
            for name in _KEEPERS:
                (own / "secrets" / name).unlink(missing_ok=True)
        told = replace(
            settings,
            database=replace(
                settings.database,
                url=url.set(username=role).render_as_string(hide_password=False),
            ),
            secrets=replace(settings.secrets, directory="/etc/postern/secrets"),
            audit=replace(
                settings.audit,
                interval_ms=100,
                high_water="/var/lib/postern/high-water.json",
                archive="/var/lib/postern/archive",
            ),
        )
        (own / "settings.toml").write_text(as_toml(told, address))
        volumes[service] = [f"{own}:/etc/postern:ro", database]
        if service in _STATEFUL:
            volumes[service].append(f"{state}:/var/lib/postern:rw")
    state.mkdir()
    _own(tmp_path / "etc", state)
    yield Stage(Image(tmp_path / "image"), volumes, address, port, owner)
    with owner.engine.begin() as connection:
        for service in _WORKS:
            connection.execute(text(f"DROP OWNED BY image_{service}"))
            connection.execute(text(f"DROP ROLE image_{service}"))
    owner.dispose()


@on_postgresql
def test_the_three_services_work_without_root_on_a_read_only_root(stage: Stage) -> None:
    image, volumes = stage.image, stage.volumes
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(f"\0postern-{os.getpid()}-{stage.port}")
        systemd.settimeout(PATIENCE)
        with (
            image.running(
                "web",
                volumes["web"],
                POSTERN_BIND=f"127.0.0.1:{stage.port}",
                POSTERN_WORKERS="1",
                NOTIFY_SOCKET=f"@postern-{os.getpid()}-{stage.port}",
            ) as web,
            image.running("log", volumes["log"]) as log,
            image.running("jobs", volumes["jobs"]) as jobs,
        ):
            # As the unit says (Type=notify): systemd is told once it listens.
            assert b"READY=1" in systemd.recv(4096).split(b"\n")
            assert requests.get(f"{stage.address}/health/ready", timeout=_STARTED).ok
            signing_in = requests.get(f"{stage.address}/sign-in", timeout=PATIENCE)
            assert signing_in.ok
            assert "Content-Security-Policy" in signing_in.headers
            for process in (web, log, jobs):
                _is_confined(process)
            _signs(stage, log)
            assert [each.end() for each in (web, log, jobs)] == [0, 0, 0], web.told.read_text()
    for process in (web, log, jobs):
        assert "Traceback" not in process.told.read_text(), process.told


@on_postgresql
def test_each_service_may_write_only_where_it_keeps_something(stage: Stage) -> None:
    for service in services():
        status, told = stage.image.answer(service, stage.volumes[service], "python", "-c", _PLACES)
        assert status == 0, told
        kept = ["/var/lib/postern"] if service in _STATEFUL else []
        assert set(told.split()) == {"/dev/shm", "/tmp", *kept}  # noqa: S108


@on_postgresql
def test_the_web_service_holds_no_key_of_the_log_and_says_what_it_lacks(stage: Stage) -> None:
    volumes = stage.volumes["web"]
    status, told = stage.image.answer("web", volumes, "flask", "--app", "wsgi", "audit", "run")
    assert status == 1
    assert f"The secret /etc/postern/secrets/{LOG_KEY}.key is missing." in told
    assert "Traceback" not in told
    status, told = stage.image.answer("web", volumes[1:], *stage.image.recipe.command)
    assert status == 4  # gunicorn's own word for what it will not try again
    assert "There is no settings file /etc/postern/settings.toml. Set POSTERN_CONFIG" in told
    assert "Traceback" not in told


def _is_confined(process: Process) -> None:
    assert process.status("Uid").split() == [str(_NOBODY)] * 4
    assert process.status("Gid").split() == [str(_NOBODY)] * 4
    assert process.status("Groups").strip() == ""
    for kind in ("CapEff", "CapPrm", "CapBnd", "CapAmb", "CapInh"):
        assert int(process.status(kind), 16) == 0, kind
    assert process.status("NoNewPrivs") == "1"


def _signs(stage: Stage, log: Process) -> None:
    """Return once a checkpoint was signed; what the suite's limit of a test ends is none."""
    with stage.owner.engine.connect() as connection:
        while log.starter.poll() is None:
            found = connection.execute(text("SELECT count(*) FROM audit_checkpoint")).scalar()
            connection.rollback()
            if found:
                return
    raise AssertionError(log.told.read_text())


def _own(*folders: Path) -> None:
    prefix = [] if os.geteuid() == 0 else ["sudo", "--non-interactive"]
    owner = f"{_NOBODY}:{_NOBODY}"
    subprocess.run([*prefix, "chown", "-R", owner, *map(str, folders)], check=True)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        number: int = listening.getsockname()[1]
    return number


def test_units_and_containers_begin_the_same_commands() -> None:
    image = {"web": ["gunicorn", "--config", "config/gunicorn.conf.py"]}
    for name, told in services().items():
        unit = Path(__file__).parents[2].joinpath("deploy", f"postern-{name}.service").read_text()
        (begun,) = re.findall(r"^ExecStart=/opt/postern/\.venv/bin/(.*)$", unit, re.MULTILINE)
        assert begun.split() == (told.get("command") or image[name]), name

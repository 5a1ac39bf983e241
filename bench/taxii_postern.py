"""Postern under measurement: all its processes, a member that shares and one that reads.

Run as docs/operations.md says: gunicorn with two workers, the keeper of the log, the worker. The
post shares everything with the police; the police read a collection of kind `shared`, the post
writes to its own. Rows of indicators beyond what is posted go in by SQL (bench/preload.py); what
the collections hold of them is written by the service itself.
"""

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from flask import Flask
from sqlalchemy import text

from app.access import CONSOLE
from app.accounts import tokens
from app.exchange import collections, view_writing
from app.exchange.models import CollectionKind
from app.indicators.telling import Grounds
from app.sharing import service as sharing
from bench.policy_stage import CLASSES
from bench.preload import fill
from bench.stage import Stage, database_of, member, platform
from bench.taxii_peers import EVER, START_SECONDS, await_answer, children, free_port, stop
from bench.taxii_whole import PAGE
from bench.taxii_wire import Door, Line, pages
from postern.vocabulary import LegalBasis, Level, Purpose, Scope, Sector

OURS = ("postern-postgresql", "postern-sqlite")
OWNER, READER = "post-be", "police-zz"
ROOT = Path(__file__).parent.parent

_POLICY = """
@id("bench/police") @label("Police see what we reported, and may have it in bulk")
permit (principal, action, resource) when { principal.sector == Sector::"police" };
"""
_STATUS = "/taxii2/exchange/status/"


@dataclass
class Postern:
    """The platform with its processes, which start when it has grown."""

    name: str
    reading: Door
    writing: Door
    on: Stage
    keys: tuple[int, int]  # of the two collections
    settings: Path
    said: Path
    status: str = _STATUS
    last: str = EVER
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def grow(self, size: int) -> list[str]:
        """Let the reader be shared `size` indicators; returns all that it is given, as JSON."""
        if self.on.database.is_sqlite:
            self.rest()  # one writer at a time
        fill(self.on, self._indicators(), size)
        for key in self.keys:
            with self.on.app.app_context(), self.on.database.transaction() as session:
                view_writing.fill(session, key)
        if not self.running:
            self.start()
        line = Line(self.reading.port, 60)
        texts = []
        for answer in pages(line, self.reading, PAGE):
            texts += [json.dumps(each) for each in answer.json().get("objects", [])]
            self.last = answer.headers.get("x-taxii-date-added-last", self.last)
        line.close()
        return texts

    def hold(self, objects: Sequence[str]) -> None:
        raise NotImplementedError("Postern holds what it is given by its members; see grow")

    def workers(self) -> list[int]:
        return children(self.running[0].pid)

    def start(self, *, with_worker: bool = True, patience: float = START_SECONDS) -> None:
        """The processes, until the first answers; without a worker what is there stands still."""
        web = (
            *("-m", "gunicorn", "--config", "config/gunicorn.conf.py", "--workers", "2"),
            *("--bind", f"127.0.0.1:{self.reading.port}"),
        )
        keeper = ("-m", "flask", "--app", "wsgi", "audit", "run")
        worker = ("-m", "flask", "--app", "wsgi", "jobs", "run")
        with self.said.open("ab") as said:
            for command in (web, keeper, worker) if with_worker else (web, keeper):
                self.running.append(
                    subprocess.Popen(
                        [sys.executable, *command],
                        cwd=ROOT,
                        env={**os.environ, "POSTERN_CONFIG": str(self.settings)},
                        stdout=said,
                        stderr=said,
                    )
                )
        await_answer(self.reading, patience)

    def rest(self) -> None:
        """End the processes."""
        while self.running:
            stop(self.running.pop())

    def _indicators(self) -> int:
        with self.on.database.reading() as session:
            found: int = session.execute(
                text("SELECT coalesce(max(id), 0) FROM indicator")
            ).scalar_one()
            return found


@contextmanager
def postern(name: str, directory: Path) -> Iterator[Postern]:
    """One of OURS with two empty collections; its log is `directory`/said."""
    directory.mkdir()
    with platform(name.removeprefix("postern-")) as app:
        made = _furnish(name, app, directory)
        try:
            yield made
        finally:
            made.rest()


def _furnish(name: str, app: Flask, directory: Path) -> Postern:
    owner = member(app, OWNER, Sector.POST)
    reader = member(app, READER, Sector.POLICE)
    database = database_of(app)
    with app.app_context(), database.transaction() as session:
        sharing.publish(session, CONSOLE, OWNER, _POLICY)
        classes = list(sharing.share_class_ids(session, owner.member[0], CLASSES).values())
        shared = collections.open_collection(
            session,
            reader,
            kind=CollectionKind.SHARED,
            title="Shared",
            grounds=Grounds(Purpose.CRIMINAL_INVESTIGATION, LegalBasis.CRIMINAL_PROCEDURE, "PV-1"),
            level=Level.METADATA,
        )
        own = collections.open_collection(
            session, owner, kind=CollectionKind.OWN, title="Own", grounds=None
        )
        scopes = (Scope.EXCHANGE_READ, Scope.EXCHANGE_WRITE)
        reads = tokens.create_own_token(session, reader, scopes=scopes, days=30).text
        writes = tokens.create_own_token(session, owner, scopes=scopes, days=30).text
    port = free_port()
    settings = directory / "settings.toml"
    runtime = app.extensions["postern"]
    here = dataclasses.replace(runtime.settings.platform, origin=f"http://127.0.0.1:{port}")
    settings.write_text(_as_toml(dataclasses.replace(runtime.settings, platform=here)))
    return Postern(
        name,
        Door(port, _path(shared.id), f"Bearer {reads}"),
        Door(port, _path(own.id), f"Bearer {writes}"),
        Stage(app, [owner], reader, [classes]),
        (shared.key, own.key),
        settings,
        directory / "said",
    )


def _path(collection: UUID) -> str:
    return f"/taxii2/exchange/collections/{collection}/"


def _as_toml(settings: object) -> str:
    """The settings as the file that a server reads."""
    return "".join(
        f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in section.items())
        for name, section in dataclasses.asdict(settings).items()  # type: ignore[call-overload]
    )

"""What the killed processes do: answer requests, append acts, sequence; and one that only looks.

Each notes what it may be held to in a file of its own, one `write` a line, which a kill cannot
take back: an act only after its commit was acknowledged, a checkpoint as soon as it was read.
"""

import json
import os
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from flask.cli import ScriptInfo
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.access import Caller
from app.audit.guard import RECEIPT_HEADER
from app.audit.receipts import receipt
from app.audit.running import LogKeeper, sequencer
from app.audit.service import append, appended
from app.runtime import Runtime
from postern.tlog.hashing import leaf_hash
from postern.tlog.notes import Note

_draw = random.SystemRandom()

_ROLLED_BACK = 0.1  # of the transactions
_DAWDLING = 0.3  # of the transactions commit late, so that numbers commit out of order
_LATEST, _LATEST_OF_ONE = 0.25, 0.02  # seconds; on SQLite all others wait for the one that writes
_PAUSE_WITHOUT_DATABASE = 0.05  # seconds
_POLL = 0.02  # seconds


@dataclass(frozen=True)
class Cast:
    """Who plays on which platform, and where they write down what they saw."""

    app: Flask
    caller: Caller
    headers: Mapping[str, str]  # of a member's token
    notes: Path  # directory
    is_acknowledged_early: bool = False  # a planted fault

    @property
    def runtime(self) -> Runtime:
        found: Runtime = self.app.extensions["postern"]
        return found

    def rehearse(self) -> None:
        """Do everything once, so that what is forked later has its statements at hand."""
        client = self.app.test_client()
        assert client.get("/api/v1/lookups", headers=dict(self.headers)).status_code == 200
        with self.app.app_context(), self.runtime.database.transaction() as session:
            append(session, self.caller, "lookup.ask", case="PV-1", objects=["a", "b"])
        keeper = LogKeeper(self.runtime, sequencer(self.runtime))
        with self.app.app_context():
            keeper.begin()
        while keeper.sequencer.step().taken:
            pass
        assert client.get("/audit/log/checkpoint", headers=dict(self.headers)).status_code == 200

    def sequence(self) -> None:
        """Be `flask --app wsgi audit run`."""
        self._command("audit", "run")

    def sequence_the_rest(self) -> None:
        """Be `flask --app wsgi audit run --once`."""
        self._command("audit", "run", "--once")

    def answer(self, number: int) -> None:
        """Be a web server's process: an act is acknowledged by an answer with its receipt."""
        note = _Notes(self.notes / f"answered-{number}")
        client = self.app.test_client()
        while True:
            answer = client.get("/api/v1/lookups", headers=dict(self.headers))
            if answer.status_code == 200:
                note.line({"receipt": answer.headers[RECEIPT_HEADER]})
            else:
                time.sleep(_PAUSE_WITHOUT_DATABASE)

    def write(self, number: int) -> None:
        """Append acts, one to three in a transaction; some are rolled back, some commit late."""
        acknowledged = _Notes(self.notes / f"written-{number}")
        undone = _Notes(self.notes / f"undone-{number}")
        with self.app.app_context():
            while True:
                try:
                    self._transaction(acknowledged)
                except _UndoneError as ending:
                    undone.line({"leaves": ending.leaves})
                except DBAPIError:
                    time.sleep(_PAUSE_WITHOUT_DATABASE)

    def watch(self) -> None:
        """Be a member who keeps every checkpoint, and looks whether earlier ones stay.

        A newer one must be larger.
        """
        note = _Notes(self.notes / "watched")
        client = self.app.test_client()
        newest = ""
        seen: dict[int, str] = {}
        while True:
            answer = client.get("/audit/log/checkpoint", headers=dict(self.headers))
            if answer.status_code == 200 and answer.text != newest:
                newest = answer.text
                size = _size(newest)
                if seen and size <= max(seen):
                    note.line({"shrank": [max(seen), size]})
                seen[size] = newest
                note.line({"checkpoint": newest})
            if seen:
                size = _draw.choice(list(seen))
                again = client.get(f"/audit/log/checkpoint/{size}", headers=dict(self.headers))
                if again.status_code < 500 and again.text != seen[size]:
                    note.line({"vanished": size})
            time.sleep(_POLL)

    def _transaction(self, acknowledged: "_Notes") -> None:
        with self.runtime.database.transaction() as session:
            for _ in range(_draw.choice((1, 1, 1, 2, 3))):
                append(session, self.caller, "lookup.ask", case="PV-1", objects=["a", "b"])
            made = list(appended(session))
            leaves = [leaf_hash(each.entry.leaf).hex() for each in made]
            session.execute(text("SELECT 1"))  # what waits for the commit is sent and numbered now
            if self.is_acknowledged_early:
                self._acknowledge(acknowledged, made)
            if _draw.random() < _DAWDLING:
                is_alone = self.runtime.database.is_sqlite
                time.sleep(_draw.random() * (_LATEST_OF_ONE if is_alone else _LATEST))
            if _draw.random() < _ROLLED_BACK:
                raise _UndoneError(leaves)
        if not self.is_acknowledged_early:
            self._acknowledge(acknowledged, made)

    def _acknowledge(self, acknowledged: "_Notes", made: list[Any]) -> None:
        for each in made:
            acknowledged.line({"receipt": receipt(each.entry.leaf, each.at)})

    def _command(self, *words: str) -> None:
        self.app.cli.main(args=list(words), obj=ScriptInfo(create_app=lambda: self.app))


class _UndoneError(Exception):
    """The transaction is to be rolled back: its leaves must never appear."""

    def __init__(self, leaves: list[str]) -> None:
        self.leaves = leaves


class _Notes:
    """A file of JSON lines, each written by one call."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def line(self, document: object) -> None:
        os.write(self._file, (json.dumps(document) + "\n").encode())


def _size(note: str) -> int:
    return int(Note.parse(note).text.splitlines()[1])

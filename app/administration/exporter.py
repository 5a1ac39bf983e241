"""The process of `flask --app wsgi metrics run`: the platform's gauges, read from the database.

They are read in the background every EVERY seconds, in one transaction that writes nothing, and a
scrape gets what was read last: it never waits for the database. How old that is, and whether the
database answered, are gauges too.
"""

import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import monotonic

import structlog
from flask import Flask
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from app.administration import gauges
from app.metrics_server import make_server
from app.runtime import runtime

log = structlog.get_logger(__name__)

EVERY = 15.0  # seconds


@dataclass(eq=False)
class Exporter(Collector):
    """What was read last, and the thread that reads."""

    app: Flask
    _families: tuple[Metric, ...] = ()
    _read_at: float | None = None
    _is_up: bool = False
    _ended: threading.Event = field(default_factory=threading.Event)

    @property
    def is_up(self) -> bool:
        """Whether the database answered when it was last asked."""
        return self._is_up

    def look(self) -> None:
        """Read every gauge once; what was read before stays where the database does not answer."""
        try:
            with self.app.app_context(), runtime().database.reading() as session:
                found = tuple(gauges.read(session, runtime()))
        except (SQLAlchemyError, OSError) as error:
            log.warning("facts not read", exc_info=error)
            self._is_up = False
            return
        self._families, self._read_at, self._is_up = found, monotonic(), True

    def keep_looking(self) -> None:
        """Read again and again until `end`; whatever goes wrong, it goes on."""
        while not self._ended.is_set():
            try:
                self.look()
            except Exception:
                self._is_up = False
                log.exception("facts not read")
            self._ended.wait(EVERY)

    def end(self) -> None:
        """Stop reading."""
        self._ended.set()

    def collect(self) -> Iterator[Metric]:
        """What was read last, while it is young enough to mean something."""
        yield gauges.gauge(
            "database_answers", "1 where the database answered when last asked.", float(self._is_up)
        )
        if self._read_at is None:
            return
        age = monotonic() - self._read_at
        yield gauges.gauge("facts_age_seconds", "Seconds since these gauges were read.", age)
        yield from self._families


def exposition(exporter: Exporter) -> bytes:
    """The gauges in the text format of Prometheus."""
    registry = CollectorRegistry()
    registry.register(exporter)
    return generate_latest(registry)


def serve(exporter: Exporter, host: str, port: int, key: str | None) -> None:
    """Answer at /metrics until SIGTERM or SIGINT."""
    server = make_server(lambda: exposition(exporter), host, port, key)
    looking = threading.Thread(target=exporter.keep_looking, daemon=True)
    looking.start()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: threading.Thread(target=server.shutdown).start())
    try:
        server.serve_forever()
    finally:
        server.server_close()
        exporter.end()

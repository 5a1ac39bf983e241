"""Metrics of the web processes, as Prometheus reads them at /metrics.

Their labels are of closed sets: names of routes, methods, classes of status, codes of errors. There
is no path, no organisation, no person and no case in them. Where gunicorn runs several workers,
each keeps its figures in files of one directory (PROMETHEUS_MULTIPROC_DIR, made by
config/gunicorn.conf.py), and whichever is asked adds them up.

Without the secret `metrics.key` nothing is counted and the route does not exist; who does not
present what stands in it is answered as for any address that there is not.
"""

import fcntl
import hmac
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from flask import Flask, Response, request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy import event

from app.audit.guard import public
from app.database import Database
from app.errors import NotFoundError
from app.request_records import Record, Recording

DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
LOCK = "lock"
"""File of that directory: held while figures are read, and while those of a worker that ended are
added to what its predecessors left (config/gunicorn.conf.py)."""

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)  # seconds

_MEMORY_EVERY = 5.0  # seconds
_PAGE = os.sysconf("SC_PAGE_SIZE")
_OWN_MEMORY = Path("/proc/self/statm")

REGISTRY = CollectorRegistry()
REQUESTS = Counter(
    "postern_requests",
    "Requests that were answered, by route, method and class of status.",
    ["endpoint", "method", "status"],
    registry=REGISTRY,
)
SECONDS = Histogram(
    "postern_request_seconds",
    "Seconds from a request's arrival to the end of its answer, by route.",
    ["endpoint"],
    buckets=BUCKETS,
    registry=REGISTRY,
)
ERRORS = Counter(
    "postern_errors",
    "Errors that were answered, by their code (docs/errors.md).",
    ["code"],
    registry=REGISTRY,
)
UNDER_WAY = Gauge(
    "postern_requests_under_way",
    "Requests that are being answered.",
    multiprocess_mode="livesum",
    registry=REGISTRY,
)
POOL_USED = Gauge(
    "postern_database_connections_used",
    "Connections of the pools to the database that are in use.",
    multiprocess_mode="livesum",
    registry=REGISTRY,
)
POOL_SIZE = Gauge(
    "postern_database_connections_kept",
    "Connections that the pools keep open: database.pool_size of each worker.",
    multiprocess_mode="livesum",
    registry=REGISTRY,
)
MEMORY = Gauge(
    "postern_worker_memory_bytes",
    "Resident memory of each worker; pid is the number of its process.",
    multiprocess_mode="liveall",
    registry=REGISTRY,
)

REPLICA_READS = Counter(
    "postern_replica_reads",
    "Readings that may go to the replica, by where they went and why (docs/replica.md).",
    ["outcome"],
    registry=REGISTRY,
)


class Counting:
    """Counts each request; one for the process."""

    def __init__(self) -> None:
        self._memory_at = 0.0

    def begun(self, _record: Record) -> None:
        """A request came."""
        UNDER_WAY.inc()

    def ended(self, record: Record) -> None:
        """Its answer has left."""
        UNDER_WAY.dec()
        status = f"{record.status // 100}xx"
        REQUESTS.labels(record.endpoint, record.method, status).inc()
        SECONDS.labels(record.endpoint).observe(record.seconds)
        if record.code:
            ERRORS.labels(record.code).inc()
        if monotonic() >= self._memory_at:
            self._memory_at = monotonic() + _MEMORY_EVERY
            note_memory()


def install_metrics(app: Flask, recording: Recording, database: Database, key: str) -> None:
    """Count requests, and add the route that tells the figures to who presents the key."""
    recording.watchers.append(Counting())
    POOL_SIZE.set(database.pool_size)
    event.listen(database.engine, "checkout", lambda *_: POOL_USED.inc())
    event.listen(database.engine, "checkin", lambda *_: POOL_USED.dec())
    if database.replica is not None:
        database.replica.watchers.append(lambda outcome: REPLICA_READS.labels(outcome.value).inc())
    note_memory()
    wanted = f"Bearer {key}".encode()

    @app.get("/metrics")
    @public
    def metrics() -> Response:
        # Whoever presents the key is answered before; this is everybody else.
        raise NotFoundError

    @app.before_request
    def tell_who_may_know() -> Response | None:
        if request.endpoint != "metrics" or request.method not in {"GET", "HEAD"}:
            return None
        offered = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(offered, wanted):
            return None
        return Response(exposition(), content_type=CONTENT_TYPE_LATEST)


def exposition() -> bytes:
    """The figures of all workers in the text format of Prometheus."""
    directory = os.environ.get(DIRECTORY)
    if not directory:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    with _unchanging(Path(directory)):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


def note_memory() -> None:
    """Note how much memory this process has; on systems without /proc nothing is noted."""
    try:
        MEMORY.set(int(_OWN_MEMORY.read_text().split()[1]) * _PAGE)
    except OSError:
        return


@contextmanager
def _unchanging(directory: Path) -> Iterator[None]:
    """While no worker's figures move from its own files to the common ones."""
    with (directory / LOCK).open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield

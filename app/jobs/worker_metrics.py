"""What a worker did since it began, as Prometheus reads it from `jobs run --metrics`.

Labels are the names of duties and topics that this version has.
"""

import threading
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, generate_latest

from app.jobs.outbox import Ending
from app.jobs.service import Performed
from app.metrics_server import make_server, read_address
from app.runtime import Runtime
from app.secret_files import read_metrics_key

REGISTRY = CollectorRegistry()
THINGS = Counter(
    "postern_duty_things",
    "How much duties did, each counted in what it ends or sends.",
    ["duty"],
    registry=REGISTRY,
)
FAILED = Counter("postern_duties_failed", "Duties that failed.", ["duty"], registry=REGISTRY)
TRIED = Counter(
    "postern_jobs_tried",
    "Tries to do a job of the outbox, by topic and how they ended.",
    ["topic", "ending"],
    registry=REGISTRY,
)


def count(performed: Performed) -> None:
    """Count a duty that was due."""
    if performed.count is None:
        FAILED.labels(performed.name).inc()
    else:
        THINGS.labels(performed.name).inc(performed.count)


def count_job(topic: str, ending: Ending) -> None:
    """Count a try to do a job."""
    TRIED.labels(topic, ending.value).inc()


def serve(runtime: Runtime, listen: str) -> None:
    """Tell the figures at an address, beside the work; StartRefusedError when it may not be."""
    key = read_metrics_key(Path(runtime.settings.secrets.directory))
    host, port = read_address(listen, has_key=key is not None)
    server = make_server(lambda: generate_latest(REGISTRY), host, port, key)
    threading.Thread(target=server.serve_forever, daemon=True).start()

"""How gunicorn runs the platform behind a TLS proxy; every value can be overridden by its flags."""

import gc
import multiprocessing
import os

wsgi_app = "wsgi:app"
bind = os.environ.get("POSTERN_BIND", "127.0.0.1:8080")
workers = int(os.environ.get("POSTERN_WORKERS", min(4, multiprocessing.cpu_count() * 2)))
threads = 4
timeout = 60  # seconds; the largest evaluation takes well under one
graceful_timeout = 30
max_requests = 10_000
max_requests_jitter = 1_000
limit_request_field_size = 8190
# The service writes its own structured log; an access log would put addresses of members in files.
accesslog = None
errorlog = "-"
loglevel = "warning"


def post_worker_init(_worker: object) -> None:
    """Keep the collector of garbage from what the worker has loaded, which lives as long as it.

    Else each answer of many objects pays for a walk through all of it: a board took 500 ms, and
    320 so.
    """
    gc.collect()
    gc.freeze()

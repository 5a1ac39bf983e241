"""How gunicorn runs the platform, behind a TLS proxy or with TLS of its own.

Every value can be overridden by its flags. With POSTERN_TLS_CERTIFICATE and POSTERN_TLS_KEY it
speaks TLS itself; with POSTERN_CLIENT_AUTHORITIES it takes client certificates of these authorities
(or these certificates themselves), to which API tokens can be bound.
"""

import gc
import multiprocessing
import os
import ssl
from collections.abc import Callable

wsgi_app = "wsgi:app"
bind = os.environ.get("POSTERN_BIND", "127.0.0.1:8080")
workers = int(os.environ.get("POSTERN_WORKERS", min(4, multiprocessing.cpu_count() * 2)))
threads = 4
timeout = 60  # seconds; the largest evaluation takes well under one
graceful_timeout = 30
max_requests = 10_000
max_requests_jitter = 1_000
limit_request_field_size = 8190
limit_request_line = 4094
limit_request_fields = 60
control_socket_disable = True  # it would be a file, and a way in
certfile = os.environ.get("POSTERN_TLS_CERTIFICATE")
keyfile = os.environ.get("POSTERN_TLS_KEY")
ca_certs = os.environ.get("POSTERN_CLIENT_AUTHORITIES")
cert_reqs = ssl.CERT_OPTIONAL if ca_certs else ssl.CERT_NONE
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


def ssl_context(_config: object, default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """TLS 1.2 or newer, as `ssl.create_default_context` sets it up."""
    context = default()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context

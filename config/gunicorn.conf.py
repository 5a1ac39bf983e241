"""How gunicorn runs the platform behind a TLS proxy; every value can be overridden by its flags."""

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

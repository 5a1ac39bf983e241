"""How gunicorn runs the platform, behind a TLS proxy or with TLS of its own.

Every value can be overridden by its flags. With POSTERN_TLS_CERTIFICATE and POSTERN_TLS_KEY it
speaks TLS itself; with POSTERN_CLIENT_AUTHORITIES it takes client certificates of these authorities
(or these certificates themselves), to which API tokens can be bound.
"""

import ctypes
import fcntl
import gc
import multiprocessing
import os
import shutil
import ssl
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

_ARENA_MAX, _MMAP_THRESHOLD = -8, -3  # of glibc's malloc.h


def _give_memory_back() -> None:
    """What a large answer took goes back to the system when it has left (docs/load.md).

    Else glibc keeps a heap for each thread, and in each as much as was ever needed at once. Another
    C library has no such call, and may have no such habit.
    """
    with suppress(AttributeError, OSError):
        library = ctypes.CDLL(None)
        library.mallopt(_ARENA_MAX, 1)
        library.mallopt(_MMAP_THRESHOLD, 1 << 20)


_give_memory_back()

wsgi_app = "wsgi:app"
bind = os.environ.get("POSTERN_BIND", "127.0.0.1:8080")
pidfile = os.environ.get("POSTERN_PID_FILE")  # by which `python -m app restart` finds the master
workers = int(os.environ.get("POSTERN_WORKERS", min(4, multiprocessing.cpu_count() * 2)))
threads = 4
timeout = 60  # seconds; the largest evaluation takes well under one
graceful_timeout = 300  # seconds that a long answer has to leave, when its process is to end
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


def on_starting(server: Any) -> None:
    """Make the directory in which each worker keeps its figures for /metrics, in memory.

    A master that replaces another one counts on in the other's, since counts may not go down.
    """
    if server.master_pid and Path(os.environ.get("PROMETHEUS_MULTIPROC_DIR", "-")).is_dir():
        return
    shared = "/dev/shm"  # noqa: S108 - made below it is a directory of its own, of mode 700
    where = os.environ.get("POSTERN_METRICS_DIRECTORY", shared)
    usable = where if os.access(where, os.W_OK) else None
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="postern-metrics-", dir=usable)


def pre_exec(server: Any) -> None:
    """Tell the master that will replace this one where the figures are."""
    if made := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        server.cfg.env_orig["PROMETHEUS_MULTIPROC_DIR"] = made


def on_exit(server: Any) -> None:
    """Remove it, unless another master goes on with it."""
    if server.master_pid or server.reexec_pid:
        return
    if made := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        shutil.rmtree(made, ignore_errors=True)


def child_exit(_server: object, worker: object) -> None:
    """Add what a worker counted to what those before it left, and remove its files.

    Else each worker that ends would leave files for ever. Counts may not go down, so they stay; a
    reader waits for the lock, so that it sees them once.
    """
    directory = Path(os.environ.get("PROMETHEUS_MULTIPROC_DIR", ""))
    ended = [*directory.glob(f"*_{worker.pid}.db")]  # type: ignore[attr-defined]
    if not ended:
        return
    from prometheus_client.mmap_dict import MmapedDict  # noqa: PLC0415 - only where it is needed

    with (directory / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for file in ended:
            kind = file.name.partition("_")[0]
            if kind in {"counter", "histogram"}:
                kept = MmapedDict(str(directory / f"{kind}_0.db"))
                for key, value, _at, _place in MmapedDict.read_all_values_from_file(str(file)):
                    kept.write_value(key, kept.read_value(key)[0] + value, 0.0)
                kept.close()
            file.unlink()


def post_worker_init(worker: Any) -> None:
    """Keep the collector of garbage from what the worker has loaded, which lives as long as it.

    Else each answer of many objects pays for a walk through all of it: a board took 500 ms, and
    320 so. A worker of a master that is to replace another one serves only if it can.
    """
    gc.collect()
    gc.freeze()
    if "GUNICORN_PID" in os.environ:
        _demand_ready(worker)


def _demand_ready(worker: Any) -> None:
    """Note that this worker can serve, or end before it takes a connection, and its master too."""
    from app.health import fault_of  # noqa: PLC0415 - the master does without the platform
    from app.restarting import note_ready  # noqa: PLC0415

    if fault := fault_of(worker.wsgi):
        sys.stderr.write(f"{fault}\n")
        sys.exit(4)  # so that gunicorn begins no other worker in its place
    if pidfile is not None:
        note_ready(Path(pidfile), worker.cfg.workers)


def ssl_context(_config: object, default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """TLS 1.2 or newer, as `ssl.create_default_context` sets it up."""
    context = default()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context

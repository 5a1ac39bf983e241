"""nginx with deploy/nginx.conf before processes of the platform, on loopback."""

import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.certificates import Certificates

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "nginx.conf"
_PATIENCE = 30  # seconds
_MAIN = """daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
events {{ worker_connections 256; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


@contextmanager
def proxying(
    folder: Path,
    certificates: Certificates,
    upstreams: Sequence[int],
    *,
    plain: int,
    tls: int,
    evaluator: int | None = None,
) -> Iterator[None]:
    """nginx that listens on `plain` and `tls` and hands on to `upstreams`: ports of loopback.

    Evaluations go to the port `evaluator`, to the first of `upstreams` where there is none.
    """
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if nginx is None:
        pytest.fail("No nginx found. Run `make servers`.")
    ports = {"plain": plain, "tls": tls, "evaluator": evaluator or upstreams[0]}
    (folder / "site.conf").write_text(_adapted(folder, certificates, upstreams, ports))
    main = folder / "nginx.conf"
    main.write_text(_MAIN.format(folder=folder))
    told = ("-p", str(folder), "-c", str(main), "-e", str(folder / "nginx-error.log"))
    with (folder / "nginx-said.log").open("wb") as said:
        process = subprocess.Popen([nginx, *told], stdout=said, stderr=said)
        try:
            _wait_for(tls, process, folder / "nginx-said.log")
            yield
        finally:
            process.send_signal(signal.SIGQUIT)
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(_PATIENCE)


def free_ports(count: int) -> list[int]:
    """Ports of loopback on which nothing listens."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(each.getsockname()[1]) for each in held]
    for each in held:
        each.close()
    return ports


def _adapted(
    folder: Path,
    certificates: Certificates,
    upstreams: Sequence[int],
    ports: Mapping[str, int],
) -> str:
    """The shipped file with the names, ports and files of the test, each of which must be in it."""
    text = CONFIGURATION.read_text()
    servers = "".join(
        f"    server 127.0.0.1:{port} max_fails=1 fail_timeout=5s;\n" for port in upstreams
    )
    text, count = re.subn(r"(    server 127\.0\.0\.1:\d+ [^\n]*\n){2,}", servers, text)
    assert count == 1
    changes: Mapping[str, str] = {
        "server 127.0.0.1:8082 ": f"server 127.0.0.1:{ports['evaluator']} ",
        "listen 80;": f"listen 127.0.0.1:{ports['plain']};",
        "listen 443 ssl": f"listen 127.0.0.1:{ports['tls']} ssl",
        "/etc/nginx/postern.pem": str(certificates.server),
        "/etc/nginx/postern-key.pem": str(certificates.server_key),
        "/etc/nginx/clients.pem": str(certificates.authority),
        "/var/log/nginx/": f"{folder}/",
        "proxy_set_header Host $host;": "proxy_set_header Host $http_host;",  # with a port
        "return 308 https://$host$": f"return 308 https://$host:{ports['tls']}$",
    }
    for shipped, here in changes.items():
        assert shipped in text, shipped
        text = text.replace(shipped, here)
    return text


def _wait_for(port: int, process: "subprocess.Popen[bytes]", said: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        if process.poll() is not None:
            raise AssertionError(said.read_text())
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("nginx does not listen")

"""Several web processes behind nginx with TLS, by the file that is shipped in deploy/."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import requests
from flask import Flask

from app.access import CONSOLE
from app.accounts import tokens
from app.accounts.token_bounds import read_bounds
from app.config import Settings
from postern import voprf
from postern.vocabulary import Scope
from tests.app.exchange import b64, make_exchange
from tests.app.people import runtime_of
from tests.certificates import Certificates
from tests.functional.proxied import free_ports, proxying
from tests.functional.serving import PATIENCE, ROOT, as_toml

ME = "/api/v1/me"
_STARTED = 90  # seconds that a process may take to start
_SCOPE = Scope("exchange:read")
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n"


@dataclass(frozen=True)
class Proxied:
    """The platform behind nginx: `processes` are its gunicorns, in the order of the upstreams."""

    address: str
    plain: str
    certificates: Certificates
    processes: tuple["subprocess.Popen[bytes]", ...]
    folder: Path

    def get(self, path: str, *, client: str = "", **headers: str) -> requests.Response:
        made = self.certificates
        pairs = {"client": (made.client, made.client_key), "other": (made.other, made.other_key)}
        pair = pairs.get(client)
        return requests.get(
            self.address + path,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
            cert=None if pair is None else (str(pair[0]), str(pair[1])),
            verify=str(made.authority),
            timeout=PATIENCE,
            allow_redirects=False,
        )


@contextmanager
def web_process(port: int, file: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """gunicorn with the shipped configuration on a port of loopback."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--config", "config/gunicorn.conf.py"],
        cwd=ROOT,
        env={
            **os.environ,
            "POSTERN_CONFIG": str(file),
            "POSTERN_BIND": f"127.0.0.1:{port}",
            "POSTERN_WORKERS": "1",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(PATIENCE)


@pytest.fixture
def proxied(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Proxied]:
    for bundle in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # come before what a session verifies
        monkeypatch.delenv(bundle, raising=False)
    tmp_path.chmod(0o755)
    certificates = Certificates(tmp_path)
    plain, tls, apart, *upstreams = free_ports(5)
    address = f"https://127.0.0.1:{tls}"
    told = replace(
        settings,
        platform=replace(settings.platform, secure_cookies=True, evaluates=False),
        network=replace(
            settings.network,
            hosts="",
            proxies="127.0.0.1/32",
            hops=1,
            certificate_header="Client-Cert",
        ),
    )
    file, of_evaluator = tmp_path / "settings.toml", tmp_path / "evaluator.toml"
    file.write_text(as_toml(told, address))
    evaluates = replace(told.platform, mode="evaluator", evaluates=True)
    of_evaluator.write_text(as_toml(replace(told, platform=evaluates), address))
    with ExitStack() as stack:
        processes = tuple(stack.enter_context(web_process(port, file)) for port in upstreams)
        evaluator = stack.enter_context(web_process(apart, of_evaluator))
        _wait_for([*upstreams, apart], (*processes, evaluator))
        stack.enter_context(
            proxying(tmp_path, certificates, upstreams, plain=plain, tls=tls, evaluator=apart)
        )
        yield Proxied(address, f"http://127.0.0.1:{plain}", certificates, processes, tmp_path)


def test_processes_behind_the_proxy_know_their_clients_and_one_may_die(
    app: Flask, proxied: Proxied
) -> None:
    people = make_exchange(app).people
    made = {}
    with app.app_context(), runtime_of(app).database.transaction() as session:
        for name, bounds in {
            "here": read_bounds(["127.0.0.0/8"]),
            "elsewhere": read_bounds(["192.0.2.0/24"]),
            "certified": read_bounds([], certificate=proxied.certificates.thumbprint),
        }.items():
            made[name] = tokens.create_token(
                session, CONSOLE, people["post-be"].login, scopes=[_SCOPE], days=1, bounds=bounds
            ).text

    def status(name: str, client: str = "", **headers: str) -> int:
        found = proxied.get(ME, client=client, Authorization=f"Bearer {made[name]}", **headers)
        return found.status_code

    # Two of each, so that both processes answer.
    for _ in range(2):
        assert status("here") == 200
        assert status("here", X_Forwarded_For="192.0.2.7") == 200
        assert status("elsewhere") == 401
        assert status("elsewhere", X_Forwarded_For="192.0.2.7") == 401
        assert status("certified", client="client") == 200
        assert status("certified", client="other") == 401
        assert status("certified") == 401
        pem = proxied.certificates.client.read_text().replace("\n", " ")
        assert status("certified", Client_Cert=pem) == 401  # a client's word for it

    secured = proxied.get("/sign-in")
    assert secured.status_code == 200
    assert "max-age" in secured.headers["Strict-Transport-Security"]
    assert "nginx/" not in secured.headers["Server"]
    assert all("Secure" in each for each in [secured.headers.get("Set-Cookie", "Secure")])
    moved = requests.get(proxied.plain + "/x?y=z", allow_redirects=False, timeout=PATIENCE)
    assert (moved.status_code, moved.headers["Location"]) == (308, proxied.address + "/x?y=z")
    assert proxied.get(ME, Host="elsewhere.example").status_code == 421

    large = requests.post(
        proxied.address + "/api/v1/reports",
        data=b"x" * (8 * 2**20 + 1),
        verify=str(proxied.certificates.authority),
        timeout=PATIENCE,
    )
    assert large.status_code == 413
    assert _versions(proxied) == {"TLSv1.2": True, "TLSv1.3": True, "TLSv1.1": False}

    with app.app_context(), runtime_of(app).database.transaction() as session:
        asking = tokens.create_token(
            session, CONSOLE, people["police-de"].login, scopes=[Scope.EVALUATE], days=1
        ).text
    evaluated = requests.post(
        proxied.address + "/api/v1/evaluate",  # the web processes hold no key
        json={
            "kind": "postal",
            "epoch": 1,
            "purpose": "parcel_screening",
            "case": "PV-2024-17",
            "elements": [b64(voprf.blind(b"x")[1])],
        },
        headers={"Authorization": f"Bearer {asking}"},
        verify=str(proxied.certificates.authority),
        timeout=PATIENCE,
    )
    assert evaluated.status_code == 200, evaluated.text

    proxied.processes[0].kill()
    proxied.processes[0].wait(PATIENCE)
    assert [status("here") for _ in range(4)] == [200] * 4
    written = (proxied.folder / "postern.log").read_text()
    assert "127.0.0.1" not in written
    assert "y=z" not in written
    assert "GET 200" in written


def test_an_answer_in_parts_leaves_as_it_comes_and_shows_that_it_broke_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process behind the proxy is this test: it sends on only when the first part arrived."""
    for bundle in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(bundle, raising=False)
    tmp_path.chmod(0o755)
    certificates = Certificates(tmp_path)
    plain, tls = free_ports(2)
    with socket.create_server(("127.0.0.1", 0)) as behind:
        behind.settimeout(PATIENCE)
        port = behind.getsockname()[1]
        with (
            proxying(tmp_path, certificates, [port], plain=plain, tls=tls),
            socket.create_connection(("127.0.0.1", tls), PATIENCE) as bare,
            ssl.create_default_context(cafile=str(certificates.authority)).wrap_socket(
                bare, server_hostname="127.0.0.1"
            ) as client,
        ):
            client.sendall(b"GET /export HTTP/1.1\r\nHost: 127.0.0.1\r\nForwarded: for=x\r\n\r\n")
            served, _ = behind.accept()
            served.settimeout(PATIENCE)
            with served:
                asked = _until(served, b"\r\n\r\n")
                assert b"X-Forwarded-For: 127.0.0.1\r\n" in asked
                assert b"\r\nForwarded:" not in asked
                served.sendall(_HEAD + b"6\r\nfirst\n\r\n")
                arrived = _until(client, b"first\n")
                assert arrived.startswith(b"HTTP/1.1 200")
                served.sendall(b"7\r\nsecond\n\r\n")
                assert b"second\n" in _until(client, b"second\n")
            rest = b""
            while part := client.recv(4096):
                rest += part
            assert b"0\r\n\r\n" not in rest  # no last part: it does not look whole
    assert not [each for each in (tmp_path / "proxy").rglob("*") if each.is_file()]


def _until(connection: socket.socket, mark: bytes) -> bytes:
    found = b""
    while mark not in found:
        part = connection.recv(4096)
        assert part, found
        found += part
    return found


def _versions(proxied: Proxied) -> dict[str, bool]:
    """Which versions of TLS the proxy speaks."""
    port = int(proxied.address.rpartition(":")[2])
    spoken = {}
    for name in ("TLSv1.1", "TLSv1.2", "TLSv1.3"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            version = ssl.TLSVersion[name.replace(".", "_")]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(proxied.certificates.authority)
        try:
            context.set_ciphers("ALL:@SECLEVEL=0")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # that is why it is refused
                context.minimum_version = context.maximum_version = version
            with socket.create_connection(("127.0.0.1", port), PATIENCE) as bare:
                context.wrap_socket(bare, server_hostname="127.0.0.1").close()
        except (ssl.SSLError, OSError):
            spoken[name] = False
        else:
            spoken[name] = True
    return spoken


def _wait_for(ports: list[int], processes: tuple["subprocess.Popen[bytes]", ...]) -> None:
    """Return once each process answers."""
    session = requests.Session()
    retry = requests.adapters.HTTPAdapter(
        max_retries=requests.adapters.Retry(
            connect=_STARTED * 4, backoff_factor=0.25, backoff_max=1
        )
    )
    session.mount("http://", retry)
    for port, process in zip(ports, processes, strict=True):
        assert process.poll() is None
        assert session.get(f"http://127.0.0.1:{port}/health/ready", timeout=_STARTED).ok

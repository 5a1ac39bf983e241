"""Mutual TLS end to end: gunicorn's own TLS, real certificates, and clients that know only those.

`taxii2-client` is used as it is: with the certificate of a token, and without the token's secret.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner
from flask import Flask
from taxii2client.v21 import Collection, Server

from app.access import CONSOLE
from app.accounts import tokens
from app.accounts.token_bounds import read_bounds
from app.config import Settings
from postern.cli import cli
from postern.client import Client
from postern.client_errors import TokenRefusedError
from postern.settings import load, write
from postern.taxii.client import TaxiiClient
from postern.taxii.connection import Access
from tests.app.exchange import make_exchange
from tests.app.exchange_room.taxii_room import BOTH, Taxii
from tests.app.people import runtime_of
from tests.certificates import Certificates
from tests.functional.serving import PATIENCE, ROOT, as_toml

ME = "/api/v1/me"
_STARTED = 90  # seconds that a process may take to start


@dataclass(frozen=True)
class Served:
    """A platform with TLS of its own; `token` is bound to the client's certificate."""

    address: str
    certificates: Certificates
    taxii: Taxii
    token: str

    @property
    def client(self) -> tuple[str, str]:
        return str(self.certificates.client), str(self.certificates.client_key)

    def status(self, text: str, certificate: tuple[Path, Path] | None, **headers: str) -> int:
        """How the token is answered over a connection with a certificate."""
        answer = requests.get(
            self.address + ME,
            headers={"Authorization": f"Bearer {text}", **headers},
            cert=None if certificate is None else (str(certificate[0]), str(certificate[1])),
            verify=str(self.certificates.authority),
            timeout=PATIENCE,
        )
        return answer.status_code


@contextmanager
def serving_tls(settings: Settings, file: Path, certificates: Certificates) -> Iterator[str]:
    """Address of a server process that speaks TLS and takes certificates of the authority."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"https://127.0.0.1:{listening.getsockname()[1]}"
        file.write_text(
            as_toml(settings, address).replace("secure_cookies = false", "secure_cookies = true"),
            encoding="utf-8",
        )
        number = listening.fileno()
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "--config", "config/gunicorn.conf.py"),
                *("--bind", f"fd://{number}", "--workers", "1", "--threads", "2"),
            ],
            cwd=ROOT,
            env={
                **os.environ,
                "POSTERN_CONFIG": str(file),
                "POSTERN_TLS_CERTIFICATE": str(certificates.server),
                "POSTERN_TLS_KEY": str(certificates.server_key),
                "POSTERN_CLIENT_AUTHORITIES": str(certificates.authority),
            },
            pass_fds=[number],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            # The socket listens already: the first request waits until the process has started.
            ready = requests.get(
                f"{address}/health/ready", timeout=_STARTED, verify=str(certificates.authority)
            )
            assert ready.ok
            yield address
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(PATIENCE)


@pytest.fixture
def served(app: Flask, settings: Settings, tmp_path: Path) -> Iterator[Served]:
    certificates = Certificates(tmp_path)
    taxii = Taxii(make_exchange(app), app.test_client())
    bounds = read_bounds(
        ["127.0.0.0/8"], certificate=certificates.thumbprint, certificate_suffices=True
    )
    person = taxii.exchange.people["post-be"]
    with app.app_context(), runtime_of(app).database.transaction() as session:
        made = tokens.create_token(
            session, CONSOLE, person.login, scopes=BOTH, days=1, bounds=bounds
        )
    with serving_tls(settings, tmp_path / "server.toml", certificates) as address:
        yield Served(address, certificates, taxii, made.text)


def test_taxii_with_a_client_certificate_and_nothing_else_opens_with_it(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for bundle in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # come before what a session verifies
        monkeypatch.delenv(bundle, raising=False)
    named, made = served.token[:-43], served.certificates
    server = Server(
        f"{served.address}/taxii2/",
        user="client",
        password=named,
        cert=served.client,
        verify=str(made.authority),
    )
    (root,) = server.api_roots
    (own,) = [each for each in root.collections if each.id == str(served.taxii.own)]
    assert isinstance(own, Collection)
    sent = [served.taxii.party(permitted_action="watch") for _ in range(2)]
    assert own.add_objects({"objects": sent}).success_count == 2
    assert {each["id"] for each in sent} <= {each["id"] for each in own.get_objects()["objects"]}
    ours = TaxiiClient.at(
        f"{served.address}/taxii2/",
        Access(
            user="client",
            password=named,
            ca_file=made.authority,
            certificate_file=made.client,
            key_file=made.client_key,
        ),
    )
    assert str(served.taxii.own) in {each.id for each in ours.every_collection()}
    ours.close()

    client = (made.client, made.client_key)
    assert served.status(served.token, client) == served.status(named, client) == 200
    assert served.status(served.token, None) == 401
    assert served.status(served.token, (made.other, made.other_key)) == 401
    assert served.status(named, (made.other, made.other_key)) == 401
    pem = made.client.read_text().replace("\n", "%0A")
    for header in ("Client-Cert", "X-SSL-Client-Cert", "X-Client-Cert"):
        assert served.status(served.token, None, **{header: pem}) == 401
    with pytest.raises(requests.ConnectionError):
        served.status(served.token, (made.foreign, made.foreign_key))
    with pytest.raises(requests.ConnectionError):
        requests.get(served.address.replace("https://", "http://"), timeout=PATIENCE)

    _commands_show_the_certificate(served, tmp_path)


def _commands_show_the_certificate(served: Served, folder: Path) -> None:
    made, file = served.certificates, folder / "config.toml"
    token_file = folder / "token"
    token_file.write_text(served.token)
    token_file.chmod(0o600)
    write(
        file,
        address=served.address,
        token_file=token_file,
        ca_file=made.authority,
        client_certificate=made.client,
        client_key=made.client_key,
    )
    settings = load(file)
    client = Client.at(
        settings.address,
        token=served.token,
        ca_file=settings.ca_file,
        certificate=settings.certificate,
    )
    assert client.me().organisation.code == "post-be"
    client.close()
    without = Client.at(settings.address, token=served.token, ca_file=settings.ca_file)
    with pytest.raises(TokenRefusedError):
        without.me()
    without.close()
    shown = CliRunner().invoke(cli, ["--config", str(file), "exchange", "collections"])
    assert shown.exit_code == 0, shown.output
    assert str(served.taxii.own) in shown.output

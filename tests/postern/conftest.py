"""A platform on the loopback interface, and a home directory in which a client is set up."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from postern.cli import cli
from postern.client import Client
from postern.key_ring import KeyRing, pin
from postern.settings import VARIABLE
from postern.transport import Transport
from tests.postern.loopback_platform import TOKEN, LoopbackPlatform, serving


@pytest.fixture
def platform() -> Iterator[LoopbackPlatform]:
    with serving(LoopbackPlatform()) as running:
        yield running


@pytest.fixture
def client(platform: LoopbackPlatform) -> Iterator[Client]:
    """A client that does not sleep between attempts."""
    made = Client(Transport(platform.address, token=TOKEN, sleep=lambda _: None))
    yield made
    made.close()


@pytest.fixture
def ring(platform: LoopbackPlatform, client: Client, tmp_path: Path) -> KeyRing:
    """The keys of the platform, pinned as they are at first."""
    pin_file = tmp_path / "pins.json"
    pin_now(platform, pin_file)
    return KeyRing(client, pin_file)


def pin_now(platform: LoopbackPlatform, pin_file: Path) -> None:
    """Pin what the platform publishes, as a person who compared the fingerprint would."""
    pin(json.loads(json.dumps(platform.keys())), platform.fingerprint, pin_file, datetime.now(UTC))


@dataclass(frozen=True)
class Desk:
    """A place where the command is set up: `run` calls it, `home` is its own directory."""

    home: Path
    config: Path
    token_file: Path
    run: Callable[..., Result]

    def write(self, name: str, text: str) -> Path:
        """A file in the home directory."""
        path = self.home / name
        path.write_text(text, encoding="utf-8")
        return path


@pytest.fixture
def bare_desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk with a token and nothing else."""
    home = tmp_path / "desk"
    home.mkdir()
    config = home / "config.toml"
    token_file = home / "token"
    token_file.touch(mode=0o600)
    token_file.write_text(TOKEN + "\n")
    monkeypatch.setenv(VARIABLE, str(config))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    monkeypatch.setattr("postern.transport.PAUSES", ())

    def run(*arguments: object, typed: str = "") -> Result:
        return CliRunner().invoke(cli, [str(each) for each in arguments], input=typed)

    return Desk(home, config, token_file, run)


@pytest.fixture
def desk(bare_desk: Desk, platform: LoopbackPlatform) -> Desk:
    """A desk that is set up for the loopback platform."""
    result = bare_desk.run(
        "init",
        "--address",
        platform.address,
        "--token-file",
        bare_desk.token_file,
        "--fingerprint",
        platform.fingerprint,
    )
    assert result.exit_code == 0, result.output
    return bare_desk

"""A served log, and the premises of a member that verifies it with the command."""

import json
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from postern.cli import cli
from tests.postern.audit.log_builder import MINE, LogBuilder, built
from tests.postern.audit.log_platform import TOKEN, LogPlatform, serving


@dataclass(frozen=True)
class Premises:
    """Where the command is set up; `mirror` is where the copy of the log goes."""

    home: Path
    config: Path
    run: Callable[..., Result]

    @property
    def mirror(self) -> Path:
        return self.home / "config.audit"

    @property
    def receipts(self) -> Path:
        return self.home / "config.receipts.jsonl"

    def confirm(self, log: LogBuilder) -> None:
        """Confirm the keys, as a person who was told the log's key by telephone would."""
        result = self.run("keys", "--accept", "--log-key", str(log.key.verifier))
        assert result.exit_code == 0, result.output

    def report(self, *arguments: object) -> dict[str, Any]:
        """The JSON report of a verification."""
        return json.loads(self.run("verify", "--json", *arguments).stdout)


@pytest.fixture
def log() -> LogBuilder:
    """A log of 90 entries, cosigned a moment ago by the clock of the verifier."""
    made = LogBuilder(clock=int(time.time()) - 3000, page=40)
    return built(3, 30, made)


@pytest.fixture
def served(log: LogBuilder) -> Iterator[LogPlatform]:
    with serving(log) as running:
        yield running


@pytest.fixture
def premises(served: LogPlatform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Premises:
    monkeypatch.setattr("postern.transport.PAUSES", ())
    home = tmp_path / "premises"
    home.mkdir()
    token = home / "token"
    token.touch(mode=0o600)
    token.write_text(TOKEN)
    config = home / "config.toml"
    config.write_text(f'[platform]\naddress = "{served.address}"\ntoken_file = "token"\n')

    def run(*arguments: object) -> Result:
        command = ["--config", str(config), "audit", *(str(each) for each in arguments)]
        return CliRunner().invoke(cli, command)

    return Premises(home, config, run)


def packed(log: LogBuilder, path: Path) -> Path:
    """An export package of the own entries, as the platform makes it."""
    lines = [line for page, _ in log.pages(None, None) for line in page]
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("entries.jsonl", b"".join(lines))
        package.writestr("checkpoint", log.newest())
        package.writestr("keys.json", json.dumps(log.keys()))
        package.writestr("tag-keys.json", json.dumps({"organisation": MINE, "keys": []}))
        for place, row in enumerate(log.rows):
            if MINE in row.fields["aud"]:
                package.writestr(f"proofs/{place}.tlog-proof", log.proof(place))
    return path

"""The page about `postern exchange` speaks of everything that there is, and its example runs."""

import re
from pathlib import Path

import click
import pytest

from postern.cli import cli
from postern.taxii import connection, objects, pulling
from postern.taxii.servers import KEYS
from tests.postern.conftest import Desk
from tests.postern.taxii.loopback_taxii import LoopbackTaxii, indicator

PAGE = (Path(__file__).parents[3] / "docs" / "exchange-client.md").read_text()
EXCHANGE = cli.commands["exchange"]
assert isinstance(EXCHANGE, click.Group)
_MIB = 2**20


@pytest.mark.parametrize(
    "command", ["collections", "find", "objects", "pull", "push", "sighted", "status"]
)
def test_every_option_is_documented(command: str) -> None:
    assert f"`postern exchange {command}" in PAGE
    parameters = EXCHANGE.commands[command].params
    options = [name for each in parameters for name in each.opts if name.startswith("--")]
    assert options
    assert [name for name in options if f"`{name}" not in PAGE] == []


def test_every_key_of_a_server_is_documented() -> None:
    table = PAGE.partition("| key of `[servers.NAME]` |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`([a-z]+(?:_[a-z]+)*)`", table)) >= set(KEYS)


def test_the_limits_are_those_of_the_code() -> None:
    assert f"longer than {connection.LARGEST_PAGE // _MIB} MiB" in PAGE
    assert f"longer than {objects.LARGEST_OBJECT // _MIB} MiB" in PAGE
    assert f"deeper than {objects.DEEPEST} " in PAGE
    assert pulling.OVERLAP == 5 * 60
    assert "last five minutes" in PAGE
    assert len(connection.PAUSES) + 1 == 6
    assert "six times" in PAGE


def test_the_example_in_python_runs(
    desk: Desk,
    taxii: LoopbackTaxii,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taxii.put(indicator(1))
    with desk.config.open("a") as file:
        file.write(f'\n[servers.partner]\naddress = "{taxii.address}"\n')
    monkeypatch.chdir(desk.home)
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(example, "docs/exchange-client.md", "exec"), {})  # noqa: S102 - our own page
    assert capsys.readouterr().out == "Parcels 1\n"

"""The pages about the client speak of everything that it has."""

import re
import shlex
from dataclasses import fields
from pathlib import Path

import click
import pytest

from postern.cli import cli
from postern.columns import FIELDS, IGNORE, PARTIES, PARTY_FIELDS
from postern.commands.terminal import ExitCode
from postern.settings import VARIABLE, Defaults, OwnKeys
from tests.postern.conftest import Desk
from tests.postern.loopback_platform import LoopbackPlatform

DOCS = Path(__file__).parents[2] / "docs"
ON_PREMISES = "disclosures-on-premises"
PAGES = {
    name: (DOCS / f"{name}.md").read_text()
    for name in ("client", "submit", "lookup", "shared", ON_PREMISES)
}


def test_every_setting_of_the_client_is_documented() -> None:
    keys = re.findall(r"^\| `([a-z]+\.[a-z_]+)` \|", PAGES["client"], re.MULTILINE)
    defaults = {f"defaults.{each.name}" for each in fields(Defaults)}
    own_keys = {f"keys.{each.name}" for each in fields(OwnKeys)}
    of_platform = ("address", "token_file", "ca_file", "client_certificate", "client_key")
    platform = {f"platform.{name}" for name in of_platform}
    assert set(keys) == defaults | own_keys | platform
    assert VARIABLE in PAGES["client"]


def test_every_exit_code_is_documented() -> None:
    codes = re.findall(r"^\| ([0-9]+) \|", PAGES["client"], re.MULTILINE)
    assert {int(code) for code in codes} == {*ExitCode, click.UsageError.exit_code}


@pytest.mark.parametrize(
    ("command", "page"),
    [("submit", "submit"), ("lookup", "lookup"), ("shared", "shared"), ("init", "client")],
)
def test_every_option_is_documented(command: str, page: str) -> None:
    options = [
        name
        for parameter in cli.commands[command].params
        for name in parameter.opts
        if name.startswith("--")
    ]
    assert len(options) > 3
    assert [name for name in options if f"`{name}" not in PAGES[page]] == [
        name for name in options if command == "init" and name in {"--address", "--token-file"}
    ]


@pytest.mark.parametrize(
    "command",
    [
        *("attach", "request", "requests", "requests show", "requests ask-back", "requests answer"),
        *("decide", "receive", "recalls", "recalls done", "outcomes", "outcomes tell"),
        *("watch", "watches", "watches show", "subject"),
    ],
)
def test_every_option_of_what_follows_a_hit_is_documented(command: str) -> None:
    found: click.Command = cli
    for word in command.split():
        assert isinstance(found, click.Group)
        found = found.commands[word]
    page = PAGES[ON_PREMISES] + PAGES["lookup"] + PAGES["submit"]
    assert f"`postern {command}" in page or f"\npostern {command}" in page
    options = [name for each in found.params for name in each.opts if name.startswith("--")]
    assert [name for name in options if f"`{name}" not in page] == []


def test_every_field_of_a_file_is_documented() -> None:
    of_parties = {f"{party}_{part}" for party in PARTIES for part in PARTY_FIELDS}
    assert of_parties <= FIELDS
    named = set(re.findall(r"`([a-z_0-9]+)`", PAGES["submit"]))
    assert FIELDS - of_parties - {IGNORE} <= named
    assert f'"{IGNORE}"' in PAGES["submit"]


def test_the_example_in_python_runs(
    desk: Desk, platform: LoopbackPlatform, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGES["client"], re.DOTALL)
    exec(compile(example, "docs/client.md", "exec"), {})  # noqa: S102 - our own page
    assert capsys.readouterr().out == "0 hits\n"
    assert platform.count("/api/v1/lookups") == 1


def test_the_commands_in_the_pages_are_understood(desk: Desk, platform: LoopbackPlatform) -> None:
    file = desk.write("shipments.csv", "phone\n+32475123456\n")
    begun = re.compile(r"^(postern (?:submit|lookup) [^\\\n]*(?:\\\n[^\\\n]*)*)$", re.MULTILINE)
    shown = [*begun.findall(PAGES["submit"]), *begun.findall(PAGES["lookup"])]
    assert len(shown) == 3
    for command in shown:
        words = command.replace("\\\n", " ").replace("shipments.csv", str(file))
        result = desk.run(*shlex.split(words)[1:])
        assert result.exit_code == 0, result.output
    assert len(platform.stored) == 1
    assert platform.count("/api/v1/lookups") == 1

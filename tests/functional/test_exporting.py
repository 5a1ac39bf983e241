"""A file of what others share, over a real socket: whole, or not kept."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result
from python_calamine import CalamineWorkbook

from app.errors import NotAllowedError
from app.indicators import shared
from postern import settings
from postern.cli import cli
from postern.vocabulary import Scope
from tests.app.exchange import OPEN_TO_POLICE, Exchange, place, report
from tests.app.people import bearer
from tests.functional.conftest import Platform

WHY = (
    *("--purpose", "criminal_investigation", "--legal-basis", "criminal_procedure"),
    *("--case", "PV-2026-9"),
)


@pytest.fixture
def sent(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids of what the police may take away, the newest first; a part holds four of them."""
    monkeypatch.setattr(shared, "MOST_EXPORTED", 4)
    exchange.publish("post-be", OPEN_TO_POLICE)
    places = [place(f"BRU-{number}") for number in range(10)]
    (result,) = exchange.submit("post-be", report(uuid4().hex, *places)).results
    return sorted((str(each) for each in result.indicators), reverse=True)


@pytest.fixture
def export(platform: Platform, exchange: Exchange, tmp_path: Path) -> Callable[[str], Result]:
    """Runs the command on a desk of the police; the file lies in `tmp_path`."""
    person = exchange.people["police-de"]
    headers = bearer(platform.app, person, [Scope.INDICATORS_READ])
    token = tmp_path / "token"
    token.write_text(headers["Authorization"].removeprefix("Bearer "))
    token.chmod(0o600)
    config = tmp_path / "config.toml"
    settings.write(config, address=platform.address, token_file=token, ca_file=None)

    def run(name: str) -> Result:
        asked = ["--config", str(config), "shared", *WHY, "--export", str(tmp_path / name)]
        return CliRunner().invoke(cli, asked)

    return run


def ids_of(file: Path) -> list[Any]:
    if file.suffix == ".csv":
        return [row["id"] for row in csv.DictReader(io.StringIO(file.read_text()))]
    if file.suffix == ".xlsx":
        heading, *rows = CalamineWorkbook.from_path(file).get_sheet_by_index(0).to_python()
        return [row[heading.index("id")] for row in rows]
    return [json.loads(line)["indicator"]["id"] for line in file.read_text().splitlines()]


def test_the_command_takes_everything_away_in_each_form(
    exchange: Exchange, sent: list[str], export: Callable[[str], Result], tmp_path: Path
) -> None:
    for name in ("all.csv", "all.xlsx", "all.ndjson"):
        result = export(name)
        assert result.exit_code == 0, result.output
        assert ids_of(tmp_path / name) == sent
    entries = exchange.entries("indicator.export")
    assert [len(entry.details["objects"]) for entry in entries] == [4, 4, 2] * 3


def test_what_breaks_off_is_no_file(
    exchange: Exchange,
    sent: list[str],
    export: Callable[[str], Result],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    give = shared.export_shared

    def give_one_part(*given: Any, **asked: Any) -> shared.Page:
        if asked["cursor"] is not None:
            raise NotAllowedError
        return give(*given, **asked)

    monkeypatch.setattr(shared, "export_shared", give_one_part)
    result = export("all.csv")
    assert result.exit_code == 1
    assert "cut off" in result.output
    assert not (tmp_path / "all.csv").exists()
    entries = exchange.entries("indicator.export")
    assert [entry.details.get("objects") for entry in entries] == [sent[:4], None]
    assert entries[1].details["refusal"] == "not-allowed"

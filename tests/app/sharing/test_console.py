"""The administrator's commands for policies, as they are typed and as they answer."""

import json
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from postern.vocabulary import Sector
from tests.app.people import make_organisation, runtime_of
from tests.app.sharing.world import EVERYTHING_TO_POLICE, POLICIES


@pytest.fixture(autouse=True)
def organisations(app: Flask) -> None:
    make_organisation(runtime_of(app).database, "post-be")
    make_organisation(runtime_of(app).database, "police-de", Sector.POLICE, "DE")


def run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=["policies", *words])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.cedar"
    path.write_text(EVERYTHING_TO_POLICE, "utf-8")
    return path


def test_a_valid_text_is_listed_in_words(app: Flask, file: Path) -> None:
    answer = run(app, "check", str(file))
    assert answer.exit_code == 0
    assert answer.output.splitlines()[1].split(None, 2) == [
        "2",
        "post-be/all-to-police",
        "Police see everything",
    ]
    assert json.loads(run(app, "check", "--json", str(file)).output) == [
        {"line": 2, "id": "post-be/all-to-police", "says": "Police see everything"}
    ]


def test_a_text_that_shares_nothing_is_said_to(app: Flask) -> None:
    answer = run(app, "check", str(POLICIES / "templates" / "nothing.cedar"))
    assert (answer.exit_code, answer.output) == (0, "The policy is valid and shares nothing.\n")


@pytest.mark.parametrize("command", [["check"], ["publish", "post-be"]])
def test_a_faulty_text_is_refused_with_file_line_policy_and_remedy(
    app: Flask, file: Path, command: list[str]
) -> None:
    file.write_text(
        EVERYTHING_TO_POLICE
        + '@id("post-be/x") @label("X")\n'
        + 'permit (principal, action, resource) when { resource.tlp == Tlp::"AMBRE" };',
        "utf-8",
    )
    answer = run(app, *command, str(file))
    assert answer.exit_code == 1
    assert "policy.cedar:4: post-be/x: " in answer.output
    assert "Use one of: CLEAR, GREEN" in answer.output
    assert "shares nothing" in run(app, "show", "post-be").output


def test_a_policy_is_published_and_shown(app: Flask, file: Path) -> None:
    answer = run(app, "publish", "post-be", str(file))
    assert answer.output == "Version 1 of the policy of post-be is in force.\n"
    shown = run(app, "show", "post-be").output
    assert shown.startswith("// Version 1 of post-be, in force since 20")
    assert shown.endswith(EVERYTHING_TO_POLICE.rstrip("\n") + "\n")


def test_an_unknown_organisation_is_told(app: Flask, file: Path) -> None:
    answer = run(app, "publish", "nobody", str(file))
    assert answer.exit_code == 1
    assert "No organisation has this code." in answer.output


def test_a_file_that_is_not_text_is_told(app: Flask, file: Path) -> None:
    file.write_bytes(b"\xff\xfe")
    answer = run(app, "check", str(file))
    assert answer.exit_code == 1
    assert "not UTF-8" in answer.output


def test_a_refill_tells_how_much_was_laid_out(app: Flask) -> None:
    assert run(app, "refill").output == "0 grants laid out.\n"

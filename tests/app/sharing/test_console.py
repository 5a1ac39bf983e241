"""The administrator's commands for policies, as they are typed and as they answer."""

import json
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from app.access import CONSOLE
from app.sharing import service
from postern.vocabulary import Sector
from tests.app.people import make_organisation, runtime_of
from tests.app.sharing.world import EVERYTHING_TO_POLICE


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
    answer = run(app, "check", "post-be", str(file))
    assert answer.exit_code == 0
    assert answer.output.splitlines()[1].split(None, 2) == [
        "2",
        "post-be/all-to-police",
        "Police see everything",
    ]
    assert json.loads(run(app, "check", "--json", "post-be", str(file)).output) == [
        {"line": 2, "id": "post-be/all-to-police", "says": "Police see everything"}
    ]


def test_a_text_that_shares_nothing_is_said_to(app: Flask, file: Path) -> None:
    file.write_text("", "utf-8")
    answer = run(app, "check", "post-be", str(file))
    assert (answer.exit_code, answer.output) == (0, "The policy is valid and shares nothing.\n")


@pytest.mark.parametrize("command", ["check", "publish"])
def test_a_faulty_text_is_refused_with_file_line_policy_and_remedy(
    app: Flask, file: Path, command: str
) -> None:
    file.write_text(
        EVERYTHING_TO_POLICE
        + '@id("post-be/x") @label("X")\n'
        + 'permit (principal, action, resource) when { resource.tlp == Tlp::"AMBRE" };',
        "utf-8",
    )
    answer = run(app, command, "post-be", str(file))
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


@pytest.mark.parametrize("command", ["check", "publish"])
def test_a_text_that_lets_everybody_in_is_refused(app: Flask, file: Path, command: str) -> None:
    file.write_text('@id("post-be/x") @label("X") permit (principal, action, resource);', "utf-8")
    answer = run(app, command, "post-be", str(file))
    assert answer.exit_code == 1
    assert "everybody" in answer.output
    assert "shares nothing" in run(app, "show", "post-be").output


def test_what_an_author_may_not_have_meant_is_a_warning_and_no_refusal(
    app: Flask, file: Path
) -> None:
    file.write_text(EVERYTHING_TO_POLICE.replace("police", "customs"), "utf-8")
    answer = run(app, "check", "--json", "post-be", str(file))
    assert answer.exit_code == 0
    assert answer.stderr.startswith("Warning: policy.cedar:2: post-be/all-to-customs: ")
    assert json.loads(answer.stdout)[0]["id"] == "post-be/all-to-customs"


def test_only_the_first_policy_comes_from_the_console(app: Flask, file: Path) -> None:
    run(app, "publish", "post-be", str(file))
    file.write_text("", "utf-8")
    answer = run(app, "publish", "post-be", str(file))
    assert answer.exit_code == 1
    assert "has a policy already" in answer.output
    assert "second person" in answer.output
    assert run(app, "show", "post-be").output.startswith("// Version 1 of post-be")


def test_versions_are_listed_and_each_can_be_shown(app: Flask) -> None:
    assert run(app, "versions", "post-be").output == "post-be has published no policy.\n"
    with runtime_of(app).database.transaction() as session:
        service.publish(session, CONSOLE, "post-be", EVERYTHING_TO_POLICE)
        service.publish(session, CONSOLE, "post-be", "")
    listed = json.loads(run(app, "versions", "--json", "post-be").output)
    assert [(row["version"], row["state"], row["cause"], row["valid"]) for row in listed] == [
        (2, "in_force", "console", True),
        (1, "past", "console", True),
    ]
    first = run(app, "show", "post-be", "--version", "1").output
    assert first.startswith("// Version 1 of post-be, past, from 20")
    assert first.endswith(EVERYTHING_TO_POLICE.rstrip("\n") + "\n")
    missing = run(app, "show", "post-be", "--version", "3")
    assert (missing.exit_code, "no such version" in missing.output) == (1, True)


def test_an_unknown_organisation_is_told(app: Flask, file: Path) -> None:
    answer = run(app, "publish", "nobody", str(file))
    assert answer.exit_code == 1
    assert "No organisation has this code." in answer.output


def test_a_file_that_is_not_text_is_told(app: Flask, file: Path) -> None:
    file.write_bytes(b"\xff\xfe")
    answer = run(app, "check", "post-be", str(file))
    assert answer.exit_code == 1
    assert "not UTF-8" in answer.output


def test_a_refill_tells_how_much_was_laid_out(app: Flask) -> None:
    assert run(app, "refill").output == "0 grants laid out.\n"

"""The administrator's commands for policies, as they are typed and as they answer."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from app import clock
from app.access import CONSOLE
from app.sharing import service, stored
from app.sharing.policy_text import Fault
from app.sharing.stored import InvalidVersion
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
    assert "no longer valid" not in shown
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
        service.publish(session, CONSOLE, "post-be", EVERYTHING_TO_POLICE + "// As of X\n\n")
        service.publish(session, CONSOLE, "post-be", "// Nothing. \n")
    listed = json.loads(run(app, "versions", "--json", "post-be").output)
    assert [(row["version"], row["state"], row["cause"], row["valid"]) for row in listed] == [
        (2, "in_force", "console", True),
        (1, "past", "console", True),
    ]
    first = run(app, "show", "post-be", "--version", "1").output
    assert first.startswith("// Version 1 of post-be, past, from 20")
    assert first.endswith(EVERYTHING_TO_POLICE + "// As of X\n")
    assert run(app, "show", "post-be").output.endswith("\n// Nothing. \n")
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


def test_a_file_is_read_as_utf_8_whatever_the_system_writes(
    app: Flask, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str | None, ...]] = []
    read_text = Path.read_text

    def noting(path: Path, *encoding: str | None) -> str:
        if path == file:
            asked.append(encoding)
        return read_text(path, *encoding)

    monkeypatch.setattr(Path, "read_text", noting)
    assert run(app, "check", "post-be", str(file)).exit_code == 0
    assert asked == [("utf-8",)]


def test_a_refill_tells_how_much_was_laid_out(app: Flask) -> None:
    assert run(app, "refill").output == "0 grants laid out.\n"


def test_every_command_tells_what_it_does(app: Flask) -> None:
    listed = run(app, "--help").output
    names = re.findall(r"^  ([a-z]\S+)  ", listed, re.MULTILINE)
    assert names == ["check", "check-stored", "publish", "refill", "show", "versions"]


def test_what_is_no_file_is_told(app: Flask, tmp_path: Path) -> None:
    for name, words in (("missing", "does not exist"), ("", "is a directory")):
        answer = run(app, "check", "post-be", str(tmp_path / name))
        assert (answer.exit_code, words in answer.output) == (2, True)


def test_a_version_has_a_number_that_can_be(app: Flask) -> None:
    for version, exit_code, words in (
        (0, 2, "1<=x<=2147483647"),
        (2**31, 2, "1<=x<=2147483647"),
        (1, 1, "no such version"),
        (2**31 - 1, 1, "no such version"),
    ):
        answer = run(app, "show", "post-be", "--version", str(version))
        assert (answer.exit_code, words in answer.output) == (exit_code, True)


def test_a_version_is_told_with_all_that_its_history_has(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2027, 1, 31, 9, 30, 5, tzinfo=UTC))
    with runtime_of(app).database.transaction() as session:
        service.publish(session, CONSOLE, "post-be", EVERYTHING_TO_POLICE)
    assert json.loads(run(app, "versions", "--json", "post-be").output) == [
        {
            "version": 1,
            "state": "in_force",
            "valid_from": "2027-01-31T09:30:05+00:00",
            "cause": "console",
            "author": None,
            "approved_by": None,
            "valid": True,
        }
    ]
    since = "in force since 2027-01-31 09:30:05 UTC"
    assert run(app, "show", "post-be").output.splitlines()[0] == f"// Version 1 of post-be, {since}"
    told = run(app, "show", "post-be", "--version", "1").output.splitlines()[:2]
    assert told[0] == "// Version 1 of post-be, in force, from 2027-01-31 09:30:05 UTC"
    assert not told[1].startswith("//")
    shown = run(app, "show", "police-de").output
    assert shown == "// police-de has published no policy: it shares nothing.\n"


def test_a_refused_text_is_told_fault_by_fault(app: Flask, file: Path) -> None:
    file.write_text("permit (principal, action, resource);\n\nforbid (principal", "utf-8")
    answer = run(app, "publish", "post-be", str(file))
    first, *faults = answer.output.removeprefix("Error: ").splitlines()
    assert first == "The policy text cannot take effect."
    assert [fault.split(": ")[:3] for fault in faults] == [
        ["policy.cedar:1", "policy 1", "it has no usable @id. Write @id(\"your-code/short-name\") "
         "above it"],
        ["policy.cedar:1", "policy 1", "it has no @label, or one of more than 200 characters. "
         "Write @label(\"...\") above it"],
        ["policy.cedar:3", "policy 2", "unexpected end of input. End the policy with a semicolon, "
         "and close every quotation mark and bracket."],
    ]  # fmt: skip


def test_stored_policies_that_are_no_longer_valid_are_listed_whole(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = (
        Fault("post-be/a", 2, "odd", "Correct it."),
        Fault("post-be/b", 7, "odder", "Correct it."),
    )
    found = [InvalidVersion("post-be", 3, True, faults), InvalidVersion("x", 1, False, faults[:1])]
    monkeypatch.setattr(stored, "read_invalid", lambda _session, caller: found if caller else [])
    answer = run(app, "check-stored", "--json")
    assert answer.exit_code == 1
    columns = ("policy", "state", "line", "rule", "reason")
    assert json.loads(answer.stdout) == [
        dict(zip(columns, row, strict=True))
        for row in (
            ("post-be/3", "in_force", 2, "post-be/a", "odd"),
            ("post-be/3", "in_force", 7, "post-be/b", "odder"),
            ("x/1", "scheduled", 2, "post-be/a", "odd"),
        )
    ]
    monkeypatch.setattr(stored, "read_invalid", lambda _session, _caller: [])
    answer = run(app, "check-stored")
    assert (answer.exit_code, answer.output) == (0, "Every stored policy is valid.\n")

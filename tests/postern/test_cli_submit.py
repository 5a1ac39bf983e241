"""`postern submit`, from the command line to the platform."""

import csv
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from postern import submission
from postern.settings import VARIABLE
from postern.vocabulary import EvaluationKind
from tests.postern.conftest import Desk
from tests.postern.loopback_platform import LoopbackPlatform, Reply, problem

REPORTS = "/api/v1/reports"
EVALUATE = "/api/v1/evaluate"
ME = "/api/v1/me"
WHY = ("--purpose", "parcel_screening", "--case", "C-1", "--legal-basis", "postal_law")
OPTIONS = (*WHY, "--learned", "carrier_record", "--workers", "1")
HEADER = "Sender's name;Sender's address;Sender's postcode;Sender's city;Sender's country;Phone"
GOOD = "Jan de Vries;Keizersgracht 12;1015 CS;Amsterdam;NL;+31201234567"
BAD = "Piet Smit;Meir 5;2000;Antwerpen;BE;12"


def file_of(desk: Desk, *rows: str, header: str = HEADER) -> Path:
    return desk.write("in.csv", "\n".join([header, *rows]) + "\n")


def rejected_rows(desk: Desk, delimiter: str = ";") -> list[dict[str, str]]:
    with (desk.home / "in.rejected.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def told(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_every_row_in_is_exit_code_0(desk: Desk, platform: LoopbackPlatform) -> None:
    result = desk.run("submit", file_of(desk, GOOD), *OPTIONS)
    assert result.exit_code == 0, result.output
    assert "created    1" in result.stdout
    assert len(platform.stored) == 1
    (body,) = platform.sent_to(REPORTS)
    (report,) = body["reports"]
    assert report["shipment"] == {"origin_country": "NL"}
    assert {each["kind"] for each in report["indicators"]} == {"party", "phone"}
    assert {each["learned"] for each in report["indicators"]} == {"carrier_record"}


def test_nothing_clear_leaves_or_is_printed(desk: Desk, platform: LoopbackPlatform) -> None:
    result = desk.run("submit", file_of(desk, GOOD, BAD), *OPTIONS)
    sent = json.dumps(platform.bodies) + result.output
    sent += (desk.home / "in.csv.journal").read_text()
    for clear in ("Vries", "vries", "Keizersgracht", "keizer", "1015", "201234567", "Piet", "Meir"):
        assert clear not in sent


def test_a_rejected_row_comes_back_with_its_line_and_the_others_go_in(
    desk: Desk, platform: LoopbackPlatform
) -> None:
    result = desk.run("submit", file_of(desk, GOOD, BAD, GOOD), *OPTIONS, "--json")
    assert result.exit_code == 3
    counts = told(result)
    assert (counts["rows"], counts["created"], counts["existing"], counts["rejected"]) == (
        3,
        2,
        0,
        1,
    )
    (row,) = rejected_rows(desk)
    assert row["Sender's name"] == "Piet Smit"
    assert row["postern_line"] == "3"
    assert row["postern_field"] == "phone"
    assert "between 6 and 15 digits" in row["postern_reason"]
    assert row["postern_remedy"]


def test_a_corrected_rejected_file_is_submitted_as_it_is(
    desk: Desk, platform: LoopbackPlatform
) -> None:
    desk.run("submit", file_of(desk, GOOD, BAD), *OPTIONS)
    rejected = desk.home / "in.rejected.csv"
    corrected = rejected.read_text(encoding="utf-8").replace(";12;", ";+3232123456;")
    rejected.write_text(corrected, encoding="utf-8")
    result = desk.run("submit", rejected, *OPTIONS, "--json")
    assert result.exit_code == 0, result.output
    assert told(result)["unused_columns"] == []
    assert len(platform.stored) == 2


def test_a_finished_file_is_not_submitted_twice(desk: Desk, platform: LoopbackPlatform) -> None:
    file = file_of(desk, GOOD, BAD)
    desk.run("submit", file, *OPTIONS)
    again = desk.run("submit", file, *OPTIONS, "--json")
    assert again.exit_code == 3
    assert "2 rows done, 0 left" in again.stderr
    assert told(again)["created"] == 1
    assert len(platform.stored) == 1
    assert len(rejected_rows(desk)) == 1


def test_a_new_run_is_asked_for_and_overwrites_no_corrections(
    desk: Desk, platform: LoopbackPlatform
) -> None:
    file = file_of(desk, GOOD, BAD)
    desk.run("submit", file, *OPTIONS)
    again = desk.run("submit", file, *OPTIONS, "--new-run", "--json")
    assert len(platform.stored) == 2
    assert told(again)["rejected_file"].endswith("in.rejected-2.csv")
    assert (desk.home / "in.rejected.csv").exists()


def test_a_file_that_was_changed_since_is_refused(desk: Desk, platform: LoopbackPlatform) -> None:
    desk.run("submit", file_of(desk, GOOD, BAD), *OPTIONS)
    result = desk.run("submit", file_of(desk, GOOD, GOOD), *OPTIONS)
    assert result.exit_code == 1
    assert "was changed since its run began; 2 rows" in result.stderr
    assert "--new-run" in result.stderr
    assert len(platform.stored) == 1


def test_other_options_do_not_go_on_with_a_run(desk: Desk, platform: LoopbackPlatform) -> None:
    file = file_of(desk, GOOD)
    desk.run("submit", file, *OPTIONS)
    result = desk.run("submit", file, *OPTIONS, "--tlp", "RED")
    assert result.exit_code == 1
    assert "began with other options" in result.stderr


def test_a_dry_run_needs_no_settings_and_sends_nothing(
    bare_desk: Desk, platform: LoopbackPlatform
) -> None:
    file = file_of(bare_desk, GOOD, BAD)
    result = bare_desk.run(
        "submit", file, "--dry-run", "--learned", "xray", "--legal-basis", "postal_law"
    )
    assert result.exit_code == 3
    assert "nothing was sent" in result.stdout
    assert "Line 3, phone" in result.stdout
    assert "EK*P" in result.stdout
    assert "Vries" not in result.output
    assert not platform.calls
    assert not list(bare_desk.home.glob("*.journal"))


def test_a_dry_run_as_json_adds_up(bare_desk: Desk) -> None:
    header = HEADER + ";Lane;Remarks;Country of origin;Net weight"
    file = file_of(bare_desk, f"{GOOD};x;y;CN;500", f"{BAD};x;y;CN;1", header=header)
    options = ("--dry-run", "--json", "--learned", "xray", "--legal-basis", "postal_law")
    found = told(bare_desk.run("submit", file, *options))
    assert found["rows"] == found["usable"] + found["rejected"] == 2
    assert found["indicators"] == [
        {"kind": "party", "role": "sender", "rows": 1},
        {"kind": "phone", "role": "unknown", "rows": 1},
    ]
    assert found["evaluations_at_most"] == {"postal": 16, "phone": 1}
    assert found["doubts"] == {"weight_without_unit": 1}
    assert found["first_faults"][0]["line"] == 3
    assert found["unused_columns"] == [
        "Lane",
        "Country of origin (of the goods, not of the shipment)",
        "Remarks (free text goes sealed or not at all: give --key-file)",
    ]
    assert found["sealed"] is False


def test_columns_that_are_not_used_are_named(desk: Desk) -> None:
    file = file_of(desk, f"{GOOD};secret;secret", header=f"{HEADER};Lane;Remarks")
    result = desk.run("submit", file, *OPTIONS)
    assert "Columns that are not used: Lane, Remarks (free text goes sealed" in result.stdout
    assert "secret" not in result.output


def test_a_column_file_names_columns(desk: Desk, platform: LoopbackPlatform) -> None:
    columns = desk.write("columns.toml", '[columns]\n"Klant" = "email"\n')
    file = file_of(desk, "someone@mail.example", header="Klant")
    result = desk.run("submit", file, *OPTIONS, "--columns", columns)
    assert result.exit_code == 0, result.output
    assert platform.evaluated == {"email": 1}


def test_a_file_without_a_known_column_is_refused(desk: Desk) -> None:
    result = desk.run("submit", file_of(desk, "x", header="Remarks"), *OPTIONS)
    assert result.exit_code == 1
    assert "--columns" in result.stderr


def test_windows_1252_is_read_with_a_notice(desk: Desk, platform: LoopbackPlatform) -> None:
    path = desk.home / "in.csv"
    path.write_bytes("Name;Street;Postcode\nJosé;Rue Haute 5;1000\n".encode("windows-1252"))
    result = desk.run("submit", path, *OPTIONS)
    assert result.exit_code == 0
    assert "windows-1252" in result.stderr


@pytest.mark.parametrize(
    ("left_out", "option"),
    [("--purpose", "--purpose"), ("--case", "--case"), ("--learned", "--learned")],
)
def test_what_is_needed_is_asked_for_before_anything_is_sent(
    desk: Desk, platform: LoopbackPlatform, left_out: str, option: str
) -> None:
    place = OPTIONS.index(left_out)
    result = desk.run("submit", file_of(desk, GOOD), *OPTIONS[:place], *OPTIONS[place + 2 :])
    assert result.exit_code == 2
    assert f"{option} is missing" in result.stderr
    assert not platform.evaluated


def test_defaults_of_the_settings_stand_for_options(desk: Desk, platform: LoopbackPlatform) -> None:
    before, _, defaults = desk.config.read_text().partition("[defaults]")
    desk.config.write_text(f"{before}[defaults]{defaults.replace('# ', '')}")
    result = desk.run("submit", file_of(desk, GOOD), "--workers", "1")
    assert result.exit_code == 0, result.output
    (body,) = platform.sent_to(REPORTS)
    assert body["reports"][0]["indicators"][0]["tlp"] == "AMBER"
    assert platform.sent_to(EVALUATE)[0]["case"] == "CASE-REFERENCE"


def test_options_become_the_terms_of_every_indicator(
    desk: Desk, platform: LoopbackPlatform
) -> None:
    result = desk.run(
        *("submit", file_of(desk, GOOD), *OPTIONS, "--tlp", "red", "--handling", "H1"),
        *("--handling", "H0", "--grade", "B2", "--subject", "unwitting", "--assertion", "fact"),
        *("--permitted-action", "watch", "--expires-in", "30", "--barrier-step", "5"),
    )
    assert result.exit_code == 0, result.output
    (report,) = platform.sent_to(REPORTS)[0]["reports"]
    indicator = report["indicators"][0]
    assert report["barrier_step"] == 5
    assert indicator["handling"] == ["H0", "H1"]
    assert (indicator["source_grade"], indicator["information_grade"]) == ("B", "2")
    assert indicator["subject_category"] == "unwitting"
    assert indicator["tlp"] == "RED"
    assert indicator["expires_on"] > indicator.get("observed_from", "2026")


def test_induction_points_need_a_network(desk: Desk, platform: LoopbackPlatform) -> None:
    file = file_of(desk, "BRU-1", header="Office of origin")
    missing = desk.run("submit", file, *OPTIONS)
    assert missing.exit_code == 2
    assert "--operator" in missing.stderr
    result = desk.run("submit", file, *OPTIONS, "--operator", "Example Post", "--country", "be")
    assert result.exit_code == 0, result.output
    indicator = platform.sent_to(REPORTS)[0]["reports"][0]["indicators"][0]
    assert indicator["place"] == {"operator": "Example Post", "code": "BRU-1", "country": "BE"}
    assert "elements" not in indicator
    assert not platform.evaluated


@pytest.mark.parametrize(
    ("option", "value"),
    [("--tlp", "PINK"), ("--grade", "Z9"), ("--workers", "0"), ("--expires-in", "0")],
)
def test_a_wrong_option_is_exit_code_2(desk: Desk, option: str, value: str) -> None:
    result = desk.run("submit", file_of(desk, GOOD), *OPTIONS, option, value)
    assert result.exit_code == 2
    assert option in result.stderr


@pytest.mark.parametrize(
    ("path", "reply", "words"),
    [
        (ME, problem(401, "sign-in-needed"), "expired or revoked"),
        (EVALUATE, problem(403, "not-allowed"), "does not allow"),
        (EVALUATE, problem(429, "quota-spent"), "--wait"),
        (EVALUATE, Reply(503, b""), "failed with 503"),
        (EVALUATE, problem(422, "invalid-request"), "refused the request (422)"),
        (REPORTS, problem(500, "unexpected-error"), "failed with 500"),
        (REPORTS, Reply(200, b"{"), "cannot be read"),
    ],
)
def test_an_error_is_told_and_the_run_goes_on_later(
    desk: Desk, platform: LoopbackPlatform, path: str, reply: Reply, words: str
) -> None:
    file = file_of(desk, GOOD)
    platform.replies[path] = [reply] * 6
    failed = desk.run("submit", file, *OPTIONS)
    assert failed.exit_code == 1
    assert words in failed.stderr
    assert "Traceback" not in failed.output
    platform.replies.clear()
    again = desk.run("submit", file, *OPTIONS)
    assert again.exit_code == 0, again.output
    assert len(platform.stored) == 1


def test_a_token_without_the_scope_is_told_before_evaluations_are_spent(
    desk: Desk, platform: LoopbackPlatform
) -> None:
    platform.me["scopes"] = ["evaluate"]
    result = desk.run("submit", file_of(desk, GOOD), *OPTIONS)
    assert result.exit_code == 1
    assert "reports:write" in result.stderr
    assert not platform.evaluated


def test_a_forged_evaluation_stops_the_run(desk: Desk, platform: LoopbackPlatform) -> None:
    platform.forges_proofs = True
    result = desk.run("submit", file_of(desk, GOOD), *OPTIONS)
    assert result.exit_code == 1
    assert "no valid proof" in result.stderr
    assert "operator" in result.stderr
    assert not platform.sent_to(REPORTS)


def test_changed_keys_stop_the_run_before_anything_is_sent(
    desk: Desk, platform: LoopbackPlatform
) -> None:
    platform.published[EvaluationKind.POSTAL] = 2
    desk.run("check")
    platform.published[EvaluationKind.POSTAL] = 1
    result = desk.run("submit", file_of(desk, GOOD), *OPTIONS)
    assert result.exit_code == 1
    assert "postern keys accept" in result.stderr
    assert not platform.sent_to(EVALUATE)


def test_a_directory_that_cannot_be_written_has_its_journal_elsewhere(
    desk: Desk, platform: LoopbackPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = file_of(desk, GOOD, BAD)
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != file.parent and real(path, mode))
    result = desk.run("submit", file, *OPTIONS, "--json")
    assert result.exit_code == 3
    assert told(result)["journal"].startswith(str(desk.home / "state" / "postern"))
    assert told(result)["rejected_file"].startswith(str(desk.home / "state" / "postern"))


def test_a_run_that_is_killed_goes_on_without_a_row_lost_or_doubled(
    desk: Desk, platform: LoopbackPlatform, tmp_path: Path
) -> None:
    rows = [f"+3247{number:07}" for number in range(3 * submission.BATCH)]
    rows[5] = rows[submission.BATCH + 5] = "12"
    file = file_of(desk, *rows, header="Phone")
    reached, go_on = threading.Event(), threading.Event()
    real = platform.answer

    def answer(method: str, path: str, body: Any) -> Reply:
        reply = real(method, path, body)
        if path == REPORTS and platform.count(REPORTS) == 2:
            reached.set()  # the second batch is stored, but its answer never arrives
            go_on.wait(60)
        return reply

    platform.answer = answer  # type: ignore[method-assign]
    command = [sys.executable, "-c", "from postern.cli import main; main()"]
    environment = {**os.environ, VARIABLE: str(desk.config)}
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [*command, "submit", str(file), *OPTIONS],
        env=environment,
        cwd=root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as running:
        assert reached.wait(60)
        running.send_signal(signal.SIGKILL)
        running.wait()
    go_on.set()
    platform.answer = real  # type: ignore[method-assign]
    result = desk.run("submit", file, *OPTIONS, "--json")
    assert result.exit_code == 3, result.output
    counts = told(result)
    assert counts["rows"] == len(rows)
    assert counts["created"] == 2 * submission.BATCH - 1
    assert counts["existing"] == submission.BATCH - 1
    assert counts["rejected"] == 2
    assert len(platform.stored) == len(rows) - 2
    assert [row["postern_line"] for row in rejected_rows(desk, ",")] == ["7", "207"]


def test_workers_end_with_a_parent_that_is_killed(desk: Desk, platform: LoopbackPlatform) -> None:
    rows = [f"+3247{number:07}" for number in range(12 * submission.BATCH)]
    file = file_of(desk, *rows, header="Phone")
    reached, go_on = threading.Event(), threading.Event()
    real = platform.answer

    def answer(method: str, path: str, body: Any) -> Reply:
        if path == EVALUATE and platform.count(EVALUATE) == 11:
            reached.set()
            go_on.wait(60)
        return real(method, path, body)

    platform.answer = answer  # type: ignore[method-assign]
    command = [sys.executable, "-c", "from postern.cli import main; main()"]
    with subprocess.Popen(
        [*command, "submit", str(file), *OPTIONS[:-1], "2"],
        env={**os.environ, VARIABLE: str(desk.config)},
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as running:
        assert reached.wait(60)
        running.send_signal(signal.SIGKILL)
        go_on.set()
        running.communicate(timeout=60)  # ends only when no worker holds the pipe any more
    assert running.returncode == -signal.SIGKILL

"""`postern shared`, from the command line to the platform."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.postern.conftest import Desk
from tests.postern.loopback_platform import ORGANISATION, LoopbackPlatform, Reply, problem

INDICATORS = "/api/v1/indicators"
WHY = ("--purpose", "criminal_intelligence", "--case", "C 7/é", "--legal-basis", "police_law")


def record(number: int = 1, **fields: Any) -> dict[str, Any]:
    """An indicator as the platform lists it."""
    indicator = {
        "id": f"018f0000-0000-7000-8000-{number:012}",
        "kind": "party",
        "role": "sender",
        "observed_from": "2026-11-01",
        "observed_to": "2026-11-03",
        "tlp": "AMBER",
        "handling": ["H2"],
        "permitted_action": "watch",
        "source_grade": "B",
        "information_grade": "2",
    }
    return {
        "organisation": ORGANISATION,
        "level": "metadata",
        "indicator": indicator | fields,
        "report": {"id": "018f0000-0000-7000-8000-00000000ffff", "barrier_step": 4},
    }


def test_what_others_share_is_shown_with_its_conditions(
    desk: Desk, platform: LoopbackPlatform
) -> None:
    platform.shared = [record(role="sender \x1b[2J")]
    result = desk.run("shared", *WHY)
    assert result.exit_code == 0, result.output
    shown = " ".join(result.stdout.split())
    assert "Post of Example (post-be)" in shown
    assert "2026-11-01 to 2026-11-03" in shown
    assert "TLP:AMBER, H2, may: watch, grade B2" in shown
    assert record()["indicator"]["id"] in shown
    assert "1 record shared with you." in shown
    assert "\x1b" not in result.stdout


def test_grounds_and_filters_are_sent(desk: Desk, platform: LoopbackPlatform) -> None:
    result = desk.run(
        *("shared", *WHY, "--owner", "post-be", "--kind", "vendor", "--role", "vendor"),
        *("--barrier-step", "4", "--substance", "mdma", "--tlp", "amber"),
        *("--seen-since", "2026-11-01"),
    )
    assert "0 records shared with you." in result.stdout
    ((path, asked),) = platform.asked
    assert path == INDICATORS
    assert asked == {
        "purpose": "criminal_intelligence",
        "legal_basis": "police_law",
        "case": "C 7/é",
        "owner": "post-be",
        "kind": "vendor",
        "role": "vendor",
        "barrier_step": "4",
        "substance": "mdma",
        "tlp": "AMBER",
        "seen_since": "2026-11-01",
        "limit": "200",
    }


def test_all_pages_are_fetched_as_json_lines(desk: Desk, platform: LoopbackPlatform) -> None:
    platform.shared = [record(number) for number in range(450)]
    result = desk.run("shared", *WHY, "--json")
    assert [json.loads(line) for line in result.stdout.splitlines()] == platform.shared
    assert [asked.get("cursor") for _, asked in platform.asked] == [None, "200", "400"]
    assert result.stderr == ""


def test_it_stops_at_most_and_says_that_there_are_more(
    desk: Desk, platform: LoopbackPlatform
) -> None:
    platform.shared = [record(number) for number in range(450)]
    result = desk.run("shared", *WHY, "--most", "250", "--json")
    assert len(result.stdout.splitlines()) == 250
    assert [asked["limit"] for _, asked in platform.asked] == ["200", "50"]
    assert "There are more." in result.stderr


def test_counts_are_shown_and_added_up(desk: Desk, platform: LoopbackPlatform) -> None:
    platform.counts = [
        {"organisation": "post-be", "kind": "party", "barrier_step": 4, "indicators": 1200},
        {"organisation": "post-be", "kind": "vendor", "barrier_step": None, "indicators": 1},
    ]
    result = desk.run("shared", *WHY, "--counts", "--owner", "post-be")
    assert "1,201 records shared with you." in result.stdout
    assert "1,200" in result.stdout
    ((path, asked),) = platform.asked
    assert (path, asked["owner"]) == (f"{INDICATORS}/counts", "post-be")
    lines = desk.run("shared", *WHY, "--counts", "--json").stdout.splitlines()
    assert [json.loads(line) for line in lines] == platform.counts


def test_a_token_without_the_scope_asks_nothing(desk: Desk, platform: LoopbackPlatform) -> None:
    platform.me["scopes"] = ["evaluate", "lookups:write"]
    result = desk.run("shared", *WHY)
    assert result.exit_code == 1
    assert "indicators:read" in result.stderr
    assert platform.asked == []


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (problem(422, "invalid-request"), "It is invalid-request."),
        (Reply(200, {"indicators": [{}], "next": None}), "indicators.0"),
        (Reply(200, {"indicators": [record()], "next": 7}), "next"),
    ],
)
def test_a_refusal_or_a_strange_answer_is_told(
    desk: Desk, platform: LoopbackPlatform, reply: Reply, words: str
) -> None:
    platform.replies[INDICATORS] = [reply]
    result = desk.run("shared", *WHY)
    assert result.exit_code == 1
    assert words in result.stderr


def test_without_a_case_nothing_is_asked(desk: Desk, platform: LoopbackPlatform) -> None:
    result = desk.run("shared", "--purpose", "risk_analysis", "--legal-basis", "public_task")
    assert result.exit_code == 2
    assert "--case" in result.stderr
    assert (platform.asked, platform.count("/api/v1/me")) == ([], 0)


@pytest.mark.parametrize(
    ("name", "form"),
    [("a.csv", "csv"), ("a.ndjson", "ndjson"), ("a.JSONL", "ndjson"), ("a.xlsx", "xlsx")],
)
def test_everything_is_taken_away_as_a_file_of_the_form_of_its_name(
    desk: Desk, platform: LoopbackPlatform, tmp_path: Path, name: str, form: str
) -> None:
    content = b"a file\r\n" * 300_000
    platform.replies[f"{INDICATORS}/export"] = [Reply(200, content)]
    file = tmp_path / name
    result = desk.run("shared", *WHY, "--owner", "post-be", "--export", str(file))
    assert result.exit_code == 0, result.output
    assert file.read_bytes() == content
    assert file.stat().st_mode & 0o777 == 0o600
    assert "2,400,000 bytes" in result.stdout
    assert "expires_on" in result.stderr
    ((_, asked),) = platform.asked
    assert (asked["format"], asked["owner"], asked["case"]) == (form, "post-be", "C 7/é")
    assert "limit" not in asked


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (problem(422, "invalid-request"), "It is invalid-request."),
        (Reply(200, b"half", {"Content-Length": "400"}), "cut off"),
    ],
)
def test_a_file_that_did_not_arrive_whole_is_not_kept_nor_asked_for_again(
    desk: Desk, platform: LoopbackPlatform, tmp_path: Path, reply: Reply, words: str
) -> None:
    platform.replies[f"{INDICATORS}/export"] = [reply]
    result = desk.run("shared", *WHY, "--export", str(tmp_path / "new" / "a.csv"))
    assert result.exit_code == 1
    assert words in result.stderr
    assert list((tmp_path / "new").iterdir()) == []
    assert len(platform.asked) == 1


@pytest.mark.parametrize("name", ["a.pdf", "there.csv"])
def test_a_name_that_cannot_be_taken_is_refused_before_anything_is_asked(
    desk: Desk, platform: LoopbackPlatform, tmp_path: Path, name: str
) -> None:
    (tmp_path / "there.csv").write_text("mine")
    result = desk.run("shared", *WHY, "--export", str(tmp_path / name))
    assert result.exit_code == 2
    assert "--export" in result.stderr
    assert (platform.asked, (tmp_path / "there.csv").read_text()) == ([], "mine")


def test_a_file_that_cannot_be_written_is_told(
    desk: Desk, platform: LoopbackPlatform, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    result = desk.run("shared", *WHY, "--export", str(tmp_path / "file" / "a.csv"))
    assert result.exit_code == 1
    assert "The file cannot be written" in result.stderr
    assert platform.asked == []

"""Shared patterns in a folder, and what is told of them."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.postern.conftest import Desk
from tests.postern.loopback_platform import LoopbackPlatform, serving
from tests.postern.patterns.examples import row_rule
from tests.postern.screening_platform import ScreeningPlatform

GIFT = row_rule("gift: {declared_category: gift}", "gift", number=1)
TEA = row_rule("tea: {'contents|words': tea}", "tea", number=2)


def today() -> date:
    """The day when it is asked for: a run of the tests can pass midnight."""
    return datetime.now(UTC).date()


def pattern(number: int, text: str, version: int = 1, **more: Any) -> dict[str, Any]:
    digest = hashlib.sha256(text.encode()).hexdigest()
    told = {"id": f"018f-{number}", "version": version, "sha256": digest, "text": text}
    return {**told, "title": f"Pattern {number}", "organisation": "post-nl", **more}


@pytest.fixture
def platform() -> Iterator[LoopbackPlatform]:
    with serving(ScreeningPlatform(patterns=[pattern(1, GIFT), pattern(2, TEA)])) as running:
        yield running


@pytest.fixture
def sharing(platform: LoopbackPlatform) -> ScreeningPlatform:
    assert isinstance(platform, ScreeningPlatform)
    return platform


def texts(desk: Desk) -> set[str]:
    return {path.read_text() for path in (desk.home / "shared").glob("*.yml")}


def test_the_folder_follows_what_is_subscribed(desk: Desk, sharing: ScreeningPlatform) -> None:
    folder = desk.home / "shared"
    assert "2 patterns written" in desk.run("patterns", "fetch", folder).stdout
    assert texts(desk) == {GIFT, TEA}
    own = folder / "own.yml"
    own.write_text("# ours")
    newer = GIFT.replace("level: high", "level: low")
    sharing.patterns = [pattern(1, newer, version=2)]
    result = desk.run("patterns", "fetch", folder)
    assert "1 pattern written, 0 unchanged, 1 removed." in result.stdout
    assert texts(desk) == {newer, "# ours"}
    assert "0 patterns written, 1 unchanged" in desk.run("patterns", "fetch", folder).stdout


def test_a_text_of_another_digest_or_of_no_rule_is_not_kept(
    desk: Desk, sharing: ScreeningPlatform
) -> None:
    folder = desk.home / "shared"
    desk.run("patterns", "fetch", folder)
    sharing.patterns = [
        pattern(1, GIFT, version=2, sha256="0" * 64),
        pattern(2, "format: parcel-pattern/2\n", version=2),
        pattern(3, f"{GIFT}---\n{TEA}"),
    ]
    result = desk.run("patterns", "fetch", folder)
    assert result.exit_code == 3
    assert "not the one of its digest" in result.stderr
    assert "not one rule" in result.stderr
    assert texts(desk) == set()


def test_the_counts_of_a_day_are_added_up_and_told(desk: Desk, sharing: ScreeningPlatform) -> None:
    folder = desk.home / "shared"
    desk.run("patterns", "fetch", folder)
    own = desk.write("own.yml", row_rule("all: {'item_id|exists': yes}", "all", number=9))
    for name, rows in (("one", "A,gift\nB,gift\n"), ("two", "C,documents\n")):
        lines = (f"{line},2026-11-01\n" for line in rows.splitlines())
        path = desk.write(f"{name}.csv", f"item_id,declared_category,posted_on\n{''.join(lines)}")
        result = desk.run("screen", path, "--patterns", folder, "--patterns", own)
        assert result.exit_code == 0, result.output
    results = [desk.home / f"{name}.csv-hits" for name in ("one", "two")]
    yesterday = today() - timedelta(days=1)
    told = desk.run("patterns", "tell", *results, "--patterns", folder, "--day", yesterday)
    assert told.stdout == "Told of 2 shared patterns.\n"
    common = {"version": 1, "day": str(yesterday), "parcels": 3}
    assert sharing.sent_to("/api/v1/patterns/018f-1/runs") == [{**common, "hits": 2}]
    assert sharing.sent_to("/api/v1/patterns/018f-2/runs") == [{**common, "hits": 0}]

    # A version that is fetched later is not taken for the one that was screened with.
    sharing.patterns = [pattern(1, GIFT.replace("level: high", "level: low"), version=2)]
    desk.run("patterns", "fetch", folder)
    told = desk.run("patterns", "tell", *results, "--patterns", folder)
    assert (told.stdout, told.exit_code) == ("Told of 2 shared patterns.\n", 0)
    assert [each["version"] for each in sharing.sent_to("/api/v1/patterns/018f-1/runs")] == [1, 1]
    # Nor is a text that was changed here.
    (file,) = folder.glob("*.yml")
    file.write_text(f"{file.read_text()}# ours\n")
    desk.run("screen", desk.home / "two.csv", "--patterns", folder)
    told = desk.run("patterns", "tell", results[1], "--patterns", folder)
    assert (told.stdout, told.exit_code) == ("Told of 0 shared patterns.\n", 3)
    assert "none that was fetched" in told.stderr


def test_outcomes_are_told_in_numbers(desk: Desk, sharing: ScreeningPlatform) -> None:
    args = ("patterns", "outcome", "018f-1", "--version", 2)
    result = desk.run(*args, "--found", 3, "--not-found", 4, "--wrong", 1)
    assert result.exit_code == 0, result.output
    assert sharing.sent_to("/api/v1/patterns/018f-1/outcomes") == [
        {
            "version": 2,
            "day": str(today()),
            "examined": 8,
            "found": 3,
            "not_found": 4,
            "wrong": 1,
        }
    ]
    assert "Nothing was examined" in desk.run(*args).stderr
    assert "still to come" in desk.run(*args, "--day", today() + timedelta(days=2)).stderr


def test_results_and_a_folder_have_to_be_there(desk: Desk) -> None:
    folder = desk.home / "shared"
    folder.mkdir()
    assert "patterns fetch" in desk.run("patterns", "tell", folder, "--patterns", folder).stderr
    desk.run("patterns", "fetch", folder)
    assert "postern screen" in desk.run("patterns", "tell", folder, "--patterns", folder).stderr
    listed = json.loads((folder / "subscribed.json").read_text())
    listed["patterns"][0]["file"] = "../config.toml"
    (folder / "subscribed.json").write_text(json.dumps(listed))
    result = desk.run("patterns", "fetch", folder)
    assert result.exit_code == 1
    assert desk.config.exists()

"""`postern screen` and `postern patterns`, from the command line to the files they leave."""

# ruff: noqa: S608, E501 - statements of our own names; a manifest is easier to read as it is

import csv
import json
import re
import signal
import stat
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from postern.cli import cli
from postern.duckdb_engine import Engine, literal
from postern.patterns.words import LANGUAGES
from tests.postern.patterns.examples import DOCUMENT, changed, group_rule, row_rule
from tests.postern.patterns.test_reading import FILTER

MANIFEST = """\
item_id,account,posted_on,origin_country,declared_category,net_weight_g,contents,sender_name,addressee_name
=A,K-1,2026-11-01,NL,documents,200,papers,Jansen,Pieters
B,,2026-11-02,NL,documents,200,papers,Jansen,Roux
C,,2026-11-03,NL,documents,300,papers,Jansen,Meyer
D,,2026-11-04,NL,gift,300,<b>tea</b>,Jansen,Meyer
E,,2026-11-05,NL,gift,3x0,toys,Jansen,Meyer
"""
GROUP = group_rule(
    "docs: {declared_category: documents}",
    "docs",
    "by: [origin_country, sender]\nwithin: 7d\nhaving: {'count|gte': 2, 'addressee|distinct|gte': 2}",
    number=1,
)
ROW = row_rule("tea: {'contents|words': tea}", "tea", number=2, level="low")


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with a manifest and two rules."""
    (tmp_path / "m.csv").write_text(MANIFEST)
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "group.yml").write_text(GROUP.replace("Documents from one area", "Fan-out"))
    (rules / "row.yaml").write_text(ROW.replace("Documents from one area", "Tea & more"))
    return tmp_path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(each) for each in arguments])


def screened(desk: Path, *more: object) -> Path:
    result = run("screen", desk / "m.csv", "--patterns", desk / "rules", *more)
    assert result.exit_code == 0, result.output
    return desk / "m.csv-hits"


def test_a_manifest_is_screened_into_four_files(desk: Path, tmp_path: Path) -> None:
    out = screened(desk)
    told = json.loads((out / "hits.json").read_text())
    assert [(hit["rank"], hit["line"], hit["item_id"], hit["score"]) for hit in told["hits"]] == [
        *((1, 2, "=A", 0.5), (2, 3, "B", 0.5), (3, 4, "C", 0.5)),
        (4, 5, "D", 0.1),
    ]
    assert told["hits"][0]["patterns"][0]["reason"] == (
        "declared category: documents; in the 7 days to 2026-11-03: parcels: 3 and different values "
        "of addressee: 3"
    )
    assert {each["title"]: each["hits"] for each in told["patterns"]} == {
        "Fan-out": 3,
        "Tea & more": 1,
    }
    rows = list(csv.DictReader((out / "hits.csv").read_text("utf-8-sig").splitlines()))
    assert rows[0]["item_id"] == "'=A"
    engine = Engine(tmp_path)
    found = engine.rows(
        f"SELECT rank, line, titles FROM read_parquet({literal(out / 'hits.parquet')})"
    )
    engine.close()
    assert found[3] == (4, 5, ["Tea & more"])
    assert "6,net_weight,not_a_number" in (out / "faults.csv").read_text()
    assert {path.name for path in out.iterdir()} == {
        *("hits.csv", "hits.json", "hits.parquet", "report.html", "faults.csv"),
    }
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in out.iterdir())


def test_no_result_names_a_person(desk: Path) -> None:
    out = screened(desk)
    for path in out.iterdir():
        content = path.read_bytes()
        assert not any(name in content for name in (b"Jansen", b"Pieters", b"Roux", b"Meyer"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_is_whole_by_itself_and_escapes_what_it_shows(desk: Path, language: str) -> None:
    page = (screened(desk, "--language", language) / "report.html").read_text()
    tags: list[tuple[str, dict[str, str | None]]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.append((tag, dict(attrs)))

    Reader().feed(page)
    assert ("html", {"lang": language}) in tags
    assert not any(tag in {"script", "link", "img", "iframe", "b-tea"} for tag, _ in tags)
    assert not any("src" in attrs or "href" in attrs for _, attrs in tags)
    assert "Tea &amp; more" in page
    assert "<b>tea" not in page
    assert re.search(r'<p class="about">m\.csv, \d{4}-\d\d-\d\d \d\d:\d\d UTC</p>', page)


def test_patterns_without_a_hit_are_named_in_one_sentence(desk: Path) -> None:
    (desk / "rules" / "none.yml").write_text(
        row_rule("none: {declared_category: other}", "none", number=77)
    )
    page = (screened(desk) / "report.html").read_text()
    (named,) = re.findall(r"<p>Without a hit: (.*)\.</p>", page)
    assert named == "Documents from one area"
    assert "<td>Documents from one area</td>" not in page


def test_only_the_highest_hits_get_reasons_and_the_others_are_counted(desk: Path) -> None:
    out = screened(desk, "--most", 1)
    told = json.loads((out / "hits.json").read_text())
    assert (len(told["hits"]), told["parcels"]) == (1, 4)
    assert "3 further hits" in (out / "report.html").read_text()


def test_a_filter_keeps_parcels_out(desk: Path) -> None:
    (desk / "filter.yml").write_text(FILTER)
    out = screened(desk, "--filters", desk / "filter.yml")
    told = json.loads((out / "hits.json").read_text())
    assert [hit["line"] for hit in told["hits"]] == [3, 4, 5]


def test_rules_that_ended_are_left_out_and_told(desk: Path) -> None:
    old = (desk / "rules" / "group.yml").read_text().replace("2027-11-30", "2020-01-01")
    (desk / "rules" / "group.yml").write_text(old)
    result = run("screen", desk / "m.csv", "--patterns", desk / "rules")
    assert "Left out, as it expired or is deprecated: Fan-out" in result.stderr
    assert "1 parcel hit." in result.stdout
    result = run("screen", desk / "m.csv", "--patterns", desk / "rules" / "group.yml")
    assert (result.exit_code, "No rule is in force" in result.output) == (2, True)


def test_a_run_that_fails_leaves_nothing_behind(desk: Path) -> None:
    (desk / "m.csv").write_text("a,b\n1,2\n")
    result = run("screen", desk / "m.csv", "--patterns", desk / "rules")
    assert result.exit_code == 1
    assert "no column for the day of posting" in result.output
    assert list((desk / "m.csv-hits").iterdir()) == []


def test_an_interrupted_run_ends_and_leaves_nothing_behind(desk: Path) -> None:
    manifest = desk / "large.csv"
    lines = MANIFEST.splitlines(keepends=True)
    with manifest.open("w") as file:
        file.write(lines[0])
        for _ in range(40_000):
            file.writelines(lines[1:5])
    code = "from postern.cli import cli; cli()"
    files = [str(manifest), "--patterns", str(desk / "rules")]
    command = [sys.executable, "-c", code, "screen", *files]
    out = desk / "large.csv-hits"
    with subprocess.Popen(
        [*command, "--patterns", desk / "rules"],
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - one thread; a shell may have it ignored
    ) as process:
        try:
            while not list(out.glob(".work-*/work.duckdb")):
                assert process.poll() is None, "It ended before it could be interrupted."
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode != 0
    assert list(out.iterdir()) == []


def test_rules_are_checked_with_their_own_tests(desk: Path) -> None:
    good = desk / "good.yml"
    good.write_text(DOCUMENT)
    result = run("patterns", "check", good)
    assert (result.exit_code, result.stdout) == (0, "1 rule read, 0 faults found.\n")
    (desk / "bad.yml").write_text(changed("level: high", "level: hihg"))
    (desk / "failing.yml").write_text(changed("times: 3}", "times: 2}").replace("0a01", "0a02"))
    result = run("patterns", "check", desk / "bad.yml", desk / "failing.yml")
    assert result.exit_code == 1
    assert "line 9, column 8" in result.stdout
    assert "line 23: the example of 'Documents from one area' hits nothing" in result.stdout


def test_rules_are_formatted_or_only_looked_at(desk: Path) -> None:
    path = desk / "rules" / "row.yaml"
    before = path.read_text()
    assert run("patterns", "format", "--check", path).exit_code == 1
    assert path.read_text() == before
    assert run("patterns", "format", path).exit_code == 0
    assert run("patterns", "format", "--check", path).exit_code == 0


def test_rules_are_explained_and_exported(desk: Path) -> None:
    result = run("patterns", "explain", "--language", "nl", desk / "rules")
    assert "Een zending is een treffer bij: aangegeven inhoud" in result.stdout
    objects = json.loads(run("patterns", "stix", desk / "rules").stdout)["objects"]
    found = [each for each in objects if each["type"] == "indicator"]
    assert [each["name"] for each in found] == ["Fan-out", "Tea & more"]
    assert found[1]["pattern"] == "[x-postal-item:contents LIKE '% tea %']"
    assert json.loads(run("patterns", "schema").stdout)["title"] == "A shipping pattern"
    assert "filter" in json.loads(run("patterns", "schema", "filter").stdout)["title"]


def test_a_rule_that_hits_too_much_is_told_before_it_is_shared(desk: Path) -> None:
    asked = ("patterns", "estimate", desk / "m.csv", "--patterns", desk / "rules")
    result = run(*asked, "--budget", 300_000)
    assert result.exit_code == 1
    assert (
        "  600,000 per million of   600,000 fulfilled  high      over budget  Fan-out"
        in result.stdout
    )
    assert "  200,000 per million of   200,000 fulfilled  low       Tea & more" in result.stdout
    result = run(*asked)
    assert result.exit_code == 0
    assert "'Fan-out' hits more than the 50 per million of level high." in result.stderr
    assert "Narrow it: no level allows as many." in result.stderr


def test_one_rule_in_two_files_is_refused(desk: Path) -> None:
    (desk / "rules" / "again.yml").write_text((desk / "rules" / "row.yaml").read_text())
    result = run("patterns", "explain", desk / "rules")
    assert (result.exit_code, "is in another file too" in result.output) == (1, True)

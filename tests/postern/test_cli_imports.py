"""`postern imports` and `postern submit --mapping`, from the command line to the platform."""

import csv
import json
import stat
from pathlib import Path
from typing import Any

from click.testing import Result

from postern.imports import shipped_text
from tests.postern.conftest import Desk
from tests.postern.imports.mappings import SMALL
from tests.postern.loopback_platform import LoopbackPlatform

REPORTS = "/api/v1/reports"
GOLDEN = Path(__file__).parents[1] / "data" / "imports" / "seizures.csv"
WHY = ("--purpose", "customs_control", "--case", "C-1", "--legal-basis", "customs_law")
RUN = (*WHY, "--workers", "1")
CLEAR = ("Damme", "Vries", "Keizersgracht", "rue de la loi", "RB123456785GB", "l'ours", "bureau 4")


def told(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def sent_terms(platform: LoopbackPlatform) -> set[tuple[str, str | None]]:
    return {
        (indicator["learned"], indicator.get("tlp"))
        for body in platform.sent_to(REPORTS)
        for report in body["reports"]
        for indicator in report["indicators"]
    }


def test_a_check_tells_what_would_be_sent_and_shows_nobody(bare_desk: Desk) -> None:
    result = bare_desk.run("imports", "check", GOLDEN, "--mapping", "cis", "--rows", "3")
    assert result.exit_code == 3
    assert "30 rows read; 9 cannot be sent; nothing was sent." in result.stdout
    assert "compatible with no system" in result.stdout
    assert "(n) Concealment Type" in result.stdout
    assert "Line 4, scope: The row is about another way of transport" in result.stdout
    assert "Indicators: party as sender: 15." in result.stdout
    assert "Columns that nobody knows: Couleur du ruban." in result.stdout
    assert "Dropped: Personne de contact, 1 cell. A colleague's name" in result.stdout
    assert "Not known under Type de drogue: 'poudre rose' (2)." in result.stdout
    assert "Part of the note, which goes sealed or not at all: Numéro de dossier," in result.stdout
    assert "Not said: legal_basis. To submit, give --legal-basis." in result.stdout
    for clear in CLEAR:
        assert clear.lower() not in result.output.lower()


def test_a_check_as_json_holds_every_column_and_the_rows_that_were_asked_for(
    bare_desk: Desk,
) -> None:
    options = ("--mapping", "cis", "--rows", "2", "--learned", "xray", "--json")
    found = told(bare_desk.run("imports", "check", GOLDEN, *options))
    assert (found["rows"], found["usable"], found["rejected"]) == (30, 21, 9)
    assert [each["line"] for each in found["shown"]] == [2, 3]
    assert found["shown"][0]["shipment"]["substance"] == "mdma"
    assert found["missing"] == ["legal_basis"]
    columns = {each["heading"]: each for each in found["mapping"]["columns"]}
    assert columns["Type de drogue"]["verified"] == "annex_text"
    assert columns["Pays de départ"]["verified"] == "assumed"
    assert columns["N° d'envoi"]["verified"] is None
    assert columns["Personne de contact"]["field"] is None


def test_a_check_needs_a_mapping_that_exists(bare_desk: Desk) -> None:
    missing = bare_desk.run("imports", "check", GOLDEN)
    assert missing.exit_code == 2
    assert "--mapping is missing" in missing.stderr
    unknown = bare_desk.run("imports", "check", GOLDEN, "--mapping", "interpol")
    assert unknown.exit_code == 1
    assert "There is no mapping 'interpol'. Give one of cis, ionics" in unknown.stderr


def test_a_mapping_of_ones_own_is_made_of_a_shipped_one(bare_desk: Desk) -> None:
    shown = bare_desk.run("imports", "show", "ionics")
    assert shown.stdout == shipped_text("ionics")
    own = bare_desk.write("own.yml", shown.stdout.replace("Substance, Substances", "Stuff"))
    file = bare_desk.write("in.csv", "Stuff,Item number\nketamine,RB123456785GB\n")
    result = bare_desk.run("imports", "check", file, "--mapping", own)
    assert result.exit_code == 0, result.output
    assert "substance ketamine: 1 row." in result.stdout
    broken = bare_desk.write("own.yml", shown.stdout.replace("field: substance", "field: stuff"))
    result = bare_desk.run("imports", "check", file, "--mapping", broken)
    assert result.exit_code == 1
    assert "The field 'stuff' is not known." in result.stderr


def test_the_list_and_the_schema_say_what_is_known(bare_desk: Desk) -> None:
    listed = bare_desk.run("imports", "list").stdout
    assert "cis: Seizures with the items of the EU Customs Information System." in listed
    assert "press" in listed
    assert told(bare_desk.run("imports", "schema"))["title"] == "An import mapping"


def test_a_file_written_with_posterns_own_columns_says_the_same(bare_desk: Desk) -> None:
    own = bare_desk.home / "own.csv"
    options = ("--mapping", "cis", "--rows", "0")
    result = bare_desk.run("imports", "check", GOLDEN, *options, "--write", own)
    assert "24 rows written to" in result.stdout
    assert "Not known under Type de drogue: 'poudre rose' (2)." in result.stdout
    assert stat.S_IMODE(own.stat().st_mode) == 0o600
    plain = ("--dry-run", "--legal-basis", "customs_law", "--json")
    straight = told(bare_desk.run("submit", GOLDEN, "--mapping", "cis", *plain))
    again = told(bare_desk.run("submit", own, *plain))
    assert again["unused_columns"][0].startswith("note (free text goes sealed")
    for name in ("usable", "indicators", "facets", "shipment"):
        assert again[name] == straight[name]
    result = bare_desk.run("imports", "check", GOLDEN, *options, "--write", own)
    assert result.exit_code == 1
    assert "exists already. Give another name" in result.stderr


def test_good_rows_go_in_and_the_others_come_back(desk: Desk, platform: LoopbackPlatform) -> None:
    file = desk.write("in.csv", GOLDEN.read_text(encoding="utf-8"))
    result = desk.run("submit", file, "--mapping", "cis", *RUN, "--json")
    assert result.exit_code == 3, result.output
    found = told(result)
    assert (found["rows"], found["created"], found["rejected"]) == (30, 21, 9)
    assert found["mapping"]["unknown_words"][0]["text"] == "poudre rose"
    assert sent_terms(platform) == {("customs_control", None)}
    everything = json.dumps(platform.bodies, ensure_ascii=False).lower()
    for clear in (*CLEAR, "poudre rose", "d-1", "numéro"):
        assert clear.lower() not in everything
    with (desk.home / "in.rejected.csv").open(encoding="utf-8-sig", newline="") as rejected:
        rows = list(csv.DictReader(rejected, delimiter=";"))
    assert len(rows) == 9
    assert rows[0]["Type de fraude"] == "contrefaçon"
    assert rows[0]["postern_field"] == "scope"


def test_a_corrected_rejected_file_is_read_under_the_same_mapping(
    desk: Desk, platform: LoopbackPlatform
) -> None:
    file = desk.write("in.csv", GOLDEN.read_text(encoding="utf-8"))
    desk.run("submit", file, "--mapping", "cis", *RUN)
    rejected = desk.home / "in.rejected.csv"
    text = rejected.read_text(encoding="utf-8").replace("30/02/2026", "28/02/2026")
    rejected.write_text(text, encoding="utf-8")
    again = told(desk.run("submit", rejected, "--mapping", "cis", *RUN, "--json"))
    assert (again["created"], again["rejected"]) == (1, 8)
    assert again["unused_columns"] == ["Couleur du ruban"]


def test_an_option_goes_before_a_constant_and_a_column_before_both(
    desk: Desk, platform: LoopbackPlatform
) -> None:
    own = desk.write("own.yml", SMALL.replace("constants:\n", "constants:\n  tlp: RED\n"))
    file = desk.write(
        "in.csv", "Item number,Marking\nRB123456785GB,\nEE471108151FR,restricted\nEB000717618HK,x\n"
    )
    result = desk.run("submit", file, "--mapping", own, *RUN, "--learned", "dog", "--json")
    assert result.exit_code == 3
    assert told(result)["created"] == 2
    assert sent_terms(platform) == {("dog", "RED"), ("dog", "AMBER")}


def test_a_run_goes_on_under_its_own_mapping_alone(desk: Desk, platform: LoopbackPlatform) -> None:
    own = desk.write("own.yml", SMALL)
    file = desk.write("in.csv", "Item number,Drug\nRB123456785GB,snow\n")
    assert desk.run("submit", file, "--mapping", own, *RUN).exit_code == 0
    assert desk.run("submit", file, "--mapping", own, *RUN).exit_code == 0
    assert len(platform.stored) == 1
    own.write_text(SMALL.replace("snow", "rain"), encoding="utf-8")
    result = desk.run("submit", file, "--mapping", own, *RUN)
    assert result.exit_code == 1
    assert "began with other options" in result.stderr


def test_columns_and_a_mapping_are_not_given_together(bare_desk: Desk) -> None:
    columns = bare_desk.write("columns.toml", '[columns]\n"A" = "ignore"\n')
    file = bare_desk.write("in.csv", "A\nx\n")
    result = bare_desk.run("submit", file, "--columns", columns, "--mapping", "cis", "--dry-run")
    assert result.exit_code == 2
    assert "--columns and --mapping contradict each other" in result.stderr


def test_a_file_of_which_no_column_can_be_sent_is_refused(bare_desk: Desk) -> None:
    file = bare_desk.write("in.csv", "Case number,Contact person\n1,x\n")
    options = ("--mapping", "cis", "--dry-run", "--legal-basis", "customs_law")
    result = bare_desk.run("submit", file, *options)
    assert result.exit_code == 1
    assert "No column of" in result.stderr

"""Seizure records of another system, by the command and in a browser, into the real platform."""

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.disclosures.models import Outcome
from app.indicators.models import Indicator, Report
from postern.vocabulary import Scope
from tests.app.exchange import Exchange
from tests.functional.conftest import Platform
from tests.functional.leaving import watched
from tests.functional.pictures import keep_picture
from tests.functional.test_client_against_platform import SUBMIT, everything_stored, settle
from tests.functional.test_pages import (
    NARROW,
    on_one_database,
    require_accessible,
    require_fitting,
    sign_in,
)
from tests.functional.test_report_pages import do, field

GOLDEN = Path(__file__).parents[1] / "data" / "imports"
COARSE = (
    *("origin_country", "destination_country", "weight_band", "value_band", "hs_chapter"),
    *("concealment", "substance", "service"),
)
CLEAR = ("damme", "vries", "keizersgracht", "rue de la loi", "rb123456785gb", "muster", "l'ours")
WHY = ("--purpose", "customs_control", "--case", "C-1", "--legal-basis", "customs_law")


SCOPES = (*SUBMIT, Scope.REPORTS_READ, Scope.OUTCOMES_WRITE)


def rows_that_can_be_sent() -> list[dict[str, Any]]:
    expected = json.loads((GOLDEN / "seizures-expected.json").read_text(encoding="utf-8"))
    return [each for each in expected if "faults" not in each]


def require_stored(exchange: Exchange, good: list[dict[str, Any]]) -> list[Any]:
    """The platform holds these rows, with the right coarse fields, and nothing in clear."""
    reports = exchange.rows(select(Report).order_by(Report.id))
    for report, row in zip(reports, good, strict=True):
        said = {name: getattr(report, name) for name in COARSE if getattr(report, name)}
        assert said == row["shipment"], row["line"]
        assert report.barrier_step == row["step"], row["line"]
    indicators = exchange.rows(select(Indicator).order_by(Indicator.id))
    seen = [pair for row in good for pair in row["seen"]]
    days = [row["day"] for row in good for _ in row["seen"]]
    assert [f"{each.kind}/{each.role}" for each in indicators] == seen
    assert [str(each.observed_from) for each in indicators] == days
    assert {str(each.learned) for each in indicators} == {"customs_control"}
    everything = everything_stored(exchange).lower()
    assert not [clear for clear in CLEAR if clear in everything]
    return reports


def test_thirty_seizures_in_three_languages_arrive_as_reports(
    platform: Platform, exchange: Exchange, tmp_path: Path
) -> None:
    post = settle(platform, exchange, tmp_path, "post-be", SCOPES)
    file = post.home / "seizures.csv"
    file.write_bytes((GOLDEN / "seizures.csv").read_bytes())
    run = ("submit", file, "--mapping", "cis", *WHY, "--workers", "1", "--json")
    good = rows_that_can_be_sent()

    result = post.run(*run)
    assert result.exit_code == 3, result.output
    told = json.loads(result.stdout)
    assert (told["rows"], told["created"], told["rejected"]) == (30, len(good), 30 - len(good))

    reports = require_stored(exchange, good)

    again = json.loads(post.run(*run).stdout)
    assert again["created"] == len(good)
    assert len(exchange.rows(select(Report))) == len(good)

    finds = ("outcomes", "import", file, "--mapping", "cis", "--case", "C-1")
    rehearsed = post.run(*finds, "--dry-run")
    assert f"{len(good)} outcomes would be told" in rehearsed.stdout, rehearsed.output
    assert not exchange.rows(select(Outcome))
    found = json.loads(post.run(*finds, "--json").stdout)
    assert (found["told"], found["silent"], found["gone"]) == (len(good), 30 - len(good), 0)
    outcomes = exchange.rows(select(Outcome).order_by(Outcome.id))
    assert [each.report for each in outcomes] == [each.public_id for each in reports]
    first, *others = outcomes
    assert (first.result, first.located, first.held, first.examined) == ("found", *["yes"] * 3)
    assert (first.substance, first.quantity, first.unit) == ("mdma", 250, "g")
    assert {each.quantity for each in others} == {None}
    again = json.loads(post.run(*finds, "--json").stdout)
    assert (again["told"], again["before"]) == (0, len(good))


@on_one_database
def test_the_same_file_goes_in_from_a_browser_and_the_page_tells_what_is_left_out(
    page: Page, exchange: Exchange
) -> None:
    sign_in(page, exchange.people["post-be"])
    leaving = watched(page.context)
    page.goto("/reports/upload")
    page.locator("#file").set_input_files(GOLDEN / "seizures.csv")
    expect(page.locator("[data-columns] select")).to_have_count(32)
    offered = page.locator("[data-columns] select").first.locator("option")
    assert "scope" not in offered.evaluate_all("all => all.map((each) => each.value)")
    page.locator("#mapping").select_option("cis")
    expect(page.locator("[data-mapping-note=cis]")).to_contain_text("compatible with no system")
    expect(page.locator("[data-columns] select")).to_have_count(0)
    expect(page.locator("[data-columns-state]")).to_have_text("31 of 32 recognised")
    columns = page.locator("[data-columns] tr")
    expect(columns.filter(has_text="Personne de contact")).to_contain_text("dropped")
    expect(columns.filter(has_text="Date de saisie")).to_contain_text("(n) Date")
    expect(columns.filter(has_text="Couleur du ruban")).to_contain_text("not known")
    field(page, "learned").select_option("customs_control")
    field(page, "legal_basis").select_option("customs_law")
    field(page, "case").fill("C-1")
    do(page, "read").click()
    expect(page.locator("[data-figures] dd")).to_have_text(["30", "21", "9"])
    doubts = page.locator("[data-doubts]")
    expect(doubts).to_contain_text('the word "poudre rose" is not known and left out, 2 times')
    expect(page.locator("[data-wrong-rows]")).to_contain_text("Date de saisie is not a day")
    require_accessible(page)
    keep_picture(page, "upload-mapped")
    page.set_viewport_size({"width": NARROW, "height": 720})
    require_fitting(page)
    keep_picture(page, "upload-mapped-narrow")
    do(page, "send").click()
    expect(page.locator("[data-counts] dd")).to_have_text(["30", "21", "0", "9", "0"])
    require_stored(exchange, rows_that_can_be_sent())
    leaving.require_nothing_of("Sophie", "Keizersgracht", "poudre rose", "RB123456785GB", "D-1")

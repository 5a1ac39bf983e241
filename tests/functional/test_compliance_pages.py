"""The access log, its timelines and its files in a real browser, without script too.

What the pages say is tested in tests/app/compliance; here is only what needs a browser.
"""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.audit.running import LogKeeper, sequencer
from postern.vocabulary import Role
from tests.app.exchange import JAN, OPEN_TO_POLICE, SOPHIE, SOPHIE_TYPED, Exchange, report
from tests.app.people import Person, make_person, runtime_of
from tests.functional.conftest import Platform
from tests.functional.pictures import keep_picture
from tests.functional.test_pages import (
    NARROW,
    on_one_database,
    require_accessible,
    require_fitting,
    sign_in,
)

NOBODYS = "00000000-0000-4000-8000-000000000001"


@dataclass
class Office:
    """police-de asked, found and was refused; its officer looks at the log."""

    exchange: Exchange
    officer: Person
    indicator: str

    def addresses(self) -> Iterator[str]:
        """Every page of the log, as an officer sees it."""
        analyst = self.exchange.caller("police-de").person
        yield "/access-log"
        yield "/access-log?q=lookup+investigation"
        yield "/access-log?q=Sophie"
        yield "/access-log?object=two+words"
        yield "/access-log?act=report.submit"
        yield "/access-log/timeline"
        yield "/access-log/timeline?person=nobody"
        yield f"/access-log/timeline?person={analyst}"
        yield f"/access-log/timeline?object={self.indicator}"
        yield f"/access-log/timeline?object={NOBODYS}"
        yield "/access-log/timeline?case=PV-2024-17"


@pytest.fixture
def office(exchange: Exchange) -> Office:
    officer = make_person(exchange.app, "police-de", [Role.COMPLIANCE])
    (made,) = exchange.submit("post-be", report("k1", exchange.indicator(SOPHIE))).results
    exchange.publish("post-be", OPEN_TO_POLICE)
    exchange.ask("police-de", SOPHIE_TYPED, JAN)
    with exchange.app.app_context():
        runtime = runtime_of(exchange.app)
        keeper = LogKeeper(runtime, sequencer(runtime))
        keeper.begin()
        keeper.sequencer.step()
    return Office(exchange, officer, str(made.indicators[0]))


@on_one_database
def test_everything_unfolded_is_accessible_in_the_dark_on_a_narrow_screen(
    browser: Browser, platform: Platform, office: Office
) -> None:
    context = browser.new_context(
        base_url=platform.address,
        color_scheme="dark",
        reduced_motion="reduce",
        viewport={"width": NARROW, "height": 720},
    )
    page = context.new_page()
    sign_in(page, office.officer)
    for address in office.addresses():
        page.goto(address)
        page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
        require_accessible(page)
        require_fitting(page)
    context.close()


@on_one_database
def test_a_package_is_downloaded_without_script_from_what_is_shown(
    browser: Browser, platform: Platform, office: Office
) -> None:
    context = browser.new_context(base_url=platform.address, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, office.officer)
    page.goto("/access-log?act=lookup.ask")
    page.get_by_text("Export what is shown").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    assert re.fullmatch(r"access-log-police-de-\w+\.zip", download.value.suggested_filename)
    with zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes())) as archive:
        (line,) = archive.read("entries.jsonl").splitlines()
        entry = json.loads(line)
        assert entry["record"]["act"] == "lookup.ask"
        assert f"proofs/{entry['place']}.tlog-proof" in archive.namelist()
    context.close()


@on_one_database
def test_one_click_leads_from_an_entry_to_its_timeline_by_keyboard(
    page: Page, office: Office
) -> None:
    sign_in(page, office.officer)
    page.goto("/access-log?act=lookup.ask")
    page.locator(".entry > summary").focus()
    page.keyboard.press("Enter")
    link = page.get_by_role("link", name="PV-2024-17")
    expect(link).to_be_visible()
    link.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Timeline of a case")
    expect(page.locator(".timeline > li")).to_have_count(1)


@on_one_database
def test_an_officer_narrows_the_log_by_its_counts_saves_a_review_and_takes_the_month_along(
    page: Page, office: Office
) -> None:
    sign_in(page, office.officer)
    page.goto("/")
    require_accessible(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the report").click()
    assert re.fullmatch(r"report-police-de-\d{4}-\d\d\.pdf", download.value.suggested_filename)
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")
    page.get_by_role("link", name="Open the access log").click()
    page.get_by_text("entries, counted").click()
    counts = page.get_by_role("navigation", name="Narrow the search down")
    require_accessible(page)
    keep_picture(page, "access-log-counts")
    counts.get_by_role("link", name="Lookup", exact=True).click()
    expect(page.locator(".entry")).to_have_count(1)
    counts.get_by_role("link", name="criminal investigation").click()
    page.get_by_role("link", name="save it as a review").click()
    expect(page.locator("#order-act")).to_have_value("lookup.ask")
    expect(page.locator("#order-purpose")).to_have_value("criminal_investigation")
    page.get_by_label("What is reviewed, and why").fill("Lookups of the unit")
    page.get_by_role("button", name="Order the review").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Lookups of the unit")
    page.goto("/access-log?act=lookup.ask")
    page.locator("button[lang=fr]").click()
    page.set_viewport_size({"width": NARROW, "height": 800})
    page.emulate_media(color_scheme="dark")
    require_accessible(page)
    require_fitting(page)
    keep_picture(page, "access-log-counts-fr-narrow-dark")
